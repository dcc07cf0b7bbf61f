//! `cargo dev` and `cargo bundle`: the Tauri command line, called from the root.

use std::path::PathBuf;

use crate::packages;
use crate::page;
use crate::run::{Done, command, root, run, target_dir};

/// Where the page's dev server listens; `--config` carries it so that a plain `cargo run` embeds the page.
const DEV: &str = r#"{"build":{"devUrl":"http://127.0.0.1:5187"}}"#;

fn tauri() -> PathBuf {
    let name = if cfg!(windows) { "tauri.cmd" } else { "tauri" };
    root().join("ui/node_modules/.bin").join(name)
}

/// The app with hot reload; further words go to the app.
pub fn dev(words: &[String]) -> Done {
    packages::need(packages::BUILD)?;
    page::install()?;
    let mut dev = command(tauri());
    dev.args(["dev", "--config", DEV]);
    if !words.is_empty() {
        dev.arg("--").arg("--").args(words);
    }
    run(&mut dev)
}

/// Packages for this system; on Linux .deb and .rpm.
pub fn bundle(words: &[String]) -> Done {
    packages::need(packages::BUILD)?;
    page::install()?;
    let mut build = command(tauri());
    build.arg("build").args(words);
    if cfg!(target_os = "linux") && !words.iter().any(|w| w.starts_with("--bundles")) {
        build.args(["--bundles", "deb,rpm"]);
    }
    run(&mut build)?;
    println!("The packages stand in {}", target_dir()?.join("release/bundle").display());
    Ok(())
}
