//! What is told of a source beyond its health, on a busy floor of all five vendors.

#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use app::{
    Floorwalker, Ports, Start,
    api::{Ask, Code, Diagnostics, Reply},
    ports::{NoDesktop, Vault, VaultError},
};
use async_trait::async_trait;
use link::{Secret, SystemClock};
use model::{Health, Id, Vendor};
use simulator::{Fault, Options};
use vendors::drift::Drift::{self, Type, Vanished, Word};

/// A keychain that has a secret for everybody.
struct Open;
#[async_trait]
impl Vault for Open {
    async fn get(&self, _account: &str) -> Result<Option<Secret>, VaultError> {
        Ok(Some(Secret::new("fake-canary-88c2-secret")))
    }
    async fn set(&self, _account: &str, _secret: Secret) -> Result<(), VaultError> {
        Ok(())
    }
    async fn delete(&self, _account: &str) -> Result<(), VaultError> {
        Ok(())
    }
}

/// The app on a contact centre, its secrets in the keychain.
fn start(centre: &simulator::Running, folder: &std::path::Path) -> Floorwalker {
    let config = folder.join("floorwalker.toml");
    let text: String = centre.config_toml().lines().filter(|l| !l.starts_with("secret_env")).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    std::fs::write(&config, text).unwrap();
    let data = folder.join("data");
    let start = Start { config, data, only: None, record: false, strict: true, demo: false, tapes: None };
    let ports = Ports {
        vault: Arc::new(Open),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

async fn of(floorwalker: &Floorwalker, vendor: Vendor) -> Diagnostics {
    match floorwalker.ask(Ask::Diagnostics { id: Id::new(vendor.as_str()) }).await {
        Ok(Reply::Diagnostics(known)) => *known,
        other => panic!("{other:?}"),
    }
}

/// Whether a polled source was asked twice everywhere that counts, or a push one has told something.
fn has_seen_enough(known: &Diagnostics) -> bool {
    let sockets = known.places.iter().filter(|p| p.place.starts_with("WS "));
    let heard: u64 = sockets.map(|p| p.messages).sum();
    let twice = known.places.iter().filter(|p| p.requests >= 2).count();
    if known.endpoints.is_empty() { heard > 10 } else { twice >= 2 }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_floor_is_asked_counted_and_never_called_odd() {
    let centre = simulator::start(Options { speed: 20.0, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let floorwalker = start(&centre, folder.path());
    assert!(floorwalker.settled(Duration::from_secs(120)).await);
    for vendor in Vendor::ALL {
        let mut known = of(&floorwalker, vendor).await;
        for _ in 0..1200 {
            if has_seen_enough(&known) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            known = of(&floorwalker, vendor).await;
        }
        assert!(has_seen_enough(&known), "{vendor:?}: {:#?}", known.places);
        assert_eq!(known.notes, [], "{vendor:?}");
        let told = format!("{known:?}");
        assert!(!told.contains("canary") && !told.contains("token="), "{told}");
        // Push sources have a socket that is open.
        let open = known.places.iter().any(|p| p.place.starts_with("WS ") && p.status == Some(101));
        assert_eq!(open, known.endpoints.is_empty(), "{vendor:?}: {:#?}", known.places);
    }
    let missing = floorwalker.ask(Ask::Diagnostics { id: Id::new("nobody") }).await;
    assert_eq!(missing.unwrap_err().code, Code::NotFound);
    floorwalker.shutdown().await;
}

/// What every vendor changes, and how it is told: part, field, what is odd.
const CHANGES: &[(Vendor, &str, &str, Drift)] = &[
    (Vendor::Beyondtrust, "feed", "update.customer_client.client_type", Word),
    (Vendor::Beyondtrust, "feed", "insert.support_session.queue_entry_timestamp", Type),
    (Vendor::Comm100, "livechat/realTime/Agents", "ongoingchats", Type),
    (Vendor::Comm100, "livechat/realTime/Agents", "maxconcurrentchats", Vanished),
    (Vendor::Giosg, "users", "is_online", Type),
    (Vendor::Giosg, "users", "currently_open_chats", Vanished),
    (Vendor::Liveperson, "agents", "availableagents.agents.agent.chatstate", Word),
    (Vendor::Liveperson, "agents", "availableagents.agents.agent.maxchats", Vanished),
    (Vendor::Pingstreams, "requests", "payload.message.status", Word),
    (Vendor::Pingstreams, "requests", "payload.message.createdat", Type),
];

#[tokio::test(flavor = "multi_thread")]
async fn p6_every_vendors_drift_is_counted_and_hurts_nothing_else() {
    let centre = simulator::start(Options::default()).await.unwrap();
    let control = centre.control();
    control.pause();
    let folder = tempfile::tempdir().unwrap();
    let floorwalker = start(&centre, folder.path());
    assert!(floorwalker.settled(Duration::from_secs(120)).await);
    let before: serde_json::Value = serde_json::from_str(&floorwalker.document().await.unwrap()).unwrap();

    let raw = |vendor, text: &str| control.push_raw(vendor, text).unwrap();
    raw(
        Vendor::Beyondtrust,
        concat!(
            r#"{"type":"update_model","insert":{"support_session":{"90001":{"lsid":"odd","queue_entry_timestamp":"soon"}}},"#,
            r#""update":{"customer_client":{"90002":{"client_type":"hologram","support_session_id":90001}}}}"#,
            "\n"
        ),
    );
    let project = centre.config_toml();
    let project =
        project.lines().find_map(|l| l.strip_prefix("project = ")).unwrap().trim_matches('"').to_owned();
    raw(
        Vendor::Pingstreams,
        &format!(
            r#"{{"action":"publish","payload":{{"topic":"/{project}/requests","method":"UPDATE","message":{{"request_id":"odd","status":777,"createdAt":"yesterday"}}}}}}"#
        ),
    );
    let body = |vendor, endpoint: &str, text: &str| {
        control.fault(vendor, endpoint, Fault::Body(text.into())).unwrap()
    };
    body(
        Vendor::Comm100,
        "agents",
        r#"{"total":1,"pageCount":1,"pageIndex":1,"list":[{"agentId":"a1","displayName":"A","currentStatusId":"00000000-0000-0000-0000-000000000000","ongoingChats":{"all":2}}]}"#,
    );
    body(
        Vendor::Giosg,
        "users",
        r#"{"results":[{"user_id":7,"email":"a@example.test","is_online":"maybe","free_capacity":1,"rooms":[]}]}"#,
    );
    body(
        Vendor::Liveperson,
        "availableagents",
        r#"{"availableAgents":{"agents":{"agent":[{"@id":"5","@chatState":"9","userName":"a"}]}}}"#,
    );

    for (vendor, part, field, drift) in CHANGES {
        let mut notes = of(&floorwalker, *vendor).await.notes;
        for _ in 0..1200 {
            if notes.iter().any(|n| n.part == *part && n.field == *field && n.drift == *drift) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            notes = of(&floorwalker, *vendor).await.notes;
        }
        let note = notes.iter().find(|n| n.part == *part && n.field == *field && n.drift == *drift);
        let note = note.unwrap_or_else(|| panic!("{vendor:?} {part} {field} {drift:?}: {notes:#?}"));
        assert!(note.count > 0 && note.first <= note.last, "{note:?}");
        assert!(
            note.detail.as_deref().is_none_or(|d| !d.contains("yesterday") && !d.contains("soon")),
            "{note:?}"
        );
    }
    // Every source is as live as before, and every queue still stands.
    assert!(floorwalker.settled(Duration::from_secs(120)).await);
    assert!(floorwalker.sources().borrow().iter().all(|s| s.health == Health::Live));
    let after: serde_json::Value = serde_json::from_str(&floorwalker.document().await.unwrap()).unwrap();
    let queues = |document: &serde_json::Value| document["queues"].as_array().unwrap().len();
    assert_eq!(queues(&before), queues(&after));
    floorwalker.shutdown().await;
}
