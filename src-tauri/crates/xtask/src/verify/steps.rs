//! The steps in their order: what needs no build, what needs no system package, what needs a desktop.

use std::process::Command;

use super::Verify;
use crate::run::{Done, cargo, npm, target_dir, there};
use crate::{browser, demo, packages};

type Step = (&'static str, &'static str, fn(&mut Verify) -> Done);

/// All of them.
pub const ALL: &[Step] = &[
    ("fmt", "Rust is formatted", fmt),
    ("tidy", "house rules", tidy),
    ("clippy", "clippy on everything below the window", clippy),
    ("tests", "tests of everything below the window", tests),
    ("gen", "the page's types agree with the Rust types", gen_types),
    ("page", "the page: packages, types, tests, build", page),
    ("bridge", "the page in a browser through the bridge", bridge),
    ("shell", "the window: clippy, tests, build", shell),
    ("desktop", "notifications and keychain on a real session bus", desktop),
    ("window", "the real window on a virtual display", window),
];

/// Warnings are errors here; written into the command, so that the environment does not rebuild the world.
const DENY: &[&str] = &["--", "-D", "warnings"];

fn fmt(v: &mut Verify) -> Done {
    v.run(cargo().args(["fmt", "--all", "--check"]))
}

fn tidy(v: &mut Verify) -> Done {
    v.run(Command::new(std::env::current_exe().map_err(|e| e.to_string())?).arg("tidy"))
}

fn clippy(v: &mut Verify) -> Done {
    v.run(cargo().args(["clippy", "--locked", "--all-targets"]).args(DENY))
}

fn tests(v: &mut Verify) -> Done {
    v.run_homeless(cargo().args(["test", "--locked", "--no-fail-fast", "--", "--show-output"]))?;
    v.home_is_empty()
}

fn gen_types(v: &mut Verify) -> Done {
    v.run(Command::new(std::env::current_exe().map_err(|e| e.to_string())?).args(["gen", "--check"]))
}

fn page(v: &mut Verify) -> Done {
    if !there("npm") {
        return Err("npm is not found; install node 20.19 or newer".to_owned());
    }
    v.run(&mut npm(&["ci", "--no-progress"]))?;
    v.run(&mut npm(&["run", "check"]))?;
    v.run(&mut npm(&["run", "test"]))?;
    v.run(&mut npm(&["run", "build"]))
}

fn bridge(v: &mut Verify) -> Done {
    packages::need(packages::BROWSER)?;
    v.run(cargo().args(["build", "--locked", "-p", "cli"]))?;
    let log = v.log.clone();
    browser::bridge(&log)?;
    browser::storm(&log)
}

fn shell(v: &mut Verify) -> Done {
    packages::need(packages::BUILD)?;
    v.run(cargo().args(["clippy", "--locked", "-p", "floorwalker", "--all-targets"]).args(DENY))?;
    v.run(cargo().args(["test", "--locked", "-p", "floorwalker", "-p", "cli", "--lib"]))?;
    demo::build_both_into(&v.log)
}

fn desktop(v: &mut Verify) -> Done {
    real_parts(v, "desktop")
}

fn window(v: &mut Verify) -> Done {
    real_parts(v, "window")
}

/// Tests that need a desktop. They are told by a variable that this is one; plain `cargo test` leaves them out.
fn real_parts(v: &mut Verify, name: &str) -> Done {
    if !cfg!(target_os = "linux") {
        v.skip(format!("{name}: its neighbours are played on Linux only"));
        return Ok(());
    }
    packages::need(packages::HEADLESS)?;
    packages::need(packages::TEST)?;
    let mut tests = cargo();
    tests.args([
        "test",
        "--locked",
        "-p",
        "acceptance",
        "--test",
        name,
        "--",
        "--test-threads=1",
        "--show-output",
    ]);
    v.run_homeless(tests.env("FLOORWALKER_DESKTOP", target_dir()?.join("debug")))?;
    v.home_is_empty()
}
