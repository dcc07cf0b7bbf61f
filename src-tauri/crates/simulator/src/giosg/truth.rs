//! What a perfect client shows for giosg.

use model::{Agent, Figure, Id, Origin, Presence, Queue, QueueKind, SinceKind, Totals, Unit, Vendor, Window};

use super::{
    GiosgServer,
    rows::{day, free, room_free, user_id, visitors, waiting},
};
use crate::{
    Truth,
    floor::{Centre, FloorQueue, Seat, Stance, mean},
};

fn figure(metric: &str, window: Window, value: Option<f64>, unit: Unit, origin: Origin) -> Figure {
    Figure { metric: Id::new(metric), window, value, unit, origin, n: None }
}

fn presence(seat: &Seat) -> Presence {
    match seat.stance {
        Stance::Accepting if free(seat) == 0 => Presence::Busy,
        Stance::Accepting => Presence::Available,
        Stance::Away => Presence::Away,
        Stance::Offline => Presence::Offline,
    }
}

pub(super) fn truth(server: &GiosgServer, floor: &Centre, source: &Id) -> Truth {
    let queues: Vec<Queue> =
        floor.queues_of(Vendor::Giosg).map(|queue| room(server, floor, source, queue)).collect();
    let agents: Vec<Agent> = floor.seats_of(Vendor::Giosg).map(|seat| agent(server, source, seat)).collect();
    let now = |metric, value: f64| figure(metric, Window::Now, Some(value), Unit::Count, Origin::Derived);
    let sum = |of: fn(&Queue) -> Option<u32>| queues.iter().filter_map(of).map(f64::from).sum::<f64>();
    let people = |wanted: fn(Presence) -> bool| agents.iter().filter(|a| wanted(a.presence)).count() as f64;
    let days = floor.queues_of(Vendor::Giosg).map(|queue| day(floor, queue));
    let (missed, real) = days.fold((0, 0), |(missed, real), (m, r, _)| (missed + m, real + r));
    let seen: u32 = floor.queues_of(Vendor::Giosg).map(visitors).sum();
    let today = |metric, value: u32| {
        figure(metric, Window::Today, Some(f64::from(value)), Unit::Count, Origin::Derived)
    };
    let windows = vec![
        now("agents_online", people(Presence::is_online)),
        now("free_agents", people(|presence| presence == Presence::Available)),
        today("handled", real),
        today("missed", missed),
        now("open", sum(|queue| queue.open)),
        now("visitors", f64::from(seen)),
        now("waiting", sum(|queue| queue.waiting)),
    ];
    let totals = Some(Totals { source: source.clone(), windows });
    Truth { queues, agents, conversations: Vec::new(), totals }
}

fn room(server: &GiosgServer, floor: &Centre, source: &Id, queue: &FloorQueue) -> Queue {
    let entered: Vec<_> = waiting(floor, queue).map(|contact| contact.entered_at).collect();
    let sum = entered.iter().map(|at| floor.now().since(*at).as_secs_f64()).sum();
    let seats = || queue.seats.iter().filter_map(|seat| floor.seat(*seat)).filter(|seat| !seat.disabled);
    let among = |wanted: fn(Presence) -> bool| seats().filter(|seat| wanted(presence(seat))).count() as u32;
    let (missed, real, day_wait) = day(floor, queue);
    let room_free = room_free(floor, queue);
    let daily = day_wait.filter(|_| server.dialect.daily);
    let told = |metric, window, value, unit| figure(metric, window, value, unit, Origin::Reported);
    Queue {
        source: source.clone(),
        id: server.room_id(queue.no).into(),
        name: queue.name.clone(),
        kind: QueueKind::Room,
        waiting: Some(entered.len() as u32),
        waiting_since: entered.iter().min().map(|at| server.wire.shifted(*at)),
        average_wait_s: mean(sum, entered.len() as u32),
        open: Some(queue.open),
        capacity: Some(queue.open + room_free),
        free_capacity: Some(room_free),
        agents_online: Some(among(Presence::is_online)),
        agents_available: Some(among(|presence| presence == Presence::Available)),
        expected_at: None,
        windows: vec![
            told("average_wait", Window::Today, daily, Unit::Seconds),
            told("handled", Window::Today, Some(f64::from(real)), Unit::Count),
            told("longest_wait", Window::Today, None, Unit::Seconds),
            told("missed", Window::Today, Some(f64::from(missed)), Unit::Count),
            told("visitors", Window::Now, Some(f64::from(visitors(queue))), Unit::Count),
        ],
    }
}

fn agent(server: &GiosgServer, source: &Id, seat: &Seat) -> Agent {
    let id = user_id(&server.dialect, seat.no);
    // Without an address, and with ids of two kinds, nobody can be found in the organization's list.
    let nameless = server.dialect.no_email && !server.dialect.guid_ids;
    let presence = presence(seat);
    let open = seat.open.len() as u32;
    let free = (seat.stance == Stance::Accepting).then(|| free(seat));
    let mut queues: Vec<Id> = seat.queues.iter().map(|queue| server.room_id(*queue).into()).collect();
    queues.sort();
    Agent {
        source: source.clone(),
        id: id.as_str().into(),
        name: if nameless { format!("User {id}") } else { seat.name() },
        email: Some(seat.email.clone()).filter(|_| !server.dialect.no_email),
        presence,
        presence_label: None,
        presence_since: Some(seat.stance_since),
        presence_since_kind: Some(SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open: Some(open),
        capacity: free.map(|free| open + free),
        free_capacity: free,
        queues: Some(queues),
        windows: Vec::new(),
    }
}
