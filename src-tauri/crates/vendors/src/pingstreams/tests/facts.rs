//! Facts about the wire and doubts about the service, each from both sides.

use std::time::Duration;

use model::{ConversationState, Health, Presence};
use serde_json::{Value, json};

use super::{
    super::config::Config,
    peer::{Peer, Upgrade, member, row},
    running::{Running, config, jwt},
};

fn with(mut row: Value, at: &str, value: Value) -> Value {
    row[at] = value;
    row
}

#[tokio::test]
async fn an_update_may_be_the_first_frame_of_a_conversation() {
    let peer = Peer::start().await;
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    // Its earlier life was preflight, or a bot's: nothing was told of it.
    peer.change(&with(row("late", 100, 3), "preflight", json!(true)));
    peer.change(&row("late", 50, 3));
    peer.change(&row("late", 100, 4));
    seen.until("shown", |r| r.conversations.contains_key("late")).await;
    assert_eq!(seen.conversation("late").waiting_since, seen.conversation("late").created_at);
    // And a live one is born already answered.
    let born = with(row("born", 200, 5), "assigned_at", json!("2026-01-31T09:00:07.000Z"));
    peer.publish("/p1/requests", "CREATE", &born);
    seen.until("born", |r| r.conversations.contains_key("born")).await;
    let c = seen.conversation("born");
    assert_eq!((c.waiting_since, c.answered_at), (c.created_at, "2026-01-31T09:00:07Z".parse().ok()));
}

#[tokio::test]
async fn references_are_ids_or_objects_and_a_poorer_copy_keeps_the_name() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 100, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let mut poorer = with(row("r1", 200, 2), "snapshot", json!({"agents": [{"id_user": "anna"}]}));
    poorer["lead"] = json!("l1");
    poorer["department"] = json!({"_id": "d1", "name": "Sales", "id": "d1", "hasBot": false});
    poorer["requester"] = json!({"_id": "x", "isAuthenticated": false});
    peer.change(&poorer);
    seen.until("answered", |r| r.conversations["r1"].state == ConversationState::Active).await;
    let c = seen.conversation("r1");
    assert_eq!((c.customer.as_deref(), c.queue.as_deref()), (Some("Gina"), Some("d1")));
    // A whole document without a department has none.
    let mut none = row("r1", 200, 3);
    none.as_object_mut().unwrap().remove("department");
    peer.change(&none);
    seen.until("no queue", |r| r.conversations["r1"].queue.is_none()).await;
    assert_eq!(seen.queues["d1"].open, Some(0));
}

#[tokio::test]
async fn a_bot_is_nobody_and_an_answer_by_a_bot_is_none() {
    let peer = Peer::start().await;
    let mut bots = row("r1", 200, 1);
    bots["participants"] = json!(["bot_b1"]);
    bots["participantsAgents"] = json!([]);
    peer.list(&[bots.clone()]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let c = seen.conversation("r1");
    assert_eq!((c.agents.as_deref(), c.answered_at), (Some(&[][..]), None));
    // Where only one list is told, bots are left out of it.
    let mut old = with(row("r1", 200, 2), "participants", json!(["bot_b1", "anna"]));
    old.as_object_mut().unwrap().remove("participantsAgents");
    peer.change(&with(old, "assigned_at", json!("2026-01-31T09:01:40.000Z")));
    seen.until("anna", |r| r.conversations["r1"].answered_at.is_some()).await;
    assert_eq!(seen.conversation("r1").agents.as_deref(), Some(&["anna".into()][..]));
}

#[tokio::test]
async fn presence_is_read_as_it_is_fixed() {
    let peer = Peer::start().await;
    let mut people = vec![member("anna", "owner", true, 0)];
    let full = |who: &str| member(who, "agent", true, 3);
    people.push(full("full"));
    people.push(with(member("flagged", "agent", true, 1), "isBusy", json!(true)));
    people.push(with(full("larger"), "max_assigned_chat", json!(5)));
    people.push(member("off", "agent", false, 0));
    people.push(with(member("inactive", "agent", true, 0), "profileStatus", json!("inactive")));
    people.push(with(member("blank", "agent", true, -2), "profileStatus", json!("")));
    people.push(with(member("gone", "agent", true, 0), "status", json!("disabled")));
    people.push(with(member("binned", "agent", true, 0), "trashed", json!(true)));
    people.push(with(member("guest", "guest", true, 0), "roleType", json!(2)));
    peer.rest("GET /p1/project_users", 200, &Value::Array(people).to_string());
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let of = |id: &str| {
        let a = &seen.agents[id];
        (a.presence, a.open, a.free_capacity)
    };
    assert_eq!(of("full"), (Presence::Busy, Some(3), Some(0)));
    assert_eq!(of("flagged").0, Presence::Busy);
    assert_eq!(of("larger"), (Presence::Available, Some(3), Some(2)));
    assert_eq!((of("off").0, of("inactive").0), (Presence::Away, Presence::Away));
    assert_eq!(of("blank"), (Presence::Available, None, None));
    assert_eq!(seen.agents["inactive"].presence_label.as_deref(), Some("inactive"));
    assert_eq!(
        (seen.agents["blank"].presence_label.as_deref(), seen.agents["off"].logged_in_at),
        (None, None)
    );
    assert_eq!(seen.agents.len(), 7, "{:?}", seen.agents.keys());
}

#[tokio::test]
async fn l4_a_limit_is_understood_whatever_its_body_is() {
    for (kind, body) in [
        ("application/json", "{\"message\":\"Rate limit exceeded\"}"),
        ("text/plain", "slow down, please"),
        ("text/html", "<html><body>Too many</body></html>"),
    ] {
        for (wait, asked) in [("Retry-After: 90\r\n", Some(90.0)), ("", None)] {
            let peer = Peer::start().await;
            let text = format!(
                "HTTP/1.1 429 Too Many Requests\r\nContent-Type: {kind}\r\n{wait}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            peer.script.lock().unwrap().upgrades.push_back(Upgrade::Raw(text));
            let mut seen = Running::start(config(&peer));
            seen.until("throttled", |r| r.health.health == Health::Throttled).await;
            assert!(!seen.error().contains("slow down, please") && !seen.error().contains('<'));
            let left = seen
                .health
                .retry_at
                .map(|at| at.seconds_since(link::Clock::now(&link::SystemClock)))
                .unwrap();
            match asked {
                Some(asked) => assert!((asked - 5.0..=asked).contains(&left), "{left}"),
                None => seen.live().await,
            }
        }
    }
}

#[tokio::test]
async fn p2_a_large_frame_is_taken_and_one_beyond_all_measure_is_not() {
    let peer = Peer::start().await;
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let large = |id: &str, bytes: usize| with(row(id, 100, 1), "transcript", json!("x".repeat(bytes)));
    peer.change(&large("two-megabytes", 2 << 20));
    seen.until("two megabytes", |r| r.conversations.contains_key("two-megabytes")).await;
    peer.change(&large("seventeen", 17 << 20));
    seen.until("refused", |r| r.health.health == Health::Retrying).await;
    assert!(seen.error().contains("MiB") || seen.error().contains("large"), "{}", seen.error());
    seen.live().await;
    assert!(!seen.conversations.contains_key("seventeen"));
}

#[tokio::test]
async fn a1_a_token_that_only_the_reads_refuse_is_bought_anew_once() {
    let peer = Peer::start().await;
    let signed = json!({"success": true, "token": format!("JWT {}", jwt("anna"))}).to_string();
    peer.rest("POST /auth/signin", 200, &signed);
    peer.rest("GET /p1/project_users", 401, "Unauthorized");
    let mut seen =
        Running::with(Config { email: Some("anna@example.test".into()), ..config(&peer) }, "fake-password");
    seen.live().await;
    assert_eq!(seen.health.gaps, ["agents"]);
    assert_eq!(peer.script.lock().unwrap().connections, 1, "the socket was let in");
    peer.rest("GET /p1/project_users", 200, &json!([member("anna", "owner", true, 0)]).to_string());
    seen.until("read with a new token", |r| r.health.gaps.is_empty()).await;
    assert!(peer.count("POST /auth/signin") >= 2);
    assert_eq!(peer.script.lock().unwrap().connections, 1);
}

/// Beside the account's own member there are those of others, who are told by their user only.
#[tokio::test]
async fn teammates_are_followed_by_their_user() {
    let peer = Peer::start().await;
    let people = json!([member("anna", "owner", true, 0), member("bob", "agent", true, 0)]);
    peer.rest("GET /p1/project_users", 200, &people.to_string());
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let wanted = ["/p1/requests", "/p1/project_users/users/anna", "/p1/project_users/users/bob"];
    let all_said = async {
        while peer.said("subscribe").len() < wanted.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), all_said).await.expect("subscribed");
    assert_eq!(peer.said("subscribe"), wanted);
    // The user's id alone; the topic says whose row it is.
    let mut bare = with(member("bob", "agent", false, 0), "updatedAt", json!("2026-01-31T09:30:00.000Z"));
    bare.as_object_mut().unwrap().remove("id_user");
    peer.publish("/p1/project_users/users/bob", "UPDATE", &bare);
    seen.until("away", |r| r.agents["bob"].presence == Presence::Away).await;
    assert_eq!(seen.agents["bob"].name, "bob A");
}

/// A server of several processes behind a broker tells twice, late, and in another order.
#[tokio::test]
async fn order_between_frames_does_not_matter() {
    for turn in 0..3 {
        let peer = Peer::start().await;
        let mut seen = Running::start(config(&peer));
        seen.live().await;
        let mut life =
            vec![row("r1", 100, 1), row("r1", 200, 2), with(row("r1", 200, 3), "priority", json!("high"))];
        life.rotate_left(turn);
        for frame in life.iter().chain(&life) {
            peer.change(frame);
        }
        peer.change(&row("last", 100, 1));
        seen.until("the last", |r| r.conversations.contains_key("last")).await;
        let c = seen.conversation("r1");
        assert_eq!((c.state, c.priority.as_deref()), (ConversationState::Active, Some("high")), "{turn}");
        assert_eq!((seen.queues["d1"].waiting, seen.queues["d1"].open), (Some(1), Some(1)));
    }
}

#[tokio::test]
async fn every_way_to_close_is_the_same_and_comes_back() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 100, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    for code in [1000, 1001, 1006, 1012, 4000] {
        peer.close(code);
        seen.until("lost", |r| r.health.health == Health::Retrying).await;
        assert_eq!(seen.conversations.len(), 1, "{code}");
        seen.live().await;
    }
    seen.listen(Duration::from_millis(50)).await;
    assert_eq!(seen.health.health, Health::Live);
}

#[tokio::test]
async fn the_first_lists_limit_is_not_trusted() {
    let peer = Peer::start().await;
    let rows: Vec<Value> = (0..50).map(|n| row(&format!("r{n}"), 100, 1)).collect();
    peer.list(&rows);
    peer.topic("/p1/requests", &json!(rows[..20]).to_string());
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    assert_eq!((seen.conversations.len(), seen.queues["d1"].waiting), (50, Some(50)));
    assert!(seen.health.gaps.is_empty());
}

/// Whichever part is refused: each of the others tells the server's clock, the sign-in first of all.
#[tokio::test]
async fn p19_every_answer_tells_the_servers_clock() {
    let parts = ["GET /p1/project_users", "GET /p1/departments", "GET /projects/p1", "GET /p1/requests"];
    let last = [&[parts[0]][..], &[parts[1]], &[parts[2]], &[parts[3]], &parts];
    for refused in last {
        let peer = Peer::start().await;
        peer.script.lock().unwrap().ahead_s = Some(420);
        let signed = json!({"success": true, "token": format!("JWT {}", jwt("anna"))}).to_string();
        peer.rest("POST /auth/signin", 200, &signed);
        for part in refused {
            peer.rest(part, 403, "{}");
        }
        let config = Config { email: Some("anna@example.test".into()), ..config(&peer) };
        let mut seen = Running::with(config, "fake-password");
        seen.until("asked", |r| r.ever_live || r.health.health == Health::Denied).await;
        let skew = seen.health.clock_skew_s.unwrap_or_default();
        assert!((skew - 420.0).abs() <= 15.0, "{refused:?}: {skew}");
    }
    // Without a sign-in, and the members refused: the other parts tell it.
    let peer = Peer::start().await;
    peer.script.lock().unwrap().ahead_s = Some(420);
    peer.rest("GET /p1/project_users", 403, "{}");
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    assert!((seen.health.clock_skew_s.unwrap_or_default() - 420.0).abs() <= 15.0, "{:?}", seen.health);
}
