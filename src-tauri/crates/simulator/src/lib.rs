//! A contact centre that never was: one simulated floor served through faithful vendor servers.
//!
//! It is the demo's source, the tests' oracle and the benchmarks' load. [`start`] opens a seeded
//! [`floor::Centre`] and one loopback server per vendor; [`Running::truth`] says what a perfect client
//! would show, [`Control`] steers the floor and breaks the wires.
//!
//! Nothing here listens anywhere but on 127.0.0.1.
#![deny(missing_docs)]
// A refusal is the whole answer, made once and sent; boxing it would buy nothing.
#![allow(clippy::result_large_err)]

pub mod beyondtrust;
mod clock;
pub mod comm100;
mod control;
pub mod floor;
pub mod giosg;
pub mod ids;
pub mod liveperson;
mod options;
pub mod pingstreams;
mod relay;
mod replay;
mod running;
mod script_desk;
mod server;
mod stage;
mod truth;
mod wire;

pub use control::{Control, ControlError};
pub use options::{Options, Secrets};
pub use relay::{Relay, Weather};
pub use replay::{Replay, ReplayError};
pub use running::{Running, StartError, secret_env, serve_demo, start};
pub use server::{Again, Restart, VendorServer, served};
pub use stage::Stage;
pub use truth::Truth;
pub use wire::{Counters, Fault, Half, Limit, Wire};
