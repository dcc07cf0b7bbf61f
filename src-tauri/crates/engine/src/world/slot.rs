//! One row with what the world alone knows about it.

use std::sync::Arc;

use model::{Agent, Conversation, Presence, Queue, SinceKind, Timestamp};

use super::trend::{Keep, Trend};

/// A row, shared with whoever shows or stores it.
#[derive(Debug)]
pub(crate) struct Slot<T, X> {
    pub(crate) row: Arc<T>,
    /// The sweep that has seen it last.
    pub(crate) mark: u32,
    pub(crate) extra: X,
}

pub(crate) type QueueSlot = Slot<Queue, QueueExtra>;
pub(crate) type AgentSlot = Slot<Agent, AgentExtra>;
pub(crate) type ConversationSlot = Slot<Conversation, ConversationExtra>;

#[derive(Debug)]
pub(crate) struct QueueExtra {
    /// Most people waiting in each minute.
    pub(crate) trend: Trend<u32>,
    /// Since when people wait without a break, in our clock.
    pub(crate) people_since: Option<Timestamp>,
    /// Since when it is not known whether people wait, and the last time that it was not: a running count
    /// stands still meanwhile. Our clock.
    pub(crate) blind_since: Option<Timestamp>,
    pub(crate) gap: Option<(Timestamp, Timestamp)>,
    /// The name as lists are sorted by it.
    pub(crate) sort_name: Arc<str>,
}

impl QueueExtra {
    pub(crate) fn new() -> Self {
        Self {
            trend: Trend::new(Keep::Highest),
            people_since: None,
            blind_since: None,
            gap: None,
            sort_name: Arc::default(),
        }
    }

    /// Takes the number of people waiting as of a moment. A gap neither ends nor lengthens the time for
    /// which people wait.
    pub(crate) fn people(&mut self, waiting: Option<u32>, now: Timestamp) {
        if waiting.is_none() {
            self.blind_since.get_or_insert(now);
            return;
        }
        let gap = self.blind_since.take().map(|from| (from, now));
        if waiting == Some(0) {
            (self.people_since, self.gap) = (None, None);
            return;
        }
        match self.people_since {
            Some(since) if gap.is_some() => {
                self.gap = gap;
                self.people_since = Some(self.past_gap(since));
            }
            Some(_) => {}
            None => self.people_since = Some(now),
        }
    }

    /// An instant from which seconds are counted, moved by as much of the last gap as lies after it.
    pub(crate) fn past_gap(&self, since: Timestamp) -> Timestamp {
        match self.gap {
            Some((from, to)) if since < to => since.plus_seconds(to.seconds_since(since.max(from))),
            _ => since,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct AgentExtra {
    /// The row comes from an earlier run and no connector has confirmed it yet.
    pub(crate) restored: bool,
    /// What was known before the part of the source that tells it failed alone.
    lost: Option<Lost>,
}

/// A presence that nobody tells at the moment, and since when it was so.
#[derive(Clone, Copy, Debug)]
struct Lost {
    presence: Presence,
    since: Option<Timestamp>,
    kind: Option<SinceKind>,
}

impl AgentExtra {
    /// Keeps what was known through a gap of the source: one that comes back the same did not begin anew,
    /// as after an outage of the whole source. A vendor's word that we do not know is no gap: such a row
    /// still has its figures.
    pub(crate) fn follow(&mut self, old: &Agent, new: &Agent, gaps: bool) {
        let is_gap =
            gaps && new.presence == Presence::Unknown && new.presence_label.is_none() && new.open.is_none();
        if !is_gap {
            self.lost = None;
        } else if old.presence != Presence::Unknown {
            let (since, kind) = (old.presence_since, old.presence_since_kind);
            self.lost = Some(Lost { presence: old.presence, since, kind });
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct ConversationExtra {
    /// When the ended conversation leaves the list, our clock.
    pub(crate) leaves_at: Option<Timestamp>,
}

/// How long an agent's restored presence is taken as unbroken, counted from the last data of the
/// earlier run.
const UNBROKEN_S: f64 = 300.0;

/// When a presence that the vendor gives without a start is known to have begun.
pub(crate) struct PresenceSeen<'a> {
    pub(crate) before: Option<&'a AgentSlot>,
    /// Everything is being sent anew and this row comes for the first time: what changed, changed while
    /// nobody looked.
    pub(crate) unwatched: bool,
    /// Last data of the earlier run, for restored rows.
    pub(crate) last_data_at: Option<Timestamp>,
    /// When the batch was received, our clock.
    pub(crate) at: Timestamp,
    /// Server clock minus ours, seconds.
    pub(crate) skew_s: f64,
}

impl PresenceSeen<'_> {
    /// Fills `presence_since`, where the vendor does not tell it. A change that was seen is `observed`;
    /// what was already so when we first looked, or changed while nobody looked, is `at_least`.
    pub(crate) fn fill(&self, agent: &mut Agent) {
        if agent.presence_since.is_some() {
            agent.presence_since_kind.get_or_insert(SinceKind::Reported);
            return;
        }
        let (since, kind) = match self.before {
            Some(slot) if slot.row.presence == agent.presence && self.is_unbroken(slot) => {
                (slot.row.presence_since, slot.row.presence_since_kind)
            }
            Some(AgentSlot { extra: AgentExtra { lost: Some(lost), .. }, .. })
                if lost.presence == agent.presence =>
            {
                (lost.since, lost.kind)
            }
            Some(slot)
                if slot.row.presence != agent.presence
                    && slot.row.presence != Presence::Unknown
                    && !slot.extra.restored
                    && !self.unwatched =>
            {
                (None, Some(SinceKind::Observed))
            }
            _ => (None, Some(SinceKind::AtLeast)),
        };
        // Instants of a row are in the vendor's clock, also those that we have seen ourselves.
        agent.presence_since = since.or_else(|| Some(self.at.plus_seconds(self.skew_s)));
        agent.presence_since_kind = kind.or(Some(SinceKind::AtLeast));
    }

    fn is_unbroken(&self, slot: &AgentSlot) -> bool {
        !slot.extra.restored
            || self.last_data_at.is_some_and(|last| self.at.seconds_since(last) <= UNBROKEN_S)
    }
}
