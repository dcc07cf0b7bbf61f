//! `cargo demo`: the app on a simulated contact centre, from a fresh clone with nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::display::{self, Virtual};
use crate::packages;
use crate::page;
use crate::run::{Background, Done, cargo, command, run, run_into, target_dir};
use crate::simulated::Simulated;

/// How long a demo without a display lasts: long enough for somebody to wait too long.
const HEADLESS_SECONDS: u64 = 150;

/// `cargo demo [--for 60s] [--headless]`.
pub fn demo(words: &[String]) -> Done {
    let (mut seconds, mut headless) = (None, !display::there_is_one());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--for" => {
                seconds = Some(
                    words.next().and_then(|w| span(w)).ok_or("`--for` needs a time, as in `--for 60s`")?,
                )
            }
            "--headless" => headless = true,
            other => return Err(format!("`cargo demo` knows --for TIME and --headless, not `{other}`")),
        }
    }
    packages::need(packages::BUILD)?;
    if headless {
        packages::need(packages::HEADLESS)?;
    }
    page::build()?;
    println!("Building Floorwalker (the first time takes some minutes)");
    let target = build_both()?;
    let folder = target.join("demo");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let bin = target.join("debug");
    println!("Starting a simulated contact centre");
    let mut centre = Simulated::start(&bin.join("floorctl"), &folder)?;
    if headless {
        without_display(&mut centre, &bin, &folder, seconds.unwrap_or(HEADLESS_SECONDS))
    } else {
        on_display(&centre, &bin, &folder, seconds)
    }
}

/// One cargo run for both programs, so that they share every dependency's features, and so its build.
pub fn build_both() -> Done<PathBuf> {
    run(&mut both())?;
    target_dir()
}

/// The same, its output in a file.
pub fn build_both_into(log: &Path) -> Done {
    run_into(&mut both(), log)
}

fn both() -> Command {
    let mut build = cargo();
    build.args(["build", "--locked", "-p", "floorwalker", "-p", "cli"]);
    build
}

fn on_display(centre: &Simulated, bin: &Path, folder: &Path, seconds: Option<u64>) -> Done {
    println!("Opening the window. Close it, or press Ctrl-C here, to end the demo.");
    let mut app = on_centre(command(bin.join("floorwalker")), centre, folder, "app");
    app.arg("--demo-mark");
    match seconds {
        None => run(&mut app),
        Some(seconds) => {
            let mut app = Background::start(&mut app)?;
            std::thread::sleep(Duration::from_secs(seconds));
            app.must_live()?;
            app.end();
            Ok(())
        }
    }
}

fn without_display(centre: &mut Simulated, bin: &Path, folder: &Path, seconds: u64) -> Done {
    println!("There is no display: the window opens on a virtual one, the floor is shown here.");
    let display = Virtual::start(&folder.join("display"))?;
    // A session bus of its own: the notification service that is installed starts on it by itself.
    let mut session = command("dbus-run-session");
    session.arg("--").arg(bin.join("floorwalker"));
    let mut app = on_centre(session, centre, folder, "app");
    app.arg("--demo-mark").env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY");
    app.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log(&folder.join("window.log"))?);
    let mut app = Background::start(&mut app)?;
    let mut watch = on_centre(command(bin.join("floorctl")), centre, folder, "watch");
    watch.args(["watch", "--for", &format!("{seconds}s")]);
    let watched = run(&mut watch);
    let picture = folder.join("window.png");
    app.must_live().map_err(|e| format!("{e}; see {}", folder.join("window.log").display()))?;
    display.photograph(&picture)?;
    app.end();
    centre.must_live()?;
    println!("A screenshot of the window: {}", picture.display());
    watched
}

/// Adds what a face needs to look at the simulated centre.
fn on_centre(mut face: Command, centre: &Simulated, folder: &Path, data: &str) -> Command {
    face.arg("--config").arg(&centre.config).arg("--data").arg(folder.join(data));
    for name in &centre.secrets {
        face.env(name, "any-value-will-do");
    }
    face
}

fn log(path: &Path) -> Done<fs::File> {
    fs::File::create(path).map_err(|e| format!("{}: {e}", path.display()))
}

/// `90`, `90s` or `2m` in seconds.
fn span(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(minutes) => minutes.parse::<u64>().ok()?.checked_mul(60),
        None => text.strip_suffix('s').unwrap_or(text).parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn reads_times() {
        assert_eq!((span("90"), span("90s"), span("2m")), (Some(90), Some(90), Some(120)));
        assert_eq!((span(""), span("soon"), span("-1s")), (None, None, None));
    }
}
