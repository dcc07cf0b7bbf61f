//! The tray, seen and used from the other side of the bus.

use std::process::{Command, Stdio};
use std::time::Duration;

use acceptance::desk::{Desk, Running, Services, programs, text, until};
use acceptance::floor::Floor;
use model::Vendor;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// The part of a panel that takes tray icons in.
struct TrayHost<'a> {
    desk: &'a Desk,
    _host: Running,
    icons: std::path::PathBuf,
}

fn script(desk: &Desk) -> Command {
    let mut python = desk.command("/usr/bin/python3");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/window/tray_host.py"));
    python
}

impl<'a> TrayHost<'a> {
    fn start(desk: &'a Desk) -> Self {
        let icons = desk.path("icons.jsonl");
        let out = std::fs::File::create(&icons).unwrap();
        let host = desk.start(script(desk).arg("serve").stdout(Stdio::from(out)));
        until("the tray host stands", PATIENCE, || {
            std::fs::read_to_string(&icons).ok()?.contains("ready").then_some(())
        });
        Self { desk, _host: host, icons }
    }

    /// The icon that came: who sent it, and its path.
    fn icon(&self) -> (String, String) {
        until("the app puts its icon into the tray", PATIENCE, || {
            let lines = std::fs::read_to_string(&self.icons).ok()?;
            let icon: Value = lines
                .lines()
                .filter_map(|l| serde_json::from_str(l).ok())
                .find(|v: &Value| v["sender"].is_string())?;
            Some((icon["sender"].as_str()?.to_owned(), icon["path"].as_str()?.to_owned()))
        })
    }

    fn look(&self, (sender, path): &(String, String)) -> Value {
        let out = self.desk.run(script(self.desk).args(["look", sender, path]), "");
        serde_json::from_str(&text(&out))
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
    }

    fn click(&self, (sender, path): &(String, String), label: &str) {
        let out = self.desk.run(script(self.desk).args(["click", sender, path, label]), "");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
}

fn labels(look: &Value) -> Vec<&str> {
    look["menu"].as_array().unwrap().iter().map(|e| e["label"].as_str().unwrap()).collect()
}

#[test]
fn the_tray_tells_the_floor_and_ends_the_app() {
    let Some(programs) = programs("the_tray_tells_the_floor_and_ends_the_app") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let (queue, _) = floor.queue(Vendor::Comm100);
    let host = TrayHost::start(&floor.desk);
    let mut app = floor.desk.start(&mut floor.app());
    let icon = host.icon();

    let calm = until("the tray says how the floor is", PATIENCE, || {
        let look = host.look(&icon);
        (!labels(&look)[0].starts_with("Starting")).then_some(look)
    });
    assert_eq!(
        labels(&calm)[1..],
        ["Open Floorwalker", "Snooze all alerts for 10 minutes", "Quit"],
        "{calm}"
    );
    assert_eq!(calm["menu"][0]["enabled"], false, "the sentence is for reading");

    floor.control().customer_arrived(Vendor::Comm100, &queue, Duration::from_secs(180), None).unwrap();
    until("the tray says that somebody waits too long", PATIENCE, || {
        let look = host.look(&icon);
        (look["menu"][0]["label"] != calm["menu"][0]["label"] && look["icon"] != calm["icon"]).then_some(look)
    });

    host.click(&icon, "Quit");
    until("the app ends", PATIENCE, || (!app.lives()).then_some(()));
}

/// Our windows that can be seen.
fn seen(desk: &Desk) -> Vec<String> {
    let out =
        desk.run(desk.command("xdotool").args(["search", "--onlyvisible", "--name", "^Floorwalker$"]), "");
    text(&out).lines().map(str::to_owned).collect()
}

/// Closes the window as a person does, through the window manager.
fn close(desk: &Desk) {
    let window = until("the window is seen", PATIENCE, || seen(desk).first().cloned());
    let done =
        desk.run(desk.command("xdotool").args(["windowactivate", "--sync", &window, "key", "alt+F4"]), "");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn closing_the_window_leaves_the_app_in_the_tray() {
    let Some(programs) = programs("closing_the_window_leaves_the_app_in_the_tray") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let _manager = floor.desk.start(&mut floor.desk.command("openbox"));
    let host = TrayHost::start(&floor.desk);
    let mut app = floor.desk.start(&mut floor.app());
    let icon = host.icon();
    close(&floor.desk);
    until("the window hides", PATIENCE, || seen(&floor.desk).is_empty().then_some(()));
    assert!(app.lives(), "the app lives on in the tray");
    host.click(&icon, "Open Floorwalker");
    until("the window is back", PATIENCE, || (!seen(&floor.desk).is_empty()).then_some(()));
    host.click(&icon, "Quit");
    until("the app ends", PATIENCE, || (!app.lives()).then_some(()));
}

#[test]
fn closing_the_window_ends_the_app_where_nobody_shows_a_tray() {
    let Some(programs) = programs("closing_the_window_ends_the_app_where_nobody_shows_a_tray") else {
        return;
    };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let _manager = floor.desk.start(&mut floor.desk.command("openbox"));
    let mut app = floor.desk.start(&mut floor.app());
    close(&floor.desk);
    until("the app ends", PATIENCE, || (!app.lives()).then_some(()));
}

#[test]
fn a_second_start_brings_the_first_window_to_the_front() {
    let Some(programs) = programs("a_second_start_brings_the_first_window_to_the_front") else { return };
    let floor = Floor::open(programs, Services::Installed, &[Vendor::Comm100], true);
    let _manager = floor.desk.start(&mut floor.desk.command("openbox"));
    let host = TrayHost::start(&floor.desk);
    let mut app = floor.desk.start(&mut floor.app());
    host.icon();
    close(&floor.desk);
    until("the window hides", PATIENCE, || seen(&floor.desk).is_empty().then_some(()));
    let second = floor.desk.run(&mut floor.app(), "");
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    until("the first window is back", PATIENCE, || (seen(&floor.desk).len() == 1).then_some(()));
    assert!(app.lives());
}
