use serde::{Deserialize, Serialize};

use crate::{Id, Origin, Timestamp};

/// What kind of place people wait in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum QueueKind {
    /// A support team.
    Team,
    /// A department.
    Department,
    /// A room.
    Room,
    /// A skill.
    Skill,
    /// A whole project.
    Project,
    /// One person's own queue.
    Personal,
    /// A whole site.
    Site,
    /// Anything else.
    Other,
}

/// A place where people wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Queue {
    /// Source id.
    pub source: Id,
    /// The vendor's id in the form fixed by the model.
    pub id: Id,
    /// Name as the vendor sent it.
    pub name: String,
    /// What kind of place.
    pub kind: QueueKind,
    /// How many wait now. 0 is knowledge, `None` is not.
    pub waiting: Option<u32>,
    /// When the oldest still waiting began to wait; `None` with `waiting == Some(0)` means nobody waits.
    pub waiting_since: Option<Timestamp>,
    /// Mean wait in seconds of those waiting now, as of the source's last data.
    pub average_wait_s: Option<f64>,
    /// How many are being handled.
    pub open: Option<u32>,
    /// How many can be handled at once; `None` when one agent has no limit.
    pub capacity: Option<u32>,
    /// How many more can be taken now.
    pub free_capacity: Option<u32>,
    /// Agents of this queue that are neither offline nor unknown.
    pub agents_online: Option<u32>,
    /// Agents of this queue that can be given work now.
    pub agents_available: Option<u32>,
    /// When the next one in is expected to be served.
    pub expected_at: Option<Timestamp>,
    /// Windowed figures, sorted by metric and window.
    pub windows: Vec<Figure>,
}

/// What an agent is doing, in our words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Presence {
    /// Can be given work now.
    Available,
    /// At the limit, or occupied.
    Busy,
    /// Logged in, without activity for the vendor's idle time.
    Idle,
    /// Opted out: away, break, automatic assignment off.
    Away,
    /// Not there.
    Offline,
    /// Not known; never counted as anything else.
    Unknown,
}

impl Presence {
    /// Neither offline nor unknown.
    pub fn is_online(self) -> bool {
        !matches!(self, Presence::Offline | Presence::Unknown)
    }
}

/// How the start of a presence is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum SinceKind {
    /// The vendor said it.
    Reported,
    /// We saw it change.
    Observed,
    /// It began before we looked: shown as "≥".
    AtLeast,
}

/// Flags that can hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum AgentFlag {
    /// No activity.
    Idle,
    /// Occupied.
    Busy,
    /// Does not take automatic assignments.
    NotAccepting,
}

/// A person who handles conversations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Agent {
    /// Source id.
    pub source: Id,
    /// The vendor's id in the form fixed by the model.
    pub id: Id,
    /// Name as the vendor sent it.
    pub name: String,
    /// E-mail address, where the vendor tells it.
    pub email: Option<String>,
    /// The first that holds of: offline, away, busy, idle, available.
    pub presence: Presence,
    /// The vendor's own word; `None` where it gives only a flag.
    pub presence_label: Option<String>,
    /// Since when.
    pub presence_since: Option<Timestamp>,
    /// How that is known.
    pub presence_since_kind: Option<SinceKind>,
    /// When this person signed in.
    pub logged_in_at: Option<Timestamp>,
    /// Flags that hold together; `None` where the vendor has none.
    pub flags: Option<Vec<AgentFlag>>,
    /// Conversations being handled.
    pub open: Option<u32>,
    /// How many this agent may handle at once.
    pub capacity: Option<u32>,
    /// How many more now.
    pub free_capacity: Option<u32>,
    /// Ids of the queues this agent serves; `None` when not known, `[]` when none.
    pub queues: Option<Vec<Id>>,
    /// Windowed figures, sorted by metric and window.
    pub windows: Vec<Figure>,
}

/// Figures that belong to a whole source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Totals {
    /// Source id.
    pub source: Id,
    /// Windowed figures, sorted by metric and window.
    pub windows: Vec<Figure>,
}

/// The span that a figure belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Window {
    /// At this moment.
    #[serde(rename = "now")]
    Now,
    /// The last 15 minutes.
    #[serde(rename = "15m")]
    M15,
    /// The last 30 minutes.
    #[serde(rename = "30m")]
    M30,
    /// The last hour.
    #[serde(rename = "60m")]
    M60,
    /// The vendor's day, in its zone.
    #[serde(rename = "today")]
    Today,
}

impl Window {
    /// The name in JSON and in rules.
    pub fn as_str(self) -> &'static str {
        match self {
            Window::Now => "now",
            Window::M15 => "15m",
            Window::M30 => "30m",
            Window::M60 => "60m",
            Window::Today => "today",
        }
    }
    /// Reads the name in JSON and in rules.
    pub fn parse(text: &str) -> Option<Self> {
        [Window::Now, Window::M15, Window::M30, Window::M60, Window::Today]
            .into_iter()
            .find(|w| w.as_str() == text)
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Unit {
    /// A count.
    Count,
    /// Seconds.
    Seconds,
    /// 0 to 1.
    Ratio,
    /// A rating on the vendor's scale.
    Score,
}

/// A windowed figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Figure {
    /// Name from the metric table, e.g. `abandoned`.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub metric: Id,
    /// The span it belongs to.
    pub window: Window,
    /// `None` when the vendor gave none.
    pub value: Option<f64>,
    /// What it counts.
    pub unit: Unit,
    /// Where it comes from.
    pub origin: Origin,
    /// Sample size, where known.
    pub n: Option<u32>,
}
