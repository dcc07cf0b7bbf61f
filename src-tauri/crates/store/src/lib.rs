//! The two databases. What was seen is in `floor.db` ([`FloorLog`], [`FloorReader`]); what people did is
//! in `desk.db` ([`Desk`], [`DeskReader`]). Both are plain synchronous: the app gives each a thread of its own.
//!
//! This crate knows the model only: no connector, no engine, no async, no clock. Instants come from the
//! caller. A secret never gets here.
#![deny(missing_docs)]

mod desk;
mod error;
mod floor;
mod open;
mod port;

pub use desk::{
    Acknowledgement, Actor, Aside, Decision, Desk, DeskOpened, DeskReader, JournalEntry, LogFilter, Note,
    Ran, Reservation, Timers, Told,
};
pub use error::StoreError;
pub use floor::{Entity, FloorAt, FloorLog, FloorReader, Gap, Logged, Opened, Span, Step};
