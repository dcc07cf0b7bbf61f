//! Tells Tauri where its parts stand: the configuration at the root, the capabilities beside the shell.

use std::path::Path;
use std::process::exit;

use tauri_build::{AppManifest, Attributes, try_build};

fn main() {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    // The page is embedded at compile time. A fresh clone has none yet: an empty folder lets the shell
    // compile (for clippy), and the window then says that the page is missing.
    let dist = Path::new("ui/dist");
    if !dist.is_dir()
        && let Err(error) = std::fs::create_dir_all(dist)
    {
        println!("cargo:warning=cannot make ui/dist: {error}");
    }
    let attributes = Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*"));
    if let Err(error) = try_build(attributes) {
        eprintln!("{error:#}");
        exit(1);
    }
}
