//! h1: all rules on everything at once. h2: only what changed.

use std::{hint::black_box, sync::Arc, time::Duration};

use engine::{
    World,
    alerts::{Alerts, RuleSpec, Rulebook, ScopeSpec, Targets, Touched},
};
use model::{Change, Key, SubjectKind, Timestamp};

use crate::{
    floor::{batch, now, queue, world_of},
    measure::{Row, cpu, median, percentile},
};

/// As many rules as the peer was measured with, each about one queue.
const RULES: usize = 10_000;
/// Twenty rules look at each.
const QUEUES: usize = 500;
/// Every tenth of a second of the clock that the rules see.
const SWEEPS: usize = 300;

/// A round of Prometheus 2.42 over 10,000 alert rules on 10,000 series, measured on a machine of the class
/// this is measured on: 1.34 s.
const PEER_ROUND_MS: f64 = 1340.0;

/// Thresholds, ratios and growing waits; at once and after a time; clear values of our own and written ones.
fn specs() -> Vec<RuleSpec> {
    (0..RULES)
        .map(|n| {
            let step = n / QUEUES;
            let (when, hold, clear) = match step % 5 {
                0 => (format!("queue.waiting > {}", 2 + step), None, None),
                1 => (format!("queue.waiting_per_agent > {}", 1 + step), Some("30s"), None),
                2 => ("queue.slot_utilisation > 90%".to_owned(), Some("60s"), Some("80%")),
                3 => (format!("queue.longest_wait > {}s", 30 * step), Some("10s"), None),
                _ => ("queue.agents_available < 1 and queue.waiting > 0".to_owned(), Some("15s"), None),
            };
            RuleSpec {
                name: format!("Rule {n}"),
                when,
                hold: hold.map(str::to_owned),
                clear: clear.map(str::to_owned),
                scope: ScopeSpec {
                    queue: Some(vec![format!("desk:5f{:022x}", n % QUEUES)]),
                    ..ScopeSpec::default()
                },
                ..RuleSpec::default()
            }
        })
        .collect()
}

/// A queue with so many people, the first of whom came some time ago; some are short of agents and slots.
fn busy(n: usize, waiting: u32) -> model::Queue {
    let since = now().minus(Duration::from_secs((n % 400) as u64));
    let mut row = queue(n, waiting, since);
    row.agents_online = Some((n % 4) as u32);
    row.agents_available = Some((n % 3) as u32);
    row.open = Some((n % 9) as u32);
    row
}

struct Rules {
    world: World,
    alerts: Alerts,
    now: Timestamp,
}

impl Rules {
    fn new() -> Self {
        let mut world = world_of(0, Arc::default());
        let rows = (0..QUEUES).map(|n| Change::Queue(busy(n, (n % 6) as u32))).collect();
        world.apply(batch(rows, now()), now());
        let (book, errors) = Rulebook::compile(&specs(), &[], &[], Targets::default(), false);
        assert!(errors.is_empty(), "{}", errors[0]);
        let mut alerts = Alerts::default();
        alerts.set_rules(Arc::new(book));
        let mut this = Self { world, alerts, now: now() };
        // Nobody measures how rules are laid over what they look at.
        this.sweep();
        this
    }

    fn sweep(&mut self) {
        self.now = self.now.plus(Duration::from_millis(100));
        black_box(self.alerts.evaluate(&self.world, &[Touched::All], self.now).len());
    }

    /// One queue's row changes; the time that the rules took and how many were tested.
    fn one(&mut self, row: model::Queue) -> (Duration, u64) {
        let key = Key { source: row.source.clone(), id: row.id.clone() };
        self.now = self.now.plus(Duration::from_millis(1));
        self.world.apply(batch(vec![Change::Queue(row)], self.now), self.now);
        // Deadlines are served apart, so that only what follows from the change is counted.
        while self.alerts.next_deadline().is_some_and(|at| at <= self.now) {
            self.alerts.evaluate(&self.world, &[], self.now);
        }
        let touched = [Touched::One(SubjectKind::Queue, key)];
        let before = self.alerts.tests();
        let took = cpu(|| drop(black_box(self.alerts.evaluate(&self.world, &touched, self.now))));
        (took, self.alerts.tests() - before)
    }
}

pub fn h1() -> Row {
    let mut rules = Rules::new();
    let mut took: Vec<f64> = (0..SWEEPS)
        .map(|n| {
            // Figures move between the rounds, as they do for the peer.
            let rows =
                (0..QUEUES / 10).map(|q| Change::Queue(busy((q * 10 + n) % QUEUES, ((q + n) % 6) as u32)));
            rules.world.apply(batch(rows.collect(), rules.now), rules.now);
            let before = rules.alerts.tests();
            let took = cpu(|| rules.sweep()).as_secs_f64() * 1e3;
            assert!(rules.alerts.tests() - before >= RULES as u64, "a full sweep tests every rule");
            took
        })
        .collect();
    let open = rules.alerts.alerts().len();
    let p99 = percentile(&mut took, 0.99);
    eprintln!("h1: {open} of {RULES} rules stand; median {:.2} ms", median(&mut took));
    Row {
        row: "h1",
        what: "10,000 rules, full sweep (p99): Prometheus' round ÷ ours".into(),
        ours: p99,
        peer: PEER_ROUND_MS,
        unit: "ms",
        ratio: PEER_ROUND_MS / p99,
        better: "higher",
        gate: 200.0,
        target: PEER_ROUND_MS,
    }
}

/// What one rule may cost that a change concerns, microseconds.
const ALLOWED_US: f64 = 2.0;

pub fn h2() -> Row {
    let mut rules = Rules::new();
    let mut per_rule = Vec::new();
    let mut concerned = 0;
    for step in 0..5_000usize {
        let n = step.wrapping_mul(7919) % QUEUES;
        let (took, tests) = rules.one(busy(n, ((n + step) % 6) as u32));
        if tests > 0 {
            per_rule.push(took.as_secs_f64() * 1e6 / tests as f64);
            concerned += tests;
        }
        // No rule reads the mean wait: then none is tested.
        let mut other = busy(n, ((n + step) % 6) as u32);
        other.average_wait_s = Some(step as f64);
        let (_, tests) = rules.one(other);
        assert_eq!(tests, 0, "rules that a change does not concern cost nothing");
    }
    let asked = concerned as f64 / per_rule.len() as f64;
    let ours = median(&mut per_rule);
    eprintln!("h2: a change concerned {asked:.1} of {RULES} rules; 0 tests when none reads what changed");
    Row {
        row: "h2",
        what: "a changed figure, per rule that reads it, against 2 µs".into(),
        ours,
        peer: ALLOWED_US,
        unit: "µs",
        ratio: ours / ALLOWED_US,
        better: "lower",
        gate: 1.0,
        target: 0.25,
    }
}
