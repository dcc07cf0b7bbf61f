//! Pending, firing, acknowledged, recovering, escalating, flapping.

use engine::{DeskCommand, alerts::Reading};
use model::{AlertState, Overlay, Severity, SubjectKind, Timestamp};

use crate::floor::{Play, at, book, rule, text};

fn waiting_rule() -> engine::alerts::RuleSpec {
    engine::alerts::RuleSpec { hold: text("10s"), keep: text("20s"), ..rule("queue.waiting > 4") }
}

#[test]
fn from_pending_to_resolved() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 4);
    assert_eq!(p.told(), [""; 0], "4 is not more than 4");
    p.waiting(1.0, 5);
    p.run_to(10.9);
    assert_eq!(p.told(), ["1 pending"]);
    p.run_to(11.0);
    assert_eq!(p.told(), ["11 firing"]);
    let a = p.only();
    assert_eq!(
        (a.state, a.severity, a.value, a.limit),
        (AlertState::Firing, Severity::Warning, Some(5.0), Some(4.0))
    );
    assert_eq!((a.metric.as_str(), a.unit.as_str()), ("waiting", "count"));
    assert_eq!((a.pending_since, a.fired_at, a.resolved_at), (Some(at(1.0)), Some(at(11.0)), None));
    assert_eq!(a.reason, "Billing: 5 people wait, limit 4");
    p.waiting(30.0, 3);
    assert_eq!(p.told(), [""; 0], "3 is the clear value, not past it");
    p.waiting(40.0, 2);
    p.run_to(59.9);
    assert_eq!(p.told(), ["40 recovering"]);
    p.run_to(60.0);
    assert_eq!(p.told(), ["60 resolved"]);
    let (_, _, last) = p.lines.last().unwrap();
    assert_eq!((last.state, last.resolved_at, &last.id), (AlertState::Inactive, Some(at(60.0)), &a.id));
    assert!(p.alerts.alerts().is_empty());
    assert_eq!(p.alerts.next_deadline(), None, "nothing is left to look at");
}

#[test]
fn a_pending_that_comes_to_nothing_resolves_without_having_fired() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.waiting(9.9, 4);
    assert_eq!(p.told(), ["0 pending", "9.9 resolved"]);
    assert_eq!(p.lines[1].2.fired_at, None);
    p.waiting(20.0, 9);
    p.run_to(30.0);
    assert_eq!(p.told(), ["20 pending", "30 firing"], "the time before does not count");
    assert_ne!(p.lines[0].2.id, p.only().id, "one id per episode");
}

#[test]
fn without_a_time_it_fires_at_once_and_without_keep_it_ends_at_once() {
    let mut p =
        Play::new(book(&[engine::alerts::RuleSpec { keep: text("0s"), ..rule("queue.waiting >= 4") }]));
    p.waiting(1.0, 4);
    p.waiting(2.0, 0);
    assert_eq!(p.told(), ["1 pending", "1 firing", "2 recovering", "2 resolved"]);
}

#[test]
fn a_relapse_prints_nothing() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.run_to(10.0);
    p.waiting(20.0, 0);
    p.waiting(30.0, 3);
    assert_eq!(p.only().state, AlertState::Firing, "at the clear value it is not recovering");
    assert_eq!(p.alerts.take_quiet_changes().len(), 1, "screens hear of it all the same");
    p.waiting(40.0, 0);
    p.run_to(59.9);
    assert_eq!(p.told(), ["0 pending", "10 firing", "20 recovering"]);
    p.run_to(60.0);
    assert_eq!(p.told(), ["60 resolved"], "keep counts from the last time");
}

#[test]
fn a_wait_grows_by_itself_and_has_an_exact_deadline() {
    let spec = engine::alerts::RuleSpec {
        critical: text("queue.longest_wait > 120s"),
        ..rule("queue.longest_wait > 60s")
    };
    let mut p = Play::new(book(&[spec]));
    p.set(5.0, "longest_wait", Reading::CountingUp { since: at(2.0) });
    p.run_to(62.0);
    assert_eq!(p.told(), [""; 0]);
    p.run_to(63.0);
    assert_eq!(p.told(), ["62.001 pending", "62.001 firing"]);
    assert_eq!(p.only().reason, "Billing: someone has waited 1:00, limit 1:00");
    assert_eq!(p.alerts.counts_from(&p.only().id), Some(at(2.0)));
    p.run_to(130.0);
    assert_eq!(p.told(), ["122.001 escalated"]);
    let a = p.only();
    assert_eq!((a.severity, a.limit), (Severity::Critical, Some(120.0)));
    assert_eq!(a.reason, "Billing: someone has waited 2:00, limit 2:00");
    p.set(140.0, "longest_wait", Reading::CountingUp { since: at(60.0) });
    assert_eq!(p.told(), [""; 0], "going down is silent");
    assert_eq!(p.only().severity, Severity::Warning);
    p.run_to(185.0);
    assert_eq!(p.told(), ["180.001 escalated"]);
    p.set(190.0, "longest_wait", Reading::number(0.0));
    p.run_to(300.0);
    assert_eq!(p.told(), ["190 recovering", "220 resolved"]);
    assert_eq!(p.lines.last().unwrap().2.reason, "Billing: nobody waits, limit 2:00");
}

#[test]
fn a_critical_at_once_fires_as_critical() {
    let spec = engine::alerts::RuleSpec { critical: text("queue.waiting > 9"), ..waiting_rule() };
    let mut p = Play::new(book(&[spec]));
    p.waiting(0.0, 20);
    p.run_to(10.0);
    assert_eq!(p.told(), ["0 pending", "10 firing"]);
    assert_eq!(p.only().severity, Severity::Critical);
    // 75 % of 9 is 6.75: 7 is still critical, 6 is a warning.
    p.waiting(20.0, 7);
    assert_eq!(p.only().severity, Severity::Critical);
    p.waiting(21.0, 6);
    assert_eq!(p.only().severity, Severity::Warning);
    // The critical has its own `for`.
    p.waiting(30.0, 10);
    p.run_to(39.9);
    assert_eq!(p.told(), [""; 0]);
    p.run_to(40.0);
    assert_eq!(p.told(), ["40 escalated"]);
}

#[test]
fn acknowledged_holds_until_clear() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.acknowledge(5.0);
    assert_eq!(p.told(), ["0 pending"], "what has not fired cannot be acknowledged");
    p.run_to(10.0);
    p.acknowledge(15.0);
    let a = p.only();
    assert_eq!((a.state, a.acked_at, a.acked_until), (AlertState::Acked, Some(at(15.0)), None));
    p.acknowledge(16.0);
    p.run_to(5000.0);
    assert_eq!(p.told(), ["10 firing", "15 acked"], "a warning holds, and twice is once");
    p.waiting(5001.0, 0);
    p.waiting(5002.0, 9);
    assert_eq!(p.only().state, AlertState::Acked, "a relapse is still acknowledged");
    p.waiting(5003.0, 0);
    p.run_to(5100.0);
    assert_eq!(p.told(), ["5001 recovering", "5023 resolved"]);
    let id = p.lines.last().unwrap().2.id.clone();
    p.command(5101.0, DeskCommand::Acknowledge { alert: id, until: None });
    assert_eq!(p.told(), [""; 0], "what is over stays over");
}

#[test]
fn an_acknowledged_critical_comes_back() {
    let spec = engine::alerts::RuleSpec { critical: text("queue.waiting > 9"), ..waiting_rule() };
    let mut p = Play::new(book(&[spec]));
    p.waiting(0.0, 5);
    p.run_to(10.0);
    p.acknowledge(11.0);
    p.waiting(20.0, 10);
    p.run_to(30.0);
    let a = p.only();
    assert_eq!(
        (a.state, a.acked_at),
        (AlertState::Firing, None),
        "whoever saw the warning has not seen this"
    );
    p.acknowledge(40.0);
    assert_eq!(p.only().acked_until, Some(at(640.0)));
    p.run_to(640.0);
    assert_eq!(p.only().state, AlertState::Firing);
    assert_eq!(p.told(), ["0 pending", "10 firing", "11 acked", "30 escalated", "40 acked", "640 unacked"]);
    let alert = p.only().id;
    p.command(650.0, DeskCommand::Acknowledge { alert: alert.clone(), until: Some(at(700.0)) });
    assert_eq!(p.only().acked_until, Some(at(700.0)));
    p.command(660.0, DeskCommand::Unacknowledge { alert });
    p.run_to(800.0);
    assert_eq!(p.told(), ["650 acked", "660 unacked"]);
}

#[test]
fn three_cycles_in_five_minutes_are_flapping() {
    let spec = engine::alerts::RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    for cycle in 0..10 {
        p.waiting(f64::from(cycle) * 20.0, 9);
        p.waiting(f64::from(cycle) * 20.0 + 10.0, 0);
    }
    assert_eq!(
        p.told(),
        [
            "0 pending",
            "0 firing",
            "10 recovering",
            "10 resolved",
            "20 pending",
            "20 firing",
            "30 recovering",
            "30 resolved",
            "40 pending",
            "40 firing",
            "50 recovering",
            "50 flapping",
        ]
    );
    let a = p.only();
    assert!(a.flapping && a.state == AlertState::Firing);
    // The last change was at 190: five quiet minutes later it is over.
    p.run_to(489.9);
    assert!(p.only().flapping);
    p.run_to(490.0);
    assert_eq!(p.told(), ["490 resolved"]);
    p.waiting(500.0, 9);
    p.waiting(510.0, 0);
    assert_eq!(p.told(), ["500 pending", "500 firing", "510 recovering", "510 resolved"], "a clean start");
}

#[test]
fn flapping_that_settles_on_firing_goes_on_firing() {
    let spec = engine::alerts::RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    for cycle in 0..3 {
        p.waiting(f64::from(cycle) * 20.0, 9);
        p.waiting(f64::from(cycle) * 20.0 + 10.0, 0);
    }
    p.waiting(60.0, 9);
    p.told();
    p.run_to(360.0);
    let a = p.only();
    assert!(!a.flapping && a.state == AlertState::Firing);
    p.waiting(400.0, 0);
    assert_eq!(p.told(), ["400 recovering", "400 resolved"]);
}

#[test]
fn slow_cycles_are_not_flapping() {
    let spec = engine::alerts::RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    for cycle in 0..6 {
        p.waiting(f64::from(cycle) * 200.0, 9);
        p.waiting(f64::from(cycle) * 200.0 + 10.0, 0);
    }
    assert!(!p.told().iter().any(|l| l.ends_with("flapping")));
}

#[test]
fn a_target_that_is_gone_resolves() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(0.0, 9);
    p.run_to(10.0);
    p.told();
    p.remove(SubjectKind::Queue, "q1");
    assert_eq!(p.told(), ["10 resolved"]);
    assert_eq!(p.lines.last().unwrap().2.reason, "Billing: it is no longer there");
    assert_eq!(p.alerts.next_deadline(), None);
}

#[test]
fn small_samples_say_nothing() {
    let spec = engine::alerts::RuleSpec { min_n: Some(20), ..rule("queue.abandonment_rate@30m > 5%") };
    let mut p = Play::new(book(&[spec]));
    let figure = |value, n| Reading::Known { value, n };
    p.set(0.0, "abandonment_rate@30m", figure(0.5, Some(19)));
    p.set(1.0, "abandonment_rate@30m", figure(0.5, None));
    assert_eq!(p.told(), [""; 0]);
    p.set(2.0, "abandonment_rate@30m", figure(0.5, Some(20)));
    assert_eq!(p.told(), ["2 pending", "2 firing"]);
    assert_eq!(p.only().n, Some(20));
    assert_eq!(p.only().reason, "Billing: abandonment rate (30m) is 50 %, limit 5 % (n=20)");
    p.set(3.0, "abandonment_rate@30m", figure(0.5, Some(3)));
    assert_eq!(p.told(), ["3 recovering"]);
}

#[test]
fn infinite_has_no_value_but_a_reason() {
    let mut p = Play::new(book(&[rule("queue.waiting_per_agent > 2")]));
    p.set(0.0, "waiting_per_agent", Reading::Infinite { reason: "3 wait and nobody is online".into() });
    let a = p.only();
    assert_eq!((a.value, a.limit), (None, Some(2.0)));
    assert_eq!(a.reason, "Billing: 3 wait and nobody is online");
}

#[test]
fn conversations_that_wait_unless_the_state_is_named() {
    for clear in [None, text("conversation.wait < 30s"), text("30s")] {
        answered(engine::alerts::RuleSpec { clear, ..rule("conversation.wait > 60s") });
    }
}

fn answered(spec: engine::alerts::RuleSpec) {
    let mut p = Play::new(book(&[spec]));
    p.row(SubjectKind::Conversation, "c1", "Ada", &["q1"]);
    let c = SubjectKind::Conversation;
    p.set_on(c, "c1", 0.0, "state", Reading::Word("waiting".into()));
    p.set_on(c, "c1", 0.0, "wait", Reading::CountingUp { since: at(0.0) });
    p.run_to(61.0);
    assert_eq!(p.told(), ["60.001 pending", "60.001 firing"]);
    assert_eq!(p.only().reason, "Ada: has waited 1:00, limit 1:00");
    p.set_on(c, "c1", 70.0, "state", Reading::Word("active".into()));
    p.set_on(c, "c1", 70.0, "wait", Reading::number(70.0));
    assert_eq!(p.told(), ["70 recovering"], "answered is no longer waiting");
}

#[test]
fn a_written_recovery_condition_is_strict() {
    let spec = engine::alerts::RuleSpec {
        clear: text("queue.waiting <= 2"),
        keep: text("0s"),
        ..rule("queue.waiting > 4")
    };
    let mut p = Play::new(book(&[spec]));
    p.waiting(0.0, 5);
    p.waiting(1.0, 2);
    assert_eq!(p.told(), ["0 pending", "0 firing"]);
    p.waiting(2.0, 1);
    assert_eq!(p.told(), ["2 recovering", "2 resolved"]);
    let bare = engine::alerts::RuleSpec { clear: text("2"), keep: text("0s"), ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[bare]));
    p.waiting(0.0, 5);
    p.waiting(1.0, 2);
    p.waiting(2.0, 1);
    assert_eq!(p.told(), ["0 pending", "0 firing", "2 recovering", "2 resolved"]);
}

#[test]
fn a_snooze_is_quiet_for_its_time_and_over_episodes() {
    let spec = engine::alerts::RuleSpec { keep: text("0s"), ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    p.waiting(0.0, 9);
    let alert = p.only().id;
    p.command(1.0, DeskCommand::Snooze { alert: alert.clone(), until: Some(at(0.5)) });
    p.command(1.0, DeskCommand::Snooze { alert, until: Some(at(101.0)) });
    assert_eq!(p.only().overlays, [Overlay::Snoozed]);
    assert_eq!(p.only().snoozed_until, Some(at(101.0)));
    p.waiting(10.0, 0);
    p.waiting(20.0, 9);
    assert_eq!(p.only().overlays, [Overlay::Snoozed], "the next episode is quiet too");
    p.run_to(101.0);
    assert_eq!(p.only().overlays, []);
    assert_eq!(
        p.told(),
        [
            "0 pending",
            "0 firing",
            "1 snoozed",
            "10 recovering",
            "10 resolved",
            "20 pending",
            "20 snoozed",
            "20 firing",
            "101 unsnoozed",
        ]
    );
    let alert = p.only().id;
    p.command(110.0, DeskCommand::Snooze { alert: alert.clone(), until: None });
    assert_eq!((p.only().snoozed_until, p.only().overlays), (None, vec![Overlay::Snoozed]));
    p.run_to(5000.0);
    p.waiting(5000.0, 0);
    p.waiting(5010.0, 9);
    assert_eq!(p.only().overlays, [], "until clear is until clear");
    p.command(5011.0, DeskCommand::Unsnooze { alert });
    assert_eq!(p.told(), ["110 snoozed", "5000 recovering", "5000 resolved", "5010 pending", "5010 firing"]);
}

#[test]
fn what_was_not_touched_is_not_tested() {
    let mut p = Play::new(book(&[waiting_rule()]));
    for n in 0..500 {
        p.row(SubjectKind::Queue, &format!("x{n}"), "Other", &[]);
    }
    p.evaluate(&[engine::alerts::Touched::All]);
    let before = p.alerts.tests();
    p.waiting(1.0, 9);
    p.run_to(60.0);
    assert_eq!(p.alerts.tests() - before, 2, "one touch, one deadline");
}

#[test]
fn a_clock_that_is_set_back_breaks_nothing() {
    let mut p = Play::new(book(&[waiting_rule()]));
    p.waiting(100.0, 9);
    p.now = Timestamp::from_ms(at(0.0).as_ms());
    p.evaluate(&[engine::alerts::Touched::All]);
    p.run_to(200.0);
    assert_eq!(p.only().state, AlertState::Firing);
}

#[test]
fn a_rule_is_tried_on_the_past() {
    let spec = engine::alerts::RuleSpec { critical: text("queue.waiting > 9"), ..waiting_rule() };
    let mut p = Play::new(book(std::slice::from_ref(&spec)));
    let mut trial = engine::alerts::Trial::new(book(&[spec]));
    let past = [(0.0, 5), (5.0, 3), (100.0, 5), (150.0, 12), (200.0, 0), (300.0, 20)];
    for (seconds, n) in past {
        trial.wait(&p.figures, at(seconds));
        p.waiting(seconds, n);
        let touched = engine::alerts::Touched::One(SubjectKind::Queue, model::Key::new("shop", "q1"));
        trial.feed(&p.figures, &[touched], at(seconds));
    }
    trial.wait(&p.figures, at(1000.0));
    let fired: Vec<_> = trial.fired().map(|f| (f.severity, f.from, f.until)).collect();
    let expected = [(Severity::Critical, at(110.0), Some(at(220.0))), (Severity::Critical, at(310.0), None)];
    assert_eq!((fired, trial.left_out()), (expected.to_vec(), 0));
}

#[test]
fn an_acknowledgement_also_ends_on_time_while_the_figure_is_gone_and_it_recovers() {
    let spec = engine::alerts::RuleSpec {
        critical: text("queue.waiting > 9"),
        keep: text("44s"),
        ..rule("queue.waiting > 4")
    };
    let mut p = Play::new(book(&[spec]));
    p.waiting(1.0, 12);
    p.acknowledge(2.0);
    p.waiting(3.0, 0);
    p.unknown(4.0);
    p.told();
    p.run_to(601.9);
    assert_eq!(p.told(), [""; 0]);
    p.run_to(602.0);
    assert_eq!(p.told(), ["602 unacked"], "at its moment, not whenever somebody looks next");
    p.evaluate(&[engine::alerts::Touched::All]);
    assert_eq!(p.told(), [""; 0]);
}
