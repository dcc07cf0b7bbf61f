//! A real notification service (dunst) that shows what the app says.

use std::time::Duration;

use acceptance::desk::{Desk, Services, programs, text, until};
use acceptance::floor::Floor;
use model::Vendor;
use serde_json::Value;

/// How long a notice may take from the wait's beginning to the service's own list.
const PATIENCE: Duration = Duration::from_secs(30);

fn dunstctl(desk: &Desk, words: &[&str]) -> String {
    text(&desk.run(desk.command("dunstctl").args(words), ""))
}

/// Notifications that stand in the service's history, as title and body. It lists what it has closed.
fn told(desk: &Desk) -> Vec<(String, String)> {
    dunstctl(desk, &["close-all"]);
    let history: Value = serde_json::from_str(&dunstctl(desk, &["history"])).unwrap_or_default();
    let ours =
        history["data"][0].as_array().into_iter().flatten().filter(|n| n["appname"]["data"] == "Floorwalker");
    let field = |n: &Value, name: &str| n[name]["data"].as_str().unwrap_or_default().to_owned();
    ours.map(|n| (field(n, "summary"), field(n, "body"))).collect()
}

#[test]
fn a_long_wait_reaches_the_desktop() {
    let Some(programs) = programs("a_long_wait_reaches_the_desktop") else { return };
    let mut floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let (queue, name) = floor.queue(Vendor::Comm100);
    let _dunst = floor.desk.start(&mut floor.desk.command("dunst"));
    let app = floor.desk.start(&mut floor.app());

    // Three minutes are over both limits of the rule.
    let arrived = floor.control().customer_arrived(
        Vendor::Comm100,
        &queue,
        Duration::from_secs(180),
        Some("<b>Ada</b>"),
    );
    arrived.expect("a customer comes");
    let shown = until("the notification service shows a notice", PATIENCE, || {
        let count: u32 = dunstctl(&floor.desk, &["count", "displayed"]).parse().unwrap_or(0);
        (count > 0).then_some(count)
    });
    assert_eq!(shown, 1, "one wait, one notice");
    let told = told(&floor.desk);
    assert_eq!(told.len(), 1, "{told:?}");
    let (title, body) = &told[0];
    assert!(format!("{title} {body}").contains(&name), "it names the queue: {title} / {body}");

    assert_eq!(app.end(), Some(0), "the app ends when it is asked to");
    floor.close();
}
