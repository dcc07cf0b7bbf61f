//! System packages, on Debian and its kin. What is missing is installed, saying so; where that may not be,
//! the exact command is printed.

use std::fs;
use std::process::{Command, Stdio};

use crate::run::{Done, run, there};

/// To compile the window.
pub const BUILD: &[&str] = &["pkg-config", "libwebkit2gtk-4.1-dev", "libayatana-appindicator3-dev"];

/// To run it where there is no display.
pub const HEADLESS: &[&str] = &[
    "xvfb",
    "dbus",
    "dunst",
    "libayatana-appindicator3-1",
    // People have names in every script, and some have a rocket in them.
    "fonts-dejavu-core",
    "fonts-droid-fallback",
    "fonts-noto-color-emoji",
];

/// To test it with its real neighbours.
pub const TEST: &[&str] =
    &["webkit2gtk-driver", "gnome-keyring", "libsecret-tools", "python3", "python3-dbus", "python3-gi"];

/// To test the page in a browser.
pub const BROWSER: &[&str] = &["chromium", "fonts-dejavu-core"];

/// Installs what is missing of these.
pub fn need(packages: &[&str]) -> Done {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !there("dpkg-query") || !there("apt-get") {
        // Another Linux: names differ, and the compiler will tell what it lacks.
        eprintln!("This is no Debian: see that the like of these is installed: {}", packages.join(" "));
        return Ok(());
    }
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    let Some(before) = privileged() else {
        return Err(format!(
            "system packages are missing, and installing them needs root. Run this, then try again:\n\n  sudo {by_hand}\n"
        ));
    };
    println!("Installing system packages: {}", missing.join(" "));
    let apt = |words: &[&str]| {
        let mut command = Command::new(before.first().copied().unwrap_or("apt-get"));
        command.args(before.iter().skip(1)).args((!before.is_empty()).then_some("apt-get"));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        run(&mut command)
    };
    let install: Vec<&str> = ["-q", "install", "-y", "--no-install-recommends"]
        .into_iter()
        .chain(missing.iter().copied())
        .collect();
    apt(&["-qq", "update"])
        .and_then(|()| apt(&install))
        .map_err(|e| format!("{e}; the packages can be installed by hand:\n\n  {by_hand}\n"))
}

/// The words before `apt-get`; `None` when we may not.
fn privileged() -> Option<Vec<&'static str>> {
    let root = fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|l| l.starts_with("Uid:") && l.split_whitespace().nth(2) == Some("0"))
    });
    if root {
        return Some(Vec::new());
    }
    let sudo = Command::new("sudo").args(["-n", "true"]).stderr(Stdio::null()).status();
    sudo.is_ok_and(|s| s.success()).then(|| vec!["sudo", "-n", "DEBIAN_FRONTEND=noninteractive"])
}

fn missing<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    packages.iter().copied().filter(|name| !installed(name)).collect()
}

fn installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}\n", package])
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|out| String::from_utf8_lossy(&out.stdout).lines().any(|line| line == "installed"))
}
