//! What a notice says.

use model::{Alert, Severity, Timestamp};

use super::Why;
use crate::alerts::language::duration_text;

/// So many reasons are named in a summary.
const NAMED: usize = 3;

/// One line.
pub(super) fn title(alert: &Alert, why: Why) -> String {
    let word = match (why, alert.severity) {
        (Why::Flapping, _) => "Flapping",
        (_, Severity::Critical) => "Critical",
        (_, Severity::Warning) => "Warning",
    };
    format!("{word}: {}", alert.rule)
}

/// What it says below the line.
pub(super) fn body(alert: &Alert, why: Why, now: Timestamp) -> String {
    let lasts = alert.fired_at.map(|at| duration_text(now.seconds_since(at).max(0.0)));
    match (why, lasts) {
        (Why::Flapping, _) => {
            format!("{}. It fires and clears again and again; it is held until it stays quiet.", alert.reason)
        }
        (Why::Repeat | Why::AckEnded | Why::SnoozeEnded, Some(lasts)) => {
            format!("{}. Firing for {lasts}.", alert.reason)
        }
        _ => alert.reason.clone(),
    }
}

/// Line and text of several together.
pub(super) fn summary(told: &[(Alert, Why)]) -> (String, String) {
    let critical = told.iter().filter(|(a, _)| a.severity == Severity::Critical).count();
    let title = match critical {
        0 => format!("{} warnings", told.len()),
        n if n == told.len() => format!("{n} critical alerts"),
        n => format!("{} alerts, {n} critical", told.len()),
    };
    // What several of them say is said once.
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for (alert, _) in told {
        if let Some((_, times)) = reasons.iter_mut().find(|(reason, _)| *reason == alert.reason) {
            *times += 1;
        } else if reasons.len() < NAMED {
            reasons.push((&alert.reason, 1));
        }
    }
    let said: usize = reasons.iter().map(|(_, times)| times).sum();
    let line = |(reason, times): (&str, usize)| match times {
        1 => reason.to_owned(),
        n => format!("{reason} ({n} times)"),
    };
    let mut lines: Vec<String> = reasons.into_iter().map(line).collect();
    if told.len() > said {
        lines.push(format!("and {} more", told.len() - said));
    }
    (title, lines.join("\n"))
}
