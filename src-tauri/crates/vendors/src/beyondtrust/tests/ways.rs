//! Ways in, and what an appliance may do that the simulated one does not.

use std::time::Duration;

use model::{Health, Id, Timestamp};

use simulator::beyondtrust::Dialect;

use super::{
    V, Watch, appliance, pace,
    peer::{Greets, Peer, Script},
    scene, watch, watch_at, watch_sharing, watch_with,
};
use crate::{beyondtrust::config::Pace, tokens::Tokens};

async fn open(script: Script, company: Option<&str>) -> (Peer, Watch) {
    let peer = Peer::start(script).await;
    let watch = watch_at(&peer.address, company);
    (peer, watch)
}
fn greeting(greets: Greets) -> Script {
    Script { greets, ..Script::default() }
}

#[tokio::test]
async fn d15_a_refused_dropped_or_mute_upgrade_leads_to_the_other_way() {
    for greets in [Greets::Refuses(400), Greets::Refuses(404), Greets::Drops, Greets::Mute] {
        let (peer, mut w) = open(greeting(greets), Some("acme")).await;
        w.live().await;
        assert_eq!(peer.upgrades(), [true, false], "{greets:?}");
        assert_eq!(peer.tokens(), 1, "no token per way");
    }
    // Without a company there is no other way.
    let (peer, mut w) = open(greeting(Greets::Refuses(404)), None).await;
    w.until("said so", |w| w.error().contains("`url`")).await;
    assert_eq!(w.report.health, Health::Retrying);
    assert!(peer.upgrades().iter().all(|offered| *offered));
}

#[tokio::test]
async fn d15_what_a_proxy_adds_to_the_connection_header_does_no_harm() {
    let (peer, mut w) = open(greeting(Greets::KeepAlive), None).await;
    w.live().await;
    assert_eq!(peer.upgrades(), [true]);
}

#[tokio::test]
async fn d15_a_way_that_worked_is_kept_through_a_bad_moment() {
    let (peer, mut w) = open(Script::default(), Some("acme")).await;
    w.live().await;
    peer.script(|s| s.greets = Greets::Drops);
    peer.say("{\"type\":\"truncate_model\"}");
    w.until("lost", |w| w.report.health == Health::Retrying).await;
    peer.script(|s| s.greets = Greets::Well);
    w.live().await;
    assert!(peer.upgrades().iter().all(|offered| *offered), "{:?}", peer.upgrades());
}

/// However small the number of tokens that an account may have: a lost connection costs none.
#[tokio::test]
async fn a_connection_that_is_lost_costs_no_token() {
    let mut s = scene(Dialect { token_cap: 1, ..Dialect::default() }).await;
    s.watch.live().await;
    for _ in 0..2 {
        s.control.cut(V).unwrap();
        s.watch.until("lost", |w| w.report.health == Health::Retrying).await;
        s.watch.live().await;
    }
    assert_eq!(s.control.counters(V).unwrap().of("token"), 1);
}

/// Thirty tokens of an account are good at a time, others' among them: two sources of it buy one.
#[tokio::test]
async fn two_sources_of_one_account_buy_one_token() {
    let running = appliance(Dialect { token_cap: 1, ..Dialect::default() }).await;
    let control = running.control();
    control.clock_skew(V, 420.0).unwrap();
    let (address, tokens) = (running.address(V).unwrap().to_string(), Tokens::default());
    let share = || watch_sharing(&address, Some("acme"), pace(), tokens.clone());
    let (mut one, mut two) = (share(), share());
    one.live().await;
    two.live().await;
    assert_eq!(control.counters(V).unwrap().of("token"), 1);
    for watch in [&one, &two] {
        // Both know the clock, though one of them has asked.
        assert!((watch.report.clock_skew_s.unwrap() - 420.0).abs() <= 15.0, "{:?}", watch.report);
    }
}

#[tokio::test]
async fn d16_the_choosers_no_is_said_in_words() {
    let (peer, mut w) = open(greeting(Greets::Chooser), None).await;
    w.until("denied", |w| w.report.health == Health::Denied).await;
    assert!(w.error().contains("`company`"), "{}", w.error());
    assert_eq!(peer.tokens(), 1);
}

#[tokio::test]
async fn d7_a_site_that_tells_nothing_is_believed_when_its_time_is_over() {
    for copy in [vec![], vec![r#"{"type":"update_model"}"#], vec![r#"{"type":"update_model","insert":{}}"#]] {
        let (_peer, mut w) = open(Script { copy, ..Script::default() }, None).await;
        w.live().await;
        assert!(w.queues.is_empty() && w.conversations.is_empty());
    }
}

/// Changes of a busy site do not put off the end of its copy.
#[tokio::test]
async fn d7_a_site_that_never_rests_is_live_soon() {
    let peer = Peer::start(Script::default()).await;
    let mut w = watch_with(&peer.address, None, Pace { patience: Duration::from_secs(600), ..pace() });
    let teller = tokio::spawn(async move {
        for n in 0.. {
            let at = 1_700_000_100 + n;
            peer.say(&format!(
                r#"{{"update":{{"support_session":{{"812":{{"estimated_pickup_timestamp":{at}}}}}}}}}"#
            ));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    // With a patience that no machine outlasts: it is not that which ends the copy.
    w.live().await;
    teller.abort();
}

#[tokio::test]
async fn p12_a_model_that_is_emptied_and_not_told_anew_keeps_the_old_rows_and_is_asked_for() {
    let (peer, mut w) = open(Script::default(), None).await;
    w.live().await;
    for name in ["truncate_model", "model_truncate", "truncate", "reset_model"] {
        peer.say(&format!("{{\"type\":\"{name}\"}}"));
        w.until("stale", |w| w.report.health == Health::Stale).await;
        assert_eq!(w.conversations.len(), 1, "{name}");
        assert!(w.report.retry_at.is_some(), "it is said by when it is asked for anew");
        w.until("asked anew", |w| w.report.health == Health::Retrying).await;
        assert_eq!(w.conversations.len(), 1, "{name}");
        w.live().await;
    }
    assert!(w.ended.is_empty());
    assert_eq!((peer.upgrades().len(), peer.tokens()), (5, 1));
}

#[tokio::test]
async fn a4_every_answer_of_the_token_endpoint_has_its_meaning() {
    let cases: [(u16, &'static str, Health, &str); 6] = [
        (
            200,
            r#"{"error":"invalid_client","message":"Client authentication failed."}"#,
            Health::Denied,
            "`client_id`",
        ),
        (401, r#"{"error":"invalid_client"}"#, Health::Denied, "`client_id`"),
        (400, r#"{"error":"unsupported_grant_type"}"#, Health::Denied, "`client_id`"),
        (500, "oops", Health::Retrying, "500"),
        (200, r#"{"access_token":"x" "expires_in":3600}"#, Health::Retrying, "without a token"),
        (404, "", Health::Retrying, "`url`"),
    ];
    for (status, body, health, part) in cases {
        let (_peer, mut w) = open(Script { tokens: vec![(status, body)], ..Script::default() }, None).await;
        w.until("an error", |w| w.report.error.is_some()).await;
        assert_eq!(w.report.health, health, "{status} {body}");
        assert!(w.error().contains(part), "{}", w.error());
    }
    for body in [
        r#"{"access_token":"x","expires_in":"3600"}"#,
        r#"{"Access_Token":"x"}"#,
        "\u{feff}{\"access_token\":\"x\",\"expires_in\":3600.0,\"scope\":null}",
    ] {
        let (_peer, mut w) = open(Script { tokens: vec![(200, body)], ..Script::default() }, None).await;
        w.live().await;
    }
}

/// Rows by the letter: the wait is the feed's own, and ids are text.
#[tokio::test]
async fn instants_are_as_the_feed_gives_them() {
    let (_peer, mut w) = open(Script::default(), None).await;
    w.live().await;
    let at = Timestamp::from_ms(1_700_000_000_000);
    let c = &w.conversations["s812"];
    assert_eq!((c.waiting_since, c.queue.as_ref().map(Id::as_str)), (Some(at), Some("team:2")));
    assert_eq!(w.queues["team:2"].waiting_since, Some(at));
}

/// A refusal right after success is first taken for a limit; one that stays is one.
#[tokio::test]
async fn l3_a_refusal_right_after_success_is_first_taken_for_a_limit() {
    let (peer, mut w) = open(Script::default(), None).await;
    w.live().await;
    peer.script(|s| s.greets = Greets::Refuses(403));
    peer.say("{\"type\":\"truncate_model\"}");
    w.until("throttled", |w| w.report.health == Health::Throttled).await;
    assert_eq!(w.conversations.len(), 1);
    w.until("denied", |w| w.report.health == Health::Denied).await;
    assert_eq!(peer.upgrades().len(), 3);
    let wait = w.report.retry_at.unwrap().seconds_since(link::Clock::now(&link::SystemClock));
    assert!((290.0..=300.0).contains(&wait), "{wait}");
}

/// A site that switches over to its backup refuses everybody for minutes: nobody is told to end an
/// integration for that, and its health is asked for once in thirty seconds at most.
#[tokio::test]
async fn d13_a_site_that_is_not_in_service_is_not_called_full() {
    for (health, part) in [(500, "not in service"), (200, "thirty integrations"), (404, "may be switching")] {
        let peer = Peer::start(Script { health, greets: Greets::Refuses(503), ..Script::default() }).await;
        let mut w = watch_at(&peer.address, None);
        w.until("three tries", |w| {
            assert!(w.report.error.is_none() || w.error().contains(part), "{health}: {}", w.error());
            peer.upgrades().len() >= 3 && w.report.error.is_some()
        })
        .await;
        assert_eq!(w.report.health, Health::Retrying, "{health}");
        assert!(peer.checks() < peer.upgrades().len(), "{} check-ups", peer.checks());
        peer.script(|s| s.greets = Greets::Well);
        w.live().await;
    }
    // Nor is our account blamed, once it was let in.
    let (peer, mut w) = open(Script { health: 500, ..Script::default() }, None).await;
    w.live().await;
    peer.script(|s| s.greets = Greets::Refuses(401));
    peer.say("{\"type\":\"truncate_model\"}");
    w.until("not in service", |w| w.error().contains("not in service")).await;
    assert!(!w.healths.contains(&Health::Denied), "{:?}", w.healths);
    let tokens = vec![(401, r#"{"error":"invalid_client"}"#)];
    let (peer, mut w) = open(Script { health: 500, tokens, ..Script::default() }, None).await;
    w.until("denied", |w| w.report.health == Health::Denied).await;
    assert_eq!(peer.checks(), 0, "a refusal at the very first is one");
}

/// Where no answer has a date, the messages' own time tells the clock; one that was long under way does not.
#[tokio::test]
async fn p19_messages_tell_the_clock_where_no_answer_does() {
    let (peer, mut w) = open(Script::default(), None).await;
    w.live().await;
    assert_eq!(w.report.clock_skew_s, None);
    let now = || link::Clock::now(&link::SystemClock).as_ms() / 1000;
    let said = |ahead: i64, name: &str| {
        format!(
            r#"{{"type":"update_model","timestamp":{},"update":{{"support_session":{{"812":{{"customer_name":"{name}"}}}}}}}}"#,
            now() + ahead
        )
    };
    for (ahead, name, skew) in [(-4, "Cy", 0.0), (300, "Di", 300.0)] {
        peer.say(&said(ahead, name));
        w.until("told", |w| w.conversations["s812"].customer.as_deref() == Some(name)).await;
        let learnt = w.report.clock_skew_s.unwrap();
        assert!((learnt - skew).abs() <= 15.0, "{ahead}: {learnt}");
    }
}

#[tokio::test]
async fn p19_a_wrong_clock_there_gives_right_waits_here() {
    let running = appliance(Dialect::default()).await;
    running.control().clock_skew(V, 420.0).unwrap();
    let id = running.control().customer_arrived(V, "Billing", Duration::from_secs(60), None).unwrap();
    let mut w = watch(&running, None);
    w.live().await;
    let skew = w.report.clock_skew_s.unwrap();
    assert!((skew - 420.0).abs() <= 2.0, "{skew}");
    let since = w.conversations[&id].waiting_since.unwrap();
    let now = link::Clock::now(&link::SystemClock).plus_seconds(skew);
    assert!((58.0..70.0).contains(&now.seconds_since(since)));
}
