//! The connector as a whole against a scripted server, and its map against recorded frames.

mod drifted;
mod facts;
mod followed;
mod golden;
mod peer;
mod running;
mod sim;
mod visits;
