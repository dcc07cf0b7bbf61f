//! Laws that hold whatever happens.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use engine::{
    DeskCommand,
    alerts::{Notices, Reading, RuleSpec, Touched},
};
use model::{Alert, AlertState, Health, Id, Key, Overlay, SubjectKind, Transition};
use proptest::prelude::*;

use crate::floor::{Play, book, rule, text, word};

#[derive(Clone, Debug)]
enum Step {
    Waiting(&'static str, u32),
    /// Somebody waits since so many milliseconds before now.
    Since(&'static str, u32),
    Unknown(&'static str),
    Health(Health),
    Acknowledge(usize),
    Unacknowledge(usize),
    Snooze(usize, Option<u32>),
    Unsnooze(usize),
    Remove,
    Add,
    Everything,
}

fn step() -> impl Strategy<Value = Step> {
    let queue = prop_oneof![Just("q1"), Just("q2")];
    prop_oneof![
        8 => (queue.clone(), 0u32..14).prop_map(|(q, n)| Step::Waiting(q, n)),
        4 => (queue.clone(), 0u32..60_000).prop_map(|(q, ms)| Step::Since(q, ms)),
        2 => queue.prop_map(Step::Unknown),
        2 => prop_oneof![Just(Health::Live), Just(Health::Retrying), Just(Health::Connecting), Just(Health::Stale)]
            .prop_map(Step::Health),
        1 => (0usize..4).prop_map(Step::Acknowledge),
        1 => (0usize..4).prop_map(Step::Unacknowledge),
        1 => (0usize..4, proptest::option::of(1u32..400)).prop_map(|(n, s)| Step::Snooze(n, s)),
        1 => (0usize..4).prop_map(Step::Unsnooze),
        1 => Just(Step::Remove),
        1 => Just(Step::Add),
        1 => Just(Step::Everything),
    ]
}

fn script() -> impl Strategy<Value = (Vec<RuleSpec>, Vec<(u32, Step)>)> {
    let rules = (0u32..30, 0u32..60, any::<bool>()).prop_map(|(hold, keep, critical)| {
        let own = RuleSpec {
            hold: Some(format!("{hold}s")),
            keep: Some(format!("{keep}s")),
            critical: critical.then(|| "queue.waiting > 9".to_string()),
            ..rule("queue.waiting > 4")
        };
        let lost = RuleSpec { name: "Lost".into(), keep: text("0s"), ..rule("source.lost_for > 4s") };
        let long = RuleSpec {
            name: "Long".into(),
            hold: Some(format!("{}s", hold / 3)),
            critical: critical.then(|| "queue.longest_wait > 55s".to_string()),
            ..rule("queue.longest_wait > 40s and queue.waiting > 1")
        };
        vec![own, lost, long]
    });
    // Steps lie up to 50 s apart: no deadline is ever found late enough to look like a sleep.
    (rules, proptest::collection::vec((0u32..50_000, step()), 1..80))
}

fn play(rules: &[RuleSpec], steps: &[(u32, Step)]) -> Play {
    play_and(rules, steps, &[])
}

/// As [`play`], with another look at `again` after every step.
fn play_and(rules: &[RuleSpec], steps: &[(u32, Step)], again: &[Touched]) -> Play {
    play_on(Play::new(book(rules)), steps, again)
}

fn play_on(mut p: Play, steps: &[(u32, Step)], again: &[Touched]) -> Play {
    p.row(SubjectKind::Queue, "q2", "Sales", &[]);
    p.health(0.0, Health::Live);
    let mut ms = 0u64;
    for (gap, step) in steps {
        ms += u64::from(*gap);
        let now = ms as f64 / 1000.0;
        let nth = |p: &Play, n: usize| p.alerts.alerts().get(n).map(|a| a.id.clone());
        p.run_to(now);
        match step {
            Step::Waiting(q, n) => {
                p.set_on(SubjectKind::Queue, q, now, "waiting", Reading::number(f64::from(*n)));
            }
            Step::Since(q, before) => {
                let since = p.now.minus(Duration::from_millis(u64::from(*before)));
                p.set_on(SubjectKind::Queue, q, now, "longest_wait", Reading::CountingUp { since });
            }
            Step::Unknown(q) => p.set_on(SubjectKind::Queue, q, now, "waiting", Reading::Unknown),
            Step::Health(health) => p.health(now, *health),
            Step::Remove => p.remove(SubjectKind::Queue, "q2"),
            Step::Add => {
                p.row(SubjectKind::Queue, "q2", "Sales", &[]);
                p.evaluate(&[Touched::One(SubjectKind::Queue, Key::new("shop", "q2"))]);
            }
            Step::Everything => p.evaluate(&[Touched::All]),
            Step::Acknowledge(n) => {
                if let Some(alert) = nth(&p, *n) {
                    p.command(now, DeskCommand::Acknowledge { alert, until: None });
                }
            }
            Step::Unacknowledge(n) => {
                if let Some(alert) = nth(&p, *n) {
                    p.command(now, DeskCommand::Unacknowledge { alert });
                }
            }
            Step::Snooze(n, seconds) => {
                if let Some(alert) = nth(&p, *n) {
                    let until = seconds.map(|s| p.now.plus_seconds(f64::from(s)));
                    p.command(now, DeskCommand::Snooze { alert, until });
                }
            }
            Step::Unsnooze(n) => {
                if let Some(alert) = nth(&p, *n) {
                    p.command(now, DeskCommand::Unsnooze { alert });
                }
            }
        }
        if !again.is_empty() {
            p.evaluate(again);
        }
    }
    p
}

fn by_episode(p: &Play) -> BTreeMap<Id, Vec<(Transition, Alert)>> {
    let mut episodes: BTreeMap<Id, Vec<(Transition, Alert)>> = BTreeMap::new();
    for (_, t, a) in &p.lines {
        episodes.entry(a.id.clone()).or_default().push((*t, a.clone()));
    }
    episodes
}

use Transition as T;

fn check_episode(lines: &[(Transition, Alert)], told: &str) {
    assert_eq!(lines[0].0, T::Pending, "{told}");
    for once in [T::Pending, T::Firing, T::Resolved] {
        assert!(lines.iter().filter(|(t, _)| *t == once).count() <= 1, "{once:?} comes once: {told}");
    }
    if let Some(end) = lines.iter().position(|(t, _)| *t == T::Resolved) {
        assert_eq!(end, lines.len() - 1, "nothing follows the end: {told}");
    }
    let fired = lines.iter().position(|(t, _)| *t == T::Firing);
    let mut last_state = None;
    let mut on: HashSet<Overlay> = HashSet::new();
    for (at, (t, a)) in lines.iter().enumerate() {
        if matches!(t, T::Escalated | T::Acked | T::Unacked | T::Recovering | T::Flapping) {
            assert!(fired.is_some_and(|f| f < at), "{t:?} only after firing: {told}");
        }
        let overlay = match t {
            T::Snoozed => Some((Overlay::Snoozed, true)),
            T::Unsnoozed => Some((Overlay::Snoozed, false)),
            T::Inhibited => Some((Overlay::Inhibited, true)),
            T::Uninhibited => Some((Overlay::Inhibited, false)),
            T::Muted => Some((Overlay::Muted, true)),
            T::Unmuted => Some((Overlay::Muted, false)),
            T::Unknown => Some((Overlay::Unknown, true)),
            T::Known => Some((Overlay::Unknown, false)),
            _ => None,
        };
        match overlay {
            // A snooze may be given again, for another time.
            Some((Overlay::Snoozed, true)) => _ = on.insert(Overlay::Snoozed),
            Some((overlay, true)) => assert!(on.insert(overlay), "{overlay:?} twice: {told}"),
            Some((overlay, false)) => assert!(on.remove(&overlay), "{overlay:?} ends twice: {told}"),
            // Going down is silent, so that it can escalate again.
            None if *t == T::Escalated => last_state = Some(*t),
            None => {
                assert_ne!(last_state, Some(*t), "{t:?} twice in a row: {told}");
                last_state = Some(*t);
            }
        }
        let decides = matches!(t, T::Firing | T::Escalated | T::Recovering | T::Flapping);
        assert!(!decides || !on.contains(&Overlay::Unknown), "{t:?} inside a gap: {told}");
        assert!(a.overlays.is_sorted(), "{told}");
        assert_eq!(a.fired_at.is_some(), fired.is_some_and(|f| f <= at), "{told}");
        assert_eq!(a.resolved_at.is_some(), *t == T::Resolved, "{told}");
        assert_eq!(a.state == AlertState::Inactive, *t == T::Resolved, "{told}");
        assert!(a.acked_at.is_none() || a.state != AlertState::Firing, "{told}");
        assert_eq!(a.inhibited_by.is_some(), a.overlays.contains(&Overlay::Inhibited), "{told}");
        assert!(!a.reason.is_empty() && !a.metric.is_empty(), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_episode_is_well_formed((rules, steps) in script()) {
        let p = play(&rules, &steps);
        let told = p.lines.iter().map(|(s, t, a)| format!("{s} {} {} {}", word(*t), a.rule, a.subject.name));
        let told = told.collect::<Vec<_>>().join("\n");
        prop_assert!(p.lines.is_sorted_by(|a, b| a.0 <= b.0), "in order");
        let episodes = by_episode(&p);
        for lines in episodes.values() {
            check_episode(lines, &told);
        }
        // No second firing of a rule on a target before the first is resolved.
        let mut firing: HashSet<(String, Id)> = HashSet::new();
        for (_, t, a) in &p.lines {
            let slot = (a.rule.clone(), a.subject.id.clone());
            match t {
                T::Firing => prop_assert!(firing.insert(slot), "{}", told),
                T::Resolved => _ = firing.remove(&slot),
                _ => {}
            }
        }
        // What stands is what the lines say.
        let open: Vec<&Id> = episodes.iter().filter(|(_, l)| l.last().is_some_and(|l| l.0 != T::Resolved)).map(|(id, _)| id).collect();
        let standing = p.alerts.alerts();
        let mut ids: Vec<&Id> = standing.iter().map(|a| &a.id).collect();
        ids.sort();
        prop_assert_eq!(open, ids);
        prop_assert!(standing.iter().all(|a| a.state != AlertState::Inactive));
        prop_assert!(p.alerts.next_deadline().is_none_or(|due| due > p.now));
    }

    #[test]
    fn the_same_past_gives_the_same_log((rules, steps) in script()) {
        let (a, b) = (play(&rules, &steps), play(&rules, &steps));
        prop_assert_eq!(&a.lines, &b.lines);
    }

    #[test]
    fn looking_again_changes_nothing((rules, steps) in script()) {
        let mut p = play(&rules, &steps);
        let before = p.lines.len();
        for touched in [vec![], vec![Touched::All], vec![Touched::Source(Id::from("shop"))]] {
            p.evaluate(&touched);
        }
        prop_assert_eq!(p.lines.len(), before);
    }

    /// Only rules that read what has changed are tested: testing all of them every time tells the same.
    #[test]
    fn what_has_not_changed_need_not_be_tested((rules, steps) in script()) {
        let (some, all) = (play(&rules, &steps), play_and(&rules, &steps, &[Touched::All]));
        prop_assert_eq!(&some.lines, &all.lines);
        prop_assert!(some.alerts.tests() <= all.alerts.tests());
    }

    /// What stands as its last full test left it is not stepped: stepping it every time tells the same, and
    /// at the same times.
    #[test]
    fn what_stands_as_it_did_need_not_be_stepped((rules, steps) in script()) {
        let short = play(&rules, &steps);
        let mut full = Play::new(book(&rules));
        full.mistrusts = true;
        let full = play_on(full, &steps, &[]);
        prop_assert_eq!(&short.lines, &full.lines);
        prop_assert_eq!(short.alerts.next_deadline(), full.alerts.next_deadline());
    }

    #[test]
    fn a_restart_fires_nothing_again((rules, steps) in script()) {
        let mut p = play(&rules, &steps);
        let stood = p.alerts.alerts();
        let fired: HashSet<Id> = stood.iter().filter(|a| a.fired_at.is_some()).map(|a| a.id.clone()).collect();
        p.health(p.now.seconds_since(crate::floor::at(0.0)), Health::Connecting);
        p.lines.clear();
        p.alerts = engine::alerts::Alerts::default();
        p.alerts.set_rules(book(&rules));
        p.alerts.restore(stood.clone(), p.now);
        p.evaluate(&[Touched::All]);
        let end = p.now.seconds_since(crate::floor::at(0.0)) + 30.0;
        p.health(end, Health::Live);
        p.run_to(end + 30.0);
        for (_, t, a) in &p.lines {
            prop_assert!(*t != T::Firing || !fired.contains(&a.id));
            prop_assert!(*t != T::Pending || !stood.iter().any(|s| s.id == a.id));
        }
    }

    #[test]
    fn never_more_than_one_notice_in_two_seconds((rules, steps) in script()) {
        let p = play(&rules, &steps);
        let book = book(&rules);
        let mut notices = Notices::default();
        let mut shown: Vec<(i64, usize)> = Vec::new();
        for (seconds, t, a) in &p.lines {
            let now = crate::floor::at(*seconds);
            while let Some(due) = notices.next_deadline().filter(|due| *due <= now) {
                shown.extend(notices.due(&book, due).show.iter().map(|n| (due.as_ms(), n.tells.len())));
            }
            shown.extend(notices.on(&[(*t, a.clone())], &book, now).show.iter().map(|n| (now.as_ms(), n.tells.len())));
        }
        prop_assert!(shown.windows(2).all(|w| w[1].0 - w[0].0 >= 2000), "{:?}", shown);
        prop_assert!(shown.iter().all(|(_, tells)| *tells > 0));
    }

    #[test]
    fn no_text_makes_the_language_stumble(when in "\\PC{0,200}", more in "[a-z._@()<>=!0-9%\" ]{0,120}") {
        for text in [when, more.clone(), format!("queue.waiting > 5 {more}")] {
            let (_, errors) = engine::alerts::Rulebook::compile(
                &[rule(&text)], &[], &[], engine::alerts::Targets::default(), false,
            );
            for e in errors {
                prop_assert!(text.get(e.span.clone()).is_some());
                prop_assert!(!e.sentence.is_empty());
            }
        }
    }

    #[test]
    fn hours_never_stumble(open in "[a-z0-9:,\\- ]{0,30}", ms in -4_000_000_000_000i64..8_000_000_000_000) {
        let spec = RuleSpec { active: Some(vec![open]), zone: text("Europe/Helsinki"), ..rule("queue.waiting > 4") };
        let (book, errors) = engine::alerts::Rulebook::compile(
            &[spec], &[], &[], engine::alerts::Targets::default(), false,
        );
        if errors.is_empty() {
            let mut p = Play::new(std::sync::Arc::new(book));
            p.now = model::Timestamp::from_ms(ms);
            p.evaluate(&[Touched::All]);
            prop_assert!(p.alerts.next_deadline().is_none_or(|due| due > p.now));
        }
    }
}
