//! A small floor to test with.

use std::sync::Arc;

use engine::{
    Delta, Effects, Input, World,
    alerts::{Rulebook, Targets},
};
use model::{
    Agent, Batch, Change, Conversation, ConversationState, Health, HealthReport, Id, Key, Kind, Origin,
    Presence, Queue, QueueKind, Source, Timestamp, Totals, Vendor,
};

pub const T0: i64 = 1_769_851_800_000; // 2026-01-31T09:30:00Z

pub fn at(seconds: f64) -> Timestamp {
    Timestamp::from_ms(T0 + (seconds * 1000.0) as i64)
}

pub fn source(id: &str) -> Source {
    let provides = [
        "queue.waiting",
        "queue.waiting_since",
        "queue.open",
        "queue.abandoned@30m",
        "agent.presence",
        "agent.open",
        "agent.capacity",
        "agent.free_capacity",
        "conversation.waiting_since",
    ];
    Source {
        id: id.into(),
        vendor: Vendor::Comm100,
        name: format!("The {id}"),
        health: Health::Connecting,
        health_since: at(0.0),
        last_data_at: None,
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides: provides.iter().map(|name| ((*name).to_owned(), Origin::Reported)).collect(),
    }
}

pub fn queue(id: &str, waiting: Option<u32>, since: Option<Timestamp>) -> Queue {
    Queue {
        source: "shop".into(),
        id: id.into(),
        name: format!("Queue {id}"),
        kind: QueueKind::Department,
        waiting,
        waiting_since: since,
        average_wait_s: None,
        open: Some(1),
        capacity: None,
        free_capacity: None,
        agents_online: None,
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    }
}

pub fn agent(id: &str, presence: Presence) -> Agent {
    Agent {
        source: "shop".into(),
        id: id.into(),
        name: format!("Agent {id}"),
        email: None,
        presence,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open: Some(1),
        capacity: Some(3),
        free_capacity: Some(2),
        queues: Some(vec!["q1".into()]),
        windows: Vec::new(),
    }
}

pub fn conversation(id: &str, state: ConversationState, since: Option<Timestamp>) -> Conversation {
    Conversation {
        source: "shop".into(),
        id: id.into(),
        queue: Some("q1".into()),
        agents: Some(Vec::new()),
        state,
        channel: None,
        started_via: None,
        started_via_label: None,
        customer: None,
        subject: None,
        created_at: since,
        waiting_since: since,
        answered_at: None,
        ended_at: None,
        expected_at: None,
        last_customer_message_at: None,
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: None,
    }
}

pub fn totals() -> Totals {
    Totals { source: "shop".into(), windows: Vec::new() }
}

pub fn live() -> Change {
    Change::Health(HealthReport { last_data_at: Some(at(0.0)), ..HealthReport::of(Health::Live) })
}

pub fn health(health: Health) -> Change {
    Change::Health(HealthReport::of(health))
}

pub fn skewed(skew: f64) -> Change {
    Change::Health(HealthReport { clock_skew_s: Some(skew), ..HealthReport::of(Health::Live) })
}

/// A world with one source, not yet connected.
pub fn configured() -> World {
    let mut world = World::new();
    configure(&mut world, vec![source("shop")]);
    world
}

pub fn configure(world: &mut World, sources: Vec<Source>) -> Effects {
    world.apply(Input::Configure { sources, rules: Arc::new(Rulebook::default()) }, at(0.0))
}

/// The same with the default rules in force.
pub fn watched() -> World {
    let mut world = World::new();
    let (rules, errors) = Rulebook::compile(&[], &[], &[], Targets::default(), true);
    assert!(errors.is_empty());
    world.apply(Input::Configure { sources: vec![source("shop")], rules: Arc::new(rules) }, at(0.0));
    world
}

/// A world whose source is live and holds what was given.
pub fn live_with(changes: Vec<Change>) -> World {
    let mut world = configured();
    let mut all = vec![Change::Reset];
    all.extend(changes);
    all.extend([Change::Complete, live()]);
    send(&mut world, 0.0, all);
    world
}

pub fn send(world: &mut World, seconds: f64, changes: Vec<Change>) -> Effects {
    let now = at(seconds);
    world.apply(Input::Batch(Batch { source: "shop".into(), at: now, changes }), now)
}

pub fn key(id: &str) -> Key {
    Key::new("shop", id)
}

pub fn queue_of(world: &World, id: &str) -> Option<Queue> {
    match world.entity(Kind::Queue, &key(id))? {
        engine::Entity::Queue(queue) => Some(queue.as_ref().clone()),
        _ => None,
    }
}

pub fn agent_of(world: &World, id: &str) -> Agent {
    match world.entity(Kind::Agent, &key(id)) {
        Some(engine::Entity::Agent(agent)) => agent.as_ref().clone(),
        other => panic!("no agent {id}: {other:?}"),
    }
}

/// `+queue q1`, `-agent a1`, in order.
pub fn said(effects: &Effects) -> Vec<String> {
    let name = |kind: Kind, id: &Id| format!("{kind:?} {id}").to_lowercase();
    effects
        .deltas
        .iter()
        .map(|delta| match delta {
            Delta::Upsert(entity) => format!("+{}", name(entity.kind(), &entity.key().id)),
            Delta::Remove(kind, key) => format!("-{}", name(*kind, &key.id)),
        })
        .collect()
}
