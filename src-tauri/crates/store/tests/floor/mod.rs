//! Rows for the tests.
#![allow(dead_code)]

use std::{collections::BTreeMap, sync::Arc};

use model::{
    Agent, AgentFlag, Channel, Conversation, ConversationState, Figure, Health, Id, Origin, Outcome,
    Presence, Queue, QueueKind, SinceKind, Source, StartedVia, Timestamp, Totals, Unit, Vendor, Window,
};
use store::Entity;

/// 2026-01-31T09:30:00Z.
pub const T0: i64 = 1_769_851_800_000;

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

pub fn queue(source: &str, id: &str, waiting: u32) -> Entity {
    Entity::Queue(Arc::new(Queue {
        source: source.into(),
        id: id.into(),
        name: format!("Queue {id}"),
        kind: QueueKind::Department,
        waiting: Some(waiting),
        waiting_since: (waiting > 0).then(|| at(T0 - 60_000)),
        average_wait_s: None,
        open: Some(2),
        capacity: None,
        free_capacity: None,
        agents_online: Some(3),
        agents_available: Some(1),
        expected_at: None,
        windows: Vec::new(),
    }))
}

pub fn conversation(source: &str, id: &str, minute: i64) -> Entity {
    Entity::Conversation(Arc::new(Conversation {
        source: source.into(),
        id: id.into(),
        queue: Some("q1".into()),
        agents: Some(Vec::new()),
        state: ConversationState::Waiting,
        channel: Some(Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(format!("Customer {id}")),
        subject: Some("Where is my order?".into()),
        created_at: Some(at(T0 + minute * 60_000)),
        waiting_since: Some(at(T0 + minute * 60_000)),
        answered_at: None,
        ended_at: None,
        expected_at: None,
        last_customer_message_at: None,
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: None,
    }))
}

pub fn source(n: u8, seed: u64) -> Source {
    let mut bits = Bits(seed);
    Source {
        id: Id::new(format!("src-{n}")),
        vendor: bits.of(&Vendor::ALL),
        name: format!("Source {n}"),
        health: bits.of(&[Health::Live, Health::Stale, Health::Retrying, Health::Connecting, Health::Denied]),
        health_since: at(T0 + bits.below(1000) as i64),
        last_data_at: bits.maybe(|b| at(T0 - b.below(1000) as i64)),
        last_error: bits.maybe(|_| "The server does not answer; is it reachable?".into()),
        retry_at: bits.maybe(|b| at(T0 + b.below(30_000) as i64)),
        clock_skew_s: bits.maybe(|b| b.below(100) as f64 / 7.0 - 3.0),
        gaps: if bits.below(2) == 0 { Vec::new() } else { vec!["agents".into(), "today".into()] },
        provides: BTreeMap::from([("queue.waiting".to_owned(), Origin::Reported)]),
    }
}

/// A small generator, so that one number decides a whole row.
struct Bits(u64);
impl Bits {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }
    fn text(&mut self) -> String {
        let words = ["", "a", "Zoë", "支払い", "<b>bold</b>", "\u{1F9FE} bill", "x\u{0}y"];
        self.of(&words).to_owned()
    }
    fn when(&mut self) -> Option<Timestamp> {
        self.maybe(|b| at([T0, 0, -5, i64::MAX, i64::MIN, T0 + 999_999][b.below(6) as usize]))
    }
    fn count(&mut self) -> Option<u32> {
        self.maybe(|b| [0, 1, 7, 300, u32::MAX][b.below(5) as usize])
    }
    fn number(&mut self) -> Option<f64> {
        self.maybe(|b| [0.0, -0.0, 1.5, 1e18, -2.0, f64::INFINITY, 0.1][b.below(7) as usize])
    }
    fn figures(&mut self) -> Vec<Figure> {
        let names = ["abandoned", "handled", "service_level", "average_wait"];
        (0..self.below(5) as usize % names.len())
            .map(|n| Figure {
                metric: names[n].into(),
                window: self.of(&[Window::M30, Window::Today, Window::Now, Window::M15, Window::M60]),
                value: self.number(),
                unit: self.of(&[Unit::Count, Unit::Seconds, Unit::Ratio, Unit::Score]),
                origin: self.of(&[Origin::Reported, Origin::Derived, Origin::Observed]),
                n: self.count(),
            })
            .collect()
    }
}

/// A row of any kind, every field from the seed.
pub fn wide(source: u8, n: u8, seed: u64) -> Entity {
    let bits = &mut Bits(seed);
    let (source, id) = (Id::new(format!("src-{source}")), Id::new(format!("id-{n}")));
    match n % 4 {
        0 => Entity::Queue(Arc::new(Queue {
            source,
            id,
            name: bits.text(),
            kind: bits.of(&[QueueKind::Team, QueueKind::Personal, QueueKind::Other, QueueKind::Site]),
            waiting: bits.count(),
            waiting_since: bits.when(),
            average_wait_s: bits.number(),
            open: bits.count(),
            capacity: bits.count(),
            free_capacity: bits.count(),
            agents_online: bits.count(),
            agents_available: bits.count(),
            expected_at: bits.when(),
            windows: bits.figures(),
        })),
        1 => Entity::Agent(Arc::new(Agent {
            source,
            id,
            name: bits.text(),
            email: bits.maybe(Bits::text),
            presence: bits.of(&[Presence::Available, Presence::Busy, Presence::Away, Presence::Unknown]),
            presence_label: bits.maybe(Bits::text),
            presence_since: bits.when(),
            presence_since_kind: bits
                .maybe(|b| b.of(&[SinceKind::Reported, SinceKind::AtLeast, SinceKind::Observed])),
            logged_in_at: bits.when(),
            flags: bits.maybe(|b| {
                if b.below(2) == 0 { vec![] } else { vec![AgentFlag::Idle, AgentFlag::NotAccepting] }
            }),
            open: bits.count(),
            capacity: bits.count(),
            free_capacity: bits.count(),
            queues: bits.maybe(|b| (0..b.below(3)).map(|q| Id::new(format!("q{q}"))).collect()),
            windows: bits.figures(),
        })),
        2 => Entity::Conversation(Arc::new(Conversation {
            source,
            id,
            queue: bits.maybe(|b| Id::new(format!("q{}", b.below(3)))),
            agents: bits.maybe(|b| (0..b.below(3)).map(|a| Id::new(format!("id-{a}"))).collect()),
            state: bits.of(&[
                ConversationState::Waiting,
                ConversationState::Active,
                ConversationState::Ended,
            ]),
            channel: bits.maybe(|b| b.of(&[Channel::Chat, Channel::Vpro, Channel::Other])),
            started_via: bits.maybe(|b| b.of(&[StartedVia::SessionKey, StartedVia::Other])),
            started_via_label: bits.maybe(Bits::text),
            customer: bits.maybe(Bits::text),
            subject: bits.maybe(Bits::text),
            created_at: bits.when(),
            waiting_since: bits.when(),
            answered_at: bits.when(),
            ended_at: bits.when(),
            expected_at: bits.when(),
            last_customer_message_at: bits.when(),
            last_agent_message_at: bits.when(),
            outcome: bits.maybe(|b| b.of(&[Outcome::Handled, Outcome::SwitchedToMessage, Outcome::Unknown])),
            tags: bits.maybe(|b| (0..b.below(3)).map(|_| b.text()).collect()),
            priority: bits.maybe(Bits::text),
        })),
        _ => Entity::Totals(Arc::new(Totals { source, windows: bits.figures() })),
    }
}
