//! Keeps what LivePerson said last, and the instants that its durations stand for.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use link::poll::{Floor, Moment, Rows};
use model::{Id, Timestamp};

use super::{
    LOOK_UPS,
    map::{self, Known},
    rest::Answer,
    wire::{AgentsAnswer, ChatState, Millis, QueueState},
};

/// The floor of one LivePerson account.
pub struct LivePersonFloor {
    source: Id,
    known: Known,
    /// How often names are looked up.
    names_every: Option<Duration>,
    /// How often each skill without a name was looked up in vain.
    in_vain: BTreeMap<String, u32>,
    /// Whether names were told at all.
    looked_up: bool,
    /// When names were last told because one was missing.
    sought_at: Option<Timestamp>,
    /// When something was last told.
    now: Timestamp,
}

/// A skill that was never heard of brings a look-up at once, the next one after a minute; questions may come
/// a tenth early.
const NAMES_NOW: Duration = Duration::from_secs(1);
const NAMES_SOON: Duration = Duration::from_secs(67);
/// A name that was not found so often waits for the usual time.
const IN_VAIN: u32 = 3;

impl LivePersonFloor {
    /// An empty floor. `wanted`: ids of the skills to show, none for all; `user`: who signs in.
    pub fn new(source: Id, wanted: Vec<String>, user: String) -> Self {
        let known = Known { wanted, user, ..Known::default() };
        Self {
            source,
            known,
            names_every: None,
            in_vain: BTreeMap::new(),
            looked_up: false,
            sought_at: None,
            now: Timestamp::from_ms(0),
        }
    }

    /// Looks names up so often, and sooner where one is missing.
    #[must_use]
    pub fn looking_up(mut self, every: Duration) -> Self {
        self.names_every = Some(every);
        self
    }

    /// How often the skill without a name that was looked up least was looked up in vain.
    fn least_sought(&self) -> Option<u32> {
        let times = |id: &str| self.in_vain.get(id).copied().unwrap_or_default();
        self.known.nameless().into_iter().map(times).min()
    }

    fn take_names(&mut self, names: BTreeMap<String, String>, at: Timestamp) {
        if std::mem::replace(&mut self.looked_up, true)
            && self.least_sought().is_some_and(|times| times < IN_VAIN)
        {
            self.sought_at = Some(at);
        }
        self.known.listed = names;
        let counts = self.known.nameless().into_iter().map(|id| {
            let times = self.in_vain.get(id).map_or(1, |times| times.saturating_add(1));
            (id.to_owned(), times)
        });
        self.in_vain = counts.collect();
    }

    fn take_state(&mut self, state: &QueueState, moment: Moment) {
        let mut waiting = HashMap::new();
        let before = self.known.state.take();
        let before = before.as_ref().and_then(|state| state.skills.0.as_ref());
        for (id, skill) in state.skills.0.iter().flatten() {
            // A row that is word for word the last one is no news, whatever else the answer tells: milliseconds
            // that stand still were renewed by nobody.
            let is_news = before.and_then(|skills| skills.get(id)) != Some(skill);
            let longest = skill.longest_ms.0.filter(|_| is_news).and_then(|ms| u64::try_from(ms).ok());
            let longest = longest.map(Duration::from_millis);
            if skill.size.count().is_some_and(|n| n > 0)
                && let Some(at) = stay_put(self.known.waiting.get(id).copied(), longest, moment)
            {
                waiting.insert(id.clone(), at);
            }
        }
        self.known.waiting = waiting;
        self.known.state = Some(state.clone());
    }

    fn take_agents(&mut self, answer: &AgentsAnswer, own: Option<String>, moment: Moment) {
        let mut agents = BTreeMap::new();
        let mut since = HashMap::new();
        let before = self.known.agents.take().unwrap_or_default();
        self.known.own = own.or(self.known.own.take());
        for row in &answer.available.list.agents.0 {
            let Some(id) = row.id.0.clone() else { continue };
            for skill in &row.info.skills.0 {
                if let (Some(id), Some(name)) = (&skill.id.0, &skill.name.0) {
                    self.known.names.insert(id.clone(), name.clone());
                }
            }
            let mut row = row.clone();
            if row.is_own(self.known.own.as_deref(), &self.known.user) && row.state != ChatState::Away {
                // Whatever the list still says: it was set Away, and it takes nothing.
                row.state = ChatState::Away;
                row.in_state_ms = Millis(None);
            }
            let old = before.get(&id);
            let same = old.is_some_and(|old| old.state == row.state);
            let held = self.known.since.get(&id).copied().filter(|_| same);
            let span = map::in_state(&row).filter(|_| old != Some(&row));
            if let Some(at) = stay_put(held, span, moment) {
                since.insert(id.clone(), at);
            }
            agents.insert(id, row);
        }
        // Our own user is always on it; a list of nobody tells nothing.
        self.known.agents = (!agents.is_empty()).then_some(agents);
        self.known.since = since;
    }
}

/// The instant that a reported duration stands for. It stays where it is unless it moved by more than a
/// poll can be off; a duration that is not told leaves it as it was.
fn stay_put(before: Option<Timestamp>, span: Option<Duration>, moment: Moment) -> Option<Timestamp> {
    let Some(span) = span else { return before };
    let now = moment.vendor.minus(span);
    match before {
        Some(before) if before.since(now).max(now.since(before)) <= moment.uncertainty => Some(before),
        _ => Some(now),
    }
}

impl Floor for LivePersonFloor {
    type Answer = Answer;

    fn take(&mut self, endpoint: usize, answer: Option<Answer>, moment: Moment) {
        self.now = self.now.max(moment.at);
        match answer {
            Some(Answer::State(state)) => self.take_state(&state, moment),
            Some(Answer::Health(health)) => self.known.health = Some((*health).clone()),
            Some(Answer::Agents { answer, own }) => self.take_agents(&answer, own, moment),
            Some(Answer::Chats(chats)) => self.known.chats = Some(chats),
            Some(Answer::Names(names)) => self.take_names(names, moment.at),
            // Word for word the same as last time: nothing is new, so every instant stays where it is. The
            // vendor renews its figures more slowly than they may be asked for.
            None => {}
        }
        // Also what was put aside as old and comes word for word again is good again.
        if let Some(old) = self.known.old.get_mut(endpoint) {
            *old = false;
        }
    }

    fn outdated(&mut self, endpoint: usize) {
        if let Some(old) = self.known.old.get_mut(endpoint) {
            *old = true;
        }
    }

    fn every(&self, endpoint: usize) -> Option<Duration> {
        let usual = self.names_every.filter(|_| endpoint == LOOK_UPS)?;
        let minute = || self.sought_at.is_none_or(|at| self.now.since(at) >= Duration::from_secs(60));
        Some(match self.least_sought() {
            Some(0) if minute() => NAMES_NOW.min(usual),
            Some(times) if times < IN_VAIN => NAMES_SOON.min(usual),
            _ => usual,
        })
    }

    fn rows(&self) -> Rows {
        map::rows(&self.source, &self.known)
    }
}
