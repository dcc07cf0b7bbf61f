//! The lines of `watch --json`: one snapshot, then what changed.

use std::sync::Arc;

use model::{Agent, Alert, Id, Kind, Source, Timestamp, Totals, Transition};
use serde::Serialize;

use super::{ConversationDocument, QueueDocument, Snapshot, take, text};
use crate::{
    effects::{Delta, Effects},
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
            Delta::Remove(kind, key) => {
                let list = match kind {
                    Kind::Queue => &mut removes.queues,
                    Kind::Agent => &mut removes.agents,
                    Kind::Conversation => &mut removes.conversations,
                    Kind::Totals => &mut removes.totals,
                };
                list.push(Removed { source: key.source.clone(), id: key.id.clone() });
            }
        }
    }
    upserts.sort();
    for list in [&mut removes.queues, &mut removes.agents, &mut removes.conversations, &mut removes.totals] {
        list.sort();
    }
    Some(Line::Change {
        revision: effects.revision,
        at,
        upserts: Box::new(upserts),
        removes: Box::new(removes),
    })
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
