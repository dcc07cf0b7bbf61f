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
    // Somebody in the queue that keeps silent may wait longer.
    assert_eq!(read(&world, Total, "", "longest_wait"), Reading::AtLeast { since: at(-25.0) });
    assert_eq!(read(&world, Floor, "", "longest_wait"), Reading::AtLeast { since: at(-25.0) });
    // One queue keeps silent: the sum is not known, though a part of it is.
    assert_eq!(read(&world, Total, "", "waiting"), Reading::Unknown);
    assert_eq!(read(&world, Floor, "", "waiting"), Reading::Unknown);
    let rate = MetricName { name: "abandoned", window: Some(Window::M30) };
    assert_eq!(world.read(Total, &source_key(&"shop".into()), rate, at(0.0)), Reading::Unknown);
}

#[test]
fn figures_made_of_two_are_unknown_with_either() {
    let of = |waiting: Option<u32>, online: Option<u32>| {
        let mut q1 = queue("q1", waiting, None);
        q1.agents_online = online;
        read(&live_with(vec![Change::Queue(q1)]), Queue, "q1", "waiting_per_agent")
    };
    assert_eq!(of(None, Some(2)), Reading::Unknown, "people may wait: the source can tell and does not");
    assert_eq!(of(None, Some(0)), Reading::Unknown);
    assert_eq!(of(Some(2), None), Reading::NotGiven, "this source never tells who is online");
    let of = |open: Option<u32>, presence: Presence| {
        let a1 = model::Agent { open, ..agent("a1", Presence::Available) };
        let world = live_with(vec![Change::Agent(a1), Change::Agent(agent("a2", presence))]);
        let total = |name| read(&world, Total, "", name);
        let all =
            (read(&world, Agent, "a1", "slot_utilisation"), total("slot_utilisation"), total("free_slots"));
        let floor = |name| read(&world, Floor, "", name);
        assert_eq!((floor("slot_utilisation"), floor("free_slots")), (all.1.clone(), all.2.clone()));
        all
    };
    let n = Reading::number;
    assert_eq!(of(Some(3), Presence::Busy), (n(1.0), n(4.0 / 6.0), n(4.0)));
    assert_eq!(of(None, Presence::Busy), (Reading::Unknown, Reading::Unknown, n(4.0)));
    let unknown = (n(1.0), Reading::Unknown, Reading::Unknown);
    assert_eq!(of(Some(3), Presence::Unknown), unknown, "whether the slots count is not known");
}

#[test]
fn nobody_waits_for_a_free_agent_only_where_every_queue_says_so() {
    let free = |world: &engine::World| read(world, Agent, "a1", "agents_free_while_waiting");
    let a1 = |presence| {
        let queues = Some(vec!["q1".into(), "q2".into()]);
        Change::Agent(model::Agent { queues, ..agent("a1", presence) })
    };
    let q = |id: &str, waiting| Change::Queue(queue(id, waiting, None));
    let mut world = live_with(vec![a1(Presence::Available), q("q1", None), q("q2", Some(0))]);
    assert_eq!(free(&world), Reading::Unknown);
    send(&mut world, 1.0, vec![q("q2", Some(1))]);
    assert_eq!(free(&world), Reading::CountingUp { since: at(1.0) }, "one queue is enough");
    send(&mut world, 2.0, vec![q("q1", Some(0)), q("q2", Some(0))]);
    assert_eq!(free(&world), Reading::number(0.0));
    send(&mut world, 3.0, vec![a1(Presence::Unknown)]);
    assert_eq!(free(&world), Reading::Unknown);
    send(&mut world, 4.0, vec![a1(Presence::Away), q("q1", None)]);
    assert_eq!(free(&world), Reading::number(0.0), "who is away is not free, whoever waits");
    let world = live_with(vec![a1(Presence::Available), q("q1", Some(0))]);
    assert_eq!(free(&world), Reading::number(0.0), "a queue that is not there holds nobody");
    let mut gap = model::HealthReport::of(Health::Live);
    gap.gaps = vec!["queuestate".into()];
    let mut world = live_with(vec![a1(Presence::Available), q("q1", Some(0))]);
    send(&mut world, 1.0, vec![Change::Health(gap)]);
    assert_eq!(free(&world), Reading::Unknown, "unless the queues were not to be had");
}

#[test]
fn a_queue_that_falls_silent_neither_ends_nor_completes_the_alert_of_a_free_agent() {
    let mut world = watched();
    let q1 = |waiting| vec![Change::Queue(queue("q1", waiting, None))];
    let mut first = vec![Change::Reset, Change::Agent(agent("a1", Presence::Available))];
    first.extend(q1(Some(2)));
    first.extend([Change::Complete, live()]);
    let mut lines = Vec::new();
    let mut play = |seconds: f64, changes: Vec<Change>| {
        for (transition, alert) in send(&mut world, seconds, changes).alerts {
            if alert.rule == "Agent free while people wait" {
                lines.push((seconds, transition, alert));
            }
        }
    };
    play(0.0, first);
    play(50.0, q1(None));
    play(100.0, q1(Some(1)));
    play(109.0, Vec::new());
    play(111.0, Vec::new());
    play(120.0, q1(None));
    play(700.0, q1(Some(3)));
    play(710.0, q1(None));
    play(720.0, q1(Some(0)));
    use model::Transition::{Firing, Known, Pending, Recovering, Resolved, Unknown};
    let said: Vec<_> = lines.iter().map(|(at, transition, _)| (*at, *transition)).collect();
    let expected = [
        (111.0, Pending),
        (111.0, Firing),
        (120.0, Unknown),
        (700.0, Known),
        (710.0, Unknown),
        (720.0, Known),
        (720.0, Recovering),
        (720.0, Resolved),
    ];
    assert_eq!(said, expected, "50 s before the gap and 10 s after it");
    let unknown = &lines[2].2;
    assert_eq!((unknown.value, unknown.limit), (None, Some(60.0)));
    assert_eq!(unknown.reason, "Agent a1: agents free while waiting is not known now");
    assert_eq!(lines[3].2.value, Some(70.0), "10 s more than at 110, none of them in the gap");
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
