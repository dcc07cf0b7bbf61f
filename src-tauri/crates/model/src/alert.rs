use serde::{Deserialize, Serialize};

use crate::{Id, Timestamp};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Severity {
    /// Look when you can.
    Warning,
    /// Look now.
    Critical,
}

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum AlertState {
    /// Nothing is wrong.
    Inactive,
    /// The condition holds, not yet for long enough.
    Pending,
    /// It has held for long enough.
    Firing,
    /// Somebody has seen it.
    Acked,
    /// The condition is past its clear value, not yet for long enough.
    Recovering,
}

/// What lies over a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Overlay {
    /// Quiet until a time, or until clear.
    Snoozed,
    /// Another alert is the cause.
    Inhibited,
    /// Outside opening hours or the rule's own hours.
    Muted,
    /// The figure is not known now.
    Unknown,
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum Transition {
    Pending,
    Firing,
    Escalated,
    Acked,
    Unacked,
    Snoozed,
    Unsnoozed,
    Inhibited,
    Uninhibited,
    Muted,
    Unmuted,
    Unknown,
    Known,
    Recovering,
    Resolved,
    Flapping,
}

/// What kind of thing an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum SubjectKind {
    Queue,
    Agent,
    Conversation,
    Source,
    Total,
    Floor,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Subject {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Its id; for `floor` the text `floor`, for `source` and `total` the source's id.
    pub id: Id,
    /// Its name.
    pub name: String,
}

/// One episode of one rule on one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Alert {
    /// One per episode.
    pub id: Id,
    /// Name of the rule.
    pub rule: String,
    /// How bad it is now.
    pub severity: Severity,
    /// Where it stands.
    pub state: AlertState,
    /// What lies over the state; sorted.
    pub overlays: Vec<Overlay>,
    /// Source id; `None` for the whole floor.
    pub source: Option<Id>,
    /// What it is about.
    pub subject: Subject,
    /// Metric that decided.
    pub metric: String,
    /// Its value at the last transition; `None` when not known or infinite (then `reason` says so).
    pub value: Option<f64>,
    /// The limit it was held against.
    pub limit: Option<f64>,
    /// Unit of both: `count`, `seconds`, `ratio`, `score`, or `name` for comparisons of words.
    pub unit: String,
    /// Sample size, where the metric has one.
    pub n: Option<u32>,
    /// When the condition began to hold.
    pub pending_since: Option<Timestamp>,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// When it was acknowledged.
    pub acked_at: Option<Timestamp>,
    /// Until when the acknowledgement holds.
    pub acked_until: Option<Timestamp>,
    /// Until when it is snoozed.
    pub snoozed_until: Option<Timestamp>,
    /// Id of the alert that is the cause.
    pub inhibited_by: Option<Id>,
    /// It fires and clears again and again.
    pub flapping: bool,
    /// One plain sentence: what, how much, which level of the rule decided.
    pub reason: String,
}
