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

#[test]
fn an_alert_speaks_of_what_it_was_raised_for_to_its_end() {
    let per_agent = RuleSpec {
        keep: text("0s"),
        ..rule("queue.waiting_per_agent > 1 and (queue.agents_online > 0 or queue.open > 3)")
    };
    let mut p = Play::new(book(&[per_agent]));
    let n = Reading::number;
    p.set(0.0, "agents_online", n(1.0));
    p.set(0.0, "open", n(9.0));
    p.set(1.0, "waiting_per_agent", n(3.0));
    let says = |p: &Play| {
        let (_, _, a) = p.lines.last().unwrap().clone();
        (a.metric, a.value, a.limit, a.reason)
    };
    let same = |value: Option<f64>, reason: &str| {
        ("waiting_per_agent".to_string(), value, Some(1.0), format!("Billing: {reason}"))
    };
    assert_eq!(says(&p), same(Some(3.0), "3 people wait per agent online, limit 1"));
    p.set(2.0, "waiting_per_agent", Reading::Unknown);
    assert_eq!(says(&p), same(None, "waiting per agent is not known now"));
    p.set(3.0, "waiting_per_agent", n(2.0));
    assert_eq!(says(&p), same(Some(2.0), "2 people wait per agent online, limit 1"));
    p.set(4.0, "open", Reading::Unknown);
    p.set(4.0, "agents_online", Reading::Unknown);
    assert_eq!(says(&p), same(None, "agents online is not known now"), "that is what is missing");
    p.set(5.0, "agents_online", n(1.0));
    p.set(6.0, "waiting_per_agent", n(0.5));
    assert_eq!(says(&p), same(Some(0.5), "0.5 people wait per agent online, limit 1"));
    assert_eq!(p.told().last().unwrap(), "6 resolved");
}

#[test]
fn an_alert_speaks_of_another_comparison_once_only_that_one_holds() {
    let either =
        RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4 or (queue.open > 8 and queue.capacity > 0)") };
    let critical = text("queue.open > 20 or queue.waiting > 50");
    let mut p = Play::new(book(&[RuleSpec { critical, ..either }]));
    let n = Reading::number;
    p.set(0.0, "capacity", n(30.0));
    p.set(0.0, "open", n(0.0));
    p.waiting(1.0, 9);
    let says = |p: &Play| (p.only().metric, p.only().value, p.only().limit);
    let is = |metric: &str, value, limit| (metric.to_string(), value, Some(limit));
    assert_eq!(says(&p), is("waiting", Some(9.0), 4.0));
    p.set(2.0, "open", n(21.0));
    assert_eq!(says(&p), is("open", Some(21.0), 20.0), "an escalation says what holds now");
    p.set(3.0, "open", n(9.0));
    assert_eq!(says(&p), is("open", Some(9.0), 8.0), "the same under the warning's limit");
    p.unknown(4.0);
    p.set(4.0, "open", n(0.0));
    assert_eq!(says(&p), is("open", None, 8.0));
    p.waiting(5.0, 9);
    assert_eq!(says(&p), is("waiting", Some(9.0), 4.0), "another comparison is what holds it");
    p.waiting(6.0, 0);
    let (_, _, end) = p.lines.last().unwrap();
    assert_eq!((end.metric.as_str(), end.reason.as_str()), ("waiting", "Billing: nobody waits, limit 4"));
}

#[test]
fn a_presence_that_lasts_is_named() {
    let mut p = Play::new(book(&[rule("agent.presence == away and agent.time_in_presence > 15m")]));
    p.row(SubjectKind::Agent, "a1", "Mia", &["q1"]);
    p.set_on(SubjectKind::Agent, "a1", 0.0, "presence", Reading::Word("away".into()));
    p.set_on(SubjectKind::Agent, "a1", 0.0, "time_in_presence", Reading::CountingUp { since: at(0.0) });
    p.run_to(1000.0);
    assert_eq!(p.only().reason, "Mia: away for 15:00, limit 15:00");
}

#[test]
fn the_least_that_is_known_may_fire_and_never_clears() {
    let mut p = Play::new(book(&[rule("queue.longest_wait > 60s")]));
    p.set(0.0, "longest_wait", Reading::AtLeast { since: at(0.0) });
    p.run_to(100.0);
    assert_eq!(p.told(), ["60.001 pending", "60.001 firing"]);
    assert_eq!(p.only().reason, "Billing: someone has waited at least 1:00, limit 1:00");
    p.set(100.0, "longest_wait", Reading::AtLeast { since: at(90.0) });
    assert_eq!((p.only().value, p.only().overlays), (None, vec![Overlay::Unknown]));
    p.run_to(134.0);
    assert_eq!(p.told(), ["100 unknown"]);
    p.run_to(200.0);
    assert_eq!(p.told(), ["135 known"]);
    p.set(300.0, "longest_wait", Reading::number(0.0));
    p.run_to(330.0);
    assert_eq!(p.told(), ["300 recovering", "330 resolved"]);
    let mut p = Play::new(book(&[rule("queue.longest_wait < 60s")]));
    p.set(0.0, "longest_wait", Reading::AtLeast { since: at(0.0) });
    p.run_to(100.0);
    assert_eq!(p.told(), [""; 0]);
}
