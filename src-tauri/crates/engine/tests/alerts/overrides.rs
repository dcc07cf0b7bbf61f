//! Scopes and overrides: the narrowest wins, and the alert says which.

use engine::alerts::{GroupSpec, OverrideSpec, RuleSpec, ScopeSpec, Touched};
use model::SubjectKind;

use crate::floor::{Play, book, book_with, rule, text};

fn groups() -> Vec<GroupSpec> {
    vec![GroupSpec { name: "Money".into(), queues: vec!["shop:*billing*".into()], ..GroupSpec::default() }]
}
fn list(globs: &[&str]) -> Option<Vec<String>> {
    Some(globs.iter().map(|g| g.to_string()).collect())
}
fn limit(n: u32) -> Option<String> {
    Some(format!("queue.waiting > {n}"))
}

#[test]
fn queue_before_group_before_source_before_the_rule() {
    let source = OverrideSpec { source: list(&["sh*"]), when: limit(20), ..OverrideSpec::default() };
    let group = OverrideSpec { group: list(&["Money"]), when: limit(30), ..OverrideSpec::default() };
    let queue = OverrideSpec { queue: list(&["shop:q1"]), when: limit(40), ..OverrideSpec::default() };
    let cases = [
        (vec![], 10.0, ""),
        (vec![source.clone()], 20.0, " (override for source “sh*”)"),
        (vec![source.clone(), group.clone()], 30.0, " (override for group “Money”)"),
        (vec![source, group, queue], 40.0, " (override for queue “shop:q1”)"),
    ];
    for (overrides, expected, level) in cases {
        let spec = RuleSpec { overrides, ..rule("queue.waiting > 10") };
        let mut p = Play::new(book_with(&[spec], &groups(), &[]));
        p.waiting(0.0, 99);
        let a = p.only();
        assert_eq!(a.limit, Some(expected));
        assert_eq!(a.reason, format!("Billing: 99 people wait, limit {expected}{level}"));
    }
}

#[test]
fn an_override_changes_only_what_it_says() {
    let o = OverrideSpec { queue: list(&["shop:billing"]), hold: text("5s"), ..OverrideSpec::default() };
    let spec =
        RuleSpec { hold: text("60s"), keep: text("7s"), overrides: vec![o], ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    p.row(SubjectKind::Queue, "q2", "Sales", &[]);
    p.waiting(0.0, 9);
    p.set_on(SubjectKind::Queue, "q2", 0.0, "waiting", engine::alerts::Reading::number(9.0));
    p.run_to(5.0);
    assert_eq!(p.told(), ["0 pending", "0 pending", "5 firing"]);
    p.waiting(10.0, 0);
    p.run_to(17.0);
    assert_eq!(p.told(), ["10 recovering", "17 resolved"]);
    p.run_to(60.0);
    assert_eq!(p.told(), ["60 firing"]);
}

#[test]
fn an_override_turns_a_rule_off_and_on() {
    let off = OverrideSpec { queue: list(&["shop:q1"]), enabled: Some(false), ..OverrideSpec::default() };
    let mut p = Play::new(book(&[RuleSpec { overrides: vec![off], ..rule("queue.waiting > 4") }]));
    p.waiting(0.0, 9);
    assert!(p.alerts.alerts().is_empty());
    let on = OverrideSpec { queue: list(&["shop:q1"]), enabled: Some(true), ..OverrideSpec::default() };
    let spec = RuleSpec { enabled: Some(false), overrides: vec![on], ..rule("queue.waiting > 4") };
    let mut p = Play::new(book(&[spec]));
    p.row(SubjectKind::Queue, "q2", "Sales", &[]);
    p.waiting(0.0, 9);
    p.set_on(SubjectKind::Queue, "q2", 0.0, "waiting", engine::alerts::Reading::number(9.0));
    assert_eq!(p.alerts.alerts().len(), 1);
}

#[test]
fn scopes_restrict() {
    let cases = [
        (ScopeSpec { queue: list(&["shop:q1"]), ..ScopeSpec::default() }, true),
        (ScopeSpec { queue: list(&["shop:q2"]), ..ScopeSpec::default() }, false),
        (ScopeSpec { group: list(&["Money"]), ..ScopeSpec::default() }, true),
        (ScopeSpec { source: list(&["help*"]), ..ScopeSpec::default() }, false),
        (ScopeSpec { source: list(&["Source sh*"]), queue: list(&["*"]), ..ScopeSpec::default() }, true),
        (ScopeSpec { source: list(&["shop"]), queue: list(&["shop:x"]), ..ScopeSpec::default() }, false),
    ];
    for (scope, looks) in cases {
        let spec = RuleSpec { scope: scope.clone(), ..rule("queue.waiting > 4") };
        let mut p = Play::new(book_with(&[spec], &groups(), &[]));
        p.waiting(0.0, 9);
        assert_eq!(!p.alerts.alerts().is_empty(), looks, "{scope:?}");
    }
}

#[test]
fn a_queue_that_is_renamed_out_of_a_scope_leaves_it() {
    let scope = ScopeSpec { queue: list(&["shop:billing"]), ..ScopeSpec::default() };
    let mut p = Play::new(book(&[RuleSpec { scope, ..rule("queue.waiting > 4") }]));
    p.waiting(0.0, 9);
    p.told();
    p.row(SubjectKind::Queue, "q1", "Sales", &[]);
    p.waiting(1.0, 9);
    assert_eq!(p.told(), ["1 resolved"]);
    assert_eq!(p.lines.last().unwrap().2.reason, "Sales: the rule no longer looks at it");
}

#[test]
fn agents_are_found_by_their_queues() {
    let scope = ScopeSpec { queue: list(&["shop:billing"]), ..ScopeSpec::default() };
    let mut p = Play::new(book(&[RuleSpec { scope, ..rule("agent.presence == away") }]));
    p.row(SubjectKind::Agent, "a1", "Ada", &["q1"]);
    p.row(SubjectKind::Agent, "a2", "Bo", &[]);
    for agent in ["a1", "a2"] {
        p.set_on(SubjectKind::Agent, agent, 0.0, "presence", engine::alerts::Reading::Word("away".into()));
    }
    let a = p.only();
    assert_eq!((a.subject.name.as_str(), a.unit.as_str(), a.value), ("Ada", "name", None));
    assert_eq!(a.reason, "Ada: presence is away");
}

#[test]
fn other_rules_end_or_carry_on_what_stands() {
    let first = RuleSpec { name: "First".into(), ..rule("queue.waiting > 4") };
    let second = RuleSpec { name: "Second".into(), ..rule("queue.waiting > 5") };
    let mut p = Play::new(book(&[first.clone(), second]));
    p.waiting(0.0, 9);
    p.told();
    let changed = RuleSpec { when: "queue.waiting > 100".into(), ..first };
    p.alerts.set_rules(book(&[changed]));
    p.run_to(1.0);
    p.evaluate(&[Touched::All]);
    assert_eq!(p.told(), ["1 resolved", "1 recovering"]);
    assert_eq!(p.lines[p.lines.len() - 2].2.reason, "Billing: the rule was removed");
    assert_eq!(p.only().rule, "First");
}
