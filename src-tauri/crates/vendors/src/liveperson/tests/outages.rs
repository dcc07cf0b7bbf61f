//! A part that gives no answer for too long: nobody is taken away, and nothing old is shown as present.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use link::poll::Floor;
use serde_json::json;

use super::{
    again::{count, flag, refused},
    golden::{at, floor_of, shown},
    page::{ONE, Said, TWO, Way, connect, golden_but},
    *,
};
use crate::{
    liveperson::{
        AGENTS, CONVERSATIONS, LOOK_UPS, QUEUEHEALTH, QUEUESTATE, floor::LivePersonFloor, rest::Answer,
    },
    loose,
};

/// One skill with somebody without a limit, two chats of our own: one waits, one goes on.
fn texts() -> BTreeMap<&'static str, String> {
    let agent = |id: &str, most: &str| json!({"@id": id, "@chatState": "2", "@maxChats": most, "@elapsedTimeInState": "9000", "chats": "1", "skills": {"skill": "4"}});
    let event = |id: i64, state: &str| json!({"id": id, "type": "state", "state": state, "time": "2026-01-31T09:30:00Z"});
    let line = json!({"id": 2, "type": "line", "source": "visitor", "time": "2026-01-31T09:31:00Z"});
    let chat = |key: &str, events: serde_json::Value| json!({"events": {"event": events}, "info": {"chatSessionKey": key, "skillId": "4", "startTime": "2026-01-31T09:30:00Z"}});
    let chats = [
        chat("H1-1", json!([event(0, "waiting")])),
        chat("H2-2", json!([event(0, "waiting"), event(1, "chatting"), line])),
    ];
    BTreeMap::from([
        ("agents", json!({"availableAgents": {"agents": {"agent": [agent("1", "-1"), agent("2", "3")]}}}).to_string()),
        ("queuestate", json!({"skills": {"4": {"currentAvailableSlots": 1, "currentQueueSize": 2, "currentMaxWaitTimeInQueue": 5000}, "7": {"currentAvailableSlots": 1, "currentQueueSize": 0, "currentMaxWaitTimeInQueue": -1}}, "totals": {"currentQueueSize": 2}}).to_string()),
        ("queuehealth", json!({"skillsMetrics": {"4": {"enteredQEng": 1}}, "metricsTotals": {"enteredQEng": 1}}).to_string()),
        ("chats", json!({"chats": {"chat": chats}}).to_string()),
    ])
}

#[test]
fn agents_of_whom_nothing_is_heard_stay_and_are_unknown() {
    let mut floor = floor_of(&texts());
    let before = floor.rows();
    assert_eq!(before.agents["2"].presence, Presence::Available);
    assert_eq!(before.queues["4"].free_capacity, None, "somebody has no limit");
    floor.outdated(AGENTS);
    let rows = floor.rows();
    assert_eq!(rows.agents.keys().collect::<Vec<_>>(), before.agents.keys().collect::<Vec<_>>());
    for agent in rows.agents.values() {
        assert_eq!((agent.presence, &agent.presence_label), (Presence::Unknown, &None));
        assert_eq!((agent.open, agent.free_capacity, agent.presence_since), (None, None, None));
    }
    let queue = &rows.queues["4"];
    assert_eq!(
        (queue.agents_online, queue.agents_available, queue.open, queue.capacity),
        (None, None, None, None)
    );
    assert_eq!((queue.free_capacity, queue.waiting), (None, Some(2)));
    // Word for word the same again: as if nothing had been.
    floor.take(AGENTS, None, at(40));
    assert_eq!(shown(&floor.rows()), shown(&before));
}

#[test]
fn chats_of_which_nothing_is_heard_stay_and_nobodys_wait_runs_on() {
    let mut floor = floor_of(&texts());
    let before = floor.rows();
    assert!(before.conversations["H1-1"].waiting_since.is_some());
    floor.outdated(CONVERSATIONS);
    let rows = floor.rows();
    let (waits, goes_on) = (&rows.conversations["H1-1"], &rows.conversations["H2-2"]);
    assert_eq!((waits.state, waits.waiting_since), (before.conversations["H1-1"].state, None));
    assert_eq!(goes_on.answered_at, before.conversations["H2-2"].answered_at);
    assert_eq!(goes_on.last_customer_message_at, None, "nobody is said to wait for a reply");
    floor.take(CONVERSATIONS, None, at(40));
    assert_eq!(shown(&floor.rows()), shown(&before));
}

#[test]
fn skills_of_which_nothing_is_heard_stay_without_figures() {
    let mut floor = floor_of(&texts());
    let before = floor.rows();
    floor.outdated(QUEUESTATE);
    floor.outdated(QUEUEHEALTH);
    let rows = floor.rows();
    assert_eq!(rows.queues.keys().collect::<Vec<_>>(), before.queues.keys().collect::<Vec<_>>());
    let told = rows
        .queues
        .values()
        .any(|q| q.waiting.is_some() || q.waiting_since.is_some() || !q.windows.is_empty());
    assert!(
        !told && rows.totals.is_some_and(|totals| totals.windows.iter().all(|figure| figure.value.is_none()))
    );
    floor.take(QUEUESTATE, None, at(40));
    floor.take(QUEUEHEALTH, None, at(40));
    assert_eq!(shown(&floor.rows()), shown(&before));
}

#[test]
fn a_skill_without_a_name_is_looked_up_once_a_minute_and_not_for_ever() {
    let usual = Duration::from_secs(900);
    let mut floor = floor_of(&texts()).looking_up(usual);
    let every = |floor: &LivePersonFloor| floor.every(LOOK_UPS).unwrap().as_secs();
    let names = |ids: &[&str]| {
        let names = ids.iter().map(|id| ((*id).to_owned(), format!("Name of {id}")));
        Some(Answer::Names(names.collect()))
    };
    floor.take(LOOK_UPS, names(&["4", "7"]), at(1));
    assert_eq!((every(&floor), floor.every(QUEUESTATE)), (900, None));
    let comes = |floor: &mut LivePersonFloor, ids: &[&str], second: i64| {
        let skills: serde_json::Map<_, _> =
            ids.iter().map(|id| ((*id).to_owned(), json!({"currentQueueSize": 1}))).collect();
        let state = json!({"skills": skills, "totals": {}}).to_string();
        let state = Answer::State(Arc::new(loose::read(state.as_bytes()).unwrap()));
        floor.take(QUEUESTATE, Some(state), at(second));
    };
    comes(&mut floor, &["104"], 10);
    assert_eq!(every(&floor), 1, "somebody has made a new skill");
    floor.take(LOOK_UPS, names(&["4", "7"]), at(11));
    assert_eq!(every(&floor), 67, "perhaps its name comes later");
    comes(&mut floor, &["104", "105"], 20);
    assert_eq!(every(&floor), 67, "once a minute at most");
    comes(&mut floor, &["104", "105"], 72);
    assert_eq!(every(&floor), 1);
    floor.take(LOOK_UPS, names(&["4", "7", "105"]), at(73));
    assert_eq!((every(&floor), floor.rows().queues["105"].name.as_str()), (67, "Name of 105"));
    floor.take(LOOK_UPS, names(&["4", "7", "105"]), at(140));
    assert_eq!(every(&floor), 900, "it has no name");
}

fn failed() -> Said {
    (500, String::new(), r#"{"error":{"message":"x","internalCode":1}}"#.to_owned())
}

#[tokio::test]
async fn a_key_that_breaks_its_batch_blinds_nobody() {
    let (broken, more) = (flag(false), flag(false));
    let stub = {
        let broken = broken.clone();
        golden_but(Way::default(), flag(false), more.clone(), move |asked, _| {
            let is_it = asked.line.contains(ONE) && broken.load(Ordering::SeqCst);
            is_it.then(failed)
        })
        .await
    };
    let mut seen = connect(&stub);
    seen.live().await;
    let one = seen.rows.conversations[ONE].clone();
    broken.store(true, Ordering::SeqCst);
    seen.until("the gap", |seen| seen.report.gaps == ["conversations"]).await;
    more.store(true, Ordering::SeqCst);
    seen.until("the other chat goes on", |seen| {
        seen.rows.conversations[TWO].last_customer_message_at.is_some()
    })
    .await;
    assert_eq!(seen.report.gaps, ["conversations"], "one is still not told");
    assert_eq!(seen.rows.conversations[ONE].id, one.id);
    broken.store(false, Ordering::SeqCst);
    seen.until("no gap", |seen| seen.report.gaps.is_empty()).await;
    seen.until("as it was", |seen| seen.rows.conversations[ONE] == one).await;
}

#[tokio::test]
async fn a_part_of_the_session_that_is_refused_is_no_wrong_password() {
    let stub = golden_but(Way::default(), flag(false), flag(false), |asked, _| {
        asked.line.contains("/availableAgents").then(|| refused(401))
    })
    .await;
    let mut seen = connect(&stub);
    seen.until("the gap", |seen| seen.complete && seen.report.gaps == ["agents"]).await;
    let error = seen.report.error.clone().unwrap();
    assert!(error.contains("Agent Manager") && !error.contains("password"), "{error}");
}

#[tokio::test]
async fn a_host_that_plain_text_may_not_go_to_is_said_so() {
    let stub = golden_but(Way::default(), flag(false), flag(false), |asked, _| {
        let named = r#"{"service":"agentVep","account":"12345678","baseURI":"vep.example.com"}"#;
        asked.line.contains("/baseURI.json").then(|| (200, String::new(), named.to_owned()))
    })
    .await;
    let mut seen = connect(&stub);
    seen.until("the sentence", |seen| seen.report.health == Health::Misconfigured).await;
    let error = seen.report.error.clone().unwrap();
    assert!(error.contains("vep.example.com is not on this computer"), "{error}");
}

#[tokio::test]
async fn a_chat_that_was_over_long_ago_is_nobodys_news() {
    let stub = golden_but(Way::default(), flag(false), flag(false), |asked, _| {
        let batch = asked.line.contains("/chat?") && asked.line.contains(ONE) && asked.line.contains(TWO);
        let event = |id: i64, state: &str, hour: i64| json!({"id": id, "type": "state", "state": state, "time": format!("2015-08-30T{hour}:06:02+03:00")});
        let chat = |key: &str, state: &str, events: Vec<serde_json::Value>| json!({"events": {"event": events}, "info": {"state": state, "chatSessionKey": key}});
        let both = [
            chat(ONE, "ended", vec![event(0, "waiting", 16), event(1, "chatting", 17), event(2, "ended", 18)]),
            chat(TWO, "waiting", vec![event(0, "waiting", 18)]),
        ];
        batch.then(|| (200, String::new(), json!({"chats": {"chat": both}}).to_string()))
    })
    .await;
    let mut seen = connect(&stub);
    seen.until("the other", |seen| seen.complete && seen.rows.conversations.contains_key(TWO)).await;
    assert!(!seen.rows.conversations.contains_key(ONE));
    let asked = count(&stub, ONE);
    let other = count(&stub, TWO);
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    while count(&stub, TWO) < other + 3 {
        assert!(tokio::time::Instant::now() < end);
        seen.for_a_while(Duration::from_millis(100)).await;
    }
    assert_eq!(count(&stub, ONE), asked, "nor is it asked for again");
}

/// Renewing is refused as such: one new login tells, not one every time.
#[tokio::test]
async fn a_sign_in_that_may_not_be_renewed_is_said_so_and_kept() {
    let token_life = Duration::from_secs(8);
    let scene = scene(Dialect { token_life, ..own() }).await;
    scene.control.fault(V, "refresh", Fault::status(401, "")).unwrap();
    let mut seen = fast(&scene, &[]);
    seen.until("the sentence", |seen| {
        seen.report.error.as_deref().is_some_and(|error| error.contains("does not renew"))
    })
    .await;
    assert_eq!((seen.report.health, seen.report.gaps.len()), (Health::Live, 0));
    assert_eq!(scene.control.counters(V).unwrap().of("login"), 2);
}
