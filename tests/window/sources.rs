//! A supervisor's first minutes: add a source through the form, see a queue turn late.

use std::path::PathBuf;
use std::time::Duration;

use acceptance::desk::{Desk, Services, programs, text, until};
use acceptance::floor::{Floor, SECRET};
use acceptance::webdriver::Window;
use model::Vendor;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where pictures for people go: beside the built programs.
pub fn shot(desk: &Desk, name: &str) -> PathBuf {
    let folder = desk.programs().parent().map(|target| target.join("verify/window")).unwrap_or_default();
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// The vendor's own keys as the contact centre wants them: key and value.
fn settings(toml: &str) -> Vec<(String, String)> {
    let known = ["id", "name", "vendor", "secret_env"];
    let pairs = toml.lines().filter_map(|line| line.split_once(" = "));
    pairs
        .map(|(key, value)| (key.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .filter(|(key, _)| !known.contains(&key.as_str()))
        .collect()
}

#[test]
fn a_source_is_added_through_the_form_and_its_queue_turns_late() {
    let Some(programs) = programs("a_source_is_added_through_the_form_and_its_queue_turns_late") else {
        return;
    };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], false);
    let _keychain = floor.unlock_keychain();
    floor.control().require_secret(Vendor::Comm100, Some(SECRET)).unwrap();
    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("html[data-ready='1']");

    window.click("[data-testid='door-add']");
    window.click("[data-testid='vendor-comm100']");
    window.fill("[data-testid='field-name']", "Shop");
    let toml = floor.centre().source_toml(Vendor::Comm100, "shop");
    for (key, value) in settings(&toml) {
        window.fill(&format!("[data-testid='field-{key}']"), &value);
    }

    // First a wrong secret: the trial says what is wrong, and nothing is kept.
    window.fill("[data-testid='field-secret']", "fake-wrong-secret");
    window.click("[data-testid='source-test']");
    window.find("[data-testid='test-report'][data-health='denied']");
    window.photograph(&shot(&floor.desk, "test-refused.png"));
    window.fill("[data-testid='field-secret']", SECRET);
    window.click("[data-testid='source-test']");
    window.find("[data-testid='test-report'][data-health='live']");
    window.photograph(&shot(&floor.desk, "test-good.png"));
    window.click("[data-testid='source-save']");
    window.find("[data-testid='source-row'][data-key='shop'][data-health='live']");

    // The secret is in the keychain, and nowhere else.
    let mut look = floor.desk.command("secret-tool");
    let kept = floor.desk.run(look.args(["lookup", "service", "floorwalker", "username", "shop"]), "");
    assert_eq!(text(&kept), SECRET);
    let config = std::fs::read_to_string(&floor.config).unwrap();
    assert!(config.contains("id = \"shop\"") && !config.contains(SECRET), "{config}");
    assert!(!window.script("return document.documentElement.outerHTML").to_string().contains(SECRET));

    // Three minutes of waiting are over every limit.
    let (queue, name) = floor.queue(Vendor::Comm100);
    window.click("[data-testid='nav-floor']");
    window.find("[data-testid='queue-row'][data-need='normal']");
    floor.control().customer_arrived(Vendor::Comm100, &queue, Duration::from_secs(180), Some("Ada")).unwrap();
    until("the queue turns late", PATIENCE, || {
        window.find_now("[data-testid='queue-row'][data-need='critical']")
    });
    window.find("[data-testid='alert-strip']");
    let said = window.says(&["1 queue late", "limit 2:00", "LIVE"]);
    assert!(said.contains(&name), "the late queue is named: {said}");
    window.photograph(&shot(&floor.desk, "floor-late.png"));
}

#[test]
fn a_configuration_that_cannot_be_read_is_said_in_the_window() {
    let Some(programs) = programs("a_configuration_that_cannot_be_read_is_said_in_the_window") else {
        return;
    };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let config = std::fs::read_to_string(&floor.config).unwrap();
    std::fs::write(&floor.config, config.replace("site_id", "sight_id")).unwrap();
    let window = Window::open(&floor.desk, &mut floor.app());
    window.find("[data-testid='config-error']");
    window.says(&["sight_id", "floorwalker.toml"]);
    window.photograph(&shot(&floor.desk, "config-error.png"));
}
