//! What a perfect client shows for LivePerson.

use model::{
    Agent, Channel, Conversation, Figure, Id, Origin, Presence, Queue, QueueKind, SinceKind, Timestamp,
    Totals, Unit, Vendor, Window,
};

use super::{
    LivePersonServer, MANAGER,
    answers::{WINDOW, abandoned, slots},
};
use crate::{
    Truth, VendorServer,
    floor::{Centre, FloorQueue, Seat, Stance, WaitEnd},
};

fn figure(metric: &str, window: Window, value: Option<f64>, unit: Unit, n: Option<u32>) -> Figure {
    Figure { metric: Id::new(metric), window, value, unit, origin: Origin::Reported, n }
}

/// The figures of waits that have ended.
fn half_hour(connected: u32, abandoned: u32, size: u32, waited: f64) -> Vec<Figure> {
    let count = |metric, n: u32| figure(metric, Window::M30, Some(f64::from(n)), Unit::Count, None);
    let wait = (connected > 0).then(|| waited / f64::from(connected));
    vec![
        count("abandoned", abandoned),
        figure("average_wait", Window::M30, wait, Unit::Seconds, Some(connected)),
        count("handled", connected),
        count("offered", connected + abandoned + size),
    ]
}

fn ended(floor: &Centre, q: &FloorQueue) -> (u32, u32, u32, f64) {
    let connected = q.hour.count(floor.windows_end(), WINDOW, WaitEnd::Answered);
    let waited = q.hour.average_wait_s(floor.windows_end(), WINDOW).unwrap_or(0.0) * f64::from(connected);
    (connected, abandoned(floor, q, WINDOW), q.waiting.len() as u32, waited)
}

pub(super) fn truth(server: &LivePersonServer, floor: &Centre, source: &Id) -> Truth {
    let queues: Vec<Queue> =
        floor.queues_of(Vendor::Liveperson).map(|q| queue(server, floor, source, q)).collect();
    let own = server.own_seat(floor);
    let mut agents: Vec<Agent> = floor
        .seats_of(Vendor::Liveperson)
        .map(|s| agent(server, floor, source, s, own == Some(s.no)))
        .collect();
    if own.is_none() {
        agents.push(manager(server, source));
    }
    let conversations = floor
        .open_contacts_of(Vendor::Liveperson)
        .filter(|c| own.is_some_and(|seat| c.seats.contains(&seat)))
        .map(|c| Conversation {
            source: source.clone(),
            id: server.conversation_id(floor, c.no),
            queue: server.dialect.skill_in_info.then(|| server.queue_id(floor, c.queue)),
            agents: c.seats.last().map(|seat| vec![server.agent_id(floor, *seat)]),
            state: c.state,
            channel: Some(Channel::Chat),
            started_via: None,
            started_via_label: None,
            customer: Some(c.customer.clone()),
            subject: None,
            created_at: Some(server.wire.shifted(c.created_at)),
            waiting_since: Some(server.wire.shifted(c.entered_at)),
            answered_at: c.answered_at.map(|at| server.wire.shifted(at)),
            ended_at: None,
            expected_at: None,
            last_customer_message_at: Some(server.wire.shifted(c.customer_wrote_at)),
            last_agent_message_at: c.agent_wrote_at.map(|at| server.wire.shifted(at)),
            outcome: None,
            tags: None,
            priority: None,
        })
        .collect();
    let mut sum = (0, 0, 0, 0.0);
    for (connected, abandoned, size, waited) in floor.queues_of(Vendor::Liveperson).map(|q| ended(floor, q)) {
        sum = (sum.0 + connected, sum.1 + abandoned, sum.2 + size, sum.3 + waited);
    }
    let mut windows = half_hour(sum.0, sum.1, sum.2, sum.3);
    windows.push(figure("waiting", Window::Now, Some(f64::from(sum.2)), Unit::Count, None));
    Truth { queues, agents, conversations, totals: Some(Totals { source: source.clone(), windows }) }
}

fn queue(server: &LivePersonServer, floor: &Centre, source: &Id, q: &FloorQueue) -> Queue {
    let own = server.own_seat(floor);
    let staff: Vec<&Seat> = q.seats.iter().filter_map(|s| floor.seat(*s)).filter(|s| !s.disabled).collect();
    let stance = |s: &Seat| if own == Some(s.no) { Stance::Away } else { s.stance };
    let taking = || staff.iter().filter(|s| stance(s) == Stance::Accepting);
    let unlimited = taking().any(|s| s.limit.is_none());
    let (connected, abandoned, size, waited) = ended(floor, q);
    let quiet = connected == 0 && abandoned == 0 && size == 0;
    Queue {
        source: source.clone(),
        id: server.queue_id(floor, q.no),
        name: q.name.clone(),
        kind: QueueKind::Skill,
        waiting: Some(size),
        waiting_since: q
            .waiting
            .iter()
            .filter_map(|c| floor.contact(*c))
            .map(|c| server.wire.shifted(c.entered_at))
            .min(),
        average_wait_s: None,
        open: staff
            .iter()
            .all(|s| s.queues.len() == 1)
            .then(|| staff.iter().map(|s| s.open.len() as u32).sum()),
        capacity: taking().map(|s| s.limit).sum(),
        free_capacity: (!unlimited).then(|| slots(floor, q) as u32),
        agents_online: Some(staff.iter().filter(|s| stance(s) != Stance::Offline).count() as u32),
        agents_available: Some(taking().filter(|s| !s.is_full()).count() as u32),
        expected_at: None,
        windows: if quiet { Vec::new() } else { half_hour(connected, abandoned, size, waited) },
    }
}

fn agent(server: &LivePersonServer, floor: &Centre, source: &Id, s: &Seat, own: bool) -> Agent {
    let stance = if own { Stance::Away } else { s.stance };
    let open = (stance != Stance::Offline || server.dialect.chats_always).then_some(s.open.len() as u32);
    let (presence, label) = match stance {
        Stance::Offline => (Presence::Offline, "Offline"),
        Stance::Away => (Presence::Away, "Away"),
        Stance::Accepting if s.is_full() => (Presence::Busy, "Online"),
        Stance::Accepting => (Presence::Available, "Online"),
    };
    let since = presence.is_online().then(|| server.wire.shifted(s.stance_since));
    let mut queues: Vec<Id> = s.queues.iter().map(|q| server.queue_id(floor, *q)).collect();
    queues.sort();
    Agent {
        source: source.clone(),
        id: server.agent_id(floor, s.no),
        name: s.name(),
        email: Some(s.email.clone()),
        presence,
        presence_label: Some(label.to_owned()),
        presence_since: since,
        presence_since_kind: since.map(|_| SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open,
        capacity: s.limit,
        free_capacity: s.limit.zip(open).map(|(limit, open)| limit.saturating_sub(open)),
        queues: Some(queues),
        windows: Vec::new(),
    }
}

fn manager(server: &LivePersonServer, source: &Id) -> Agent {
    let since: Option<Timestamp> = server.session_since().map(|at| server.wire.shifted(at));
    Agent {
        source: source.clone(),
        id: Id::new(MANAGER.to_string()),
        name: "Floor".to_owned(),
        email: Some("floor@example.test".to_owned()),
        presence: Presence::Away,
        presence_label: Some("Away".to_owned()),
        presence_since: since,
        presence_since_kind: since.map(|_| SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open: Some(0),
        capacity: Some(0),
        free_capacity: Some(0),
        queues: Some(Vec::new()),
        windows: Vec::new(),
    }
}
