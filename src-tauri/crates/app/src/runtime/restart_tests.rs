//! What an alert has collected goes on after a restart: through the real loop and a real `desk.db`, with a
//! clock that only the test moves.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{Input, World, alerts::TrayModel};
use link::Clock;
use model::{Batch, Change, Health, HealthReport, Queue, QueueKind, Timestamp};
use store::{Actor, Desk};
use tokio::sync::{mpsc, watch};

use super::{
    desk::{DeskBook, Stood},
    floor::{Floor, Shown},
    hub, record, sources, tell, webhooks,
};
use crate::settings;

const CONFIG: &str = r#"default_alerts = false
[[source]]
id = "shop"
vendor = "comm100"
url = "http://127.0.0.1:9/v4"
site_id = 1
email = "sup@example.com"
secret_env = "PATH"
[[alert]]
name = "p"
when = "queue.waiting > 3"
for = "20s"
scope = { queue = ["shop:pend"] }
[[alert]]
name = "r"
when = "queue.waiting > 3"
keep = "20s"
scope = { queue = ["shop:rec"] }
"#;

#[derive(Clone, Default)]
struct Moved(Arc<AtomicI64>);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.0.load(Ordering::SeqCst))
    }
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_ms(1_769_850_000_000 + (seconds * 1000.0) as i64)
}

struct Run {
    floor: Floor,
    clock: Moved,
}

impl Run {
    /// The floor of a program that starts, not yet connected.
    fn start(folder: &Path, seconds: f64, seen_until: Option<f64>) -> Self {
        let file = folder.join("floorwalker.toml");
        std::fs::write(&file, CONFIG).unwrap();
        let mut settings = settings::load(&file).unwrap();
        assert_eq!(settings.rule_errors, [""; 0]);
        let clock = Moved::default();
        clock.0.store(at(seconds).as_ms(), Ordering::SeqCst);
        let configured = std::mem::take(&mut settings.sources);
        let configured = configured.iter().map(|s| super::source_of(s, clock.now())).collect();
        let sentences = record::Sentences::default();
        let (batches_in, batches) = mpsc::channel(16);
        let (commands_in, commands) = mpsc::channel(16);
        let (book, stood) = DeskBook::open(folder, seen_until.map(at), &sentences);
        assert_eq!(sentences.lock().unwrap()[..], [""; 0], "the log is kept");
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut floor = Floor {
            world: World::new(),
            clock: shared.clone(),
            batches,
            commands,
            sources: sources::Sources::new(batches_in, shared, Arc::new(crate::keychain::Keychain), None),
            hub: hub::Hub::default(),
            shown: Shown {
                sources: watch::channel(Arc::from(Vec::new())).0,
                tray: watch::channel(TrayModel::default()).0,
            },
            recorder: None,
            teller: tell::Teller::new(book, None, commands_in.downgrade()),
            hooks: webhooks::Hooks::new(None, sentences),
            person: Actor::Person("somebody".to_owned()),
            status: None,
            waiting: None,
            lines: Vec::new(),
            pending_lines: Default::default(),
            wake_at: None,
        };
        let Stood { alerts, timers } = stood;
        floor.world.expect_restore();
        floor.apply(Input::Configure { sources: configured, rules: settings.rules.clone() });
        floor.apply(Input::Restore { entities: Vec::new(), sources: Vec::new(), alerts, timers });
        Self { floor, clock }
    }
    fn to(&mut self, seconds: f64) {
        self.clock.0.store(at(seconds).as_ms(), Ordering::SeqCst);
        self.floor.apply(Input::Wake);
    }
    fn batch(&mut self, seconds: f64, changes: Vec<Change>) {
        self.clock.0.store(at(seconds).as_ms(), Ordering::SeqCst);
        self.floor.apply(Input::Batch(Batch { source: "shop".into(), at: at(seconds), changes }));
    }
    fn live(&mut self, seconds: f64, pend: u32, rec: u32) {
        let live = Change::Health(HealthReport::of(Health::Live));
        let rows = [Change::Reset, queue("pend", pend), queue("rec", rec), Change::Complete, live];
        self.batch(seconds, rows.into());
    }
    /// `p pending`, sorted.
    fn states(&self) -> Vec<String> {
        let mut states: Vec<_> = self
            .floor
            .world
            .alerts()
            .iter()
            .map(|a| format!("{} {:?}", a.rule, a.state).to_lowercase())
            .collect();
        states.sort();
        states
    }
    /// Ends it as a person does, or only lets everything reach the disk.
    async fn end(mut self, folder: &Path, politely: bool) {
        match politely {
            true => self.floor.leave().await,
            false => self.floor.teller.finish().await,
        }
        drop(self);
        let patience = Instant::now() + Duration::from_secs(60);
        while let Err(error) = Desk::open(&folder.join("desk.db")) {
            assert!(Instant::now() < patience, "the run does not let go of the log: {error}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn queue(id: &str, waiting: u32) -> Change {
    Change::Queue(Queue {
        source: "shop".into(),
        id: id.into(),
        name: id.to_owned(),
        kind: QueueKind::Department,
        waiting: Some(waiting),
        waiting_since: None,
        average_wait_s: None,
        open: None,
        capacity: None,
        free_capacity: None,
        agents_online: None,
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    })
}

#[tokio::test]
async fn an_end_and_a_crash_cost_an_alert_no_time_and_give_it_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut first = Run::start(folder, 0.0, None);
    first.live(0.0, 5, 9);
    first.batch(4.0, vec![queue("rec", 0)]);
    first.to(14.0);
    assert_eq!(first.states(), ["p pending", "r recovering"]);
    first.end(folder, true).await;

    // 14 seconds of `for` and 10 of `keep` are there already.
    let mut second = Run::start(folder, 100.0, None);
    second.to(109.0);
    second.live(110.0, 5, 0);
    second.to(113.0);
    assert_eq!(second.states(), ["p pending", "r recovering"]);
    second.end(folder, false).await;

    // It was seen alive 0.4 seconds before it crashed.
    let mut third = Run::start(folder, 200.0, Some(112.6));
    third.live(210.0, 5, 0);
    third.to(213.3);
    assert_eq!(third.states(), ["p pending", "r recovering"]);
    third.to(213.5);
    assert_eq!(third.states(), ["p firing", "r recovering"]);
    third.to(217.3);
    assert_eq!(third.states(), ["p firing", "r recovering"]);
    third.to(217.5);
    assert_eq!(third.states(), ["p firing"]);
    third.end(folder, false).await;
}

#[tokio::test]
async fn a_relapse_that_no_line_tells_of_is_known_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut first = Run::start(folder, 0.0, None);
    first.live(0.0, 0, 9);
    first.batch(1.0, vec![queue("rec", 0)]);
    first.batch(2.0, vec![queue("rec", 9)]);
    first.to(30.0);
    first.end(folder, false).await;
    let mut second = Run::start(folder, 100.0, Some(30.0));
    assert_eq!(second.states(), ["r firing"]);
    second.live(101.0, 0, 0);
    second.to(120.9);
    assert_eq!(second.states(), ["r recovering"], "`keep` begins now");
    second.to(121.1);
    assert_eq!(second.states(), [""; 0]);
    second.end(folder, false).await;
}
