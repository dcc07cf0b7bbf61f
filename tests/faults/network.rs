//! Group N: lines that break, freeze, crawl and lie. TLS stands in `tls.rs`, namespaces in `spaces.rs`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use model::Vendor;
use simulator::{Fault, Relay, Weather};

use crate::{
    cases,
    stand::{PATIENCE, Stand, Watch, frame, listen, long, secs},
};

const PUSH: [Vendor; 2] = [Vendor::Beyondtrust, Vendor::Pingstreams];
const POLLED: [Vendor; 3] = [Vendor::Comm100, Vendor::Giosg, Vendor::Liveperson];

pub fn trials() -> Vec<Trial> {
    cases![
        n1_half_open_push_shows,
        n1_half_open_polled_shows_once_its_deadline_is_over,
        n2_one_way_loss_is_found_and_heals_without_double_subscriptions,
        n3_a_reset_in_the_middle_of_a_frame_applies_nothing,
        n4_every_close_code_is_followed_by_a_new_connection,
        n4_an_end_without_a_word_is_followed_by_a_new_connection,
        n5_a_handshake_of_one_byte_a_second_is_left_and_touches_nobody_else,
        n5_a_body_that_trickles_is_left_and_the_rest_stays_live,
        n6_a_slow_line_in_slivers_is_no_lost_line,
        n6_a_round_trip_of_three_seconds_is_no_lost_line,
        n7_a_fifth_of_all_connections_reset_stays_polite_and_converges,
        n13_a_captive_portal_is_no_data_for_any_vendor,
        n13_a_redirect_to_a_portal_is_not_followed,
        n14_an_upgrade_that_is_none_backs_off,
        n15_a_network_that_is_gone_keeps_the_floor_and_returns_once,
        n16_a_flapping_line_is_tried_politely,
        n18_a_server_that_never_answers_is_not_live_and_named,
        n20_a_held_server_that_floods_afterwards_loses_nothing,
    ]
}

/// A stand with people waiting everywhere and the program live on it.
async fn live(vendors: &[Vendor]) -> (Stand, Watch) {
    let stand = Stand::quiet(vendors).await.with("poll = \"2s\"");
    for vendor in vendors {
        stand.arrivals(*vendor, 2);
    }
    let mut watch = stand.watch();
    for vendor in vendors {
        watch.converges(&stand, *vendor, PATIENCE).await;
    }
    (stand, watch)
}

fn silent() -> Weather {
    Weather { holds_up: true, holds_down: true, ..Weather::default() }
}

async fn n1_half_open_push_shows() {
    let (stand, mut watch) = live(&PUSH).await;
    // BeyondTrust's silence counts once a ping was answered: after five seconds of it.
    tokio::time::sleep(secs(6)).await;
    for vendor in PUSH {
        stand.relay(vendor).weather(silent());
    }
    for vendor in PUSH {
        watch.lost(vendor).await;
        stand.relay(vendor).weather(Weather::default());
        stand.relay(vendor).finish();
        stand.arrivals(vendor, 1);
    }
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn n1_half_open_polled_shows_once_its_deadline_is_over() {
    let (stand, mut watch) = live(&POLLED).await;
    for vendor in POLLED {
        stand.relay(vendor).weather(silent());
    }
    for vendor in POLLED {
        watch.lost(vendor).await;
    }
    for vendor in POLLED {
        stand.relay(vendor).weather(Weather::default());
        stand.relay(vendor).finish();
        stand.arrivals(vendor, 1);
    }
    for vendor in POLLED {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn n2_one_way_loss_is_found_and_heals_without_double_subscriptions() {
    let (stand, mut watch) = live(&PUSH).await;
    tokio::time::sleep(secs(6)).await;
    // Ours arrives and nothing returns; then the other way round.
    stand.relay(Vendor::Pingstreams).weather(Weather { holds_down: true, ..Weather::default() });
    stand.relay(Vendor::Beyondtrust).weather(Weather { holds_up: true, ..Weather::default() });
    for vendor in PUSH {
        watch.lost(vendor).await;
    }
    for vendor in PUSH {
        stand.relay(vendor).weather(Weather::default());
        stand.arrivals(vendor, 1);
    }
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
        let now = stand.relay(vendor).connections().0;
        // One for the live connection; the others are kept by the HTTP client for a while.
        assert!(now <= 1 + 4, "{vendor:?} holds {now} connections");
    }
    watch.nothing_ended();
    watch.end();
}

async fn n3_a_reset_in_the_middle_of_a_frame_applies_nothing() {
    let (stand, mut watch) = live(&[Vendor::Beyondtrust, Vendor::Pingstreams, Vendor::Giosg]).await;
    // A frame that would remove everything, were its first half believed.
    let line = "{\"type\":\"truncate_model\",\"table\":\"support_session\"}\n".repeat(4);
    let half = |opcode: u8, text: &str| frame(opcode, text.as_bytes())[..text.len() / 2].to_vec();
    stand.relay(Vendor::Beyondtrust).inject(&half(0x82, &line));
    stand
        .relay(Vendor::Pingstreams)
        .inject(&half(0x81, &"{\"action\":\"publish\",\"payload\":{}}".repeat(9)));
    for vendor in PUSH {
        stand.relay(vendor).reset();
        watch.lost(vendor).await;
    }
    stand.control().fault_times(Vendor::Giosg, "*", Fault::CutBody, 2).unwrap();
    watch
        .until(PATIENCE, "the cut answers", |_| {
            stand.control().counters(Vendor::Giosg).unwrap().of("rooms") >= 3
        })
        .await;
    for vendor in [Vendor::Beyondtrust, Vendor::Pingstreams, Vendor::Giosg] {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

/// One close code on a source of its own, several sources at once.
async fn n4_every_close_code_is_followed_by_a_new_connection() {
    const CODES: [u16; 8] = [1000, 1001, 1008, 1011, 1012, 1013, 4000, 4401];
    let stand = Stand::quiet(&PUSH).await;
    let (mut relays, mut text) = (Vec::new(), String::new());
    for code in CODES {
        let vendor = PUSH[usize::from(code % 2)];
        let to = stand.centre.address(vendor).unwrap();
        let relay = Relay::open(to).await.unwrap();
        let id = format!("code-{code}");
        let source = stand.centre.source_toml(vendor, &id);
        text += &source.replace(&to.to_string(), &relay.address().to_string());
        relays.push((id, code, relay));
    }
    stand.configure(&text);
    let mut watch = stand.watch();
    for (id, ..) in &relays {
        watch.health(id, &["live"]).await;
    }
    let since = watch.seen.len();
    for (_, code, relay) in &relays {
        relay.inject(&frame(0x88, &code.to_be_bytes()));
    }
    for (id, ..) in &relays {
        let source = watch.said(id, since, &["retrying", "throttled"]).await;
        assert!(source["retry_at"].is_string() && source["last_error"].is_string(), "{source:#}");
    }
    for (id, ..) in &relays {
        watch.health(id, &["live"]).await;
        assert!(watch.rows("agents", id).len() >= 5, "{id}: the floor is whole again");
    }
    watch.nothing_ended();
    watch.end();
}

async fn n4_an_end_without_a_word_is_followed_by_a_new_connection() {
    let (stand, mut watch) = live(&PUSH).await;
    let since = watch.seen.len();
    for vendor in PUSH {
        stand.relay(vendor).finish();
    }
    for vendor in PUSH {
        watch.was_lost(vendor, since).await;
    }
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn n5_a_handshake_of_one_byte_a_second_is_left_and_touches_nobody_else() {
    let stand = Stand::quiet(&[Vendor::Beyondtrust, Vendor::Pingstreams, Vendor::Giosg]).await;
    for vendor in PUSH {
        stand.relay(vendor).weather(Weather { bytes_per_second: Some(1), ..Weather::default() });
    }
    let mut watch = stand.watch_in_vain();
    watch.health("giosg", &["live"]).await;
    let since = watch.seen.len();
    for vendor in PUSH {
        let error = watch.refused(vendor.as_str(), "10 s").await;
        assert!(error.contains("127.0.0.1"), "{error}");
        assert_eq!(watch.source(vendor.as_str())["health"], "retrying");
    }
    watch.untouched(Vendor::Giosg, since);
    watch.end();
}

async fn n5_a_body_that_trickles_is_left_and_the_rest_stays_live() {
    let (stand, mut watch) = live(&[Vendor::Giosg, Vendor::Liveperson]).await;
    stand.control().fault(Vendor::Giosg, "rooms", Fault::Drip(secs(1))).unwrap();
    watch
        .until(PATIENCE, "a gap", |w| {
            w.source("giosg")["gaps"] == serde_json::json!(["rooms"]) || w.source("giosg")["health"] != "live"
        })
        .await;
    assert!(watch.source("giosg")["last_error"].is_string());
    watch.untouched(Vendor::Liveperson, 0);
    stand.control().heal(Vendor::Giosg).unwrap();
    stand.arrivals(Vendor::Giosg, 1);
    watch.converges(&stand, Vendor::Giosg, PATIENCE).await;
    watch.end();
}

async fn n6_a_slow_line_in_slivers_is_no_lost_line() {
    let stand = Stand::quiet(&Vendor::ALL).await.with("poll = \"2s\"");
    for vendor in Vendor::ALL {
        stand.arrivals(vendor, 1);
        stand.relay(vendor).weather(Weather {
            delay: Duration::from_millis(900),
            jitter: Duration::from_millis(300),
            slice: Some(200),
            ..Weather::default()
        });
    }
    let mut watch = stand.watch();
    for vendor in Vendor::ALL {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lines = watch.seen.len();
    // Long enough for several heartbeats.
    tokio::time::sleep(if long() { secs(120) } else { secs(9) }).await;
    for vendor in Vendor::ALL {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lost = watch.seen[lines..].iter().find(|l| l["type"] == "health" && l["source"]["health"] != "live");
    assert!(lost.is_none(), "a slow line was taken for a lost one: {lost:#?}");
    watch.nothing_ended();
    watch.end();
}

async fn n6_a_round_trip_of_three_seconds_is_no_lost_line() {
    let stand = Stand::quiet(&PUSH).await;
    for vendor in PUSH {
        stand.relay(vendor).weather(Weather {
            delay: Duration::from_millis(1500),
            jitter: Duration::from_millis(400),
            slice: Some(200),
            ..Weather::default()
        });
    }
    let mut watch = stand.watch();
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lines = watch.seen.len();
    tokio::time::sleep(if long() { secs(600) } else { secs(16) }).await;
    for vendor in PUSH {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lost = watch.seen[lines..].iter().find(|l| l["type"] == "health" && l["source"]["health"] != "live");
    assert!(lost.is_none(), "a slow line was taken for a lost one: {lost:#?}");
    watch.end();
}

async fn n7_a_fifth_of_all_connections_reset_stays_polite_and_converges() {
    let stand = Stand::quiet(&Vendor::ALL).await.with("poll = \"2s\"");
    for vendor in Vendor::ALL {
        stand.relay(vendor).weather(Weather { resets_one_in: Some(5), ..Weather::default() });
        stand.arrivals(vendor, 2);
    }
    let mut watch = stand.watch();
    watch.first().await;
    let (rounds, started) = (if long() { 120 } else { 3 }, Instant::now());
    for _ in 0..rounds {
        tokio::time::sleep(secs(5)).await;
        // So that push vendors meet the weather again.
        PUSH.iter().for_each(|v| stand.relay(*v).reset());
    }
    for vendor in Vendor::ALL {
        let (_, ever) = stand.relay(vendor).connections();
        let allowed = 40 + 4 * started.elapsed().as_secs();
        assert!(ever <= allowed, "{vendor:?}: {ever} connections, {allowed} allowed");
        stand.relay(vendor).weather(Weather::default());
        stand.arrivals(vendor, 1);
    }
    for vendor in Vendor::ALL {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended_but_for_gaps();
    watch.end();
}

async fn n13_a_captive_portal_is_no_data_for_any_vendor() {
    let (stand, mut watch) = live(&Vendor::ALL).await;
    let before: Vec<usize> = Vendor::ALL.iter().map(|v| watch.rows("agents", v.as_str()).len()).collect();
    for vendor in Vendor::ALL {
        stand.control().fault(vendor, "*", Fault::Html).unwrap();
        stand.relay(vendor).reset();
    }
    // The slowest last: whoever is healed late has longer pauses.
    for vendor in [PUSH[0], PUSH[1], POLLED[2], POLLED[1], POLLED[0]] {
        let source = watch.lost(vendor).await;
        let error = source["last_error"].as_str().unwrap();
        assert!(!error.contains("FreeWiFi") && !error.contains('<'), "{error}");
        stand.control().heal(vendor).unwrap();
    }
    for (vendor, agents) in Vendor::ALL.iter().zip(before) {
        assert_eq!(watch.rows("agents", vendor.as_str()).len(), agents, "the floor stays readable");
        watch.converges(&stand, *vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn n13_a_redirect_to_a_portal_is_not_followed() {
    let stand = Stand::quiet(&Vendor::ALL).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let portal = listen({
        let seen = seen.clone();
        move |_| {
            seen.fetch_add(1, SeqCst);
            async {}
        }
    })
    .await;
    let headers = vec![("location".to_owned(), format!("http://{portal}/sign-in"))];
    for vendor in Vendor::ALL {
        let fault = Fault::Status { code: 302, headers: headers.clone(), body: String::new() };
        stand.control().fault(vendor, "*", fault).unwrap();
    }
    let mut watch = stand.watch_in_vain();
    for vendor in Vendor::ALL {
        watch.refused(vendor.as_str(), "").await;
    }
    watch.end();
    assert_eq!(seen.load(SeqCst), 0, "somebody followed it");
}

async fn n14_an_upgrade_that_is_none_backs_off() {
    let stand = Stand::quiet(&PUSH).await;
    stand.control().fault(Vendor::Pingstreams, "ws", Fault::Body("{}".to_owned())).unwrap();
    stand.control().fault(Vendor::Beyondtrust, "nw", Fault::Body("{}".to_owned())).unwrap();
    let started = Instant::now();
    let mut watch = stand.watch_with(&["--timeout", "6s"]);
    watch.first().await;
    for vendor in PUSH {
        watch.refused(vendor.as_str(), "").await;
        let name = if vendor == Vendor::Pingstreams { "ws" } else { "nw" };
        let (tries, passed) = (stand.control().counters(vendor).unwrap().of(name), started.elapsed());
        assert!((1..=34 + passed.as_secs()).contains(&tries), "{vendor:?}: {tries} upgrades in {passed:?}");
        stand.control().heal(vendor).unwrap();
    }
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.end();
}

async fn n15_a_network_that_is_gone_keeps_the_floor_and_returns_once() {
    let (stand, mut watch) = live(&Vendor::ALL).await;
    let rows: Vec<usize> = ["queues", "agents", "conversations"]
        .iter()
        .map(|kind| watch.floor[*kind].as_array().unwrap().len())
        .collect();
    for vendor in Vendor::ALL {
        stand.relay(vendor).weather(Weather { turns_away: true, ..Weather::default() });
        stand.relay(vendor).reset();
    }
    for vendor in Vendor::ALL {
        watch.lost(vendor).await;
    }
    tokio::time::sleep(if long() { secs(600) } else { secs(3) }).await;
    watch
        .until(PATIENCE, "everything that was known", |w| {
            ["queues", "agents", "conversations"]
                .iter()
                .zip(&rows)
                .all(|(kind, n)| w.floor[*kind].as_array().unwrap().len() == *n)
        })
        .await;
    for vendor in Vendor::ALL {
        stand.relay(vendor).weather(Weather::default());
    }
    for vendor in Vendor::ALL {
        watch.converges(&stand, vendor, PATIENCE).await;
        assert_eq!(watch.times(vendor.as_str(), "live"), 1, "{vendor:?} came back more than once");
    }
    watch.nothing_ended();
    watch.end();
}

async fn n16_a_flapping_line_is_tried_politely() {
    let stand = Stand::quiet(&Vendor::ALL).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in Vendor::ALL {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let before: Vec<u64> = Vendor::ALL.iter().map(|v| stand.relay(*v).connections().1).collect();
    let (flaps, started) = (if long() { 300 } else { 6 }, Instant::now());
    for n in 0..flaps {
        for vendor in Vendor::ALL {
            stand.relay(vendor).weather(Weather { turns_away: n % 2 == 0, ..Weather::default() });
            stand.relay(vendor).reset();
        }
        tokio::time::sleep(secs(2)).await;
    }
    for (vendor, before) in Vendor::ALL.iter().zip(before) {
        let tries = stand.relay(*vendor).connections().1 - before;
        let allowed = 30 + 3 * started.elapsed().as_secs();
        assert!(tries <= allowed, "{vendor:?}: {tries} connections, {allowed} allowed");
        stand.relay(*vendor).weather(Weather::default());
    }
    for vendor in Vendor::ALL {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended_but_for_gaps();
    watch.end();
}

async fn n18_a_server_that_never_answers_is_not_live_and_named() {
    let stand = Stand::quiet(&Vendor::ALL).await;
    for vendor in Vendor::ALL {
        stand.relay(vendor).weather(silent());
    }
    let started = Instant::now();
    let mut watch = stand.watch_in_vain();
    for vendor in Vendor::ALL {
        let error = watch.refused(vendor.as_str(), "10 s").await;
        assert!(error.contains("127.0.0.1"), "{error}");
        assert_eq!(watch.source(vendor.as_str())["health"], "retrying");
    }
    for kind in ["queues", "agents", "conversations"] {
        assert!(watch.floor[kind].as_array().unwrap().is_empty(), "nothing is known of {kind}");
    }
    let passed = started.elapsed().as_secs();
    for vendor in Vendor::ALL {
        let (_, ever) = stand.relay(vendor).connections();
        assert!(ever <= 2 + passed / 4, "{vendor:?}: {ever} connections in {passed} s");
    }
    watch.end();
}

async fn n20_a_held_server_that_floods_afterwards_loses_nothing() {
    let (stand, mut watch) = live(&PUSH).await;
    let held = Instant::now();
    for vendor in PUSH {
        stand.relay(vendor).weather(Weather { holds_down: true, ..Weather::default() });
        stand.arrivals(vendor, if long() { 3000 } else { 300 });
    }
    // Less than what would make it a lost line.
    tokio::time::sleep(Duration::from_millis(1500).saturating_sub(held.elapsed())).await;
    let lines = watch.seen.len();
    for vendor in PUSH {
        stand.relay(vendor).weather(Weather::default());
    }
    let held = held.elapsed();
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lost = watch.seen[lines..].iter().find(|l| l["type"] == "health" && l["source"]["health"] != "live");
    // A machine that stopped us for longer has made it no short pause.
    let short = held < Duration::from_millis(2500);
    assert!(!short || lost.is_none(), "a pause of {held:?} was taken for a lost line: {lost:#?}");
    watch.nothing_ended();
    watch.end();
}
