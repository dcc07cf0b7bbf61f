//! Repository chores. `cargo xtask` lists them; the frequent ones have aliases in `.cargo/config.toml`.

mod browser;
mod demo;
mod display;
mod generate;
mod icons;
mod ladder;
mod packages;
mod page;
mod run;
mod simulated;
mod tauri;
mod tidy;
mod verify;

use std::process::ExitCode;

const USAGE: &str = "\
cargo demo [--for TIME] [--headless]  the app on a simulated contact centre
cargo verify [STEP …]                 everything CI runs
cargo dev [WORD …]                    the app with hot reload
cargo bundle                          packages for this system
cargo gen [--check]                   the page's types from the Rust types
cargo ladder [ROW …]                  measurements against the machine's limits
cargo xtask icons                     draws the icons anew
cargo xtask tidy                      house rules that no compiler checks";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rest = words.get(1..).unwrap_or_default();
    let done = match words.first().map(String::as_str) {
        Some("demo") => demo::demo(rest),
        Some("verify") => verify::verify(rest),
        Some("dev") => tauri::dev(rest),
        Some("bundle") => tauri::bundle(rest),
        Some("gen") => generate::generate(rest.iter().any(|w| w == "--check")),
        Some("ladder") => ladder::ladder(rest),
        Some("icons") => icons::write(&run::root().join("icons")).map_err(|e| format!("icons: {e}")),
        Some("tidy") => tidy::tidy(),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}
