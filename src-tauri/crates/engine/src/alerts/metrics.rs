//! The closed list of what rules can look at, subject by subject.
//!
//! Windowed figures come from [`model::metric::TABLE`]; what stands here are the entities' own fields,
//! the durations of their instants, and the derived figures.

use model::{SubjectKind, Unit};

use super::MetricName;

/// What a metric's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A number in this unit.
    Number(Unit),
    /// One of these words.
    Words(&'static [&'static str]),
    /// Any text of the vendor.
    Text,
}

/// One metric without a window.
#[derive(Clone, Copy, Debug)]
pub struct RuleMetric {
    /// Subjects that have it.
    pub subjects: &'static [SubjectKind],
    /// Name in rules, after the dot.
    pub name: &'static str,
    /// What it is.
    pub kind: ValueKind,
    /// The formula in one line; what the world has to answer.
    pub formula: &'static str,
}

use SubjectKind::{Agent, Conversation, Floor, Queue, Source, Total};
use Unit::{Count, Ratio, Seconds};
use ValueKind::{Number, Text, Words};

/// `true` and `false`.
pub const FLAG: &[&str] = &["true", "false"];
const PLACES: &[SubjectKind] = &[Queue, Total, Floor];

const fn m(
    subjects: &'static [SubjectKind],
    name: &'static str,
    kind: ValueKind,
    formula: &'static str,
) -> RuleMetric {
    RuleMetric { subjects, name, kind, formula }
}

/// All metrics without a window. `total` is the sum over a source's queues (capacity: over its agents),
/// `floor` over all sources.
pub const TABLE: &[RuleMetric] = &[
    m(PLACES, "waiting", Number(Count), "people waiting"),
    m(PLACES, "longest_wait", Number(Seconds), "now - oldest waiting_since; 0 when nobody waits"),
    m(&[Queue], "average_wait", Number(Seconds), "mean wait of those waiting now"),
    m(PLACES, "open", Number(Count), "conversations being handled"),
    m(PLACES, "capacity", Number(Count), "conversations that can be handled at once"),
    m(PLACES, "free_capacity", Number(Count), "conversations that can be taken now"),
    m(PLACES, "agents_online", Number(Count), "agents neither offline nor unknown"),
    m(PLACES, "agents_available", Number(Count), "agents who can be given work now"),
    m(&[Queue, Conversation], "estimated_wait", Number(Seconds), "expected_at - now, never negative"),
    m(
        &[Queue],
        "kind",
        Words(&["team", "department", "room", "skill", "project", "personal", "site", "other"]),
        "what kind of place",
    ),
    m(PLACES, "waiting_per_agent", Number(Ratio), "waiting / agents_online; infinite when nobody is online"),
    m(&[Queue, Total, Floor, Agent], "free_slots", Number(Count), "conversations that can be taken now"),
    m(
        &[Queue, Total, Floor, Agent],
        "slot_utilisation",
        Number(Ratio),
        "open / capacity; capacity 0 is unknown",
    ),
    m(&[Queue], "open_hours", Words(FLAG), "whether the queue is open by [[hours]]"),
    m(
        &[Agent],
        "presence",
        Words(&["available", "busy", "idle", "away", "offline", "unknown"]),
        "what the agent is doing",
    ),
    m(&[Agent], "presence_label", Text, "the vendor's own word for it"),
    m(&[Agent], "time_in_presence", Number(Seconds), "now - presence_since"),
    m(&[Agent], "logged_in_for", Number(Seconds), "now - logged_in_at"),
    m(&[Agent], "open", Number(Count), "conversations being handled"),
    m(&[Agent], "capacity", Number(Count), "conversations that this agent may handle at once"),
    m(&[Agent], "free_capacity", Number(Count), "conversations that this agent can take now"),
    m(
        &[Agent],
        "agents_free_while_waiting",
        Number(Seconds),
        "how long available while one of its queues has people; 0 otherwise",
    ),
    m(&[Conversation], "state", Words(&["waiting", "active", "ended"]), "where it stands"),
    m(
        &[Conversation],
        "channel",
        Words(&["chat", "message", "desktop", "mobile", "rdp", "vnc", "shell", "vpro", "web", "other"]),
        "the medium",
    ),
    m(
        &[Conversation],
        "started_via",
        Words(&[
            "session_key",
            "issue_form",
            "agent_list",
            "click_to_chat",
            "button",
            "jump",
            "api",
            "invitation",
            "other",
        ]),
        "how it began",
    ),
    m(
        &[Conversation],
        "outcome",
        Words(&["handled", "abandoned", "missed", "switched_to_message", "unknown"]),
        "how it ended",
    ),
    m(&[Conversation], "priority", Text, "priority as the vendor says it"),
    m(&[Conversation], "customer", Text, "the customer's name"),
    m(&[Conversation], "subject", Text, "what it is about"),
    m(&[Conversation], "wait", Number(Seconds), "(answered_at, ended_at or now) - waiting_since"),
    m(&[Conversation], "age", Number(Seconds), "(ended_at or now) - created_at"),
    m(
        &[Conversation],
        "reply_age",
        Number(Seconds),
        "now - last customer message with no agent message after it; 0 when answered",
    ),
    m(
        &[Source],
        "health",
        Words(&[
            "disabled",
            "connecting",
            "live",
            "stale",
            "retrying",
            "throttled",
            "denied",
            "misconfigured",
        ]),
        "how well the link is",
    ),
    m(
        &[Source],
        "vendor",
        Words(&["beyondtrust", "comm100", "giosg", "liveperson", "pingstreams"]),
        "which system",
    ),
    m(
        &[Source],
        "lost_for",
        Number(Seconds),
        "now - when it stopped being live, through every new try; 0 while live, before it ever was, \
         and when disabled, denied or misconfigured",
    ),
    m(&[Source], "data_age", Number(Seconds), "now - last_data_at"),
    m(&[Source], "clock_skew", Number(Seconds), "server clock - ours"),
    m(&[Source], "denied", Words(FLAG), "credentials or permission refused"),
];

/// The metric without a window.
pub fn find(subject: SubjectKind, name: &str) -> Option<&'static RuleMetric> {
    TABLE.iter().find(|m| m.name == name && m.subjects.contains(&subject))
}

/// A metric's name as a number: rows are asked with every change, and comparing texts would cost more than
/// the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// It has a window.
    Windowed,
    /// No figure of a row: it belongs to a source or to the floor.
    OfPlace,
    Waiting,
    LongestWait,
    AverageWait,
    Open,
    Capacity,
    FreeCapacity,
    AgentsOnline,
    AgentsAvailable,
    EstimatedWait,
    Kind,
    WaitingPerAgent,
    SlotUtilisation,
    OpenHours,
    Presence,
    PresenceLabel,
    TimeInPresence,
    LoggedInFor,
    FreeWhileWaiting,
    State,
    Channel,
    StartedVia,
    Outcome,
    Priority,
    Customer,
    Subject,
    Wait,
    Age,
    ReplyAge,
}

impl Measure {
    /// Looks a name up.
    pub(crate) fn of(metric: MetricName) -> Self {
        if metric.window.is_some() {
            return Measure::Windowed;
        }
        match metric.name {
            "waiting" => Measure::Waiting,
            "longest_wait" => Measure::LongestWait,
            "average_wait" => Measure::AverageWait,
            "open" => Measure::Open,
            "capacity" => Measure::Capacity,
            "free_capacity" | "free_slots" => Measure::FreeCapacity,
            "agents_online" => Measure::AgentsOnline,
            "agents_available" => Measure::AgentsAvailable,
            "estimated_wait" => Measure::EstimatedWait,
            "kind" => Measure::Kind,
            "waiting_per_agent" => Measure::WaitingPerAgent,
            "slot_utilisation" => Measure::SlotUtilisation,
            "open_hours" => Measure::OpenHours,
            "presence" => Measure::Presence,
            "presence_label" => Measure::PresenceLabel,
            "time_in_presence" => Measure::TimeInPresence,
            "logged_in_for" => Measure::LoggedInFor,
            "agents_free_while_waiting" => Measure::FreeWhileWaiting,
            "state" => Measure::State,
            "channel" => Measure::Channel,
            "started_via" => Measure::StartedVia,
            "outcome" => Measure::Outcome,
            "priority" => Measure::Priority,
            "customer" => Measure::Customer,
            "subject" => Measure::Subject,
            "wait" => Measure::Wait,
            "age" => Measure::Age,
            "reply_age" => Measure::ReplyAge,
            _ => Measure::OfPlace,
        }
    }
}

/// Subjects whose windowed figures can be asked: those that carry `windows`, and the floor.
pub fn has_windows(subject: SubjectKind) -> bool {
    matches!(subject, Queue | Agent | Total | Floor)
}

/// Windowed figures that are not in the model's table because we derive them.
pub const DERIVED_WINDOWED: &[(&str, Unit, &str)] =
    &[("abandonment_rate", Ratio, "abandoned / offered in the window, n = offered")];
