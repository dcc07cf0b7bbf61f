//! The floor of one site: what the tables say, plus what only memory knows, as changes to tell.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use model::{Agent, Change, Conversation, ConversationState, Id, Kind, Outcome, Presence, Queue, Timestamp};

use super::{
    map::{self, Place, Sight, Sights},
    wire::{Line, Model},
};

/// Rows of one event may come in several lines: within this time they are one.
const TOGETHER: Duration = Duration::from_secs(5);
/// An entry this long before the join was a wait, not the join itself.
const TOLD: Duration = Duration::from_secs(3);
/// A console that comes back within this time was never gone.
const RELOGIN: Duration = Duration::from_secs(60);

/// What is remembered of a session beside its row.
#[derive(Clone, Debug)]
struct Track {
    shown: Conversation,
    entered_at: Option<Timestamp>,
    /// The wait before the last change of queue: taking a session moves it to a personal queue, which is
    /// no new wait.
    earlier_wait: Option<Timestamp>,
    /// How it was shown before the last representative left, and when that was.
    left: Option<(Timestamp, Box<Conversation>)>,
}

/// Everything told so far.
pub(super) struct Floor {
    source: Id,
    model: Model,
    tracks: HashMap<Id, Track>,
    logins: HashMap<Id, (Timestamp, Timestamp)>,
    queues: BTreeMap<Id, Queue>,
    agents: BTreeMap<Id, Agent>,
    conversations: BTreeMap<Id, Conversation>,
}

impl Floor {
    pub fn new(source: Id) -> Self {
        Self {
            source,
            model: Model::default(),
            tracks: HashMap::new(),
            logins: HashMap::new(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
        }
    }

    /// The model begins anew; what was told stays until [`Floor::whole`].
    pub fn clear(&mut self) {
        self.model.clear();
    }
    /// Takes a line in.
    pub fn apply(&mut self, line: Line) {
        self.model.apply(line);
    }

    /// What changed since the last telling. A session whose row is gone has ended. `seen` is now in the
    /// vendor's clock.
    pub fn changes(&mut self, seen: Timestamp) -> Vec<Change> {
        let sights = map::read(&self.source, &self.model);
        let mut changes = Vec::new();
        let gone: Vec<Id> =
            self.conversations.keys().filter(|id| !sights.sessions.contains_key(*id)).cloned().collect();
        for id in gone {
            self.conversations.remove(&id);
            if let Some(track) = self.tracks.remove(&id) {
                changes.push(Change::Conversation(ended(track, seen)));
            }
        }
        let (queues, agents, conversations) = self.make(sights, seen);
        tell(&mut changes, &mut self.conversations, conversations, Kind::Conversation, Change::Conversation);
        tell(&mut changes, &mut self.agents, agents, Kind::Agent, Change::Agent);
        tell(&mut changes, &mut self.queues, queues, Kind::Queue, Change::Queue);
        changes
    }

    /// Everything, between `Reset` and `Complete`. What has vanished is gone without having ended.
    pub fn whole(&mut self, seen: Timestamp) -> Vec<Change> {
        let sights = map::read(&self.source, &self.model);
        self.tracks.retain(|id, _| sights.sessions.contains_key(id));
        let (queues, agents, conversations) = self.make(sights, seen);
        let mut changes = vec![Change::Reset];
        changes.extend(queues.values().cloned().map(Change::Queue));
        changes.extend(agents.values().cloned().map(Change::Agent));
        changes.extend(conversations.values().cloned().map(Change::Conversation));
        changes.push(Change::Complete);
        (self.queues, self.agents, self.conversations) = (queues, agents, conversations);
        changes
    }

    #[allow(clippy::type_complexity)] // Three tables; a name for the tuple would say less.
    fn make(
        &mut self,
        sights: Sights,
        seen: Timestamp,
    ) -> (BTreeMap<Id, Queue>, BTreeMap<Id, Agent>, BTreeMap<Id, Conversation>) {
        let mut agents = sights.agents;
        for agent in agents.values_mut() {
            agent.logged_in_at = self.login(&agent.id, agent.logged_in_at, seen);
        }
        let conversations: BTreeMap<Id, Conversation> =
            sights.sessions.into_iter().map(|(id, sight)| (id, self.conversation(sight, seen))).collect();
        let queues = queues(&self.source, sights.queues, &agents, &conversations, seen);
        (queues, agents, conversations)
    }

    fn login(&mut self, user: &Id, login: Option<Timestamp>, seen: Timestamp) -> Option<Timestamp> {
        let login = login?;
        let held = self.logins.entry(user.clone()).or_insert((login, seen));
        let (start, last) = *held;
        // A newer row of somebody who was here a moment ago is a console that reconnected.
        let start = if login > start && seen.since(last) > RELOGIN { login } else { start.min(login) };
        *held = (start, seen);
        Some(start)
    }

    fn conversation(&mut self, sight: Sight, seen: Timestamp) -> Conversation {
        let before = self.tracks.remove(&sight.lsid);
        let state = if sight.joined { ConversationState::Active } else { ConversationState::Waiting };
        let was = before.as_ref().map(|t| t.shown.state);
        let entered = sight.entered_at.or(sight.created_at);
        let (mut waiting_since, mut answered_at, mut earlier_wait, mut left) = match &before {
            Some(t) => (t.shown.waiting_since, t.shown.answered_at, t.earlier_wait, t.left.clone()),
            None => (None, None, None, None),
        };
        let moved = before.as_ref().is_some_and(|t| t.entered_at != sight.entered_at);
        match (was, state) {
            (None, ConversationState::Waiting) => waiting_since = entered,
            (Some(ConversationState::Waiting), ConversationState::Waiting) if moved => {
                earlier_wait = waiting_since;
                waiting_since = entered.or(waiting_since);
            }
            (Some(ConversationState::Waiting), ConversationState::Waiting) => {}
            // The last one left: it waits again, from when the feed says, or from now.
            (Some(_), ConversationState::Waiting) => {
                left = before.as_ref().map(|t| (seen, Box::new(t.shown.clone())));
                waiting_since = if moved { entered.or(Some(seen)) } else { Some(seen) };
                (earlier_wait, answered_at) = (None, None);
            }
            (None, _) => {
                answered_at = sight.first_join;
                // Taking a session moves it, so an entry at the moment of the join tells no wait.
                let waited = sight.entered_at.zip(answered_at).filter(|(e, a)| a.since(*e) >= TOLD);
                waiting_since = waited.map(|(entered, _)| entered);
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
        let shown = Conversation {
            source: self.source.clone(),
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
        let track = Track { shown: shown.clone(), entered_at: sight.entered_at, earlier_wait, left };
        self.tracks.insert(sight.lsid, track);
        shown
    }
}

/// How a session is shown once its row is gone.
fn ended(track: Track, seen: Timestamp) -> Conversation {
    let mut shown = track.shown;
    let mut handled = shown.state == ConversationState::Active;
    // Whoever closes a session leaves it first, sometimes a line before.
    if let Some((at, before)) = track.left
        && seen.since(at) <= TOGETHER
    {
        (shown, handled) = (*before, true);
    }
    shown.state = ConversationState::Ended;
    shown.ended_at = Some(seen);
    shown.expected_at = None;
    shown.outcome = Some(if handled { Outcome::Handled } else { Outcome::Abandoned });
    shown
}

fn queues(
    source: &Id,
    places: BTreeMap<Id, Place>,
    agents: &BTreeMap<Id, Agent>,
    conversations: &BTreeMap<Id, Conversation>,
    seen: Timestamp,
) -> BTreeMap<Id, Queue> {
    let row = |(id, place): (Id, Place)| {
        let queue = Queue {
            source: source.clone(),
            id: id.clone(),
            name: place.name,
            kind: place.kind,
            waiting: Some(0),
            waiting_since: None,
            average_wait_s: None,
            open: Some(0),
            capacity: None,
            free_capacity: None,
            agents_online: Some(0),
            agents_available: Some(0),
            expected_at: None,
            windows: Vec::new(),
        };
        (id, queue)
    };
    let mut queues: BTreeMap<Id, Queue> = places.into_iter().map(row).collect();
    // Sum of the known waits in seconds, and how many began nobody knows when.
    let mut waits: HashMap<&Id, (f64, u32)> = HashMap::new();
    for c in conversations.values() {
        let Some(queue) = c.queue.as_ref() else { continue };
        let Some(q) = queues.get_mut(queue) else { continue };
        if c.state == ConversationState::Active {
            q.open = q.open.map(|n| n + 1);
            continue;
        }
        q.waiting = q.waiting.map(|n| n + 1);
        let (sum, undated) = waits.entry(queue).or_default();
        match c.waiting_since {
            Some(at) => {
                *sum += seen.since(at).as_secs_f64();
                q.waiting_since = Some(q.waiting_since.map_or(at, |oldest| oldest.min(at)));
            }
            None => *undated += 1,
        }
    }
    for (id, (sum, undated)) in waits {
        if let Some(q) = queues.get_mut(id) {
            q.average_wait_s = q.waiting.filter(|n| *n > 0 && undated == 0).map(|n| sum / f64::from(n));
        }
    }
    for agent in agents.values() {
        for id in agent.queues.iter().flatten() {
            let Some(q) = queues.get_mut(id) else { continue };
            q.agents_online = q.agents_online.map(|n| n + u32::from(agent.presence.is_online()));
            let available = agent.presence == Presence::Available;
            q.agents_available = q.agents_available.map(|n| n + u32::from(available));
        }
    }
    queues
}

/// Tells what is new or other than before, and what is gone.
fn tell<T: Clone + PartialEq>(
    changes: &mut Vec<Change>,
    old: &mut BTreeMap<Id, T>,
    new: BTreeMap<Id, T>,
    kind: Kind,
    change: fn(T) -> Change,
) {
    changes.extend(old.keys().filter(|id| !new.contains_key(*id)).map(|id| Change::Remove(kind, id.clone())));
    let other = new.iter().filter(|(id, row)| old.get(*id) != Some(row));
    changes.extend(other.map(|(_, row)| change(row.clone())));
    *old = new;
}
