//! The pure core: `World::apply(input, now) -> Effects`.
//!
//! No clock, no spawn, no network, no database: time is an input, everything that must happen outside
//! is an effect. The runtime sleeps until [`Effects::wake_at`] and comes back with [`Input::Wake`].
#![deny(missing_docs)]

pub mod alerts;
pub mod document;
pub mod effects;
pub mod view;
pub mod world;

pub use effects::{Delta, DeskCommand, Effects, Entity, Input};
pub use world::World;
