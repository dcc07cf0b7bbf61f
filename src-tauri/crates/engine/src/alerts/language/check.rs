//! Names, units and windows against the closed metric table.

use std::ops::Range;

use model::{SubjectKind, Unit, Window, metric};

use super::{
    Fault, closest,
    lexer::{Op, Spanned, Token},
    parse::{Syntax, parse, single_value},
};
use crate::alerts::{
    MetricName,
    condition::{Compare, Expr, Limit, default_clear},
    metrics::{self, ValueKind},
};

/// What a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// `when` or `critical`: comparisons get clear values.
    Fire,
    /// `clear`: tested strictly.
    Clear,
}

/// Reads and checks a condition. `subject`: what the rule is about, once known. Metrics that it reads
/// are added to `reads`.
pub(crate) fn condition(
    text: &str,
    field: Field,
    subject: &mut Option<SubjectKind>,
    reads: &mut Vec<MetricName>,
) -> Result<Expr, Fault> {
    expression(&parse(text)?, field, subject, reads)
}

/// The number of a bare value (`clear = "45s"`), when the text is one; units checked against `like`.
pub(crate) fn bare_limit(text: &str, like: &Compare, name: &str) -> Option<Result<f64, Fault>> {
    let value = single_value(text)?;
    Some(match like.unit {
        Some(unit) => number(&value, unit, name),
        None => Err(Fault::new(value.1, "this rule compares words; leave `clear` out or write a condition")),
    })
}

fn expression(
    syntax: &Syntax,
    field: Field,
    subject: &mut Option<SubjectKind>,
    reads: &mut Vec<MetricName>,
) -> Result<Expr, Fault> {
    let mut each = |parts: &[Syntax]| -> Result<Vec<Expr>, Fault> {
        parts.iter().map(|p| expression(p, field, subject, reads)).collect()
    };
    match syntax {
        Syntax::And(parts) => Ok(Expr::And(each(parts)?)),
        Syntax::Or(parts) => Ok(Expr::Or(each(parts)?)),
        Syntax::Compare { metric, op, op_span, value } => {
            let (kind, name) = lookup(metric, subject)?;
            let at = reads.iter().position(|m| *m == name).unwrap_or_else(|| {
                reads.push(name);
                reads.len() - 1
            });
            compare(at, kind, name, (*op, op_span), value, field).map(Expr::Compare)
        }
    }
}

fn compare(
    at: usize,
    kind: ValueKind,
    name: MetricName,
    (op, op_span): (Op, &Range<usize>),
    value: &Spanned,
    field: Field,
) -> Result<Compare, Fault> {
    let sampled = name.window.is_some();
    match kind {
        ValueKind::Number(unit) => {
            let limit = number(value, unit, name.name)?;
            let is_share = is_share(unit, name.name);
            let clear = (field == Field::Fire).then(|| default_clear(op, limit, is_share)).flatten();
            if field == Field::Fire {
                sensible(op, limit, unit, name.name, &value.1)?;
            } else {
                reachable(op, limit, unit, is_share, name.name, &value.1)?;
            }
            Ok(Compare { metric: at, unit: Some(unit), op, limit: Limit::Number(limit), clear, sampled })
        }
        ValueKind::Words(_) | ValueKind::Text => {
            if !matches!(op, Op::Eq | Op::Ne) {
                return Err(Fault::new(
                    op_span.clone(),
                    format!("{} is a word and has no order; compare it with == or !=", name.name),
                ));
            }
            let limit = Limit::Word(word(value, kind, name.name)?);
            Ok(Compare { metric: at, unit: None, op, limit, clear: None, sampled: false })
        }
    }
}

/// A condition that holds whatever the figure is, or never, is a slip. (`>= 0` holds once the figure is told.)
fn sensible(op: Op, limit: f64, unit: Unit, name: &str, span: &Range<usize>) -> Result<(), Fault> {
    if unit == Unit::Score || name == "clock_skew" {
        return Ok(());
    }
    let never = match op {
        Op::Lt => limit <= 0.0,
        Op::Le | Op::Eq => limit < 0.0,
        _ => false,
    };
    let always = limit < 0.0 && (op.is_rising() || op == Op::Ne);
    if !never && !always {
        return Ok(());
    }
    let holds = if never { "never" } else { "always" };
    Err(Fault::new(span.clone(), format!("this holds {holds}: {name} is never below 0")))
}

/// A recovery condition that can never hold would keep an alert for ever.
fn reachable(
    op: Op,
    limit: f64,
    unit: Unit,
    is_share: bool,
    name: &str,
    span: &Range<usize>,
) -> Result<(), Fault> {
    let below = op.is_falling() && limit <= 0.0 && name != "clock_skew" && unit != Unit::Score;
    let above = op.is_rising() && is_share && limit >= 1.0;
    if below || above {
        let side = if below { "below 0" } else { "above 100 %" };
        return Err(Fault::new(span.clone(), format!("this clears never: {name} is never {side}")));
    }
    Ok(())
}

/// A ratio that lies between 0 and 1.
pub(crate) fn is_share(unit: Unit, name: &str) -> bool {
    unit == Unit::Ratio && name != "waiting_per_agent"
}

fn number(value: &Spanned, unit: Unit, name: &str) -> Result<f64, Fault> {
    let wrong = |sentence: String| Err(Fault::new(value.1.clone(), sentence));
    match (&value.0, unit) {
        (Token::Duration(ms), Unit::Seconds) => Ok(*ms as f64 / 1000.0),
        (Token::Number(n), Unit::Seconds) => {
            wrong(format!("{name} is a duration; write it with a unit: {n}s"))
        }
        (_, Unit::Seconds) => wrong(format!("{name} is a duration; write it like 90s or 2m30s")),
        (Token::Percent(p), Unit::Ratio) => share(*p, name, value),
        (Token::Number(n), Unit::Ratio) => share(*n, name, value),
        (_, Unit::Ratio) => wrong(format!("{name} is a ratio; write it like 80% or 0.8")),
        (Token::Number(n), _) => Ok(*n),
        (Token::Percent(_), _) => wrong(format!("{name} is a number, not a percentage; leave out the %")),
        (Token::Duration(_), _) => wrong(format!("{name} is a number, not a duration; leave out the unit")),
        _ => wrong(format!("{name} is a number; write it like 5")),
    }
}

fn share(n: f64, name: &str, value: &Spanned) -> Result<f64, Fault> {
    let bounded = is_share(Unit::Ratio, name);
    if bounded && !(0.0..=1.0).contains(&n) {
        let hint = match value.0 {
            Token::Number(n) if (1.0..=100.0).contains(&n) => format!("; did you mean {n}%?"),
            _ => String::new(),
        };
        return Err(Fault::new(value.1.clone(), format!("{name} lies between 0% and 100%{hint}")));
    }
    Ok(n)
}

fn word(value: &Spanned, kind: ValueKind, name: &str) -> Result<String, Fault> {
    let (Token::Word(text) | Token::Quoted(text)) = &value.0 else {
        let sentence = match kind {
            ValueKind::Words(words) => format!("{name} is a word: {}", words.join(", ")),
            _ => format!("{name} is a text; write it in quotation marks"),
        };
        return Err(Fault::new(value.1.clone(), sentence));
    };
    let ValueKind::Words(words) = kind else { return Ok(text.clone()) };
    if words.contains(&text.as_str()) {
        return Ok(text.clone());
    }
    let hint = match closest(text, words.iter().copied()) {
        Some(found) => format!("; did you mean {found}?"),
        None => format!("; it is one of {}", words.join(", ")),
    };
    Err(Fault::new(value.1.clone(), format!("{name} is never “{}”{hint}", clip(text))))
}

const SUBJECTS: &[(&str, SubjectKind)] = &[
    ("queue", SubjectKind::Queue),
    ("agent", SubjectKind::Agent),
    ("conversation", SubjectKind::Conversation),
    ("source", SubjectKind::Source),
    ("total", SubjectKind::Total),
    ("floor", SubjectKind::Floor),
];

/// The subject's name in rules.
pub(crate) fn subject_text(kind: SubjectKind) -> &'static str {
    SUBJECTS.iter().find(|(_, k)| *k == kind).map_or("floor", |(n, _)| n)
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

fn lookup(metric: &Spanned, rule: &mut Option<SubjectKind>) -> Result<(ValueKind, MetricName), Fault> {
    let Token::Metric { subject, name, window } = &metric.0 else {
        return Err(Fault::new(metric.1.clone(), "a metric is missing here"));
    };
    let start = metric.1.start;
    let subject_span = start..start + subject.len();
    let name_span = subject_span.end + 1..subject_span.end + 1 + name.len();
    let Some(kind) = SUBJECTS.iter().find(|(n, _)| n == subject).map(|(_, k)| *k) else {
        let hint = closest(subject, SUBJECTS.iter().map(|(n, _)| *n)).map_or_else(
            || "it is one of queue, agent, conversation, source, total, floor".to_string(),
            |found| format!("did you mean {found}?"),
        );
        return Err(Fault::new(subject_span, format!("“{}” is no subject; {hint}", clip(subject))));
    };
    if let Some(other) = rule.filter(|r| *r != kind) {
        return Err(Fault::new(
            subject_span,
            format!("a rule looks at one subject; this one is about {}", subject_text(other)),
        ));
    }
    let found = match window {
        None => plain(kind, name, name_span)?,
        Some(window) => windowed(kind, name, window, &name_span, metric.1.end)?,
    };
    *rule = Some(kind);
    Ok(found)
}

fn plain(kind: SubjectKind, name: &str, span: Range<usize>) -> Result<(ValueKind, MetricName), Fault> {
    // The JSON's `longest_wait_s` is the rules' `longest_wait`.
    let found =
        metrics::find(kind, name).or_else(|| name.strip_suffix("_s").and_then(|n| metrics::find(kind, n)));
    if let Some(found) = found {
        return Ok((found.kind, MetricName { name: found.name, window: None }));
    }
    if metrics::has_windows(kind) && window_metric(name).is_some() {
        return Err(Fault::new(span, format!("{name} needs a window: {name}@15m, @30m, @60m or @today")));
    }
    Err(no_such(kind, name, span))
}

fn no_such(kind: SubjectKind, name: &str, span: Range<usize>) -> Fault {
    let subject = subject_text(kind);
    let own: Vec<&str> =
        metrics::TABLE.iter().filter(|m| m.subjects.contains(&kind)).map(|m| m.name).collect();
    let windowed = window_names().filter(|_| metrics::has_windows(kind));
    let hint = match closest(name, own.iter().copied().chain(windowed)) {
        Some(found) if own.contains(&found) => format!("did you mean {subject}.{found}?"),
        Some(found) => format!("did you mean {subject}.{found}@30m?"),
        None => match metrics::TABLE.iter().find(|m| m.name == name) {
            Some(m) => format!(
                "{} has it",
                m.subjects.iter().map(|s| subject_text(*s)).collect::<Vec<_>>().join(", ")
            ),
            None => format!("it has {}", own.join(", ")),
        },
    };
    Fault::new(span, format!("{subject} has no metric “{}”; {hint}", clip(name)))
}

fn window_metric(name: &str) -> Option<(&'static str, Unit)> {
    metric::find(name).map(|m| (m.name, m.unit)).or_else(|| {
        metrics::DERIVED_WINDOWED.iter().find(|(n, ..)| *n == name).map(|(n, unit, _)| (*n, *unit))
    })
}

fn window_names() -> impl Iterator<Item = &'static str> {
    metric::TABLE.iter().map(|m| m.name).chain(metrics::DERIVED_WINDOWED.iter().map(|(n, ..)| *n))
}

fn windowed(
    kind: SubjectKind,
    name: &str,
    window: &str,
    span: &Range<usize>,
    end: usize,
) -> Result<(ValueKind, MetricName), Fault> {
    let window_span = span.end + 1..end;
    if !metrics::has_windows(kind) {
        let sentence =
            format!("{} has no windowed figures; leave out “@{}”", subject_text(kind), clip(window));
        return Err(Fault::new(window_span, sentence));
    }
    let Some((known, unit)) = window_metric(name) else {
        if metrics::find(kind, name).is_some() {
            return Err(Fault::new(
                window_span,
                format!("{name} is a figure of this moment and has no window"),
            ));
        }
        return Err(no_such(kind, name, span.clone()));
    };
    let Some(parsed) = Window::parse(window) else {
        let hint = if window == "1h" { "; did you mean 60m?" } else { "; it is now, 15m, 30m, 60m or today" };
        return Err(Fault::new(window_span, format!("“{}” is no window{hint}", clip(window))));
    };
    Ok((ValueKind::Number(unit), MetricName { name: known, window: Some(parsed) }))
}
