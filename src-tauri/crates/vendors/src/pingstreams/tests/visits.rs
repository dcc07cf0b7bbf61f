//! Visits, fault by fault. Ids such as `p9` name cases of the fault list in the project's testing notes.

use std::time::Duration;

use link::SystemClock;
use model::{Change, ConversationState, Health, Id, Outcome, Presence};
use serde_json::{Value, json};

use super::{
    super::config::Config,
    peer::{Peer, Upgrade, member, row},
    running::{Running, config, jwt},
};

fn later(mut row: Value, at: &str, value: Value) -> Value {
    row[at] = value;
    row
}

#[tokio::test]
async fn the_first_state_is_whole_and_then_followed() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 100, 1), row("r2", 200, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    assert!(seen.health.gaps.is_empty() && seen.health.error.is_none(), "{:?}", seen.health);
    let q = &seen.queues["d1"];
    assert_eq!(
        (q.name.as_str(), q.waiting, q.open, q.agents_online, q.agents_available),
        ("Sales", Some(1), Some(1), Some(1), Some(1))
    );
    assert_eq!((q.capacity, q.free_capacity), (Some(3), Some(3)));
    assert_eq!(q.waiting_since, seen.conversation("r1").created_at);
    let c = seen.conversation("r1");
    assert_eq!((c.customer.as_deref(), c.waiting_since), (Some("Gina"), c.created_at));
    // First met when a person had it already: nobody saw when it waited and when it was answered.
    let c = seen.conversation("r2");
    assert_eq!((c.state, c.waiting_since, c.answered_at), (ConversationState::Active, None, None));
    assert_eq!(seen.agents["anna"].presence, Presence::Available);

    peer.change(&later(row("r1", 200, 2), "assigned_at", json!("2026-01-31T09:01:30.000Z")));
    seen.until("answered", |r| r.conversations["r1"].state == ConversationState::Active).await;
    assert_eq!(seen.conversation("r1").answered_at, Some("2026-01-31T09:01:30Z".parse().unwrap()));
    assert_eq!(
        (seen.queues["d1"].waiting, seen.queues["d1"].waiting_since, seen.queues["d1"].open),
        (Some(0), None, Some(2))
    );
    peer.change(&row("r1", 1000, 3));
    seen.until("ended", |r| r.conversations["r1"].state == ConversationState::Ended).await;
    assert_eq!(seen.conversation("r1").outcome, Some(Outcome::Handled));
    peer.change(&row("r2", 150, 3));
    seen.until("given up", |r| r.conversations["r2"].outcome == Some(Outcome::Abandoned)).await;
    // Only what a client may say was said.
    assert!(peer.said("publish").is_empty() && peer.said("broadcast").is_empty());
    assert_eq!(peer.said("subscribe"), ["/p1/requests", "/p1/project_users/users/anna"]);
}

#[tokio::test]
async fn p9_forged_old_repeated_and_strange_frames_change_nothing() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 200, 5)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let topic = "/p1/requests";
    peer.say(
        json!({"action": "publish", "payload": {"topic": topic, "message": row("forged", 100, 9)}})
            .to_string(),
    );
    peer.say(json!({"action": "publish", "payload": {"topic": topic, "method": "DELETE", "message": row("r1", 100, 9)}}).to_string());
    peer.publish("/other/requests", "CREATE", &row("other", 100, 9));
    peer.publish(topic, "UPDATE", &Value::Null);
    peer.publish(topic, "UPDATE", &json!(7));
    peer.publish(topic, "UPDATE", &json!({"status": 100}));
    peer.change(&row("r1", 100, 4));
    peer.change(&row("r1", 200, 5));
    peer.change(&row("unknown", 1000, 9));
    peer.change(&later(row("draft", 100, 9), "draft", json!(true)));
    peer.change(&later(row("pre", 100, 9), "preflight", json!(true)));
    peer.change(&row("bot", 50, 9));
    peer.change(&row("r1", 777, 9));
    peer.say(json!({"action": "me", "payload": {"id": "x"}}).to_string());
    peer.say("[]".into());
    peer.say("not json".into());
    peer.publish(topic, "CREATE", &row("r9", 100, 9));
    seen.until("the last frame", |r| r.conversations.contains_key("r9")).await;
    assert_eq!(seen.conversations.keys().map(Id::as_str).collect::<Vec<_>>(), ["r1", "r9"]);
    assert_eq!(seen.conversation("r1").state, ConversationState::Active);
    // A status nobody knows is said to be one.
    seen.until("format changed", |r| r.error().contains("Format changed")).await;
    assert_eq!(seen.health.health, Health::Live);

    // What ended does not come back with a late frame, but does when it is opened again.
    peer.change(&row("r9", 1000, 20));
    seen.until("ended", |r| r.conversations["r9"].state == ConversationState::Ended).await;
    peer.change(&row("r9", 100, 19));
    peer.change(&row("r9", 1000, 20));
    peer.change(&row("r10", 100, 20));
    seen.until("the next", |r| r.conversations.contains_key("r10")).await;
    assert_eq!(seen.conversation("r9").state, ConversationState::Ended);
    peer.change(&row("r9", 100, 21));
    seen.until("open again", |r| r.conversations["r9"].state == ConversationState::Waiting).await;
    assert!(seen.conversation("r9").waiting_since > seen.conversation("r9").created_at);
}

#[tokio::test]
async fn p6_a_field_of_a_wrong_kind_spoils_only_itself() {
    let peer = Peer::start().await;
    let odd = json!([null, true, 3, 3.5, "x", [], {"a": 1}]);
    let mut rows = Vec::new();
    let fields = [
        "status",
        "participants",
        "department",
        "snapshot",
        "lead",
        "tags",
        "channel",
        "priority",
        "subject",
        "createdAt",
        "updatedAt",
        "assigned_at",
        "closed_at",
        "preflight",
        "draft",
        "participantsAgents",
    ];
    for (n, field) in fields.iter().enumerate() {
        for (m, value) in odd.as_array().unwrap().iter().enumerate() {
            rows.push(later(row(&format!("r{n}-{m}"), 200, 1), field, value.clone()));
        }
    }
    peer.list(&rows[..90]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    for row in &rows {
        peer.change(row);
    }
    peer.change(&row("last", 100, 1));
    seen.until("the last", |r| r.conversations.contains_key("last")).await;
    for row in rows.iter().filter(|r| r["status"] == 200 && r["draft"] != true && r["preflight"] != true) {
        let c = seen.conversation(row["request_id"].as_str().unwrap());
        assert_eq!(c.state, ConversationState::Active, "{row}");
    }
    let members = json!([member("anna", "owner", true, 0), {"id_user": 4}, 7, {"id_user": "bob", "user_available": "maybe",
        "number_assigned_requests": -2, "max_assigned_chat": {}, "status": [], "role": 1}]);
    peer.rest("GET /p1/project_users", 200, &members.to_string());
    let mut again = Running::start(config(&peer));
    again.live().await;
    let bob = &again.agents["bob"];
    assert_eq!(
        (bob.presence, bob.open, bob.capacity, bob.free_capacity),
        (Presence::Unknown, None, Some(3), None)
    );
    assert_eq!((bob.name.as_str(), again.queues["d1"].free_capacity), ("bob", None));
}

#[tokio::test]
async fn p23_silence_is_never_live_and_names_topic_and_role() {
    let peer = Peer::start().await;
    peer.script.lock().unwrap().topics.clear();
    let mut seen = Running::start(config(&peer));
    seen.until("denied", |r| r.health.health == Health::Denied).await;
    assert!(seen.error().contains("/p1/requests") && seen.error().contains("owner"), "{}", seen.error());
    assert!(!seen.ever_live && seen.health.retry_at.is_some());
    assert_eq!(peer.said("subscribe").iter().filter(|t| *t == "/p1/requests").count(), 2, "asked twice");

    peer.rest(
        "GET /p1/project_users",
        403,
        "{\"success\":false,\"msg\":\"you dont belong to the project.\"}",
    );
    let mut seen = Running::start(config(&peer));
    seen.until("denied", |r| r.health.health == Health::Denied).await;
    assert!(seen.error().contains("does not belong"), "{}", seen.error());
    peer.rest("GET /p1/project_users", 400, "{\"error\":\"Project not found with id: p1\"}");
    let mut seen = Running::start(config(&peer));
    seen.until("misconfigured", |r| r.health.health == Health::Misconfigured).await;
}

#[tokio::test]
async fn a_role_that_sees_a_part_is_live_with_a_gap_and_advice() {
    for (role, permissions, whole) in [
        ("admin", json!([]), true),
        ("agent", json!([]), false),
        ("supervisor", json!([]), false),
        ("night", json!(["request_read_all"]), true),
        ("owner", json!(["request_read_group"]), false),
    ] {
        let peer = Peer::start().await;
        peer.list(&[row("r1", 100, 1)]);
        let me = later(member("anna", role, true, 0), "permissions", permissions);
        peer.rest("GET /p1/project_users", 200, &json!([me]).to_string());
        let mut seen = Running::start(config(&peer));
        seen.live().await;
        assert_eq!(seen.health.gaps.is_empty(), whole, "{role}");
        assert_eq!(seen.queues["d1"].waiting, whole.then_some(1), "{role}");
        if !whole {
            assert_eq!(seen.health.gaps, ["conversations"]);
            assert!(seen.error().contains(role) && seen.error().contains("administrator"));
        }
    }
}

#[tokio::test]
async fn a1_a_refused_token_is_bought_anew_once() {
    let peer = Peer::start().await;
    let signed = json!({"success": true, "token": format!("JWT {}", jwt("anna")), "user": {}}).to_string();
    peer.rest("POST /auth/signin", 200, &signed);
    peer.refuse("401 Unauthorized");
    let with_mail = || Config { email: Some("anna@example.test".into()), ..config(&peer) };
    let mut seen = Running::with(with_mail(), "fake-password");
    seen.live().await;
    assert_eq!((peer.count("POST /auth/signin"), peer.count("UPGRADE")), (2, 2));

    // Refused again: that is an answer. No loop.
    peer.refuse("401 Unauthorized");
    peer.refuse("401 Unauthorized");
    let mut seen = Running::with(with_mail(), "fake-password");
    seen.until("denied", |r| r.health.health == Health::Denied).await;
    assert_eq!((peer.count("POST /auth/signin"), peer.count("UPGRADE")), (4, 4));
    assert!(!seen.ever_live);

    // A refused password is not tried twice.
    peer.rest(
        "POST /auth/signin",
        401,
        "{\"success\":false,\"msg\":\"Authentication failed. Wrong password.\"}",
    );
    let mut seen = Running::with(with_mail(), "fake-password");
    seen.until("denied", |r| r.health.health == Health::Denied).await;
    assert_eq!(peer.count("POST /auth/signin"), 5);
    assert!(!seen.error().contains("fake-password") && seen.error().contains("password"), "{}", seen.error());

    // A token given directly is final.
    peer.refuse("401 Unauthorized");
    let mut seen = Running::start(config(&peer));
    seen.until("denied", |r| r.health.health == Health::Denied).await;
    assert_eq!(peer.count("UPGRADE"), 5);
    let mut seen = Running::with(config(&peer), "two words");
    seen.until("misconfigured", |r| r.health.health == Health::Misconfigured).await;
}

#[tokio::test]
async fn l4_refused_upgrades_are_each_said_in_words() {
    for (head, health) in [
        ("429 Too Many Requests\r\nRetry-After: 100", Health::Throttled),
        ("429 Too Many Requests", Health::Throttled),
        ("503 Busy\r\nRetry-After: 100", Health::Throttled),
        ("503 Full", Health::Retrying),
        ("502 Bad Gateway", Health::Retrying),
        ("400 Bad Request", Health::Retrying),
        ("302 Found\r\nLocation: https://a.example/", Health::Retrying),
        ("403 Forbidden", Health::Denied),
    ] {
        let peer = Peer::start().await;
        peer.refuse(head);
        let mut seen = Running::start(config(&peer));
        seen.until(head, |r| r.health.health != Health::Connecting).await;
        assert_eq!(seen.health.health, health, "{head}");
        assert!(!seen.error().is_empty() && !seen.ever_live);
        if head.contains("Retry-After") {
            let wait = seen.health.retry_at.unwrap().seconds_since(link::Clock::now(&SystemClock));
            assert!((97.0..=100.0).contains(&wait), "{wait}");
        }
    }
}

#[tokio::test]
async fn n1_a_server_that_says_nothing_more_is_found_dead_and_what_went_meanwhile_is_gone() {
    let peer = Peer::start().await;
    peer.list(&[row("stays", 100, 1), row("goes", 100, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let since = seen.conversation("stays").waiting_since;
    peer.script.lock().unwrap().mute = true;
    seen.until("dead", |r| r.health.health == Health::Retrying).await;
    assert!(seen.error().contains("no longer answers"));
    assert_eq!(seen.conversations.len(), 2, "rows stay while nobody knows better");
    peer.list(&[row("stays", 100, 1), row("new", 100, 1)]);
    peer.script.lock().unwrap().mute = false;
    seen.live().await;
    assert_eq!(seen.conversations.keys().map(Id::as_str).collect::<Vec<_>>(), ["new", "stays"]);
    assert_eq!(seen.conversation("stays").waiting_since, since);
    assert_eq!(seen.queues["d1"].waiting, Some(2));
    // A mere cut is noticed at once.
    peer.cut();
    seen.until("cut", |r| r.health.health == Health::Retrying).await;
    seen.live().await;
}

#[tokio::test]
async fn heartbeats_go_both_ways() {
    let peer = Peer::start().await;
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    peer.say(super::super::wire::PING.to_owned());
    seen.listen(Duration::from_millis(1500)).await;
    assert_eq!(seen.health.health, Health::Live);
    let heard = peer.script.lock().unwrap().heard.clone();
    let said = |text: &str| {
        heard.iter().filter(|f| f["action"] == "heartbeat" && f["payload"]["message"]["text"] == text).count()
    };
    assert_eq!(said("pong"), 1);
    assert!(said("ping") >= 3, "{}", said("ping"));
    assert_eq!(peer.script.lock().unwrap().connections, 1);
}

#[tokio::test]
async fn p20_more_than_a_list_holds_is_read_in_pages() {
    let peer = Peer::start().await;
    let rows: Vec<Value> = (0..250).map(|n| row(&format!("r{n}"), 100, 1)).collect();
    peer.list(&rows[..100]);
    for (page, part) in rows.chunks(100).enumerate() {
        peer.rest(
            &format!("GET /p1/requests#{page}"),
            200,
            &json!({"perPage": 100, "requests": part}).to_string(),
        );
    }
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    assert_eq!((seen.conversations.len(), seen.queues["d1"].waiting), (250, Some(250)));
    assert!(seen.health.gaps.is_empty());

    // A page that fails makes the reading partial: the counts are unknown, not small.
    peer.rest("GET /p1/requests#2", 500, "oops");
    let mut part = Running::start(config(&peer));
    part.live().await;
    assert_eq!(part.health.gaps, ["conversations"]);
    assert_eq!((part.conversations.len(), part.queues["d1"].waiting), (100, None));
    // And it heals.
    peer.rest("GET /p1/requests#2", 200, &json!({"perPage": 100, "requests": rows[200..]}).to_string());
    part.until("healed", |r| r.health.gaps.is_empty() && r.queues["d1"].waiting == Some(250)).await;
    assert_eq!(part.conversations.len(), 250);
}

#[tokio::test]
async fn p22_a_part_that_fails_alone_is_a_gap() {
    for (path, status, gap) in [
        ("GET /p1/project_users", 500, "agents"),
        ("GET /p1/project_users", 403, "agents"),
        ("GET /p1/departments", 503, "departments"),
        ("GET /p1/departments", 429, "departments"),
        ("GET /p1/groups", 403, "groups"),
    ] {
        let peer = Peer::start().await;
        peer.list(&[row("r1", 100, 1)]);
        peer.rest(
            "GET /p1/departments",
            200,
            &json!([{"_id": "d1", "name": "Sales", "id_group": "g1"}]).to_string(),
        );
        peer.rest("GET /p1/groups", 200, &json!([{"_id": "g1", "members": ["anna"]}]).to_string());
        peer.rest(path, status, "<html>no</html>");
        let mut seen = Running::start(config(&peer));
        seen.live().await;
        assert_eq!(seen.health.gaps, [gap], "{path}");
        assert!(seen.health.error.is_some());
        let q = &seen.queues["d1"];
        assert_eq!(
            (q.name.as_str(), q.waiting, q.agents_online),
            ("Sales", Some(1), None),
            "{path} {status}"
        );
    }
    // With groups known, only their members count.
    let peer = Peer::start().await;
    peer.rest(
        "GET /p1/departments",
        200,
        &json!([{"_id": "d1", "name": "Sales", "groups": [{"group_id": "g1", "percentage": 100}]}])
            .to_string(),
    );
    peer.rest(
        "GET /p1/groups",
        200,
        &json!([{"_id": "g1", "members": ["bob"]}, {"_id": "g2", "members": ["anna"]}]).to_string(),
    );
    peer.rest(
        "GET /p1/project_users",
        200,
        &json!([member("anna", "owner", true, 0), member("bob", "agent", true, 3)]).to_string(),
    );
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let q = &seen.queues["d1"];
    assert_eq!(
        (q.agents_online, q.agents_available, q.capacity, q.free_capacity),
        (Some(1), Some(0), Some(3), Some(0))
    );
    assert_eq!(
        (seen.agents["bob"].presence, seen.agents["bob"].queues.clone()),
        (Presence::Busy, Some(vec!["d1".into()]))
    );
    assert_eq!(seen.agents["anna"].queues, Some(vec![]));
}

#[tokio::test]
async fn members_change_come_and_go() {
    let peer = Peer::start().await;
    let mut fast = config(&peer);
    fast.pace.resync = Duration::from_millis(400);
    let mut seen = Running::start(fast);
    seen.live().await;
    let topic = "/p1/project_users/users/anna";
    let stamp = |v: Value, m: u32| later(v, "updatedAt", json!(format!("2026-01-31T09:{m:02}:00.000Z")));
    // The user's id is text in some frames; the name stays known.
    let mut away = stamp(member("anna", "owner", false, 1), 2);
    away["id_user"] = json!("anna");
    peer.publish(topic, "UPDATE", &away);
    seen.until("away", |r| r.agents["anna"].presence == Presence::Away).await;
    assert_eq!((seen.agents["anna"].name.as_str(), seen.agents["anna"].open), ("anna A", Some(1)));
    peer.publish(topic, "UPDATE", &stamp(member("anna", "owner", true, -4), 3));
    seen.until("back", |r| r.agents["anna"].open.is_none()).await;
    peer.publish(
        topic,
        "UPDATE",
        &later(stamp(member("anna", "owner", true, 0), 4), "profileStatus", json!("inactive")),
    );
    seen.until("inactive", |r| r.agents["anna"].presence_label.as_deref() == Some("inactive")).await;
    assert_eq!(seen.agents["anna"].presence, Presence::Away);
    peer.publish(
        topic,
        "UPDATE",
        &later(stamp(member("anna", "owner", true, 0), 5), "status", json!("disabled")),
    );
    seen.until("gone", |r| r.agents.is_empty()).await;
    // The next reading finds whoever is new.
    peer.rest("GET /p1/project_users", 200, &json!([member("bob", "agent", true, 0)]).to_string());
    seen.until("bob", |r| r.agents.contains_key("bob")).await;
    seen.until("told twice at most", |_| {
        peer.said("subscribe").contains(&"/p1/project_users/users/bob".to_owned())
    })
    .await;
}

#[tokio::test]
async fn a_quiet_reading_tells_nothing_and_a_lost_change_is_healed() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 100, 1), row("r2", 100, 1)]);
    let mut fast = config(&peer);
    fast.pace.resync = Duration::from_millis(300);
    let mut seen = Running::start(fast);
    seen.live().await;
    let mut quiet = 0;
    for _ in 0..3 {
        let batch = seen.rx.recv().await.unwrap();
        assert!(batch.changes.iter().all(|c| matches!(c, Change::Health(_))), "{batch:?}");
        quiet += 1;
    }
    assert_eq!(quiet, 3);
    peer.list(&[row("r2", 100, 1)]);
    seen.until("healed", |r| !r.conversations.contains_key("r1")).await;
    assert_eq!(seen.queues["d1"].waiting, Some(1));
}

#[tokio::test]
async fn p1_unreadable_frames_are_dropped_and_three_make_a_new_reading() {
    let peer = Peer::start().await;
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let before = peer.count("GET /p1/requests");
    peer.list(&[row("missed", 100, 1)]);
    for text in ["{", "{\"action\":\"publish\",\"payload\":{\"message\":{\"status\":1e999}}}", "\u{feff}{}"] {
        peer.say(text.to_owned());
    }
    seen.until("read again", |r| r.conversations.contains_key("missed")).await;
    assert_eq!(peer.count("GET /p1/requests"), before + 1);
    assert_eq!(peer.script.lock().unwrap().connections, 1);
}

#[tokio::test]
async fn all_four_topics_are_followed_where_they_are_wanted() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 200, 1)]);
    let said = |who: &str, minute: u32| json!({"sender": who, "recipient": "r1", "createdAt": format!("2026-01-31T09:{minute:02}:00.000Z")});
    peer.topic(
        "/p1/requests/r1/messages",
        &json!([said("visitor", 1), said("anna", 2), said("system", 9), said("bot_x", 9)]).to_string(),
    );
    let mut full = row("poor", 100, 3);
    full["lead"] = json!({"_id": "l2", "fullname": "Hugo"});
    full["snapshot"] = json!({});
    peer.topic("/p1/requests/poor", &full.to_string());
    let mut seen = Running::start(Config { messages: true, ..config(&peer) });
    seen.live().await;
    seen.until("messages", |r| r.conversation("r1").last_agent_message_at.is_some()).await;
    let at = |m: u32| Some(format!("2026-01-31T09:{m:02}:00Z").parse().unwrap());
    assert_eq!(
        (seen.conversation("r1").last_customer_message_at, seen.conversation("r1").last_agent_message_at),
        (at(1), at(2))
    );
    peer.publish("/p1/requests/r1/messages", "CREATE", &said("visitor", 5));
    seen.until("live message", |r| r.conversation("r1").last_customer_message_at == at(5)).await;
    // Not said to the customer: a note among teammates, and what the system tells.
    let aside = |kind: &str| later(said("anna", 7), "attributes", json!({"subtype": kind}));
    ["private", "info", "info/support"]
        .iter()
        .for_each(|kind| peer.publish("/p1/requests/r1/messages", "CREATE", &aside(kind)));
    peer.publish("/p1/requests/r1/messages", "CREATE", &said("anna", 6));
    seen.until("the answer", |r| r.conversation("r1").last_agent_message_at == at(6)).await;
    // Met by a poor change: its detail is asked for once, and let go.
    let mut poor = row("poor", 100, 3);
    poor["snapshot"] = json!({"agents": []});
    peer.change(&poor);
    seen.until("named", |r| {
        r.conversations.get("poor").is_some_and(|c| c.customer.as_deref() == Some("Hugo"))
    })
    .await;
    peer.change(&row("r1", 1000, 9));
    seen.until("ended", |r| r.conversation("r1").state == ConversationState::Ended).await;
    seen.listen(Duration::from_millis(100)).await;
    assert_eq!(peer.said("unsubscribe"), ["/p1/requests/poor", "/p1/requests/r1/messages"]);
    let followed = peer.said("subscribe").into_iter().filter(|t| t.ends_with("/messages"));
    assert_eq!(followed.collect::<Vec<_>>(), ["/p1/requests/r1/messages", "/p1/requests/poor/messages"]);
    assert!(peer.said("publish").is_empty());
}

#[tokio::test]
async fn a_full_list_of_messages_does_not_tell_who_spoke_last() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 200, 1)]);
    let said = |n: u32| json!({"sender": "visitor", "createdAt": format!("2026-01-31T09:{:02}:{:02}.000Z", n / 60, n % 60)});
    peer.topic("/p1/requests/r1/messages", &json!((0..300).map(said).collect::<Vec<_>>()).to_string());
    let mut seen = Running::start(Config { messages: true, ..config(&peer) });
    seen.live().await;
    peer.change(&row("r2", 100, 1));
    seen.until("the next frame", |r| r.conversations.contains_key("r2")).await;
    assert_eq!(seen.conversation("r1").last_customer_message_at, None);
    peer.publish("/p1/requests/r1/messages", "CREATE", &said(900));
    seen.until("a live message", |r| r.conversation("r1").last_customer_message_at.is_some()).await;
}

#[tokio::test]
async fn pages_of_any_size_are_read_to_their_end() {
    for (size, told) in [(40, true), (40, false), (7, false)] {
        let peer = Peer::start().await;
        let rows: Vec<Value> = (0..95).map(|n| row(&format!("r{n}"), 100, 1)).collect();
        peer.list(&rows);
        for (page, part) in rows.chunks(size).enumerate() {
            let mut body = json!({"count": rows.len(), "requests": part});
            if told {
                body = json!({"perPage": size, "requests": part});
            }
            peer.rest(&format!("GET /p1/requests#{page}"), 200, &body.to_string());
        }
        let mut seen = Running::start(config(&peer));
        seen.live().await;
        assert_eq!((seen.conversations.len(), seen.health.gaps.len()), (95, 0), "{size}");
    }
}

/// The token says nothing that we can read: the address tells which teammate we are.
#[tokio::test]
async fn our_own_role_is_found_by_the_address_where_the_token_is_opaque() {
    let peer = Peer::start().await;
    peer.rest("POST /auth/signin", 200, &json!({"success": true, "token": "JWT opaque"}).to_string());
    peer.rest("GET /p1/project_users", 200, &json!([member("anna", "supervisor", true, 0)]).to_string());
    let mut seen =
        Running::with(Config { email: Some("Anna@example.test".into()), ..config(&peer) }, "fake-password");
    seen.live().await;
    assert_eq!(seen.health.gaps, ["conversations"]);
    assert!(seen.error().contains("supervisor"), "{}", seen.error());
}

#[tokio::test]
async fn a_handshake_that_hangs_and_a_stop_in_the_middle_end_soon() {
    let peer = Peer::start().await;
    peer.script.lock().unwrap().upgrades.push_back(Upgrade::Hang);
    let mut seen = Running::start(config(&peer));
    seen.listen(Duration::from_millis(200)).await;
    assert_eq!(seen.health.health, Health::Connecting);
    seen.stop.cancel();
    let ended =
        tokio::time::timeout(Duration::from_secs(2), async { while seen.rx.recv().await.is_some() {} }).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn n20_p24_a_burst_on_a_slow_listener_loses_nothing_and_kills_nothing() {
    let peer = Peer::start().await;
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let topic = "/p1/requests";
    for n in 0..900 {
        peer.publish(topic, "CREATE", &row(&format!("r{n}"), 100, 1));
    }
    // Nobody listens for longer than a dead server would be given.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    seen.until("all", |r| r.queues["d1"].waiting == Some(900)).await;
    seen.listen(Duration::from_millis(700)).await;
    assert_eq!(seen.health.health, Health::Live);
    assert_eq!(peer.script.lock().unwrap().connections, 1);
}
