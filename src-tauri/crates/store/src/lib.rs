//! The two databases. What was seen is in `floor.db` ([`FloorLog`], [`FloorReader`]); what people did is
//! in `desk.db`. Both are plain synchronous: the app gives each a thread of its own.
//!
//! This crate knows the model only: no connector, no engine, no async, no clock. Instants come from the
//! caller. A secret never gets here.
#![deny(missing_docs)]

mod error;
mod floor;
mod open;
mod port;

pub use error::StoreError;
pub use floor::{Entity, FloorAt, FloorLog, FloorReader, Gap, Logged, Opened, Span, Step};
