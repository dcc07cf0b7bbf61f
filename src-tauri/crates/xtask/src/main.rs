//! Repository chores. `cargo xtask` lists them.

mod icons;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The project's root, two folders above the crates.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Path::to_path_buf).unwrap_or_default()
}

fn main() -> ExitCode {
    let chore = std::env::args().nth(1);
    let done = match chore.as_deref() {
        Some("icons") => icons::write(&root().join("icons")).map_err(|e| e.to_string()),
        _ => Err("chores: icons".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
