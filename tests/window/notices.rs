//! A desktop where nobody shows notifications and no tray stands: the window says so and tells the alert.

use std::time::Duration;

use acceptance::desk::{Services, programs, until};
use acceptance::floor::Floor;
use acceptance::webdriver::Window;
use model::Vendor;

use crate::sources::shot;

#[test]
fn without_a_notification_service_the_window_tells() {
    let Some(programs) = programs("without_a_notification_service_the_window_tells") else { return };
    let floor = Floor::open(programs, Services::None, &[Vendor::Comm100], true);
    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");
    let (queue, name) = floor.queue(Vendor::Comm100);
    floor.control().customer_arrived(Vendor::Comm100, &queue, Duration::from_secs(180), None).unwrap();
    until("the alert strip tells the wait", Duration::from_secs(30), || {
        window.find_now("[data-testid='alert-strip']")
    });
    let said = window.says(&["1 queue late", "no notification service"]);
    assert!(said.contains(&name), "{said}");
    window.photograph(&shot(&floor.desk, "no-notifications.png"));
}
