//! Rows d2 and b3 of the ladder, the core's part: what one update costs on a large floor against a small
//! one, and how many updates one core applies in a second with rules and a screen attached.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Instant};

use engine::{
    Input, World,
    alerts::{Rulebook, Targets},
    view::{View, ViewSpec},
};
use model::{
    Agent, Batch, Change, Channel, Conversation, ConversationState, Health, HealthReport, Id, Origin,
    Presence, Queue, QueueKind, Source, Timestamp, Vendor,
};

const T0: i64 = 1_769_851_800_000;
const PAIRS: usize = 15;
const UPDATES: usize = 2_000;
/// Updates between two frames of the screen: 50,000 updates a second at 60 frames.
const PER_FRAME: usize = 833;

fn main() {
    // Of the runner's words only row names are ours.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|w| !w.starts_with("--")).collect();
    let wants = |row: &str| wanted.is_empty() || wanted.iter().any(|w| w == row);
    if !wants("d2") && !wants("b3") {
        return;
    }
    let mut small = Floor::new(500);
    let mut large = Floor::new(50_000);
    let (mut ratios, mut per_small, mut per_large) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (a, b) = (small.run(), large.run());
        ratios.push(b / a);
        per_small.push(a);
        per_large.push(b);
    }
    let (ours, peer) = (median(per_large), median(per_small));
    println!(
        r#"{{"row":"d2","what":"one update at 50k rows / at 500, rules and views on","ours":{},"peer":{},"unit":"µs","ratio":{},"better":"lower","gate":3.0,"target":1.5}}"#,
        ours * 1e6,
        peer * 1e6,
        median(ratios)
    );
    println!(
        r#"{{"row":"b3","what":"core alone: updates a second at 50k rows","ours":{},"peer":200000,"unit":"/s","ratio":{},"better":"higher","gate":1.0,"target":2.5}}"#,
        1.0 / ours,
        1.0 / ours / 200_000.0
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Time of this thread on a processor where the system tells it, else of the wall clock: other work on
/// the same machine is not our cost.
struct Stopwatch(Option<u64>, Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(on_processor(), Instant::now())
    }
    fn seconds(&self) -> f64 {
        match (self.0, on_processor()) {
            (Some(began), Some(now)) => (now - began) as f64 / 1e9,
            _ => self.1.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds.
fn on_processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

struct Floor {
    world: World,
    views: Vec<View>,
    rows: usize,
    step: usize,
}

impl Floor {
    fn new(rows: usize) -> Self {
        let mut world = World::new();
        let provides =
            ["queue.waiting", "queue.waiting_since", "agent.presence", "agent.open", "agent.capacity"];
        let source = Source {
            id: "shop".into(),
            vendor: Vendor::Pingstreams,
            name: "Shop".into(),
            health: Health::Connecting,
            health_since: Timestamp::from_ms(T0),
            last_data_at: None,
            last_error: None,
            retry_at: None,
            clock_skew_s: None,
            gaps: Vec::new(),
            provides: provides.iter().map(|p| ((*p).to_owned(), Origin::Reported)).collect(),
        };
        let (rules, _) = Rulebook::compile(&[], &[], &[], Targets::default(), true);
        let now = Timestamp::from_ms(T0);
        world.apply(Input::Configure { sources: vec![source], rules: Arc::new(rules) }, now);
        let mut changes = vec![Change::Reset];
        changes.extend((0..rows / 100).map(|n| Change::Queue(queue(n, 0))));
        changes.extend((0..rows / 10).map(|n| Change::Agent(agent(n))));
        changes.extend((0..rows).map(|n| Change::Conversation(conversation(n, 0))));
        changes.extend([Change::Complete, Change::Health(HealthReport::of(Health::Live))]);
        world.apply(Input::Batch(Batch { source: "shop".into(), at: now, changes }), now);
        let specs = [ViewSpec::Status, ViewSpec::Queues, ViewSpec::Conversations { queue: None, limit: 200 }];
        let views = specs.into_iter().map(|spec| View::open(spec, &world, now).0).collect();
        Self { world, views, rows, step: 0 }
    }

    /// Seconds for one update.
    fn run(&mut self) -> f64 {
        let batches: Vec<Batch> = (0..UPDATES).map(|n| self.batch(n)).collect();
        let began = Stopwatch::start();
        for (n, batch) in batches.into_iter().enumerate() {
            let now = batch.at;
            std::hint::black_box(self.world.apply(Input::Batch(batch), now));
            if n % PER_FRAME == 0 {
                for view in &mut self.views {
                    std::hint::black_box(view.update(&self.world, now));
                }
            }
        }
        began.seconds() / UPDATES as f64
    }

    fn batch(&mut self, n: usize) -> Batch {
        self.step += 1;
        let at = Timestamp::from_ms(T0 + self.step as i64 / 50);
        let row = (self.step * 7919) % self.rows;
        let change = match n % 10 {
            0 => Change::Queue(queue(row % (self.rows / 100), self.step as u32)),
            _ => Change::Conversation(conversation(row, self.step)),
        };
        Batch { source: "shop".into(), at, changes: vec![change] }
    }
}

fn queue(n: usize, step: u32) -> Queue {
    Queue {
        source: "shop".into(),
        id: Id::new(format!("queue-{n}")),
        name: format!("Queue {n}"),
        kind: QueueKind::Department,
        waiting: Some(1 + step % 5),
        waiting_since: Some(Timestamp::from_ms(T0 - 1000 * (n as i64 % 40))),
        average_wait_s: None,
        open: Some(step % 7),
        capacity: None,
        free_capacity: None,
        agents_online: Some(3),
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    }
}

fn agent(n: usize) -> Agent {
    Agent {
        source: "shop".into(),
        id: Id::new(format!("agent-{n}")),
        name: format!("Agent {n}"),
        email: None,
        presence: Presence::Busy,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open: Some(4),
        capacity: Some(4),
        free_capacity: Some(0),
        queues: Some(vec![Id::new(format!("queue-{}", n / 10))]),
        windows: Vec::new(),
    }
}

fn conversation(n: usize, step: usize) -> Conversation {
    let began = Some(Timestamp::from_ms(T0 - n as i64 * 37));
    Conversation {
        source: "shop".into(),
        id: Id::new(format!("support-group-{:024x}", n as u128 * 0x9e37_79b9_7f4a_7c15)),
        queue: Some(Id::new(format!("queue-{}", n / 100))),
        agents: Some(vec![Id::new(format!("agent-{}", n / 10))]),
        state: ConversationState::Active,
        channel: Some(Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(format!("Customer {n}")),
        subject: Some("Where is my order?".into()),
        created_at: began,
        waiting_since: began,
        answered_at: began,
        ended_at: None,
        expected_at: None,
        last_customer_message_at: Some(Timestamp::from_ms(T0 + step as i64)),
        last_agent_message_at: Some(Timestamp::from_ms(T0 + step as i64 + 1)),
        outcome: None,
        tags: None,
        priority: None,
    }
}
