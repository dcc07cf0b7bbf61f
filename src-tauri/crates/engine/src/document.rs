//! The floor as other people's programs read it: the JSON of the contract, part 4, to the letter.

mod lines;

use std::sync::Arc;

use model::{Agent, Alert, Conversation, ConversationState, Outcome, Queue, Source, Timestamp, Totals};
use serde::Serialize;

pub use lines::{
    Line, Removed, Removes, Upserts, change_line, end_line, line_list, lines, past_change, snapshot_line,
};

use crate::{effects::Entity, world::World};

/// The number that all documents of this shape carry.
pub const CONTRACT: u32 = 1;

/// A queue with the durations that hold at the document's instant.
#[derive(Clone, Debug, Serialize)]
pub struct QueueDocument {
    #[allow(missing_docs)]
    #[serde(flatten)]
    pub queue: Arc<Queue>,
    /// Seconds that the oldest has waited; 0 when nobody waits.
    pub longest_wait_s: Option<f64>,
    /// Seconds until the next one in is expected to be served.
    pub estimated_wait_s: Option<f64>,
}

/// A conversation with the durations that hold at the document's instant.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationDocument {
    #[allow(missing_docs)]
    #[serde(flatten)]
    pub conversation: Arc<Conversation>,
    /// Seconds of queue wait, see [`wait_s`].
    pub wait_s: Option<f64>,
    /// Seconds until it is expected to be served, while it waits.
    pub estimated_wait_s: Option<f64>,
}

/// The whole state at one instant.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub contract: u32,
    pub taken_at: Timestamp,
    pub revision: u64,
    pub sources: Vec<Source>,
    pub queues: Vec<QueueDocument>,
    pub agents: Vec<Arc<Agent>>,
    pub conversations: Vec<ConversationDocument>,
    pub totals: Vec<Arc<Totals>>,
    pub alerts: Vec<Alert>,
}

/// The whole state as JSON.
pub fn snapshot(world: &World, now: Timestamp) -> String {
    text(&take(world, now))
}

/// The whole state, sorted by source and id.
pub fn take(world: &World, now: Timestamp) -> Snapshot {
    let mut upserts = Upserts::default();
    for entity in world.entities() {
        upserts.take(entity, world, now);
    }
    upserts.sort();
    let mut sources: Vec<Source> = world.sources().cloned().collect();
    sources.sort_by(|a, b| a.id.cmp(&b.id));
    let mut alerts = world.alerts();
    alerts.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
    Snapshot {
        contract: CONTRACT,
        taken_at: now,
        revision: world.revision(),
        sources,
        queues: upserts.queues,
        agents: upserts.agents,
        conversations: upserts.conversations,
        totals: upserts.totals,
        alerts,
    }
}

/// The state of an earlier instant from rows as they were kept, with the durations that held then.
pub fn past(
    mut sources: Vec<Source>,
    entities: impl IntoIterator<Item = Entity>,
    mut alerts: Vec<Alert>,
    revision: u64,
    at: Timestamp,
) -> Snapshot {
    let mut upserts = Upserts::default();
    for entity in entities {
        let source = entity.key().source;
        let skew_s = sources.iter().find(|s| s.id == source).and_then(|s| s.clock_skew_s).unwrap_or(0.0);
        upserts.put(entity, skew_s, at);
    }
    upserts.sort();
    sources.sort_by(|a, b| a.id.cmp(&b.id));
    alerts.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
    Snapshot {
        contract: CONTRACT,
        taken_at: at,
        revision,
        sources,
        queues: upserts.queues,
        agents: upserts.agents,
        conversations: upserts.conversations,
        totals: upserts.totals,
        alerts,
    }
}

/// The documents have text keys and finite depth, so that writing them cannot fail.
fn text(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

impl Upserts {
    /// Adds a row with its durations at `now`.
    fn take(&mut self, entity: Entity, world: &World, now: Timestamp) {
        let source = entity.key().source;
        let skew_s = world.source(&source).and_then(|s| s.clock_skew_s).unwrap_or(0.0);
        self.put(entity, skew_s, now);
    }

    fn put(&mut self, entity: Entity, skew_s: f64, now: Timestamp) {
        match entity {
            Entity::Queue(queue) => {
                self.queues.push(QueueDocument {
                    longest_wait_s: longest_wait_s(&queue, skew_s, now),
                    estimated_wait_s: until_s(queue.expected_at, skew_s, now),
                    queue,
                });
            }
            Entity::Agent(agent) => self.agents.push(agent),
            Entity::Conversation(conversation) => {
                let waits = conversation.state == ConversationState::Waiting;
                self.conversations.push(ConversationDocument {
                    wait_s: wait_s(&conversation, skew_s, now),
                    estimated_wait_s: until_s(conversation.expected_at.filter(|_| waits), skew_s, now),
                    conversation,
                });
            }
            Entity::Totals(totals) => self.totals.push(totals),
        }
    }

    fn sort(&mut self) {
        self.queues.sort_by(|a, b| (&a.queue.source, &a.queue.id).cmp(&(&b.queue.source, &b.queue.id)));
        self.agents.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
        self.conversations.sort_by(|a, b| {
            let (a, b) = (&a.conversation, &b.conversation);
            (&a.source, &a.id).cmp(&(&b.source, &b.id))
        });
        self.totals.sort_by(|a, b| a.source.cmp(&b.source));
    }
}

/// Seconds that the oldest in a queue has waited at `now` (our clock). Nobody waiting is 0; `None` when it
/// is not known. `skew_s` is the server's clock minus ours.
pub fn longest_wait_s(queue: &Queue, skew_s: f64, now: Timestamp) -> Option<f64> {
    match (queue.waiting, queue.waiting_since) {
        (Some(0), _) => Some(0.0),
        (_, Some(since)) => Some(now.plus_seconds(skew_s).seconds_since(since).max(0.0)),
        (_, None) => None,
    }
}

/// Seconds that a conversation has waited, or did wait, in its queue: from entering the queue to a person
/// joining, or to its end when nobody did. `None` when the start or the answer was not seen.
pub fn wait_s(conversation: &Conversation, skew_s: f64, now: Timestamp) -> Option<f64> {
    let c = conversation;
    let since = c.waiting_since?;
    let until = match (c.state, c.answered_at) {
        (ConversationState::Waiting, _) => now.plus_seconds(skew_s),
        (_, Some(answered)) => answered,
        (ConversationState::Active, None) => return None,
        // Somebody did handle it: when the wait ended was not seen.
        (ConversationState::Ended, None) if c.outcome == Some(Outcome::Handled) => return None,
        (ConversationState::Ended, None) => c.ended_at?,
    };
    Some(until.seconds_since(since).max(0.0))
}

/// Seconds until an instant of the vendor's clock, 0 once it has passed.
fn until_s(at: Option<Timestamp>, skew_s: f64, now: Timestamp) -> Option<f64> {
    Some(at?.seconds_since(now.plus_seconds(skew_s)).max(0.0))
}
