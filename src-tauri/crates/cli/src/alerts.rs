//! `floorctl alerts`: what stands, and what happened. Reads `desk.db`, never writes it, connects to nothing.

use std::{fmt::Write, time::Duration};

use app::past::{AlertBook, alerts, alerts_csv};
use model::{AlertState, Severity, Transition};

use crate::{
    Exit,
    args::Global,
    offline::{data, failed, now, only, print_json},
    print,
    table::{clip, plain},
};

pub fn run(global: &Global, since: Duration, json: bool, csv: bool) -> Exit {
    let now = now();
    let only = match only(global) {
        Ok(only) => only,
        Err(exit) => return exit,
    };
    match alerts(&data(global), only.as_ref(), now.minus(since), now) {
        Ok(book) if json => print_json(&book),
        Ok(book) if csv => {
            let mut rows = Vec::new();
            // A vector takes everything.
            let _ = alerts_csv(&book, &mut rows);
            let rows = String::from_utf8_lossy(&rows);
            print(rows.strip_suffix('\n').unwrap_or(&rows));
            Exit::Good
        }
        Ok(book) => {
            print(&lay_out(&book));
            Exit::Good
        }
        Err(error) => failed(&error),
    }
}

fn lay_out(book: &AlertBook) -> String {
    let mut out = String::new();
    if book.alerts.is_empty() {
        let _ = writeln!(out, "no alert stands");
    }
    for alert in &book.alerts {
        let shape = if alert.severity == Severity::Critical { '◆' } else { '▲' };
        let since = alert.fired_at.or(alert.pending_since).map(|at| at.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "{shape} {:<10} {since}  {}: {}",
            state(alert.state),
            clip(&alert.rule),
            plain(&alert.reason)
        );
    }
    let _ = writeln!(out, "since {}", book.since);
    for line in &book.log {
        let who = line.actor.as_deref().map(|name| format!(" by {}", plain(name))).unwrap_or_default();
        let _ = writeln!(
            out,
            "{}  {:<11}{who}  {}: {}",
            line.at,
            word(line.transition),
            clip(&line.rule),
            plain(&line.reason)
        );
    }
    out.truncate(out.trim_end().len());
    out
}

fn state(state: AlertState) -> &'static str {
    match state {
        AlertState::Inactive => "inactive",
        AlertState::Pending => "pending",
        AlertState::Firing => "firing",
        AlertState::Acked => "acked",
        AlertState::Recovering => "recovering",
    }
}

fn word(transition: Transition) -> String {
    // The same words as in JSON.
    serde_json::to_value(transition).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
