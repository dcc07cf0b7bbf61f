//! What may be wrong with answers. The ids are those of the catalogue of faults.

use super::*;

/// Every resource whose answers become rows, and the gap that it leaves.
const PARTS: [(&str, &str); 5] = [
    ("queuestate", "queuestate"),
    ("queuehealth", "queuehealth"),
    ("availableagents", "agents"),
    ("chatsessions", "conversations"),
    ("chats", "conversations"),
];

/// One part answers like this; the others go on, nothing is invented, and it heals.
async fn one_part_fails(faults: Vec<Fault>) {
    these_parts_fail(&PARTS, faults).await;
}

async fn these_parts_fail(parts: &[(&str, &str)], faults: Vec<Fault>) {
    let scene = scene(own()).await;
    let (mine, _) = life(&scene.control);
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    // Each fault at some parts, each part with some faults; all of them with FLOORWALKER_LONG=1.
    let long = std::env::var_os("FLOORWALKER_LONG").is_some();
    for (turn, fault) in faults.into_iter().enumerate() {
        let hit = |place: usize| long || place % 3 == turn % 3;
        for &(endpoint, gap) in
            parts.iter().enumerate().filter(|(place, _)| hit(*place)).map(|(_, part)| part)
        {
            scene.control.fault(V, endpoint, fault.clone()).unwrap();
            seen.until(&format!("gap {gap} after {fault:?}"), |seen| seen.report.gaps == [gap]).await;
            assert_eq!(seen.report.health, Health::Live, "{fault:?}");
            assert_eq!(seen.rows.queues.len(), 3, "{fault:?}");
            for queue in seen.rows.queues.values() {
                assert_ne!(queue.waiting, Some(0), "one waits in each, or it is not known: {fault:?}");
            }
            scene.control.heal(V).unwrap();
            seen.until("healed", |seen| seen.report.gaps.is_empty()).await;
        }
    }
    scene.control.customer_writes(V, &mine).unwrap();
    until_true(&mut seen, &scene).await;
    assert!(!seen.healths.contains(&Health::Denied), "{:?}", seen.healths);
}

/// One waits in each skill, so that nobody waiting would be a lie.
fn life(control: &Control) -> (Id, Id) {
    let queues = control.queues(V).unwrap();
    for (queue, _) in &queues {
        control.customer_arrives(V, queue).unwrap();
    }
    super::life(control)
}

#[tokio::test]
async fn p1_bodies_that_are_no_json_are_no_data() {
    let body = |text: &str| Fault::Body(text.to_owned());
    one_part_fails(vec![
        Fault::Malformed,
        Fault::Truncated,
        body("{\"chats\":{},}x"),
        body("\u{0}"),
        body("{\"a\":\"\\ud800\"}"),
    ])
    .await;
}

#[tokio::test]
async fn p1_a_body_that_breaks_off_is_no_data() {
    let scene = scene(own()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    scene.control.fault(V, "availableagents", Fault::CutBody).unwrap();
    seen.until("gap", |seen| seen.report.gaps == ["agents"]).await;
    scene.control.heal(V).unwrap();
    until_true(&mut seen, &scene).await;
}

#[tokio::test]
async fn p2_p3_a_body_beyond_all_bounds_is_refused() {
    let scene = scene(own()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    scene.control.fault_times(V, "availableagents", Fault::Huge(17 * 1024 * 1024), 3).unwrap();
    seen.until("gap", |seen| seen.report.gaps == ["agents"]).await;
    until_true(&mut seen, &scene).await;
    let deep = Fault::Body("[".repeat(200_000));
    scene.control.fault(V, "queuestate", deep).unwrap();
    seen.until("gap", |seen| seen.report.gaps == ["queuestate"]).await;
    scene.control.heal(V).unwrap();
    until_true(&mut seen, &scene).await;
}

#[tokio::test]
async fn p7_p21_answers_that_are_no_data_never_remove_a_row() {
    one_part_fails(vec![
        Fault::Html,
        Fault::status(200, ""),
        Fault::status(200, "null"),
        Fault::status(200, "[]"),
        Fault::status(200, r#"{"code":"0001"}"#),
        Fault::status(200, r#"{"time":1469543282471,"message":"Illegal Version","internalCode":33}"#),
        Fault::status(200, r#"{"meta":{"responseCode":500},"body":{}}"#),
    ])
    .await;
    one_part_fails(vec![
        Fault::status(204, ""),
        Fault::status(206, r#"{"skills":{}}"#),
        Fault::status(304, ""),
        Fault::status(302, ""),
    ])
    .await;
    // An error about many chats at once is taken for one bad key: they are read one by one.
    let error = r#"{"error":{"time":"2017-09-13T15:13:38.938-04:00","message":"x","internalCode":5}}"#;
    let errors = vec![Fault::status(200, error), Fault::status(200, r#"{"error":"text"}"#)];
    these_parts_fail(&PARTS[..4], errors).await;
}

#[tokio::test]
async fn p22_one_part_of_five_that_fails_leaves_the_others() {
    let faults = [500, 502, 504, 520].map(|code| Fault::status(code, "<html>bad gateway</html>"));
    one_part_fails(faults.to_vec()).await;
}

#[tokio::test]
async fn p22_a_vendor_that_is_down_is_shown_so_and_asked_with_patience() {
    let scene = scene(own()).await;
    life(&scene.control);
    let mut config = config::read(&settings(&scene, &[])).unwrap();
    config.list_every = Duration::ZERO;
    let every = Duration::from_secs(1);
    let plans = config::plans(None, true);
    let plans = plans.into_iter().map(|p| if p.optional { p } else { Plan { every, ..p } }).collect();
    let mut seen = watch(Box::new(LivePerson { config, plans }), "fake-secret");
    until_true(&mut seen, &scene).await;
    let rows = seen.rows.clone();
    scene.control.fault(V, "*", Fault::status(503, "")).unwrap();
    let before = scene.control.counters(V).unwrap();
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    seen.for_a_while(Duration::from_secs(4)).await;
    let asked: u64 = scene.control.counters(V).unwrap().requests.values().sum();
    let asked = asked - before.requests.values().sum::<u64>();
    assert!(asked <= 8, "{asked} requests in the first seconds");
    assert_eq!((seen.rows.agents.len(), seen.rows.queues.len()), (rows.agents.len(), rows.queues.len()));
    assert!(seen.report.retry_at.is_some());
    scene.control.heal(V).unwrap();
    until_true(&mut seen, &scene).await;
    assert_eq!(scene.control.counters(V).unwrap().of("login"), 1, "a fault of theirs is no expiry");
}

#[tokio::test]
async fn l1_being_slowed_down_costs_a_short_pause_that_grows() {
    let scene = scene(own()).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    let from = tokio::time::Instant::now();
    scene.control.fault_times(V, "queuestate", Fault::too_many(None), 1).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    until_true(&mut seen, &scene).await;
    assert!(from.elapsed() > Duration::from_millis(800), "{:?}", from.elapsed());
    // What the vendor says counts.
    let from = tokio::time::Instant::now();
    scene.control.fault_times(V, "queuehealth", Fault::too_many(Some("2")), 1).unwrap();
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    until_true(&mut seen, &scene).await;
    assert!(from.elapsed() > Duration::from_millis(1800), "{:?}", from.elapsed());
}

#[tokio::test]
async fn p9_p13_events_left_out_or_told_twice_are_counted_once() {
    for inclusive in [false, true] {
        for dialect in [
            Dialect { skips: true, inclusive, ..own() },
            Dialect { many_refused: true, inclusive, ..own() },
            Dialect { lone: Some(true), inclusive, ..own() },
        ] {
            let scene = scene(dialect.clone()).await;
            let (mine, _) = life(&scene.control);
            let agents = scene.control.agents(V).unwrap();
            let mut seen = fast(&scene, &[]);
            until_true(&mut seen, &scene).await;
            for _ in 0..4 {
                scene.control.customer_writes(V, &mine).unwrap();
                scene.control.agent_writes(V, &mine, &agents[0].0).unwrap();
            }
            until_true(&mut seen, &scene).await;
            scene.control.ends(V, &mine, Outcome::Handled).unwrap();
            seen.until("the end", |seen| {
                seen.rows.conversations.get(&mine).is_some_and(|c| c.state == ConversationState::Ended)
            })
            .await;
            let row = &seen.rows.conversations[&mine];
            assert!(row.ended_at.is_some(), "{dialect:?}");
        }
    }
}

#[tokio::test]
async fn p19_their_clock_is_theirs() {
    for seconds in [420.0, -3600.0] {
        let scene = scene(own()).await;
        scene.control.clock_skew(V, seconds).unwrap();
        life(&scene.control);
        let mut seen = fast(&scene, &[]);
        until_true(&mut seen, &scene).await;
        let skew = seen.report.clock_skew_s.unwrap();
        assert!((skew - seconds).abs() < 3.0, "{skew}");
    }
    // The login tells the time, whatever the machine in front of it says in `Date`.
    let scene = scene(Dialect { clock_ahead: Duration::from_secs(420), ..own() }).await;
    life(&scene.control);
    let mut seen = fast(&scene, &[]);
    seen.live().await;
    let skew = seen.report.clock_skew_s.unwrap();
    assert!((skew - 420.0).abs() < 3.0, "{skew}");
    // A time that is no time is no clock.
    let scene = super::scene(Dialect { clock_ahead: Duration::from_secs(9 * 366 * 86_400), ..own() }).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_asked_for_once_and_left_alone() {
    for foreign in [Foreign::RefusesAll, Foreign::Entry, Foreign::Omitted] {
        let scene = scene(Dialect { foreign, ..own() }).await;
        let (mine, other) = life(&scene.control);
        let mut keys = vec![mine.to_string(), other.to_string()];
        keys.extend((0..30).map(|n| format!("H{n}-0K{n}")));
        let mut seen = fast(&scene, &[("chats", Setting::List(keys))]);
        until_true(&mut seen, &scene).await;
        let info = || scene.control.counters(V).unwrap().of("chat-info");
        let end = tokio::time::Instant::now() + Duration::from_secs(120);
        while info() < 31 {
            assert!(tokio::time::Instant::now() < end, "{foreign:?}: {}", info());
            seen.for_a_while(Duration::from_millis(100)).await;
        }
        seen.for_a_while(Duration::from_millis(800)).await;
        assert_eq!(info(), 31, "{foreign:?}: each bad key is asked for once");
        scene.control.customer_writes(V, &mine).unwrap();
        until_true(&mut seen, &scene).await;
    }
}

#[tokio::test]
async fn what_is_over_is_shown_once_however_long_it_is_listed() {
    let scene = scene(Dialect { lists_ended: true, ..own() }).await;
    let (mine, _) = life(&scene.control);
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    scene.control.ends(V, &mine, Outcome::Handled).unwrap();
    let over = |seen: &Watched| {
        seen.rows.conversations.get(&mine).is_some_and(|c| c.state == ConversationState::Ended)
    };
    seen.until("the end", over).await;
    let changes = seen.row_changes;
    let asked = scene.control.counters(V).unwrap().of("chats");
    seen.for_a_while(Duration::from_millis(800)).await;
    assert!(over(&seen));
    assert!(seen.row_changes - changes <= 2, "figures may move, the chat does not");
    assert_eq!(scene.control.counters(V).unwrap().of("chats"), asked, "nothing more is asked of it");
}

#[tokio::test]
async fn p26_a_field_with_another_name_is_unknown_and_the_rest_stays() {
    let scene = scene(own()).await;
    life(&scene.control);
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    let id = seen.rows.queues.keys().next().unwrap().clone();
    let body =
        format!(r#"{{"skills":{{"{id}":{{"queueSize":3,"currentAvailableSlots":2}}}},"totals":{{}}}}"#);
    scene.control.fault(V, "queuestate", Fault::Body(body)).unwrap();
    seen.until("unknown", |seen| seen.rows.queues[&id].waiting.is_none()).await;
    assert_eq!(seen.rows.queues[&id].free_capacity, Some(2));
    assert_eq!(seen.report.health, Health::Live);
}
