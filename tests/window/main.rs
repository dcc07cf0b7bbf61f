//! The real window on a virtual display, with the tray, the keychain and the notifications of a desktop.
//!
//! `cargo verify` runs these; plain `cargo test` leaves them out. Their pictures stand in
//! `target/verify/window`.
#![allow(clippy::unwrap_used)]

mod notices;
mod restart;
mod sources;
mod tray;
