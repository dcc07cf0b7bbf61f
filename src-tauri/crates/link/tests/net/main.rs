//! The transport kit against real sockets on loopback. Ids such as `n8` name cases of the fault list in
//! the project's testing notes: N network, P protocol, A sign-in, L limits.
// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod http;
mod support;
mod ws;
