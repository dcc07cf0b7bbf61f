use serde::{Deserialize, Serialize};

use crate::{Agent, Conversation, Health, Id, Queue, Timestamp, Totals};

/// The kinds of entity that a source can own many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Kind {
    /// [`Queue`].
    Queue,
    /// [`Agent`].
    Agent,
    /// [`Conversation`].
    Conversation,
    /// [`Totals`]; its id is the source's.
    Totals,
}

/// One step that a connector reports. Steps of one [`Batch`] are applied together.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// This is how the queue is now.
    Queue(Queue),
    /// This is how the agent is now.
    Agent(Agent),
    /// This is how the conversation is now.
    Conversation(Conversation),
    /// These are the source's own figures now.
    Totals(Totals),
    /// It is gone, without any claim that it ended.
    Remove(Kind, Id),
    /// Everything of this source is about to be sent anew: what is not re-sent until
    /// [`Change::Complete`] is gone then, without any claim that it ended.
    Reset,
    /// Everything that there is has been sent.
    Complete,
    /// How the link is.
    Health(HealthReport),
}

/// The connector's word about its link. The engine adds `health_since`.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthReport {
    /// How well the link is.
    pub health: Health,
    /// Last good answer or frame that carried state; `None` keeps what is known.
    pub last_data_at: Option<Timestamp>,
    /// One plain sentence: what, where, what to do. Never a secret, never a raw body.
    pub error: Option<String>,
    /// When the next try is due.
    pub retry_at: Option<Timestamp>,
    /// Server clock minus ours, seconds; `None` keeps what is known.
    pub clock_skew_s: Option<f64>,
    /// Endpoints that fail alone, lower case.
    pub gaps: Vec<String>,
}

impl HealthReport {
    /// A report without error, retry or gaps.
    pub fn of(health: Health) -> Self {
        Self { health, last_data_at: None, error: None, retry_at: None, clock_skew_s: None, gaps: Vec::new() }
    }
}

/// What one vendor message or one completed poll changed. Applied atomically.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Source id.
    pub source: Id,
    /// When it was received, in our clock.
    pub at: Timestamp,
    /// The steps, in order.
    pub changes: Vec<Change>,
}
