//! One row per entity and change, with the same columns for every kind.

use std::io::{Result, Write};

use serde_json::Value;

/// Columns that the row itself brings; the others are the entities' fields, as in the JSON.
const OWN: &[&str] = &["at", "change", "entity"];

const FIELDS: &[&str] = &[
    "source",
    "id",
    "name",
    "kind",
    "vendor",
    "health",
    "health_since",
    "last_data_at",
    "last_error",
    "retry_at",
    "clock_skew_s",
    "gaps",
    "waiting",
    "waiting_since",
    "longest_wait_s",
    "estimated_wait_s",
    "expected_at",
    "average_wait_s",
    "open",
    "free_capacity",
    "capacity",
    "agents_available",
    "agents_online",
    "presence",
    "presence_label",
    "presence_since",
    "presence_since_kind",
    "flags",
    "logged_in_at",
    "queues",
    "email",
    "state",
    "queue",
    "agents",
    "customer",
    "channel",
    "started_via",
    "started_via_label",
    "subject",
    "priority",
    "tags",
    "created_at",
    "answered_at",
    "ended_at",
    "outcome",
    "wait_s",
    "last_customer_message_at",
    "last_agent_message_at",
    "windows",
    "rule",
    "severity",
    "metric",
    "value",
    "limit",
    "unit",
    "fired_at",
    "reason",
];

const KINDS: &[(&str, &str)] = &[
    ("sources", "source"),
    ("queues", "queue"),
    ("agents", "agent"),
    ("conversations", "conversation"),
    ("totals", "totals"),
    ("alerts", "alert"),
];

pub(super) fn head(to: &mut dyn Write) -> Result<()> {
    let names: Vec<&str> = OWN.iter().chain(FIELDS).copied().collect();
    write!(to, "{}\r\n", names.join(","))
}

/// A whole document.
pub(super) fn snapshot(to: &mut dyn Write, document: &Value, at: &str) -> Result<()> {
    for (list, kind) in KINDS {
        for entity in document[*list].as_array().into_iter().flatten() {
            row(to, at, "is", kind, entity)?;
        }
    }
    Ok(())
}

/// A line of `watch --json`.
pub(super) fn line(to: &mut dyn Write, line: &Value, at: &str) -> Result<()> {
    match line["type"].as_str() {
        Some("snapshot") => snapshot(to, line, at),
        Some("change") => {
            snapshot(to, &line["upserts"], at)?;
            for (list, kind) in KINDS {
                for entity in line["removes"][*list].as_array().into_iter().flatten() {
                    row(to, at, "gone", kind, entity)?;
                }
            }
            Ok(())
        }
        Some("health") => row(to, at, "is", "source", &line["source"]),
        _ => Ok(()),
    }
}

fn row(to: &mut dyn Write, at: &str, change: &str, kind: &str, entity: &Value) -> Result<()> {
    let mut cells = vec![cell(at), change.to_owned(), kind.to_owned()];
    cells.extend(FIELDS.iter().map(|field| match entity.get(*field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => cell(text),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(list) => cell(&list.to_string()),
    }));
    write!(to, "{}\r\n", cells.join(","))
}

/// A cell of text. One that a spreadsheet would take for a formula gets an apostrophe in front.
pub(in crate::past) fn cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if risky { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', '\t']) || text.starts_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_formula_is_made_plain() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@home", "'@home"),
            ("\tx", "\"'\tx\""),
            ("\rx", "\"'\rx\""),
            ("=A1,\"b\"", "\"'=A1,\"\"b\"\"\""),
            ("a=b", "a=b"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_an_empty_cell_and_numbers_stay_numbers() {
        let document = serde_json::json!({"queues": [{"source": "a", "id": "1", "waiting": null, "open": 0, "average_wait_s": -1.5}]});
        let mut out = Vec::new();
        head(&mut out).unwrap();
        snapshot(&mut out, &document, "2026-01-31T09:30:00.000Z").unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let cells: Vec<&str> = lines.next().unwrap().split(',').collect();
        let of = |name: &str| cells[names.iter().position(|n| *n == name).unwrap()];
        assert_eq!(
            (of("entity"), of("waiting"), of("open"), of("average_wait_s")),
            ("queue", "", "0", "-1.5")
        );
    }
}
