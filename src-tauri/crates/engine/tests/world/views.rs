//! What a screen is told.

use engine::view::{
    CardKind, Certainty, FloorMode, Need, QueueRow, Row, View, ViewMessage, ViewSpec, status,
};
use model::{Change, ConversationState, Health, HealthReport, Presence};

use crate::floor::*;

fn rows(message: ViewMessage) -> Vec<Row> {
    match message {
        ViewMessage::Snapshot { rows, .. } => rows,
        ViewMessage::Patch { upserts, .. } => upserts,
    }
}

fn queues(world: &engine::World, seconds: f64) -> Vec<QueueRow> {
    rows(View::open(ViewSpec::Queues, world, at(seconds)).1)
        .into_iter()
        .map(|row| match row {
            Row::Queue(row) => row,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn queues_come_by_longest_wait_then_people_then_name() {
    let named = |id: &str, name: &str, waiting, since| {
        Change::Queue(model::Queue { name: name.into(), ..queue(id, waiting, since) })
    };
    let world = live_with(vec![
        named("1", "beta", Some(0), None),
        named("2", "Alpha", Some(0), None),
        named("3", "x", Some(1), Some(at(-10.0))),
        named("4", "y", Some(9), Some(at(-9.0))),
        named("5", "z", Some(2), None),
    ]);
    let names: Vec<_> = queues(&world, 0.0).into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["x", "y", "z", "Alpha", "beta"]);
}

#[test]
fn unknown_is_not_zero_and_old_is_not_live() {
    let mut world = live_with(vec![
        skewed(2.0),
        Change::Queue(queue("q1", None, None)),
        Change::Queue(queue("q2", Some(0), None)),
        Change::Queue(queue("q3", Some(2), Some(at(-10.0)))),
    ]);
    let by_name = |world: &engine::World, name: &str| {
        queues(world, 0.0).into_iter().find(|row| row.name == format!("Queue {name}")).unwrap()
    };
    let q1 = by_name(&world, "q1");
    assert_eq!((q1.waiting.value, q1.waiting.certainty), (None, Certainty::Unknown));
    assert_eq!((q1.free.value, q1.free.certainty), (None, Certainty::NotGiven));
    assert_eq!((q1.waiting_since, q1.longest), (None, Certainty::Unknown));
    let q2 = by_name(&world, "q2");
    assert_eq!((q2.waiting.value, q2.waiting_since, q2.longest), (Some(0.0), None, Certainty::Known));
    let q3 = by_name(&world, "q3");
    assert_eq!(q3.waiting_since, Some(at(-12.0).as_ms()), "shown in our clock");
    assert_eq!((q3.need, q3.live, q3.data_at), (Need::Normal, true, None));
    assert_eq!(q3.trend.last(), Some(&Some(2)));

    let (mut view, _) = View::open(ViewSpec::Queues, &world, at(0.0));
    send(&mut world, 5.0, vec![health(Health::Retrying)]);
    let patched = rows(view.update(&world, at(5.0)).unwrap());
    assert_eq!(patched.len(), 3);
    let q3 = by_name(&world, "q3");
    assert_eq!((q3.need, q3.live, q3.data_at), (Need::Stale, false, Some(at(0.0).as_ms())));
    assert_eq!(
        (q3.waiting.value, q3.waiting.certainty, q3.longest),
        (Some(2.0), Certainty::Stale, Certainty::Stale)
    );
    assert_eq!(by_name(&world, "q1").waiting.certainty, Certainty::Unknown);
}

#[test]
fn a_patch_holds_only_what_changed() {
    let mut world =
        live_with((0..50).map(|n| Change::Queue(queue(&format!("q{n:02}"), Some(0), None))).collect());
    let (mut view, first) = View::open(ViewSpec::Queues, &world, at(0.0));
    assert_eq!(rows(first).len(), 50);
    assert!(view.update(&world, at(1.0)).is_none());
    send(&mut world, 1.0, vec![Change::Queue(model::Queue { open: Some(7), ..queue("q10", Some(0), None) })]);
    match view.update(&world, at(1.0)).unwrap() {
        ViewMessage::Patch { seq: 2, upserts, removes, order: None, total: 50, .. } => {
            assert_eq!((upserts.len(), removes.len()), (1, 0));
            assert_eq!(upserts[0].key(), "shop\u{1f}q10");
        }
        other => panic!("{other:?}"),
    }
    // An answer that brings nothing new moves no row.
    send(
        &mut world,
        2.0,
        vec![Change::Health(HealthReport { last_data_at: Some(at(2.0)), ..HealthReport::of(Health::Live) })],
    );
    assert!(view.update(&world, at(2.0)).is_none());
    send(&mut world, 3.0, vec![Change::Queue(queue("q10", Some(1), Some(at(3.0))))]);
    match view.update(&world, at(3.0)).unwrap() {
        ViewMessage::Patch { seq: 3, upserts, order: Some(order), .. } => {
            assert_eq!((upserts.len(), order[0].as_str()), (1, "shop\u{1f}q10"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_view_that_lags_far_behind_still_arrives() {
    let mut world =
        live_with(vec![Change::Queue(queue("q1", Some(0), None)), Change::Queue(queue("q2", Some(0), None))]);
    let (mut view, _) = View::open(ViewSpec::Queues, &world, at(0.0));
    for n in 0..20_000u32 {
        send(&mut world, 1.0, vec![Change::Queue(queue("q1", Some(n % 7), Some(at(0.0))))]);
    }
    send(&mut world, 1.0, vec![Change::Remove(model::Kind::Queue, "q2".into())]);
    match view.update(&world, at(1.0)).unwrap() {
        ViewMessage::Patch { upserts, removes, order: Some(order), total: 1, .. } => {
            assert_eq!((upserts.len(), removes, order.len()), (1, vec!["shop\u{1f}q2".to_owned()], 1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn conversations_are_cut_at_the_limit_and_follow_their_names() {
    let waiting = |id: &str, since: f64| {
        Change::Conversation(conversation(id, ConversationState::Waiting, Some(at(since))))
    };
    let mut world = live_with(vec![
        Change::Queue(queue("q1", Some(3), Some(at(-30.0)))),
        waiting("c1", -10.0),
        waiting("c2", -30.0),
        waiting("c3", -20.0),
        Change::Conversation(conversation("c4", ConversationState::Active, Some(at(-99.0)))),
    ]);
    let spec = ViewSpec::Conversations { queue: None, limit: 2 };
    let (mut view, first) = View::open(spec, &world, at(0.0));
    match first {
        ViewMessage::Snapshot { rows, total: 4, .. } => {
            assert_eq!(rows.iter().map(Row::key).collect::<Vec<_>>(), ["shop\u{1f}c2", "shop\u{1f}c3"]);
        }
        other => panic!("{other:?}"),
    }
    send(&mut world, 1.0, vec![Change::Remove(model::Kind::Conversation, "c2".into())]);
    match view.update(&world, at(1.0)).unwrap() {
        ViewMessage::Patch { upserts, removes, order: Some(order), total: 3, .. } => {
            assert_eq!(upserts[0].key(), "shop\u{1f}c1");
            assert_eq!(removes, ["shop\u{1f}c2"]);
            assert_eq!(order, ["shop\u{1f}c3", "shop\u{1f}c1"]);
        }
        other => panic!("{other:?}"),
    }
    send(
        &mut world,
        2.0,
        vec![Change::Queue(model::Queue { name: "Sales".into(), ..queue("q1", Some(2), None) })],
    );
    let renamed = rows(view.update(&world, at(2.0)).unwrap());
    assert!(
        renamed
            .iter()
            .all(|row| matches!(row, Row::Conversation(c) if c.queue_name.as_deref() == Some("Sales")))
    );
    assert_eq!(renamed.len(), 2);
}

#[test]
fn the_status_says_in_which_tense_the_floor_is() {
    let world = engine::World::new();
    assert_eq!(status(&world, at(0.0)).floor, FloorMode::Empty);
    let mut world = configured();
    assert_eq!(status(&world, at(0.0)).floor, FloorMode::Connecting);
    let empty = status(&world, at(0.0));
    assert_eq!((empty.waiting, empty.agents_online), (None, None));
    send(&mut world, 1.0, vec![Change::Reset, Change::Complete, live()]);
    assert_eq!(status(&world, at(1.0)).floor, FloorMode::Live);
    assert_eq!(
        status(&world, at(1.0)).waiting,
        Some(0),
        "a complete floor without people is known to be empty"
    );
    send(&mut world, 7.0, vec![health(Health::Retrying)]);
    send(&mut world, 8.0, vec![health(Health::Connecting)]);
    let lost = FloorMode::Offline { since: at(7.0).as_ms(), last_data_at: Some(at(0.0).as_ms()) };
    assert_eq!(status(&world, at(9.0)).floor, lost);
    assert_eq!(status(&world, at(9.0)).sources_not_live, 1);
}

#[test]
fn cards_sum_what_is_known_and_say_from_how_many() {
    let mut world = live_with(vec![
        Change::Queue(queue("q1", Some(4), Some(at(-30.0)))),
        Change::Queue(queue("q2", Some(1), Some(at(-90.0)))),
        Change::Agent(agent("a1", Presence::Busy)),
        Change::Agent(agent("a2", Presence::Offline)),
    ]);
    configure(&mut world, vec![source("shop"), source("desk")]);
    let card = |world: &engine::World, kind: CardKind, seconds: f64| {
        status(world, at(seconds)).cards.into_iter().find(|card| card.kind == kind).unwrap()
    };
    let waiting = card(&world, CardKind::Waiting, 0.0);
    assert_eq!((waiting.cell.value, waiting.cell.certainty), (Some(5.0), Certainty::Known));
    assert_eq!((waiting.sources_known, waiting.sources_all, waiting.target), (1, 2, Some(15.0)));
    assert_eq!(waiting.trend.last(), Some(&Some(5.0)));
    let longest = card(&world, CardKind::Longest, 0.0);
    assert_eq!((longest.since, longest.target), (Some(at(-90.0).as_ms()), Some(120.0)));
    assert_eq!(longest.need, Need::Warning);
    assert_eq!(card(&world, CardKind::Longest, 31.0).need, Need::Critical);
    let free = card(&world, CardKind::FreeSlots, 0.0);
    assert_eq!((free.cell.value, free.of), (Some(2.0), Some(3.0)));
    let online = card(&world, CardKind::Online, 0.0);
    assert_eq!((online.cell.value, online.of), (Some(1.0), Some(2.0)));
    assert_eq!(card(&world, CardKind::ServiceLevel, 0.0).cell.certainty, Certainty::NotGiven);
    assert_eq!(card(&world, CardKind::Abandoned, 0.0).cell.certainty, Certainty::Unknown);
    send(&mut world, 5.0, vec![health(Health::Stale)]);
    let waiting = card(&world, CardKind::Waiting, 5.0);
    assert_eq!(
        (waiting.cell.value, waiting.cell.certainty, waiting.need),
        (Some(5.0), Certainty::Stale, Need::Stale)
    );
}

#[test]
fn trends_move_on_by_the_minute() {
    let mut world = live_with(vec![Change::Queue(queue("q1", Some(4), Some(at(-300.0))))]);
    let (mut view, _) = View::open(ViewSpec::Queues, &world, at(0.0));
    let effects = send(&mut world, 1.0, vec![]);
    assert_eq!(effects.wake_at, Some(at(60.0)));
    let effects = world.apply(engine::Input::Wake, at(60.0));
    assert!(effects.deltas.is_empty());
    assert_eq!(effects.wake_at, Some(at(120.0)));
    let Some(Row::Queue(row)) = rows(view.update(&world, at(60.0)).unwrap()).pop() else { panic!() };
    assert_eq!(row.trend[58..], [Some(4), Some(4)]);
}

#[test]
fn an_id_cannot_lead_the_console_elsewhere() {
    let mut world = live_with(vec![Change::Queue(queue("a/../b?c#d", Some(0), None))]);
    world.set_consoles([("shop".into(), "https://console.example/q/{queue}/live".to_owned())].into());
    assert_eq!(
        queues(&world, 0.0)[0].console_url.as_deref(),
        Some("https://console.example/q/a%2F..%2Fb%3Fc%23d/live")
    );
}

#[test]
fn a_queue_that_turns_late_comes_first_and_is_said_to_be_late() {
    let mut world = watched();
    let people = |waiting, since: f64| queue("q2", Some(waiting), Some(at(since)));
    let mut changes = vec![Change::Reset, Change::Queue(queue("q1", Some(1), Some(at(-1.0))))];
    changes.extend([Change::Queue(people(2, 0.0)), Change::Complete, live()]);
    let mut effects = send(&mut world, 0.0, changes);
    let (mut view, _) = View::open(ViewSpec::Queues, &world, at(0.0));
    let (mut head, _) = View::open(ViewSpec::Status, &world, at(0.0));
    let mut fired = Vec::new();
    // Nothing but time passes; q1 is served in between.
    while let Some(wake) = effects.wake_at.filter(|wake| *wake <= at(125.0)) {
        effects = world.apply(engine::Input::Wake, wake);
        if wake > at(30.0) && queue_of(&world, "q1").unwrap().waiting != Some(0) {
            send(&mut world, 30.0, vec![Change::Queue(queue("q1", Some(0), None))]);
        }
        fired
            .extend(effects.alerts.iter().map(|(transition, alert)| (wake, *transition, alert.rule.clone())));
    }
    let late = world.alerts().into_iter().find(|a| a.metric.contains("longest_wait")).expect("a long wait");
    assert_eq!(late.severity, model::Severity::Critical, "{fired:?}");
    let message = view.update(&world, at(125.0)).unwrap();
    let ViewMessage::Patch { order: Some(order), .. } = &message else { panic!("{message:?}") };
    assert_eq!(order[0], "shop\u{1f}q2");
    let Row::Queue(q2) = rows(message).into_iter().find(|row| row.key().ends_with("q2")).unwrap() else {
        panic!()
    };
    assert_eq!((q2.need, q2.acked), (Need::Critical, false));
    let ViewMessage::Patch { status: Some(status), .. } = head.update(&world, at(125.0)).unwrap() else {
        panic!()
    };
    assert_eq!((status.queues_late, status.worst_queue.unwrap().name.as_str()), (1, "Queue q2"));
    assert!(status.critical_firing >= 1);

    let (_, alerts) = View::open(ViewSpec::Alerts, &world, at(125.0));
    let Row::Alert(row) = rows(alerts).into_iter().find(|row| row.key() == late.id.as_str()).unwrap() else {
        panic!()
    };
    assert_eq!((row.counts_from, row.source_name.as_deref()), (Some(at(0.0).as_ms()), Some("The shop")));

    let desk = engine::DeskCommand::Acknowledge { alert: late.id.clone(), until: None };
    let effects = world.apply(engine::Input::Desk(desk), at(126.0));
    assert_eq!(effects.alerts.len(), 1);
    let Some(Row::Queue(q2)) = rows(view.update(&world, at(126.0)).unwrap()).pop() else { panic!() };
    assert_eq!((q2.need, q2.acked), (Need::Critical, true));

    // The link is lost: what was late is now old.
    send(&mut world, 127.0, vec![health(Health::Retrying)]);
    let q2 = queues(&world, 127.0).into_iter().find(|row| row.name == "Queue q2").unwrap();
    assert_eq!((q2.need, q2.waiting.certainty), (Need::Stale, Certainty::Stale));
    assert_eq!(engine::view::status(&world, at(127.0)).queues_late, 0);
}
