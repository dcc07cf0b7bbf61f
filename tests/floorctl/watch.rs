use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use simulator::Options;

use crate::support::{Desk, PATIENCE, Watching, floorctl};

/// Fields that may differ: computed durations, and what moves without a line.
const MOVING: [&str; 5] = ["longest_wait_s", "estimated_wait_s", "wait_s", "last_data_at", "clock_skew_s"];

type Floor = BTreeMap<(String, String, String), Value>;

fn still(row: &Value) -> Value {
    let mut row = row.clone();
    for field in MOVING {
        if let Some(object) = row.as_object_mut() {
            object.remove(field);
        }
    }
    row
}

fn name(kind: &str, row: &Value) -> (String, String, String) {
    let source = row["source"].as_str().unwrap_or_default().to_owned();
    let id = row["id"].as_str().map_or_else(|| source.clone(), str::to_owned);
    (kind.to_owned(), source, id)
}

fn floor_of(document: &Value) -> Floor {
    let mut floor = Floor::new();
    for kind in ["queues", "agents", "conversations", "totals"] {
        for row in document[kind].as_array().unwrap() {
            floor.insert(name(kind, row), still(row));
        }
    }
    floor
}

fn follow(floor: &mut Floor, line: &Value) {
    for (kind, rows) in line["upserts"].as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            floor.insert(name(kind, row), still(row));
        }
    }
    for (kind, rows) in line["removes"].as_object().unwrap() {
        for row in rows.as_array().unwrap() {
            floor.remove(&name(kind, row));
        }
    }
}

/// What only watching can know (since when, and that it was seen) is not in a fresh look.
fn as_a_fresh_look(floor: &Floor) -> Floor {
    const OBSERVED: [&str; 8] = [
        "presence_since",
        "presence_since_kind",
        "waiting_since",
        "answered_at",
        "last_agent_message_at",
        "last_customer_message_at",
        "average_wait_s",
        "windows",
    ];
    let mut floor = floor.clone();
    for row in floor.values_mut() {
        let row = row.as_object_mut().unwrap();
        OBSERVED.iter().for_each(|field| drop(row.remove(*field)));
    }
    floor.retain(|_, row| row["state"] != "ended");
    floor
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_document_and_its_changes_are_the_later_snapshot() {
    let desk = Desk::open(Options { speed: 20.0, ..Options::default() }).await;
    let mut watching = desk.watch(&["--only", "pingstreams"]);
    let first = watching.first().await;
    let mut changes = 0;
    let enough = |line: &Value| {
        changes += usize::from(line["type"] == "change");
        changes == 5
    };
    watching.until("five changes of a floor at twenty times life", enough).await;
    desk.centre.control().pause();
    let (mut floor, mut revision) = (floor_of(&first), first["revision"].as_u64().unwrap());
    let mut read = watching.seen.iter().position(|line| line["type"] == "snapshot").unwrap() + 1;
    let started = Instant::now();
    loop {
        let (_, later) = desk.snapshot(&["--only", "pingstreams"]).await;
        watching.news();
        for line in watching.seen[read..].iter().filter(|line| line["type"] == "change") {
            assert!(line["revision"].as_u64().unwrap() > revision, "revisions grow");
            revision = line["revision"].as_u64().unwrap();
            follow(&mut floor, line);
        }
        read = watching.seen.len();
        let (followed, later) = (as_a_fresh_look(&floor), as_a_fresh_look(&floor_of(&later)));
        if followed == later {
            return;
        }
        // What was on its way when the floor stood still.
        if started.elapsed() > PATIENCE {
            assert_eq!(followed.keys().collect::<Vec<_>>(), later.keys().collect::<Vec<_>>());
            assert_eq!(followed, later);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_happens_nothing_changes() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let mut watching = desk.watch(&[]);
    let first = watching.first().await;
    for source in first["sources"].as_array().unwrap() {
        assert_eq!(source["health"], "live", "{source:#}");
    }
    // Every source is asked at least once more.
    tokio::time::sleep(Duration::from_secs(12)).await;
    // A vendor's mean of those who wait grows with every answer; nothing else may.
    let without_means = |mut floor: Floor| {
        floor.values_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("average_wait_s")));
        floor
    };
    let before = without_means(floor_of(&first));
    for line in watching.news() {
        assert_ne!(line["type"], "health", "{line:#}");
        if line["type"] == "change" {
            let mut after = before.clone();
            follow(&mut after, &line);
            assert_eq!(without_means(after), before, "{line:#}");
        }
    }
}

#[tokio::test]
async fn a_watch_of_a_given_length_says_its_end() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("floorwalker.toml");
    std::fs::write(&config, "").unwrap();
    let mut command = floorctl(home.path());
    command.arg("--config").arg(&config).args(["watch", "--json", "--for", "1s"]);
    let (code, lines) = Watching::start(command).finish().await;
    assert_eq!(code, 0, "{lines:#?}");
    assert_eq!(lines.first().map(|l| &l["type"]), Some(&json!("snapshot")));
    assert_eq!(lines.last(), Some(&json!({"type": "end"})));
}
