use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use simulator::Options;

use crate::support::Desk;

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

#[tokio::test(flavor = "multi_thread")]
async fn the_first_document_and_its_changes_are_the_later_snapshot() {
    let desk = Desk::open(Options { speed: 20.0, ..Options::default() }).await;
    let mut watching = crate::support::Watching::start(desk.floorctl(&[
        "watch",
        "--json",
        "--for",
        "9s",
        "--only",
        "pingstreams",
    ]));
    let (first, _) =
        watching.until(Duration::from_secs(30), "the first document", |l| l["type"] == "snapshot").await;
    let mut floor = floor_of(&first);
    tokio::time::sleep(Duration::from_secs(4)).await;
    desk.centre.control().pause();
    let (code, lines) = watching.finish().await;
    assert_eq!(code, 0);
    assert_eq!(lines.last().unwrap(), &json!({"type": "end"}));
    let changes: Vec<&Value> = lines.iter().filter(|l| l["type"] == "change").collect();
    assert!(!changes.is_empty(), "a floor at twenty times life changes in four seconds");
    let mut revision = first["revision"].as_u64().unwrap();
    for change in changes {
        assert!(change["revision"].as_u64().unwrap() > revision, "revisions grow");
        revision = change["revision"].as_u64().unwrap();
        follow(&mut floor, change);
    }
    let (_, later) = desk.snapshot(&["--only", "pingstreams"]).await;
    let mut later = floor_of(&later);
    // What only watching can know (since when, and that it was seen) is not in a fresh look.
    for side in [&mut floor, &mut later] {
        for ((kind, ..), row) in side.iter_mut() {
            let row = row.as_object_mut().unwrap();
            if kind == "agents" {
                row.remove("presence_since");
                row.remove("presence_since_kind");
            }
            row.remove("waiting_since");
            row.remove("answered_at");
            row.remove("last_agent_message_at");
            row.remove("last_customer_message_at");
            row.remove("average_wait_s");
            row.remove("windows");
        }
        side.retain(|_, row| row["state"] != "ended");
    }
    assert_eq!(floor.keys().collect::<Vec<_>>(), later.keys().collect::<Vec<_>>());
    assert_eq!(floor, later);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_floor_where_nothing_happens_prints_nothing() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let watching = crate::support::Watching::start(desk.floorctl(&["watch", "--json", "--for", "12s"]));
    let (code, lines) = watching.finish().await;
    assert_eq!(code, 0, "{lines:#?}");
    let changes: Vec<&Value> =
        lines.iter().filter(|l| l["type"] == "change" || l["type"] == "health").collect();
    assert!(changes.is_empty(), "{changes:#?}");
}
