use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::{
    Floorwalker, Ports, Start,
    api::Ask,
    ports::{NoDesktop, Vault, VaultError},
};
use link::{Secret, SystemClock};
use model::Id;
use simulator::Options;

use crate::support::{Desk, PATIENCE, SECRET};

/// The app's keychain in this test.
struct Always;

#[async_trait::async_trait]
impl Vault for Always {
    async fn get(&self, _account: &str) -> Result<Option<Secret>, VaultError> {
        Ok(Some(Secret::new(SECRET)))
    }
    async fn set(&self, _account: &str, _secret: Secret) -> Result<(), VaultError> {
        Err(VaultError::NoKeychain)
    }
    async fn delete(&self, _account: &str) -> Result<(), VaultError> {
        Err(VaultError::NoKeychain)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_in_the_app_is_acknowledged_in_the_headless_face() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let rule = "default_alerts = false\n[[alert]]\nname = \"Data\"\nwhen = \"source.data_age >= 0s\"\n";
    let config = format!("{rule}\n{}", std::fs::read_to_string(desk.config()).unwrap());
    std::fs::write(desk.config(), &config).unwrap();
    let in_app = desk.folder.path().join("app.toml");
    let without: Vec<&str> = config.lines().filter(|l| !l.trim_start().starts_with("secret_env")).collect();
    std::fs::write(&in_app, without.join("\n")).unwrap();

    let start = Start {
        config: in_app,
        data: desk.data(),
        only: Some(Id::from("pingstreams")),
        record: true,
        strict: false,
        demo: false,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Always),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    let app = Floorwalker::start(start, ports).unwrap();
    assert!(app.settled(PATIENCE).await);
    let started = Instant::now();
    let alert = loop {
        let document: serde_json::Value = serde_json::from_str(&app.document().await.unwrap()).unwrap();
        if let Some(alert) = document["alerts"][0]["id"].as_str() {
            break Id::from(alert);
        }
        assert!(started.elapsed() < PATIENCE, "{document:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // One that looks all the time calls it the same, and is told what people do.
    let mut watching = desk.watch(&["--only", "pingstreams"]);
    assert_eq!(watching.first().await["alerts"][0]["id"], alert.as_str());
    let mut told = async |what: &str| {
        let line = watching.until(what, |l| l["type"] == "alert" && l["transition"] == what).await;
        assert_eq!(line["alert"]["id"], alert.as_str(), "{line:#}");
        line["alert"].clone()
    };
    app.ask(Ask::Acknowledge { alert: alert.clone() }).await.unwrap();
    assert_eq!(told("acked").await["state"], "acked");

    let files = || {
        let mut files: Vec<_> =
            std::fs::read_dir(desk.data()).unwrap().map(|f| f.unwrap().file_name()).collect();
        files.sort();
        files
    };
    let before = files();
    let (code, document) = desk.snapshot(&["--only", "pingstreams"]).await;
    assert_eq!(code, 0);
    assert_eq!(document["alerts"].as_array().unwrap().len(), 1, "{:#}", document["alerts"]);
    assert_eq!(document["alerts"][0]["id"], alert.as_str());
    assert_eq!(document["alerts"][0]["state"], "acked");
    assert_eq!(files(), before, "nothing is written beside the app's files");

    app.ask(Ask::Unacknowledge { alert: alert.clone() }).await.unwrap();
    assert_eq!(told("unacked").await["state"], "firing");
    app.ask(Ask::Snooze { alert: alert.clone(), minutes: Some(5), shift_end: false }).await.unwrap();
    let snoozed = told("snoozed").await;
    assert_eq!(snoozed["overlays"], serde_json::json!(["snoozed"]), "{snoozed:#}");
    assert!(snoozed["snoozed_until"].is_string(), "{snoozed:#}");
    app.ask(Ask::Unsnooze { alert: alert.clone() }).await.unwrap();
    assert_eq!(told("unsnoozed").await["overlays"], serde_json::json!([]));
    app.shutdown().await;
}
