//! `cargo gen`: the page's types from the Rust types, and whether they still agree.

use std::fs;

use crate::run::{Done, cargo, output, root};

/// Writes the file, or with `check` only compares.
pub fn generate(check: bool) -> Done {
    let text = output(cargo().args([
        "run",
        "--quiet",
        "--locked",
        "-p",
        "app",
        "--features",
        "ts",
        "--example",
        "gen_ts",
    ]))?;
    let path = root().join("ui/src/lib/host/gen.ts");
    let before = fs::read_to_string(&path).unwrap_or_default();
    if before == text {
        return Ok(());
    }
    if check {
        let line = before.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
        return Err(format!(
            "ui/src/lib/host/gen.ts and the Rust types disagree from line {line} on; run `cargo gen` and commit it"
        ));
    }
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
}
