use model::Vendor;
use serde_json::Value;
use simulator::Options;

use crate::support::Desk;

fn health(source: &'static str, wanted: impl Fn(&str) -> bool) -> impl Fn(&Value) -> bool {
    move |line| {
        line["type"] == "health"
            && line["source"]["id"] == source
            && line["source"]["health"].as_str().is_some_and(&wanted)
    }
}

/// Killing a vendor shows, touches nobody else, and heals by itself. In what time it shows is held by the
/// tests of a line's signs of life in `link`, where no other program takes some of it.
async fn lost_and_found(vendor: Vendor, id: &'static str, other: &'static str) {
    let desk = Desk::open(Options::default()).await;
    let control = desk.centre.control();
    control.pause();
    let mut watching = desk.watch(&[]);
    watching.first().await;
    control.down(vendor).unwrap();
    let line = watching.until("the loss", health(id, |h| h != "live")).await;
    assert!(line["source"]["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{line:#}");
    control.up(vendor).unwrap();
    watching.until("live again", health(id, |h| h == "live")).await;
    assert!(!watching.seen.iter().any(health(other, |_| true)), "the other source was touched");
    // A loss takes no row away and ends no conversation.
    let removed = watching.seen.iter().any(|l| l["removes"].as_object().is_some_and(|r| !r.is_empty()));
    assert!(!removed, "{:#?}", watching.seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_push_source_shows_and_comes_back() {
    lost_and_found(Vendor::Pingstreams, "pingstreams", "comm100").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_polled_source_shows_and_comes_back() {
    lost_and_found(Vendor::Comm100, "comm100", "pingstreams").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_socket_shows() {
    let desk = Desk::open(Options::quiet(&[Vendor::Pingstreams])).await;
    let mut watching = desk.watch(&[]);
    watching.first().await;
    desk.centre.control().silence(Vendor::Pingstreams, simulator::Half::Both).unwrap();
    watching.until("the loss", health("pingstreams", |h| h != "live")).await;
}
