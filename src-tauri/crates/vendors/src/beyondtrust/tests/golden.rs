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

/// A life in events whose rows come as lines of their own: a session is accepted, handed over, put back and
/// accepted again. Whatever their order, the floor is the same (D19), and a hand-over is no wait.
#[test]
fn d19_the_order_of_one_events_lines_does_not_matter() {
    let join = |row: u32, rep: u32, at: u32| {
        format!(
            r#"{{"insert":{{"representative_support_session":{{"{row}":{{"representative_id":{rep},"support_session_id":812,"created_timestamp":1700007{at}}}}}}}}}"#
        )
    };
    let leave = |row: u32| format!(r#"{{"delete":{{"representative_support_session":["{row}"]}}}}"#);
    let moved = |queue: u32, at: u32| {
        format!(
            r#"{{"update":{{"support_session":{{"812":{{"queue_id":{queue},"queue_entry_timestamp":1700007{at}}}}}}}}}"#
        )
    };
    let copy = r#"{"insert":{"queue":{"7":{"name":"Desk","type":"team","support_team_id":2},"40":{"name":"Ana","type":"rep"},"50":{"name":"Bo","type":"rep"}},
        "representative":{"41":{"user_id":5,"queue_id":40},"51":{"user_id":6,"queue_id":50}},
        "support_session":{"812":{"lsid":"s","queue_id":7,"queue_entry_timestamp":1700007000}}}}"#
        .replace('\n', "");
    let events = [
        vec![moved(40, 130), join(530, 41, 130)],
        vec![leave(530), join(531, 51, 160), moved(50, 160)],
        vec![leave(531), moved(7, 190)],
        vec![moved(40, 220), join(532, 41, 220)],
    ];
    let mut ends = Vec::new();
    for turn in 0..6 {
        let mut floor = Floor::new("help".into());
        floor.apply(loose::read::<Line>(copy.as_bytes()).unwrap());
        floor.whole(seen(0));
        let mut told = Vec::new();
        for (n, event) in events.iter().enumerate() {
            let mut lines = event.clone();
            let count = lines.len();
            lines.rotate_left(turn % count);
            if turn >= 3 {
                lines.swap(0, 1);
            }
            let mut last = Value::Null;
            for line in lines {
                floor.apply(loose::read::<Line>(line.as_bytes()).unwrap());
                for change in floor.changes(seen(30 * (n as i64 + 1))) {
                    if let Change::Conversation(row) = change {
                        last = json!([row.state, row.waiting_since, row.answered_at, row.agents, row.queue]);
                    }
                }
            }
            told.push(last);
        }
        ends.push(told);
    }
    ends.dedup();
    assert_eq!(ends.len(), 1, "{ends:#?}");
    let at = |s: i64| json!(Timestamp::from_ms((1_700_007_000 + s) * 1000));
    assert_eq!(
        ends[0],
        [
            json!(["active", at(0), at(130), ["5"], "rep:5"]),
            json!(["active", at(0), at(130), ["6"], "rep:6"]),
            json!(["waiting", at(190), null, [], "team:2"]),
            json!(["active", at(190), at(220), ["5"], "rep:5"]),
        ]
    );
}
