//! What a perfect client shows for Comm100.

use std::time::Duration;

use model::{
    Agent, Conversation, ConversationState, Figure, Id, Origin, Presence, Queue, QueueKind, SinceKind,
    Timestamp, Totals, Unit, Vendor, Window,
};

use super::{
    Comm100Server,
    realtime::{bots, capacity, status_name, utilisation},
};
use crate::{
    Truth, VendorServer,
    floor::{Centre, FloorQueue, Seat, Stance, WaitEnd, mean},
};

const HALF_HOUR: Duration = Duration::from_secs(1800);

pub(crate) fn figure(metric: &str, window: Window, value: Option<f64>, unit: Unit) -> Figure {
    Figure { metric: Id::new(metric), window, value, unit, origin: Origin::Reported, n: None }
}

pub(super) fn truth(server: &Comm100Server, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
    let membership = !server.dialect.lookups_forbidden;
    let places = floor.queues_of(Vendor::Comm100).map(|q| queue(server, floor, source, q, membership, now));
    let own = floor.seats_of(Vendor::Comm100).next().filter(|_| server.dialect.agent_rows);
    let queues = places.chain(own.map(|seat| personal(server, floor, source, seat))).collect();
    let agents =
        floor.seats_of(Vendor::Comm100).map(|s| agent(server, floor, source, s, membership, now)).collect();
    let waiting = floor.open_contacts_of(Vendor::Comm100).filter(|c| c.state == ConversationState::Waiting);
    let conversations = waiting
        .map(|c| Conversation {
            source: source.clone(),
            id: server.conversation_id(floor, c.no),
            queue: Some(server.queue_id(floor, c.queue)),
            agents: Some(Vec::new()),
            state: ConversationState::Waiting,
            channel: None,
            started_via: None,
            started_via_label: None,
            customer: None,
            subject: None,
            created_at: None,
            waiting_since: Some(server.wire.shifted(c.entered_at)),
            answered_at: None,
            ended_at: None,
            expected_at: None,
            last_customer_message_at: None,
            last_agent_message_at: None,
            outcome: None,
            tags: None,
            priority: None,
        })
        .collect();
    Truth { queues, agents, conversations, totals: Some(totals(server, floor, source)) }
}

fn queue(
    server: &Comm100Server,
    floor: &Centre,
    source: &Id,
    q: &FloorQueue,
    membership: bool,
    now: Timestamp,
) -> Queue {
    let waits: Vec<Timestamp> =
        q.waiting.iter().filter_map(|c| floor.contact(*c)).map(|c| c.entered_at).collect();
    let seats = || q.seats.iter().filter_map(|s| floor.seat(*s)).filter(|s| !s.disabled);
    let sum: f64 = waits.iter().map(|at| now.since(*at).as_secs_f64()).sum();
    let capacity = capacity(floor, q).filter(|c| *c > 0);
    let end_of_window = floor.windows_end();
    let count = |end| f64::from(q.hour.count(end_of_window, HALF_HOUR, end));
    let wait = |window| q.hour.average_wait_s(end_of_window, window).map_or(0.0, f64::round);
    Queue {
        source: source.clone(),
        id: server.queue_id(floor, q.no),
        name: q.name.clone(),
        kind: QueueKind::Department,
        waiting: Some(waits.len() as u32),
        waiting_since: waits.iter().min().map(|at| server.wire.shifted(*at)),
        average_wait_s: mean(sum, waits.len() as u32),
        open: Some(q.open),
        capacity,
        free_capacity: capacity.map(|c| c.saturating_sub(q.open)),
        agents_online: membership.then(|| seats().filter(|s| s.stance != Stance::Offline).count() as u32),
        agents_available: membership.then(|| seats().filter(|s| s.takes_work()).count() as u32),
        expected_at: None,
        windows: vec![
            figure(
                "abandoned",
                Window::M30,
                Some(count(WaitEnd::Abandoned) + count(WaitEnd::Missed)),
                Unit::Count,
            ),
            figure("average_wait", Window::M30, Some(wait(HALF_HOUR)), Unit::Seconds),
            figure("average_wait", Window::M60, Some(wait(HALF_HOUR * 2)), Unit::Seconds),
            figure("switched_to_message", Window::M30, Some(count(WaitEnd::Switched)), Unit::Count),
        ],
    }
}

/// The one person's own queue that the dialect sends: nobody waits there.
fn personal(server: &Comm100Server, floor: &Centre, source: &Id, seat: &Seat) -> Queue {
    let open = seat.open.len() as u32;
    let zero = |metric, window, unit| figure(metric, window, Some(0.0), unit);
    Queue {
        source: source.clone(),
        id: Id::from(format!("agent:{}", server.agent_id(floor, seat.no))),
        name: seat.name(),
        kind: QueueKind::Personal,
        waiting: Some(0),
        waiting_since: None,
        average_wait_s: None,
        open: Some(open),
        capacity: seat.limit,
        free_capacity: seat.limit.map(|c| c.saturating_sub(open)),
        agents_online: Some(u32::from(seat.stance != Stance::Offline)),
        agents_available: Some(u32::from(seat.takes_work())),
        expected_at: None,
        windows: vec![
            zero("abandoned", Window::M30, Unit::Count),
            zero("average_wait", Window::M30, Unit::Seconds),
            zero("average_wait", Window::M60, Unit::Seconds),
            zero("switched_to_message", Window::M30, Unit::Count),
        ],
    }
}

fn agent(
    server: &Comm100Server,
    floor: &Centre,
    source: &Id,
    s: &Seat,
    membership: bool,
    now: Timestamp,
) -> Agent {
    let capacity = s.limit.filter(|_| membership || !server.dialect.hides_maxima);
    let full = capacity.is_some_and(|c| s.open.len() as u32 >= c);
    Agent {
        source: source.clone(),
        id: server.agent_id(floor, s.no),
        name: s.name(),
        email: None,
        presence: match s.stance {
            Stance::Accepting if full => Presence::Busy,
            Stance::Accepting => Presence::Available,
            Stance::Away => Presence::Away,
            Stance::Offline => Presence::Offline,
        },
        presence_label: Some(status_name(s).to_owned()),
        presence_since: Some(s.stance_since),
        presence_since_kind: Some(SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open: Some(s.open.len() as u32),
        capacity,
        free_capacity: capacity.map(|c| c.saturating_sub(s.open.len() as u32)),
        queues: membership.then(|| {
            let mut queues: Vec<Id> = s.queues.iter().map(|q| server.queue_id(floor, *q)).collect();
            queues.sort();
            queues
        }),
        windows: vec![
            figure("chat_time", Window::Today, Some(s.chat_time_at(now).as_secs_f64()), Unit::Seconds),
            figure("handled", Window::Today, Some(f64::from(s.handled_today)), Unit::Count),
        ],
    }
}

fn totals(server: &Comm100Server, floor: &Centre, source: &Id) -> Totals {
    let day = floor.day(Vendor::Comm100);
    let seats = || floor.seats_of(Vendor::Comm100);
    let open: u32 = floor.queues_of(Vendor::Comm100).map(|q| q.open).sum();
    let waiting: usize = floor.queues_of(Vendor::Comm100).map(|q| q.waiting.len()).sum();
    let now = |metric, value: f64| figure(metric, Window::Now, Some(value), Unit::Count);
    let today = |metric, value: u32| figure(metric, Window::Today, Some(f64::from(value)), Unit::Count);
    let limited = server.dialect.plan_limited;
    let time = |metric, sum, n| {
        let value = mean(sum, n).filter(|_| !limited).map(|s| super::write::round(s, 1));
        figure(metric, Window::Today, value, Unit::Seconds)
    };
    let acceptance = (day.requests() > 0).then(|| f64::from(day.answered) / f64::from(day.requests()));
    let mut windows = vec![
        today("abandoned", day.abandoned),
        figure("acceptance_rate", Window::Today, acceptance.filter(|_| !limited), Unit::Ratio),
        now("agents_in_chat", seats().filter(|s| !s.open.is_empty()).count() as f64),
        now("agents_online", seats().filter(|s| s.stance != Stance::Offline).count() as f64),
        time("average_wait", day.wait_s, day.answered),
        now("bot_open", bots(floor) as f64),
        today("department_transferred", day.moved),
        today("handled", day.answered),
        today("missed", day.missed),
        now("open", f64::from(open)),
        today("requests", day.requests()),
        today("switched_to_message", day.switched),
        today("transferred", day.transferred),
        figure("utilisation", Window::Now, utilisation(floor), Unit::Ratio),
        now("waiting", waiting as f64),
    ];
    windows.sort_by(|a, b| (a.metric.as_str(), a.window).cmp(&(b.metric.as_str(), b.window)));
    Totals { source: source.clone(), windows }
}
