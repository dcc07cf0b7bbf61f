use std::time::Duration;

use model::Vendor;
use serde_json::Value;
use simulator::Options;

use crate::support::{Desk, Watching};

fn health(source: &'static str, wanted: impl Fn(&str) -> bool) -> impl Fn(&Value) -> bool {
    move |line| {
        line["type"] == "health"
            && line["source"]["id"] == source
            && line["source"]["health"].as_str().is_some_and(&wanted)
    }
}

/// Killing a vendor shows within the contract's time, touches nobody else, and heals by itself.
async fn lost_and_found(vendor: Vendor, id: &'static str, other: &'static str, limit: Duration) {
    let desk = Desk::open(Options::default()).await;
    let control = desk.centre.control();
    control.pause();
    let mut watching = Watching::start(desk.floorctl(&["watch", "--json", "--for", "100s"]));
    watching.until(Duration::from_secs(30), "the first document", |l| l["type"] == "snapshot").await;
    control.down(vendor).unwrap();
    let (line, _) = watching.until(limit, "the loss", health(id, |h| h != "live")).await;
    assert!(line["source"]["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{line:#}");
    control.up(vendor).unwrap();
    watching.until(Duration::from_secs(40), "live again", health(id, |h| h == "live")).await;
    assert!(!watching.seen.iter().any(health(other, |_| true)), "the other source was touched");
    // A loss takes no row away and ends no conversation.
    let removed = watching.seen.iter().any(|l| l["removes"].as_object().is_some_and(|r| !r.is_empty()));
    assert!(!removed, "{:#?}", watching.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_push_source_shows_within_ten_seconds_and_comes_back() {
    lost_and_found(Vendor::Pingstreams, "pingstreams", "comm100", Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_polled_source_shows_within_an_interval_and_comes_back() {
    lost_and_found(Vendor::Comm100, "comm100", "pingstreams", Duration::from_secs(18)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_socket_shows_within_ten_seconds() {
    let desk = Desk::open(Options::quiet(&[Vendor::Pingstreams])).await;
    let mut watching = Watching::start(desk.floorctl(&["watch", "--json", "--for", "60s"]));
    watching.until(Duration::from_secs(30), "the first document", |l| l["type"] == "snapshot").await;
    desk.centre.control().silence(Vendor::Pingstreams, simulator::Half::Both).unwrap();
    watching.until(Duration::from_secs(10), "the loss", health("pingstreams", |h| h != "live")).await;
}
