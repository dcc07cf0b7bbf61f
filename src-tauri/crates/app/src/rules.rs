//! The rules in force as lists and tables show them.

use engine::alerts::{
    Channel, Rule, Rulebook,
    metrics::{self, ValueKind},
};
use model::{Severity, SubjectKind, Unit, Window, metric::Direction};
use serde::Serialize;

use crate::api::MetricRow;

/// One rule that is on, with every value that its file leaves to the defaults filled in.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct RuleRow {
    pub name: String,
    /// It came with the program.
    pub default: bool,
    /// Off as such; only an override turns it on somewhere.
    pub only_overrides: bool,
    pub subject: SubjectKind,
    pub when: String,
    pub critical: Option<String>,
    /// As in the file: `30s`.
    #[serde(rename = "for")]
    pub hold: String,
    pub for_s: f64,
    /// As in the file; `None`: 75 % of the limit for `>` rules, 125 % for `<` rules.
    pub clear: Option<String>,
    pub keep: String,
    pub keep_s: f64,
    pub repeat: String,
    pub repeat_s: f64,
    pub min_n: Option<i64>,
    /// Severity of an episode before it escalates.
    pub severity: Severity,
    pub notify: Vec<String>,
    pub scope: ScopeRow,
    /// When it may fire, as `open` in `[[hours]]`; `None`: always.
    pub active: Option<Vec<String>>,
    pub zone: Option<String>,
    /// How many overrides stand under it.
    pub overrides: usize,
}

/// Globs; `None` restricts nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct ScopeRow {
    pub source: Option<Vec<String>>,
    pub queue: Option<Vec<String>>,
    pub group: Option<Vec<String>>,
    pub agent: Option<Vec<String>>,
}

/// Every rule that is on, yours first, then the default ones.
pub fn list(book: &Rulebook) -> Vec<RuleRow> {
    book.rules().iter().filter(|rule| rule.is_enabled() || turned_on_somewhere(rule)).map(row).collect()
}

fn turned_on_somewhere(rule: &Rule) -> bool {
    rule.spec().overrides.iter().any(|o| o.enabled == Some(true))
}

fn row(rule: &Rule) -> RuleRow {
    let spec = rule.spec();
    let time = |written: &Option<String>, ms: i64| {
        let seconds = ms as f64 / 1000.0;
        let text = written.clone().unwrap_or_else(|| {
            crate::settings::print_duration(std::time::Duration::from_millis(ms.unsigned_abs()))
        });
        (text, seconds)
    };
    let (hold, for_s) = time(&spec.hold, rule.hold_ms());
    let (keep, keep_s) = time(&spec.keep, rule.keep_ms());
    let (repeat, repeat_s) = time(&spec.repeat, rule.repeat_ms());
    RuleRow {
        name: rule.name().to_owned(),
        default: rule.is_default(),
        only_overrides: !rule.is_enabled(),
        subject: rule.subject(),
        when: rule.when().to_owned(),
        critical: rule.critical().map(str::to_owned),
        hold,
        for_s,
        clear: spec.clear.clone(),
        keep,
        keep_s,
        repeat,
        repeat_s,
        min_n: spec.min_n,
        severity: rule.severity(),
        notify: rule.notify().iter().map(channel).collect(),
        scope: ScopeRow {
            source: spec.scope.source.clone(),
            queue: spec.scope.queue.clone(),
            group: spec.scope.group.clone(),
            agent: spec.scope.agent.clone(),
        },
        active: spec.active.clone(),
        zone: spec.zone.clone(),
        overrides: spec.overrides.len(),
    }
}

fn channel(channel: &Channel) -> String {
    match channel {
        Channel::Desktop => "desktop".to_owned(),
        Channel::Sound => "sound".to_owned(),
        Channel::Tray => "tray".to_owned(),
        Channel::Webhook(name) => format!("webhook:{name}"),
    }
}

const SUBJECTS: [SubjectKind; 6] = [
    SubjectKind::Queue,
    SubjectKind::Agent,
    SubjectKind::Conversation,
    SubjectKind::Source,
    SubjectKind::Total,
    SubjectKind::Floor,
];

/// The metric table: everything that rules can look at, subject by subject.
pub fn metrics() -> Vec<MetricRow> {
    let windows =
        [Window::Now, Window::M15, Window::M30, Window::M60, Window::Today].map(|w| w.as_str().to_owned());
    let row = |subject: SubjectKind, name: &str, unit: &str, formula: &str| MetricRow {
        subject,
        name: name.to_owned(),
        unit: unit.to_owned(),
        formula: formula.to_owned(),
        direction: direction(name).to_owned(),
        windows: Vec::new(),
        words: Vec::new(),
    };
    let mut rows = Vec::new();
    for subject in SUBJECTS {
        for metric in metrics::TABLE.iter().filter(|m| m.subjects.contains(&subject)) {
            let (unit, words) = match metric.kind {
                ValueKind::Number(unit) => (word(unit), &[][..]),
                ValueKind::Words(words) => ("name", words),
                ValueKind::Text => ("text", &[][..]),
            };
            let words = words.iter().map(|w| (*w).to_owned()).collect();
            rows.push(MetricRow { words, ..row(subject, metric.name, unit, metric.formula) });
        }
        if !metrics::has_windows(subject) {
            continue;
        }
        let kept = model::metric::TABLE.iter().filter(|m| m.windowed);
        let windowed =
            kept.map(|m| (m.name, m.unit, m.formula)).chain(metrics::DERIVED_WINDOWED.iter().copied());
        rows.extend(windowed.map(|(name, unit, formula)| MetricRow {
            windows: windows.to_vec(),
            ..row(subject, name, word(unit), formula)
        }));
    }
    rows
}

fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Seconds => "seconds",
        Unit::Ratio => "ratio",
        Unit::Score => "score",
    }
}

/// Which way is worse: as the metric table says it, and for the figures that only rules have.
fn direction(name: &str) -> &'static str {
    match name {
        "waiting"
        | "longest_wait"
        | "average_wait"
        | "estimated_wait"
        | "wait"
        | "waiting_per_agent"
        | "slot_utilisation"
        | "agents_free_while_waiting"
        | "reply_age"
        | "lost_for"
        | "data_age"
        | "abandonment_rate"
        | "abandoned" => "more",
        "free_capacity" | "free_slots" | "agents_online" | "agents_available" => "less",
        _ => match model::metric::find(name).map(|m| m.direction) {
            Some(Direction::MoreIsWorse) => "more",
            Some(Direction::LessIsWorse) => "less",
            _ => "neutral",
        },
    }
}
