//! The default rules on the real state of the floor, fed as connectors feed it.

use std::{collections::BTreeMap, sync::Arc};

use engine::{
    Effects, Input, World,
    alerts::{RuleSpec, Rulebook, Targets},
};
use model::{
    Batch, Change, Conversation, ConversationState, Health, HealthReport, Id, Origin, Queue, QueueKind,
    Source, Timestamp, Transition, Vendor,
};

use crate::floor::{at, word};

struct Floor {
    world: World,
    now: Timestamp,
    lines: Vec<String>,
}

fn source() -> Source {
    let told = [
        "queue.waiting",
        "queue.waiting_since",
        "queue.agents_online",
        "conversation.last_customer_message_at",
    ];
    Source {
        id: Id::from("shop"),
        vendor: Vendor::Comm100,
        name: "Shop".into(),
        health: Health::Connecting,
        health_since: at(0.0),
        last_data_at: None,
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides: told.iter().map(|p| (p.to_string(), Origin::Reported)).collect::<BTreeMap<_, _>>(),
    }
}

fn queue(waiting: u32, since: Option<f64>, online: u32) -> Change {
    Change::Queue(Queue {
        source: Id::from("shop"),
        id: Id::from("dept:1"),
        name: "Billing".into(),
        kind: QueueKind::Department,
        waiting: Some(waiting),
        waiting_since: since.map(at),
        average_wait_s: None,
        open: None,
        capacity: None,
        free_capacity: None,
        agents_online: Some(online),
        agents_available: None,
        expected_at: None,
        windows: Vec::new(),
    })
}

fn chat(state: ConversationState, customer_wrote: f64) -> Change {
    Change::Conversation(Conversation {
        source: Id::from("shop"),
        id: Id::from("c1"),
        queue: Some(Id::from("dept:1")),
        agents: None,
        state,
        channel: None,
        started_via: None,
        started_via_label: None,
        customer: Some("Ada".into()),
        subject: None,
        created_at: None,
        waiting_since: None,
        answered_at: None,
        ended_at: None,
        expected_at: None,
        last_customer_message_at: Some(at(customer_wrote)),
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: None,
    })
}

fn health(health: Health) -> Change {
    Change::Health(HealthReport { clock_skew_s: Some(2.0), ..HealthReport::of(health) })
}

impl Floor {
    fn new() -> Self {
        let mut floor = Self { world: World::new(), now: at(0.0), lines: Vec::new() };
        floor.configure(&[]);
        floor
    }
    fn configure(&mut self, rules: &[RuleSpec]) {
        let (rules, errors) = Rulebook::compile(rules, &[], &[], Targets::default(), true);
        assert_eq!(errors, vec![]);
        self.apply(Input::Configure { sources: vec![source()], rules: Arc::new(rules) });
    }
    fn apply(&mut self, input: Input) -> Effects {
        let effects = self.world.apply(input, self.now);
        let seconds = self.now.seconds_since(at(0.0));
        for (t, a) in &effects.alerts {
            self.lines.push(format!("{seconds} {}: {}", a.rule, word(*t)));
        }
        effects
    }
    fn run_to(&mut self, seconds: f64) {
        while let Some(due) =
            self.world.apply(Input::Wake, self.now).wake_at.filter(|due| *due <= at(seconds))
        {
            assert!(due > self.now, "the world wants to be woken now, again and again");
            self.now = due;
            self.apply(Input::Wake);
        }
        self.now = at(seconds);
    }
    fn batch(&mut self, seconds: f64, changes: Vec<Change>) {
        self.run_to(seconds);
        self.apply(Input::Batch(Batch { source: Id::from("shop"), at: self.now, changes }));
    }
    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

#[test]
fn a_long_wait_by_the_vendors_clock() {
    let mut f = Floor::new();
    // The vendor's clock runs two seconds ahead: who entered at 12 there entered at 10 here.
    f.batch(1.0, vec![Change::Reset, queue(0, None, 2), Change::Complete, health(Health::Live)]);
    f.batch(10.0, vec![queue(1, Some(12.0), 2)]);
    f.run_to(69.9);
    assert_eq!(f.told(), [""; 0]);
    f.run_to(131.0);
    assert_eq!(
        f.told(),
        ["70.001 Long wait: pending", "70.001 Long wait: firing", "130.001 Long wait: escalated"]
    );
    f.batch(140.0, vec![queue(0, None, 2)]);
    f.run_to(200.0);
    assert_eq!(f.told(), ["140 Long wait: recovering", "170 Long wait: resolved"]);
    assert!(f.world.alerts().is_empty());
}

#[test]
fn a_lost_link_with_new_tries_in_between() {
    let mut f = Floor::new();
    f.run_to(60.0);
    assert_eq!(f.told(), [""; 0], "on its way to a first state nothing is lost yet");
    f.batch(60.0, vec![Change::Reset, queue(3, Some(1.0), 0), Change::Complete, health(Health::Live)]);
    f.run_to(100.0);
    let first = f.told();
    assert!(first.contains(&"75 Nobody online: firing".to_string()), "{first:?}");
    assert!(
        first.contains(&"60 Long wait: firing".to_string()),
        "who waited before we looked waits too long: {first:?}"
    );
    for (seconds, state) in [
        (100.0, Health::Retrying),
        (101.0, Health::Connecting),
        (102.0, Health::Retrying),
        (103.0, Health::Connecting),
    ] {
        f.batch(seconds, vec![health(state)]);
    }
    f.run_to(115.0);
    let lost = f.told();
    assert!(lost.contains(&"104.001 Source lost: firing".to_string()), "{lost:?}");
    assert!(lost.contains(&"104.001 Long wait: inhibited".to_string()), "{lost:?}");
    assert!(lost.contains(&"100 Nobody online: unknown".to_string()), "{lost:?}");
    // Nothing ends while nothing is known.
    f.run_to(400.0);
    assert_eq!(f.told(), ["160.001 Source lost: escalated"]);
    f.batch(400.0, vec![Change::Reset, queue(0, None, 1), Change::Complete, health(Health::Live)]);
    f.run_to(500.0);
    let back = f.told();
    assert_eq!(
        back.iter().filter(|l| l.ends_with("resolved")).count(),
        3,
        "the source, the wait, the empty queue: {back:?}"
    );
    assert_eq!(back[0], "400 Source lost: recovering");
    assert!(f.world.alerts().is_empty());
}

/// A vendor that empties its state and tells it anew in its own time is not lost; one that does not is.
#[test]
fn a_state_that_is_told_anew_is_no_loss() {
    let stale = |until: f64| {
        Change::Health(HealthReport { retry_at: Some(at(until)), ..HealthReport::of(Health::Stale) })
    };
    let whole = || vec![Change::Reset, queue(0, None, 1), Change::Complete, health(Health::Live)];
    let mut f = Floor::new();
    f.batch(10.0, whole());
    f.run_to(100.0);
    f.told();
    f.batch(100.0, vec![stale(130.0)]);
    f.run_to(120.0);
    f.batch(120.0, whole());
    f.run_to(200.0);
    assert_eq!(f.told(), [""; 0]);
    // Not told anew in time.
    f.batch(200.0, vec![stale(230.0)]);
    f.run_to(233.0);
    assert_eq!(f.told(), [""; 0]);
    f.run_to(235.0);
    assert!(f.told().contains(&"234.001 Source lost: firing".to_string()));
    // The connection goes meanwhile: that is a loss at once.
    f.batch(240.0, whole());
    f.run_to(300.0);
    f.told();
    f.batch(300.0, vec![stale(330.0)]);
    f.batch(302.0, vec![health(Health::Retrying)]);
    f.run_to(310.0);
    assert!(f.told().contains(&"306.001 Source lost: firing".to_string()));
}

#[test]
fn refused_credentials_at_once() {
    let mut f = Floor::new();
    f.batch(3.0, vec![health(Health::Denied)]);
    assert_eq!(f.told(), ["3 Sign-in refused: pending", "3 Sign-in refused: firing"]);
    assert_eq!(f.world.alerts()[0].reason, "Shop: sign-in or permission was refused");
}

#[test]
fn a_reply_that_does_not_come() {
    let mut f = Floor::new();
    let active = |wrote| chat(ConversationState::Active, wrote);
    f.batch(1.0, vec![Change::Reset, queue(0, None, 1), active(2.0), Change::Complete, health(Health::Live)]);
    f.run_to(121.0);
    assert_eq!(f.told(), ["120.001 Reply overdue: pending", "120.001 Reply overdue: firing"]);
    f.batch(130.0, vec![chat(ConversationState::Ended, 2.0)]);
    f.run_to(300.0);
    let lines = f.told();
    assert!(lines.iter().any(|l| l.ends_with("resolved")), "{lines:?}");
}

#[test]
fn restored_alerts_do_not_fire_again() {
    let mut f = Floor::new();
    f.batch(1.0, vec![Change::Reset, queue(1, Some(2.0), 1), Change::Complete, health(Health::Live)]);
    f.run_to(100.0);
    let alerts = f.world.alerts();
    assert_eq!(alerts.len(), 1);
    let mut again = Floor::new();
    again.now = at(200.0);
    again.apply(Input::Restore { entities: Vec::new(), sources: Vec::new(), alerts, timers: vec![] });
    again.batch(210.0, vec![Change::Reset, queue(1, Some(2.0), 1), Change::Complete, health(Health::Live)]);
    again.run_to(300.0);
    let lines = again.told();
    assert!(!lines.iter().any(|l| l.ends_with(&word(Transition::Firing))), "{lines:?}");
    assert_eq!(lines, ["200 Long wait: unknown", "210 Long wait: known", "210 Long wait: escalated"]);
}

#[test]
fn what_holds_already_when_a_run_begins_does_not_fire_a_second_time() {
    let down = || RuleSpec { name: "Down".into(), ..crate::floor::rule("source.health != live") };
    let fresh = || Floor { world: World::new(), now: at(0.0), lines: Vec::new() };
    let mut first = fresh();
    first.configure(&[down()]);
    assert_eq!(first.told(), ["0 Down: pending", "0 Down: firing"]);
    let alerts = first.world.alerts();
    let mut again = fresh();
    again.now = at(30.0);
    again.world.expect_restore();
    again.configure(&[down()]);
    again.apply(Input::Restore {
        entities: Vec::new(),
        sources: Vec::new(),
        alerts: alerts.clone(),
        timers: vec![],
    });
    assert_eq!(again.told(), [""; 0]);
    assert_eq!(again.world.alerts(), alerts, "the same episode goes on");
    again.batch(40.0, vec![Change::Reset, Change::Complete, health(Health::Live)]);
    again.run_to(80.0);
    assert_eq!(again.told(), ["40 Down: recovering", "70 Down: resolved"]);
}
