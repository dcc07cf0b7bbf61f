//! What is known because it was followed: it outlives a reading that fails, a close and a pause.

use std::time::Duration;

use link::{Clock as _, SystemClock};
use model::ConversationState;
use serde_json::{Value, json};

use super::{
    peer::{Peer, member, row},
    running::{Running, config},
};

fn with(mut row: Value, at: &str, value: Value) -> Value {
    row[at] = value;
    row
}

/// More than one list holds, in pages.
fn many(peer: &Peer) -> Vec<Value> {
    let rows: Vec<Value> = (0..250).map(|n| row(&format!("r{n}"), 100, 1)).collect();
    peer.list(&rows[..100]);
    for (page, part) in rows.chunks(100).enumerate() {
        let body = json!({"perPage": 100, "requests": part}).to_string();
        peer.rest(&format!("GET /p1/requests#{page}"), 200, &body);
    }
    rows
}

#[tokio::test]
async fn p21_a_later_reading_that_fails_makes_no_known_count_unknown() {
    let peer = Peer::start().await;
    let rows = many(&peer);
    let mut hurried = config(&peer);
    hurried.pace.resync = Duration::from_millis(400);
    let mut seen = Running::start(hurried);
    seen.live().await;
    assert_eq!(seen.queues["d1"].waiting, Some(250));
    peer.rest("GET /p1/requests#1", 500, "oops");
    seen.until("a gap", |r| !r.health.gaps.is_empty()).await;
    assert_eq!(
        (seen.health.gaps.as_slice(), seen.queues["d1"].waiting),
        (&["conversations".into()][..], Some(250))
    );
    // It fails again and again: the reason stands all the while, though the other parts are well.
    let already = peer.count("GET /p1/project_users");
    seen.until("read again", |r| {
        assert!(r.health.gaps.is_empty() || r.health.error.is_some(), "{:?}", r.health);
        assert_eq!(r.queues["d1"].waiting, Some(250));
        peer.count("GET /p1/project_users") >= already + 4
    })
    .await;
    assert_eq!(seen.health.gaps, ["conversations"]);
    peer.change(&row("new", 100, 2));
    seen.until("counted", |r| r.queues["d1"].waiting == Some(251)).await;
    // It heals, and what has vanished meanwhile is found.
    let body = json!({"perPage": 100, "requests": rows[100..200]}).to_string();
    peer.rest("GET /p1/requests#1", 200, &body);
    seen.until("healed", |r| r.health.gaps.is_empty() && r.queues["d1"].waiting == Some(250)).await;
    assert_eq!(seen.error(), "");
}

#[tokio::test]
async fn a_move_to_another_department_is_a_new_wait_from_when_it_is_seen() {
    let peer = Peer::start().await;
    peer.rest(
        "GET /p1/departments",
        200,
        &json!([{"_id": "d1", "name": "Sales"}, {"_id": "d2", "name": "Billing"}]).to_string(),
    );
    peer.list(&[row("r1", 100, 1), row("r2", 100, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let before = SystemClock.now();
    peer.change(&with(row("r1", 100, 2), "department", json!("d2")));
    seen.until("moved", |r| r.conversations["r1"].queue.as_deref() == Some("d2")).await;
    let since = seen.conversation("r1").waiting_since.unwrap();
    assert!(since >= before, "{since:?}");
    assert_eq!((seen.queues["d1"].waiting, seen.queues["d2"].waiting_since), (Some(1), Some(since)));
    // Other changes move nothing.
    peer.change(&with(with(row("r1", 100, 3), "department", json!("d2")), "priority", json!("high")));
    seen.until("changed", |r| r.conversations["r1"].priority.as_deref() == Some("high")).await;
    assert_eq!(seen.conversation("r1").waiting_since, Some(since));
    // A move that happened while nobody was looking: when is not known, the first wait stays.
    peer.list(&[
        with(row("r1", 100, 3), "department", json!("d2")),
        with(row("r2", 100, 4), "department", json!("d2")),
    ]);
    peer.cut();
    seen.until("moved", |r| r.conversations["r2"].queue.as_deref() == Some("d2")).await;
    assert_eq!(seen.conversation("r2").waiting_since, seen.conversation("r2").created_at);
    assert_eq!(seen.conversation("r1").waiting_since, Some(since));
    let mut fresh = Running::start(config(&peer));
    fresh.live().await;
    assert_eq!(fresh.conversation("r1").waiting_since, fresh.conversation("r1").created_at);
}

#[tokio::test]
async fn one_opened_again_in_somebodys_hands_keeps_its_wait_and_its_answer() {
    let peer = Peer::start().await;
    peer.list(&[row("r1", 100, 1)]);
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    let at = |row: Value| with(row, "assigned_at", json!("2026-01-31T09:01:30.000Z"));
    peer.change(&at(row("r1", 200, 2)));
    peer.change(&at(row("r1", 1000, 3)));
    seen.until("ended", |r| r.conversations["r1"].state == ConversationState::Ended).await;
    peer.change(&at(row("r1", 200, 4)));
    seen.until("back", |r| r.conversations["r1"].state == ConversationState::Active).await;
    let c = seen.conversation("r1");
    assert_eq!((c.waiting_since, c.answered_at), (c.created_at, "2026-01-31T09:01:30Z".parse().ok()));
    assert!(c.ended_at.is_none() && c.outcome.is_none());
}

#[tokio::test]
async fn a_teammate_who_is_switched_off_and_on_keeps_the_address() {
    let peer = Peer::start().await;
    let people = json!([member("anna", "owner", true, 0), member("bob", "agent", true, 0)]);
    peer.rest("GET /p1/project_users", 200, &people.to_string());
    let mut seen = Running::start(config(&peer));
    seen.live().await;
    for (minute, status) in [(2, "disabled"), (3, "active")] {
        let mut bob = with(member("bob", "agent", true, 0), "status", json!(status));
        bob["updatedAt"] = json!(format!("2026-01-31T09:{minute:02}:00.000Z"));
        bob["id_user"] = json!({"_id": "bob", "firstname": "bob", "lastname": "A"});
        peer.publish("/p1/project_users/users/bob", "UPDATE", &bob);
        seen.until(status, |r| r.agents.contains_key("bob") == (status == "active")).await;
    }
    assert_eq!(seen.agents["bob"].email.as_deref(), Some("bob@example.test"));
}
