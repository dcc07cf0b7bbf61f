//! What the log is told and what it tells.

use std::sync::Arc;

use model::{Agent, Conversation, Id, Key, Kind, Queue, Source, Timestamp, Totals};

/// One row of the floor, shared with whoever else shows it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Entity {
    Queue(Arc<Queue>),
    Agent(Arc<Agent>),
    Conversation(Arc<Conversation>),
    Totals(Arc<Totals>),
}

impl Entity {
    /// Which kind.
    pub fn kind(&self) -> Kind {
        match self {
            Entity::Queue(_) => Kind::Queue,
            Entity::Agent(_) => Kind::Agent,
            Entity::Conversation(_) => Kind::Conversation,
            Entity::Totals(_) => Kind::Totals,
        }
    }
    /// Source and id; for totals the source's id twice.
    pub fn key(&self) -> Key {
        let (source, id) = self.names();
        Key { source: source.clone(), id: id.clone() }
    }
    pub(crate) fn names(&self) -> (&Id, &Id) {
        match self {
            Entity::Queue(q) => (&q.source, &q.id),
            Entity::Agent(a) => (&a.source, &a.id),
            Entity::Conversation(c) => (&c.source, &c.id),
            Entity::Totals(t) => (&t.source, &t.source),
        }
    }
}

/// One thing that happened to the floor.
#[derive(Clone, Debug, PartialEq)]
pub enum Logged {
    /// The row is now like this.
    Upsert(Entity),
    /// The row is no longer there.
    Remove(Kind, Key),
    /// The source is now like this.
    Source(Arc<Source>),
    /// The source was taken out of the configuration. Its rows go with it.
    SourceGone(Id),
}

/// The floor as it was at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct FloorAt {
    /// When the last change in it happened (not later than what was asked for).
    pub at: Timestamp,
    /// Revision of the world then.
    pub revision: u64,
    /// Sources in the order of the configuration.
    pub sources: Vec<Arc<Source>>,
    /// Rows, in no particular order.
    pub entities: Vec<Entity>,
}

/// What happened at one instant, as [`crate::FloorReader::replay`] tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// Revision of the world after it.
    pub revision: u64,
    /// The whole floor is meant: what is not in `changes` is gone. So it is after a restart.
    pub whole: bool,
    /// The changes, rows whole.
    pub changes: Vec<Logged>,
}

/// A time of which the history does not know the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The source that was not live; `None`: Floorwalker itself was not running, or the clock jumped.
    pub source: Option<Id>,
    /// From when.
    pub began: Timestamp,
    /// Until when; `None`: it goes on.
    pub ended: Option<Timestamp>,
    /// `not running`, `clock`, or the source's health.
    pub why: String,
}

/// From when to when there is history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The oldest instant that can be shown.
    pub from: Timestamp,
    /// Until when it is known: the newest change, or the last sign of life behind it.
    pub until: Timestamp,
}
