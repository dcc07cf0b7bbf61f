//! Recovery conditions: reachable, and on the safe side of the limit.

use super::About;
use crate::alerts::{
    MetricName, RuleError,
    condition::{Compare, Expr, Limit},
    language::{Op, bare_limit, is_share, single_value},
};

/// `clear = "45s"`: the clear value of the rule's only comparison. False when the text is no bare value.
pub(super) fn bare_clear(
    about: About<'_>,
    field: &str,
    text: &str,
    when: &mut Expr,
    reads: &[MetricName],
) -> Result<bool, RuleError> {
    let Expr::Compare(compare) = when else {
        return match single_value(text) {
            Some(_) => Err(about.sentence(
                field,
                text,
                "a bare value works only with one comparison; write a condition, like queue.waiting < 2",
            )),
            None => Ok(false),
        };
    };
    let name = reads.get(compare.metric).map_or("", |m| m.name);
    let Some(value) = bare_limit(text, compare, name) else { return Ok(false) };
    let value = value.map_err(|fault| about.error(field, text, fault))?;
    if let (Limit::Number(limit), true) = (&compare.limit, compare.op.is_rising() || compare.op.is_falling())
    {
        safe_side(about, field, text, compare.op, *limit, value)?;
        let share = compare.unit.is_some_and(|u| is_share(u, name));
        let never = (compare.op.is_rising() && value <= 0.0 && name != "clock_skew")
            || (compare.op.is_falling() && share && value >= 1.0);
        if never {
            let sentence = format!("this clears never: {name} would have to be strictly past it");
            return Err(about.sentence(field, text, sentence));
        }
        compare.clear = Some(value);
        return Ok(true);
    }
    Err(about.sentence(field, text, "write `clear` as a condition here"))
}

fn safe_side(
    about: About<'_>,
    field: &str,
    text: &str,
    op: Op,
    limit: f64,
    clear: f64,
) -> Result<(), RuleError> {
    let safe = if op.is_rising() { clear <= limit } else { clear >= limit };
    if safe {
        return Ok(());
    }
    let side = if op.is_rising() { "below" } else { "above" };
    Err(about.sentence(
        field,
        text,
        format!(
            "the clear value must lie {side} the limit of {} {limit}, or the alert clears while it fires",
            op.as_str()
        ),
    ))
}

/// A recovery condition must not be able to hold while the rule itself does.
pub(super) fn is_safe(
    about: About<'_>,
    field: &str,
    text: &str,
    when: &Expr,
    clear: &Expr,
    reads: &[MetricName],
) -> Result<(), RuleError> {
    if when == clear {
        return Err(about.sentence(
            field,
            text,
            "the rule would clear while it fires: this is its own condition",
        ));
    }
    let Some((when, clear)) = overlapping(when, clear) else { return Ok(()) };
    if let (Limit::Number(limit), Limit::Number(value)) = (&when.limit, &clear.limit) {
        both(about, field, text, when, clear, (*limit, *value), reads)?;
    }
    Err(about.sentence(field, text, "this can hold while the rule itself holds"))
}

/// A comparison of the condition and one of the recovery condition about the same metric that can hold at
/// once, with nothing else in either that would keep them apart.
fn overlapping<'a>(when: &'a Expr, clear: &'a Expr) -> Option<(&'a Compare, &'a Compare)> {
    match (when, clear) {
        (Expr::Compare(when), Expr::Compare(clear)) => {
            (when.metric == clear.metric && overlap(when, clear)).then_some((when, clear))
        }
        (Expr::Or(parts), _) => parts.iter().find_map(|part| overlapping(part, clear)),
        (_, Expr::Or(parts)) => parts.iter().find_map(|part| overlapping(when, part)),
        (Expr::And(parts), _) if !parts.iter().any(|part| apart(part, clear)) => {
            parts.iter().find_map(|part| overlapping(part, clear))
        }
        (_, Expr::And(parts)) if !parts.iter().any(|part| apart(when, part)) => {
            parts.iter().find_map(|part| overlapping(when, part))
        }
        _ => None,
    }
}

/// Whether two conditions can never hold at once, as far as one comparison of each tells.
fn apart(when: &Expr, clear: &Expr) -> bool {
    match (when, clear) {
        (Expr::Compare(when), Expr::Compare(clear)) => when.metric == clear.metric && !overlap(when, clear),
        (Expr::Or(parts), _) => parts.iter().all(|part| apart(part, clear)),
        (_, Expr::Or(parts)) => parts.iter().all(|part| apart(when, part)),
        (Expr::And(parts), _) => parts.iter().any(|part| apart(part, clear)),
        (_, Expr::And(parts)) => parts.iter().any(|part| apart(when, part)),
    }
}

/// Whether some value of their metric makes both hold; the recovery condition is strict.
fn overlap(when: &Compare, clear: &Compare) -> bool {
    match (&when.limit, &clear.limit) {
        (Limit::Number(limit), Limit::Number(value)) => {
            let (limit, value) = (*limit, *value);
            let strict = |op: Op, at: f64, of: f64| match op {
                op if op.is_rising() => at > of,
                op if op.is_falling() => at < of,
                Op::Ne => at != of,
                _ => at == of,
            };
            match (when.op, clear.op) {
                (Op::Ge | Op::Le, Op::Eq) => value == limit || strict(when.op, value, limit),
                (Op::Eq, op) => strict(op, limit, value),
                (op, Op::Eq) => strict(op, value, limit),
                (Op::Ne, _) | (_, Op::Ne) => true,
                (op, other) if op.is_rising() == other.is_rising() => true,
                (op, _) => strict(op, value, limit),
            }
        }
        (Limit::Word(a), Limit::Word(b)) => match (when.op, clear.op) {
            (Op::Eq, Op::Eq) => a == b,
            (Op::Ne, Op::Ne) => true,
            _ => a != b,
        },
        _ => false,
    }
}

fn both(
    about: About<'_>,
    field: &str,
    text: &str,
    when: &Compare,
    clear: &Compare,
    (limit, value): (f64, f64),
    reads: &[MetricName],
) -> Result<(), RuleError> {
    let same_way =
        (when.op.is_rising() && clear.op.is_rising()) || (when.op.is_falling() && clear.op.is_falling());
    if same_way {
        let name = reads.get(when.metric).map_or("", |m| m.name);
        let (bad, good) = if when.op.is_rising() { ("above", "<") } else { ("below", ">") };
        return Err(about.sentence(
            field,
            text,
            format!("{name} fires {bad} its limit, so it clears the other way; write {good}"),
        ));
    }
    if (when.op.is_rising() && clear.op.is_falling()) || (when.op.is_falling() && clear.op.is_rising()) {
        return safe_side(about, field, text, when.op, limit, value);
    }
    Ok(())
}

/// A critical must not outlast the value at which the whole alert clears.
pub(super) fn cap_critical(critical: Option<&mut Expr>, when: &Expr, clear: Option<&Expr>) {
    let (Some(Expr::Compare(critical)), Expr::Compare(when)) = (critical, when) else { return };
    if critical.metric != when.metric {
        return;
    }
    let end = match clear {
        Some(Expr::Compare(Compare { metric, limit: Limit::Number(n), .. })) if *metric == when.metric => {
            Some(*n)
        }
        Some(_) => None,
        None => when.clear,
    };
    if let (Some(own), Some(end)) = (critical.clear, end) {
        critical.clear = Some(if critical.op.is_rising() { own.max(end) } else { own.min(end) });
    }
}
