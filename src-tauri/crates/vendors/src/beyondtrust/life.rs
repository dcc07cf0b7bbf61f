//! What only memory knows of a session: since when it waits however it is moved, when it was answered, and
//! how it ended.

use std::time::Duration;

use model::{Conversation, ConversationState, Id, Outcome, Timestamp};

use super::{
    map::{self, Sight},
    wire::RowId,
};

/// Rows of one event may come in several lines: within this time they are one.
const TOGETHER: Duration = Duration::from_secs(5);
/// An entry this long before the join was a wait, not the join itself.
const TOLD: Duration = Duration::from_secs(3);

/// What is remembered of a session beside its row.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// How it is shown.
    pub shown: Conversation,
    entered_at: Option<Timestamp>,
    queue_row: Option<RowId>,
    /// The wait before the last change of queue: taking a session moves it to a personal queue, which is
    /// no new wait.
    earlier_wait: Option<Timestamp>,
    left: Option<Left>,
}

/// What was before the last representative left.
#[derive(Clone, Debug)]
struct Left {
    at: Timestamp,
    /// How it was shown.
    shown: Box<Conversation>,
    /// It has waited in a queue of several people since.
    queued: bool,
    /// It was put into a queue again: a mere close takes people out of it and moves it nowhere.
    requeued: bool,
}

impl Track {
    /// The session after another look at its rows. `seen` is now in the vendor's clock.
    pub fn after(before: Option<Track>, source: &Id, sight: Sight, seen: Timestamp) -> Track {
        let state = if sight.joined { ConversationState::Active } else { ConversationState::Waiting };
        let was = before.as_ref().map(|t| t.shown.state);
        let entered = sight.entered_at.or(sight.created_at);
        let (mut waiting_since, mut answered_at, mut earlier_wait, mut left) = match &before {
            Some(t) => (t.shown.waiting_since, t.shown.answered_at, t.earlier_wait, t.left.clone()),
            None => (None, None, None, None),
        };
        let moved = before.as_ref().is_some_and(|t| t.entered_at != sight.entered_at);
        let elsewhere =
            sight.queue_row.is_some() && before.as_ref().is_some_and(|t| t.queue_row != sight.queue_row);
        match (was, state) {
            (None, ConversationState::Waiting) => waiting_since = entered,
            (Some(ConversationState::Waiting), ConversationState::Waiting) if moved => {
                earlier_wait = waiting_since;
                waiting_since = entered.or(waiting_since);
            }
            (Some(ConversationState::Waiting), ConversationState::Waiting) => {}
            // The last one left: it waits again, from when the feed says it entered its queue.
            (Some(_), ConversationState::Waiting) => {
                // The move may have come a line before: into a queue of several, while somebody was in it.
                let just_moved = !sight.personal
                    && answered_at
                        .zip(sight.entered_at)
                        .is_some_and(|(a, e)| a < e && seen.since(e) <= TOGETHER);
                left = before.as_ref().map(|t| Left {
                    at: seen,
                    shown: Box::new(t.shown.clone()),
                    queued: false,
                    requeued: just_moved,
                });
                waiting_since = entered.or(Some(seen));
                (earlier_wait, answered_at) = (None, None);
            }
            (None, _) => {
                answered_at = sight.first_join;
                // Taking a session moves it, so an entry at the moment of the join tells no wait.
                let waited = sight.entered_at.zip(answered_at).filter(|(e, a)| a.since(*e) >= TOLD);
                waiting_since = waited.map(|(entered, _)| entered);
            }
            // From hand to hand: the one left a line before the other came. That was no wait.
            (Some(ConversationState::Waiting), _)
                if left.as_ref().is_some_and(|l| !l.queued && seen.since(l.at) <= TOGETHER) =>
            {
                let was = left.take();
                waiting_since = was.as_ref().and_then(|l| l.shown.waiting_since);
                answered_at = was.as_ref().and_then(|l| l.shown.answered_at);
                earlier_wait = None;
            }
            (Some(ConversationState::Waiting), _) => {
                answered_at = sight.first_join.or(Some(seen));
                let just_moved = waiting_since
                    .zip(answered_at)
                    .is_some_and(|(w, a)| a.since(w) <= TOGETHER && w.since(a) <= TOGETHER);
                if let Some(earlier) = earlier_wait.filter(|_| just_moved && sight.at_home) {
                    // The move to the personal queue was the answer, told a line before it.
                    waiting_since = Some(earlier);
                }
                (earlier_wait, left) = (None, None);
            }
            (Some(_), _) => {}
        }
        if let Some(left) = left.as_mut().filter(|_| state == ConversationState::Waiting) {
            left.queued |= sight.queue.is_some() && !sight.personal;
            left.requeued |= moved || elsewhere;
        }
        let shown = Conversation {
            source: source.clone(),
            id: sight.lsid.clone(),
            queue: sight.queue,
            agents: Some(sight.agents),
            state,
            channel: sight.channel,
            started_via: sight.start_label.as_deref().map(map::started_via),
            started_via_label: sight.start_label,
            customer: sight.customer,
            subject: sight.subject,
            created_at: sight.created_at,
            waiting_since,
            answered_at,
            ended_at: None,
            // An estimate for somebody who is being served means nothing.
            expected_at: sight.expected_at.filter(|_| state == ConversationState::Waiting),
            last_customer_message_at: None,
            last_agent_message_at: None,
            outcome: None,
            tags: None,
            priority: sight.priority,
        };
        Track { shown, entered_at: sight.entered_at, queue_row: sight.queue_row, earlier_wait, left }
    }

    /// How a session is shown once its row is gone.
    pub fn ended(self, seen: Timestamp) -> Conversation {
        let mut shown = self.shown;
        let mut handled = shown.state == ConversationState::Active;
        // Whoever closes a session leaves it first, sometimes a line before.
        if let Some(left) = self.left.filter(|left| !left.requeued)
            && seen.since(left.at) <= TOGETHER
        {
            (shown, handled) = (*left.shown, true);
        }
        shown.state = ConversationState::Ended;
        shown.ended_at = Some(seen);
        shown.expected_at = None;
        shown.outcome = Some(if handled { Outcome::Handled } else { Outcome::Abandoned });
        shown
    }
}
