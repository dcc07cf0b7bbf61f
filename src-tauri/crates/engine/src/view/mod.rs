//! What a face shows: rows sorted, filtered and cut here, sent as one snapshot and then keyed patches.

mod rows;

pub use rows::{
    AgentRow, AlertRow, Card, CardKind, Cell, Certainty, ConversationRow, FloorMode, Need, QueueRow, Row,
    SourceRow, Status, ViewMessage, ViewSpec,
};
