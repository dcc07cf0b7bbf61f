//! A configuration that is edited while the app runs.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc, time::Duration};

use app::{
    Floorwalker, Ports, Start,
    api::{Ask, Hello, Reply},
    keychain::Keychain,
    ports::NoDesktop,
};
use link::SystemClock;
use model::Health;

fn start(folder: &Path) -> Floorwalker {
    let start = Start {
        config: folder.join("floorwalker.toml"),
        data: folder.join("data"),
        only: None,
        record: false,
        strict: false,
        demo: false,
        tapes: None,
    };
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    Floorwalker::start(start, ports).unwrap()
}

async fn hello(floorwalker: &Floorwalker) -> Hello {
    match floorwalker.ask(Ask::Hello).await {
        Ok(Reply::Hello(hello)) => *hello,
        other => panic!("{other:?}"),
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..2400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

const SOURCE: &str = "[[source]]\nid = \"desk\"\nname = \"Desk\"\nvendor = \"comm100\"\nsite_id = 1\nemail = \"sup@example.com\"\nurl = \"http://127.0.0.1:9/v4\"\nenabled = false\n";

#[tokio::test]
async fn a_good_edit_is_followed_and_a_broken_one_leaves_all_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("floorwalker.toml");
    let floorwalker = start(folder.path());
    assert!(floorwalker.sources().borrow().is_empty());

    std::fs::write(&file, SOURCE).unwrap();
    until("the new source is there", async || floorwalker.sources().borrow().len() == 1).await;
    assert_eq!(floorwalker.sources().borrow()[0].health, Health::Disabled);

    std::fs::write(&file, "[[source]]\nid = \n").unwrap();
    until("the broken edit is told", async || {
        hello(&floorwalker).await.notices.iter().any(|n| n.contains("not followed") && n.contains("line 2"))
    })
    .await;
    assert_eq!(floorwalker.sources().borrow().len(), 1);

    std::fs::write(&file, SOURCE.replace("\"Desk\"", "\"Other desk\"")).unwrap();
    until("the mended file is followed", async || floorwalker.sources().borrow()[0].name == "Other desk")
        .await;
    assert!(hello(&floorwalker).await.notices.iter().any(|n| n.contains("in order again")));
    floorwalker.shutdown().await;
}
