//! The rules that are on from the first minute.

use engine::alerts::{Defaults, Reading, RuleSpec, Rulebook, Targets};
use model::{Health, Severity, SubjectKind};
use std::sync::Arc;

use crate::floor::{Play, at, rule};

fn defaults() -> Arc<Rulebook> {
    let (book, errors) = Rulebook::compile(&[], &[], &[], Targets::default(), true);
    assert_eq!(errors, vec![]);
    Arc::new(book)
}
fn n(value: f64) -> Reading {
    Reading::number(value)
}
/// Rules that stand, with their severity, in the order of their names.
fn standing(p: &Play) -> Vec<(String, Severity)> {
    let mut all: Vec<_> = p
        .alerts
        .alerts()
        .into_iter()
        .filter(|a| a.fired_at.is_some())
        .map(|a| (a.rule, a.severity))
        .collect();
    all.sort();
    all
}
use Severity::{Critical, Warning};

#[track_caller]
fn expect(p: &Play, expected: &[(&str, Severity)]) {
    let expected: Vec<_> = expected.iter().map(|(r, s)| (r.to_string(), *s)).collect();
    assert_eq!(standing(p), expected);
}

#[test]
fn there_are_twelve_and_users_replace_them() {
    let names: Vec<String> = defaults().rules().iter().map(|r| r.name().to_string()).collect();
    assert_eq!(
        names,
        [
            "Long wait",
            "Waiting per agent",
            "Nobody online",
            "No free slot",
            "Agent free while people wait",
            "Reply overdue",
            "Slots nearly full",
            "Abandonment",
            "Service level",
            "Agent away",
            "Source lost",
            "Sign-in refused",
        ]
    );
    let own = RuleSpec { name: "Long wait".into(), ..rule("queue.longest_wait > 5m") };
    let (book, _) = Rulebook::compile(&[own], &[], &[], Targets::default(), true);
    assert_eq!(book.rules().len(), 12);
    assert_eq!(book.rule("Long wait").unwrap().when(), "queue.longest_wait > 5m");
    assert!(!book.rule("Long wait").unwrap().is_default());
    let broken = RuleSpec { name: "Long wait".into(), ..rule("queue.longest_wat > 5m") };
    let (book, errors) = Rulebook::compile(&[broken], &[], &[], Targets::default(), true);
    assert_eq!((errors.len(), book.rules().len()), (1, 11), "a slip does not bring the default back");
}

#[test]
fn remote_support_has_longer_limits() {
    let waits = |remote_support: &str| {
        let of = Defaults { on: true, remote_support: vec![remote_support.to_owned()] };
        let (book, errors) = Rulebook::compile(&[], &[], &[], Targets::default(), of);
        assert_eq!(errors, vec![]);
        let mut p = Play::new(Arc::new(book));
        p.set(0.0, "longest_wait", Reading::CountingUp { since: at(0.0) });
        p
    };
    let mut p = waits("shop");
    p.run_to(179.9);
    expect(&p, &[]);
    p.run_to(180.1);
    expect(&p, &[("Long wait", Warning)]);
    assert!(p.alerts.alerts()[0].reason.contains("shop"), "{}", p.alerts.alerts()[0].reason);
    p.run_to(600.1);
    expect(&p, &[("Long wait", Critical)]);
    let mut p = waits("another");
    p.run_to(120.1);
    expect(&p, &[("Long wait", Critical)]);
}

#[test]
fn long_wait_and_nobody_online() {
    let mut p = Play::new(defaults());
    p.set(0.0, "agents_online", n(0.0));
    p.set(0.0, "waiting", n(1.0));
    p.set(0.0, "longest_wait", Reading::CountingUp { since: at(0.0) });
    p.set(0.0, "waiting_per_agent", Reading::Infinite { reason: "1 waits and nobody is online".into() });
    p.run_to(14.9);
    expect(&p, &[]);
    p.run_to(15.0);
    expect(&p, &[("Nobody online", Critical)]);
    assert_eq!(p.alerts.alerts()[0].subject.name, "Billing");
    p.run_to(60.1);
    expect(&p, &[("Long wait", Warning), ("Nobody online", Critical)]);
    p.run_to(120.1);
    expect(&p, &[("Long wait", Critical), ("Nobody online", Critical)]);
    p.set(130.0, "agents_online", n(1.0));
    p.set(130.0, "waiting_per_agent", n(1.0));
    expect(&p, &[("Long wait", Critical)]);
}

#[test]
fn waiting_per_agent_and_slots() {
    let mut p = Play::new(defaults());
    p.set(0.0, "agents_online", n(2.0));
    p.set(0.0, "waiting", n(5.0));
    p.set(0.0, "waiting_per_agent", n(2.5));
    p.set(0.0, "capacity", n(6.0));
    p.set(0.0, "free_slots", n(0.0));
    p.run_to(20.0);
    expect(&p, &[("Waiting per agent", Critical)]);
    p.run_to(30.0);
    expect(&p, &[("No free slot", Critical), ("Waiting per agent", Critical)]);
    let slot = p.alerts.alerts().into_iter().find(|a| a.rule == "No free slot").unwrap();
    assert_eq!(slot.reason, "Billing: no free slot");
    p.set(40.0, "free_slots", n(1.0));
    p.set(40.0, "waiting_per_agent", n(0.5));
    p.run_to(70.0);
    expect(&p, &[("Waiting per agent", Critical)]);
    p.run_to(100.0);
    expect(&p, &[]);
}

#[test]
fn figures_of_a_window_need_their_sample() {
    let mut p = Play::new(defaults());
    p.set(0.0, "abandonment_rate@30m", Reading::Known { value: 0.3, n: Some(19) });
    p.set(0.0, "service_level@30m", Reading::Known { value: 0.5, n: Some(9) });
    p.run_to(500.0);
    expect(&p, &[]);
    p.set(500.0, "abandonment_rate@30m", Reading::Known { value: 0.3, n: Some(20) });
    p.set(500.0, "service_level@30m", Reading::Known { value: 0.75, n: Some(10) });
    p.run_to(620.0);
    expect(&p, &[("Abandonment", Critical), ("Service level", Warning)]);
    p.set(700.0, "service_level@30m", Reading::Known { value: 0.83, n: Some(40) });
    p.run_to(2000.0);
    expect(&p, &[("Abandonment", Critical), ("Service level", Warning)]);
    p.set(2000.0, "service_level@30m", Reading::Known { value: 0.84, n: Some(40) });
    p.run_to(2300.0);
    expect(&p, &[("Abandonment", Critical)]);
}

#[test]
fn agents_and_conversations() {
    let mut p = Play::new(defaults());
    p.row(SubjectKind::Agent, "a1", "Ada", &["q1"]);
    p.row(SubjectKind::Conversation, "c1", "Bo", &["q1"]);
    let since = Reading::CountingUp { since: at(0.0) };
    p.set_on(SubjectKind::Agent, "a1", 0.0, "presence", Reading::Word("available".into()));
    p.set_on(SubjectKind::Agent, "a1", 0.0, "time_in_presence", since.clone());
    p.set_on(SubjectKind::Agent, "a1", 0.0, "agents_free_while_waiting", since.clone());
    p.run_to(61.0);
    expect(&p, &[("Agent free while people wait", Warning)]);
    p.run_to(181.0);
    expect(&p, &[("Agent free while people wait", Critical)]);
    p.set_on(SubjectKind::Agent, "a1", 200.0, "agents_free_while_waiting", n(0.0));
    expect(&p, &[]);
    p.set_on(SubjectKind::Agent, "a1", 200.0, "presence", Reading::Word("away".into()));
    p.set_on(SubjectKind::Agent, "a1", 200.0, "time_in_presence", Reading::CountingUp { since: at(200.0) });
    p.run_to(200.0 + 901.0);
    expect(&p, &[("Agent away", Warning)]);
    p.set_on(SubjectKind::Agent, "a1", 1200.0, "presence", Reading::Word("available".into()));
    expect(&p, &[]);
    p.set_on(SubjectKind::Conversation, "c1", 1300.0, "reply_age", Reading::CountingUp { since: at(1300.0) });
    p.set_on(SubjectKind::Conversation, "c1", 1300.0, "state", Reading::Word("waiting".into()));
    p.run_to(1430.0);
    expect(&p, &[]);
    p.set_on(SubjectKind::Conversation, "c1", 1430.0, "state", Reading::Word("active".into()));
    expect(&p, &[("Reply overdue", Warning)]);
}

#[test]
fn a_lost_source_within_fifteen_seconds() {
    let mut p = Play::new(defaults());
    p.health(0.0, Health::Live);
    p.health(10.0, Health::Retrying);
    p.run_to(14.1);
    expect(&p, &[("Source lost", Warning)]);
    p.run_to(70.1);
    expect(&p, &[("Source lost", Critical)]);
    p.health(80.0, Health::Live);
    expect(&p, &[]);
}
