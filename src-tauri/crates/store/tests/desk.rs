//! What people did, written and read again.
#![allow(clippy::unwrap_used)]

use model::{Alert, AlertState, Id, Overlay, Severity, Subject, SubjectKind, Timestamp, Transition};
use store::{Actor, Aside, Desk, DeskReader, Ran, Timers, Told};

fn at(second: i64) -> Timestamp {
    Timestamp::from_ms(1_769_851_800_000 + second * 1000)
}

fn alert(state: AlertState) -> Alert {
    Alert {
        id: Id::new("a1"),
        rule: "Long wait".into(),
        severity: Severity::Critical,
        state,
        overlays: vec![Overlay::Snoozed, Overlay::Unknown],
        source: Some(Id::new("shop")),
        subject: Subject { kind: SubjectKind::Queue, id: Id::new("q\u{1f}1"), name: "Billing <b>".into() },
        metric: "longest_wait".into(),
        value: Some(130.5),
        limit: Some(120.0),
        unit: "seconds".into(),
        n: Some(3),
        pending_since: Some(at(0)),
        fired_at: Some(at(1)),
        resolved_at: None,
        acked_at: Some(at(2)),
        acked_until: Some(at(602)),
        snoozed_until: None,
        inhibited_by: Some(Id::new("a0")),
        flapping: true,
        reason: "130 s > 120 s (queue)".into(),
    }
}

#[test]
fn every_transition_is_kept_with_its_actor_and_the_alert_comes_back_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let (mut desk, _) = Desk::open(&path).unwrap();
    let ada = Actor::Person("Ada".into());
    desk.record(&[(Transition::Firing, alert(AlertState::Firing))], &Actor::Rules, at(1), |_| Some(0.5))
        .unwrap();
    desk.record(&[(Transition::Acked, alert(AlertState::Acked))], &ada, at(2), |_| None).unwrap();
    drop(desk);
    let (mut desk, _) = Desk::open(&path).unwrap();
    assert_eq!(desk.open_alerts().unwrap(), [alert(AlertState::Acked)]);
    let journal = desk.journal(at(0), at(9)).unwrap();
    assert_eq!(journal.len(), 2);
    assert_eq!(
        (journal[0].transition, &journal[0].actor, journal[0].source_age_s),
        (Transition::Firing, &Actor::Rules, Some(0.5))
    );
    assert_eq!((journal[1].transition, &journal[1].actor, journal[1].n), (Transition::Acked, &ada, Some(3)));
    assert!(desk.journal(at(5), at(9)).unwrap().is_empty());
    // Another face sees who has it, while the app has the file open.
    let reader = DeskReader::open(&path).unwrap();
    let acked = reader.acknowledgements().unwrap();
    assert_eq!(acked.len(), 1);
    assert_eq!((&acked[0].actor, acked[0].until, acked[0].snooze), (&ada, Some(at(602)), false));
    assert_eq!(acked[0].subject, alert(AlertState::Acked).subject);
    // When it is over, what stood for it goes; the log stays.
    let over = Alert { state: AlertState::Inactive, resolved_at: Some(at(8)), ..alert(AlertState::Acked) };
    desk.record(&[(Transition::Resolved, over)], &Actor::Rules, at(8), |_| None).unwrap();
    assert!(desk.open_alerts().unwrap().is_empty());
    assert!(reader.acknowledgements().unwrap().is_empty());
    assert_eq!(reader.journal(at(0), at(9)).unwrap().len(), 3);
    desk.retain(at(100)).unwrap();
    assert!(reader.journal(at(0), at(9)).unwrap().is_empty());
}

#[test]
fn snooze_and_ack_are_two_things() {
    let dir = tempfile::tempdir().unwrap();
    let (mut desk, _) = Desk::open(&dir.path().join("desk.db")).unwrap();
    let bo = Actor::Person("Bo".into());
    let both =
        [(Transition::Acked, alert(AlertState::Acked)), (Transition::Snoozed, alert(AlertState::Acked))];
    desk.record(&both, &bo, at(3), |_| None).unwrap();
    assert_eq!(desk.acknowledgements().unwrap().len(), 2);
    desk.record(&[(Transition::Unacked, alert(AlertState::Firing))], &bo, at(4), |_| None).unwrap();
    let left = desk.acknowledgements().unwrap();
    assert!(left.len() == 1 && left[0].snooze && left[0].until.is_none());
}

#[test]
fn notes_come_and_go_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut desk, _) = Desk::open(&dir.path().join("desk.db")).unwrap();
    let text = "'); DROP TABLE note; -- %_ \u{1F9FE}";
    let id = desk.add_note(Some(&Id::new("a1")), "Ada", text, at(0)).unwrap();
    desk.add_note(None, "Ada", "hand-over", at(1)).unwrap();
    let notes = desk.notes(Some(&Id::new("a1"))).unwrap();
    assert!(notes.len() == 1 && notes[0].text == text && notes[0].id == id);
    assert!(desk.remove_note(id).unwrap() && !desk.remove_note(id).unwrap());
    assert_eq!(desk.notes(None).unwrap().len(), 1);
}

/// The run that wrote this never said goodbye.
#[test]
fn timers_have_run_until_the_last_sign_of_life_and_end_with_their_alert() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let runs = |ms, since: i64| Ran { ms, since: Some(at(since)) };
    let stands = |ms| Ran { ms, since: None };
    let (id, gone) = (Id::new("a1"), Id::new("a2"));
    let timers = Timers { held: runs(500, 10), critical: runs(0, 12), quiet: stands(70), flap_holds: true };
    let write = |desk: &mut Desk, transitions: &[(Transition, Alert)], timers: &[(Id, Timers)]| {
        let aside = |_: &Alert| Aside::default();
        let told = Told { transitions, actor: &Actor::Rules, at: at(1), aside: &aside, quiet: &[], timers };
        desk.record_all(&[told]).unwrap();
    };
    for (until, held, critical) in [(Some(at(11)), 1500, 0), (Some(at(5)), 500, 0), (None, 500, 0)] {
        let (mut desk, _) = Desk::open(&path).unwrap();
        let recovering = alert(AlertState::Recovering);
        write(
            &mut desk,
            &[(Transition::Recovering, recovering.clone())],
            &[(id.clone(), timers), (gone.clone(), timers)],
        );
        // A relapse has no line; its timer is set back.
        let firing = alert(AlertState::Firing);
        let aside = |_: &Alert| Aside::default();
        let told = Told {
            transitions: &[],
            actor: &Actor::Rules,
            at: at(2),
            aside: &aside,
            quiet: std::slice::from_ref(&firing),
            timers: &[],
        };
        desk.record_all(&[told]).unwrap();
        assert_eq!(desk.open_alerts().unwrap(), [firing]);
        drop(desk);
        let (mut desk, _) = Desk::open(&path).unwrap();
        desk.stop_timers(until).unwrap();
        let stopped =
            Timers { held: stands(held), critical: stands(critical), quiet: stands(70), flap_holds: true };
        assert_eq!(desk.timers().unwrap(), [(id.clone(), stopped)], "{until:?}");
        desk.stop_timers(Some(at(99))).unwrap();
        assert_eq!(desk.timers().unwrap(), [(id.clone(), stopped)], "once");
        write(&mut desk, &[(Transition::Resolved, alert(AlertState::Inactive))], &[(id.clone(), timers)]);
        assert_eq!(desk.timers().unwrap(), []);
        assert_eq!(desk.open_alerts().unwrap(), []);
    }
}
