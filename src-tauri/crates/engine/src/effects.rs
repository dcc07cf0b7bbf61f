//! What goes into the core and what comes out of it.

use std::sync::Arc;

use model::{Agent, Alert, Batch, Conversation, Id, Key, Kind, Queue, Source, Timestamp, Totals, Transition};

use crate::alerts::{Rulebook, Timers};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// The configuration was read: these are the sources (health `disabled` or `connecting`, with
    /// `provides`), in this order, and these the rules. Sources that are gone take their rows along.
    Configure {
        /// Sources as configured.
        sources: Vec<Source>,
        /// Rules, groups, hours, targets.
        rules: Arc<Rulebook>,
    },
    /// A connector reported.
    Batch(Batch),
    /// A deadline of [`Effects::wake_at`] passed.
    Wake,
    /// A person did something to an alert.
    Desk(DeskCommand),
    /// The last floor of an earlier run. Comes right after `Configure` and before any batch. Rows are
    /// shown, marked by their source's health, until the source's first `Complete` replaces them.
    Restore {
        /// Rows of the last snapshot.
        entities: Vec<Entity>,
        /// Sources as they were last seen (for `last_data_at` and `clock_skew_s`).
        sources: Vec<Source>,
        /// Alerts that were not inactive.
        alerts: Vec<Alert>,
        /// What they had collected when the earlier run ended. They count on from there; those that are
        /// not named begin their time anew.
        timers: Vec<(Id, Timers)>,
    },
}

/// What a person did to an alert. An alert that is already over answers with no transition.
#[derive(Clone, Debug, PartialEq)]
pub enum DeskCommand {
    /// Seen; holds until clear or until the time.
    Acknowledge {
        /// Alert id.
        alert: Id,
        /// When the acknowledgement ends while the alert is critical.
        until: Option<Timestamp>,
    },
    /// Not seen after all.
    Unacknowledge {
        /// Alert id.
        alert: Id,
    },
    /// Quiet until the time, or until clear.
    Snooze {
        /// Alert id.
        alert: Id,
        /// `None`: until clear.
        until: Option<Timestamp>,
    },
    /// Loud again.
    Unsnooze {
        /// Alert id.
        alert: Id,
    },
}

impl DeskCommand {
    /// The alert that it is about.
    pub fn alert(&self) -> &Id {
        match self {
            DeskCommand::Acknowledge { alert, .. }
            | DeskCommand::Unacknowledge { alert }
            | DeskCommand::Snooze { alert, .. }
            | DeskCommand::Unsnooze { alert } => alert,
        }
    }
}

/// One row of the floor, shared, never copied.
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
        match self {
            Entity::Queue(q) => Key { source: q.source.clone(), id: q.id.clone() },
            Entity::Agent(a) => Key { source: a.source.clone(), id: a.id.clone() },
            Entity::Conversation(c) => Key { source: c.source.clone(), id: c.id.clone() },
            Entity::Totals(t) => Key { source: t.source.clone(), id: t.source.clone() },
        }
    }
}

/// One row that truly changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// It is now like this.
    Upsert(Entity),
    /// It is no longer there.
    Remove(Kind, Key),
}

/// What must happen outside after one [`Input`].
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Revision of the world after the input; grows by one for each input that changed a row.
    pub revision: u64,
    /// Rows that truly changed, one entry per row, in the order of first change.
    pub deltas: Vec<Delta>,
    /// Sources of which `health`, `last_error`, `retry_at` or `gaps` changed.
    pub health: Vec<Source>,
    /// What happened to alerts, in order.
    pub alerts: Vec<(Transition, Alert)>,
    /// Alerts that changed without a line to tell it: a relapse out of recovering, a critical that went
    /// down to a warning.
    pub quiet: Vec<Alert>,
    /// Timers of alerts that were started, stopped or set back: what a restart has to know. While one runs
    /// it is not named again. Some may be of alerts that are over.
    pub timers: Vec<(Id, Timers)>,
    /// When the world wants [`Input::Wake`]; `None`: never.
    pub wake_at: Option<Timestamp>,
}
