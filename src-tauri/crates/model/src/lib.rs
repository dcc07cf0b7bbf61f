//! One vocabulary for five vendors.
//!
//! These are the names that connectors produce, the state keeps, the cache stores, the alert rules
//! read, and the screen and `floorctl` show. Three rules hold everywhere:
//!
//! 1. **Unknown is not zero.** A value that a vendor does not give is `None`, never `0`, `""` or a guess.
//! 2. **Every figure says where it comes from** ([`Origin`]).
//! 3. **Instants, not durations, are state.** A wait is computed by whoever shows or tests it.
//!
//! This crate knows no tokio, no network, no clock and no database.
#![deny(missing_docs)]

mod alert;
mod batch;
mod conversation;
mod entities;
mod id;
pub mod metric;
mod source;
mod time;

pub use alert::{Alert, AlertState, Overlay, Severity, Subject, SubjectKind, Transition};
pub use batch::{Batch, Change, HealthReport, Kind};
pub use conversation::{Channel, Conversation, ConversationState, Outcome, StartedVia};
pub use entities::{Agent, AgentFlag, Figure, Presence, Queue, QueueKind, SinceKind, Totals, Unit, Window};
pub use id::{Id, Key};
pub use source::{Health, Origin, Source, Vendor};
pub use time::{ParseTimestampError, Timestamp};
