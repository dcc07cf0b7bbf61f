//! The floor as shown against the floor as it truly is.

use model::Vendor;
use serde_json::{Value, json};
use simulator::Truth;

/// What must be equal to the letter once a line has healed. Instants are left to the tests of the vendors:
/// somebody who joined late knows less of them.
const QUEUE: &[&str] = &["name", "waiting", "open", "capacity", "free_capacity", "agents_online"];
const AGENT: &[&str] = &["name", "presence", "open", "capacity", "queues"];
const CONVERSATION: &[&str] = &["state", "queue", "agents"];

/// The first difference, in words; `None` when there is none.
pub fn difference(floor: &Value, vendor: Vendor, truth: &Truth) -> Option<String> {
    rows(floor, vendor, "queues", QUEUE, truth.queues.iter().map(|r| json!(r)).collect())
        .or_else(|| rows(floor, vendor, "agents", AGENT, truth.agents.iter().map(|r| json!(r)).collect()))
        .or_else(|| {
            let wanted = truth.conversations.iter().map(|r| json!(r)).collect();
            rows(floor, vendor, "conversations", CONVERSATION, wanted)
        })
}

fn rows(floor: &Value, vendor: Vendor, kind: &str, fields: &[&str], wanted: Vec<Value>) -> Option<String> {
    let shown: Vec<&Value> = floor[kind]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|r| r["source"] == vendor.as_str() && r["state"] != "ended")
        .collect();
    for row in &shown {
        if !wanted.iter().any(|w| w["id"] == row["id"]) {
            return Some(format!("{kind} {} is shown and not there", row["id"]));
        }
    }
    for row in wanted {
        let Some(shown) = shown.iter().find(|s| s["id"] == row["id"]) else {
            return Some(format!("{kind} {} is there and not shown", row["id"]));
        };
        for field in fields {
            if shown[field] != row[field] {
                return Some(format!(
                    "{kind} {} {field}: shown {}, true {}",
                    row["id"], shown[field], row[field]
                ));
            }
        }
    }
    None
}
