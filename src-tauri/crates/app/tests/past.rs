//! The alert log as a file, and rules tried on a past that somebody may lose interest in.

#![allow(clippy::unwrap_used)]

use std::{path::Path, sync::Arc};

use app::{
    api::{HistoryFormat, HistoryQuery},
    past::{PastError, Watched, alerts, export_alerts, try_rules, try_rules_watched},
};
use engine::alerts::{RuleSpec, Rulebook};
use model::{
    Alert, AlertState, Health, Id, Queue, QueueKind, Severity, Source, Subject, SubjectKind, Timestamp,
    Transition, Vendor,
};
use store::{Actor, Aside, Desk, Entity, FloorLog, Logged};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(1_769_850_000_000 + seconds * 1000)
}

fn alert(id: &str, rule: &str, source: &str) -> Alert {
    Alert {
        id: Id::from(id),
        rule: rule.to_owned(),
        severity: Severity::Warning,
        state: AlertState::Firing,
        overlays: Vec::new(),
        source: Some(Id::from(source)),
        subject: Subject {
            kind: SubjectKind::Queue,
            id: Id::from("1"),
            name: "=Billing, \"old\"".to_owned(),
        },
        metric: "queue.waiting".to_owned(),
        value: Some(9.0),
        limit: Some(4.0),
        unit: "count".to_owned(),
        n: Some(7),
        pending_since: Some(at(0)),
        fired_at: Some(at(0)),
        resolved_at: None,
        acked_at: None,
        acked_until: None,
        snoozed_until: None,
        inhibited_by: None,
        flapping: false,
        reason: "9 people wait, limit 4".to_owned(),
    }
}

/// Two alerts of two sources, one acknowledged, with a note on it and one on the floor.
fn log(data: &Path) {
    let (mut desk, _) = Desk::open(&data.join("desk.db")).unwrap();
    let (one, two) = (alert("a1", "Crowd", "shop"), alert("a2", "Long wait", "desk"));
    let aside = |_: &Alert| Aside { source_age_s: Some(1.5), rule_version: Some("v1".to_owned()) };
    let rules = Actor::Rules;
    desk.record_with(&[(Transition::Firing, one.clone())], &rules, at(0), aside).unwrap();
    desk.record_with(&[(Transition::Firing, two)], &rules, at(10), aside).unwrap();
    desk.add_note(Some(&one.id), "kim", "called the team", at(15)).unwrap();
    desk.add_note(None, "kim", "a quiet day", at(16)).unwrap();
    let kim = Actor::Person("kim".to_owned());
    let acked = Alert { state: AlertState::Acked, acked_at: Some(at(20)), ..one };
    desk.record_with(&[(Transition::Acked, acked)], &kim, at(20), aside).unwrap();
}

#[test]
fn the_alert_log_is_written_as_rows_and_as_a_document() {
    let (data, downloads) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    log(data.path());
    let export = |query: &HistoryQuery, format| {
        let (file, lines) = export_alerts(data.path(), query, format, downloads.path(), at(60)).unwrap();
        (
            file.file_name().unwrap().to_str().unwrap().to_owned(),
            lines,
            std::fs::read_to_string(file).unwrap(),
        )
    };
    let all = HistoryQuery::default();
    let (name, lines, text) = export(&all, HistoryFormat::Csv);
    assert_eq!((name.as_str(), lines), ("floorwalker-alerts-2026-01-31T090100.csv", 3));
    insta::assert_snapshot!(text.replace("\r\n", "\n"), @r#"
    at,transition,alert,rule,severity,source,subject_kind,subject_id,subject_name,metric,value,limit,unit,n,actor,source_age_s,reason,rule_version,note
    2026-01-31T09:00:00.000Z,firing,a1,Crowd,warning,shop,queue,1,"'=Billing, ""old""",queue.waiting,9.0,4.0,count,7,,1.5,"9 people wait, limit 4",v1,
    2026-01-31T09:00:10.000Z,firing,a2,Long wait,warning,desk,queue,1,"'=Billing, ""old""",queue.waiting,9.0,4.0,count,7,,1.5,"9 people wait, limit 4",v1,
    2026-01-31T09:00:15.000Z,note,a1,,,,,,,,,,,,kim,,,,called the team
    2026-01-31T09:00:16.000Z,note,,,,,,,,,,,,,kim,,,,a quiet day
    2026-01-31T09:00:20.000Z,acked,a1,Crowd,warning,shop,queue,1,"'=Billing, ""old""",queue.waiting,9.0,4.0,count,7,kim,1.5,"9 people wait, limit 4",v1,
    "#);
    let (name, ..) = export(&all, HistoryFormat::Csv);
    assert_eq!(name, "floorwalker-alerts-2026-01-31T090100-2.csv", "nothing is written over");

    // The same document as `floorctl alerts --json` prints, of what was asked for.
    let (_, lines, text) = export(&all, HistoryFormat::Json);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    let book = alerts(data.path(), None, Timestamp::from_ms(0), at(60)).unwrap();
    assert_eq!((lines, read), (3, serde_json::to_value(&book).unwrap()));
    assert_eq!((book.alerts.len(), book.notes.len()), (2, 2));
    let crowd = HistoryQuery { rule: Some("Crowd".to_owned()), ..HistoryQuery::default() };
    let (_, lines, text) = export(&crowd, HistoryFormat::Csv);
    assert!(lines == 2 && !text.contains("Long wait") && !text.contains("a quiet day"), "{text}");
    assert!(text.contains("called the team"), "{text}");
    let early = HistoryQuery { to: Some(at(12)), ..HistoryQuery::default() };
    assert_eq!(export(&early, HistoryFormat::Json).1, 2);

    let nowhere = data.path().join("nowhere");
    let refused = export_alerts(data.path(), &all, HistoryFormat::Csv, &nowhere, at(60)).unwrap_err();
    assert!(refused.to_string().contains("permissions"), "{refused}");
}

fn source() -> Source {
    Source {
        id: "shop".into(),
        vendor: Vendor::Comm100,
        name: "Shop".to_owned(),
        health: Health::Live,
        health_since: at(0),
        last_data_at: Some(at(0)),
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides: [("queue.waiting".to_owned(), model::Origin::Reported)].into(),
    }
}

fn queue(waiting: u32) -> Entity {
    Entity::Queue(Arc::new(Queue {
        source: "shop".into(),
        id: "q1".into(),
        name: "Billing".to_owned(),
        kind: QueueKind::Department,
        waiting: Some(waiting),
        waiting_since: None,
        average_wait_s: None,
        open: None,
        capacity: None,
        free_capacity: None,
        agents_online: None,
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    }))
}

#[test]
fn a_trial_tells_how_far_it_is_and_ends_when_nobody_waits_for_it() {
    let data = tempfile::tempdir().unwrap();
    let (mut floor, _) = FloorLog::open(&data.path().join("floor.db")).unwrap();
    floor.keyframe(&[Arc::new(source())], &[queue(0)], at(0), 1);
    for n in 1..=100_i64 {
        let waiting = if n % 50 == 25 { 9 } else { 0 };
        floor.append(&[Logged::Upsert(queue(waiting))], at(n * 10), u64::try_from(n).unwrap() + 1);
    }
    floor.commit().unwrap();
    floor.close(at(1001)).unwrap();
    let spec = RuleSpec {
        name: "Crowd".to_owned(),
        when: "queue.waiting > 4".to_owned(),
        keep: Some("0s".to_owned()),
        ..RuleSpec::default()
    };
    let (book, errors) = Rulebook::compile(&[spec], &[], &[], Default::default(), false);
    assert!(errors.is_empty(), "{errors:?}");
    let book = Arc::new(book);

    let watched = Watched::default();
    let report = try_rules_watched(data.path(), None, &book, None, None, Some("Crowd"), &watched).unwrap();
    assert_eq!(report, try_rules(data.path(), None, &book, None, None, Some("Crowd")).unwrap());
    assert_eq!((report.rules[0].times, report.rules[0].total_s), (2, 20.0));
    assert!(watched.done() > 0.9, "{}", watched.done());

    watched.stop();
    let stopped = try_rules_watched(data.path(), None, &book, None, None, Some("Crowd"), &watched);
    assert!(matches!(stopped, Err(PastError::Stopped)), "{stopped:?}");
}
