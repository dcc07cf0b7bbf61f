//! `floorctl` as outsiders use it: the real program, the simulated contact centre, real sockets.
// In a test an unwrap is an assertion.
#![allow(clippy::unwrap_used)]

mod acknowledged;
mod drift;
mod faults;
mod only;
mod pace;
mod past;
mod proxies;
mod rules;
mod secrets;
mod snapshot;
mod support;
mod tapes;
mod thirty;
mod twelve;
mod usage;
mod watch;
mod webhooks;
