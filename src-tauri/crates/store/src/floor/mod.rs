//! What was seen: one log, three tenses.
//!
//! A *segment* is a keyframe (all rows) and the deltas behind it (what changed, field by field, many
//! changes to a block, one block per transaction). The latest state, offline review and the time machine
//! are then one mechanism: the floor at T is the last keyframe before T and the deltas up to T.
//! Rows have numbered places within a segment, names are written once per segment; a change of one field
//! is a few bytes.

mod bytes;
mod fields;
mod image;
mod mirror;
mod query;
mod reader;
mod records;
mod rows;
mod schema;
mod writer;

pub use reader::FloorReader;
pub use rows::{Entity, FloorAt, Gap, Logged, Span, Step};
pub use writer::{FloorLog, Opened};
