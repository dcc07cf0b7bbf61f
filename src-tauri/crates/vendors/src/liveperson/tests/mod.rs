//! Whole lives against the simulated server: what is shown must be what the simulator knows to be true,
//! whichever dialect it speaks and whatever happens on the way.

mod again;
mod faults;
mod golden;
mod odd;
mod outages;
mod page;
mod sessions;

use std::time::Duration;

use link::poll::Plan;
use model::{ConversationState, Health, Id, Outcome, Presence, Timestamp, Vendor};
use simulator::{
    Control, Fault, Options, Running,
    liveperson::{Dialect, Foreign, Refusal, Takeover},
};

use super::{LivePerson, config};
use crate::{
    Setting, SourceSettings,
    testing::{Watched, watch},
};

const V: Vendor = Vendor::Liveperson;

struct Scene {
    running: Running,
    control: Control,
}

/// A quiet floor, with figures that are never older than the question.
async fn scene(dialect: Dialect) -> Scene {
    let liveperson = Dialect { figures_every: Duration::ZERO, ..dialect };
    let running = simulator::start(Options { liveperson, ..Options::quiet(&[V]) }).await.unwrap();
    Scene { control: running.control(), running }
}

fn own() -> Dialect {
    Dialect { own: Some(0), ..Dialect::default() }
}

fn settings(scene: &Scene, keys: &[(&str, Setting)]) -> SourceSettings {
    let mut all = std::collections::BTreeMap::from([
        ("account".to_owned(), Setting::Text(simulator::liveperson::ACCOUNT.to_owned())),
        ("username".to_owned(), Setting::Text(simulator::liveperson::LOGIN.to_owned())),
    ]);
    all.extend(keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
    SourceSettings {
        id: "test".into(),
        name: "LP".into(),
        vendor: V,
        url: Some(format!("http://{}", scene.running.address(V).unwrap())),
        enabled: true,
        ca_file: None,
        proxy: None,
        poll: None,
        secret_env: None,
        console_url: None,
        keys: all,
    }
}

/// The connector as it is built, only faster.
fn fast(scene: &Scene, keys: &[(&str, Setting)]) -> Watched {
    let mut config = config::read(&settings(scene, keys)).unwrap();
    config.list_every = Duration::ZERO;
    config.again = &[0];
    let plans = config::plans(None, config.agent_session);
    let every = Duration::from_millis(150);
    let plans = plans.into_iter().map(|p| if p.optional { p } else { Plan { every, ..p } }).collect();
    watch(Box::new(LivePerson { config, plans }), "fake-secret")
}

fn near(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.since(b).max(b.since(a)) < Duration::from_secs(4),
        (a, b) => a == b,
    }
}

/// Whether what is shown is what is true. Waits and presences come as durations, so their instants may
/// be off by a poll.
fn is_true(seen: &Watched, scene: &Scene) -> bool {
    difference(seen, scene).is_none()
}

fn difference(seen: &Watched, scene: &Scene) -> Option<String> {
    let truth = scene.running.truth_as(V, "test");
    let mut queues: Vec<_> = seen.rows.queues.values().cloned().collect();
    let mut agents: Vec<_> = seen.rows.agents.values().cloned().collect();
    let open: Vec<_> =
        seen.rows.conversations.values().filter(|c| c.state != ConversationState::Ended).cloned().collect();
    for (ours, true_) in queues.iter_mut().zip(&truth.queues) {
        if near(ours.waiting_since, true_.waiting_since) {
            ours.waiting_since = true_.waiting_since;
        }
    }
    for (ours, true_) in agents.iter_mut().zip(&truth.agents) {
        if near(ours.presence_since, true_.presence_since) {
            ours.presence_since = true_.presence_since;
        }
    }
    let mut differences = Vec::new();
    if queues != truth.queues {
        differences.push(format!("{queues:#?}\ntruth {:#?}", truth.queues));
    }
    if agents != truth.agents {
        differences.push(format!("{agents:#?}\ntruth {:#?}", truth.agents));
    }
    if open != truth.conversations {
        differences.push(format!("{open:#?}\ntruth {:#?}", truth.conversations));
    }
    if seen.rows.totals != truth.totals {
        differences.push(format!("{:#?}\ntruth {:#?}", seen.rows.totals, truth.totals));
    }
    (!differences.is_empty()).then(|| differences.join("\n"))
}

async fn until_true(seen: &mut Watched, scene: &Scene) {
    seen.live().await;
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while !is_true(seen, scene) {
        assert!(tokio::time::Instant::now() < end, "{}", difference(seen, scene).unwrap());
        seen.for_a_while(Duration::from_millis(100)).await;
    }
}

/// A little life: people wait, are answered by our own user and by others, write, leave.
fn life(control: &Control) -> (Id, Id) {
    let queues = control.queues(V).unwrap();
    let agents = control.agents(V).unwrap();
    let arrive = |queue: usize| control.customer_arrives(V, &queues[queue].0).unwrap();
    let (mine, other) = (arrive(0), arrive(0));
    arrive(1);
    let lost = arrive(1);
    control.agent_takes(V, &mine, &agents[0].0).unwrap();
    control.agent_takes(V, &other, &agents[1].0).unwrap();
    control.customer_writes(V, &mine).unwrap();
    control.agent_writes(V, &mine, &agents[0].0).unwrap();
    control.leaves(V, &lost).unwrap();
    (mine, other)
}

#[tokio::test]
async fn the_floor_is_what_is_true() {
    let scene = scene(own()).await;
    let (mine, _) = life(&scene.control);
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    assert_eq!(seen.rows.conversations.len(), 1, "only our own chats are given");
    assert!(seen.report.gaps.is_empty(), "{:?}", seen.report);
    // It goes on, and ends before our eyes.
    let agents = scene.control.agents(V).unwrap();
    scene.control.customer_writes(V, &mine).unwrap();
    scene.control.agent_presence(V, &agents[2].0, simulator::floor::Stance::Away, None).unwrap();
    until_true(&mut seen, &scene).await;
    scene.control.ends(V, &mine, Outcome::Handled).unwrap();
    seen.until("the end", |seen| {
        seen.rows.conversations.get(&mine).is_some_and(|c| c.state == ConversationState::Ended)
    })
    .await;
    let row = &seen.rows.conversations[&mine];
    assert_eq!(row.outcome, Some(Outcome::Handled));
    assert!(row.ended_at.is_some() && row.answered_at.is_some() && row.waiting_since.is_some());
    until_true(&mut seen, &scene).await;
}

#[tokio::test]
async fn any_mix_of_dialects_ends_in_the_same_floor() {
    for seed in 0..10 {
        let dialect = Dialect { own: Some(0), ..Dialect::chaos(seed) };
        let scene = scene(dialect.clone()).await;
        let (mine, _) = life(&scene.control);
        let mut seen = fast(&scene, &[]);
        until_true(&mut seen, &scene).await;
        scene.control.customer_writes(V, &mine).unwrap();
        life(&scene.control);
        until_true(&mut seen, &scene).await;
        assert!(seen.rows.conversations.len() == 2, "{dialect:?}");
    }
}

/// Switches that change what is told or allowed, not how it is written.
#[tokio::test]
async fn every_other_switch_of_the_dialect_ends_in_the_true_floor() {
    for dialect in [
        Dialect { chats_always: true, ..own() },
        Dialect { skill_in_info: true, ..own() },
        Dialect { strict_cookie: false, ..own() },
        // One more at once than this is too many.
        Dialect { at_once: 2, ..own() },
    ] {
        let scene = scene(dialect.clone()).await;
        life(&scene.control);
        let mut seen = fast(&scene, &[]);
        until_true(&mut seen, &scene).await;
        assert!(!seen.healths.contains(&Health::Throttled), "{dialect:?} {:?}", seen.healths);
        assert!(!seen.rows.conversations.is_empty(), "{dialect:?}");
    }
}

#[tokio::test]
async fn our_user_is_set_away_at_once_and_never_takes_a_chat() {
    let scene = scene(Dialect::default()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    life(&scene.control);
    seen.for_a_while(Duration::from_millis(800)).await;
    let counted = scene.control.counters(V).unwrap();
    assert_eq!((counted.of("agentsession"), counted.of("set-away"), counted.of("set-online")), (1, 1, 0));
    assert_eq!(counted.of("incomingrequests"), 0, "nobody asks what rings");
    let manager = seen.rows.agents.values().find(|a| a.name == "Floor").unwrap();
    assert_eq!((manager.presence, manager.capacity), (Presence::Away, Some(0)));
}

#[tokio::test]
async fn a_session_that_cannot_be_set_away_is_given_up() {
    for dialect in [
        Dialect { ignores_away: true, ..Dialect::default() },
        Dialect { refuses_away: true, ..Dialect::default() },
    ] {
        let scene = scene(dialect).await;
        let mut seen = fast(&scene, &[]);
        seen.until("gaps", |seen| seen.report.gaps.contains(&"agents".to_owned())).await;
        seen.live().await;
        seen.for_a_while(Duration::from_millis(1500)).await;
        assert_eq!(seen.report.gaps, ["agents", "conversations"]);
        assert!(seen.report.error.as_deref().unwrap().contains("Away"), "{:?}", seen.report.error);
        let counted = scene.control.counters(V).unwrap();
        assert_eq!((counted.of("agentsession"), counted.of("logout")), (1, 1), "not tried again and again");
        assert_eq!(seen.rows.queues.len(), 3, "skills are shown all the same");
        assert!(seen.rows.agents.is_empty());
    }
}

#[tokio::test]
async fn an_expiry_costs_one_login_one_session_and_no_event() {
    for refusal in [Refusal::Text, Refusal::JsonText, Refusal::Json, Refusal::Empty] {
        let scene = scene(Dialect { refusal, ..own() }).await;
        let (mine, _) = life(&scene.control);
        let mut seen = fast(&scene, &[]);
        until_true(&mut seen, &scene).await;
        let before = scene.control.counters(V).unwrap();
        scene.control.revoke_tokens(V).unwrap();
        scene.control.customer_writes(V, &mine).unwrap();
        scene.control.agent_writes(V, &mine, &scene.control.agents(V).unwrap()[0].0).unwrap();
        until_true(&mut seen, &scene).await;
        let after = scene.control.counters(V).unwrap();
        for (what, more) in [("login", 1), ("agentsession", 1), ("set-away", 1)] {
            assert_eq!(after.of(what) - before.of(what), more, "{what} after {refusal:?}");
        }
        assert!(!seen.healths.contains(&Health::Denied));
    }
}

#[tokio::test]
async fn two_refusals_within_a_minute_stop_the_fight() {
    let scene = scene(own()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    scene.control.revoke_tokens(V).unwrap();
    while scene.control.counters(V).unwrap().of("agentsession") < 2 {
        seen.for_a_while(Duration::from_millis(100)).await;
    }
    seen.for_a_while(Duration::from_millis(500)).await;
    scene.control.revoke_tokens(V).unwrap();
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    seen.for_a_while(Duration::from_millis(500)).await;
    assert_eq!(scene.control.counters(V).unwrap().of("login"), 2);
    assert!(seen.report.error.as_deref().unwrap().contains("user of its own"), "{:?}", seen.report.error);
}

#[tokio::test]
async fn without_an_agent_session_skills_are_shown_and_nobody_sees_us() {
    let scene = scene(own()).await;
    life(&scene.control);
    let mut seen = fast(&scene, &[("agent_session", Setting::Bool(false))]);
    seen.live().await;
    seen.until("gaps", |seen| seen.report.gaps == ["agents", "conversations"]).await;
    seen.until("skills", |seen| seen.rows.queues.values().any(|q| q.waiting == Some(1))).await;
    let counted = scene.control.counters(V).unwrap();
    assert_eq!((counted.of("login"), counted.of("agentsession")), (1, 0));
    let queue = seen.rows.queues.values().next().unwrap();
    assert_eq!((queue.open, queue.capacity, queue.agents_online), (None, None, None), "unknown is not zero");
    assert!(seen.rows.agents.is_empty() && seen.rows.conversations.is_empty());
}

#[tokio::test]
async fn leaving_signs_out_only_when_no_chat_is_open() {
    for (open, logouts) in [(true, 0), (false, 1)] {
        let scene = scene(own()).await;
        if open {
            life(&scene.control);
        }
        let mut seen = fast(&scene, &[]);
        until_true(&mut seen, &scene).await;
        drop(seen);
        let end = tokio::time::Instant::now() + Duration::from_secs(120);
        let logout = || scene.control.counters(V).unwrap().of("logout");
        while logout() < logouts {
            assert!(tokio::time::Instant::now() < end, "nobody signs out");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Time for one too many.
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(logout(), logouts, "open: {open}");
    }
}

#[tokio::test]
async fn wrong_secrets_and_accounts_are_said_in_words() {
    let scene = scene(own()).await;
    scene.control.require_secret(V, Some("another")).unwrap();
    let mut seen = fast(&scene, &[]);
    seen.until("denied", |seen| seen.report.health == Health::Denied).await;
    seen.for_a_while(Duration::from_millis(600)).await;
    assert_eq!(scene.control.counters(V).unwrap().of("login"), 1, "an account is not locked by us");
    assert!(!seen.report.error.clone().unwrap().contains("fake-secret"));
    let mut seen = fast(&scene, &[("account", Setting::Text("99999999".into()))]);
    seen.until("misconfigured", |seen| seen.report.health == Health::Misconfigured).await;
    assert!(seen.report.error.clone().unwrap().contains("99999999"));
}

#[tokio::test]
async fn a_bad_key_in_a_batch_blinds_nobody() {
    for foreign in [Foreign::Omitted, Foreign::RefusesAll, Foreign::Entry] {
        let scene = scene(Dialect { foreign, ..own() }).await;
        let (mine, other) = life(&scene.control);
        let list = [mine.to_string(), other.to_string(), "H0-0K0".to_owned()];
        let mut seen = fast(&scene, &[("chats", Setting::List(list.to_vec()))]);
        until_true(&mut seen, &scene).await;
        scene.control.customer_writes(V, &mine).unwrap();
        until_true(&mut seen, &scene).await;
        assert_eq!(seen.rows.conversations.keys().collect::<Vec<_>>(), [&mine], "{foreign:?}");
    }
    let scene = scene(Dialect { foreign: Foreign::Given, ..own() }).await;
    let (mine, other) = life(&scene.control);
    let list = [mine.to_string(), other.to_string()];
    let mut seen = fast(&scene, &[("chats", Setting::List(list.to_vec()))]);
    seen.until("both", |seen| seen.rows.conversations.len() == 2).await;
}

#[tokio::test]
async fn figures_that_are_refused_are_a_gap_and_agents_stay() {
    let scene = scene(Dialect { operations_refuse: true, ..own() }).await;
    let mut seen = fast(&scene, &[]);
    seen.until("agents", |seen| !seen.rows.agents.is_empty()).await;
    seen.for_a_while(Duration::from_millis(1500)).await;
    assert_eq!(seen.report.health, Health::Live, "{:?}", seen.report);
    assert_eq!(seen.report.gaps, ["queuehealth", "queuestate"]);
    assert!(seen.rows.queues.values().all(|q| q.waiting.is_none()), "unknown is not zero");
    assert!(scene.control.counters(V).unwrap().of("login") <= 2);
}

#[tokio::test]
async fn a_list_that_is_refused_is_a_gap_and_skills_stay() {
    let scene = scene(Dialect { agents_refused: true, ..own() }).await;
    let mut seen = fast(&scene, &[]);
    seen.live().await;
    seen.until("gap", |seen| seen.report.gaps == ["agents"]).await;
    assert_eq!(seen.rows.queues.len(), 3);
    assert!(seen.rows.queues.values().all(|q| q.capacity.is_none() && q.agents_online.is_none()));
}

#[tokio::test]
async fn a_poll_that_brings_nothing_new_says_nothing() {
    let scene = scene(own()).await;
    life(&scene.control);
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    let before = seen.row_changes;
    seen.for_a_while(Duration::from_secs(2)).await;
    assert_eq!(seen.row_changes, before);
    let counted = scene.control.counters(V).unwrap();
    assert!(counted.of("chats") > 5 && counted.over_limit == 0);
}

#[tokio::test]
async fn a_fault_of_one_part_leaves_the_others_and_heals() {
    let scene = scene(own()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    scene.control.fault(V, "chatsessions", Fault::status(500, "{}")).unwrap();
    seen.until("gap", |seen| seen.report.gaps == ["conversations"]).await;
    assert_eq!(seen.report.health, Health::Live);
    scene.control.heal(V).unwrap();
    seen.until("healed", |seen| seen.report.gaps.is_empty()).await;
    // The host is gone and comes back.
    scene.control.down(V).unwrap();
    seen.until("lost", |seen| seen.report.health == Health::Retrying).await;
    let rows = seen.rows.agents.len();
    scene.control.up(V).unwrap();
    until_true(&mut seen, &scene).await;
    assert_eq!(seen.rows.agents.len(), rows);
}
