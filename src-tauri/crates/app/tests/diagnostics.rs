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
use model::{Id, Vendor};
use simulator::Options;

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
    let config = folder.path().join("floorwalker.toml");
    let text: String = centre.config_toml().lines().filter(|l| !l.starts_with("secret_env")).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    std::fs::write(&config, text).unwrap();
    let data = folder.path().join("data");
    let start = Start { config, data, only: None, record: false, strict: true, demo: false, tapes: None };
    let ports = Ports {
        vault: Arc::new(Open),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    let floorwalker = Floorwalker::start(start, ports).unwrap();
    assert!(floorwalker.settled(Duration::from_secs(45)).await);
    for vendor in Vendor::ALL {
        let mut known = of(&floorwalker, vendor).await;
        for _ in 0..450 {
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
