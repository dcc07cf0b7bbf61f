//! A part that gives no answer for too long: nobody is taken away, and nothing old is shown as present.

use std::collections::BTreeMap;

use link::poll::Floor;
use model::Presence;
use serde_json::json;

use super::golden::{at, floor_of, shown};
use crate::liveperson::{AGENTS, CONVERSATIONS, QUEUEHEALTH, QUEUESTATE};

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
