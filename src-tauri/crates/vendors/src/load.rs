//! What a queue's figures are made of where a vendor tells its conversations one by one: kept up to date
//! by what changes, so that a change costs the same on a floor of ten and of ten thousand.

use std::collections::BTreeSet;

use model::{Conversation, ConversationState, Id, Timestamp};

/// Conversations of one queue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Load {
    waiting: BTreeSet<(Option<Timestamp>, Id)>,
    /// Sum of the known beginnings, ms.
    sum_ms: i128,
    /// Waiting since nobody knows when.
    undated: usize,
    active: u32,
}

/// Whether two rows of one conversation count the same in its queue. Most changes are of names, tags and
/// messages: they do.
pub(crate) fn weighs_the_same(a: &Conversation, b: &Conversation) -> bool {
    a.state == b.state && (a.state != ConversationState::Waiting || a.waiting_since == b.waiting_since)
}

impl Load {
    pub fn add(&mut self, c: &Conversation) {
        match c.state {
            ConversationState::Waiting => {
                if self.waiting.insert((c.waiting_since, c.id.clone())) {
                    self.sum_ms += c.waiting_since.map_or(0, |at| i128::from(at.as_ms()));
                    self.undated += usize::from(c.waiting_since.is_none());
                }
            }
            ConversationState::Active => self.active += 1,
            ConversationState::Ended => {}
        }
    }
    pub fn take(&mut self, c: &Conversation) {
        match c.state {
            ConversationState::Waiting => {
                if self.waiting.remove(&(c.waiting_since, c.id.clone())) {
                    self.sum_ms -= c.waiting_since.map_or(0, |at| i128::from(at.as_ms()));
                    self.undated -= usize::from(c.waiting_since.is_none());
                }
            }
            ConversationState::Active => self.active = self.active.saturating_sub(1),
            ConversationState::Ended => {}
        }
    }
    /// How many wait.
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.waiting.len()).unwrap_or(u32::MAX)
    }
    /// How many are being handled.
    pub fn active(&self) -> u32 {
        self.active
    }
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.active == 0
    }
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
    /// The oldest known beginning.
    pub fn oldest(&self) -> Option<Timestamp> {
        // Unknown beginnings sort first; the oldest known one follows.
        self.waiting.iter().find_map(|(at, _)| *at)
    }
    /// Mean wait of those waiting at this moment, seconds; `None` when nobody waits or one began nobody
    /// knows when.
    pub fn average_wait_s(&self, seen: Timestamp) -> Option<f64> {
        if self.waiting.is_empty() || self.undated > 0 {
            return None;
        }
        let mean_start = self.sum_ms / i128::try_from(self.waiting.len()).ok()?;
        let wait_ms = (i128::from(seen.as_ms()) - mean_start).max(0);
        Some(wait_ms as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(id: &str, since_s: Option<i64>, state: ConversationState) -> Conversation {
        serde_json::from_value(serde_json::json!({
            "source": "s", "id": id, "queue": null, "agents": [], "state": state, "channel": null, "started_via": null,
            "started_via_label": null, "customer": null, "subject": null, "created_at": null,
            "waiting_since": since_s.map(|s| Timestamp::from_ms(s * 1000)), "answered_at": null, "ended_at": null,
            "expected_at": null, "last_customer_message_at": null, "last_agent_message_at": null, "outcome": null,
            "tags": null, "priority": null,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_taken_away_leaves_nothing_behind() {
        use ConversationState::{Active, Ended, Waiting};
        let rows = [
            conversation("a", Some(100), Waiting),
            conversation("b", Some(40), Waiting),
            conversation("c", None, Active),
            conversation("d", None, Ended),
        ];
        let mut load = Load::default();
        // The same row twice is one.
        rows.iter().chain(&rows[..2]).for_each(|row| load.add(row));
        let seen = Timestamp::from_ms(130_000);
        assert_eq!((load.waiting(), load.active(), load.oldest()), (2, 1, rows[1].waiting_since));
        assert_eq!(load.average_wait_s(seen), Some(60.0));
        load.add(&conversation("e", None, Waiting));
        assert_eq!((load.waiting(), load.average_wait_s(seen)), (3, None), "one began nobody knows when");
        assert_eq!(load.oldest(), rows[1].waiting_since);
        load.take(&conversation("e", None, Waiting));
        rows.iter().for_each(|row| load.take(row));
        assert!(load.is_empty() && load.oldest().is_none() && load.average_wait_s(seen).is_none());
    }
}
