//! What a perfect client shows for Pingstreams.

use model::{
    Agent, Channel, Conversation, ConversationState, Id, Presence, Queue, QueueKind, SinceKind, Timestamp,
    Vendor,
};

use super::{
    PingstreamsServer,
    account::{self, Account},
    documents::PROJECT_LIMIT,
};
use crate::{
    Truth, VendorServer,
    floor::{Centre, Contact, FloorQueue, mean},
};

pub(super) fn truth(server: &PingstreamsServer, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
    let vendor = Vendor::Pingstreams;
    let queues = floor.queues_of(vendor).map(|q| queue(server, floor, source, q, now)).collect();
    let members = account::members(floor).into_iter().filter(|a| !a.disabled);
    let agents = members.map(|a| agent(server, floor, source, &a)).collect();
    let conversations =
        floor.open_contacts_of(vendor).map(|c| conversation(server, floor, source, c)).collect();
    Truth { queues, agents, conversations, totals: None }
}

fn queue(server: &PingstreamsServer, floor: &Centre, source: &Id, q: &FloorQueue, now: Timestamp) -> Queue {
    let waits: Vec<Timestamp> =
        q.waiting.iter().filter_map(|c| floor.contact(*c)).map(|c| c.entered_at).collect();
    let sum: f64 = waits.iter().map(|at| now.since(*at).as_secs_f64()).sum();
    let seats = || q.seats.iter().filter_map(|s| floor.seat(*s)).filter(|s| !s.disabled);
    let people: Vec<Account> = seats().map(|s| account::of_seat(floor, s)).collect();
    // Away is still online there: nothing tells whether somebody is signed in.
    let capacity: u32 = people.iter().map(limit).sum();
    let free: i64 =
        people.iter().filter(|a| a.available).map(|a| (i64::from(limit(a)) - a.open).max(0)).sum();
    Queue {
        source: source.clone(),
        id: server.queue_id(floor, q.no),
        name: q.name.clone(),
        kind: QueueKind::Department,
        waiting: Some(waits.len() as u32),
        waiting_since: waits.iter().min().map(|at| server.wire.shifted(*at)),
        average_wait_s: mean(sum, waits.len() as u32),
        open: Some(q.open),
        capacity: Some(capacity),
        free_capacity: Some(free as u32),
        agents_online: Some(people.len() as u32),
        agents_available: Some(people.iter().filter(|a| presence(a) == Presence::Available).count() as u32),
        expected_at: None,
        windows: Vec::new(),
    }
}

/// The project's limit, or a larger one of one's own.
fn limit(a: &Account) -> u32 {
    a.limit.unwrap_or(0).max(PROJECT_LIMIT)
}

fn presence(a: &Account) -> Presence {
    if !a.available {
        Presence::Away
    } else if a.open >= i64::from(limit(a)) {
        Presence::Busy
    } else {
        Presence::Available
    }
}

fn agent(server: &PingstreamsServer, floor: &Centre, source: &Id, a: &Account) -> Agent {
    let seat = a.seat.and_then(|s| floor.seat(s));
    let below_zero = server.dialect.negative_loads && a.open == 0 && !a.available;
    let open = (!below_zero).then(|| a.open.max(0) as u32);
    let mut queues: Vec<Id> =
        seat.map(|s| s.queues.iter().map(|q| server.queue_id(floor, *q)).collect()).unwrap_or_default();
    queues.sort();
    Agent {
        source: source.clone(),
        id: Id::new(&a.user),
        name: format!("{} {}", a.first, a.last),
        email: Some(a.email.clone()),
        presence: presence(a),
        presence_label: a.inactive.then(|| "inactive".to_owned()),
        presence_since: Some(seat.map_or(a.created_at, |s| s.stance_since)),
        presence_since_kind: Some(SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open,
        capacity: Some(limit(a)),
        free_capacity: open.map(|open| limit(a).saturating_sub(open)),
        queues: Some(queues),
        windows: Vec::new(),
    }
}

fn conversation(server: &PingstreamsServer, floor: &Centre, source: &Id, c: &Contact) -> Conversation {
    let at = |at: Timestamp| server.wire.shifted(at);
    let waits = c.state == ConversationState::Waiting;
    Conversation {
        source: source.clone(),
        id: server.conversation_id(floor, c.no),
        queue: Some(server.queue_id(floor, c.queue)),
        agents: Some(c.seats.iter().map(|s| server.agent_id(floor, *s)).collect()),
        state: c.state,
        channel: Some(Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(c.customer.clone()),
        subject: Some(c.subject.clone()),
        created_at: Some(at(c.created_at)),
        waiting_since: Some(at(c.entered_at)),
        answered_at: c.answered_at.filter(|_| !waits).map(at),
        ended_at: None,
        expected_at: None,
        last_customer_message_at: Some(at(c.customer_wrote_at)),
        last_agent_message_at: c.agent_wrote_at.map(at),
        outcome: None,
        tags: Some(c.tags.clone()),
        priority: Some(c.priority.to_owned()),
    }
}
