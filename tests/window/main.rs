//! The real window on a virtual display, with the tray, the keychain and the notifications of a desktop.
//!
//! `cargo verify` runs these; plain `cargo test` leaves them out and says so.

mod tray;
