//! An invented floor of a wanted size, and updates for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use engine::{Input, World, alerts::Rulebook};
use model::{
    Agent, Batch, Change, Conversation, ConversationState, Health, HealthReport, Id, Origin, Presence, Queue,
    QueueKind, Source, Timestamp, Vendor,
};

pub const NOW: i64 = 1_769_852_000_000;
pub const QUEUES: usize = 50;

pub fn now() -> Timestamp {
    Timestamp::from_ms(NOW)
}

fn source() -> Source {
    let provides: BTreeMap<String, Origin> = [
        "queue.waiting",
        "queue.waiting_since",
        "queue.agents_online",
        "agent.open",
        "conversation.waiting_since",
    ]
    .map(|name| (name.to_owned(), Origin::Derived))
    .into();
    Source {
        id: Id::from("desk"),
        vendor: Vendor::Pingstreams,
        name: "Desk".into(),
        health: Health::Connecting,
        health_since: now(),
        last_data_at: None,
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides,
    }
}

pub fn queue(n: usize, waiting: u32, since: Timestamp) -> Queue {
    Queue {
        source: Id::from("desk"),
        id: Id::from(format!("5f{n:022x}")),
        name: format!("Department {n}"),
        kind: QueueKind::Department,
        waiting: Some(waiting),
        waiting_since: (waiting > 0).then_some(since),
        average_wait_s: (waiting > 0).then_some(12.5),
        open: Some(3),
        capacity: Some(8),
        free_capacity: Some(5),
        agents_online: Some(4),
        agents_available: Some(2),
        expected_at: None,
        windows: Vec::new(),
    }
}

pub fn conversation(n: usize, step: usize) -> Conversation {
    let waiting = (n + step).is_multiple_of(5);
    let at = now().minus(Duration::from_secs((n % 90) as u64));
    Conversation {
        source: Id::from("desk"),
        id: Id::from(format!("support-group-6b02507982e6e6072633193a-{n:012x}")),
        queue: Some(Id::from(format!("5f{:022x}", n % QUEUES))),
        agents: Some(if waiting { Vec::new() } else { vec![Id::from(format!("6a{:022x}", n % 500))] }),
        state: if waiting { ConversationState::Waiting } else { ConversationState::Active },
        channel: Some(model::Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(format!("Guest {n}")),
        subject: Some(format!("Question {}", n + step)),
        created_at: Some(at),
        waiting_since: Some(at),
        answered_at: (!waiting).then(|| at.plus(Duration::from_secs(9))),
        ended_at: None,
        expected_at: None,
        last_customer_message_at: Some(now().plus(Duration::from_millis(step as u64))),
        last_agent_message_at: None,
        outcome: None,
        tags: Some(Vec::new()),
        priority: Some("medium".into()),
    }
}

fn agent(n: usize) -> Agent {
    Agent {
        source: Id::from("desk"),
        id: Id::from(format!("6a{n:022x}")),
        name: format!("Agent {n}"),
        email: None,
        presence: Presence::Available,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open: Some(1),
        capacity: Some(4),
        free_capacity: Some(3),
        queues: Some(vec![Id::from(format!("5f{:022x}", n % QUEUES))]),
        windows: Vec::new(),
    }
}

pub fn batch(changes: Vec<Change>, at: Timestamp) -> Input {
    Input::Batch(Batch { source: Id::from("desk"), at, changes })
}

/// A live floor with the default rules on.
pub fn world(conversations: usize) -> World {
    let (rules, _) = Rulebook::compile(&[], &[], &[], engine::alerts::Targets::default(), true);
    world_of(conversations, Arc::new(rules))
}

/// A live floor with these rules.
pub fn world_of(conversations: usize, rules: Arc<Rulebook>) -> World {
    let mut world = World::new();
    world.apply(Input::Configure { sources: vec![source()], rules }, now());
    let mut changes = vec![Change::Reset];
    changes.extend((0..QUEUES).map(|n| Change::Queue(queue(n, 0, now()))));
    changes.extend((0..500).map(|n| Change::Agent(agent(n))));
    changes.extend((0..conversations).map(|n| Change::Conversation(conversation(n, 0))));
    changes.push(Change::Complete);
    changes
        .push(Change::Health(HealthReport { last_data_at: Some(now()), ..HealthReport::of(Health::Live) }));
    world.apply(batch(changes, now()), now());
    world
}
