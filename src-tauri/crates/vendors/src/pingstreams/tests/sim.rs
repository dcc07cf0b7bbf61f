//! The connector against the simulated server, in its reference form and in dialects: both must end in
//! what the simulator knows to be true.

use std::time::Duration;

use link::NetOptions;
use model::{ConversationState, Health, Vendor};
use simulator::{Options, Running as Centre, floor::Scenario, pingstreams::Dialect};

use super::{
    super::config::{Config, Pace},
    running::Running,
};

const V: Vendor = Vendor::Pingstreams;

async fn centre(dialect: Dialect, scenario: Scenario, speed: f64) -> Centre {
    let options = Options { pingstreams: dialect, scenario, speed, ..Options::quiet(&[V]) };
    simulator::start(options).await.unwrap()
}

fn config(centre: &Centre) -> Config {
    let toml = centre.source_toml(V, "ps");
    let value = |key: &str| {
        let line = toml.lines().find(|l| l.starts_with(&format!("{key} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    Config {
        source: "ps".into(),
        url: value("url").parse().unwrap(),
        api: value("api_url").parse().unwrap(),
        project: value("project"),
        email: Some(value("email")),
        messages: true,
        net: NetOptions::default(),
        pace: Pace { resync: Duration::from_secs(3), ..Pace::default() },
    }
}

/// Ours against the truth. Who joined late may know less (`None`), never something else.
fn compare(seen: &Running, centre: &Centre) -> Result<(), String> {
    let truth = centre.truth_as(V, "ps");
    let open: Vec<_> = seen.conversations.values().filter(|c| c.state != ConversationState::Ended).collect();
    let ids = |list: &[&model::Conversation]| list.iter().map(|c| c.id.to_string()).collect::<Vec<_>>();
    let true_ids = truth.conversations.iter().map(|c| c.id.to_string()).collect::<Vec<_>>();
    if ids(&open) != true_ids {
        return Err(format!("conversations {:?}\n       truth {true_ids:?}", ids(&open)));
    }
    for (ours, truth) in open.iter().zip(&truth.conversations) {
        let same = ours.state == truth.state
            && ours.queue == truth.queue
            && ours.agents == truth.agents
            && ours.customer == truth.customer
            && ours.subject == truth.subject
            && ours.created_at == truth.created_at
            && ours.tags == truth.tags
            && ours.priority == truth.priority
            && ours.channel == truth.channel
            && close(ours.waiting_since, truth.waiting_since)
            && close(ours.answered_at, truth.answered_at);
        if !same {
            return Err(format!("ours  {ours:?}\ntruth {truth:?}"));
        }
    }
    let agents: Vec<_> = seen.agents.values().collect();
    if agents.len() != truth.agents.len() {
        return Err(format!("{} agents, truth {}", agents.len(), truth.agents.len()));
    }
    for (ours, truth) in agents.into_iter().zip(&truth.agents) {
        let same = (
            &ours.id,
            &ours.name,
            &ours.email,
            ours.presence,
            ours.open,
            ours.capacity,
            ours.free_capacity,
            &ours.queues,
        ) == (
            &truth.id,
            &truth.name,
            &truth.email,
            truth.presence,
            truth.open,
            truth.capacity,
            truth.free_capacity,
            &truth.queues,
        );
        if !same {
            return Err(format!("ours  {ours:?}\ntruth {truth:?}"));
        }
    }
    for (ours, truth) in seen.queues.values().zip(&truth.queues) {
        let same = (&ours.id, &ours.name, ours.waiting, ours.open, ours.capacity, ours.free_capacity)
            == (&truth.id, &truth.name, truth.waiting, truth.open, truth.capacity, truth.free_capacity)
            && (ours.agents_online, ours.agents_available) == (truth.agents_online, truth.agents_available)
            && close(ours.waiting_since, truth.waiting_since);
        if !same {
            return Err(format!("ours  {ours:?}\ntruth {truth:?}"));
        }
    }
    (seen.queues.len() == truth.queues.len()).then_some(()).ok_or("queues".to_owned())
}

/// A moment that we see is a little later than it was.
fn close(ours: Option<model::Timestamp>, truth: Option<model::Timestamp>) -> bool {
    match (ours, truth) {
        (None, _) => true,
        (Some(a), Some(b)) => a.seconds_since(b).abs() < 2.0,
        (Some(_), None) => false,
    }
}

async fn converges(seen: &mut Running, centre: &Centre) {
    centre.control().pause();
    let mut last = Ok(());
    for _ in 0..60 {
        seen.listen(Duration::from_millis(100)).await;
        last = compare(seen, centre);
        if last.is_ok() {
            return;
        }
    }
    panic!("never the same as the truth:\n{}", last.unwrap_err());
}

#[tokio::test]
async fn i1_a_busy_floor_ends_as_it_truly_is_in_every_dialect() {
    for dialect in [Dialect::default(), Dialect::chaos(1), Dialect::chaos(2), Dialect::chaos(3)] {
        let centre = centre(dialect, Scenario::Demo, 30.0).await;
        let mut seen = Running::with(config(&centre), "fake-password");
        seen.live().await;
        seen.listen(Duration::from_millis(1200)).await;
        centre.control().cut(V).unwrap();
        seen.until("cut", |r| r.health.health == Health::Retrying).await;
        seen.live().await;
        seen.listen(Duration::from_millis(500)).await;
        converges(&mut seen, &centre).await;
        assert!(seen.conversations.len() > 3 && seen.agents.len() > 3, "there is something to compare");
        centre.shutdown().await;
    }
}

/// A server that gives fewer rows at once, and loads that it has counted below nought.
#[tokio::test]
async fn short_lists_and_loads_below_nought_end_in_the_same_floor() {
    let dialect = Dialect { list_limit: 3, message_limit: 1, negative_loads: true, ..Dialect::default() };
    let centre = centre(dialect, Scenario::Demo, 1.0).await;
    let mut seen = Running::with(config(&centre), "fake-password");
    seen.live().await;
    converges(&mut seen, &centre).await;
    assert!(seen.conversations.len() > 3, "more than one list holds");
}

#[tokio::test]
async fn p20_thousands_are_all_there() {
    let scenario = Scenario::Big { queues: 12, agents: 150, conversations: 1200 };
    let centre = centre(Dialect::default(), scenario, 1.0).await;
    let mut seen = Running::with(config(&centre), "fake-password");
    seen.live().await;
    converges(&mut seen, &centre).await;
    assert!(seen.conversations.len() > 1000);
}

#[tokio::test]
async fn p19_a_server_seven_minutes_ahead_is_known_to_be() {
    let centre = centre(Dialect::default(), Scenario::Demo, 1.0).await;
    centre.control().clock_skew(V, 420.0).unwrap();
    let mut seen = Running::with(config(&centre), "fake-password");
    seen.live().await;
    let skew = seen.health.clock_skew_s.unwrap();
    assert!((skew - 420.0).abs() < 2.0, "{skew}");
    converges(&mut seen, &centre).await;
}
