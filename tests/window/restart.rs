//! The app is killed in the middle of its work: what was seen is still there, and says how old it is.

use std::time::Duration;

use acceptance::desk::{Services, programs, until};
use acceptance::floor::Floor;
use acceptance::webdriver::Window;
use model::Vendor;

use crate::sources::shot;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn after_a_kill_the_last_floor_is_shown_with_its_age() {
    let Some(programs) = programs("after_a_kill_the_last_floor_is_shown_with_its_age") else { return };
    let mut floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let (queue, name) = floor.queue(Vendor::Comm100);
    floor.control().customer_arrived(Vendor::Comm100, &queue, Duration::from_secs(30), Some("Ada")).unwrap();

    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");
    until("the floor is live", PATIENCE, || window.find_now("[data-testid='queue-row'][data-need='normal']"));
    window.says(&["LIVE", &name]);
    // The record's half second.
    std::thread::sleep(Duration::from_secs(1));
    window.kill_app();
    floor.close();

    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");
    until("the last floor is shown", PATIENCE, || window.find_now("[data-testid='queue-row']"));
    let said = window.says(&["OFFLINE", &name]);
    assert!(!said.contains("LIVE\n"), "what is old does not look live: {said}");
    until("its rows are marked as old", PATIENCE, || {
        window.find_now("[data-testid='queue-row'][data-need='stale']")
    });
    window.photograph(&shot(&floor.desk, "offline-after-kill.png"));
}

#[test]
fn a_lost_vendor_makes_its_rows_old_and_comes_back() {
    let Some(programs) = programs("a_lost_vendor_makes_its_rows_old_and_comes_back") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Pingstreams], true);
    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");
    until("the floor is live", PATIENCE, || window.find_now("[data-testid='queue-row'][data-need='normal']"));
    floor.control().down(Vendor::Pingstreams).unwrap();
    until("its rows are marked as old", PATIENCE, || {
        window.find_now("[data-testid='queue-row'][data-need='stale']")
    });
    window.says(&["OFFLINE"]);
    floor.control().up(Vendor::Pingstreams).unwrap();
    until("the floor is live again", Duration::from_secs(60), || {
        window.find_now("[data-testid='queue-row'][data-need='normal']")
    });
}
