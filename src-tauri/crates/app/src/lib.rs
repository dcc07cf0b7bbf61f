//! The runtime: the one loop, named tasks, subscriptions, settings, and the function surface that the
//! window, the bridge and `floorctl` share.

pub mod api;
pub mod keychain;
pub mod past;
pub mod ports;
pub mod rules;
mod runtime;
pub mod settings;

pub use runtime::{
    Floorwalker, Gone, Lines, Ports, Start, Subscription, Tapes, TrayModel, endpoints, remarks, sentence_of,
};
