//! The JSON of the contract.

use engine::{Input, document};
use model::{
    Change, ConversationState, Figure, Health, HealthReport, Kind, Origin, Outcome, Presence, Unit, Window,
};
use serde_json::Value;

use crate::floor::*;

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

fn small_floor() -> engine::World {
    let figure = Figure {
        metric: "abandoned".into(),
        window: Window::M30,
        value: Some(3.0),
        unit: Unit::Count,
        origin: Origin::Reported,
        n: Some(41),
    };
    let mut q1 = queue("q1", Some(1), Some(at(-60.0)));
    q1.name = "Billing <b>&".into();
    q1.windows = vec![figure.clone()];
    q1.expected_at = Some(at(90.5));
    let mut c1 = conversation("c1", ConversationState::Waiting, Some(at(-60.0)));
    c1.expected_at = Some(at(45.0));
    let totals = model::Totals { windows: vec![figure], ..totals() };
    live_with(vec![
        Change::Health(HealthReport { clock_skew_s: Some(10.0), ..HealthReport::of(Health::Connecting) }),
        Change::Queue(q1),
        Change::Agent(agent("a1", Presence::Available)),
        Change::Conversation(c1),
        Change::Totals(totals),
    ])
}

#[test]
fn a_snapshot_is_the_contracts_document() {
    insta::assert_snapshot!(pretty(&document::snapshot(&small_floor(), at(30.0))));
}

#[test]
fn every_field_of_a_snapshot_is_always_there() {
    let world = live_with(vec![
        Change::Queue(model::Queue { open: None, ..queue("q1", None, None) }),
        Change::Conversation(model::Conversation {
            queue: None,
            agents: None,
            ..conversation("c1", ConversationState::Active, None)
        }),
    ]);
    insta::assert_snapshot!(pretty(&document::snapshot(&world, at(0.0))));
    insta::assert_snapshot!(document::snapshot(&engine::World::new(), at(0.0)), @r#"{"contract":1,"taken_at":"2026-01-31T09:30:00.000Z","revision":0,"sources":[],"queues":[],"agents":[],"conversations":[],"totals":[],"alerts":[]}"#);
}

#[test]
fn lines_tell_what_changed() {
    let mut world = small_floor();
    let mut lines = vec![document::snapshot_line(&engine::World::new(), at(0.0))];
    let changes = vec![
        Change::Queue(queue("q1", Some(0), None)),
        Change::Remove(Kind::Agent, "a1".into()),
        Change::Remove(Kind::Totals, "shop".into()),
        Change::Conversation(model::Conversation {
            answered_at: Some(at(31.0)),
            agents: Some(vec!["a1".into()]),
            ..conversation("c1", ConversationState::Active, Some(at(-60.0)))
        }),
        Change::Health(HealthReport {
            error: Some("The agents cannot be read: permission refused.".into()),
            gaps: vec!["agents".into()],
            ..HealthReport::of(Health::Live)
        }),
    ];
    let effects = send(&mut world, 30.0, changes);
    lines.extend(document::lines(&world, &effects, at(30.0)));
    let effects = send(
        &mut world,
        31.0,
        vec![Change::Health(HealthReport {
            last_data_at: Some(at(31.0)),
            error: Some("The agents cannot be read: permission refused.".into()),
            gaps: vec!["agents".into()],
            ..HealthReport::of(Health::Live)
        })],
    );
    assert!(document::lines(&world, &effects, at(31.0)).is_empty(), "a quiet poll prints nothing");
    lines.push(document::end_line());
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn waits_are_computed_as_the_contract_says() {
    let wait = |state, change: &dyn Fn(&mut model::Conversation)| {
        let mut c = conversation("c1", state, Some(at(-20.0)));
        change(&mut c);
        document::wait_s(&c, 5.0, at(10.0))
    };
    use ConversationState::{Active, Ended, Waiting};
    assert_eq!(wait(Waiting, &|_| ()), Some(35.0));
    assert_eq!(wait(Waiting, &|c| c.waiting_since = None), None);
    assert_eq!(wait(Waiting, &|c| c.waiting_since = Some(at(100.0))), Some(0.0));
    assert_eq!(wait(Active, &|_| ()), None);
    assert_eq!(wait(Active, &|c| c.answered_at = Some(at(-8.0))), Some(12.0));
    assert_eq!(wait(Active, &|c| c.answered_at = Some(at(-20.004))), Some(0.0));
    assert_eq!(wait(Ended, &|c| c.ended_at = Some(at(-15.0))), Some(5.0));
    assert_eq!(
        wait(Ended, &|c| {
            c.ended_at = Some(at(-15.0));
            c.outcome = Some(Outcome::Handled);
        }),
        None
    );
    assert_eq!(wait(Ended, &|_| ()), None);

    let longest = |waiting, since| document::longest_wait_s(&queue("q1", waiting, since), 5.0, at(10.0));
    assert_eq!(longest(Some(0), None), Some(0.0));
    assert_eq!(longest(Some(2), None), None);
    assert_eq!(longest(Some(2), Some(at(-20.0))), Some(35.0));
    assert_eq!(longest(None, Some(at(-20.0))), Some(35.0));
    assert_eq!(longest(None, None), None);
    assert_eq!(longest(Some(1), Some(at(60.0))), Some(0.0));
}

#[test]
fn arrays_are_sorted_by_source_and_id() {
    let mut world = live_with(vec![
        Change::Queue(queue("b", Some(0), None)),
        Change::Queue(queue("a", Some(0), None)),
        Change::Queue(queue("10", Some(0), None)),
    ]);
    configure(&mut world, vec![source("zoo"), source("shop")]);
    let now = at(1.0);
    let stray = model::Queue { source: "zoo".into(), ..queue("a", None, None) };
    world.apply(
        Input::Batch(model::Batch { source: "zoo".into(), at: now, changes: vec![Change::Queue(stray)] }),
        now,
    );
    let document = document::take(&world, now);
    let names: Vec<_> =
        document.queues.iter().map(|q| format!("{}:{}", q.queue.source, q.queue.id)).collect();
    assert_eq!(names, ["shop:10", "shop:a", "shop:b", "zoo:a"]);
    let sources: Vec<_> = document.sources.iter().map(|s| s.id.as_str().to_owned()).collect();
    assert_eq!(sources, ["shop", "zoo"]);
}
