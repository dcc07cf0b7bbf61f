//! Broken answers: each costs what it must and nothing else. The ids are those of the fault catalogue.

use std::{io::Write as _, sync::Arc, time::Duration};

use link::{
    Http, NetOptions, Secret, SystemClock,
    poll::{Ask, Floor as _, Rows, Share, Trouble},
};
use serde_json::{Value, json};

use super::golden::{at, pace, shown};
use crate::{
    comm100::{
        AGENTS, CALLS, CALLS_PER, QUEUE, RIGHTNOW, SPEC, TODAY,
        auth::Identity,
        floor::Comm100Floor,
        rest::{Answer, Comm100Ask},
        wire::{AgentRow, Listed, QueueRow},
    },
    drift::{Drift, Notes},
    loose,
    testing::{all_is_promised, answer, nothing_invented, serve_raw, spoiled},
};

const PARTS: [(usize, &str, &str); 4] = [
    (RIGHTNOW, "RightNow", "rightnow"),
    (QUEUE, "Queue", "queue"),
    (AGENTS, "Agents", "agents"),
    (TODAY, "Today", "today"),
];

fn reference(name: &str) -> Vec<u8> {
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/src/comm100/fixtures/reference");
    std::fs::read(format!("{home}/{name}.json")).expect("a fixture")
}

/// The floor after these bodies, without the wire.
fn read(bodies: &[(usize, Vec<u8>)]) -> Rows {
    let mut floor = Comm100Floor::new("shop".into(), pace());
    for (endpoint, body) in bodies {
        let answer = match *endpoint {
            RIGHTNOW => loose::read(body).map(|now| Answer::RightNow(Arc::new(now))),
            QUEUE => loose::read(body).map(|queue| Answer::Queue(Arc::new(queue))),
            AGENTS => {
                loose::read(body).map(|page| Answer::Agents { pages: vec![Arc::new(page)], whole: true })
            }
            _ => loose::read(body).map(|today| Answer::Today(Arc::new(today))),
        };
        floor.take(*endpoint, Some(answer.expect("a body of the right form")), at(0));
    }
    floor.rows()
}

fn right() -> Vec<(usize, Vec<u8>)> {
    PARTS.iter().map(|(endpoint, _, name)| (*endpoint, reference(name))).collect()
}

/// What the four endpoints say when one of them answers with these bytes, and what is noted.
async fn asked(broken: usize, wire: Vec<u8>) -> (Vec<(usize, Result<(), Trouble>)>, Notes) {
    let base = serve_raw(move |path| {
        let (endpoint, _, name) = PARTS.iter().find(|(_, word, _)| path.contains(word)).expect("a part");
        if *endpoint == broken { wire.clone() } else { answer(200, "", &reference(name)) }
    })
    .await;
    let clock = Arc::new(SystemClock);
    let http = Http::new(&NetOptions::default(), clock.clone()).unwrap();
    let identity = Identity::Key { email: "supervisor@example.test".into() };
    let budget = Arc::new(Share::alone(CALLS, CALLS_PER));
    let mut ask = Comm100Ask::new(http, base, 10_000, identity, Secret::new("fake-key"), budget, clock);
    let notes = Notes::default();
    ask.notes = notes.clone();
    let mut outcomes = Vec::new();
    for (endpoint, ..) in PARTS {
        outcomes.push((endpoint, ask.ask(endpoint).await.map(drop)));
    }
    (outcomes, notes)
}

/// Asserts that the endpoint alone has no data, and says why without repeating what came.
async fn fails_alone(broken: usize, wire: Vec<u8>, what: &str) -> (String, Notes) {
    let (outcomes, notes) = asked(broken, wire).await;
    let mut said = String::new();
    for (endpoint, outcome) in outcomes {
        match outcome {
            Err(Trouble::Broken { sentence, .. }) if endpoint == broken => said = sentence,
            Ok(()) if endpoint != broken => {}
            other => panic!("{what}: endpoint {endpoint}: {other:?}"),
        }
    }
    assert!(!said.contains("canary"), "{said}");
    (said, notes)
}

#[tokio::test]
async fn p1_what_is_no_json_costs_one_endpoint_and_is_counted() {
    let good = reference("queue");
    for (what, body) in [
        ("malformed", b"[{\"currentQueueLength\": }]".to_vec()),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("trailing bytes", [&good[..], b"canary"].concat()),
        ("NUL", b"[{\"routeToDepartmentId\":\"canary\0\"}]".to_vec()),
        ("invalid UTF-8", b"[{\"visitors\":[{\"visitorId\":\"\xFF\xFE\"}]}]".to_vec()),
        ("lone surrogate", br#"[{"routeToDepartment":{"name":"\ud800"}}]"#.to_vec()),
    ] {
        let (_, notes) = fails_alone(QUEUE, answer(200, "", &body), what).await;
        assert!(notes.list().iter().any(|note| note.drift == Drift::Unreadable && note.count > 0), "{what}");
    }
    let marked = [b"\xEF\xBB\xBF", &good[..]].concat();
    let (outcomes, _) = asked(QUEUE, answer(200, "", &marked)).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "a byte-order mark is passed over");
}

#[tokio::test]
async fn n13_a_page_is_no_data_and_data_announced_as_a_page_is() {
    let typed = |body: &[u8]| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let (outcomes, _) = asked(QUEUE, typed(&reference("queue"))).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
    for page in ["<!doctype html>canary", "Please sign in: canary", ""] {
        fails_alone(QUEUE, typed(page.as_bytes()), page).await;
    }
    // Announced as data, and a page all the same.
    fails_alone(QUEUE, answer(200, "", b"  <html>canary</html>"), "page").await;
}

#[tokio::test]
async fn p2_a_million_rows_and_bottomless_nesting_are_refused() {
    for endpoint in [QUEUE, AGENTS] {
        let rows = format!("[{}{{}}]", "{},".repeat(1_000_000));
        fails_alone(endpoint, answer(200, "", rows.as_bytes()), "rows").await;
        fails_alone(endpoint, answer(200, "", "[".repeat(100_000).as_bytes()), "depth").await;
    }
    let deep = format!("{{\"chats\":1,\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    // In a field that nobody reads it is passed over, without a stack.
    let (outcomes, _) = asked(TODAY, answer(200, "", deep.as_bytes())).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test]
async fn p3_a_zip_bomb_is_cut_off_and_honest_gzip_is_read() {
    let pack = |body: &[u8]| {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        zip.write_all(body).unwrap();
        answer(200, "content-encoding: gzip\r\n", &zip.finish().unwrap())
    };
    let bomb = pack(&vec![b' '; 17 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024);
    let (sentence, _) = fails_alone(AGENTS, bomb, "bomb").await;
    assert!(sentence.contains("16 MiB"), "{sentence}");
    let (outcomes, _) = asked(AGENTS, pack(&reference("agents"))).await;
    assert!(outcomes.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[test]
fn p5_fields_and_statuses_nobody_knows_keep_the_row() {
    let mut bodies = right();
    let mut agents: Value = serde_json::from_slice(&bodies[2].1).unwrap();
    agents["newField"] = json!({"a": [1, 2]});
    agents["list"][0]["newField"] = json!("canary");
    agents["list"][0]["currentStatusId"] = json!("12345678-0000-4000-8000-000000000000");
    bodies[2].1 = agents.to_string().into_bytes();
    let rows = read(&bodies);
    let ana = &rows.agents["c97a2afe-0000-4000-8000-000000000001"];
    assert_eq!((ana.presence, ana.presence_label.as_deref()), (model::Presence::Unknown, None));
    assert_eq!((ana.open, ana.capacity), (Some(3), Some(3)));
    assert!(!shown(&rows).to_string().contains("canary"));
}

#[test]
fn p6_every_field_spoiled_in_every_way_is_unknown_at_worst() {
    let reference_rows = read(&right());
    all_is_promised(&reference_rows, &SPEC);
    let right_floor = shown(&reference_rows);
    for (part, (_, body)) in right().iter().enumerate() {
        for (what, key, body) in spoiled(&serde_json::from_slice(body).unwrap()) {
            let mut bodies = right();
            bodies[part].1 = body;
            let rows = read(&bodies);
            if key != "agentId" {
                assert_eq!(rows.agents.len(), reference_rows.agents.len(), "{what}");
            }
            assert_eq!(rows.queues.len(), reference_rows.queues.len(), "{what}");
            nothing_invented(&right_floor, &shown(&rows), &what);
        }
    }
}

#[test]
fn p14_p15_dangling_and_repeated_ids() {
    // An agent's queue whose agent nobody listed, and a visitor who waits in two places.
    let body = br#"[
        {"routeToAgentId":"aaaaaaaa-0000-4000-8000-00000000000f","currentQueueLength":1,
         "visitors":[{"visitorId":"v","waitTime":5}]},
        {"currentQueueLength":1,"visitors":[{"visitorId":"v","waitTime":5}]}]"#;
    let rows = read(&[(QUEUE, body.to_vec())]);
    let queue = &rows.queues["agent:aaaaaaaa-0000-4000-8000-00000000000f"];
    assert_eq!((queue.name.as_str(), queue.agents_online), ("aaaaaaaa", None));
    assert_eq!(rows.conversations["v"].queue.as_deref(), Some("agent:aaaaaaaa-0000-4000-8000-00000000000f"));
    assert_eq!(rows.conversations.len(), 1);
}

#[test]
fn p16_ids_are_text_and_empty_ones_are_no_rows() {
    let body = br#"[
        {"agentId":"C97A2AFE-0000-4000-8000-000000000001"},
        {"agentId":"c97a2afe-0000-4000-8000-000000000001"},
        {"agentId":9007199254740993},{"agentId":-5},{"agentId":""},{"agentId":null},
        {"agentId":"00000000-0000-0000-0000-000000000000"},{}]"#;
    let rows = read(&[(AGENTS, body.to_vec())]);
    let ids: Vec<&str> = rows.agents.keys().map(|id| &**id).collect();
    assert_eq!(ids, ["-5", "9007199254740993", "c97a2afe-0000-4000-8000-000000000001"]);
}

#[test]
fn p17_numbers_beyond_all_bounds_are_unknown() {
    for wait in ["NaN", "Infinity", "-Infinity", "1e400", "-0", "1e30", "-12", "\"NaN\""] {
        let body = format!(
            r#"[{{"currentQueueLength":2,"avgWaitTimeinLast30Mins":{wait},
                "visitors":[{{"visitorId":"a","waitTime":{wait}}},{{"visitorId":"b","waitTime":60}}]}}]"#
        );
        let rows = read(&[(QUEUE, body.into_bytes())]);
        let zero = wait == "-0";
        assert_eq!(rows.conversations["a"].waiting_since.is_some(), zero, "{wait}");
        assert_eq!(rows.queues["site"].waiting_since, Some(at(-60).at), "{wait}");
        assert_eq!(rows.queues["site"].average_wait_s, Some(if zero { 30.0 } else { 60.0 }), "{wait}");
        let window = &rows.queues["site"].windows[1];
        assert_eq!((&*window.metric, window.value), ("average_wait", zero.then_some(0.0)), "{wait}");
    }
}

#[test]
fn p6_a_number_of_waiting_that_cannot_be_read_is_that_of_the_visitors_listed() {
    let waiting = |told: &str, visitors: &str| {
        let body = format!(r#"[{{{told}"visitors":{visitors}}}]"#);
        read(&[(QUEUE, body.into_bytes())]).queues["site"].waiting
    };
    let two = r#"[{"visitorId":"a","waitTime":6},{"visitorId":"b"}]"#;
    for odd in ["\"x\"", "{}", "[]", "true", "1.5", "1e30", "1e400", "null", "\"\""] {
        let told = format!(r#""currentQueueLength":{odd},"#);
        assert_eq!(waiting(&told, two), Some(2), "{odd}");
        for other in ["\"x\"", "{}", "null", r#"[{"visitorId":"a"},7]"#] {
            assert_eq!(waiting(&told, other), None, "{odd} {other}");
        }
    }
    assert_eq!(waiting(r#""currentQueueLength":-1,"#, two), None);
    assert_eq!((waiting("", two), waiting(r#""currentQueueLength":5,"#, two)), (Some(2), Some(5)));
}

#[test]
fn p6_every_wrong_type_of_a_queue_is_counted() {
    for (odd, field) in [
        (r#""currentQueueLength":"x""#, "currentqueuelength"),
        (r#""currentQueueLength":{}"#, "currentqueuelength"),
        (r#""currentQueueLength":true"#, "currentqueuelength"),
        (r#""currentQueueLength":[]"#, "currentqueuelength"),
        (r#""currentQueueLength":1.5"#, "currentqueuelength"),
        (r#""visitors":"x""#, "visitors"),
        (r#""visitors":{}"#, "visitors"),
        (r#""routeToDepartment":"x""#, "routetodepartment"),
        (r#""routeToDepartment":7"#, "routetodepartment"),
        (r#""routeToAgent":[]"#, "routetoagent"),
        (r#""routeToDepartmentId":7"#, "routetodepartmentid"),
        (r#""routeToAgentId":{}"#, "routetoagentid"),
    ] {
        let notes = Notes::default();
        let body = format!("[{{{odd}}}]");
        notes.read::<Listed<QueueRow>>("queue", body.as_bytes()).unwrap();
        let found: Vec<_> = notes.list().into_iter().map(|note| (note.field, note.drift)).collect();
        assert_eq!(found, [(field.to_owned(), Drift::Type)], "{odd}");
    }
    // What stands for "none" is none.
    let notes = Notes::default();
    let none = br#"[{"currentQueueLength":null,"visitors":"","routeToDepartment":"","routeToAgent":null,"routeToAgentId":""}]"#;
    notes.read::<Listed<QueueRow>>("queue", none).unwrap();
    notes.read::<Listed<QueueRow>>("queue", &reference("queue")).unwrap();
    assert!(notes.list().is_empty(), "{:?}", notes.list());
}

#[test]
fn p18_d5_a_wait_of_days_is_shown_and_never_rescaled() {
    let body = br#"[{"currentQueueLength":1,"visitors":[{"visitorId":"a","waitTime":"2.03:00:00"}]}]"#;
    let rows = read(&[(QUEUE, body.to_vec())]);
    assert_eq!(rows.conversations["a"].waiting_since, Some(at(-(51 * 3600)).at));
}

#[test]
fn p25_strings_are_kept_as_they_came() {
    for name in [
        "x".repeat(1_000_000),
        "\u{202E}nimda".to_owned(),
        "zero\u{200B}width".to_owned(),
        "👩‍👩‍👧‍👦".to_owned(),
        format!("e{}", "\u{301}".repeat(500)),
        "tab\tline\nbell\u{7}".to_owned(),
        "<img src=x onerror=alert(1)>".to_owned(),
    ] {
        let body = json!([{"routeToDepartmentId": "d", "routeToDepartment": {"name": name}}]);
        let rows = read(&[(QUEUE, body.to_string().into_bytes())]);
        assert_eq!(rows.queues["dept:d"].name, name);
    }
}

#[tokio::test]
async fn p26_a_renamed_list_is_a_gap_that_says_that_the_format_changed() {
    let renamed = answer(200, "", br#"{"total":3,"people":[{"agentId":"a"}]}"#);
    let (sentence, _) = fails_alone(AGENTS, renamed, "renamed").await;
    assert!(sentence.contains("changed its format"), "{sentence}");
}

#[tokio::test]
async fn p26_a_renamed_field_is_unknown_and_noted() {
    let notes = Notes::default();
    for body in [&reference("agents")[..], br#"[{"agentId":"a","chatsNow":1,"maxConcurrentChats":3}]"#] {
        notes.read::<Listed<AgentRow>>("agents", body).unwrap();
    }
    let gone = notes.list();
    assert!(
        gone.iter().any(|note| note.drift == Drift::Vanished && note.field.contains("ongoingchats")),
        "{gone:?}"
    );
}

#[tokio::test]
async fn l6_l7_limits_that_others_have_used_up_are_said_so() {
    let limit = |body: &'static str| async move {
        let (outcomes, _) = asked(RIGHTNOW, answer(403, "", body.as_bytes())).await;
        match outcomes.into_iter().next().unwrap().1 {
            Err(Trouble::Throttled { sentence, after }) => (sentence, after),
            other => panic!("{other:?}"),
        }
    };
    let (sentence, after) =
        limit(r#"{"code":403000,"message":"The limit of requests has been exceeded."}"#).await;
    assert!(sentence.contains("shared by everyone behind this address"), "{sentence}");
    assert_eq!(after, None);
    let (sentence, after) =
        limit(r#"{"code":403000,"message":"permission denied or the daily number of requests exceeded"}"#)
            .await;
    assert!(sentence.contains("quota of requests for today"), "{sentence}");
    assert_eq!(after, Some(Duration::from_secs(900)));
}
