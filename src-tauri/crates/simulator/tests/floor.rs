//! The floor by itself: repeatable, consistent, and a good demo.
#![allow(clippy::unwrap_used)] // A test may stop where it stands.

use std::time::Duration;

use model::{ConversationState, Timestamp, Vendor};
use simulator::floor::{Centre, Event, Scenario, Stance};

fn at(seconds: u64) -> Timestamp {
    "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap().plus(Duration::from_secs(seconds))
}

const BOTH: [Vendor; 2] = [Vendor::Comm100, Vendor::Pingstreams];

fn demo(seed: u64, speed: f64) -> Centre {
    Centre::open(seed, speed, &Scenario::Demo, &BOTH, at(0))
}

#[test]
fn the_same_seed_gives_the_same_floor_whatever_the_steps() {
    let mut whole = demo(7, 1.0);
    let mut steps = demo(7, 1.0);
    let one: Vec<Event> = whole.advance(at(1200));
    let many: Vec<Event> =
        (1..=2400).flat_map(|i| steps.advance(at(0).plus(Duration::from_millis(i * 500)))).collect();
    assert!(one.len() > 300, "{}", one.len());
    assert_eq!(one, many);
    let mut other = demo(8, 1.0);
    assert_ne!(one, other.advance(at(1200)));
}

fn check(floor: &Centre) {
    for queue in floor.queues() {
        let contacts = || floor.contacts_of(queue.vendor).filter(|c| c.queue == queue.no);
        let of = |state| contacts().filter(|c| c.state == state).count();
        assert_eq!(of(ConversationState::Waiting), queue.waiting.len(), "{}", queue.name);
        assert_eq!(of(ConversationState::Active), queue.open as usize, "{}", queue.name);
        assert!(queue.waiting.iter().is_sorted_by_key(|c| floor.contact(*c).map(|c| c.entered_at)));
    }
    for seat in floor.seats() {
        for contact in &seat.open {
            assert!(floor.contact(*contact).unwrap().seats.contains(&seat.no));
        }
        assert!(seat.limit.is_none_or(|l| seat.open.len() <= l as usize), "{} has too many", seat.name());
        assert_eq!(seat.open.is_empty(), seat.chatting_since.is_none());
    }
    for contact in BOTH.iter().flat_map(|v| floor.contacts_of(*v)) {
        match contact.state {
            ConversationState::Waiting => assert!(contact.seats.is_empty() && contact.answered_at.is_none()),
            ConversationState::Active => assert!(!contact.seats.is_empty() && contact.answered_at.is_some()),
            ConversationState::Ended => assert!(contact.outcome.is_some()),
        }
    }
    for vendor in BOTH {
        let day = floor.day(vendor);
        assert_eq!(day.requests(), day.answered + day.abandoned + day.missed + day.switched);
    }
}

#[test]
fn the_books_balance_at_every_moment() {
    let mut floor = demo(3, 1.0);
    for second in (0..3600).step_by(7) {
        floor.advance(at(second));
        check(&floor);
    }
    let day = floor.day(Vendor::Comm100);
    assert!(day.answered > 100 && day.abandoned > 0 && day.switched > 0, "{day:?}");
}

#[test]
fn it_opens_as_if_it_had_been_running() {
    for seed in 1..=5 {
        let floor = demo(seed, 1.0);
        check(&floor);
        for vendor in BOTH {
            assert!(floor.day(vendor).answered > 40, "{:?}", floor.day(vendor));
            assert!(floor.queues_of(vendor).any(|q| q.open > 0));
            assert!(floor.seats_of(vendor).any(|s| s.stance == Stance::Accepting && !s.open.is_empty()));
        }
    }
}

/// The longest wait on the whole floor, in seconds.
fn longest(floor: &Centre) -> f64 {
    let waiting = floor.queues().iter().filter_map(|q| q.waiting.front()).filter_map(|c| floor.contact(*c));
    waiting.map(|c| floor.now().seconds_since(c.entered_at)).fold(0.0, f64::max)
}

#[test]
fn the_demo_shows_trouble_within_two_minutes_and_recovery_after() {
    for (seed, speed) in [(1, 1.0), (2, 1.0), (3, 1.0), (4, 4.0), (47, 20.0)] {
        let mut floor = demo(seed, speed);
        let mut reached = None;
        let mut waiting_in_a_minute = 0;
        let mut recovered = false;
        for second in 0..780 {
            floor.advance(at(second));
            if second < 60 {
                let waiting: usize = floor.queues().iter().map(|q| q.waiting.len()).sum();
                waiting_in_a_minute = waiting_in_a_minute.max(waiting);
            }
            if longest(&floor) > 125.0 {
                reached.get_or_insert(second);
            }
            recovered |= reached.is_some() && longest(&floor) < 90.0;
        }
        assert!(waiting_in_a_minute >= 3, "seed {seed}: {waiting_in_a_minute}");
        assert!(reached.is_some_and(|s| s <= 120), "seed {seed}: {reached:?}");
        assert!(recovered, "seed {seed} never recovers");
    }
}

#[test]
fn speed_compresses_durations_and_nothing_else() {
    let mut slow = demo(5, 1.0);
    let mut fast = demo(5, 10.0);
    let (a, b) = (slow.advance(at(600)).len(), fast.advance(at(600)).len());
    assert!(b > a * 4, "{a} {b}");
    let youngest = fast.contacts_of(Vendor::Comm100).map(|c| c.created_at).max();
    assert!(youngest.is_some_and(|t| t <= at(600)));
    check(&fast);
}

#[test]
fn a_quiet_floor_moves_only_when_it_is_told_to() {
    let mut floor = Centre::open(1, 1.0, &Scenario::Quiet, &BOTH, at(0));
    assert_eq!(floor.advance(at(3600)), []);
    let queue = floor.queues_of(Vendor::Comm100).next().unwrap().no;
    let seat = floor.queue(queue).unwrap().seats[0];
    let contact = floor.arrive(queue, Duration::from_secs(130), Some("Ann")).unwrap();
    floor.advance(at(7200));
    assert_eq!(
        floor.contact(contact).unwrap().state,
        ConversationState::Waiting,
        "nobody takes it by chance"
    );
    floor.join(contact, seat).unwrap();
    floor.leave(contact, seat).unwrap();
    assert_eq!(floor.contact(contact).unwrap().entered_at, at(7200));
    floor.join(contact, seat).unwrap();
    floor.end(contact, model::Outcome::Handled).unwrap();
    assert!(floor.end(contact, model::Outcome::Handled).is_err());
    check(&floor);
}

#[test]
fn a_big_floor_has_what_was_asked_for() {
    let scenario = Scenario::Big { queues: 50, agents: 400, conversations: 3000 };
    let mut floor = Centre::open(1, 1.0, &scenario, &[Vendor::Comm100], at(0));
    assert_eq!(floor.queues().len(), 50);
    assert_eq!(floor.seats().len(), 400);
    let open = |floor: &Centre| floor.open_contacts_of(Vendor::Comm100).count();
    assert_eq!(open(&floor), 3000);
    floor.advance(at(120));
    check(&floor);
    assert!((2000..4000).contains(&open(&floor)), "{}", open(&floor));
}
