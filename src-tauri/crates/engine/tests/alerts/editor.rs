//! Slips: one plain sentence at the place, the other rules stay active.

use engine::alerts::{
    GroupSpec, HoursSpec, OverrideSpec, Position, RuleError, RuleSpec, Rulebook, ScopeSpec, Targets,
};

use crate::floor::{rule, text};

fn compile(rules: &[RuleSpec]) -> (Rulebook, Vec<RuleError>) {
    Rulebook::compile(rules, &[], &[], Targets::default(), false)
}
fn error(spec: RuleSpec) -> RuleError {
    let (book, mut errors) = compile(&[spec]);
    assert_eq!((book.rules().len(), errors.len()), (0, 1), "{errors:?}");
    errors.remove(0)
}
/// Field, the text under the carets, the sentence.
fn slip(when: &str) -> (String, String) {
    let e = error(rule(when));
    assert_eq!(e.field, "when");
    (when[e.span].to_string(), e.sentence)
}

#[test]
fn conditions_that_are_right() {
    let right = [
        "queue.waiting > 5",
        "(queue.waiting > 5)",
        "queue.longest_wait>=2m30s and queue.agents_online<3 or queue.free_slots == 0",
        "queue.waiting > 5 AND (queue.open > 3 OR queue.capacity <= 2)",
        "queue.abandoned@30m > 3",
        "queue.service_level@today < 80%",
        "queue.service_level@now < 0.8",
        "queue.longest_wait@60m > 10m",
        "queue.open_hours == true and queue.kind != personal",
        "queue.average_wait_s > 30s",
        "agent.presence == away and agent.time_in_presence > 15m",
        "agent.presence_label == \"Back soon\"",
        "agent.presence_label == 'Pause'",
        "conversation.state == active and conversation.reply_age > 2m",
        "source.health == stale",
        "source.denied == true",
        "source.data_age > 30s",
        "source.clock_skew < -5s",
        "total.waiting > 3",
        "floor.longest_wait > 3m",
        "queue.waiting_per_agent > 2",
        "total.score@today < 3.5",
    ];
    for when in right {
        let (_, errors) = compile(&[rule(when)]);
        assert_eq!(errors, vec![], "{when}");
    }
}

#[test]
fn slips_are_shown_where_they_are() {
    let cases = [
        ("queue.waitng > 5", "waitng", "did you mean queue.waiting?"),
        ("quue.waiting > 5", "quue", "did you mean queue?"),
        ("room.waiting > 5", "room", "is no subject; it is one of queue"),
        ("queue.longest_wait > 60", "60", "write it with a unit: 60s"),
        ("queue.longest_wait > 80%", "80%", "is a duration"),
        ("queue.waiting > 60s", "60s", "not a duration"),
        ("queue.waiting > 80%", "80%", "not a percentage"),
        ("queue.service_level@30m < 80", "80", "did you mean 80%?"),
        ("queue.service_level@30m < 140%", "140%", "between 0% and 100%"),
        ("queue.service_level < 80%", "service_level", "needs a window"),
        ("queue.abandoned@1h > 5", "1h", "did you mean 60m?"),
        ("queue.abandoned@45m > 5", "45m", "now, 15m, 30m, 60m or today"),
        ("queue.abandond@30m > 5", "abandond", "did you mean queue.abandoned@30m?"),
        ("queue.free_slots@30m > 5", "30m", "has no window"),
        ("conversation.wait@30m > 5s", "30m", "has no windowed figures"),
        ("agent.presence == avaliable", "avaliable", "did you mean available?"),
        ("agent.presence > away", ">", "has no order"),
        ("agent.presence == 5", "5", "is a word"),
        ("agent.kind == team", "kind", "queue has it"),
        ("queue.waiting > 5 and agent.open > 3", "agent", "one subject; this one is about queue"),
        ("queue.waiting = 5", "=", "write `==`"),
        ("queue.waiting => 5", "=>", "write `>=`"),
        ("queue.waiting > 5 && queue.open > 3", "&&", "write `and`"),
        ("not queue.waiting > 5", "not", "there is no `not`"),
        ("queue.waiting + 1 > 5", "+", "do not calculate"),
        ("queue.waiting > queue.open", "queue.open", "not with another metric"),
        ("queue.waiting", "", "missing at the end"),
        ("queue.waiting >", "", "a value is missing"),
        ("queue.waiting > 5 queue.open > 3", "queue.open", "`and` or `or` is missing"),
        ("(queue.waiting > 5", "(", "never closed"),
        ("queue.waiting > 5)", ")", "never opened"),
        ("waiting > 5", "waiting", "write SUBJECT.METRIC"),
        ("5 < queue.waiting", "5", "the metric comes first"),
        ("queue. > 5", "queue.", "a metric is missing"),
        ("queue.abandoned@ > 5", "@", "a window is missing"),
        ("queue.longest_wait > 5x", "5x", "is not a duration"),
        ("queue.waiting > 1.2.3", "1.2.3", "not a number"),
        ("queue.waiting > \"five", "\"", "never closed"),
        ("queue.waiting § 5", "§", "no meaning here"),
        ("and", "and", "comparison is missing"),
        ("", "", "is empty"),
        ("   ", "   ", "is empty"),
    ];
    for (when, place, sentence) in cases {
        let (found, said) = slip(when);
        assert_eq!(found, place, "{when}: {said}");
        assert!(said.contains(sentence), "{when}: {said}");
    }
}

#[test]
fn carets_stand_under_the_place() {
    let e = error(RuleSpec { position: Position(7), ..rule("queue.waiting > 5 and queue.waitng > 7") });
    assert_eq!(e.caret, "queue.waiting > 5 and queue.waitng > 7\n                            ^^^^^^");
    assert_eq!((e.position, e.rule.as_str()), (Position(7), "Test"));
    assert_eq!(e.to_string(), "Test: queue has no metric “waitng”; did you mean queue.waiting?");
    let long = format!("{} and queue.waitng > 7", vec!["queue.waiting > 5"; 50].join(" or "));
    let e = error(rule(&long));
    let (line, carets) = e.caret.split_once('\n').unwrap();
    assert!(line.chars().count() < 100 && line.starts_with('…'), "{line}");
    let column = carets.find('^').unwrap();
    assert_eq!(line.chars().skip(column).take(6).collect::<String>(), "waitng");
}

#[test]
fn a_million_characters_are_refused_politely() {
    let million = "queue.waiting > 5 and ".repeat(50_000);
    let e = error(rule(&million));
    assert!(e.sentence.contains("too long"), "{}", e.sentence);
    assert!(e.caret.len() < 200);
    let deep = format!("{}queue.waiting > 5{}", "(".repeat(2000), ")".repeat(2000));
    assert!(error(rule(&deep)).sentence.contains("parentheses"));
    let wide = vec!["queue.open > 1"; 100].join(" and ");
    assert!(error(rule(&wide)).sentence.contains("64 comparisons"));
    let name = RuleSpec { name: "x".repeat(1_000_000), ..rule("queue.waiting > 5") };
    assert!(error(name).rule.len() < 300);
    let hold = RuleSpec { hold: Some("9".repeat(1_000_000)), ..rule("queue.waiting > 5") };
    assert!(error(hold).sentence.len() < 300);
}

#[test]
fn other_fields_are_checked_too() {
    let base = || rule("queue.waiting > 5");
    let list = |g: &str| Some(vec![g.to_string()]);
    let over = |o: OverrideSpec| RuleSpec { overrides: vec![o], ..base() };
    let cases: Vec<(RuleSpec, &str, &str)> = vec![
        (RuleSpec { critical: text("queue.waitng > 9"), ..base() }, "critical", "did you mean"),
        (RuleSpec { hold: text("20"), ..base() }, "for", "write it like 90s"),
        (RuleSpec { keep: text("-5s"), ..base() }, "keep", "cannot be negative"),
        (RuleSpec { repeat: text("1 hour"), ..base() }, "repeat", "is not a duration"),
        (RuleSpec { repeat: text("0s"), ..base() }, "repeat", "at least 1s"),
        (RuleSpec { clear: text("queue.waiting > 3"), ..base() }, "clear", "clears the other way"),
        (RuleSpec { clear: text("queue.waiting < 7"), ..base() }, "clear", "must lie below the limit"),
        (RuleSpec { clear: text("7"), ..base() }, "clear", "must lie below the limit"),
        (RuleSpec { clear: text("queue.waiting < 0"), ..base() }, "clear", "clears never"),
        (RuleSpec { clear: text("0"), ..base() }, "clear", "clears never"),
        (RuleSpec { clear: text("5s"), ..base() }, "clear", "not a duration"),
        (RuleSpec { clear: text("queue.waiting > 5"), ..base() }, "clear", "clears"),
        (
            RuleSpec {
                clear: text("queue.service_level@30m > 100%"),
                ..rule("queue.service_level@30m < 80%")
            },
            "clear",
            "clears never",
        ),
        (RuleSpec { clear: text("50%"), ..rule("queue.service_level@30m < 80%") }, "clear", "must lie above"),
        (
            RuleSpec { clear: text("source.health == stale"), ..rule("source.health == stale") },
            "clear",
            "clear while",
        ),
        (RuleSpec { min_n: Some(-1), ..base() }, "min_n", "whole number"),
        (RuleSpec { severity: text("panic"), ..base() }, "severity", "`warning` or `critical`"),
        (
            RuleSpec { severity: text("critical"), critical: text("queue.waiting > 9"), ..base() },
            "severity",
            "begins as a warning",
        ),
        (RuleSpec { notify: list("pager"), ..base() }, "notify", "webhook:NAME"),
        (RuleSpec { notify: list("webhook:"), ..base() }, "notify", "webhook:NAME"),
        (RuleSpec { active: list("mon 8-9"), zone: text("Europe/Helsinki"), ..base() }, "active", "write"),
        (RuleSpec { active: list("mon 08:00-09:00"), ..base() }, "zone", "needs a `zone`"),
        (
            RuleSpec { active: list("mon 08:00-09:00"), zone: text("Europe/Atlantis"), ..base() },
            "zone",
            "no time zone “Europe/Atlantis”",
        ),
        (
            RuleSpec { scope: ScopeSpec { queue: list("["), ..ScopeSpec::default() }, ..base() },
            "scope.queue",
            "cannot be read",
        ),
        (
            RuleSpec { scope: ScopeSpec { group: list("Money"), ..ScopeSpec::default() }, ..base() },
            "scope.group",
            "no [[group]]",
        ),
        (
            RuleSpec { scope: ScopeSpec { agent: list("*"), ..ScopeSpec::default() }, ..base() },
            "scope.agent",
            "no agents",
        ),
        (
            RuleSpec {
                scope: ScopeSpec { source: list("*"), ..ScopeSpec::default() },
                ..rule("floor.waiting > 5")
            },
            "scope.source",
            "no sources",
        ),
        (over(OverrideSpec::default()), "override.1", "exactly one"),
        (
            over(OverrideSpec { queue: list("*"), source: list("*"), ..OverrideSpec::default() }),
            "override.1",
            "exactly one",
        ),
        (
            over(OverrideSpec {
                queue: list("*"),
                when: text("queue.waiting > 5s"),
                ..OverrideSpec::default()
            }),
            "override.1.when",
            "not a duration",
        ),
        (
            over(OverrideSpec { queue: list("*"), when: text("agent.open > 5"), ..OverrideSpec::default() }),
            "override.1.when",
            "about queue",
        ),
        (
            RuleSpec {
                clear: text("4"),
                overrides: vec![OverrideSpec {
                    queue: list("*"),
                    when: text("queue.waiting > 2"),
                    ..OverrideSpec::default()
                }],
                ..base()
            },
            "clear",
            "must lie below the limit",
        ),
        (RuleSpec { name: String::new(), ..base() }, "name", "between 1 and 100"),
        (RuleSpec { name: "Long \u{202e}tiaw".into(), ..base() }, "name", "printable"),
        (RuleSpec { active: Some(Vec::new()), zone: text("UTC"), ..base() }, "active", "is empty"),
        (
            RuleSpec { clear: text("2"), ..rule("queue.waiting > 5 and queue.agents_online > 0") },
            "clear",
            "only with one comparison",
        ),
    ];
    for (spec, field, sentence) in cases {
        let shown = format!("{spec:?}");
        let e = error(spec);
        assert_eq!(e.field, field, "{shown}: {}", e.sentence);
        assert!(e.sentence.contains(sentence), "{shown}: {}", e.sentence);
    }
}

#[test]
fn a_recovery_condition_lies_on_the_safe_side_of_every_comparison() {
    let with = |when: &str, clear: &str| compile(&[RuleSpec { clear: text(clear), ..rule(when) }]).1;
    for (when, clear) in [
        ("queue.waiting == 3", "queue.waiting < 5"),
        ("queue.waiting == 3", "queue.waiting > 2"),
        ("queue.waiting == 3", "queue.waiting == 3.0"),
        ("queue.waiting == 3", "queue.waiting != 4"),
        ("queue.waiting != 3", "queue.waiting < 5"),
        ("queue.waiting > 3", "queue.waiting != 3"),
        ("queue.waiting >= 3", "queue.waiting == 3"),
        ("queue.waiting > 3 and queue.open > 1", "queue.waiting < 5"),
        ("queue.waiting > 3 or queue.open == 1", "queue.open < 5"),
        ("queue.waiting > 3", "queue.waiting < 2 or queue.waiting < 4"),
        ("queue.waiting > 3", "queue.waiting < 4 and queue.open < 4"),
        ("agent.presence != away", "agent.presence == idle"),
    ] {
        let errors = with(when, clear);
        assert_eq!(errors.len(), 1, "{when}, clear {clear}");
        assert_eq!(errors[0].field, "clear", "{when}, clear {clear}");
    }
    for (when, clear) in [
        ("queue.waiting == 3", "queue.waiting < 3"),
        ("queue.waiting == 3", "queue.waiting != 3"),
        ("queue.waiting == 0", "queue.waiting > 0"),
        ("queue.waiting != 3", "queue.waiting == 3"),
        ("queue.waiting >= 3", "queue.waiting < 3"),
        ("queue.waiting > 3", "queue.waiting == 0"),
        ("queue.waiting > 3 and queue.open > 1", "queue.waiting < 3"),
        ("queue.waiting > 3 and queue.open > 1", "queue.waiting < 3 or queue.open == 0"),
        ("queue.waiting > 3 or queue.open > 9", "queue.waiting < 3 and queue.open < 9"),
        ("agent.presence == away and agent.open > 1", "agent.presence != away"),
    ] {
        assert_eq!(with(when, clear), vec![], "{when}, clear {clear}");
    }
}

#[test]
fn conditions_that_always_or_never_hold_are_slips() {
    for (when, holds) in [
        ("queue.longest_wait > -5s", "always"),
        ("queue.waiting > -5", "always"),
        ("queue.waiting >= -1", "always"),
        ("queue.waiting != -1", "always"),
        ("queue.waiting < 0", "never"),
        ("queue.waiting <= -1", "never"),
        ("queue.waiting == -1", "never"),
        ("queue.open > 1 and queue.abandoned@30m < 0", "never"),
    ] {
        let (place, said) = slip(when);
        assert_eq!(place, when.rsplit(' ').next().unwrap(), "{when}");
        assert!(said.starts_with(&format!("this holds {holds}: ")), "{when}: {said}");
    }
    for when in
        ["source.clock_skew > -5s", "queue.waiting <= 0", "queue.waiting >= 0", "total.score@today < 0"]
    {
        assert_eq!(compile(&[rule(when)]).1, vec![], "{when}");
    }
    // No name can turn the line that it is shown in.
    let name = RuleSpec { name: "a\u{202e}b\u{2066}".into(), ..rule("queue.waiting > 5") };
    let e = error(name);
    assert_eq!((e.rule.as_str(), e.caret.lines().next()), ("a b ", Some("a b ")));
}

#[test]
fn bad_rules_leave_the_others_alone() {
    let named = |name: &str, when: &str| RuleSpec { name: name.into(), ..rule(when) };
    let (book, errors) = compile(&[
        named("A", "queue.waiting > 5"),
        named("B", "queue.waitng > 5"),
        named("A", "queue.waiting > 7"),
        named("C", "queue.waiting > 9"),
    ]);
    assert_eq!(book.rules().iter().map(|r| r.name()).collect::<Vec<_>>(), ["A", "C"]);
    assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["when", "name"]);
    assert!(errors[1].sentence.contains("taken"));
    assert_eq!(book.rule("A").unwrap().when(), "queue.waiting > 5", "the first keeps the name");
    let hours =
        HoursSpec { zone: "Nowhere".into(), open: vec!["mon 08:00-09:00".into()], ..HoursSpec::default() };
    let group = GroupSpec { name: "G".into(), queues: vec!["{".into()], ..GroupSpec::default() };
    let (book, errors) =
        Rulebook::compile(&[rule("queue.waiting > 5")], &[group], &[hours], Targets::default(), true);
    assert_eq!(errors.len(), 2);
    assert_eq!(book.rules().len(), 13);
}
