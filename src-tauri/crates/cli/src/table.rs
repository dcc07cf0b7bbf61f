//! The floor as a table of text, from the same document that `--json` prints.

use std::fmt::Write;

use serde::Deserialize;

#[derive(Deserialize)]
struct Document {
    taken_at: String,
    sources: Vec<Source>,
    queues: Vec<Queue>,
    agents: Vec<Agent>,
    conversations: Vec<Conversation>,
    alerts: Vec<Alert>,
}
#[derive(Deserialize)]
struct Source {
    id: String,
    name: String,
    health: String,
    last_data_at: Option<String>,
    last_error: Option<String>,
    gaps: Vec<String>,
}
#[derive(Deserialize)]
struct Queue {
    source: String,
    name: String,
    waiting: Option<u32>,
    longest_wait_s: Option<f64>,
    open: Option<u32>,
    free_capacity: Option<u32>,
    agents_online: Option<u32>,
}
#[derive(Deserialize)]
struct Agent {
    presence: String,
}
#[derive(Deserialize)]
struct Conversation {
    state: String,
}
#[derive(Deserialize)]
struct Alert {
    severity: String,
    state: String,
    reason: String,
    subject: Subject,
}
#[derive(Deserialize)]
struct Subject {
    name: String,
}

/// At most so many columns for a name: vendors' names can be very long.
const NAME: usize = 32;

/// Sources, alerts, queues with the longest wait first, and the counts.
pub fn of_document(json: &str) -> String {
    match serde_json::from_str::<Document>(json) {
        Ok(document) => lay_out(document),
        Err(error) => format!("the state cannot be shown as a table ({error}); use --json"),
    }
}

fn lay_out(mut document: Document) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", document.taken_at);
    for source in &document.sources {
        let mark = if source.health == "live" { ' ' } else { '!' };
        let _ = write!(out, "{mark} {}  {}", clip(&source.name), source.health.to_uppercase());
        if source.health != "live"
            && let Some(at) = &source.last_data_at
        {
            let _ = write!(out, "  last data {at}");
        }
        if !source.gaps.is_empty() {
            let _ = write!(out, "  without {}", source.gaps.join(", "));
        }
        if let Some(error) = &source.last_error {
            let _ = write!(out, "  {}", plain(error));
        }
        out.push('\n');
    }
    for alert in document.alerts.iter().filter(|a| a.state == "firing" || a.state == "acked") {
        let shape = if alert.severity == "critical" { '◆' } else { '▲' };
        let _ = writeln!(out, "{shape} {}: {}", clip(&alert.subject.name), plain(&alert.reason));
    }
    document.queues.sort_by(|a, b| {
        b.longest_wait_s
            .unwrap_or(-1.0)
            .total_cmp(&a.longest_wait_s.unwrap_or(-1.0))
            .then(b.waiting.cmp(&a.waiting))
    });
    let not_live: Vec<&str> =
        document.sources.iter().filter(|s| s.health != "live").map(|s| s.id.as_str()).collect();
    let _ = writeln!(
        out,
        "{:<NAME$} {:>7} {:>8} {:>5} {:>5} {:>6}",
        "QUEUE", "WAITING", "LONGEST", "OPEN", "FREE", "ONLINE"
    );
    for queue in &document.queues {
        let old = if not_live.contains(&queue.source.as_str()) { "  old" } else { "" };
        let _ = writeln!(
            out,
            "{} {:>7} {:>8} {:>5} {:>5} {:>6}{old}",
            pad(&clip(&queue.name)),
            count(queue.waiting),
            queue.longest_wait_s.map_or_else(|| "–".to_owned(), wait),
            count(queue.open),
            count(queue.free_capacity),
            count(queue.agents_online),
        );
    }
    let online =
        document.agents.iter().filter(|a| !matches!(a.presence.as_str(), "offline" | "unknown")).count();
    let waiting = document.conversations.iter().filter(|c| c.state == "waiting").count();
    let _ = write!(
        out,
        "{online} of {} agents online · {waiting} of {} conversations wait",
        document.agents.len(),
        document.conversations.len()
    );
    out
}

fn count(value: Option<u32>) -> String {
    value.map_or_else(|| "–".to_owned(), |n| n.to_string())
}

fn wait(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    if s < 3600 {
        format!("{}:{:02}", s / 60, s % 60)
    } else {
        format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

/// Vendor text on a terminal: nothing that steers it.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_steering(c) { ' ' } else { c }).collect()
}

/// Marks that turn the direction of what follows.
fn is_steering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub fn clip(text: &str) -> String {
    let text = plain(text);
    if text.chars().count() <= NAME { text } else { text.chars().take(NAME - 1).chain(['…']).collect() }
}

fn pad(text: &str) -> String {
    let room = NAME.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(room))
}
