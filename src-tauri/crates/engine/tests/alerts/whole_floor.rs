//! Rules about the whole floor, while not all of it is known.

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    Input, World,
    alerts::{RuleSpec, Rulebook, Targets, TrayCounts, TrayModel},
    view::{CardKind, Need, status},
};
use model::{
    Agent, AlertState, Batch, Change, Health, HealthReport, Id, Origin, Presence, Queue, QueueKind, Source,
    SubjectKind, Vendor,
};

use crate::floor::{at, rule, word};

fn source(id: &str, health: Health) -> Source {
    let told = ["queue.waiting", "queue.waiting_since", "agent.presence", "agent.free_capacity"];
    Source {
        id: Id::from(id),
        vendor: Vendor::Giosg,
        name: id.to_uppercase(),
        health,
        health_since: at(0.0),
        last_data_at: None,
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides: told.iter().map(|p| (p.to_string(), Origin::Reported)).collect::<BTreeMap<_, _>>(),
    }
}

fn queue(source: &str, waiting: u32, since: f64) -> Change {
    Change::Queue(Queue {
        source: Id::from(source),
        id: Id::from("room"),
        name: "Room".into(),
        kind: QueueKind::Room,
        waiting: Some(waiting),
        waiting_since: (waiting > 0).then(|| at(since)),
        average_wait_s: None,
        open: None,
        capacity: None,
        free_capacity: None,
        agents_online: None,
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    })
}

fn agent(source: &str, id: &str, presence: Presence) -> Change {
    Change::Agent(Agent {
        source: Id::from(source),
        id: Id::from(id),
        name: id.into(),
        email: None,
        presence,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open: None,
        capacity: None,
        free_capacity: Some(2),
        queues: None,
        windows: Vec::new(),
    })
}

/// Rules that a floor of two waiting people and one agent would fire, and one of nine and five would not.
fn rules() -> Vec<RuleSpec> {
    let named = |name: &str, when: &str| RuleSpec { name: name.into(), ..rule(when) };
    vec![
        named("less", "floor.waiting < 6"),
        named("few", "floor.agents_online < 4"),
        named("notb", "floor.free_slots < 8"),
        named("val", "floor.waiting != 77"),
        named("long", "floor.longest_wait > 20s"),
    ]
}

struct Play {
    world: World,
    lines: Vec<String>,
}

impl Play {
    fn new(sources: Vec<Source>) -> Self {
        let (rules, errors) = Rulebook::compile(&rules(), &[], &[], Targets::default(), false);
        assert_eq!(errors, vec![]);
        let mut play = Self { world: World::new(), lines: Vec::new() };
        play.apply(0.0, Input::Configure { sources, rules: Arc::new(rules) });
        play
    }
    fn apply(&mut self, seconds: f64, input: Input) {
        let effects = self.world.apply(input, at(seconds));
        self.lines.extend(effects.alerts.iter().map(|(t, a)| format!("{seconds} {} {}", a.rule, word(*t))));
    }
    fn send(&mut self, seconds: f64, source: &str, changes: Vec<Change>) {
        self.apply(seconds, Input::Batch(Batch { source: Id::from(source), at: at(seconds), changes }));
    }
    fn health(&mut self, seconds: f64, source: &str, health: Health) {
        self.send(seconds, source, vec![Change::Health(HealthReport::of(health))]);
    }
    fn whole(&mut self, seconds: f64, source: &str, waiting: u32, online: usize) {
        let mut changes = vec![Change::Reset, queue(source, waiting, 0.0)];
        changes.extend((0..online).map(|n| agent(source, &format!("a{n}"), Presence::Available)));
        changes.extend([Change::Complete, Change::Health(HealthReport::of(Health::Live))]);
        self.send(seconds, source, changes);
    }
    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

#[test]
fn no_rule_fires_on_half_a_floor() {
    for late in
        [Health::Connecting, Health::Retrying, Health::Throttled, Health::Denied, Health::Misconfigured]
    {
        let mut p = Play::new(vec![source("a", Health::Connecting), source("b", Health::Connecting)]);
        p.whole(1.0, "a", 2, 1);
        p.health(1.5, "b", late);
        assert_eq!(p.told(), [""; 0], "{late:?}: nothing is known of b");
        p.whole(12.0, "b", 7, 4);
        p.apply(30.0, Input::Wake);
        assert_eq!(
            p.told(),
            ["12 val pending", "12 val firing", "30 long pending", "30 long firing"],
            "nine wait, five are online, ten slots are free"
        );
        assert_eq!(p.world.alerts().iter().find(|a| a.rule == "val").unwrap().value, Some(9.0));
        // The same as for a source that was lost, and no alert is ended by it.
        p.health(40.0, "b", late);
        assert_eq!(p.told(), ["40 val unknown", "40 long unknown"]);
    }
}

#[test]
fn what_is_turned_off_is_no_part_of_the_floor() {
    let mut p = Play::new(vec![source("a", Health::Connecting), source("b", Health::Disabled)]);
    p.whole(1.0, "a", 2, 1);
    let fired: Vec<_> = p.told().into_iter().filter(|l| l.ends_with("firing")).collect();
    assert_eq!(fired, ["1 less firing", "1 few firing", "1 notb firing", "1 val firing"]);
}

#[test]
fn half_a_floor_is_not_called_short_of_people() {
    let mut p = Play::new(vec![source("a", Health::Connecting), source("b", Health::Connecting)]);
    p.whole(1.0, "a", 2, 0);
    let card = |p: &Play, kind: CardKind| {
        status(&p.world, at(2.0)).cards.into_iter().find(|card| card.kind == kind).unwrap()
    };
    let online = card(&p, CardKind::Online);
    assert_eq!((online.cell.value, online.sources_known, online.sources_all), (Some(0.0), 1, 2));
    assert_eq!(online.need, Need::Normal, "who is online in b is not known");
    assert_eq!(card(&p, CardKind::FreeSlots).need, Need::Normal);
    p.whole(3.0, "b", 0, 0);
    assert_eq!(card(&p, CardKind::Online).need, Need::Critical);
    assert_eq!(card(&p, CardKind::FreeSlots).need, Need::Critical);
}

#[test]
fn the_tray_does_not_call_half_a_floor_empty() {
    let sentence = |live, connecting| {
        let counts = TrayCounts { waiting: Some(0), sources: 2, live, connecting };
        TrayModel::of([], counts).sentence
    };
    assert_eq!(sentence(1, 1), "1 source connecting, nobody is known to wait.");
    assert_eq!(sentence(1, 0), "1 source not live, nobody is known to wait.");
    assert_eq!(sentence(2, 0), "Nobody waits.");
}

#[test]
fn who_looks_for_the_first_time_sees_the_figures_of_that_moment() {
    let mut p = Play::new(vec![source("a", Health::Connecting)]);
    p.whole(1.0, "a", 2, 9);
    p.send(5.0, "a", vec![queue("a", 3, 0.0)]);
    p.apply(25.0, Input::Wake);
    let of = |world: &World, rule: &str| world.alerts().into_iter().find(|a| a.rule == rule).unwrap();
    assert_eq!(of(&p.world, "val").value, Some(2.0), "as it was told");
    p.told();
    let changed = p.world.reread_alerts(at(50.0));
    let mut names: Vec<_> = changed.iter().map(|a| a.rule.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["less", "long", "val"]);
    let val = of(&p.world, "val");
    assert_eq!((val.value, val.state, val.fired_at), (Some(3.0), AlertState::Firing, Some(at(1.0))));
    assert!(val.reason.contains('3'), "{}", val.reason);
    assert_eq!(of(&p.world, "long").value, Some(50.0));
    assert_eq!(val.subject.kind, SubjectKind::Floor);
    assert_eq!(p.world.reread_alerts(at(50.0)), []);
    p.apply(51.0, Input::Wake);
    assert_eq!(p.told(), [""; 0], "nothing has happened to them");
}
