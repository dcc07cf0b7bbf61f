//! The connector as a whole against a scripted server, and its map against recorded frames.

mod golden;
mod peer;
mod sim;
mod visits;
