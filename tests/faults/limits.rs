//! Group L: vendors that tell us to slow down, in all their ways.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use model::{Timestamp, Vendor};
use serde_json::Value;
use simulator::{Fault, Options, beyondtrust};

use crate::{
    cases,
    stand::{PATIENCE, Stand, Watch, long, secs},
};

const POLLED: [Vendor; 3] = [Vendor::Comm100, Vendor::Giosg, Vendor::Liveperson];

pub fn trials() -> Vec<Trial> {
    cases![
        l1_l7_too_many_requests_are_followed_by_pauses_for_every_polled_vendor,
        l2_retry_after_in_every_form_is_kept_and_clamped,
        l3_too_many_for_one_part_leaves_the_rest_live,
        l4_a_full_server_is_said_in_words_and_not_hammered,
        l5_a_limit_told_in_the_body_only_is_recognised,
        l6_a_quota_that_others_use_up_makes_us_slower,
    ]
}

fn requests(stand: &Stand, vendor: Vendor) -> u64 {
    stand.control().counters(vendor).unwrap().requests.values().sum()
}

/// Seconds until the next try.
fn pause(source: &Value) -> f64 {
    let at: Timestamp = source["retry_at"].as_str().expect("a next try").parse().expect("an instant");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    (at.as_ms() as f64 - now.as_millis() as f64) / 1000.0
}

async fn l1_l7_too_many_requests_are_followed_by_pauses_for_every_polled_vendor() {
    let stand = Stand::quiet(&POLLED).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in POLLED {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    // Comm100: none; giosg: the day's quota is used up, for hours; LivePerson: none.
    let words = [None, Some("36000"), None];
    for (vendor, after) in POLLED.iter().zip(words) {
        stand.control().fault(*vendor, "*", Fault::too_many(after)).unwrap();
    }
    for (vendor, after) in POLLED.iter().zip(words) {
        let source = watch.health(vendor.as_str(), &["throttled"]).await;
        let span = if after.is_some() { 600.0..901.0 } else { -60.0..301.0 };
        assert!(span.contains(&pause(&source)), "{source:#}");
    }
    let (before, started) = (POLLED.map(|v| requests(&stand, v)), Instant::now());
    tokio::time::sleep(if long() { secs(300) } else { secs(4) }).await;
    for (vendor, before) in POLLED.iter().zip(before) {
        let more = requests(&stand, *vendor) - before;
        let allowed = if long() { 60 } else { 2 + started.elapsed().as_secs() };
        assert!(more <= allowed, "{vendor:?}: {more} requests in the pause");
    }
    watch.nothing_ended();
    watch.end();
}

async fn l2_retry_after_in_every_form_is_kept_and_clamped() {
    let now = std::time::SystemTime::now();
    let date = |offset: i64| {
        let at = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64 + offset;
        http_date(at)
    };
    // What it says, and between which seconds the next try lies, less what has passed when we look.
    let began = Instant::now();
    let forms: Vec<(String, f64, f64)> = vec![
        ("120".to_owned(), 119.0, 121.0),
        (date(300), 298.0, 301.0),
        (date(-300), 0.0, 61.0),
        ("1000000000".to_owned(), 899.0, 901.0),
        ("soon".to_owned(), 0.0, 301.0),
    ];
    let mut stands = Vec::new();
    for (says, from, to) in forms {
        let stand = Stand::quiet(&[Vendor::Giosg]).await.with("poll = \"2s\"");
        let watch = stand.watch();
        stands.push((stand, watch, says, from, to));
    }
    for (stand, watch, says, ..) in &mut stands {
        watch.converges(stand, Vendor::Giosg, PATIENCE).await;
        let fault = Fault::too_many(Some(says));
        // A past date asks for no pause at all: it must be seen all the same.
        stand.control().fault(Vendor::Giosg, "*", fault).unwrap();
    }
    for (stand, mut watch, says, from, to) in stands {
        let source = watch.health("giosg", &["throttled"]).await;
        let (pause, passed) = (pause(&source), began.elapsed().as_secs_f64());
        assert!((from - passed..=to).contains(&pause), "`{says}` makes a pause of {pause} s");
        drop(stand);
        watch.end();
    }
}

/// The form of HTTP, from whole seconds.
fn http_date(at: i64) -> String {
    let text = Timestamp::from_ms(at * 1000).to_string();
    let (day, time) = (&text[..10], &text[11..19]);
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [day[5..7].parse::<usize>().unwrap() - 1];
    let week =
        ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][at.div_euclid(86_400).rem_euclid(7) as usize];
    format!("{week}, {} {month} {} {time} GMT", &day[8..10], &day[..4])
}

async fn l3_too_many_for_one_part_leaves_the_rest_live() {
    let stand = Stand::quiet(&[Vendor::Giosg]).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    let parts = [(Vendor::Giosg, "users")];
    for (vendor, _) in parts {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    for (vendor, part) in parts {
        stand.control().fault(vendor, part, Fault::too_many(Some("2"))).unwrap();
    }
    for (vendor, part) in parts {
        watch
            .until(PATIENCE, "a gap in a live source", |w| {
                let source = w.source(vendor.as_str());
                source["health"] == "live" && source["gaps"].as_array().unwrap().iter().any(|g| g == part)
            })
            .await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn l4_a_full_server_is_said_in_words_and_not_hammered() {
    for over_limit in
        [beyondtrust::OverLimit::Close, beyondtrust::OverLimit::Error, beyondtrust::OverLimit::Unavailable]
    {
        let mut options = Options::quiet(&[Vendor::Beyondtrust]);
        options.beyondtrust = beyondtrust::Dialect { most: 0, over_limit, ..beyondtrust::Dialect::default() };
        let stand = Stand::open(options).await;
        let (code, document) = stand.snapshot(&["--timeout", "6s"]).await;
        assert_eq!(code, 3);
        let source = &document["sources"][0];
        assert!(source["health"] != "live" && source["last_error"].is_string(), "{source:#}");
        let tries = stand.control().counters(Vendor::Beyondtrust).unwrap().of("nw");
        assert!((1..=20).contains(&tries), "{over_limit:?}: {tries} connections in six seconds");
    }
}

async fn l5_a_limit_told_in_the_body_only_is_recognised() {
    let stand = Stand::quiet(&[Vendor::Giosg, Vendor::Comm100]).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in [Vendor::Giosg, Vendor::Comm100] {
        watch.converges(&stand, vendor, PATIENCE).await;
        let body = "{\"message\":\"Rate limit exceeded, slow down\",\"detail\":\"Request was throttled.\"}";
        stand.control().fault(vendor, "*", Fault::status(403, body)).unwrap();
    }
    for vendor in [Vendor::Giosg, Vendor::Comm100] {
        watch.health(vendor.as_str(), &["throttled"]).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn l6_a_quota_that_others_use_up_makes_us_slower() {
    let stand = Stand::quiet(&[Vendor::Giosg]).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    watch.converges(&stand, Vendor::Giosg, PATIENCE).await;
    let before = four_rounds(&stand, &mut watch).await;
    // One word is enough: we did nothing wrong, and yield all the same.
    stand.control().fault_times(Vendor::Giosg, "*", Fault::too_many(Some("2")), 1).unwrap();
    let source = watch.health("giosg", &["throttled"]).await;
    assert!(source["last_error"].is_string(), "{source:#}");
    watch.health("giosg", &["live"]).await;
    let after = four_rounds(&stand, &mut watch).await;
    assert!(after > before, "four rounds took {before:?}, then {after:?}");
    watch.end();
}

/// How long it takes until the rooms were asked for four times more.
async fn four_rounds(stand: &Stand, watch: &mut Watch) -> Duration {
    let asked = || stand.control().counters(Vendor::Giosg).unwrap().of("rooms");
    // From the beginning of one.
    let start = asked();
    watch.until(PATIENCE, "a round", |_| asked() > start).await;
    let (start, started) = (asked(), Instant::now());
    watch.until(PATIENCE, "four rounds", |_| asked() >= start + 4).await;
    started.elapsed()
}
