//! All that is known of one source: its rows, its sums, and which rows the running sweep has seen.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    sync::Arc,
};

use model::{Agent, Conversation, ConversationState, Health, Id, Kind, Queue, Source, Timestamp, Totals};

use super::{
    FastMap, FastSet,
    facts::told,
    slot::{
        AgentExtra, AgentSlot, ConversationExtra, ConversationSlot, PresenceSeen, QueueExtra, QueueSlot, Slot,
    },
    summary::Summary,
    tally::Tally,
    touched::Touched,
    trend::Meter,
};
use crate::effects::Entity;

/// How long an ended conversation stays listed.
pub(crate) const ENDED_LISTED: std::time::Duration = std::time::Duration::from_secs(60);
/// Ended conversations that are remembered after they left the list, so that none is shown twice.
const ENDED_REMEMBERED: usize = 4096;

/// One source and everything of it.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) source: Source,
    /// The skew that screens are drawn with: follows the reported one in steps, so that a tremble of
    /// some milliseconds does not redraw every row.
    pub(crate) skew_shown: f64,
    /// When it was live last, while it is not.
    pub(crate) lost_at: Option<Timestamp>,
    /// Since when the link is lost, through every new try; `None` while live, before it ever was, and
    /// when it is off, denied or misconfigured. In our clock.
    pub(crate) link_lost_since: Option<Timestamp>,
    /// A complete state has arrived.
    pub(crate) complete: bool,
    pub(crate) queues: FastMap<Id, QueueSlot>,
    pub(crate) agents: FastMap<Id, AgentSlot>,
    pub(crate) conversations: FastMap<Id, ConversationSlot>,
    pub(crate) totals: Option<Slot<Totals, ()>>,
    /// The figures that the source can tell.
    pub(crate) told: FastSet<Box<str>>,
    /// Agents of each queue.
    pub(crate) members: FastMap<Id, BTreeSet<Id>>,
    pub(crate) tally: Tally,
    pub(crate) summary: Summary,
    pub(crate) meter: Meter,
    /// Ended conversations that came with this input: id and when they leave.
    pub(crate) leaving: Vec<(Id, Timestamp)>,
    generation: u32,
    sweeping: bool,
    gone: Gone,
    parted: Parted,
    /// Queues that the present batch has changed.
    moved: Vec<Id>,
}

/// What the present batch has taken away. A row that comes back in the same batch was never away, and
/// goes on with its history.
#[derive(Debug, Default)]
struct Parted {
    queues: FastMap<Id, QueueExtra>,
    agents: FastMap<Id, AgentSlot>,
}

/// Ids of ended conversations that were shown and have left.
#[derive(Debug, Default)]
struct Gone {
    ids: HashSet<Id>,
    order: VecDeque<Id>,
}

impl Gone {
    fn remember(&mut self, id: Id) {
        if self.ids.insert(id.clone()) {
            self.order.push_back(id);
        }
        if self.order.len() > ENDED_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

impl Floor {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            skew_shown: source.clock_skew_s.unwrap_or(0.0),
            told: told(&source),
            source,
            lost_at: None,
            link_lost_since: None,
            complete: false,
            queues: FastMap::default(),
            agents: FastMap::default(),
            conversations: FastMap::default(),
            totals: None,
            members: FastMap::default(),
            tally: Tally::default(),
            summary: Summary::default(),
            meter: Meter::default(),
            leaving: Vec::new(),
            generation: 0,
            sweeping: false,
            gone: Gone::default(),
            parted: Parted::default(),
            moved: Vec::new(),
        }
    }

    pub(crate) fn is_live(&self) -> bool {
        self.source.health == Health::Live
    }
    pub(crate) fn skew(&self) -> f64 {
        self.source.clock_skew_s.unwrap_or(0.0)
    }
    /// An instant of this source as screens show it: milliseconds in our clock.
    pub(crate) fn shown(&self, at: Timestamp) -> i64 {
        at.plus_seconds(-self.skew_shown).as_ms()
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty()
            && self.agents.is_empty()
            && self.conversations.is_empty()
            && self.totals.is_none()
    }

    pub(crate) fn entity(&self, kind: Kind, id: &Id) -> Option<Entity> {
        match kind {
            Kind::Queue => self.queues.get(id).map(|s| Entity::Queue(s.row.clone())),
            Kind::Agent => self.agents.get(id).map(|s| Entity::Agent(s.row.clone())),
            Kind::Conversation => self.conversations.get(id).map(|s| Entity::Conversation(s.row.clone())),
            Kind::Totals => self.totals.as_ref().map(|s| Entity::Totals(s.row.clone())),
        }
    }

    pub(crate) fn entities(&self) -> impl Iterator<Item = Entity> {
        let queues = self.queues.values().map(|s| Entity::Queue(s.row.clone()));
        let agents = self.agents.values().map(|s| Entity::Agent(s.row.clone()));
        let conversations = self.conversations.values().map(|s| Entity::Conversation(s.row.clone()));
        let totals = self.totals.iter().map(|s| Entity::Totals(s.row.clone()));
        queues.chain(agents).chain(conversations).chain(totals)
    }

    /// Starts a sweep: what is not put again until [`Floor::complete`] is gone then.
    pub(crate) fn reset(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.sweeping = true;
    }

    /// Ends a sweep. Ended conversations stay for the rest of their minute: nobody re-sends those.
    pub(crate) fn complete(&mut self, touched: &mut Touched) {
        self.complete = true;
        if !std::mem::take(&mut self.sweeping) {
            return;
        }
        let mark = self.generation;
        let mut gone = Vec::new();
        gone.extend(
            self.queues.iter().filter(|(_, s)| s.mark != mark).map(|(id, _)| (Kind::Queue, id.clone())),
        );
        gone.extend(
            self.agents.iter().filter(|(_, s)| s.mark != mark).map(|(id, _)| (Kind::Agent, id.clone())),
        );
        gone.extend(
            self.conversations
                .iter()
                .filter(|(_, s)| s.mark != mark && s.row.state != ConversationState::Ended)
                .map(|(id, _)| (Kind::Conversation, id.clone())),
        );
        if self.totals.as_ref().is_some_and(|s| s.mark != mark) {
            gone.push((Kind::Totals, self.source.id.clone()));
        }
        gone.sort_unstable();
        for (kind, id) in gone {
            self.remove(kind, &id, touched);
        }
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self, touched: &mut Touched) {
        let mut all: Vec<(Kind, Id)> = self.entities().map(|e| (e.kind(), e.key().id)).collect();
        all.sort_unstable();
        for (kind, id) in all {
            self.remove(kind, &id, touched);
        }
        self.sweeping = false;
        self.complete = false;
    }

    pub(crate) fn put_queue(&mut self, queue: Queue, touched: &mut Touched) {
        let mark = self.generation;
        let id = queue.id.clone();
        if let Some(slot) = self.queues.get_mut(&id) {
            slot.mark = mark;
            if *slot.row == queue {
                return;
            }
            self.tally.queue(&slot.row, false);
            self.tally.queue(&queue, true);
            if slot.row.name != queue.name {
                slot.extra.sort_name = queue.name.to_lowercase().into();
            }
            let old = std::mem::replace(&mut slot.row, Arc::new(queue));
            let new = Entity::Queue(slot.row.clone());
            touched.remember(&self.source.id, Kind::Queue, &id, Some(Entity::Queue(old)), Some(new));
        } else {
            self.tally.queue(&queue, true);
            let mut extra = self.parted.queues.remove(&id).unwrap_or_else(QueueExtra::new);
            extra.sort_name = queue.name.to_lowercase().into();
            let row = Arc::new(queue);
            touched.remember(&self.source.id, Kind::Queue, &id, None, Some(Entity::Queue(row.clone())));
            self.queues.insert(id.clone(), Slot { row, mark, extra });
        }
        self.moved.push(id);
    }

    pub(crate) fn put_agent(&mut self, mut agent: Agent, at: Timestamp, touched: &mut Touched) {
        let before = self.agents.get(&agent.id).or_else(|| self.parted.agents.get(&agent.id));
        PresenceSeen {
            before,
            unwatched: self.sweeping && before.is_some_and(|slot| slot.mark != self.generation),
            last_data_at: self.source.last_data_at,
            at,
            skew_s: self.skew(),
        }
        .fill(&mut agent);
        let mark = self.generation;
        let id = agent.id.clone();
        if let Some(slot) = self.agents.get_mut(&id) {
            slot.mark = mark;
            slot.extra.restored = false;
            if *slot.row == agent {
                return;
            }
            slot.extra.follow(&slot.row, &agent, !self.source.gaps.is_empty());
            self.tally.agent(&slot.row, false);
            self.tally.agent(&agent, true);
            let old = std::mem::replace(&mut slot.row, Arc::new(agent));
            let new = slot.row.clone();
            let (before, after) = (Entity::Agent(old.clone()), Entity::Agent(new.clone()));
            touched.remember(&self.source.id, Kind::Agent, &id, Some(before), Some(after));
            if old.queues != new.queues {
                self.enlist(&old, false);
                self.enlist(&new, true);
            }
        } else {
            self.tally.agent(&agent, true);
            self.enlist(&agent, true);
            let row = Arc::new(agent);
            touched.remember(&self.source.id, Kind::Agent, &id, None, Some(Entity::Agent(row.clone())));
            self.agents.insert(id, Slot { row, mark, extra: AgentExtra::default() });
        }
    }

    pub(crate) fn put_conversation(
        &mut self,
        conversation: Conversation,
        now: Timestamp,
        touched: &mut Touched,
    ) {
        let mark = self.generation;
        let id = conversation.id.clone();
        let ended = conversation.state == ConversationState::Ended;
        let new_leave = now.plus(ENDED_LISTED);
        if let Some(slot) = self.conversations.get_mut(&id) {
            slot.mark = mark;
            if *slot.row == conversation {
                return;
            }
            let leaves_at = ended.then(|| slot.extra.leaves_at.unwrap_or(new_leave));
            if ended && slot.extra.leaves_at.is_none() {
                self.leaving.push((id.clone(), new_leave));
            }
            slot.extra.leaves_at = leaves_at;
            self.tally.conversation_moves(&slot.row, &conversation);
            let old = std::mem::replace(&mut slot.row, Arc::new(conversation));
            let (old, new) = (Entity::Conversation(old), Entity::Conversation(slot.row.clone()));
            touched.remember(&self.source.id, Kind::Conversation, &id, Some(old), Some(new));
            return;
        }
        if ended {
            if self.gone.ids.contains(&id) {
                return;
            }
            self.leaving.push((id.clone(), new_leave));
        } else {
            self.gone.ids.remove(&id);
        }
        self.tally.conversation(&conversation, true);
        let extra = ConversationExtra { leaves_at: ended.then_some(new_leave) };
        let row = Arc::new(conversation);
        let new = Entity::Conversation(row.clone());
        touched.remember(&self.source.id, Kind::Conversation, &id, None, Some(new));
        self.conversations.insert(id, Slot { row, mark, extra });
    }

    pub(crate) fn put_totals(&mut self, totals: Totals, touched: &mut Touched) {
        let mark = self.generation;
        let id = self.source.id.clone();
        match &mut self.totals {
            Some(slot) => {
                slot.mark = mark;
                if *slot.row == totals {
                    return;
                }
                let old = std::mem::replace(&mut slot.row, Arc::new(totals));
                let (old, new) = (Entity::Totals(old), Entity::Totals(slot.row.clone()));
                touched.remember(&id, Kind::Totals, &id, Some(old), Some(new));
            }
            None => {
                let row = Arc::new(totals);
                touched.remember(&id, Kind::Totals, &id, None, Some(Entity::Totals(row.clone())));
                self.totals = Some(Slot { row, mark, extra: () });
            }
        }
    }

    pub(crate) fn remove(&mut self, kind: Kind, id: &Id, touched: &mut Touched) {
        let Some(old) = self.entity(kind, id) else { return };
        match &old {
            Entity::Queue(queue) => {
                self.tally.queue(queue, false);
                let slot = self.queues.remove(id);
                self.parted.queues.extend(slot.map(|slot| (id.clone(), slot.extra)));
            }
            Entity::Agent(agent) => {
                self.tally.agent(agent, false);
                self.enlist(agent, false);
                let slot = self.agents.remove(id);
                self.parted.agents.extend(slot.map(|slot| (id.clone(), slot)));
            }
            Entity::Conversation(conversation) => {
                self.tally.conversation(conversation, false);
                self.conversations.remove(id);
            }
            Entity::Totals(_) => self.totals = None,
        }
        touched.remember(&self.source.id, kind, id, Some(old), None);
    }

    /// Removes an ended conversation whose minute is over. `at` names the minute that is meant: the
    /// conversation may have come back to life since, or ended once more.
    pub(crate) fn leave(&mut self, id: &Id, at: Timestamp, touched: &mut Touched) {
        if self.conversations.get(id).is_some_and(|slot| slot.extra.leaves_at == Some(at)) {
            self.remove(Kind::Conversation, id, touched);
            self.gone.remember(id.clone());
        }
    }

    /// A row of an earlier run. It counts as not seen by the sweep that ends with the first complete state.
    pub(crate) fn restore(&mut self, entity: Entity, now: Timestamp, touched: &mut Touched) {
        match entity {
            Entity::Queue(row) => self.put_queue(Arc::unwrap_or_clone(row), touched),
            Entity::Agent(row) => {
                let id = row.id.clone();
                self.put_agent(Arc::unwrap_or_clone(row), now, touched);
                if let Some(slot) = self.agents.get_mut(&id) {
                    slot.extra.restored = true;
                }
            }
            Entity::Conversation(row) => self.put_conversation(Arc::unwrap_or_clone(row), now, touched),
            Entity::Totals(row) => self.put_totals(Arc::unwrap_or_clone(row), touched),
        }
    }

    /// A new try shows as `connecting` for a moment: that is no recovery. Rows that are old only because the
    /// vendor is about to tell everything anew are lost when its time for that is over, at `retry_at`.
    /// `was_live`: before the report.
    pub(crate) fn note_loss(&mut self, was_live: bool, now: Timestamp) {
        match self.source.health {
            Health::Live | Health::Disabled | Health::Denied | Health::Misconfigured => {
                self.link_lost_since = None;
            }
            Health::Connecting if !was_live => {}
            Health::Stale => {
                let due = self.source.retry_at.map_or(now, |at| at.max(now));
                self.link_lost_since.get_or_insert(due);
            }
            Health::Connecting | Health::Retrying | Health::Throttled => {
                self.link_lost_since = Some(self.link_lost_since.map_or(now, |since| since.min(now)));
            }
        }
    }

    /// The batch is whole: only now is what it says the state of the floor.
    pub(crate) fn batch_ends(&mut self, now: Timestamp) {
        self.parted = Parted::default();
        let live = self.is_live();
        for id in self.moved.drain(..) {
            if let Some(slot) = self.queues.get_mut(&id) {
                slot.observe(now, live);
            }
        }
    }

    /// Trends hold nothing that is not live.
    pub(crate) fn liveness_changed(&mut self, now: Timestamp) {
        let live = self.is_live();
        self.lost_at = (!live).then_some(now);
        for slot in self.queues.values_mut() {
            slot.observe(now, live);
        }
    }

    fn enlist(&mut self, agent: &Agent, add: bool) {
        for queue in agent.queues.iter().flatten() {
            if add {
                self.members.entry(queue.clone()).or_default().insert(agent.id.clone());
            } else if let Some(members) = self.members.get_mut(queue) {
                members.remove(&agent.id);
                if members.is_empty() {
                    self.members.remove(queue);
                }
            }
        }
    }
}

impl QueueSlot {
    fn observe(&mut self, now: Timestamp, live: bool) {
        self.extra.trend.set(now, if live { self.row.waiting } else { None });
        self.extra.people(self.row.waiting, now);
    }
}
