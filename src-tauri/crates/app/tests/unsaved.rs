//! What a person does and the disk does not take: said, changes nothing, and can be done again.
#![allow(clippy::unwrap_used)]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use app::{
    Floorwalker, Ports, Start,
    api::{Ask, Code, Reply},
    keychain::Keychain,
    ports::{NoDesktop, Notice, Notifier, NotifyError},
};
use link::SystemClock;
use model::{Alert, AlertState, Id};

/// A source on a port where nobody listens, and a rule about that.
const CONFIG: &str = r#"
default_alerts = false
[[alert]]
name = "Gone"
when = "source.health != live"
[[source]]
id = "desk"
vendor = "comm100"
site_id = 1
email = "sup@example.com"
url = "http://127.0.0.1:9/v4"
secret_env = "PATH"
"#;

async fn alert(app: &Floorwalker) -> Option<Alert> {
    #[derive(serde::Deserialize)]
    struct Document {
        alerts: Vec<Alert>,
    }
    let document: Document = serde_json::from_str(&app.document().await.unwrap()).unwrap();
    document.alerts.into_iter().next()
}

/// A desktop that writes down what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl Notifier for Told {
    async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        self.0.lock().unwrap().push(notice.title);
        Ok(())
    }
    async fn close(&self, _: &Id) {}
    async fn is_inhibited(&self) -> bool {
        false
    }
}

/// Two on one folder: one keeps the log and tells, the other shows, says so, and tells nobody again.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_one_on_the_same_folder_tells_nobody_a_second_time() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("floorwalker.toml"), CONFIG).unwrap();
    let (first, second) = (Arc::new(Told::default()), Arc::new(Told::default()));
    let app = start(folder.path(), first.clone());
    firing(&app).await;
    let other = start(folder.path(), second.clone());
    let stands = firing(&other).await;
    let told = async || {
        while first.0.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told()).await.unwrap();
    let refused = other.ask(Ask::Acknowledge { alert: stands.id }).await.unwrap_err();
    assert!(refused.sentence.contains("in use by another Floorwalker"), "{refused:?}");
    // What it had to tell would have been on its way by the end of it.
    other.shutdown().await;
    app.shutdown().await;
    assert_eq!(first.0.lock().unwrap().len(), 1);
    assert_eq!(*second.0.lock().unwrap(), [""; 0]);
}

fn start(folder: &Path, notifier: Arc<dyn Notifier>) -> Floorwalker {
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
        notifier,
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

async fn firing(app: &Floorwalker) -> Alert {
    let firing = async || loop {
        match alert(app).await {
            Some(alert) if alert.state == AlertState::Firing => break alert,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    tokio::time::timeout(Duration::from_secs(60), firing()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_changes_nothing_and_can_be_done_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("floorwalker.toml"), CONFIG).unwrap();
    let app = start(folder.path(), Arc::new(NoDesktop));
    let stands = firing(&app).await;
    // What is asked after the alert's own lines has passed the same thread.
    let note = |text: &str| Ask::AddNote { alert: Some(stands.id.clone()), text: text.to_owned() };
    assert_eq!(app.ask(note("before")).await, Ok(Reply::Done));
    let id = || -> Id { stands.id.clone() };

    // Nobody but this hand may write.
    let other = rusqlite::Connection::open(folder.path().join("data/desk.db")).unwrap();
    other.busy_timeout(Duration::from_secs(60)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let snooze = || Ask::Snooze { alert: id(), minutes: Some(10), shift_end: false };
    for ask in [Ask::Acknowledge { alert: id() }, snooze()] {
        let refused = app.ask(ask).await.unwrap_err();
        assert_eq!(refused.code, Code::Storage, "{}", refused.sentence);
        assert!(refused.sentence.starts_with("This was not saved, and nothing was changed: "), "{refused:?}");
        assert!(refused.sentence.contains("desk.db"), "{refused:?}");
        let same = alert(&app).await.unwrap();
        assert_eq!(
            (same.state, same.acked_at, same.snoozed_until, &same.overlays),
            (AlertState::Firing, None, None, &stands.overlays)
        );
    }
    let refused = app.ask(note("meanwhile")).await.unwrap_err();
    assert_eq!(refused.code, Code::Storage);
    assert!(refused.sentence.starts_with("The note was not saved: "), "{}", refused.sentence);
    assert!(refused.sentence.contains("desk.db"), "{}", refused.sentence);
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);

    assert_eq!(app.ask(Ask::Acknowledge { alert: id() }).await, Ok(Reply::Done));
    assert_eq!(app.ask(snooze()).await, Ok(Reply::Done));
    assert_eq!(app.ask(note("after")).await, Ok(Reply::Done));
    let acked = alert(&app).await.unwrap();
    assert_eq!((acked.state, acked.snoozed_until.is_some()), (AlertState::Acked, true));
    // As another process sees it now, without a word of goodbye.
    let desk = store::DeskReader::open(&folder.path().join("data/desk.db")).unwrap();
    let held: Vec<_> = desk.acknowledgements().unwrap().iter().map(|a| (a.alert.clone(), a.snooze)).collect();
    assert_eq!(held, [(id(), false), (id(), true)]);
    let notes: Vec<_> = desk.notes(None).unwrap().into_iter().map(|note| note.text).collect();
    assert_eq!(notes, ["before", "after"]);
    let none = Ask::Snooze { alert: id(), minutes: Some(0), shift_end: false };
    assert_eq!(app.ask(none).await.unwrap_err().code, Code::InvalidField, "it would change nothing");
    let gone = app.ask(Ask::Acknowledge { alert: "nobody".into() }).await.unwrap_err();
    assert_eq!(
        (gone.code, gone.sentence.as_str()),
        (Code::NotFound, "This alert is over; nothing was changed.")
    );
    app.shutdown().await;
}
