//! The floor from outside: what goes in, what comes out.
#![allow(clippy::unwrap_used)]

mod document;
mod facts;
mod floor;
mod laws;
mod life;
mod views;
