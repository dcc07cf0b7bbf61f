//! The floor from outside: what goes in, what comes out.

mod document;
mod facts;
mod floor;
mod laws;
mod life;
mod views;
