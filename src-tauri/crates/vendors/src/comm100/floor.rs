//! Keeps what Comm100 said last, and the instants that its durations stand for.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use link::poll::{Floor, Moment, Rows, Share};
use model::{Id, Timestamp};

use super::{
    AGENTS, LOOKUPS, QUEUE, RIGHTNOW, STATUSES, TODAY, config,
    map::{self, Known, Roster, place},
    rest::{Answer, LookUps},
    wire::{AgentRow, Listed, NamedStatus, QueueRow, RightNow, Today, named},
};
use crate::{
    drift::Notes,
    paces::{Paces, Wanted},
    polled::{STALE_AFTER, stay_put, stretch},
};

/// Two answers this close together are taken to be about the same moment.
const TOGETHER: Duration = Duration::from_secs(60);
/// How often names are asked for while there are status ids that nobody has explained.
const NAMES_SOON: Duration = Duration::from_secs(60);

/// The floor of one Comm100 site.
pub struct Comm100Floor {
    source: Id,
    known: Known,
    /// What was last said, while its figures are too old to be shown.
    kept: Kept,
    agents_at: Option<Timestamp>,
    /// Status names that were not yet held against the agents of the same moment.
    names: Option<(Timestamp, Arc<Listed<NamedStatus>>)>,
    pace: Pace,
    /// Pages that the agents came in last.
    pages: u32,
    /// When each agent was last heard of.
    heard: HashMap<String, Timestamp>,
    /// Where status ids are noted that nobody explains.
    pub notes: Notes,
    /// Whether the look-ups that explain them were made.
    looked_up: bool,
    /// Where it is said how often is asked.
    paces: Paces,
}

/// Intervals, which depend on what was answered and on who else lives on the same budget.
#[derive(Debug)]
pub struct Pace {
    /// Usual intervals, by endpoint.
    pub usual: Vec<(&'static str, Duration)>,
    /// Shortest time between two requests for pages of agents, on average.
    pub page: Duration,
    /// The budget of the address.
    pub share: Arc<Share>,
    /// How many requests it allows in which time.
    pub calls: (u32, Duration),
    /// How many of them are planned with.
    pub planned: u32,
}

impl Pace {
    /// What every endpoint wants, `pages` being how many the agents came in.
    fn wanted(&self, names_are_missing: bool, pages: u32) -> impl Iterator<Item = Wanted> {
        self.usual.iter().enumerate().map(move |(endpoint, &(name, usual))| match endpoint {
            STATUSES if names_are_missing => Wanted { name, every: NAMES_SOON.min(usual), requests: 1 },
            AGENTS => Wanted { name, every: usual.max(self.page * pages), requests: pages },
            LOOKUPS => Wanted { name, every: usual, requests: config::LOOK_UPS },
            _ => Wanted { name, every: usual, requests: 1 },
        })
    }

    /// The interval of an endpoint.
    fn every(&self, endpoint: usize, names_are_missing: bool, pages: u32) -> Option<Duration> {
        let wanted = || self.wanted(names_are_missing, pages);
        let costs = wanted().map(|w| (w.every, w.requests));
        let stretch = stretch(costs, &self.share, self.planned, self.calls.1);
        wanted().nth(endpoint).map(|wanted| wanted.every.mul_f64(stretch))
    }
}

#[derive(Default)]
struct Kept {
    rightnow: Option<RightNow>,
    today: Option<Today>,
    roster: Roster,
}

impl Comm100Floor {
    /// An empty floor.
    pub fn new(source: Id, pace: Pace) -> Self {
        Self {
            source,
            known: Known::default(),
            kept: Kept::default(),
            agents_at: None,
            names: None,
            pace,
            pages: 1,
            heard: HashMap::new(),
            notes: Notes::default(),
            looked_up: false,
            paces: Paces::default(),
        }
    }

    /// Says from now on how often is asked.
    #[must_use]
    pub fn telling(mut self, paces: Paces) -> Self {
        self.paces = paces;
        self.tell_pace();
        self
    }

    fn tell_pace(&self) {
        let wanted = self.pace.wanted(self.names_are_missing(), self.pages).collect();
        self.paces.tell_planned(wanted, &self.pace.share, self.pace.calls, self.pace.planned);
    }

    /// Whether an agent's status is none that anybody has explained.
    fn names_are_missing(&self) -> bool {
        let odd =
            |row: &AgentRow| row.status.0.as_deref().is_some_and(|id| self.known.statuses.is_unknown(id));
        self.known.agents.values().any(odd)
    }

    fn take_queue(&mut self, rows: Vec<QueueRow>, moment: Moment) {
        let mut since = HashMap::new();
        for row in &rows {
            let place = place(row);
            for visitor in row.visitors.0.iter().flatten() {
                let Some(guid) = named(&visitor.id) else { continue };
                let key = (place.id.clone(), guid.to_owned());
                let before = self.known.since.get(&key).copied();
                if let Some(at) = stay_put(before, visitor.wait.0, moment) {
                    since.insert(key, at);
                }
            }
        }
        self.known.since = since;
        self.known.queue = Some((rows, true));
    }

    fn take_agents(&mut self, pages: &[Arc<Listed<AgentRow>>], whole: bool, at: Timestamp) {
        self.pages = u32::try_from(pages.len()).unwrap_or(1).max(1);
        if whole {
            self.known.agents.clear();
            self.heard.clear();
        }
        for row in pages.iter().flat_map(|page| page.rows.iter().flatten()) {
            if let Some(guid) = named(&row.agent) {
                self.known.agents.insert(guid.to_owned(), row.clone());
                self.heard.insert(guid.to_owned(), at);
            }
        }
        let limit = self.every(AGENTS).unwrap_or_default() * STALE_AFTER;
        let unheard = self.heard.iter().filter(|(_, heard)| at.since(**heard) >= limit);
        self.known.unheard = unheard.map(|(guid, _)| guid.clone()).collect();
        self.known.roster = if whole { Roster::Whole } else { Roster::Partial };
        self.kept.roster = self.known.roster;
        self.agents_at = Some(at);
    }

    fn take_look_ups(&mut self, look_ups: LookUps) {
        if let Some(departments) = look_ups.departments {
            let rows = departments.rows.iter().flatten();
            let mut members = HashMap::new();
            for row in rows {
                let Some(guid) = named(&row.id) else { continue };
                if let Some(name) = &row.name.0 {
                    self.known.departments.insert(guid.to_owned(), name.clone());
                }
                if let Some(agents) = &row.agents.0 {
                    let agents = agents.iter().filter_map(|agent| named(agent).map(str::to_owned));
                    members.insert(guid.to_owned(), agents.collect());
                }
            }
            // A list without members says nothing about who belongs where.
            self.known.members = (!members.is_empty()).then(|| members.into_iter().collect());
        }
        if let Some(people) = look_ups.people {
            let mut members: std::collections::BTreeMap<String, Vec<String>> = Default::default();
            for row in people.iter().flat_map(|page| page.rows.iter().flatten()) {
                let Some(agent) = named(&row.agent) else { continue };
                for department in row.departments.0.iter().flatten().filter_map(named) {
                    members.entry(department.to_owned()).or_default().push(agent.to_owned());
                }
            }
            self.known.members = (!members.is_empty()).then_some(members);
        }
        if let Some(away) = look_ups.away {
            let rows = away.rows.iter().flatten();
            let names = rows.filter_map(|row| Some((named(&row.id)?.to_owned(), row.name.0.clone()?)));
            self.known.statuses.set_away(names);
        }
        if let Some(distribution) = look_ups.distribution {
            let on = distribution.enabled.0 != Some(false);
            let for_all = distribution.limited.0 == Some(true);
            self.known.limit_for_all = distribution.for_all.0.filter(|_| on && for_all);
            let each = distribution.agents.0.iter().flatten().filter(|_| on && !for_all);
            self.known.limits =
                each.filter_map(|row| Some((named(&row.agent)?.to_owned(), row.capacity.0?))).collect();
        }
    }

    /// Ids of statuses that nobody could name, once names were asked for.
    fn note_strange(&self) {
        if self.looked_up {
            let ids = self.known.agents.values().filter_map(|row| row.status.0.as_deref());
            let strange: BTreeSet<&str> = ids.filter(|id| self.known.statuses.is_unknown(id)).collect();
            for id in strange {
                self.notes.unknown_word("livechat/realTime/Agents", "currentstatusid", id);
            }
        }
    }

    /// Holds names against ids when both were told at about the same moment.
    fn vote(&mut self) {
        let Some(agents_at) = self.agents_at else { return };
        let Some((at, names)) =
            self.names.take_if(|(at, _)| agents_at.since(*at).max(at.since(agents_at)) <= TOGETHER)
        else {
            return;
        };
        tracing::trace!(source = %self.source, %at, "status names heard");
        for row in names.rows.iter().flatten() {
            let (Some(guid), Some(name)) = (row.agent.0.as_deref(), row.status.0.as_deref()) else {
                continue;
            };
            if let Some(id) = self.known.agents.get(guid).and_then(|agent| agent.status.0.as_deref()) {
                self.known.statuses.vote(id, name);
            }
        }
    }
}

impl Floor for Comm100Floor {
    type Answer = Answer;

    fn take(&mut self, endpoint: usize, answer: Option<Answer>, moment: Moment) {
        match answer {
            Some(Answer::RightNow(rightnow)) => {
                self.kept.rightnow = Some((*rightnow).clone());
                self.known.rightnow = self.kept.rightnow.clone();
            }
            Some(Answer::Today(today)) => {
                self.kept.today = Some((*today).clone());
                self.known.today = self.kept.today.clone();
            }
            Some(Answer::Queue(queue)) => self.take_queue(queue.rows.clone().unwrap_or_default(), moment),
            Some(Answer::Agents { pages, whole }) => {
                self.take_agents(&pages, whole, moment.at);
                self.vote();
                self.note_strange();
            }
            Some(Answer::LookUps(look_ups)) => self.take_look_ups(look_ups),
            Some(Answer::Statuses(names)) => {
                self.looked_up = true;
                self.names = Some((moment.at, names));
                self.vote();
            }
            // The same as last time: what was put aside as old is good again.
            None => match endpoint {
                RIGHTNOW => self.known.rightnow = self.kept.rightnow.clone(),
                TODAY => self.known.today = self.kept.today.clone(),
                AGENTS => {
                    self.known.roster = self.kept.roster;
                    self.agents_at = Some(moment.at);
                    self.heard.values_mut().for_each(|heard| *heard = moment.at);
                }
                QUEUE => {
                    if let Some((_, current)) = &mut self.known.queue {
                        *current = true;
                    }
                }
                _ => {}
            },
        }
        self.tell_pace();
    }

    fn outdated(&mut self, endpoint: usize) {
        match endpoint {
            RIGHTNOW => self.known.rightnow = None,
            TODAY => self.known.today = None,
            AGENTS => self.known.roster = Roster::Unknown,
            QUEUE => {
                if let Some((_, current)) = &mut self.known.queue {
                    *current = false;
                }
            }
            LOOKUPS | STATUSES => {}
            _ => {}
        }
    }

    fn every(&self, endpoint: usize) -> Option<Duration> {
        self.pace.every(endpoint, self.names_are_missing(), self.pages)
    }

    fn rows(&self) -> Rows {
        map::rows(&self.source, &self.known)
    }
}
