//! A large floor's rows, with texts of the length that real ones have.

use model::{
    Agent, Channel, Conversation, ConversationState, Id, Presence, Queue, QueueKind, SinceKind, Timestamp,
};

fn before(now: Timestamp, seconds: usize) -> Option<Timestamp> {
    Some(Timestamp::from_ms(now.as_ms() - seconds as i64 * 1000))
}

pub fn queue(source: &Id, n: usize, now: Timestamp) -> Queue {
    Queue {
        source: source.clone(),
        id: Id::new(format!("dept:{n}")),
        name: format!("Queue {n}"),
        kind: QueueKind::Department,
        waiting: Some((n % 7) as u32),
        waiting_since: before(now, n / 5).filter(|_| !n.is_multiple_of(7)),
        average_wait_s: None,
        open: Some(100),
        capacity: Some(120),
        free_capacity: Some(20),
        agents_online: Some(10),
        agents_available: Some(5),
        expected_at: None,
        windows: Vec::new(),
    }
}

pub fn agent(source: &Id, n: usize, now: Timestamp) -> Agent {
    Agent {
        source: source.clone(),
        id: Id::new(format!("agent:{n}")),
        name: format!("Agent Number {n}"),
        email: Some(format!("agent{n}@example.com")),
        presence: if n.is_multiple_of(3) { Presence::Busy } else { Presence::Available },
        presence_label: Some("Online".into()),
        presence_since: before(now, n % 3600),
        presence_since_kind: Some(SinceKind::Observed),
        logged_in_at: before(now, 7200),
        flags: None,
        open: Some((n % 5) as u32),
        capacity: Some(6),
        free_capacity: Some(6 - (n % 5) as u32),
        queues: Some(vec![Id::new(format!("dept:{}", n % 500))]),
        windows: Vec::new(),
    }
}

pub fn conversation(source: &Id, n: usize, now: Timestamp) -> Conversation {
    let waits = n.is_multiple_of(40);
    Conversation {
        source: source.clone(),
        id: Id::new(format!("support-group-{:024x}", n as u128 * 0x9e37_79b9_7f4a_7c15)),
        queue: Some(Id::new(format!("dept:{}", n % 500))),
        agents: Some(if waits { Vec::new() } else { vec![Id::new(format!("agent:{}", n % 5000))] }),
        state: if waits { ConversationState::Waiting } else { ConversationState::Active },
        channel: Some(Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(format!("Customer number {n}")),
        subject: Some(format!("Order {} has not arrived", n * 7919 % 100_000)),
        created_at: before(now, n % 600),
        waiting_since: before(now, n % 600),
        answered_at: if waits { None } else { before(now, n % 300) },
        ended_at: None,
        expected_at: None,
        last_customer_message_at: before(now, n % 60),
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: None,
    }
}
