//! Recorded frames of the real server, and every sample of the documentation, through the map.

use std::fmt::Write as _;

use model::{Change, Id, Timestamp};
use serde_json::Value;

use super::super::{
    floor::Floor,
    hear::hear,
    lax::Obj,
    wire::{Department, Frame, Group, Row},
};

/// Plays frames, one a second, and writes down every change.
fn play(floor: &mut Floor, project: Option<&str>, lines: &str) -> String {
    let mut told = String::new();
    let mut seen: Timestamp = "2026-11-22T02:30:00Z".parse().unwrap();
    for (n, line) in lines.lines().enumerate() {
        seen = seen.plus(std::time::Duration::from_secs(1));
        if let Some(note) = serde_json::from_str::<Value>(line).unwrap()["note"].as_str() {
            writeln!(told, "# {note}").unwrap();
            continue;
        }
        let Obj::Is(frame) = serde_json::from_str::<Obj<Frame>>(line).unwrap() else { panic!("{line}") };
        let payload = frame.payload.object().unwrap();
        let topic = payload.topic.text().unwrap();
        let project = project.unwrap_or_else(|| topic.split('/').nth(1).unwrap());
        assert!(hear(floor, project, payload, seen, n as u64 + 1).is_some(), "{line}");
        writeln!(told, "{} {}", payload.method.text().unwrap(), topic.split_once(project).unwrap().1)
            .unwrap();
        for change in floor.take(seen) {
            let text = match change {
                Change::Queue(q) => format!("queue {}", brief(&q)),
                Change::Agent(a) => format!("agent {}", brief(&a)),
                Change::Conversation(c) => format!("conversation {}", brief(&c)),
                other => format!("{other:?}"),
            };
            writeln!(told, "    {text}").unwrap();
        }
    }
    told
}

/// Only what is known.
fn brief(entity: &impl serde::Serialize) -> String {
    let mut value = serde_json::to_value(entity).unwrap();
    let fields = value.as_object_mut().unwrap();
    fields.retain(|name, v| !v.is_null() && name != "source" && name != "windows");
    value.to_string()
}

#[test]
fn a_recorded_life_of_a_conversation() {
    let roster: Value = serde_json::from_str(include_str!("../fixtures/life/roster.json")).unwrap();
    let rows = |key: &str| roster[key].to_string();
    let members: Vec<Row> = serde_json::from_str(&rows("members")).unwrap();
    let departments: Vec<Department> = serde_json::from_str(&rows("departments")).unwrap();
    let groups: Vec<Group> = serde_json::from_str(&rows("groups")).unwrap();
    let mut floor = Floor::new(Id::new("ps"));
    floor.members(&members);
    floor.structure(Some(&departments), Some(&groups), Some(None));
    let told = play(&mut floor, None, include_str!("../fixtures/life/in.jsonl"));
    insta::assert_snapshot!("life", told);
}

#[test]
fn every_sample_of_the_documentation() {
    let mut floor = Floor::new(Id::new("ps"));
    let told = play(&mut floor, None, include_str!("../fixtures/samples/in.jsonl"));
    insta::assert_snapshot!("samples", told);
}
