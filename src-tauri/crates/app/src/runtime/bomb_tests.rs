//! Ten thousand alerts within two seconds: through the real loop, the real rules and a real `desk.db`, to a
//! desktop that counts.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use engine::{
    Input, World,
    alerts::{Tone, TrayModel},
    view::{ViewMessage, ViewSpec},
};
use link::{Clock, SystemClock};
use model::{
    Alert, AlertState, Batch, Change, Health, HealthReport, Id, Queue, QueueKind, Timestamp, Transition,
};
use store::{Actor, Decision, Desk};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    desk::DeskBook,
    floor::{Command, Floor, Shown},
    hub, record, sources, tell, webhooks,
};
use crate::{
    past::Earlier,
    ports::{Notice, Notifier, NotifyError, SoundError, Speaker},
    settings,
};

const ALERTS: usize = 10_000;
const AT_ONCE: usize = 100;

/// Writes down when it is called.
#[derive(Default)]
struct Counting {
    shown: Mutex<Vec<(Instant, Notice)>>,
    heard: Mutex<Vec<Instant>>,
}

#[async_trait]
impl Notifier for Counting {
    async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        self.shown.lock().unwrap().push((Instant::now(), notice));
        Ok(())
    }
    async fn close(&self, _alert: &Id) {}
}

#[async_trait]
impl Speaker for Counting {
    async fn play(&self, _tone: Tone, _volume: u32) -> Result<(), SoundError> {
        self.heard.lock().unwrap().push(Instant::now());
        Ok(())
    }
}

impl Counting {
    /// How many alerts the notices spoke of.
    fn told(&self) -> usize {
        let said = |notice: &Notice| match notice.alert {
            Some(_) => 1,
            None => notice.title.split(' ').next().unwrap().parse().unwrap(),
        };
        self.shown.lock().unwrap().iter().map(|(_, notice)| said(notice)).sum()
    }
}

const CONFIG: &str = r#"default_alerts = false
[[source]]
id = "shop"
name = "Shop"
vendor = "comm100"
url = "http://127.0.0.1:9/v4"
site_id = 1
email = "sup@example.com"
secret_env = "PATH"
[[alert]]
name = "Many"
when = "queue.waiting > 4"
severity = "critical"
keep = "0s"
repeat = "12h"
"#;

/// The loop of the app with one source that nobody connects to: its batches are ours.
fn start(folder: &Path, desktop: &Arc<Counting>) -> (mpsc::Sender<Batch>, mpsc::Sender<Command>) {
    let file = folder.join("floorwalker.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let mut settings = settings::load(&file).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let configured = std::mem::take(&mut settings.sources);
    let configured = configured.iter().map(|s| super::source_of(s, clock.now())).collect();
    let sentences = record::Sentences::default();
    let (batches_in, batches) = mpsc::channel(16);
    let (commands_in, commands) = mpsc::channel(16);
    let (book, stood) = DeskBook::open(folder, None, &sentences);
    let told = tell::Desktop {
        notifier: desktop.clone(),
        speaker: desktop.clone(),
        clock: clock.clone(),
        sentences: sentences.clone(),
    };
    let mut floor = Floor {
        world: World::new(),
        clock: clock.clone(),
        batches,
        commands,
        sources: sources::Sources::new(batches_in.clone(), clock, Arc::new(crate::keychain::Keychain), None),
        hub: hub::Hub::default(),
        shown: Shown {
            sources: watch::channel(Arc::from(Vec::new())).0,
            tray: watch::channel(TrayModel::default()).0,
        },
        recorder: None,
        teller: tell::Teller::new(book, Some(told), commands_in.downgrade()),
        hooks: webhooks::Hooks::new(None, sentences),
        person: Actor::Person("somebody".to_owned()),
        status: None,
        waiting: None,
        lines: Vec::new(),
        pending_lines: Default::default(),
        wake_at: None,
    };
    floor.begin(&settings, None, stood, Earlier::default());
    floor.apply(Input::Configure { sources: configured, rules: settings.rules });
    tokio::spawn(floor.run());
    (batches_in, commands_in)
}

fn queue(n: usize, waiting: u32) -> Change {
    Change::Queue(Queue {
        source: "shop".into(),
        id: format!("q{n}").into(),
        name: format!("Queue {n}"),
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

async fn send(batches: &mpsc::Sender<Batch>, changes: Vec<Change>) {
    let batch = Batch { source: "shop".into(), at: SystemClock.now(), changes };
    assert!(batches.send(batch).await.is_ok());
}

async fn ask<T>(commands: &mpsc::Sender<Command>, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> T {
    let (reply, answer) = oneshot::channel();
    assert!(commands.send(make(reply)).await.is_ok());
    answer.await.unwrap()
}

/// Alerts in the list of the screen.
async fn listed(commands: &mpsc::Sender<Command>) -> u32 {
    let mut list = ask(commands, |reply| Command::Subscribe { spec: ViewSpec::Alerts, reply }).await;
    match list.next().await {
        Some(ViewMessage::Snapshot { rows, total, .. }) => {
            assert_eq!(rows.len(), total as usize);
            total
        }
        other => panic!("{other:?}"),
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_alerts_give_few_notices_a_complete_list_and_a_complete_log() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = Arc::new(Counting::default());
    let (batches, commands) = start(folder.path(), &desktop);
    let live = HealthReport::of(Health::Live);
    let mut first = vec![Change::Reset];
    first.extend((0..ALERTS).map(|n| queue(n, 0)));
    first.extend([Change::Complete, Change::Health(live)]);
    send(&batches, first).await;
    for from in (0..ALERTS).step_by(AT_ONCE) {
        send(&batches, (from..from + AT_ONCE).map(|n| queue(n, 9)).collect()).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    until("everything is in the list", async || listed(&commands).await as usize == ALERTS).await;
    until("everything is told", async || desktop.told() == ALERTS).await;

    send(&batches, (0..ALERTS).map(|n| queue(n, 0)).collect()).await;
    until("all is over", async || listed(&commands).await == 0).await;
    ask(&commands, |reply| Command::Stop { reply }).await;

    let shown: Vec<Instant> = desktop.shown.lock().unwrap().iter().map(|(at, _)| *at).collect();
    assert!(shown.len() > 1, "the first at once, the others together");
    assert!(shown.windows(2).all(|w| w[1] - w[0] >= Duration::from_secs(2)), "{shown:?}");
    let heard = desktop.heard.lock().unwrap().clone();
    assert!(heard.windows(2).all(|w| w[1] - w[0] >= Duration::from_secs(10)), "{heard:?}");

    let mut desk = None;
    until("the run has let go of the log", async || {
        desk = Desk::open(&folder.path().join("desk.db")).ok();
        desk.is_some()
    })
    .await;
    let (mut desk, _) = desk.unwrap();
    let log = desk.journal(Timestamp::from_ms(0), Timestamp::from_ms(i64::MAX)).unwrap();
    let lines = |what: Transition| log.iter().filter(|line| line.transition == what).count();
    assert_eq!([Transition::Firing, Transition::Resolved].map(lines), [ALERTS, ALERTS]);
    assert!(log.iter().all(|line| line.rule_version.is_some() && line.actor == Actor::Rules));
    let open: Vec<Alert> = desk.open_alerts().unwrap();
    assert!(open.iter().all(|alert| alert.state != AlertState::Firing) && open.is_empty());
    assert_eq!(desk.unconfirmed().unwrap(), [], "the notification log is complete");
    let fired = log.iter().filter(|line| line.transition == Transition::Firing);
    let told: Vec<(Id, String)> = fired.map(|line| (line.alert.clone(), "firing".to_owned())).collect();
    let decided = desk.reserve_all(&told, "desktop", SystemClock.now()).unwrap();
    assert!(decided.iter().all(|decision| *decision == Decision::Done), "all were told, none twice");
}
