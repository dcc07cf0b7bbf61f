//! What rules are answered.

use engine::alerts::{Facts, MetricName, Reading, floor_key, source_key};
use model::{Change, ConversationState, Health, Presence, SubjectKind, Window};

use crate::floor::*;

fn read(world: &engine::World, kind: SubjectKind, id: &str, name: &'static str) -> Reading {
    let key = match kind {
        SubjectKind::Floor => floor_key(),
        SubjectKind::Source | SubjectKind::Total => source_key(&"shop".into()),
        _ => key(id),
    };
    world.read(kind, &key, MetricName { name, window: None }, at(10.0))
}

use SubjectKind::{Agent, Conversation, Floor, Queue, Source, Total};

#[test]
fn queues_answer_from_their_fields() {
    let mut q1 = queue("q1", Some(3), Some(at(-20.0)));
    q1.agents_online = Some(0);
    let mut q2 = queue("q2", Some(0), None);
    q2.agents_online = Some(2);
    q2.capacity = Some(0);
    let world = live_with(vec![
        skewed(5.0),
        Change::Queue(q1),
        Change::Queue(q2),
        Change::Queue(queue("q3", None, None)),
    ]);
    assert_eq!(read(&world, Queue, "q1", "waiting"), Reading::number(3.0));
    assert_eq!(read(&world, Queue, "q1", "longest_wait"), Reading::CountingUp { since: at(-25.0) });
    assert!(matches!(read(&world, Queue, "q1", "waiting_per_agent"), Reading::Infinite { .. }));
    assert_eq!(read(&world, Queue, "q2", "longest_wait"), Reading::number(0.0));
    assert_eq!(read(&world, Queue, "q2", "waiting_per_agent"), Reading::number(0.0));
    assert_eq!(read(&world, Queue, "q2", "slot_utilisation"), Reading::NotGiven);
    assert_eq!(read(&world, Queue, "q3", "waiting"), Reading::Unknown);
    assert_eq!(read(&world, Queue, "q3", "average_wait"), Reading::NotGiven);
    let asked = MetricName { name: "abandoned", window: Some(Window::M30) };
    assert_eq!(world.read(Queue, &key("q1"), asked, at(0.0)), Reading::Unknown);
    assert_eq!(read(&world, Total, "", "longest_wait"), Reading::CountingUp { since: at(-25.0) });
    // One queue keeps silent: the sum is not known, though a part of it is.
    assert_eq!(read(&world, Total, "", "waiting"), Reading::Unknown);
}

#[test]
fn an_agent_is_free_while_people_wait_only_since_both_hold() {
    let mut world = live_with(vec![
        Change::Agent(agent("a1", Presence::Available)),
        Change::Queue(queue("q1", Some(0), None)),
    ]);
    assert_eq!(read(&world, Agent, "a1", "agents_free_while_waiting"), Reading::number(0.0));
    send(&mut world, 5.0, vec![Change::Queue(queue("q1", Some(2), Some(at(4.0))))]);
    send(&mut world, 6.0, vec![Change::Queue(queue("q1", Some(1), Some(at(5.0))))]);
    assert_eq!(
        read(&world, Agent, "a1", "agents_free_while_waiting"),
        Reading::CountingUp { since: at(5.0) }
    );
    send(&mut world, 7.0, vec![Change::Agent(agent("a1", Presence::Away))]);
    assert_eq!(read(&world, Agent, "a1", "agents_free_while_waiting"), Reading::number(0.0));
    send(&mut world, 8.0, vec![Change::Agent(agent("a1", Presence::Available))]);
    assert_eq!(
        read(&world, Agent, "a1", "agents_free_while_waiting"),
        Reading::CountingUp { since: at(8.0) }
    );
    assert_eq!(read(&world, Agent, "a1", "time_in_presence"), Reading::CountingUp { since: at(8.0) });
}

#[test]
fn an_answer_resets_the_reply_age() {
    let talk = |customer: Option<f64>, agent: Option<f64>| {
        let mut c = conversation("c1", ConversationState::Active, None);
        c.last_customer_message_at = customer.map(at);
        c.last_agent_message_at = agent.map(at);
        let world = live_with(vec![Change::Conversation(c)]);
        read(&world, Conversation, "c1", "reply_age")
    };
    assert_eq!(talk(Some(1.0), None), Reading::CountingUp { since: at(1.0) });
    assert_eq!(talk(Some(3.0), Some(2.0)), Reading::CountingUp { since: at(3.0) });
    assert_eq!(talk(Some(2.0), Some(3.0)), Reading::number(0.0));
    assert_eq!(talk(None, None), Reading::NotGiven);
}

#[test]
fn what_is_not_live_answers_nothing() {
    let mut world = live_with(vec![Change::Queue(queue("q1", Some(3), Some(at(-20.0))))]);
    assert_eq!(read(&world, Floor, "", "waiting"), Reading::number(3.0));
    send(&mut world, 1.0, vec![health(Health::Retrying)]);
    assert_eq!(read(&world, Queue, "q1", "waiting"), Reading::Unknown);
    assert_eq!(read(&world, Total, "", "waiting"), Reading::Unknown);
    assert_eq!(read(&world, Floor, "", "waiting"), Reading::Unknown);
    assert_eq!(read(&world, Source, "", "health"), Reading::Word("retrying".into()));
    assert_eq!(read(&world, Source, "", "data_age"), Reading::CountingUp { since: at(0.0) });
    assert_eq!(read(&world, Source, "", "denied"), Reading::flag(false));
}

#[test]
fn capacity_is_summed_over_agents_and_nobody_away_is_free() {
    let world = live_with(vec![
        Change::Agent(agent("a1", Presence::Available)),
        Change::Agent(agent("a2", Presence::Away)),
        Change::Agent(agent("a3", Presence::Offline)),
    ]);
    assert_eq!(read(&world, Total, "", "capacity"), Reading::number(6.0));
    assert_eq!(read(&world, Total, "", "free_slots"), Reading::number(2.0));
    assert_eq!(read(&world, Floor, "", "agents_online"), Reading::number(2.0));
    assert_eq!(read(&world, Floor, "", "agents_available"), Reading::number(1.0));
    let unlimited = model::Agent { capacity: None, free_capacity: None, ..agent("a4", Presence::Available) };
    let mut world = world;
    send(&mut world, 1.0, vec![Change::Agent(unlimited)]);
    assert_eq!(read(&world, Total, "", "capacity"), Reading::Unknown);
}
