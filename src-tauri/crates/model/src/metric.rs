//! The metric table: every figure's name, unit, formula and direction, once.
//!
//! Tooltips, the rule editor's list and the documentation are made from [`TABLE`].

use crate::Unit;

/// Whether more of it is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is worse.
    MoreIsWorse,
    /// Less is worse.
    LessIsWorse,
    /// Neither.
    Neutral,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name in figures and rules.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Whether it belongs to a window (`abandoned@30m`).
    pub windowed: bool,
    /// The formula in one line.
    pub formula: &'static str,
    /// Whether more is worse.
    pub direction: Direction,
}

const fn metric(
    name: &'static str,
    unit: Unit,
    windowed: bool,
    direction: Direction,
    formula: &'static str,
) -> Metric {
    Metric { name, unit, windowed, formula, direction }
}

use Direction::{LessIsWorse, MoreIsWorse, Neutral};
use Unit::{Count, Ratio, Score, Seconds};

/// All metrics, windowed figures first.
pub const TABLE: &[Metric] = &[
    metric("offered", Count, true, Neutral, "people who entered the queue in the window"),
    metric("handled", Count, true, LessIsWorse, "conversations that a person took in the window"),
    metric("abandoned", Count, true, MoreIsWorse, "people who left the queue before an answer"),
    metric("missed", Count, true, MoreIsWorse, "requests that nobody answered, as the vendor counts them"),
    metric("switched_to_message", Count, true, MoreIsWorse, "people who left the queue by leaving a message"),
    metric("average_wait", Seconds, true, MoreIsWorse, "sum of queue waits / number of waits in the window"),
    metric("longest_wait", Seconds, true, MoreIsWorse, "largest queue wait in the window"),
    metric("average_handle_time", Seconds, true, Neutral, "mean of end - first join of a person"),
    metric("first_response_time", Seconds, true, MoreIsWorse, "mean of first answer - creation"),
    metric(
        "service_level",
        Ratio,
        true,
        LessIsWorse,
        "answered in time / (answered + abandoned - short abandons), formula F4",
    ),
    metric("occupancy", Ratio, true, Neutral, "handling time / (handling + available time)"),
    metric("utilisation", Ratio, true, Neutral, "productive time / paid time, as the vendor counts it"),
    metric("acceptance_rate", Ratio, true, LessIsWorse, "accepted / requested"),
    metric("visitors", Count, true, Neutral, "visitors on the site"),
    metric("bot_open", Count, true, Neutral, "conversations that a bot has"),
    metric("agents_online", Count, true, LessIsWorse, "agents neither offline nor unknown"),
    metric("agents_in_chat", Count, true, Neutral, "agents with at least one conversation"),
    metric("open", Count, true, Neutral, "conversations being handled"),
    metric("waiting", Count, true, MoreIsWorse, "people waiting"),
    metric("transferred", Count, true, Neutral, "conversations passed on"),
    metric("department_transferred", Count, true, Neutral, "conversations passed to another department"),
    metric("accepted_invitations", Count, true, Neutral, "invitations that visitors accepted"),
    metric("unique_rate", Ratio, true, Neutral, "unique visitors / conversations, as the vendor counts it"),
    metric(
        "accessibility_rate",
        Ratio,
        true,
        LessIsWorse,
        "share of time the service was open, as the vendor counts it",
    ),
    metric("chat_time", Seconds, true, Neutral, "time with at least one conversation open"),
    metric("requests", Count, true, Neutral, "requests, as the vendor counts them"),
    metric("score", Score, true, LessIsWorse, "customers' rating on the vendor's scale"),
    metric("total_open", Count, true, Neutral, "all conversations, a bot's included"),
    metric("total_handled", Count, true, Neutral, "all conversations of the window, a bot's included"),
    metric(
        "response_time",
        Seconds,
        true,
        MoreIsWorse,
        "mean of an agent's answer - the customer's message before it",
    ),
    metric("free_agents", Count, true, LessIsWorse, "agents who can take work now"),
];

/// Finds a metric by name.
pub fn find(name: &str) -> Option<&'static Metric> {
    TABLE.iter().find(|m| m.name == name)
}
