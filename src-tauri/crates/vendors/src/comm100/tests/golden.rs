//! Answers as they stand on the wire, and the floor that comes of them. A bug is first a new folder in
//! `fixtures`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use link::poll::{Floor, Moment, Rows, Share};
use model::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    comm100::{
        AGENTS, CALLS, CALLS_PER, LOOKUPS, QUEUE, RIGHTNOW, SPEC, STATUSES, TODAY, config,
        floor::{Comm100Floor, Pace},
        rest::{Answer, LookUps},
        wire::{AgentRow, Listed},
    },
    loose,
    polled::stay_put,
    testing::all_is_promised,
};

pub(super) fn pace() -> Pace {
    let calls = (CALLS, CALLS_PER);
    Pace {
        usual: config::plans(None).iter().map(|plan| (plan.name, plan.every)).collect(),
        page: Duration::from_secs(6),
        share: Arc::new(Share::alone(CALLS, CALLS_PER)),
        calls,
        planned: CALLS,
    }
}

pub(super) fn at(seconds: i64) -> Moment {
    let at = Timestamp::from_ms(1_800_000_000_000 + seconds * 1000);
    Moment { at, vendor: at, uncertainty: Duration::from_millis(8500) }
}

fn fixture<T: DeserializeOwned>(case: &str, name: &str) -> Option<T> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/comm100/fixtures/{case}/{name}.json"));
    let body = std::fs::read(path).ok()?;
    Some(loose::read(&body).expect("a fixture is JSON"))
}

fn played(case: &str) -> Comm100Floor {
    let mut floor = Comm100Floor::new("shop".into(), pace());
    if let Some(now) = fixture(case, "rightnow") {
        floor.take(RIGHTNOW, Some(Answer::RightNow(Arc::new(now))), at(0));
    }
    if let Some(queue) = fixture(case, "queue") {
        floor.take(QUEUE, Some(Answer::Queue(Arc::new(queue))), at(0));
    }
    if let Some(page) = fixture::<Listed<AgentRow>>(case, "agents") {
        let rows = page.rows.as_ref().map_or(0, Vec::len) as u32;
        let whole = page.total.is_none_or(|total| total <= rows);
        floor.take(AGENTS, Some(Answer::Agents { pages: vec![Arc::new(page)], whole }), at(0));
    }
    if let Some(today) = fixture(case, "today") {
        floor.take(TODAY, Some(Answer::Today(Arc::new(today))), at(0));
    }
    let look_ups = LookUps {
        departments: fixture(case, "departments"),
        people: None,
        away: fixture(case, "away"),
        distribution: fixture(case, "distribution"),
    };
    floor.take(LOOKUPS, Some(Answer::LookUps(look_ups)), at(0));
    if let Some(names) = fixture(case, "statuses") {
        floor.take(STATUSES, Some(Answer::Statuses(Arc::new(names))), at(1));
    }
    floor
}

pub(super) fn shown(rows: &Rows) -> serde_json::Value {
    serde_json::json!({
        "queues": rows.queues.values().collect::<Vec<_>>(),
        "agents": rows.agents.values().collect::<Vec<_>>(),
        "conversations": rows.conversations.values().collect::<Vec<_>>(),
        "totals": rows.totals,
    })
}

#[test]
fn every_case_gives_its_floor() {
    for case in ["page", "reference", "lookups", "conflicts"] {
        let rows = played(case).rows();
        insta::with_settings!({
            snapshot_path => format!("../fixtures/{case}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_json_snapshot!("expected", shown(&rows));
        });
        all_is_promised(&rows, &SPEC);
        let text = shown(&rows).to_string();
        for secret in ["apiKey", "0123456789abcdef", "ana@example.com"] {
            assert!(!text.contains(secret), "{secret} in {case}");
        }
    }
}

#[test]
fn another_spelling_of_everything_gives_the_same_floor() {
    // D3, D4, D6, D7: case of keys, corrected names, numbers as text, percent, bare array, zero, empty and
    // missing references, three of the encodings of statusDistribution.
    assert_eq!(shown(&played("dialect").rows()), shown(&played("reference").rows()));
}

#[test]
fn d7_status_distribution_may_be_anything() {
    for odd in [
        r#"{"00000000-0000-0000-0000-000000000000":"02:00:00"}"#,
        r#"{"00000000-0000-0000-0000-000000000000":7200}"#,
        r#"{"00000000-0000-0000-0000-000000000000":{"time":7200}}"#,
        r#""{\"a\":1}""#,
        r#"[{"status":"Online","time":7200.0}]"#,
        "null",
        r#""""#,
    ] {
        let body = format!(r#"[{{"agentId":"A","ongoingChats":1,"statusDistribution":{odd}}}]"#);
        let list: Listed<AgentRow> = loose::read(body.as_bytes()).unwrap();
        assert_eq!(list.rows.unwrap()[0].open.0, Some(1), "{odd}");
    }
}

#[test]
fn envelopes_of_a_list() {
    for (body, rows, total, pages) in [
        (r#"[{"agentId":"a"}]"#, Some(1), None, None),
        (
            r#"{"total":32,"pageCount":7,"list":[{"agentId":"a"}],"pageIndex":1,"pageSize":5}"#,
            Some(1),
            Some(32),
            Some(7),
        ),
        (r#"{"Agents":[{"agentId":"a"},{"agentId":"b"}],"count":"2"}"#, Some(2), Some(2), None),
        (r#"{"list":[]}"#, Some(0), None, None),
        (r#"{"list":null,"total":0}"#, None, Some(0), None),
        (r#"{"code":403000,"message":"no"}"#, None, None, None),
        (r#""text""#, None, None, None),
    ] {
        let list: Listed<AgentRow> = loose::read(body.as_bytes()).unwrap();
        assert_eq!((list.rows.map(|r| r.len()), list.total, list.pages), (rows, total, pages), "{body}");
    }
}

fn queue_of(waits: &[(&str, i64)]) -> Answer {
    let visitors: Vec<String> =
        waits.iter().map(|(id, wait)| format!(r#"{{"visitorId":"{id}","waitTime":{wait}}}"#)).collect();
    let body = format!(r#"[{{"currentQueueLength":{},"visitors":[{}]}}]"#, waits.len(), visitors.join(","));
    Answer::Queue(Arc::new(loose::read(body.as_bytes()).unwrap()))
}

fn since(floor: &Comm100Floor, id: &str) -> i64 {
    (floor.rows().conversations[id].waiting_since.unwrap().as_ms() - 1_800_000_000_000) / 1000
}

#[test]
fn waiting_since_stays_put_unless_it_truly_moves() {
    let mut floor = Comm100Floor::new("shop".into(), pace());
    floor.take(QUEUE, Some(queue_of(&[("v1", 95), ("v2", 12)])), at(0));
    assert_eq!((since(&floor, "v1"), since(&floor, "v2")), (-95, -12));
    // Fifteen seconds later both waits are off by a little: nothing moves.
    floor.take(QUEUE, Some(queue_of(&[("v1", 108), ("v2", 30)])), at(15));
    assert_eq!((since(&floor, "v1"), since(&floor, "v2")), (-95, -12));
    // v2 was queued again.
    floor.take(QUEUE, Some(queue_of(&[("v1", 125), ("v2", 3)])), at(30));
    assert_eq!((since(&floor, "v1"), since(&floor, "v2")), (-95, 27));
    assert_eq!(floor.rows().queues["site"].waiting_since, floor.rows().conversations["v1"].waiting_since);
    // Who left is gone, and nobody claims how.
    floor.take(QUEUE, Some(queue_of(&[("v2", 18)])), at(45));
    assert_eq!(floor.rows().conversations.len(), 1);
}

#[test]
fn a_wait_that_is_not_told_leaves_the_instant_as_it_was() {
    let known = Some(at(-20).vendor);
    assert_eq!(stay_put(known, None, at(0)), known);
    assert_eq!(stay_put(None, None, at(0)), None);
    assert_eq!(stay_put(None, Some(20.0), at(0)), known);
}

#[test]
fn d12_no_maximum_is_no_limit_known_not_full() {
    let rows = played("page").rows();
    assert!(rows.agents.values().all(|agent| agent.capacity.is_none() && agent.free_capacity.is_none()));
    assert!(rows.agents.values().all(|agent| agent.presence != model::Presence::Busy));
}

#[test]
fn figures_that_are_too_old_become_unknown_and_rows_stay() {
    let mut floor = played("lookups");
    let before = floor.rows();
    for endpoint in [RIGHTNOW, QUEUE, AGENTS, TODAY] {
        floor.outdated(endpoint);
    }
    let old = floor.rows();
    assert_eq!(old.queues.keys().collect::<Vec<_>>(), before.queues.keys().collect::<Vec<_>>());
    for queue in old.queues.values() {
        assert_eq!(
            (queue.waiting, queue.waiting_since, queue.open, queue.agents_online),
            (None, None, None, None)
        );
        assert!(queue.windows.iter().all(|figure| figure.value.is_none()));
    }
    assert!(old.agents.values().all(|a| a.presence == model::Presence::Unknown && a.open.is_none()));
    assert!(!before.conversations.is_empty() && old.conversations.keys().eq(before.conversations.keys()));
    assert!(old.conversations.values().all(|conversation| conversation.waiting_since.is_none()));
    assert!(old.totals.unwrap().windows.iter().all(|figure| figure.value.is_none()));
    // The same answers again, word for word: all is known again.
    for endpoint in [RIGHTNOW, QUEUE, AGENTS, TODAY] {
        floor.take(endpoint, None, at(15));
    }
    assert_eq!(shown(&floor.rows()), shown(&before));
}

#[test]
fn partial_pages_never_remove_agents() {
    let page = |ids: &[&str]| -> Arc<Listed<AgentRow>> {
        let rows: Vec<String> = ids.iter().map(|id| format!(r#"{{"agentId":"{id}"}}"#)).collect();
        Arc::new(loose::read(format!("[{}]", rows.join(",")).as_bytes()).unwrap())
    };
    let mut floor = Comm100Floor::new("shop".into(), pace());
    floor.take(
        AGENTS,
        Some(Answer::Agents { pages: vec![page(&["a", "b"]), page(&["b", "c"])], whole: true }),
        at(0),
    );
    assert_eq!(floor.rows().agents.len(), 3);
    floor.take(AGENTS, Some(Answer::Agents { pages: vec![page(&["a", "d"])], whole: false }), at(1));
    assert_eq!(floor.rows().agents.len(), 4);
    floor.take(AGENTS, Some(Answer::Agents { pages: vec![page(&["a", "d"])], whole: true }), at(2));
    assert_eq!(floor.rows().agents.len(), 2);
}

#[test]
fn many_pages_of_agents_are_asked_for_less_often() {
    let mut floor = played("reference");
    assert_eq!(floor.every(AGENTS), Some(Duration::from_secs(30)));
    let page: Arc<Listed<AgentRow>> = Arc::new(loose::read(b"[]").unwrap());
    floor.take(AGENTS, Some(Answer::Agents { pages: vec![page; 20], whole: true }), at(5));
    assert_eq!(floor.every(AGENTS), Some(Duration::from_secs(120)));
}

#[test]
fn names_are_asked_for_sooner_while_a_status_is_unknown() {
    assert_eq!(played("reference").every(STATUSES), Some(Duration::from_secs(900)));
    let mut floor = played("reference");
    let body = br#"[{"agentId":"a","currentStatusId":"12345678-0000-4000-8000-000000000000"}]"#;
    let page = Arc::new(loose::read(body).unwrap());
    floor.take(AGENTS, Some(Answer::Agents { pages: vec![page], whole: true }), at(5));
    assert_eq!(floor.every(STATUSES), Some(Duration::from_secs(60)));
}

#[test]
fn one_visitor_listed_twice_waits_once() {
    let mut floor = Comm100Floor::new("shop".into(), pace());
    floor.take(QUEUE, Some(queue_of(&[("v1", 95), ("v2", 12), ("v2", 12)])), at(0));
    let rows = floor.rows();
    assert_eq!((rows.queues["site"].average_wait_s, rows.conversations.len()), (Some(53.5), 2));
}

#[test]
fn agents_on_pages_that_do_not_come_are_unknown_after_three_intervals() {
    let mut floor = played("lookups");
    let before = floor.rows();
    let known = |floor: &Comm100Floor| {
        let rows = floor.rows();
        assert!(rows.agents.keys().eq(before.agents.keys()), "rows stay");
        rows.agents.values().filter(|a| a.presence != model::Presence::Unknown || a.open.is_some()).count()
    };
    let all = known(&floor);
    assert!(all > 0);
    let partial =
        || Some(Answer::Agents { pages: vec![Arc::new(loose::read(b"[]").unwrap())], whole: false });
    let interval = floor.every(AGENTS).unwrap().as_secs() as i64;
    floor.take(AGENTS, partial(), at(3 * interval - 1));
    assert_eq!(known(&floor), all);
    floor.take(AGENTS, partial(), at(3 * interval));
    assert_eq!(known(&floor), 0);
}
