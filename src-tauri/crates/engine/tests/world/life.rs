//! Batches, sweeps, presence, health, ended conversations, restarts.

use engine::{Entity, Input};
use model::{Batch, Change, ConversationState, Health, HealthReport, Kind, Presence, SinceKind};

use crate::floor::*;

#[test]
fn a_batch_gives_one_delta_for_each_row_that_truly_changed() {
    let mut world = live_with(vec![
        Change::Queue(queue("q1", Some(1), Some(at(-5.0)))),
        Change::Queue(queue("q2", Some(0), None)),
    ]);
    assert_eq!(world.revision(), 1);
    let effects = send(
        &mut world,
        1.0,
        vec![
            Change::Queue(queue("q1", Some(2), Some(at(-5.0)))),
            Change::Queue(queue("q2", Some(0), None)),
            Change::Queue(queue("q1", Some(3), Some(at(-5.0)))),
            Change::Agent(agent("a1", Presence::Available)),
            Change::Remove(Kind::Agent, "a1".into()),
        ],
    );
    assert_eq!(said(&effects), ["+queue q1"]);
    assert_eq!(effects.revision, 2);
    assert_eq!(queue_of(&world, "q1").unwrap().waiting, Some(3));
    // There and back again is no change.
    let effects = send(
        &mut world,
        2.0,
        vec![
            Change::Queue(queue("q1", Some(9), Some(at(-5.0)))),
            Change::Queue(queue("q1", Some(3), Some(at(-5.0)))),
        ],
    );
    assert_eq!((said(&effects).len(), effects.revision), (0, 2));
}

#[test]
fn nothing_is_removed_before_complete() {
    let mut world = live_with(vec![
        Change::Queue(queue("q1", Some(1), Some(at(-5.0)))),
        Change::Queue(queue("q2", Some(1), Some(at(-5.0)))),
        Change::Agent(agent("a1", Presence::Available)),
    ]);
    assert_eq!(said(&send(&mut world, 1.0, vec![Change::Reset])).len(), 0);
    assert_eq!(
        said(&send(&mut world, 2.0, vec![Change::Queue(queue("q1", Some(1), Some(at(-5.0))))])).len(),
        0
    );
    // A second reset begins anew: q1 has to come again.
    send(&mut world, 3.0, vec![Change::Reset]);
    let effects =
        send(&mut world, 4.0, vec![Change::Queue(queue("q2", Some(1), Some(at(-5.0)))), Change::Complete]);
    assert_eq!(said(&effects), ["-queue q1", "-agent a1"]);
    // Without a reset, complete sweeps nothing.
    assert_eq!(said(&send(&mut world, 5.0, vec![Change::Complete])).len(), 0);
}

#[test]
fn an_ended_conversation_is_listed_for_a_minute_and_shown_once() {
    let mut world =
        live_with(vec![Change::Conversation(conversation("c1", ConversationState::Active, None))]);
    let ended = conversation("c1", ConversationState::Ended, None);
    let effects = send(&mut world, 10.0, vec![Change::Conversation(ended.clone())]);
    assert_eq!(said(&effects), ["+conversation c1"]);
    // Sent again, and even not sent again by a full resync, it stays for the rest of its minute.
    assert_eq!(said(&send(&mut world, 30.0, vec![Change::Conversation(ended.clone())])).len(), 0);
    let effects = send(&mut world, 40.0, vec![Change::Reset, Change::Complete]);
    assert_eq!(said(&effects).len(), 0);
    assert!(effects.wake_at.unwrap() <= at(70.0));
    assert_eq!(said(&world.apply(Input::Wake, at(69.999))).len(), 0);
    let effects = world.apply(Input::Wake, at(70.0));
    assert_eq!(said(&effects), ["-conversation c1"]);
    // What was shown once does not come back.
    assert_eq!(said(&send(&mut world, 80.0, vec![Change::Conversation(ended)])).len(), 0);
    // One that was never listed is shown all the same.
    let late = conversation("c2", ConversationState::Ended, None);
    assert_eq!(said(&send(&mut world, 81.0, vec![Change::Conversation(late)])), ["+conversation c2"]);
    assert_eq!(said(&world.apply(Input::Wake, at(141.0))), ["-conversation c2"]);
}

#[test]
fn one_that_comes_back_to_life_is_not_taken_away() {
    let mut world = live_with(vec![]);
    send(&mut world, 0.0, vec![Change::Conversation(conversation("c1", ConversationState::Ended, None))]);
    send(
        &mut world,
        30.0,
        vec![Change::Conversation(conversation("c1", ConversationState::Waiting, Some(at(30.0))))],
    );
    assert_eq!(said(&world.apply(Input::Wake, at(60.0))).len(), 0);
    send(&mut world, 70.0, vec![Change::Conversation(conversation("c1", ConversationState::Ended, None))]);
    assert_eq!(said(&world.apply(Input::Wake, at(129.0))).len(), 0);
    assert_eq!(said(&world.apply(Input::Wake, at(130.0))), ["-conversation c1"]);
}

#[test]
fn a_presence_that_comes_back_the_same_after_a_gap_did_not_begin_anew() {
    let mut world = live_with(vec![Change::Agent(agent("a1", Presence::Available))]);
    send(&mut world, 10.0, vec![Change::Agent(agent("a1", Presence::Away))]);
    let since = |world: &engine::World| {
        let agent = agent_of(world, "a1");
        (agent.presence_since.unwrap(), agent.presence_since_kind.unwrap())
    };
    let gap = |gaps: &[&str]| {
        let gaps = gaps.iter().map(|g| (*g).to_owned()).collect();
        Change::Health(model::HealthReport { gaps, ..model::HealthReport::of(model::Health::Live) })
    };
    let blind = || Change::Agent(model::Agent { open: None, ..agent("a1", Presence::Unknown) });
    // The part that tells it fails alone; after three intervals the row is told without it.
    send(&mut world, 20.0, vec![gap(&["agents"])]);
    send(&mut world, 35.0, vec![blind(), gap(&["agents"])]);
    assert_eq!(since(&world).1, SinceKind::Observed);
    send(&mut world, 60.0, vec![Change::Agent(agent("a1", Presence::Away)), gap(&[])]);
    assert_eq!(since(&world), (at(10.0), SinceKind::Observed));
    // What came back otherwise changed while nobody looked.
    send(&mut world, 70.0, vec![gap(&["agents"])]);
    send(&mut world, 85.0, vec![blind(), gap(&["agents"])]);
    send(&mut world, 90.0, vec![Change::Agent(agent("a1", Presence::Busy)), gap(&[])]);
    assert_eq!(since(&world), (at(90.0), SinceKind::AtLeast));
    // A status that we do not know, from a part that answers, is a change that was seen.
    let odd = model::Agent { open: Some(1), ..agent("a1", Presence::Unknown) };
    send(&mut world, 100.0, vec![gap(&["lookups"]), Change::Agent(odd)]);
    send(&mut world, 110.0, vec![Change::Agent(agent("a1", Presence::Busy))]);
    assert_eq!(since(&world), (at(110.0), SinceKind::AtLeast));
}

#[test]
fn a_presence_without_a_start_gets_one_and_keeps_it() {
    let mut world = live_with(vec![Change::Agent(agent("a1", Presence::Available))]);
    let since = |world: &engine::World| {
        let agent = agent_of(world, "a1");
        (agent.presence_since.unwrap(), agent.presence_since_kind.unwrap())
    };
    assert_eq!(since(&world), (at(0.0), SinceKind::AtLeast));
    // Quiet re-sends and a whole resync change nothing.
    assert_eq!(said(&send(&mut world, 5.0, vec![Change::Agent(agent("a1", Presence::Available))])).len(), 0);
    let again = vec![Change::Reset, Change::Agent(agent("a1", Presence::Available)), Change::Complete];
    assert_eq!(said(&send(&mut world, 6.0, again)).len(), 0);
    assert_eq!(since(&world), (at(0.0), SinceKind::AtLeast));
    // A change that we see is observed; another figure does not move it.
    send(&mut world, 10.0, vec![Change::Agent(agent("a1", Presence::Away))]);
    assert_eq!(since(&world), (at(10.0), SinceKind::Observed));
    send(
        &mut world,
        12.0,
        vec![Change::Agent(model::Agent { open: Some(2), ..agent("a1", Presence::Away) })],
    );
    assert_eq!(since(&world), (at(10.0), SinceKind::Observed));
    // What changed while nobody looked is a lower bound.
    send(&mut world, 20.0, vec![Change::Reset, Change::Agent(agent("a1", Presence::Busy)), Change::Complete]);
    assert_eq!(since(&world), (at(20.0), SinceKind::AtLeast));
    // What the vendor tells is reported, whatever we thought.
    let told = model::Agent { presence_since: Some(at(-100.0)), ..agent("a1", Presence::Busy) };
    send(&mut world, 30.0, vec![Change::Agent(told)]);
    assert_eq!(since(&world), (at(-100.0), SinceKind::Reported));
}

#[test]
fn an_observed_start_is_in_the_vendors_clock() {
    let mut world = live_with(vec![skewed(60.0), Change::Agent(agent("a1", Presence::Available))]);
    assert_eq!(agent_of(&world, "a1").presence_since, Some(at(60.0)));
    send(&mut world, 10.0, vec![Change::Agent(agent("a1", Presence::Away))]);
    assert_eq!(agent_of(&world, "a1").presence_since, Some(at(70.0)));
}

#[test]
fn health_is_told_only_when_it_says_something_new() {
    let mut world = live_with(vec![]);
    let quiet = |seconds: f64| {
        Change::Health(HealthReport { last_data_at: Some(at(seconds)), ..HealthReport::of(Health::Live) })
    };
    let effects = send(&mut world, 5.0, vec![quiet(5.0)]);
    assert!(effects.health.is_empty() && effects.deltas.is_empty());
    let shop = world.source(&"shop".into()).unwrap().clone();
    assert_eq!((shop.last_data_at, shop.health_since), (Some(at(5.0)), at(0.0)));
    // A report that does not know keeps what is known; late data does not go back.
    send(&mut world, 6.0, vec![quiet(2.0), skewed(1.5), health(Health::Live)]);
    let shop = world.source(&"shop".into()).unwrap().clone();
    assert_eq!((shop.last_data_at, shop.clock_skew_s), (Some(at(5.0)), Some(1.5)));
    let gaps = vec!["queue".to_owned(), "agents".to_owned(), "queue".to_owned()];
    let effects =
        send(&mut world, 7.0, vec![Change::Health(HealthReport { gaps, ..HealthReport::of(Health::Live) })]);
    assert_eq!(effects.health[0].gaps, ["agents", "queue"]);
    assert_eq!(effects.revision, world.revision());
    let effects = send(&mut world, 8.0, vec![health(Health::Retrying), health(Health::Connecting)]);
    assert_eq!(effects.health.len(), 1);
    assert_eq!((effects.health[0].health, effects.health[0].health_since), (Health::Connecting, at(8.0)));
    assert_eq!(effects.health[0].last_data_at, Some(at(5.0)));
}

#[test]
fn a_new_configuration_keeps_what_is_still_there() {
    let mut world = live_with(vec![Change::Queue(queue("q1", Some(1), None))]);
    let mut renamed = source("shop");
    renamed.name = "Shop floor".into();
    let effects = configure(&mut world, vec![renamed, source("desk")]);
    assert_eq!((said(&effects).len(), effects.health.len()), (0, 1));
    let shop = world.source(&"shop".into()).unwrap();
    assert_eq!((shop.health, shop.name.as_str()), (Health::Live, "Shop floor"));
    assert_eq!(world.sources().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["shop", "desk"]);

    let mut off = source("shop");
    off.health = Health::Disabled;
    let effects = configure(&mut world, vec![off]);
    assert_eq!(said(&effects), ["-queue q1"]);
    assert_eq!(effects.health[0].health, Health::Disabled);
    // A connector on its way out is not heard.
    assert_eq!(
        said(&send(&mut world, 1.0, vec![Change::Queue(queue("q1", Some(1), None)), live()])).len(),
        0
    );
    assert_eq!(world.source(&"shop".into()).unwrap().health, Health::Disabled);

    configure(&mut world, vec![source("shop")]);
    assert_eq!(world.source(&"shop".into()).unwrap().health, Health::Connecting);
    send(&mut world, 2.0, vec![Change::Queue(queue("q1", Some(1), None))]);
    assert_eq!(said(&configure(&mut world, vec![])), ["-queue q1"]);
    assert_eq!(world.sources().count(), 0);
    assert_eq!(said(&send(&mut world, 3.0, vec![Change::Queue(queue("q1", Some(1), None))])).len(), 0);
}

#[test]
fn restored_rows_stay_until_the_first_complete_state() {
    let old = live_with(vec![
        Change::Queue(queue("q1", Some(1), Some(at(-9.0)))),
        Change::Queue(queue("q2", Some(1), Some(at(-9.0)))),
        Change::Agent(agent("a1", Presence::Available)),
    ]);
    let entities: Vec<Entity> = old.entities().collect();
    let sources = old.sources().cloned().collect();
    let mut world = configured();
    let later = |changes| Input::Batch(Batch { source: "shop".into(), at: at(36_000.0), changes });
    let effects =
        world.apply(Input::Restore { entities, sources, alerts: vec![], timers: vec![] }, at(35_990.0));
    assert_eq!(effects.deltas.len(), 3);
    let shop = world.source(&"shop".into()).unwrap();
    assert_eq!((shop.health, shop.last_data_at), (Health::Connecting, Some(at(0.0))));
    assert_eq!(said(&world.apply(later(vec![Change::Reset]), at(36_000.0))).len(), 0);
    let changes = vec![
        Change::Queue(queue("q1", Some(1), Some(at(-9.0)))),
        Change::Agent(agent("a1", Presence::Available)),
        Change::Complete,
        live(),
    ];
    let effects = world.apply(later(changes), at(36_000.0));
    // After ten hours the same presence need not be the same spell of it.
    assert_eq!(said(&effects), ["+agent a1", "-queue q2"]);
    assert_eq!(agent_of(&world, "a1").presence_since, Some(at(36_000.0)));
}

#[test]
fn a_row_under_another_sources_name_is_not_taken() {
    let mut world = live_with(vec![]);
    let stray = model::Queue { source: "desk".into(), ..queue("q1", Some(1), None) };
    assert_eq!(said(&send(&mut world, 1.0, vec![Change::Queue(stray)])).len(), 0);
}

#[test]
fn the_clock_going_back_harms_nothing() {
    let mut world = live_with(vec![Change::Queue(queue("q1", Some(1), Some(at(-5.0))))]);
    send(
        &mut world,
        -3600.0,
        vec![Change::Queue(queue("q1", Some(2), Some(at(-5.0)))), health(Health::Stale)],
    );
    send(&mut world, 7200.0, vec![Change::Queue(queue("q1", Some(3), Some(at(-5.0)))), live()]);
    assert_eq!(queue_of(&world, "q1").unwrap().waiting, Some(3));
}
