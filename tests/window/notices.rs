//! A desktop whose notification service is missing or hangs: the window says so, and tells the alert itself.

use std::process::Stdio;
use std::time::Duration;

use acceptance::desk::{Services, programs, until};
use acceptance::floor::Floor;
use acceptance::webdriver::Window;
use model::Vendor;

use crate::sources::shot;

/// Lets somebody wait too long, and sees that the window tells it, and what is wrong with the desktop.
fn told_in_the_window(floor: &Floor, wrong: &str, picture: &str) {
    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");
    let (queue, name) = floor.queue(Vendor::Comm100);
    floor.control().customer_arrived(Vendor::Comm100, &queue, Duration::from_secs(180), None).unwrap();
    until("the alert strip tells the wait", Duration::from_secs(30), || {
        window.find_now("[data-testid='alert-strip']")
    });
    let said = window.says(&["1 queue late", wrong]);
    assert!(said.contains(&name), "{said}");
    window.photograph(&shot(&floor.desk, picture));
}

#[test]
fn without_a_notification_service_the_window_tells() {
    let Some(programs) = programs("without_a_notification_service_the_window_tells") else { return };
    let floor = Floor::open(programs, Services::None, &[Vendor::Comm100], true);
    told_in_the_window(&floor, "no notification service", "no-notifications.png");
}

#[test]
fn a_notification_service_that_hangs_is_not_waited_for() {
    let Some(programs) = programs("a_notification_service_that_hangs_is_not_waited_for") else { return };
    let floor = Floor::open(programs, Services::None, &[Vendor::Comm100], true);
    let mut mute = floor.desk.command("/usr/bin/python3");
    mute.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/window/mute_notifications.py")).stdout(Stdio::piped());
    let mut mute = floor.desk.start(&mut mute);
    assert_eq!(mute.first_line(), "ready");
    told_in_the_window(&floor, "did not answer", "mute-notifications.png");
}
