//! The lines of `watch --json`: one snapshot, then what changed.

use std::sync::Arc;

use model::{Agent, Alert, Id, Key, Kind, Source, Timestamp, Totals, Transition};
use serde::Serialize;

use super::{ConversationDocument, QueueDocument, Snapshot, take, text};
use crate::{
    effects::{Delta, Effects, Entity},
    world::World,
};

/// Rows that are new or changed, whole. A kind without any is left out.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Upserts {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<QueueDocument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Arc<Agent>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<ConversationDocument>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Arc<Totals>>,
}

/// The name of a row that is gone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs)]
pub struct Removed {
    pub source: Id,
    /// For totals the source's id.
    pub id: Id,
}

/// Rows that are gone. A kind without any is left out.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Removes {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Removed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Removed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<Removed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<Removed>,
}

impl Removes {
    fn take(&mut self, kind: Kind, key: Key) {
        let list = match kind {
            Kind::Queue => &mut self.queues,
            Kind::Agent => &mut self.agents,
            Kind::Conversation => &mut self.conversations,
            Kind::Totals => &mut self.totals,
        };
        list.push(Removed { source: key.source, id: key.id });
    }
    fn sort(&mut self) {
        for list in [&mut self.queues, &mut self.agents, &mut self.conversations, &mut self.totals] {
            list.sort();
        }
    }
}

/// One line of `watch --json`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Line {
    /// The first line.
    Snapshot(Box<Snapshot>),
    /// Rows changed.
    Change { revision: u64, at: Timestamp, upserts: Box<Upserts>, removes: Box<Removes> },
    /// A source's health, error, next try or gaps changed.
    Health { source: Box<Source> },
    /// Something happened to an alert.
    Alert { transition: Transition, alert: Box<Alert> },
    /// The last line.
    End,
}

/// The `change` line of one input; `None` when no row changed. Durations hold at `at`.
pub fn change_line(world: &World, effects: &Effects, at: Timestamp) -> Option<Line> {
    if effects.deltas.is_empty() {
        return None;
    }
    let mut upserts = Upserts::default();
    let mut removes = Removes::default();
    for delta in &effects.deltas {
        match delta {
            Delta::Upsert(entity) => upserts.take(entity.clone(), world, at),
            Delta::Remove(kind, key) => removes.take(*kind, key.clone()),
        }
    }
    upserts.sort();
    removes.sort();
    Some(Line::Change {
        revision: effects.revision,
        at,
        upserts: Box::new(upserts),
        removes: Box::new(removes),
    })
}

/// The `change` line of an earlier instant from rows as they were kept, each with its source's clock skew
/// in seconds. Durations hold at `at`.
pub fn past_change(
    revision: u64,
    at: Timestamp,
    put: impl IntoIterator<Item = (Entity, f64)>,
    gone: impl IntoIterator<Item = (Kind, Key)>,
) -> Line {
    let (mut upserts, mut removes) = (Upserts::default(), Removes::default());
    for (entity, skew_s) in put {
        upserts.put(entity, skew_s, at);
    }
    for (kind, key) in gone {
        removes.take(kind, key);
    }
    upserts.sort();
    removes.sort();
    Line::Change { revision, at, upserts: Box::new(upserts), removes: Box::new(removes) }
}

/// All lines of one input, in order: rows, health, alerts. `world` is the one that gave the effects,
/// right after it did.
pub fn line_list(world: &World, effects: &Effects, at: Timestamp) -> Vec<Line> {
    let mut lines: Vec<Line> = change_line(world, effects, at).into_iter().collect();
    lines.extend(effects.health.iter().map(|source| Line::Health { source: Box::new(source.clone()) }));
    lines.extend(
        effects.alerts.iter().map(|(transition, alert)| Line::Alert {
            transition: *transition,
            alert: Box::new(alert.clone()),
        }),
    );
    lines
}

/// [`line_list`] as JSON, without line ends.
pub fn lines(world: &World, effects: &Effects, at: Timestamp) -> Vec<String> {
    line_list(world, effects, at).iter().map(text).collect()
}

/// The first line, as JSON.
pub fn snapshot_line(world: &World, now: Timestamp) -> String {
    text(&Line::Snapshot(Box::new(take(world, now))))
}

/// The last line, as JSON.
pub fn end_line() -> String {
    text(&Line::End)
}
