//! After a restart nothing fires twice, and nothing is known before it is told.

use std::collections::BTreeMap;

use engine::alerts::{Alerts, RuleSpec, Timers, Touched};
use model::{Alert, AlertState, Health, Id, Overlay, SubjectKind, Transition};
use proptest::prelude::*;

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

/// Ends a run at a moment, politely or not, and begins another one a while later. Nothing is known of the
/// source for `blind` seconds then.
fn cut(p: &mut Play, spec: &RuleSpec, crash: bool, begins: f64, blind: f64, waiting: Option<u32>) -> Play {
    let alerts = p.alerts.alerts();
    let written = alerts.iter().filter_map(|a| Some((a.id.clone(), p.timers.get(&a.id)?.stopped(p.now))));
    let written: BTreeMap<Id, Timers> = written.filter(|(_, timers)| *timers != Timers::default()).collect();
    let told: BTreeMap<Id, Timers> = p.alerts.timers(p.now).into_iter().collect();
    if crash {
        assert_eq!(written, told, "whoever followed what moved knows all that there is to know");
    }
    let mut next = Play::new(book(std::slice::from_ref(spec)));
    next.run_to(begins);
    if let Some(waiting) = waiting {
        next.waiting(begins, waiting);
    } else {
        next.unknown(begins);
    }
    if blind > 0.0 {
        next.health(begins, Health::Connecting);
    }
    next.alerts = Alerts::default();
    next.alerts.set_rules(book(std::slice::from_ref(spec)));
    next.timers = told.clone();
    next.alerts.restore_with(alerts, told.into_iter().collect(), next.now);
    next.lines.clear();
    next.evaluate(&[Touched::All]);
    if blind > 0.0 {
        next.health(begins + blind, Health::Live);
    }
    next
}

#[test]
fn a_pending_keeps_what_it_has_collected() {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    p.run_to(7.0);
    let mut p = cut(&mut p, &spec(), true, 100.0, 20.0, Some(9));
    p.run_to(122.9);
    assert_eq!(p.told(), ["100 unknown", "120 known"]);
    p.run_to(123.0);
    assert_eq!(p.told(), ["123 firing"]);
}

#[test]
fn one_that_recovers_keeps_what_it_has_collected() {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    p.waiting(30.0, 0);
    p.run_to(44.0);
    let mut p = cut(&mut p, &spec(), false, 100.0, 0.0, Some(0));
    p.run_to(104.0);
    let mut p = cut(&mut p, &spec(), true, 200.0, 5.0, Some(0));
    p.run_to(206.9);
    assert_eq!(p.told(), ["200 unknown", "205 known"]);
    p.run_to(207.0);
    assert_eq!(p.told(), ["207 resolved"]);
}

#[test]
fn one_whose_timers_are_lost_begins_its_time_anew() {
    let mut p = Play::new(book(&[spec()]));
    p.waiting(0.0, 9);
    p.run_to(7.0);
    let mut p = restarted(p.alerts.alerts(), true);
    p.waiting(110.0, 9);
    p.health(120.0, Health::Live);
    p.run_to(129.9);
    assert_eq!(p.told(), ["100 unknown", "120 known"]);
    p.run_to(130.0);
    assert_eq!(p.told(), ["130 firing"]);
}

/// One piece of a run.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// So many seconds later so many wait; `None`: nobody knows.
    Told(f64, Option<u32>),
    /// So many seconds later the program ends, by a crash or not, for a while; nothing is known of the
    /// source for another while.
    Cut { after: f64, crash: bool, gap: f64, blind: f64 },
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let tenths = |most: u32| (0..most * 10).prop_map(|tenth| f64::from(tenth) / 10.0);
    let told = (tenths(15), prop_oneof![8 => (0..12u32).prop_map(Some), 1 => Just(None)])
        .prop_map(|(after, waiting)| Piece::Told(after, waiting));
    let blind = prop_oneof![Just(0.0), tenths(200)];
    let cut = (tenths(15), any::<bool>(), tenths(4000), blind)
        .prop_map(|(after, crash, gap, blind)| Piece::Cut { after, crash, gap, blind });
    proptest::collection::vec(prop_oneof![3 => told, 2 => cut], 1..25)
}

/// What fires and ends, by the time that was watched, until three cycles might be called flapping. Milliseconds.
fn played(spec: &RuleSpec, pieces: &[Piece], cuts: bool) -> Vec<(i64, Transition)> {
    let mut p = Play::new(book(std::slice::from_ref(spec)));
    let (mut now, mut unwatched, mut waiting) = (0.0, 0.0, Some(0));
    let mut told = Vec::new();
    let mut note = |p: &mut Play, unwatched: f64| {
        for (seconds, transition, _) in p.lines.drain(..) {
            use Transition::{Escalated, Firing, Pending, Resolved};
            if matches!(transition, Pending | Firing | Escalated | Resolved) {
                told.push((((seconds - unwatched) * 1000.0).round() as i64, transition));
            }
        }
    };
    for piece in pieces.iter().copied().chain([Piece::Told(60.0, Some(5)), Piece::Told(60.0, Some(0))]) {
        match piece {
            Piece::Told(after, next) => {
                now += after;
                match next {
                    Some(next) => p.waiting(now, next),
                    None => p.unknown(now),
                }
                waiting = next;
            }
            Piece::Cut { after, .. } if !cuts => {
                now += after;
                p.run_to(now);
            }
            Piece::Cut { after, crash, gap, blind } => {
                now += after;
                p.run_to(now);
                note(&mut p, unwatched);
                p = cut(&mut p, spec, crash, now + gap, blind, waiting);
                now += gap + blind;
                // What happens while nothing is known happens at the moment of the cut.
                unwatched += gap + blind;
            }
        }
        note(&mut p, unwatched);
    }
    let second = told.iter().enumerate().filter(|(_, (_, t))| *t == Transition::Resolved).nth(1);
    let end = second.map_or(told.len(), |(at, _)| at);
    told.truncate(end);
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Neither earlier nor later than a run that nothing interrupts, by the time that was watched.
    #[test]
    fn restarts_neither_give_nor_take_time(pieces in pieces(), hold in 0..20u32, keep in 0..20u32) {
        let spec = RuleSpec {
            hold: Some(format!("{hold}s")),
            keep: Some(format!("{keep}s")),
            critical: text("queue.waiting > 8"),
            ..rule("queue.waiting > 4")
        };
        let whole = played(&spec, &pieces, false);
        let cut = played(&spec, &pieces, true);
        prop_assert_eq!(whole, cut);
    }
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
