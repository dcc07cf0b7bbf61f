//! D7 and e6: a process that is killed at any instant loses at most what it had not committed.
#![allow(clippy::unwrap_used)]

mod floor;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use floor::{T0, at, queue};
use model::Id;
use store::{Decision, Desk, FloorLog, Logged};

const ROLE: &str = "FLOORWALKER_TEST_VICTIM";

/// Not a test of its own: the process that is killed. It tells each commit on its standard output.
#[test]
fn victim() {
    let Ok(path) = std::env::var(ROLE) else { return };
    let path = std::path::PathBuf::from(path);
    let (mut log, _) = FloorLog::open(&path.join("floor.db")).unwrap();
    let (mut desk, _) = Desk::open(&path.join("desk.db")).unwrap();
    let start = log.span().unwrap().map_or(T0, |s| s.until.as_ms() + 1);
    for n in 0i64.. {
        let now = at(start + n);
        let rows: Vec<_> = (0..50)
            .map(|q| Logged::Upsert(queue("shop", &format!("q{q}"), (start + n - T0) as u32)))
            .collect();
        log.append(&rows, now, n as u64);
        log.commit().unwrap();
        desk.add_note(None, "Ada", &now.as_ms().to_string(), now).unwrap();
        println!("committed {}", now.as_ms());
    }
}

#[test]
fn d7_kill_at_any_instant_loses_nothing_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut before = 0;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "victim", "--nocapture", "--test-threads=1"])
            .env(ROLE, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = 0i64;
        let mut count = 0;
        for line in lines.by_ref() {
            if let Some(at) = line.unwrap().strip_prefix("committed ") {
                told = at.parse().unwrap();
                count += 1;
                if count > 3 + round * 5 {
                    break;
                }
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(at) = line.strip_prefix("committed ") {
                told = at.parse().unwrap();
            }
        }
        let (log, opened) = FloorLog::open(&dir.path().join("floor.db")).unwrap();
        assert_eq!(opened.notice, None);
        let last = opened.last.expect("a floor was committed");
        assert!(last.at >= at(told), "round {round}: told {told}, found {}", last.at.as_ms());
        // All rows of one commit, or none of it.
        let expected = (last.at.as_ms() - T0) as u32;
        assert_eq!(last.entities.len(), 50);
        assert!(
            last.entities.iter().all(|e| matches!(e, store::Entity::Queue(q) if q.waiting == Some(expected)))
        );
        drop(log);
        let (desk, opened) = Desk::open(&dir.path().join("desk.db")).unwrap();
        assert_eq!(opened.notice, None);
        let notes = desk.notes(None).unwrap();
        assert!(notes.last().unwrap().at >= at(told));
        assert!(notes.len() > before);
        before = notes.len();
    }
}

#[test]
fn i5_a_notification_is_sent_once_twice_after_a_crash_and_never_thrice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let alert = Id::new("a1");
    let mut sent = Vec::new();
    for start in 0..4 {
        // Each opening is a start after a crash between the call and its confirmation.
        let (mut desk, _) = Desk::open(&path).unwrap();
        let open = desk.unconfirmed().unwrap().len();
        let decision = desk.reserve(&alert, "firing", "desktop", at(T0 + start)).unwrap();
        sent.push((open, matches!(decision, Decision::Send { again, .. } if again == (start == 1))));
    }
    assert_eq!(sent, [(0, true), (1, true), (0, false), (0, false)]);
    let (mut desk, _) = Desk::open(&path).unwrap();
    let Decision::Send { id, again: false } = desk.reserve(&alert, "escalated", "desktop", at(T0)).unwrap()
    else {
        panic!("another kind is another notification")
    };
    desk.delivered(id, at(T0 + 1)).unwrap();
    assert_eq!(desk.reserve(&alert, "escalated", "desktop", at(T0 + 2)).unwrap(), Decision::Done);
    assert!(matches!(
        desk.reserve(&alert, "escalated", "webhook:teams", at(T0 + 2)).unwrap(),
        Decision::Send { again: false, .. }
    ));
}
