//! What an alert says: one plain sentence with the figure and its limit.

use model::{SubjectKind, Unit};

use super::{
    MetricName, Reading,
    condition::{Compare, metric_text, number},
    language::duration_text,
};

/// The figure that decided, as an alert carries it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    pub metric: String,
    pub value: Option<f64>,
    pub limit: Option<f64>,
    pub unit: &'static str,
    pub n: Option<u32>,
    pub counts_from: Option<model::Timestamp>,
    pub reason: String,
}

/// What a sentence is made of.
pub(crate) struct Saying<'a> {
    pub subject: SubjectKind,
    pub name: &'a str,
    pub compare: &'a Compare,
    pub metric: MetricName,
    pub reading: &'a Reading,
    /// An agent's presence, where the rule reads it.
    pub presence: Option<&'a str>,
    /// While nothing can be said: what is missing. Then there is no figure.
    pub missing: Option<(MetricName, &'a Reading)>,
    /// "override for group “Billing”", or nothing.
    pub level: &'a str,
    pub now: model::Timestamp,
}

/// Puts figure and sentence together.
pub(crate) fn detail(s: &Saying<'_>) -> Detail {
    let value = number(s.reading, s.now).filter(|v| v.is_finite());
    let limit = s.compare.number();
    let value = value.filter(|_| s.missing.is_none());
    let n = match s.reading {
        Reading::Known { n, .. } if s.missing.is_none() => *n,
        _ => None,
    };
    let counts_from = match s.reading {
        Reading::CountingUp { since } | Reading::AtLeast { since } if s.missing.is_none() => Some(*since),
        _ => None,
    };
    Detail {
        metric: metric_text(s.metric).into_owned(),
        value: s.compare.unit.and(value),
        limit,
        unit: s.compare.unit.map_or("name", unit_text),
        n,
        counts_from,
        reason: sentence(s, limit),
    }
}

fn unit_text(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Seconds => "seconds",
        Unit::Ratio => "ratio",
        Unit::Score => "score",
    }
}

fn sentence(s: &Saying<'_>, limit: Option<f64>) -> String {
    if let Some((metric, reading)) = s.missing {
        let level = if s.level.is_empty() { String::new() } else { format!(" ({})", s.level) };
        let how = match reading {
            Reading::NotGiven => "is no longer told",
            _ => "is not known now",
        };
        return format!("{}: {} {how}{level}", s.name, words(metric));
    }
    let mut out = format!("{}: {}", s.name, figure(s));
    if let (Some(limit), Some(unit)) = (limit, s.compare.unit)
        && !is_plain(s, limit)
    {
        out.push_str(&format!(", limit {}", shown(limit, unit, s.metric.name)));
    }
    if let Reading::Known { n: Some(n), .. } = s.reading {
        out.push_str(&format!(" (n={n})"));
    }
    if !s.level.is_empty() {
        out.push_str(&format!(" ({})", s.level));
    }
    out
}

/// The sentence says it all: "nobody is online" needs no limit of 0.
fn is_plain(s: &Saying<'_>, limit: f64) -> bool {
    matches!(s.reading, Reading::Infinite { .. })
        || s.metric.name == "lost_for"
        || (limit == 0.0 && number(s.reading, s.now) == Some(0.0))
}

fn figure(s: &Saying<'_>) -> String {
    match s.reading {
        Reading::Infinite { reason } => return reason.clone(),
        Reading::Unknown => return format!("{} is not known now", words(s.metric)),
        Reading::NotGiven => return format!("{} is no longer told", words(s.metric)),
        Reading::Word(word) => {
            return match (s.metric.name, word.as_ref()) {
                ("denied", "true") => "sign-in or permission was refused".to_string(),
                ("denied", _) => "sign-in works".to_string(),
                (_, word) => format!("{} is {word}", words(s.metric)),
            };
        }
        _ => {}
    }
    let value = number(s.reading, s.now).unwrap_or(0.0);
    let unit = s.compare.unit.unwrap_or(Unit::Count);
    let mut text = shown(value, unit, s.metric.name);
    if matches!(s.reading, Reading::AtLeast { .. }) {
        text = format!("at least {text}");
    }
    if s.metric.window.is_some() {
        return format!("{} is {text}", words(s.metric));
    }
    let one = value == 1.0;
    match (s.subject, s.metric.name) {
        (_, "longest_wait") if value == 0.0 => "nobody waits".to_string(),
        (_, "longest_wait") => format!("someone has waited {text}"),
        (SubjectKind::Conversation, "wait") => format!("has waited {text}"),
        (_, "waiting") if value == 0.0 => "nobody waits".to_string(),
        (_, "waiting") => format!("{text} {}", if one { "person waits" } else { "people wait" }),
        (_, "waiting_per_agent") => format!("{text} people wait per agent online"),
        (_, "agents_online") if value == 0.0 => "nobody is online".to_string(),
        (_, "agents_online") => format!("{text} {} online", if one { "agent is" } else { "agents are" }),
        (_, "agents_available") if value == 0.0 => "nobody is available".to_string(),
        (_, "free_slots" | "free_capacity") if value == 0.0 => "no free slot".to_string(),
        (_, "agents_free_while_waiting") if value == 0.0 => "not free while people wait".to_string(),
        (_, "agents_free_while_waiting") => format!("has been free for {text} while people wait"),
        (_, "reply_age") if value == 0.0 => "answered".to_string(),
        (_, "reply_age") => format!("the customer has waited {text} for a reply"),
        (SubjectKind::Agent, "time_in_presence") => match s.presence {
            Some("unknown") | None => format!("has not changed presence for {text}"),
            Some(presence) => format!("{presence} for {text}"),
        },
        (_, "lost_for") if value == 0.0 => "data arrives again".to_string(),
        (_, "lost_for") => format!("no fresh data for {text}"),
        (_, "data_age") => format!("the last data is {text} old"),
        _ => format!("{} is {text}", words(s.metric)),
    }
}

/// `abandonment_rate@30m` as words: "abandonment rate (30m)".
fn words(metric: MetricName) -> String {
    let name = metric.name.replace('_', " ");
    match metric.window {
        None => name,
        Some(window) => format!("{name} ({})", window.as_str()),
    }
}

/// A number with its unit, as people read it.
fn shown(value: f64, unit: Unit, name: &str) -> String {
    let plain = |v: f64| {
        let text = format!("{v:.1}");
        text.strip_suffix(".0").map(str::to_string).unwrap_or(text)
    };
    match unit {
        Unit::Seconds => duration_text(value),
        Unit::Ratio if name != "waiting_per_agent" => format!("{} %", plain(value * 100.0)),
        _ => plain(value),
    }
}
