//! Lines as they stand on the wire, and the floor that comes of them. A bug is first a new folder in
//! `fixtures`. Lines before the first `---` are the initial copy; each block after it is told at once.

use std::path::PathBuf;

use model::{Change, Timestamp};
use serde_json::{Value, json};

use crate::{
    beyondtrust::{floor::Floor, wire::Line},
    loose,
};

/// 1700007100 s, plus so many.
fn seen(seconds: i64) -> Timestamp {
    Timestamp::from_ms((1_700_007_100 + seconds) * 1000)
}

fn shown(change: Change) -> Value {
    match change {
        Change::Queue(row) => json!({"queue": row}),
        Change::Agent(row) => json!({"agent": row}),
        Change::Conversation(row) => json!({"conversation": row}),
        Change::Remove(kind, id) => json!({"remove": [kind, id]}),
        Change::Reset => json!("reset"),
        Change::Complete => json!("complete"),
        Change::Totals(_) | Change::Health(_) => panic!("not from here"),
    }
}

/// What is told after the copy and after each block; ten seconds lie between two blocks.
fn played(text: &str) -> Vec<Vec<Value>> {
    let mut floor = Floor::new("help".into());
    let mut told = Vec::new();
    for (n, block) in text.split("---\n").enumerate() {
        let mut changes = Vec::new();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            floor.apply(loose::read::<Line>(line.as_bytes()).expect("a fixture is JSON"));
            if n > 0 {
                changes.extend(floor.changes(seen(10 * n as i64)));
            }
        }
        if n == 0 {
            changes = floor.whole(seen(0));
        }
        told.push(changes.into_iter().map(shown).collect());
    }
    told
}

fn fixture(case: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path.join(format!("src/beyondtrust/fixtures/{case}/in.jsonl"))).unwrap()
}

#[test]
fn every_case_gives_its_floor() {
    for case in ["sample", "life", "oddities"] {
        insta::with_settings!({
            snapshot_path => format!("../fixtures/{case}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_json_snapshot!("expected", played(&fixture(case)));
        });
    }
}

/// Ids and booleans of the sample in every form that the doubts allow (D3, D4), and in another order of
/// tables (D19): the same floor.
#[test]
fn d3_d4_d19_forms_and_order_do_not_matter() {
    let reference = played(&fixture("sample"));
    let text = fixture("sample");
    let flags = ["available", "idle", "busy", "enabled"];
    for (yes, no) in [("true", "false"), ("\"1\"", "\"0\"")] {
        let mut written = text.clone();
        for flag in flags {
            written = written
                .replace(&format!("\"routing_{flag}\":1"), &format!("\"routing_{flag}\":{yes}"))
                .replace(&format!("\"routing_{flag}\":0"), &format!("\"routing_{flag}\":{no}"));
        }
        assert_ne!(written, text);
        assert_eq!(played(&written), reference);
    }
    let as_text = [("_id\":7", "_id\":\"7\""), ("_id\":41", "_id\":\"41\""), ("_id\":813", "_id\":\"813\"")];
    let written = as_text.iter().fold(text.clone(), |t, (a, b)| t.replace(a, b));
    assert_ne!(written, text);
    assert_eq!(played(&written), reference);
    let whole: Value = serde_json::from_str(&text).unwrap();
    let tables = whole["insert"].as_object().unwrap();
    let lines = tables.iter().rev().map(|(name, rows)| json!({"insert": {name: rows}}).to_string());
    assert_eq!(played(&lines.collect::<Vec<_>>().join("\n")), reference);
}
