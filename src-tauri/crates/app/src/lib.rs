//! The runtime: the one loop, named tasks, subscriptions, settings, and the function surface that the
//! window, the bridge and `floorctl` share.

pub mod api;
pub mod keychain;
pub mod ports;
pub mod settings;
