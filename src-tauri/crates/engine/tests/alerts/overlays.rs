//! Unknown, inhibited, muted.

use engine::alerts::{HoursSpec, Reading, RuleSpec, Touched};
use model::{AlertState, Health, Overlay, SubjectKind, Timestamp};

use crate::floor::{Play, at, book, book_with, rule, text};

fn waiting_rule() -> RuleSpec {
    RuleSpec { hold: text("10s"), keep: text("20s"), ..rule("queue.waiting > 4") }
}
fn lost_rule() -> RuleSpec {
    RuleSpec { name: "Lost".into(), keep: text("0s"), ..rule("source.lost_for > 4s") }
}

#[test]
fn a_gap_freezes_pending_and_never_completes_it() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.unknown(6.0);
    assert_eq!(p.only().overlays, [Overlay::Unknown]);
    assert_eq!(p.only().value, None, "an old figure is not the present one");
    p.run_to(1000.0);
    p.waiting(1000.0, 9);
    p.run_to(1003.9);
    assert_eq!(p.told(), ["0 pending", "6 unknown", "1000 known"]);
    p.run_to(1004.0);
    assert_eq!(p.told(), ["1004 firing"], "6 s before the gap and 4 s after it");
}

#[test]
fn a_gap_freezes_recovering() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.waiting(20.0, 0);
    p.unknown(25.0);
    p.run_to(500.0);
    assert_eq!(p.only().state, AlertState::Recovering);
    p.waiting(500.0, 0);
    p.run_to(600.0);
    assert_eq!(
        p.told(),
        ["0 pending", "10 firing", "20 recovering", "25 unknown", "500 known", "515 resolved"]
    );
}

#[test]
fn nothing_begins_and_nothing_ends_while_unknown() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.unknown(0.0);
    p.run_to(100.0);
    assert_eq!(p.told(), [""; 0]);
    p.waiting(100.0, 9);
    p.run_to(120.0);
    p.unknown(120.0);
    p.run_to(9000.0);
    assert_eq!(p.told(), ["100 pending", "110 firing", "120 unknown"]);
    p.waiting(9000.0, 9);
    assert_eq!(p.told(), ["9000 known"], "no second firing");
}

#[test]
fn a_lost_source_is_one_alert_and_inhibits_its_queues() {
    let mut p = Play::new(book(&[waiting_rule(), lost_rule()]));
    p.health(0.0, Health::Live);
    p.waiting(0.0, 9);
    p.run_to(30.0);
    p.told();
    p.health(30.0, Health::Retrying);
    p.run_to(60.0);
    assert_eq!(p.told(), ["30 unknown", "34.001 pending", "34.001 firing", "34.001 inhibited"]);
    let alerts = p.alerts.alerts();
    let cause = alerts.iter().find(|a| a.rule == "Lost").unwrap();
    let effect = alerts.iter().find(|a| a.rule == "Test").unwrap();
    assert_eq!(effect.inhibited_by.as_ref(), Some(&cause.id));
    assert_eq!(effect.overlays, [Overlay::Inhibited, Overlay::Unknown]);
    assert_eq!(cause.reason, "Source shop: no fresh data for 0:04");
    p.health(90.0, Health::Live);
    let lines: Vec<_> = p.lines.iter().rev().take(4).map(|(_, t, a)| (a.rule.clone(), *t)).collect();
    use model::Transition::{Known, Recovering, Resolved, Uninhibited};
    let expected = [("Test", Uninhibited), ("Test", Known), ("Lost", Resolved), ("Lost", Recovering)];
    assert_eq!(lines, expected.map(|(r, t)| (r.to_string(), t)), "the cause ends first");
    assert_eq!(p.alerts.alerts()[0].inhibited_by, None);
}

#[test]
fn rows_that_vanish_with_their_source_prove_nothing() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.run_to(10.0);
    p.health(20.0, Health::Retrying);
    p.remove(SubjectKind::Queue, "q1");
    assert_eq!(p.only().state, AlertState::Firing);
    assert_eq!(p.only().overlays, [Overlay::Unknown]);
    p.health(30.0, Health::Live);
    assert_eq!(p.told().last().unwrap(), "30 resolved", "now it is known to be gone");
}

fn shop_hours(open: &[&str]) -> HoursSpec {
    HoursSpec {
        queues: vec!["shop:*".into()],
        zone: "Europe/Helsinki".into(),
        open: open.iter().map(|s| s.to_string()).collect(),
        ..HoursSpec::default()
    }
}

#[test]
fn outside_hours_nothing_fires_until_they_begin() {
    // The clock stands at Saturday 11:00 in Helsinki.
    let book = book_with(&[waiting_rule()], &[], &[shop_hours(&["sat 11:30-16:00"])]);
    let mut p = Play::new(book);
    p.waiting(0.0, 9);
    p.run_to(1799.0);
    assert_eq!(p.told(), ["0 pending", "0 muted"]);
    assert_eq!((p.only().state, p.only().overlays), (AlertState::Pending, vec![Overlay::Muted]));
    p.run_to(1800.0);
    assert_eq!(p.told(), ["1800 unmuted", "1800 firing"]);
    p.run_to(5.0 * 3600.0);
    assert_eq!(p.told(), ["18000 muted"]);
    assert_eq!(p.only().state, AlertState::Firing);
    p.waiting(5.5 * 3600.0, 0);
    p.run_to(6.0 * 3600.0);
    assert_eq!(p.told(), ["19800 recovering", "19820 resolved"], "recovery goes on");
}

#[test]
fn a_rule_that_names_the_hours_is_not_muted_by_them() {
    let spec = rule("queue.waiting > 4 and queue.open_hours == false");
    let book = book_with(&[spec], &[], &[shop_hours(&["sat 11:30-16:00"])]);
    let mut p = Play::new(book);
    p.waiting(0.0, 9);
    p.run_to(1800.0);
    assert_eq!(p.told(), ["0 pending", "0 firing", "1800 recovering"]);
}

#[test]
fn a_rule_of_its_own_hours() {
    let spec = RuleSpec {
        active: Some(vec!["daily 11:30-12:00".into()]),
        zone: text("Europe/Helsinki"),
        keep: text("0s"),
        ..rule("queue.waiting > 4")
    };
    let mut p = Play::new(book(&[spec]));
    p.waiting(0.0, 9);
    p.run_to(4000.0);
    assert_eq!(p.told(), ["0 pending", "0 muted", "1800 unmuted", "1800 firing", "3600 muted"]);
}

#[test]
fn on_days_that_change_clocks_hours_follow_the_local_clock() {
    let spec = RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4") };
    // Clocks go forward on 2026-03-29 and back on 2026-10-25; 08:00 is 06:00Z, 05:00Z and 06:00Z.
    for (night, opens) in [
        ("2026-01-31T00:00:00Z", "2026-01-31T06:00:00.000Z"),
        ("2026-03-29T00:00:00Z", "2026-03-29T05:00:00.000Z"),
        ("2026-10-25T00:00:00Z", "2026-10-25T06:00:00.000Z"),
    ] {
        let book = book_with(std::slice::from_ref(&spec), &[], &[shop_hours(&["daily 08:00-20:00"])]);
        let mut p = Play::new(book);
        p.now = night.parse::<Timestamp>().unwrap();
        let start = p.now.seconds_since(at(0.0));
        p.waiting(start, 9);
        p.run_to(start + 12.0 * 3600.0);
        assert_eq!(p.only().fired_at.unwrap().to_string(), opens);
    }
}

#[test]
fn a_sleeping_machine_completes_nothing() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.sleep_to(3600.0);
    p.evaluate(&[]);
    assert_eq!(p.told(), ["0 pending"], "nobody saw that hour");
    // The links have noticed: this is told anew.
    p.waiting(3602.0, 9);
    p.run_to(3700.0);
    assert_eq!(p.told(), ["3610 firing"], "ten seconds of the awake machine");
    let mut p = Play::new(book(&[RuleSpec { ..rule("queue.longest_wait > 60s") }]));
    p.set(0.0, "longest_wait", Reading::CountingUp { since: at(0.0) });
    p.sleep_to(3600.0);
    p.evaluate(&[Touched::One(SubjectKind::Queue, model::Key::new("shop", "other"))]);
    assert_eq!(p.told(), [""; 0]);
    p.set(3605.0, "longest_wait", Reading::number(0.0));
    p.run_to(3700.0);
    assert_eq!(p.told(), [""; 0], "they left while the machine slept");
}
