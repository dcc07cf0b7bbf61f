//! The page: installed and built only when something changed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::run::{Done, npm, root, run, there};

/// Installs what the page needs, when the lock file is newer than what is installed.
pub fn install() -> Done {
    if !there("npm") && !there("npm.cmd") {
        return Err("npm is not found; install node 20.19 or newer".to_owned());
    }
    let ui = root().join("ui");
    if changed(&ui.join("node_modules/.package-lock.json")) < changed(&ui.join("package-lock.json")) {
        println!("Installing the page's packages");
        run(npm(&["ci", "--silent"]).arg("--no-progress"))?;
    }
    Ok(())
}

/// Builds the page, when any of its sources is newer than the last build.
pub fn build() -> Done {
    install()?;
    let ui = root().join("ui");
    let newest = ["src", "index.html", "public", "package-lock.json", "vite.config.ts"]
        .iter()
        .map(|name| newest(&ui.join(name)))
        .max()
        .flatten();
    if changed(&ui.join("dist/index.html")) < newest {
        println!("Building the page");
        run(npm(&["run", "--silent", "build"]).stdout(std::process::Stdio::null()))?;
    }
    Ok(())
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

fn newest(path: &Path) -> Option<SystemTime> {
    let inside = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| newest(&entry.path()));
    inside.max().flatten().max(changed(path))
}
