//! A floor of plain figures and a clock that only tests move.

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    DeskCommand,
    alerts::{
        Alerts, Facts, GroupSpec, HoursSpec, MetricName, Reading, RuleSpec, Rulebook, Targets, Timers,
        Touched, floor_key, source_key,
    },
};
use model::{Alert, Health, Id, Key, SubjectKind, Timestamp, Transition};

pub const START: i64 = 1_769_850_000_000; // 2026-01-31T09:00:00Z, a Saturday

/// Seconds after the start.
pub fn at(seconds: f64) -> Timestamp {
    Timestamp::from_ms(START + (seconds * 1000.0).round() as i64)
}

#[derive(Default)]
pub struct Figures {
    rows: BTreeMap<(u8, Key), Row>,
    health: BTreeMap<Id, Health>,
}

struct Row {
    kind: SubjectKind,
    name: String,
    queues: Vec<Id>,
    figures: BTreeMap<String, Reading>,
}

impl Facts for Figures {
    fn targets(&self, kind: SubjectKind) -> Vec<Key> {
        match kind {
            SubjectKind::Source | SubjectKind::Total => self.health.keys().map(source_key).collect(),
            SubjectKind::Floor => vec![floor_key()],
            _ => self.rows.iter().filter(|(_, r)| r.kind == kind).map(|((_, key), _)| key.clone()).collect(),
        }
    }
    fn name(&self, kind: SubjectKind, key: &Key) -> Option<String> {
        match kind {
            SubjectKind::Source | SubjectKind::Total => {
                self.health.contains_key(&key.source).then(|| format!("Source {}", key.source))
            }
            SubjectKind::Floor => Some("The floor".into()),
            _ => self.rows.get(&(kind as u8, key.clone())).map(|r| r.name.clone()),
        }
    }
    fn queues_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id> {
        match kind {
            SubjectKind::Queue => vec![key.id.clone()],
            _ => self.rows.get(&(kind as u8, key.clone())).map(|r| r.queues.clone()).unwrap_or_default(),
        }
    }
    fn agents_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id> {
        if kind == SubjectKind::Agent { vec![key.id.clone()] } else { Vec::new() }
    }
    fn health(&self, source: &Id) -> Option<Health> {
        self.health.get(source).copied()
    }
    fn read(&self, kind: SubjectKind, key: &Key, metric: MetricName, _now: Timestamp) -> Reading {
        let name = match metric.window {
            Some(window) => format!("{}@{}", metric.name, window.as_str()),
            None => metric.name.to_string(),
        };
        if kind != SubjectKind::Source && self.health.get(&key.source).is_some_and(|h| *h != Health::Live) {
            return Reading::Unknown;
        }
        let row = self.rows.get(&(kind as u8, key.clone()));
        row.and_then(|r| r.figures.get(&name).cloned()).unwrap_or(Reading::NotGiven)
    }
}

/// Rules at work on a floor.
pub struct Play {
    pub alerts: Alerts,
    pub figures: Figures,
    pub now: Timestamp,
    /// Everything that happened: `12.0 firing`.
    pub lines: Vec<(f64, Transition, Alert)>,
    /// Timers as somebody who writes down what moves knows them.
    pub timers: BTreeMap<Id, Timers>,
    told: usize,
    /// Tests everything in full, every time.
    pub mistrusts: bool,
}

/// A rule of a name and a condition.
pub fn rule(when: &str) -> RuleSpec {
    RuleSpec { name: "Test".into(), when: when.into(), ..RuleSpec::default() }
}
pub fn text(t: &str) -> Option<String> {
    Some(t.to_string())
}

/// Only these rules; they must be right.
pub fn book(rules: &[RuleSpec]) -> Arc<Rulebook> {
    book_with(rules, &[], &[])
}
pub fn book_with(rules: &[RuleSpec], groups: &[GroupSpec], hours: &[HoursSpec]) -> Arc<Rulebook> {
    let (book, errors) = Rulebook::compile(rules, groups, hours, Targets::default(), false);
    assert_eq!(errors, vec![], "the rules are right");
    Arc::new(book)
}

impl Play {
    /// One live source `shop` with the queue `q1`, Billing.
    pub fn new(book: Arc<Rulebook>) -> Self {
        let mut play = Self {
            alerts: Alerts::default(),
            figures: Figures::default(),
            now: at(0.0),
            lines: Vec::new(),
            timers: BTreeMap::new(),
            told: 0,
            mistrusts: false,
        };
        play.alerts.set_rules(book);
        play.figures.health.insert(Id::from("shop"), Health::Live);
        play.row(SubjectKind::Queue, "q1", "Billing", &[]);
        play
    }

    pub fn row(&mut self, kind: SubjectKind, id: &str, name: &str, queues: &[&str]) {
        let queues = queues.iter().map(|q| Id::from(*q)).collect();
        let row = Row { kind, name: name.into(), queues, figures: BTreeMap::new() };
        self.figures.rows.insert((kind as u8, Key::new("shop", id)), row);
    }
    pub fn remove(&mut self, kind: SubjectKind, id: &str) {
        let key = Key::new("shop", id);
        self.figures.rows.remove(&(kind as u8, key.clone()));
        self.evaluate(&[Touched::One(kind, key)]);
    }

    /// Sets a figure at a moment and evaluates.
    pub fn set_on(&mut self, kind: SubjectKind, id: &str, seconds: f64, metric: &str, reading: Reading) {
        self.run_to(seconds);
        let key = Key::new("shop", id);
        if let Some(row) = self.figures.rows.get_mut(&(kind as u8, key.clone())) {
            row.figures.insert(metric.into(), reading);
        }
        self.evaluate(&[Touched::One(kind, key)]);
    }
    /// Of queue q1.
    pub fn set(&mut self, seconds: f64, metric: &str, reading: Reading) {
        self.set_on(SubjectKind::Queue, "q1", seconds, metric, reading);
    }
    /// How many wait in q1.
    pub fn waiting(&mut self, seconds: f64, n: u32) {
        self.set(seconds, "waiting", Reading::number(f64::from(n)));
    }
    /// How many wait in q1, told at the very moment at which deadlines may fall due: what is told counts.
    pub fn sample(&mut self, seconds: f64, n: u32) {
        self.run_to((seconds - 0.001).max(0.0));
        self.now = at(seconds);
        let (kind, key) = (SubjectKind::Queue, Key::new("shop", "q1"));
        if let Some(row) = self.figures.rows.get_mut(&(kind as u8, key.clone())) {
            row.figures.insert("waiting".into(), Reading::number(f64::from(n)));
        }
        self.evaluate(&[Touched::One(kind, key)]);
    }
    pub fn unknown(&mut self, seconds: f64) {
        self.set(seconds, "waiting", Reading::Unknown);
    }
    pub fn health(&mut self, seconds: f64, health: Health) {
        self.run_to(seconds);
        self.figures.health.insert(Id::from("shop"), health);
        let lost = match health {
            Health::Live => Reading::number(0.0),
            _ => Reading::CountingUp { since: at(seconds) },
        };
        let key = source_key(&Id::from("shop"));
        let kind = SubjectKind::Source;
        let row = Row {
            kind,
            name: "Source shop".into(),
            queues: Vec::new(),
            figures: BTreeMap::from([("lost_for".to_string(), lost)]),
        };
        self.figures.rows.insert((kind as u8, key), row);
        self.evaluate(&[Touched::Source(Id::from("shop"))]);
    }

    pub fn evaluate(&mut self, touched: &[Touched]) {
        if self.mistrusts {
            self.alerts.mistrust();
        }
        let found = self.alerts.evaluate(&self.figures, touched, self.now);
        self.timers.extend(self.alerts.take_moved_timers());
        self.keep(found);
    }
    fn keep(&mut self, found: Vec<(Transition, Alert)>) {
        let seconds = self.now.seconds_since(at(0.0));
        self.lines.extend(found.into_iter().map(|(t, a)| (seconds, t, a)));
    }

    /// Lets time pass as the runtime does: from deadline to deadline.
    pub fn run_to(&mut self, seconds: f64) {
        let end = at(seconds);
        assert!(end >= self.now, "time runs forward");
        while let Some(due) = self.alerts.next_deadline().filter(|due| *due <= end) {
            assert!(due >= self.now, "a deadline lies behind: {due:?} at {:?}", self.now);
            self.now = due;
            self.evaluate(&[]);
        }
        self.now = end;
    }
    /// The machine sleeps: nobody looks until then.
    pub fn sleep_to(&mut self, seconds: f64) {
        self.now = at(seconds);
    }

    pub fn command(&mut self, seconds: f64, command: DeskCommand) {
        self.run_to(seconds);
        let found = self.alerts.command(command, self.now);
        self.keep(found);
    }
    pub fn acknowledge(&mut self, seconds: f64) {
        let alert = self.only().id;
        self.command(seconds, DeskCommand::Acknowledge { alert, until: None });
    }

    /// The only alert that stands.
    pub fn only(&self) -> Alert {
        let mut alerts = self.alerts.alerts();
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        alerts.remove(0)
    }

    /// What happened since the last look, as `12 firing`.
    pub fn told(&mut self) -> Vec<String> {
        let new = self.lines[self.told..].iter().map(|(s, t, _)| format!("{s} {}", word(*t))).collect();
        self.told = self.lines.len();
        new
    }
}

pub fn word(transition: Transition) -> String {
    format!("{transition:?}").to_lowercase()
}
