//! After a restart nothing fires twice, and nothing is known before it is told.

use engine::alerts::{Alerts, RuleSpec, Touched};
use model::{Alert, AlertState, Health, Overlay, SubjectKind, Transition};

use crate::floor::{Play, book, rule, text};

fn spec() -> RuleSpec {
    RuleSpec { hold: text("10s"), keep: text("20s"), ..rule("queue.waiting > 4") }
}

/// What stood before, and a floor of which nothing is known yet.
fn restarted(stood: Vec<Alert>, with_rows: bool) -> Play {
    let mut p = Play::new(book(&[spec()]));
    p.health(100.0, Health::Connecting);
    if !with_rows {
        p.remove(SubjectKind::Queue, "q1");
    }
    p.alerts = Alerts::default();
    p.alerts.set_rules(book(&[spec()]));
    p.alerts.restore(stood, p.now);
    p.lines.clear();
    p.evaluate(&[Touched::All]);
    p
}

fn fired() -> Vec<Alert> {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    p.run_to(50.0);
    p.alerts.alerts()
}

#[test]
fn no_second_firing() {
    for with_rows in [true, false] {
        let stood = fired();
        let mut p = restarted(stood.clone(), with_rows);
        assert_eq!(p.told(), ["100 unknown"]);
        let a = p.only();
        assert_eq!((&a.id, a.state, a.fired_at), (&stood[0].id, AlertState::Firing, stood[0].fired_at));
        assert_eq!(a.overlays, [Overlay::Unknown]);
        p.row(SubjectKind::Queue, "q1", "Billing", &[]);
        p.waiting(110.0, 9);
        p.health(120.0, Health::Live);
        p.run_to(500.0);
        assert_eq!(p.told(), ["120 known"]);
        p.waiting(600.0, 0);
        p.run_to(700.0);
        assert_eq!(p.told(), ["600 recovering", "620 resolved"]);
    }
}

#[test]
fn what_ended_meanwhile_ends_now() {
    let mut p = restarted(fired(), true);
    p.waiting(110.0, 0);
    p.health(120.0, Health::Live);
    p.run_to(500.0);
    assert_eq!(p.told(), ["100 unknown", "120 known", "120 recovering", "140 resolved"]);
    let mut p = restarted(fired(), false);
    p.health(120.0, Health::Live);
    assert_eq!(p.told(), ["100 unknown", "120 resolved"], "the queue is gone");
}

#[test]
fn a_pending_begins_its_time_anew() {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    let mut p = restarted(p.alerts.alerts(), true);
    p.waiting(110.0, 9);
    p.health(120.0, Health::Live);
    p.run_to(129.9);
    assert_eq!(p.told(), ["100 unknown", "120 known"]);
    p.run_to(130.0);
    assert_eq!(p.told(), ["130 firing"]);
}

#[test]
fn acknowledgement_and_snooze_survive() {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    p.run_to(10.0);
    p.acknowledge(11.0);
    let alert = p.only().id;
    p.command(12.0, engine::DeskCommand::Snooze { alert, until: Some(crate::floor::at(300.0)) });
    let mut p = restarted(p.alerts.alerts(), true);
    p.waiting(110.0, 9);
    p.health(120.0, Health::Live);
    assert_eq!((p.only().state, p.only().overlays), (AlertState::Acked, vec![Overlay::Snoozed]));
    p.run_to(400.0);
    assert_eq!(p.told(), ["100 unknown", "120 known", "300 unsnoozed"]);
}

#[test]
fn a_rule_that_is_gone_ends_its_alerts() {
    let stood = fired();
    let mut alerts = Alerts::default();
    alerts.set_rules(book(&[]));
    alerts.restore(stood, crate::floor::at(100.0));
    let p = Play::new(book(&[]));
    let lines = alerts.evaluate(&p.figures, &[Touched::All], crate::floor::at(100.0));
    assert_eq!(lines.iter().map(|(t, _)| *t).collect::<Vec<_>>(), [Transition::Resolved]);
    assert!(alerts.alerts().is_empty());
}
