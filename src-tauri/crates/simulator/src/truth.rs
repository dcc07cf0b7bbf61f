//! What a perfect client would show.

use model::{Agent, Conversation, Queue, Totals};
use serde::Serialize;

/// One source's floor as the model says that it must be shown, sorted by id.
///
/// Instants are in the server's clock. `presence_since` is the true one with kind `reported`; a client
/// that can only observe shows a later one. A client that joined late may know less (`null`), never
/// something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Truth {
    /// Queues.
    pub queues: Vec<Queue>,
    /// Agents.
    pub agents: Vec<Agent>,
    /// Conversations that are not over.
    pub conversations: Vec<Conversation>,
    /// The source's own figures; `None` where the vendor has none.
    pub totals: Option<Totals>,
}

impl Truth {
    pub(crate) fn sorted(mut self) -> Self {
        self.queues.sort_by(|a, b| a.id.cmp(&b.id));
        self.agents.sort_by(|a, b| a.id.cmp(&b.id));
        self.conversations.sort_by(|a, b| a.id.cmp(&b.id));
        self
    }
}
