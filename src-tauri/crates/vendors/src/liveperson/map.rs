//! From what LivePerson said to rows. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use link::poll::Rows;
use model::{
    Agent, Conversation, ConversationState, Figure, Id, Presence, Queue, QueueKind, SinceKind, Timestamp,
    Totals, Window,
};

use super::{
    AGENTS, CONVERSATIONS, QUEUEHEALTH, QUEUESTATE,
    chats::Chat,
    wire::{AgentRow, ChatState, HealthRow, QueueHealth, QueueState, SkillState},
};
use crate::figures::{count, reported, sorted};

/// A time in state longer than this is no time in milliseconds.
const ABSURD: Duration = Duration::from_secs(10 * 24 * 3600);

/// All that is known at one moment.
#[derive(Default)]
pub struct Known {
    /// Skills, their totals; `None` while not known.
    pub state: Option<QueueState>,
    /// The last half hour.
    pub health: Option<QueueHealth>,
    /// Agents by id; `None` while not known.
    pub agents: Option<BTreeMap<String, AgentRow>>,
    /// Since when each skill's oldest has waited.
    pub waiting: HashMap<String, Timestamp>,
    /// Since when each agent has been in its state.
    pub since: HashMap<String, Timestamp>,
    /// The account's skills by name, where they may be read.
    pub listed: BTreeMap<String, String>,
    /// Names of skills as the agents' rows tell them.
    pub names: BTreeMap<String, String>,
    /// Own chats by key; `None` while not known.
    pub chats: Option<BTreeMap<String, Chat>>,
    /// Our own user's id, as the login told it, and its name.
    pub own: Option<String>,
    pub user: String,
    /// Skills to show; empty: all.
    pub wanted: Vec<String>,
    /// Of which endpoints the last word is too old to be shown as present. Who and what there is stays; how
    /// it stands is not known.
    pub old: [bool; 4],
}

impl Known {
    /// The skills to show.
    fn ids(&self) -> Vec<&str> {
        let states = self.state.as_ref().and_then(|s| s.skills.0.as_ref());
        let healths = self.health.as_ref().and_then(|h| h.skills.0.as_ref());
        let mut ids: Vec<&str> = states.into_iter().flatten().map(|(id, _)| id.as_str()).collect();
        ids.extend(healths.into_iter().flatten().map(|(id, _)| id.as_str()));
        ids.extend(self.listed.keys().map(String::as_str));
        ids.extend(self.agents.iter().flatten().flat_map(|(_, row)| skills(row)));
        ids.sort_unstable();
        ids.dedup();
        let wanted = |id: &str| self.wanted.is_empty() || self.wanted.iter().any(|w| w == id);
        ids.retain(|id| !id.starts_with('-') && wanted(id));
        ids
    }

    /// Those of them that nobody has named.
    pub fn nameless(&self) -> Vec<&str> {
        let mut ids = self.ids();
        ids.retain(|id| !self.listed.contains_key(*id) && !self.names.contains_key(*id));
        ids
    }

    /// The figures of the skills, while they are of now.
    fn state(&self) -> Option<&QueueState> {
        self.state.as_ref().filter(|_| !self.old[QUEUESTATE])
    }

    /// The figures of the last half hour, while they are of now.
    fn health(&self) -> Option<&QueueHealth> {
        self.health.as_ref().filter(|_| !self.old[QUEUEHEALTH])
    }
}

/// Which presence a number means.
fn presence(row: &AgentRow) -> (Presence, Option<String>) {
    let full = match (row.most.0, row.chats.count()) {
        (Some(0), _) => true,
        (Some(most), Some(open)) if most > 0 => i64::from(open) >= most,
        _ => false,
    };
    let word = |text: &str| Some(text.to_owned());
    match &row.state {
        ChatState::Offline => (Presence::Offline, word("Offline")),
        ChatState::Online if full => (Presence::Busy, word("Online")),
        ChatState::Online => (Presence::Available, word("Online")),
        ChatState::Occupied => (Presence::Busy, word("Occupied")),
        ChatState::BackSoon => (Presence::Away, word("Back soon")),
        ChatState::Away => (Presence::Away, word("Away")),
        ChatState::Other(said) => (Presence::Unknown, word(said)),
        ChatState::Unknown => (Presence::Unknown, None),
    }
}

/// The ids of an agent's skills; −1 is "none".
fn skills(row: &AgentRow) -> Vec<&str> {
    let mut ids: Vec<&str> =
        row.skills.ids.0.iter().filter_map(|t| t.0.as_deref()).filter(|id| !id.starts_with('-')).collect();
    if ids.is_empty() {
        let named = row.info.skills.0.iter().filter_map(|s| s.id.0.as_deref());
        ids = named.filter(|id| !id.starts_with('-')).collect();
    }
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// How many chats an agent may have: `Ok(None)` without limit, `Err` when not told.
fn limit(row: &AgentRow) -> Result<Option<u32>, ()> {
    match row.most.0 {
        Some(-1) => Ok(None),
        Some(most) => u32::try_from(most).map(Some).map_err(drop),
        None => Err(()),
    }
}

/// The vendor's word on how long an agent has been in its state.
pub fn in_state(row: &AgentRow) -> Option<Duration> {
    let is_told =
        matches!(row.state, ChatState::Online | ChatState::Occupied | ChatState::BackSoon | ChatState::Away);
    let span = Duration::from_millis(u64::try_from(row.in_state_ms.0?).ok()?);
    (is_told && span <= ABSURD).then_some(span)
}

pub fn rows(source: &Id, known: &Known) -> Rows {
    let mut rows = Rows::default();
    for id in known.ids() {
        let state = known.state().and_then(|s| s.skills.0.as_ref()?.get(id));
        let health = known.health().and_then(|h| h.skills.0.as_ref()?.get(id));
        let row = queue(source, id, known, state, health);
        rows.queues.insert(row.id.clone(), row);
    }
    for (id, row) in known.agents.iter().flatten() {
        let row = agent(source, id, row, known);
        rows.agents.insert(row.id.clone(), row);
    }
    for (key, chat) in known.chats.iter().flatten() {
        if let Some(mut row) = chat.row(source, key) {
            if known.old[CONVERSATIONS] {
                grown_old(&mut row);
            }
            rows.conversations.insert(row.id.clone(), row);
        }
    }
    rows.totals = Some(totals(source, known));
    rows
}

/// A chat of which nothing has been heard for too long: that it was there is all that is left. Whether
/// somebody still waits, or for a reply, is not known, so no time runs on.
fn grown_old(row: &mut Conversation) {
    if row.state == ConversationState::Waiting {
        row.waiting_since = None;
    }
    row.last_customer_message_at = None;
    row.last_agent_message_at = None;
}

fn queue(
    source: &Id,
    id: &str,
    known: &Known,
    state: Option<&SkillState>,
    health: Option<&HealthRow>,
) -> Queue {
    let waiting = state.and_then(|s| s.size.count());
    let slots = state.and_then(|s| free(s.slots.0));
    // Free slots in a skill that nobody on the list has: the list is not the whole staff.
    let listed: Option<Vec<&AgentRow>> = known
        .agents
        .as_ref()
        .map(|all| all.values().filter(|row| skills(row).contains(&id)).collect())
        .filter(|all: &Vec<_>| !all.is_empty() || slots.is_none_or(|free| free == 0));
    let staff = listed.as_ref().filter(|_| !known.old[AGENTS]);
    let count = |which: fn(Presence) -> bool| {
        staff.map(|all| all.iter().filter(|row| which(presence(row).0)).count() as u32)
    };
    let taking = || listed.iter().flatten().filter(|row| row.state == ChatState::Online);
    // One without a limit, or whose limit is not told, leaves the sum unknown.
    let sum = || taking().map(|row| limit(row).ok().flatten()).sum::<Option<u32>>();
    let unlimited = taking().any(|row| limit(row) == Ok(None));
    let name = known.listed.get(id).or_else(|| known.names.get(id)).cloned();
    Queue {
        source: source.clone(),
        id: Id::new(id),
        name: name.unwrap_or_else(|| format!("Skill {id}")),
        kind: QueueKind::Skill,
        waiting,
        waiting_since: known.waiting.get(id).copied().filter(|_| waiting.is_some_and(|n| n > 0)),
        average_wait_s: None,
        open: staff.and_then(|all| open(all)),
        capacity: staff.and_then(|_| sum()),
        // With somebody unlimited the vendor always says 1; who was so is taken to be so still.
        free_capacity: slots.filter(|_| !unlimited),
        agents_online: count(Presence::is_online),
        agents_available: count(|presence| presence == Presence::Available),
        expected_at: None,
        windows: sorted(windows(health)),
    }
}

/// Free slots of a skill: −1 is "no data"; overbooked is nobody free.
fn free(slots: Option<i64>) -> Option<u32> {
    match slots? {
        -1 => None,
        slots => u32::try_from(slots.max(0)).ok(),
    }
}

/// Chats of a skill: only when each of its agents serves this skill alone, and says how many it has.
fn open(staff: &[&AgentRow]) -> Option<u32> {
    staff
        .iter()
        .map(|row| match row.chats.count() {
            _ if skills(row).len() != 1 => None,
            // Who has signed out has none: they went back to the queue.
            None if row.state == ChatState::Offline => Some(0),
            chats => chats,
        })
        .sum()
}

fn windows(health: Option<&HealthRow>) -> Vec<Figure> {
    let Some(health) = health else { return Vec::new() };
    let connected = health.connected.count();
    // The mean of nobody is none, whatever number stands there.
    let wait = health.average_wait_s.0.filter(|_| connected != Some(0));
    vec![
        reported("offered", Window::M30, count(health.entered.count())),
        reported("handled", Window::M30, count(connected)),
        reported("abandoned", Window::M30, count(health.abandoned.count())),
        Figure { n: connected, ..reported("average_wait", Window::M30, wait) },
    ]
}

fn agent(source: &Id, id: &str, row: &AgentRow, known: &Known) -> Agent {
    let current = !known.old[AGENTS];
    let (presence, label) = if current { presence(row) } else { (Presence::Unknown, None) };
    let open = row.chats.count().filter(|_| current);
    let capacity = limit(row).ok().flatten();
    let since = known.since.get(id).copied().filter(|_| presence.is_online());
    Agent {
        source: source.clone(),
        id: Id::new(id),
        name: row.nickname.0.clone().or_else(|| row.user.0.clone()).unwrap_or_else(|| format!("Agent {id}")),
        email: row.email.0.clone(),
        presence,
        presence_label: label,
        presence_since: since,
        presence_since_kind: since.map(|_| SinceKind::Reported),
        logged_in_at: None,
        flags: None,
        open,
        capacity,
        free_capacity: capacity.zip(open).map(|(capacity, open)| capacity.saturating_sub(open)),
        queues: Some(skills(row).into_iter().map(Id::new).collect()),
        windows: Vec::new(),
    }
}

fn totals(source: &Id, known: &Known) -> Totals {
    let mut figures = windows(known.health().map(|h| &h.totals).filter(|t| t.seen > 0));
    if let Some(state) = known.state() {
        figures.push(reported("waiting", Window::Now, count(state.totals.size.count())));
    }
    Totals { source: source.clone(), windows: sorted(figures) }
}
