//! What reaches the person at this desk: with fake ports, a real record, and the floor of a test server.

#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use app::{
    Floorwalker, Ports, Start, TrayModel,
    api::{Ask, HistoryQuery, Preferences, Reply},
    keychain::Keychain,
    ports::{NoDesktop, Notice, Notifier, NotifyError, SoundError, Speaker, Tone},
};
use async_trait::async_trait;
use engine::alerts::TrayShape;
use link::{Clock, SystemClock};
use model::{Id, Severity};

/// A desktop that writes down what it is told.
#[derive(Default)]
struct Desk {
    shown: Mutex<Vec<Notice>>,
    closed: Mutex<Vec<Id>>,
    heard: Mutex<Vec<(Tone, u32)>>,
    inhibited: AtomicBool,
    hangs: bool,
    absent: bool,
}

#[async_trait]
impl Notifier for Desk {
    async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        if self.absent {
            return Err(NotifyError::NoService);
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.shown.lock().unwrap().push(notice);
        Ok(())
    }
    async fn close(&self, alert: &Id) {
        self.closed.lock().unwrap().push(alert.clone());
    }
    async fn is_inhibited(&self) -> bool {
        self.inhibited.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Speaker for Desk {
    async fn play(&self, tone: Tone, volume: u32) -> Result<(), SoundError> {
        self.heard.lock().unwrap().push((tone, volume));
        Ok(())
    }
}

impl Desk {
    fn titles(&self) -> Vec<String> {
        self.shown.lock().unwrap().iter().map(|n| n.title.clone()).collect()
    }
}

/// A source on a port where nobody listens: after its first failed try its rows' absence is an alert.
const NOBODY: &str = "[[source]]\nid = \"desk\"\nname = \"Desk\"\nvendor = \"comm100\"\nsite_id = 1\nemail = \"sup@example.com\"\nurl = \"http://127.0.0.1:9/v4\"\nsecret_env = \"PATH\"\n";

fn config(folder: &Path, rules: &str, preferences: &str) {
    let text = format!("default_alerts = false\n{rules}\n{NOBODY}\n[preferences]\n{preferences}\n");
    std::fs::write(folder.join("floorwalker.toml"), text).unwrap();
}

fn rule(name: &str, rest: &str) -> String {
    format!("[[alert]]\nname = \"{name}\"\nwhen = \"source.health != live\"\n{rest}\n")
}

fn start(folder: &Path, desk: &Arc<Desk>) -> Floorwalker {
    let start = Start {
        config: folder.join("floorwalker.toml"),
        data: folder.join("data"),
        only: None,
        record: true,
        strict: false,
        demo: false,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: desk.clone(),
        opener: Arc::new(NoDesktop),
        speaker: desk.clone(),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..2400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what}");
}

/// Waits until the tray has the diamond of a critical, with a number.
async fn tray_tells(app: &Floorwalker, number: u32) {
    let mut tray = app.tray();
    let told = |t: &TrayModel| t.shape == TrayShape::Diamond && t.number == Some(number);
    tokio::time::timeout(Duration::from_secs(60), tray.wait_for(told)).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_warning_is_shown_and_heard_once_and_put_away_when_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), &rule("Gone", ""), "sound_volume = 40");
    let desk = Arc::new(Desk::default());
    let app = start(folder.path(), &desk);
    until("it is shown", async || desk.shown.lock().unwrap().len() == 1).await;
    assert_eq!(desk.titles(), ["Warning: Gone"]);
    until("it is heard", async || *desk.heard.lock().unwrap() == [(Tone::One, 40)]).await;
    let alert = desk.shown.lock().unwrap()[0].alert.clone().unwrap();
    assert_eq!(app.ask(Ask::Acknowledge { alert: alert.clone() }).await, Ok(Reply::Done));
    until("it is put away", async || *desk.closed.lock().unwrap() == [alert.clone()]).await;
    let note = Ask::AddNote { alert: Some(alert.clone()), text: "on it".into() };
    assert_eq!(app.ask(note).await, Ok(Reply::Done));
    let query = HistoryQuery { alert: Some(alert.clone()), ..HistoryQuery::default() };
    let Ok(Reply::AlertHistory(page)) = app.ask(Ask::AlertHistory { query }).await else { panic!() };
    let told: Vec<(model::Transition, bool)> =
        page.lines.iter().map(|l| (l.line.transition, l.line.actor.is_some())).collect();
    use model::Transition::{Acked, Firing, Pending};
    assert_eq!(told, [(Acked, true), (Firing, false), (Pending, false)], "newest first, with who did it");
    let versions: Vec<_> = page.lines.iter().map(|l| l.line.rule_version.clone()).collect();
    assert!(versions.iter().all(|v| v.is_some() && *v == versions[0]), "{versions:?}");
    assert_eq!(page.notes[0].text, "on it");
    let Ok(Reply::Budget(budget)) = app.ask(Ask::Budget).await else { panic!() };
    assert_eq!(budget.last_hour, 1);
    app.shutdown().await;

    // Told once is told: a restart shows nothing a second time.
    let again = Arc::new(Desk::default());
    let app = start(folder.path(), &again);
    tray_stands(&app).await;
    assert_eq!(again.titles(), [""; 0]);
    app.shutdown().await;
}

/// The alert of the last run is in the list.
async fn tray_stands(app: &Floorwalker) {
    until("the alert stands", async || app.document().await.unwrap().contains("\"acked\"")).await;
}

#[tokio::test]
async fn what_was_told_in_one_run_is_neither_shown_nor_heard_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), &rule("Gone", "severity = \"critical\""), "");
    let (first, second) = (Arc::new(Desk::default()), Arc::new(Desk::default()));
    let app = start(folder.path(), &first);
    until("it is told", async || first.titles() == ["Critical: Gone"]).await;
    until("it is heard", async || first.heard.lock().unwrap().len() == 1).await;
    app.shutdown().await;
    let app = start(folder.path(), &second);
    tray_tells(&app, 1).await;
    // What is asked after it has passed the same thread.
    let note = Ask::AddNote { alert: None, text: "a new shift".into() };
    assert_eq!(app.ask(note).await, Ok(Reply::Done));
    app.shutdown().await;
    assert_eq!((second.titles(), second.heard.lock().unwrap().len()), (vec![], 0));
}

#[tokio::test]
async fn an_escalation_that_a_crash_kept_from_the_desk_is_told_by_the_next_run_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), &rule("Gone", "critical = \"source.lost_for > 100h\"\nrepeat = \"12h\""), "");
    let desk = Arc::new(Desk::default());
    let app = start(folder.path(), &desk);
    until("the warning is told", async || desk.titles() == ["Warning: Gone"]).await;
    app.shutdown().await;
    // It grew worse, that was written down, and then the power went.
    let mut book = None;
    until("the first run has let go of the log", async || {
        book = store::Desk::open(&folder.path().join("data/desk.db")).ok();
        book.is_some()
    })
    .await;
    let (mut book, _) = book.unwrap();
    let stood = book.open_alerts().unwrap().remove(0);
    assert_eq!(book.unconfirmed().unwrap(), []);
    let worse = model::Alert { severity: Severity::Critical, ..stood };
    let now = SystemClock.now();
    book.record(&[(model::Transition::Escalated, worse)], &store::Actor::Rules, now, |_| None).unwrap();
    drop(book);
    for told in [vec!["Critical: Gone".to_owned()], vec![]] {
        let desk = Arc::new(Desk::default());
        let app = start(folder.path(), &desk);
        until("it is told", async || desk.titles() == told).await;
        tray_stands_at_all(&app).await;
        // What is asked after it has passed the same thread.
        let note = Ask::AddNote { alert: None, text: "a new shift".into() };
        assert_eq!(app.ask(note).await, Ok(Reply::Done));
        app.shutdown().await;
        assert_eq!(desk.titles(), told);
    }
}

/// The alert of the last run is in the list.
async fn tray_stands_at_all(app: &Floorwalker) {
    until("the alert stands", async || app.document().await.unwrap().contains("\"rule\":\"Gone\"")).await;
}

#[tokio::test]
async fn without_a_service_and_with_one_that_hangs_the_tray_tells_and_nothing_waits() {
    for desk in [Desk { absent: true, ..Desk::default() }, Desk { hangs: true, ..Desk::default() }] {
        let folder = tempfile::tempdir().unwrap();
        config(folder.path(), &rule("Gone", "severity = \"critical\""), "");
        let desk = Arc::new(desk);
        let app = start(folder.path(), &desk);
        tray_tells(&app, 1).await;
        until("it is heard", async || *desk.heard.lock().unwrap() == [(Tone::Two, 70)]).await;
        let document = app.document().await.unwrap();
        assert!(document.contains("\"rule\":\"Gone\""), "the list has it");
        if desk.absent {
            until("the window says so", async || match app.ask(Ask::Hello).await {
                Ok(Reply::Hello(hello)) => {
                    hello.notices.iter().any(|n| n.contains("no notification service"))
                }
                _ => false,
            })
            .await;
        }
        tokio::time::timeout(Duration::from_secs(20), app.shutdown()).await.unwrap();
    }
}

#[tokio::test]
async fn do_not_disturb_holds_back_warnings_and_lets_criticals_through() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rule("Quiet", "") + &rule("Loud", "severity = \"critical\"\nfor = \"3s\"");
    config(folder.path(), &rules, "");
    let desk = Arc::new(Desk { inhibited: AtomicBool::new(true), ..Desk::default() });
    let app = start(folder.path(), &desk);
    until("the critical is shown", async || desk.titles() == ["Critical: Loud"]).await;
    let document = app.document().await.unwrap();
    assert!(document.contains("\"rule\":\"Quiet\""), "the list has both");
    tray_tells(&app, 1).await;
    until("the window says so", async || match app.ask(Ask::Budget).await {
        Ok(Reply::Budget(budget)) => budget.withheld == 1,
        _ => false,
    })
    .await;
    // Its end tells what still stands, long before the rule's repeat (5 min) would.
    desk.inhibited.store(false, Ordering::SeqCst);
    until("the warning is told when it ends", async || desk.titles().contains(&"Warning: Quiet".to_owned()))
        .await;
    app.shutdown().await;
}

#[tokio::test]
async fn a_mute_time_is_silent_and_its_end_tells_what_still_stands() {
    let folder = tempfile::tempdir().unwrap();
    config(
        folder.path(),
        &rule("Gone", "severity = \"critical\""),
        "mute = [\"00:00-24:00\"]\nzone = \"UTC\"",
    );
    let desk = Arc::new(Desk::default());
    let app = start(folder.path(), &desk);
    tray_tells(&app, 1).await;
    assert_eq!((desk.titles(), desk.heard.lock().unwrap().len()), (vec![], 0));
    let preferences = Preferences { zone: "UTC".into(), ..Preferences::default() };
    assert_eq!(app.ask(Ask::SetPreferences { preferences }).await, Ok(Reply::Done));
    until("it is told now", async || desk.titles() == ["Critical: Gone"]).await;
    app.shutdown().await;
}

#[tokio::test]
async fn sound_is_as_wanted() {
    for (preferences, heard) in [
        ("sound = \"off\"", vec![]),
        ("sound_volume = 0", vec![]),
        ("sound = \"critical\"\nsound_tones = \"one\"", vec![(Tone::One, 70)]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        config(folder.path(), &rule("Gone", "severity = \"critical\""), preferences);
        let desk = Arc::new(Desk::default());
        let app = start(folder.path(), &desk);
        until("it is shown", async || desk.titles() == ["Critical: Gone"]).await;
        until("it is heard", async || *desk.heard.lock().unwrap() == heard).await;
        assert_eq!(desk.shown.lock().unwrap()[0].severity, Severity::Critical);
        app.shutdown().await;
    }
}
