//! The laws of the world, on random floors.

use std::collections::BTreeMap;

use engine::{
    Input, World, document,
    view::{Row, View, ViewMessage, ViewSpec},
};
use model::{Batch, Change, ConversationState, Health, HealthReport, Kind, Presence};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::floor::*;

fn change() -> impl Strategy<Value = Change> {
    let id = || (0..4u8).prop_map(|n| format!("r{n}"));
    let since = || proptest::option::of((-100..100i32).prop_map(|s| at(f64::from(s))));
    let presence = prop_oneof![
        Just(Presence::Available),
        Just(Presence::Busy),
        Just(Presence::Away),
        Just(Presence::Offline),
        Just(Presence::Unknown)
    ];
    let state = prop_oneof![
        Just(ConversationState::Waiting),
        Just(ConversationState::Active),
        Just(ConversationState::Ended)
    ];
    let queues = proptest::collection::vec(id().prop_map(|id| id.as_str().into()), 0..3);
    prop_oneof![
        4 => (id(), proptest::option::of(0..3u32), since())
            .prop_map(|(id, waiting, since)| Change::Queue(queue(&id, waiting, since))),
        4 => (id(), presence, 0..3u32, queues).prop_map(|(id, presence, open, queues)| {
            Change::Agent(model::Agent { open: Some(open), queues: Some(queues), ..agent(&id, presence) })
        }),
        4 => (id(), id(), id(), state, since()).prop_map(|(id, queue, agent, state, since)| {
            Change::Conversation(model::Conversation {
                queue: Some(queue.as_str().into()),
                agents: Some(vec![agent.as_str().into()]),
                ..conversation(&id, state, since)
            })
        }),
        1 => Just(Change::Totals(totals())),
        2 => (prop_oneof![Just(Kind::Queue), Just(Kind::Agent), Just(Kind::Conversation), Just(Kind::Totals)], id())
            .prop_map(|(kind, id)| Change::Remove(kind, if kind == Kind::Totals { "shop".into() } else { id.as_str().into() })),
        1 => Just(Change::Reset),
        1 => Just(Change::Complete),
        2 => (prop_oneof![Just(Health::Live), Just(Health::Retrying), Just(Health::Stale)], proptest::option::of(-2..3i32))
            .prop_map(|(health, skew)| Change::Health(HealthReport {
                clock_skew_s: skew.map(|s| f64::from(s) * 0.4),
                ..HealthReport::of(health)
            })),
    ]
}

/// Batches with the seconds that pass before each.
fn batches() -> impl Strategy<Value = Vec<(u32, Vec<Change>)>> {
    proptest::collection::vec((0..50u32, proptest::collection::vec(change(), 0..6)), 1..25)
}

/// The document as others would keep it: without what may differ between two instants.
fn comparable(text: &str) -> Value {
    let mut document: Value = serde_json::from_str(text).unwrap();
    let top = document.as_object_mut().unwrap();
    top.remove("type");
    top.remove("taken_at");
    top.remove("revision");
    for list in top.values_mut().filter_map(Value::as_array_mut) {
        for row in list.iter_mut().filter_map(Value::as_object_mut) {
            for name in ["longest_wait_s", "estimated_wait_s", "wait_s", "last_data_at", "clock_skew_s"] {
                row.remove(name);
            }
        }
    }
    document
}

/// A stranger who reads `watch --json`.
fn follow(document: &mut Value, line: &str) {
    let line: Value = serde_json::from_str(line).unwrap();
    let id = |row: &Value| (row["source"].clone(), row.get("id").unwrap_or(&row["source"]).clone());
    match line["type"].as_str().unwrap() {
        "change" => {
            for (kind, rows) in line["removes"].as_object().unwrap() {
                let list = document[kind].as_array_mut().unwrap();
                for row in rows.as_array().unwrap() {
                    let before = list.len();
                    list.retain(|old| id(old) != id(row));
                    assert_eq!(list.len() + 1, before, "removed something unknown");
                }
            }
            for (kind, rows) in line["upserts"].as_object().unwrap() {
                let list = document[kind].as_array_mut().unwrap();
                for row in rows.as_array().unwrap() {
                    list.retain(|old| id(old) != id(row));
                    list.push(row.clone());
                }
            }
        }
        "health" => {
            let list = document["sources"].as_array_mut().unwrap();
            list.retain(|old| old["id"] != line["source"]["id"]);
            list.push(line["source"].clone());
        }
        other => panic!("unexpected line {other}"),
    }
    for list in document.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut) {
        list.sort_by_key(|row| format!("{:?}", (row.get("source"), row.get("id"))));
    }
}

/// What a screen has after a snapshot and patches.
#[derive(Default)]
struct Screen {
    seq: u64,
    rows: BTreeMap<String, Row>,
    order: Vec<String>,
    total: u32,
    status: Option<Value>,
}

impl Screen {
    fn take(&mut self, message: ViewMessage) {
        match message {
            ViewMessage::Snapshot { seq, rows, total, status, .. } => {
                self.seq = seq;
                self.order = rows.iter().map(|r| r.key().to_owned()).collect();
                self.rows = rows.into_iter().map(|r| (r.key().to_owned(), r)).collect();
                self.total = total;
                self.status = status.map(|s| json!(s));
            }
            ViewMessage::Patch { seq, upserts, removes, order, total, status, .. } => {
                assert_eq!(seq, self.seq + 1);
                self.seq = seq;
                for key in removes {
                    assert!(self.rows.remove(&key).is_some(), "removed a row that was not shown");
                }
                for row in upserts {
                    let old = self.rows.insert(row.key().to_owned(), row.clone());
                    assert_ne!(old, Some(row), "sent a row that had not changed");
                }
                if let Some(order) = order {
                    assert_ne!(order, self.order, "sent an order that had not changed");
                    self.order = order;
                }
                self.total = total;
                if let Some(status) = status {
                    self.status = Some(json!(status));
                }
            }
        }
    }
}

fn specs() -> Vec<ViewSpec> {
    vec![
        ViewSpec::Status,
        ViewSpec::Queues,
        ViewSpec::Agents { queue: None },
        ViewSpec::Agents { queue: Some(key("r1")) },
        ViewSpec::Conversations { queue: None, limit: 2 },
        ViewSpec::Conversations { queue: Some(key("r1")), limit: 100 },
        ViewSpec::Alerts,
        ViewSpec::Sources,
    ]
}

fn apply(world: &mut World, seconds: f64, changes: Vec<Change>) -> engine::Effects {
    send(world, seconds, changes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_first_document_and_the_lines_make_a_later_document(batches in batches()) {
        let mut world = configured();
        let mut kept = comparable(&document::snapshot_line(&world, at(0.0)));
        let mut seconds = 0.0;
        for (passed, changes) in batches {
            seconds += f64::from(passed);
            let effects = apply(&mut world, seconds, changes);
            for line in document::lines(&world, &effects, at(seconds)) {
                follow(&mut kept, &line);
            }
            let text = document::snapshot(&world, at(seconds + 1.0));
            let kept = comparable(&kept.to_string());
            prop_assert_eq!(kept, comparable(&text));
        }
    }

    #[test]
    fn a_snapshot_and_its_patches_make_a_later_snapshot(batches in batches(), every in 1..4usize, rules: bool) {
        let mut world = if rules { watched() } else { configured() };
        let mut views: Vec<(View, Screen)> = specs().into_iter().map(|spec| {
            let (view, first) = View::open(spec, &world, at(0.0));
            let mut screen = Screen::default();
            screen.take(first);
            (view, screen)
        }).collect();
        let mut seconds = 0.0;
        for (n, (passed, changes)) in batches.into_iter().enumerate() {
            seconds += f64::from(passed);
            apply(&mut world, seconds, changes);
            // Screens are brought up to date only now and then.
            if n % every != 0 {
                continue;
            }
            let now = at(seconds);
            for ((view, screen), spec) in views.iter_mut().zip(specs()) {
                if let Some(message) = view.update(&world, now) {
                    screen.take(message);
                }
                prop_assert!(view.update(&world, now).is_none(), "nothing happened, but something was sent");
                let (_, fresh) = View::open(spec, &world, now);
                let mut other = Screen::default();
                other.take(fresh);
                prop_assert_eq!(&screen.order, &other.order);
                prop_assert_eq!(&screen.rows, &other.rows);
                prop_assert_eq!(&screen.status, &other.status);
                prop_assert_eq!(screen.total, other.total);
            }
            // What the rows are marked with is what the alerts say.
            let shown = &views.iter().zip(specs()).find(|(_, spec)| *spec == ViewSpec::Alerts).unwrap().0.1;
            let standing = world.alerts();
            prop_assert_eq!(shown.rows.len(), standing.len());
            for alert in standing {
                let Some(Row::Alert(row)) = shown.rows.get(alert.id.as_str()) else { panic!("not shown") };
                prop_assert_eq!(
                    (row.state, row.severity, &row.overlays, row.value, &row.reason),
                    (alert.state, alert.severity, &alert.overlays, alert.value, &alert.reason)
                );
            }
        }
    }

    #[test]
    fn a_batch_applied_twice_changes_nothing_more(batches in batches()) {
        let mut world = configured();
        let mut seconds = 0.0;
        for (passed, changes) in batches {
            seconds += f64::from(passed);
            // A resync over rows that are not sent again differs from one that is; take sweeps whole.
            let whole: Vec<Change> = changes
                .into_iter()
                .filter(|c| !matches!(c, Change::Reset | Change::Complete))
                .collect();
            apply(&mut world, seconds, whole.clone());
            let before = document::snapshot(&world, at(seconds));
            let effects = apply(&mut world, seconds, whole);
            // Within a batch a row may go there and back; what leaves is the end.
            prop_assert_eq!(said(&effects).len(), 0);
            prop_assert_eq!(before, document::snapshot(&world, at(seconds)));
        }
    }

    #[test]
    fn whatever_came_before_a_full_sync_ends_in_the_same_state(batches in batches(), last in proptest::collection::vec(change(), 0..8)) {
        let last: Vec<Change> = last
            .into_iter()
            .filter(|c| !matches!(c, Change::Reset | Change::Complete | Change::Remove(..) | Change::Health(_)))
            .map(|c| match c {
                // Starts that we saw ourselves are history, and history is what differs.
                Change::Agent(a) => Change::Agent(model::Agent { presence_since: Some(at(0.0)), ..a }),
                Change::Conversation(c) if c.state == ConversationState::Ended => {
                    Change::Conversation(model::Conversation { state: ConversationState::Active, ..c })
                }
                other => other,
            })
            .collect();
        let sync = |world: &mut World, seconds: f64| {
            let mut changes = vec![Change::Reset];
            changes.extend(last.clone());
            changes.extend([Change::Complete, skewed(0.0)]);
            apply(world, seconds, changes);
            // The minute of what had ended passes.
            world.apply(Input::Wake, at(seconds + 61.0));
        };
        let mut world = configured();
        let mut seconds = 0.0;
        for (passed, changes) in batches {
            seconds += f64::from(passed);
            apply(&mut world, seconds, changes);
        }
        sync(&mut world, seconds);
        let mut fresh = configured();
        sync(&mut fresh, seconds);
        let rows = |world: &World| {
            let mut document = comparable(&document::snapshot(world, at(seconds)));
            for source in document["sources"].as_array_mut().unwrap() {
                source.as_object_mut().unwrap().remove("health_since");
            }
            document
        };
        prop_assert_eq!(rows(&world), rows(&fresh));
    }

    #[test]
    fn sums_kept_on_change_are_the_sums_over_the_rows(batches in batches()) {
        let mut world = configured();
        let mut seconds = 0.0;
        for (passed, changes) in batches {
            seconds += f64::from(passed);
            apply(&mut world, seconds, changes);
        }
        apply(&mut world, seconds, vec![live()]);
        let document = document::take(&world, at(seconds));
        let status = engine::view::status(&world, at(seconds));
        let told: Vec<u32> = document.queues.iter().filter_map(|q| q.queue.waiting).collect();
        let waiting = u32::try_from(document.conversations.iter()
            .filter(|c| c.conversation.state == ConversationState::Waiting).count()).unwrap();
        if !told.is_empty() {
            prop_assert_eq!(status.waiting, Some(told.iter().sum::<u32>().max(waiting)));
        }
        if !document.agents.is_empty() {
            let online = document.agents.iter().filter(|a| a.presence.is_online()).count();
            prop_assert_eq!(status.agents_online, u32::try_from(online).ok());
        }
        prop_assert_eq!(status.queues as usize, document.queues.len());
    }
}

/// Batches of many sources do not mix.
#[test]
fn another_source_is_not_touched_by_a_sweep() {
    let mut world = configured();
    configure(&mut world, vec![source("shop"), source("desk")]);
    let desk = model::Queue { source: "desk".into(), ..queue("q1", Some(1), None) };
    let now = at(1.0);
    let changes = vec![Change::Reset, Change::Queue(desk), Change::Complete];
    world.apply(Input::Batch(Batch { source: "desk".into(), at: now, changes }), now);
    assert_eq!(said(&send(&mut world, 2.0, vec![Change::Reset, Change::Complete])).len(), 0);
    assert_eq!(world.entities().count(), 1);
}
