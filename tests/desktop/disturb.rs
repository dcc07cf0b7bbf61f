//! Do-not-disturb of a real notification service (dunst), asked with the app's own question.

use std::time::Duration;

use acceptance::desk::{Desk, Services, programs, text, until};

#[allow(dead_code, unreachable_pub)]
#[path = "../../src-tauri/src/desk/linux.rs"]
mod question;

/// Whatever else the machine does meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the test below finds the bus: the question is asked of the bus that the surroundings name.
const INSIDE: &str = "FLOORWALKER_DISTURB";

fn dunstctl(desk: &Desk, words: &[&str]) -> String {
    text(&desk.run(desk.command("dunstctl").args(words), ""))
}

/// Whether the service has the property at all: older ones do not.
fn reveals(desk: &Desk) -> bool {
    let mut ask = desk.command("dbus-send");
    ask.args(["--session", "--print-reply", "--dest=org.freedesktop.Notifications"]);
    ask.args(["/org/freedesktop/Notifications", "org.freedesktop.DBus.Properties.Get"]);
    ask.args(["string:org.dunstproject.cmd0", "string:paused"]);
    text(&desk.run(&mut ask, "")).contains("boolean")
}

/// Asks as the app does, in a process of its own that lives on this desktop.
fn is_inhibited(desk: &Desk) -> bool {
    let mut ask = desk.command(std::env::current_exe().unwrap());
    ask.args(["--exact", "disturb::the_question", "--nocapture"]).env(INSIDE, "1");
    text(&desk.run(&mut ask, "")).contains("inhibited: true")
}

/// Only what the test below starts does anything here.
#[test]
fn the_question() {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        println!("inhibited: {}", runtime.block_on(question::notices_inhibited()));
    }
}

#[test]
fn a_paused_service_tells_that_it_is_not_to_be_disturbed() {
    let Some(programs) = programs("a_paused_service_tells_that_it_is_not_to_be_disturbed") else { return };
    let desk = Desk::set_up(programs, Services::Installed);
    let _dunst = desk.start(&mut desk.command("dunst"));
    until("the service answers", PATIENCE, || (dunstctl(&desk, &["is-paused"]) == "false").then_some(()));
    assert!(!is_inhibited(&desk));
    dunstctl(&desk, &["set-paused", "true"]);
    if !reveals(&desk) {
        println!("skipped: this notification service does not reveal that it is paused");
        return;
    }
    until("it is not to be disturbed", PATIENCE, || is_inhibited(&desk).then_some(()));
    dunstctl(&desk, &["set-paused", "false"]);
    until("it may be disturbed again", PATIENCE, || (!is_inhibited(&desk)).then_some(()));
}
