//! Row f1 of the ladder: from the program's start until the rows of the last floor are painted, against a
//! bare window of the same web view that paints one word. Both sides in turn, on a display that nobody sees.
//!
//! Started with `bare` it is that bare window.
#![allow(clippy::unwrap_used)]

#[cfg(target_os = "linux")]
mod bare;
#[cfg(target_os = "linux")]
mod cold;
#[cfg(target_os = "linux")]
mod rows;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    #[cfg(target_os = "linux")]
    match words.first().map(String::as_str) {
        Some("bare") => bare::open(),
        _ if words.is_empty() || words.iter().any(|word| word == "f1") => cold::measure(),
        _ => {}
    }
    #[cfg(not(target_os = "linux"))]
    let _ = words;
}
