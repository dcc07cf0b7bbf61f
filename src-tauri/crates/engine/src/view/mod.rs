//! What a face shows: rows sorted, filtered and cut here, sent as one snapshot and then keyed patches.

mod build;
mod cards;
mod cells;
mod pick;
mod rows;
mod status;
mod subscription;

pub use rows::{
    AgentRow, AlertRow, Card, CardKind, Cell, Certainty, ConversationRow, FloorMode, Ms, Need, QueueRow, Row,
    SourceRow, Status, ViewMessage, ViewSpec,
};
pub use status::status;
pub use subscription::View;
