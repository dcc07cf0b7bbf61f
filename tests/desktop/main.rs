//! The program and its real neighbours on a desktop: a notification service, a keychain.
//!
//! Each test sets up a session bus and a display of its own. `cargo verify` runs them; plain `cargo test`
//! leaves them out.
#![allow(clippy::unwrap_used)]

#[cfg(target_os = "linux")]
mod disturb;
mod keychain;
mod notification;
