//! `floorctl` as outsiders use it: the real program, the simulated contact centre, real sockets.

mod acknowledged;
mod faults;
mod past;
mod rules;
mod secrets;
mod snapshot;
mod support;
mod usage;
mod watch;
mod webhooks;
