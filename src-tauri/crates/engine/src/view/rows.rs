//! The rows that cross to a screen. Instants are milliseconds since 1970 in *our* clock (a source's skew
//! is already taken out), so that the screen only subtracts its own now. A duration is never sent.

use model::{AlertState, Health, Id, Origin, Overlay, Presence, QueueKind, Severity, SinceKind, Vendor};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z in our clock.
pub type Ms = i64;

/// What a subscriber wants to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "view", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum ViewSpec {
    /// The state sentence, the cards, the mode. No rows.
    Status,
    /// All queues, sorted by need: severity, then longest wait, then waiting, then name.
    Queues,
    /// Agents, sorted by name; of one queue when given.
    Agents {
        /// `source` and `id` of a queue.
        queue: Option<model::Key>,
    },
    /// Conversations waiting (oldest first), then active; of one queue when given.
    Conversations {
        /// `source` and `id` of a queue.
        queue: Option<model::Key>,
        /// At most so many rows.
        limit: u32,
    },
    /// Alerts that are not inactive: critical first, then oldest.
    Alerts,
    /// All sources in the order of the configuration.
    Sources,
}

/// How sure a shown value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Certainty {
    /// Fresh.
    Known,
    /// Last known; its source is not live.
    Stale,
    /// This source never tells it: shown as "–".
    NotGiven,
    /// This source tells it, but not now: shown as "?".
    Unknown,
}

/// A number on the screen and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Cell {
    /// The value; `None` unless known or stale.
    pub value: Option<f64>,
    /// How sure it is.
    pub certainty: Certainty,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// Sample size, where there is one.
    pub n: Option<u32>,
}

/// How much a row needs somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Need {
    /// ◆ late.
    Critical,
    /// ▲ slow.
    Warning,
    /// Its source is not live: hatch and age.
    Stale,
    /// Within limits.
    Normal,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct QueueRow {
    /// `source` + U+001F + `id`: unique in the view.
    pub key: String,
    #[allow(missing_docs)]
    pub source: Id,
    #[allow(missing_docs)]
    pub id: Id,
    #[allow(missing_docs)]
    pub name: String,
    #[allow(missing_docs)]
    pub kind: QueueKind,
    #[allow(missing_docs)]
    pub vendor: Vendor,
    /// The source's name.
    pub source_name: String,
    /// How much it needs somebody.
    pub need: Need,
    /// An acknowledged alert: the outline of the shape.
    pub acked: bool,
    /// People waiting.
    pub waiting: Cell,
    /// Since when the oldest waits; `None` when nobody does or it is not known.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub waiting_since: Option<Ms>,
    /// How sure `waiting_since` is. `Known` with `waiting_since` null: nobody waits, shown as 0:00.
    pub longest: Certainty,
    /// When the next one in is expected to be served.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub expected_at: Option<Ms>,
    /// Being handled.
    pub open: Cell,
    /// Slots in all.
    pub capacity: Cell,
    /// Free slots.
    pub free: Cell,
    /// Agents online.
    pub online: Cell,
    /// Share answered in time.
    pub service_level: Cell,
    /// People who left waiting in the last 30 minutes.
    pub abandoned: Cell,
    /// Mean wait of the last 30 minutes, seconds.
    pub average_wait: Cell,
    /// Most people waiting in each of the last 60 minutes, oldest first; `None`: no data.
    pub trend: Vec<Option<u32>>,
    /// When the source last told something; only while it is not live (a live row is fresh).
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub data_at: Option<Ms>,
    /// Whether the row's source is live.
    pub live: bool,
    /// Address in the vendor's console, where configured.
    pub console_url: Option<String>,
}

/// One agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct AgentRow {
    pub key: String,
    pub source: Id,
    pub id: Id,
    pub name: String,
    pub vendor: Vendor,
    pub source_name: String,
    pub presence: Presence,
    pub presence_label: Option<String>,
    /// Everything that holds of the agent at once; the presence is the first of it.
    pub flags: Option<Vec<model::AgentFlag>>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub presence_since: Option<Ms>,
    pub presence_since_kind: Option<SinceKind>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub logged_in_at: Option<Ms>,
    pub open: Cell,
    pub capacity: Cell,
    pub need: Need,
    pub acked: bool,
    pub live: bool,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub data_at: Option<Ms>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct ConversationRow {
    pub key: String,
    pub source: Id,
    pub id: Id,
    pub vendor: Vendor,
    pub source_name: String,
    pub state: model::ConversationState,
    /// Customer, else subject, else the id's first characters.
    pub title: String,
    pub queue_name: Option<String>,
    pub agent_names: Vec<String>,
    pub channel: Option<model::Channel>,
    pub started_via: Option<model::StartedVia>,
    /// How it began in the vendor's own word.
    pub started_via_label: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub created_at: Option<Ms>,
    /// When it is expected to be answered; only while it waits.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub expected_at: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub waiting_since: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub answered_at: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_customer_message_at: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_agent_message_at: Option<Ms>,
    pub need: Need,
    pub live: bool,
}

/// One alert that is not inactive.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct AlertRow {
    pub key: String,
    pub id: Id,
    pub rule: String,
    pub severity: Severity,
    pub state: AlertState,
    pub overlays: Vec<Overlay>,
    pub source: Option<Id>,
    pub source_name: Option<String>,
    pub vendor: Option<Vendor>,
    pub subject: model::Subject,
    pub metric: String,
    pub value: Option<f64>,
    pub limit: Option<f64>,
    pub unit: String,
    pub reason: String,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub since: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub acked_until: Option<Ms>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub snoozed_until: Option<Ms>,
    pub flapping: bool,
    /// For running waits: the instant the value counts from, so that the screen can tick it.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub counts_from: Option<Ms>,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct SourceRow {
    pub key: String,
    pub id: Id,
    pub name: String,
    pub vendor: Vendor,
    pub health: Health,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub health_since: Ms,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_data_at: Option<Ms>,
    pub last_error: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub retry_at: Option<Ms>,
    pub clock_skew_s: Option<f64>,
    pub gaps: Vec<String>,
    pub queues: u32,
    pub agents: u32,
    pub conversations: u32,
    /// Batches that changed something in the last full minute.
    pub changes_per_minute: u32,
}

/// Any row; which one follows from the view.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum Row {
    Queue(QueueRow),
    Agent(AgentRow),
    Conversation(ConversationRow),
    Alert(AlertRow),
    Source(SourceRow),
}

impl Row {
    /// The key that patches name it by.
    pub fn key(&self) -> &str {
        match self {
            Row::Queue(r) => &r.key,
            Row::Agent(r) => &r.key,
            Row::Conversation(r) => &r.key,
            Row::Alert(r) => &r.key,
            Row::Source(r) => &r.key,
        }
    }
}

/// Which tense the floor is shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum FloorMode {
    /// At least one source is live.
    Live,
    /// Sources are on their way and nothing is known yet.
    Connecting,
    /// Nothing is live; what is shown is old.
    Offline {
        /// Since when.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        since: Ms,
        /// The newest data shown.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        last_data_at: Option<Ms>,
    },
    /// No source is configured.
    Empty,
}

/// Which card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum CardKind {
    /// People waiting on the floor.
    Waiting,
    /// The longest wait on the floor; `since` is set.
    Longest,
    /// Free slots, summed over agents; `of` is the capacity.
    FreeSlots,
    /// Share answered in time.
    ServiceLevel,
    /// People who left waiting.
    Abandoned,
    /// Agents online; `of` is all agents.
    Online,
}

/// One key figure of the floor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct Card {
    pub kind: CardKind,
    pub cell: Cell,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub since: Option<Ms>,
    pub of: Option<f64>,
    /// What it is held against: a count, seconds, or a ratio.
    pub target: Option<f64>,
    pub need: Need,
    /// Sources that tell it / sources that are on; a sum over fewer is shown as "from 3 of 5".
    pub sources_known: u32,
    pub sources_all: u32,
    /// Last 60 minutes, oldest first.
    pub trend: Vec<Option<f64>>,
    /// The formula in one line.
    pub formula: String,
}

/// The floor in one object: head of the screen, tray and title.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct Status {
    pub floor: FloorMode,
    /// Queues with a critical, with a warning; sources not live.
    pub queues_late: u32,
    pub queues_slow: u32,
    pub sources_not_live: u32,
    /// Alerts that are firing and not acknowledged, snoozed, muted or inhibited.
    pub alerts_firing: u32,
    pub critical_firing: u32,
    pub waiting: Option<u32>,
    pub agents_online: Option<u32>,
    pub agents: u32,
    pub queues: u32,
    /// The queue that needs somebody most.
    pub worst_queue: Option<QueueRow>,
    pub cards: Vec<Card>,
    /// Changes applied in the last full minute.
    pub changes_per_minute: u32,
    /// When the world last changed.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub last_change_at: Option<Ms>,
}

/// What a subscriber gets: one `Snapshot`, then `Patch`es whose `seq` follows without a hole. A subscriber
/// that sees a hole, or lags, subscribes again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum ViewMessage {
    /// Everything.
    Snapshot {
        /// Number of this message in the subscription, from 1.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        seq: u64,
        /// Our clock when it was made.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        now: Ms,
        /// Only in the status view.
        status: Option<Box<Status>>,
        /// Rows in their order.
        rows: Vec<Row>,
        /// Rows before filter and limit.
        total: u32,
    },
    /// What changed.
    Patch {
        /// One more than the message before.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        seq: u64,
        /// Our clock when it was made.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        now: Ms,
        /// Present when it changed.
        status: Option<Box<Status>>,
        /// Rows that are new or changed.
        upserts: Vec<Row>,
        /// Keys of rows that are gone.
        removes: Vec<String>,
        /// All keys in their order; present when the order changed.
        order: Option<Vec<String>>,
        /// Rows before filter and limit.
        total: u32,
    },
}
