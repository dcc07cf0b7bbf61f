//! What a source's batches add up to, kept as simply as can be.

use std::{collections::BTreeMap, time::Duration};

use model::{Agent, Batch, Change, Conversation, Health, HealthReport, Id, Kind, Queue};
use tokio::sync::mpsc;

/// The floor that a listener has built from the batches.
#[derive(Default)]
pub struct Fold {
    pub queues: BTreeMap<Id, Queue>,
    pub agents: BTreeMap<Id, Agent>,
    pub conversations: BTreeMap<Id, Conversation>,
    pub health: Option<HealthReport>,
    pub was_live: bool,
}

impl Fold {
    pub fn apply(&mut self, batch: Batch) {
        for change in batch.changes {
            match change {
                // Only whole states come between `Reset` and `Complete` here, within one batch.
                Change::Reset => {
                    self.queues.clear();
                    self.agents.clear();
                    self.conversations.clear();
                }
                Change::Complete | Change::Totals(_) | Change::Remove(Kind::Totals, _) => {}
                Change::Queue(q) => drop(self.queues.insert(q.id.clone(), q)),
                Change::Agent(a) => drop(self.agents.insert(a.id.clone(), a)),
                Change::Conversation(c) => drop(self.conversations.insert(c.id.clone(), c)),
                Change::Remove(Kind::Queue, id) => drop(self.queues.remove(&id)),
                Change::Remove(Kind::Agent, id) => drop(self.agents.remove(&id)),
                Change::Remove(Kind::Conversation, id) => drop(self.conversations.remove(&id)),
                Change::Health(report) => {
                    self.was_live |= report.health == Health::Live;
                    self.health = Some(report);
                }
            }
        }
    }

    pub fn health(&self) -> Health {
        self.health.as_ref().map_or(Health::Connecting, |h| h.health)
    }
    pub fn sentence(&self) -> &str {
        self.health.as_ref().and_then(|h| h.error.as_deref()).unwrap_or("")
    }
    pub fn queue(&self, name: &str) -> &Queue {
        self.queues.values().find(|q| q.name == name).unwrap_or_else(|| panic!("no queue {name}"))
    }
    pub fn agent(&self, name: &str) -> &Agent {
        self.agents.values().find(|a| a.name == name).unwrap_or_else(|| panic!("no agent {name}"))
    }

    /// Listens until something holds; says what was awaited when it never does.
    pub async fn until(
        &mut self,
        rx: &mut mpsc::Receiver<Batch>,
        seconds: u64,
        what: &str,
        holds: impl Fn(&Fold) -> bool,
    ) {
        let end = tokio::time::Instant::now() + Duration::from_secs(seconds);
        while !holds(self) {
            match tokio::time::timeout_at(end, rx.recv()).await {
                Ok(Some(batch)) => self.apply(batch),
                Ok(None) => panic!("the connector returned while waiting for: {what}"),
                Err(_) => panic!(
                    "not within {seconds} s: {what}; health {:?}, {}\n{:#?}",
                    self.health(),
                    self.sentence(),
                    self.conversations.values().collect::<Vec<_>>()
                ),
            }
        }
    }
}
