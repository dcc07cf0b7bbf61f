//! Logins and agent sessions: what they cost, whom they could hurt, and what is done about it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::testing::serve;

async fn until_counted(scene: &Scene, what: &str, least: u64) {
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while scene.control.counters(V).unwrap().of(what) < least {
        assert!(tokio::time::Instant::now() < end, "{what} never came to {least}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

#[tokio::test]
async fn whoever_takes_the_session_is_not_fought_for_ever() {
    let scene = scene(Dialect { takes_over: Takeover::Refused, ..own() }).await;
    let (mut one, mut other) = (fast(&scene, &[]), fast(&scene, &[]));
    let fought = |seen: &Watched| seen.report.health == Health::Denied;
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while !fought(&one) && !fought(&other) {
        assert!(tokio::time::Instant::now() < end, "{:?} {:?}", one.report, other.report);
        one.for_a_while(Duration::from_millis(100)).await;
        other.for_a_while(Duration::from_millis(100)).await;
    }
    let denied = if fought(&one) { &one } else { &other };
    assert!(denied.report.error.as_deref().unwrap().contains("user of its own"), "{:?}", denied.report);
    let logins = scene.control.counters(V).unwrap().of("login");
    assert!(logins <= 4, "{logins} logins");
}

#[tokio::test]
async fn a_session_that_is_gone_costs_a_session_and_no_login() {
    let scene = scene(Dialect { takes_over: Takeover::Gone, ..own() }).await;
    let (mine, _) = life(&scene.control);
    let mut one = fast(&scene, &[]);
    until_true(&mut one, &scene).await;
    // Somebody else signs in, and our session is not there any more.
    let other = fast(&scene, &[("agent_session", Setting::Bool(false))]);
    until_counted(&scene, "agentsession", 2).await;
    scene.control.customer_writes(V, &mine).unwrap();
    until_true(&mut one, &scene).await;
    let counted = scene.control.counters(V).unwrap();
    assert_eq!((counted.of("login"), counted.of("agentsession"), counted.of("set-away")), (2, 2, 2));
    assert!(one.rows.conversations.contains_key(&mine), "a chat is not given up for that");
    drop(other);
}

#[tokio::test]
async fn own_chats_keep_the_sign_in_even_when_others_are_followed() {
    for (open, logouts) in [(true, 0), (false, 1)] {
        let scene = scene(own()).await;
        if open {
            life(&scene.control);
        }
        let unknown = Setting::List(vec!["H0-0K0".to_owned()]);
        let mut seen = fast(&scene, &[("chats", unknown)]);
        seen.live().await;
        until_counted(&scene, "chat-info", 1).await;
        seen.for_a_while(Duration::from_millis(500)).await;
        assert_eq!(scene.control.counters(V).unwrap().of("chatsessions"), 0);
        drop(seen);
        // The own chats are asked for before anybody signs out.
        until_counted(&scene, "chatsessions", 1).await;
        if logouts > 0 {
            until_counted(&scene, "logout", logouts).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(scene.control.counters(V).unwrap().of("logout"), logouts, "open: {open}");
    }
}

#[tokio::test]
async fn a_session_that_is_given_up_sends_no_open_chat_back() {
    let scene = scene(Dialect { ignores_away: true, ..own() }).await;
    life(&scene.control);
    let mut seen = fast(&scene, &[]);
    seen.until("gaps", |seen| seen.report.gaps == ["agents", "conversations"]).await;
    seen.for_a_while(Duration::from_millis(300)).await;
    assert_eq!(scene.control.counters(V).unwrap().of("logout"), 0);
    assert!(seen.report.error.as_deref().unwrap().contains("left alone"), "{:?}", seen.report);
}

#[tokio::test]
async fn a_passing_fault_on_the_way_to_away_costs_nothing() {
    let scene = scene(own()).await;
    scene.control.fault_times(V, "availability", Fault::status(503, ""), 2).unwrap();
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    let counted = scene.control.counters(V).unwrap();
    assert_eq!((counted.of("login"), counted.of("agentsession"), counted.of("set-away")), (1, 1, 1));
    assert!(seen.report.gaps.is_empty());
}

#[tokio::test]
async fn a_login_is_refreshed_in_time_with_whatever_cookie_it_has() {
    tokio::join!(refreshed(false), refreshed(true));
}

async fn refreshed(rotates_cookie: bool) {
    let token_life = Duration::from_secs(8);
    let scene = scene(Dialect { token_life, rotates_cookie, ..own() }).await;
    let mut seen = fast(&scene, &[]);
    until_true(&mut seen, &scene).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while scene.control.counters(V).unwrap().of("refresh") < 2 {
        assert!(tokio::time::Instant::now() < end);
        seen.for_a_while(Duration::from_millis(200)).await;
    }
    let counted = scene.control.counters(V).unwrap();
    assert_eq!((counted.of("login"), counted.of("agentsession")), (1, 1), "{rotates_cookie}");
}

#[tokio::test]
async fn an_account_without_the_chat_api_is_told_so_and_skills_stay() {
    let scene = scene(Dialect { retired: true, ..own() }).await;
    let mut seen = fast(&scene, &[]);
    seen.until("gaps", |seen| seen.report.gaps == ["agents", "conversations"]).await;
    seen.live().await;
    assert!(seen.report.error.as_deref().unwrap().contains("Messaging"), "{:?}", seen.report);
    assert_eq!(seen.rows.queues.len(), 3);
    let asked = || scene.control.counters(V).unwrap().of("agentsession");
    let before = asked();
    // Some twenty polls.
    seen.for_a_while(Duration::from_secs(3)).await;
    assert_eq!(asked(), before, "what is not offered is not asked for again and again");
}

#[tokio::test]
async fn a_list_of_nobody_is_one_that_we_may_not_see() {
    let scene = scene(Dialect { nobody_listed: true, ..own() }).await;
    let mut seen = fast(&scene, &[]);
    seen.live().await;
    seen.until("gap", |seen| seen.report.gaps == ["agents"]).await;
    assert!(seen.report.error.as_deref().unwrap().contains("Agent Manager"), "{:?}", seen.report);
    let queue = seen.rows.queues.values().next().unwrap();
    assert_eq!((queue.open, queue.capacity, queue.agents_online), (None, None, None), "unknown is not zero");
}

#[tokio::test]
async fn a_sign_in_that_the_vendor_cannot_do_is_not_hammered() {
    tokio::join!(
        failing_sign_in(500, r#"{"error":"LeLogin1 failed - invalid url received from app server"}"#),
        failing_sign_in(400, r#"{"error":{"message":"Bad request","internalCode":33}}"#),
        failing_sign_in(200, r#"{"error":"no"}"#),
    );
}

async fn failing_sign_in(status: u16, body: &str) {
    let scene = scene(own()).await;
    scene.control.fault(V, "login", Fault::status(status, body)).unwrap();
    let mut config = config::read(&settings(&scene, &[])).unwrap();
    config.again = &[3];
    let every = Duration::from_millis(150);
    let plans = config::plans(None, true).into_iter().map(|p| Plan { every, ..p }).collect();
    let mut seen = watch(Box::new(LivePerson { config, plans }), "fake-secret");
    let from = tokio::time::Instant::now();
    seen.until("retrying", |seen| seen.report.health == Health::Retrying).await;
    seen.for_a_while(Duration::from_millis(1000)).await;
    let logins = scene.control.counters(V).unwrap().of("login");
    assert!(logins <= 1 + from.elapsed().as_secs() / 3, "{status}: {logins} in {:?}", from.elapsed());
    assert!(!seen.report.error.clone().unwrap().contains("LeLogin1"), "no raw body");
    scene.control.heal(V).unwrap();
    until_true(&mut seen, &scene).await;
}

#[tokio::test]
async fn a_sign_in_that_is_slowed_down_waits_five_seconds() {
    let scene = scene(own()).await;
    scene.control.fault_times(V, "login", Fault::too_many(None), 1).unwrap();
    let mut seen = fast(&scene, &[]);
    seen.until("throttled", |seen| seen.report.health == Health::Throttled).await;
    let from = tokio::time::Instant::now();
    until_true(&mut seen, &scene).await;
    assert!(from.elapsed() > Duration::from_millis(4500), "{:?}", from.elapsed());
    assert_eq!(scene.control.counters(V).unwrap().of("login"), 2);
}

#[tokio::test]
async fn a_blocked_account_is_left_alone() {
    for (endpoint, most) in [("login", 1), ("queuestate", 1)] {
        let scene = scene(own()).await;
        scene.control.fault(V, endpoint, Fault::status(451, "")).unwrap();
        let mut seen = fast(&scene, &[]);
        seen.until("denied", |seen| seen.report.health == Health::Denied).await;
        seen.for_a_while(Duration::from_millis(500)).await;
        assert!(seen.report.error.as_deref().unwrap().contains("support"), "{:?}", seen.report);
        assert!(scene.control.counters(V).unwrap().of(endpoint) <= most, "{endpoint}");
    }
}

#[tokio::test]
async fn a_service_that_has_moved_to_another_host_is_found() {
    moved(|old| old.control.down(V).unwrap()).await;
}

/// The old host is still there, but nothing of ours is at it.
#[tokio::test]
async fn a_service_that_has_moved_and_answers_not_found_where_it_was_is_found() {
    for status in [404, 410] {
        moved(|old| old.control.fault(V, "*", Fault::status(status, "")).unwrap()).await;
    }
}

async fn moved(goes: impl Fn(&Scene)) {
    let (old, new) = (scene(own()).await, scene(own()).await);
    let hosts = [&old, &new].map(|scene| scene.running.address(V).unwrap().to_string());
    let place = Arc::new(AtomicUsize::new(0));
    let lookup = {
        let place = place.clone();
        serve(move |path| {
            let service = path.split('/').nth(5).unwrap_or_default().to_owned();
            let host = &hosts[place.load(Ordering::SeqCst)];
            let account = simulator::liveperson::ACCOUNT;
            (200, format!(r#"{{"service":"{service}","account":"{account}","baseURI":"{host}"}}"#))
        })
        .await
    };
    let mut settings = settings(&old, &[]);
    settings.url = Some(lookup.to_string());
    let mut config = config::read(&settings).unwrap();
    (config.list_every, config.again) = (Duration::ZERO, &[0]);
    // A machine that stalls may have had it looked up before.
    config.look_again = Duration::from_secs(1);
    let every = Duration::from_millis(150);
    let plans = config::plans(None, true).into_iter().map(|p| Plan { every, ..p }).collect();
    let mut seen = watch(Box::new(LivePerson { config, plans }), "fake-secret");
    until_true(&mut seen, &old).await;
    place.store(1, Ordering::SeqCst);
    goes(&old);
    until_counted_elsewhere(&mut seen, &new).await;
    until_true(&mut seen, &new).await;
}

async fn until_counted_elsewhere(seen: &mut Watched, scene: &Scene) {
    let end = tokio::time::Instant::now() + Duration::from_secs(120);
    while scene.control.counters(V).unwrap().of("availableagents") == 0 {
        assert!(tokio::time::Instant::now() < end, "{:?}", seen.report);
        seen.for_a_while(Duration::from_millis(100)).await;
    }
}
