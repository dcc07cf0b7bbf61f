//! Keeps what giosg said last, and the instants that its durations stand for.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use link::poll::{Floor, Moment, Rows, Share};
use model::{Id, Timestamp};

use super::{
    LOOK_UPS, ROOMS, USERS,
    map::{self, Known, Told, User},
    rest::Answer,
    wire::{Page, Person, Room, RoomRow, UserRow},
};
use crate::{
    paces::{Paces, Wanted},
    polled::{STALE_AFTER, stay_put, stretch},
};

/// The floor of one giosg organization.
pub struct GiosgFloor {
    source: Id,
    known: Known,
    /// How far the lists could be trusted before they grew too old.
    kept: (Told, Told),
    /// When each room and each user was last heard of.
    heard: [HashMap<String, Timestamp>; 2],
    pace: Pace,
    /// Requests that each endpoint took last.
    requests: [u32; 3],
    /// Where it is said how often is asked.
    paces: Paces,
}

/// Intervals, which depend on what was answered and on who else lives on the same budget.
#[derive(Debug)]
pub struct Pace {
    /// Usual intervals, by endpoint.
    pub usual: [Duration; 3],
    /// The budget of the account.
    pub share: Arc<Share>,
    /// How many requests it allows in which time.
    pub calls: (u32, Duration),
}

const NAMES: [&str; 3] = ["rooms", "users", "lookups"];

impl Pace {
    fn wanted(&self, requests: [u32; 3]) -> [Wanted; 3] {
        // Several pages of rooms cost several requests: half as often again, even where there is room.
        let own = |endpoint: usize| match (endpoint, self.usual[endpoint]) {
            (ROOMS, usual) if requests[ROOMS] > 1 => usual * 3 / 2,
            (_, usual) => usual,
        };
        std::array::from_fn(|at| Wanted { name: NAMES[at], every: own(at), requests: requests[at] })
    }

    fn every(&self, endpoint: usize, requests: [u32; 3]) -> Duration {
        let wanted = self.wanted(requests);
        let costs = wanted.iter().map(|wanted| (wanted.every, wanted.requests));
        let (calls, per) = self.calls;
        wanted[endpoint].every.mul_f64(stretch(costs, &self.share, calls, per))
    }
}

/// An instant that is told and one that is worked out are about the same person when they are this close.
const ALIKE: Duration = Duration::from_secs(15);

impl GiosgFloor {
    /// An empty floor.
    pub fn new(source: Id, with_shared: bool, pace: Pace) -> Self {
        let known = Known { with_shared, ..Known::default() };
        Self {
            source,
            known,
            kept: Default::default(),
            heard: Default::default(),
            pace,
            requests: [1; 3],
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
        let wanted = self.pace.wanted(self.requests).to_vec();
        self.paces.tell(wanted, &self.pace.share, self.pace.calls);
    }

    /// Who was heard now, and who for too long was not: pages may fail while others come.
    fn hear(&mut self, endpoint: usize, ids: impl Iterator<Item = String>, whole: bool, at: Timestamp) {
        let heard = &mut self.heard[endpoint];
        if whole {
            heard.clear();
        }
        heard.extend(ids.map(|id| (id, at)));
        let limit = self.pace.every(endpoint, self.requests) * STALE_AFTER;
        let unheard = heard.iter().filter(|(_, heard)| at.since(**heard) >= limit);
        self.known.unheard[endpoint] = unheard.map(|(id, _)| id.clone()).collect();
    }

    fn take_rooms<'a>(
        &mut self,
        rows: impl Iterator<Item = (&'a RoomRow, Moment)>,
        whole: bool,
        oldest: &BTreeMap<String, Timestamp>,
    ) {
        let before = std::mem::take(&mut self.known.since);
        if whole {
            self.known.rooms.clear();
        }
        let mut nameless = false;
        let mut heard = HashMap::new();
        for (row, moment) in rows {
            match &row.id.0 {
                Some(id) => {
                    heard.insert(id.clone(), moment);
                    self.known.rooms.insert(id.clone(), row.clone());
                }
                None => nameless = true,
            }
        }
        let waiting = self.known.rooms.iter().filter(|(_, row)| row.waiting.0.is_some_and(|n| n > 0));
        let mut since = HashMap::new();
        for (id, row) in waiting {
            let Some(moment) = heard.get(id).copied() else {
                // On a page that did not come: what was known of it stands.
                since.extend(before.get(id).map(|at| (id.clone(), *at)));
                continue;
            };
            // An instant that is told stands; a duration is one only as far as a poll can tell. Where the
            // two do not speak of the same person, the room's own figure counts.
            let measured = row.max_wait.0.map(|wait| moment.vendor.plus_seconds(-wait));
            let alike = |told: &Timestamp| {
                let apart = |measured: Timestamp| measured.since(*told).max(told.since(measured));
                measured.is_none_or(|measured| apart(measured) <= moment.uncertainty.max(ALIKE))
            };
            let told = oldest.get(id).copied().filter(alike);
            if let Some(at) = told.or_else(|| stay_put(before.get(id).copied(), row.max_wait.0, moment)) {
                since.insert(id.clone(), at);
            }
        }
        self.known.since = since;
        // A room without an id cannot be shown, so sums over what is shown would be wrong.
        self.known.rooms_told = if whole && !nameless { Told::Whole } else { Told::Partly };
        self.kept.0 = self.known.rooms_told;
    }

    fn take_users<'a>(&mut self, rows: impl Iterator<Item = &'a UserRow>, whole: bool) {
        if whole {
            for user in self.known.users.values_mut() {
                user.absent = user.absent.saturating_add(1);
            }
        }
        for row in rows {
            let Some(id) = row.id.0.clone() else { continue };
            self.known.users.insert(id, User { row: row.clone(), absent: 0 });
        }
        self.known.users_told = if whole { Told::Whole } else { Told::Partly };
        self.kept.1 = self.known.users_told;
    }

    fn take_look_ups(&mut self, people: Option<Vec<Page<Person>>>, rooms: Option<Vec<Page<Room>>>) {
        if let Some(pages) = people {
            self.known.people.clear();
            for person in pages.into_iter().flat_map(|page| page.rows.unwrap_or_default()) {
                if let Some(email) = &person.email.0 {
                    self.known.people.insert(email.trim().to_lowercase(), person.clone());
                }
                if let Some(id) = person.id.0.clone() {
                    self.known.people.insert(id, person);
                }
            }
            // Only the organization itself can say that somebody is gone for good.
            let people = &self.known.people;
            self.known.users.retain(|id, user| {
                let email = user.row.email.0.as_deref().map(|email| email.trim().to_lowercase());
                let person = people.get(id).or_else(|| people.get(&email?));
                user.absent == 0 || person.is_none_or(|person| person.deleted.0 != Some(true))
            });
        }
        for room in rows_of(rooms) {
            let Some(id) = room.id.0 else { continue };
            if let Some(name) = room.display_name.0 {
                self.known.room_names.insert(id.clone(), name);
            }
            if let Some(shared) = room.shared.0 {
                self.known.shared.insert(id, shared);
            }
        }
    }
}

fn requests(pages: usize) -> u32 {
    u32::try_from(pages).unwrap_or(u32::MAX).max(1)
}

fn rows_of<T>(pages: Option<Vec<Page<T>>>) -> impl Iterator<Item = T> {
    pages.into_iter().flatten().flat_map(|page| page.rows.unwrap_or_default())
}

impl Floor for GiosgFloor {
    type Answer = Answer;

    fn take(&mut self, endpoint: usize, answer: Option<Answer>, moment: Moment) {
        match answer {
            Some(Answer::Rooms { pages, at, whole, oldest }) => {
                self.requests[ROOMS] = requests(pages.len());
                let rows = pages.iter().enumerate().flat_map(|(n, page)| {
                    let moment = at.get(n).map_or(moment, |at| moment.at_that_time(*at));
                    page.rows.iter().flatten().map(move |row| (row, moment))
                });
                self.take_rooms(rows, whole, &oldest);
                let ids = pages.iter().flat_map(|page| page.rows.iter().flatten());
                self.hear(ROOMS, ids.filter_map(|row| row.id.0.clone()), whole, moment.at);
            }
            Some(Answer::Users { pages, whole }) => {
                self.requests[USERS] = requests(pages.len());
                let rows = || pages.iter().flat_map(|page| page.rows.iter().flatten());
                self.take_users(rows(), whole);
                self.hear(USERS, rows().filter_map(|row| row.id.0.clone()), whole, moment.at);
            }
            Some(Answer::LookUps { people, rooms }) => {
                let pages = |n: Option<usize>| n.unwrap_or_default();
                let read = pages(people.as_ref().map(Vec::len)) + pages(rooms.as_ref().map(Vec::len));
                self.requests[LOOK_UPS] = requests(read + 1);
                self.take_look_ups(people, rooms);
            }
            // The same as last time: what was put aside as old is good again.
            None if endpoint == ROOMS => {
                self.known.rooms_told = self.kept.0;
                self.heard[ROOMS].values_mut().for_each(|heard| *heard = moment.at);
            }
            None if endpoint == USERS => self.known.users_told = self.kept.1,
            None => {}
        }
        self.tell_pace();
    }

    fn outdated(&mut self, endpoint: usize) {
        match endpoint {
            ROOMS => self.known.rooms_told = Told::Nothing,
            USERS => self.known.users_told = Told::Nothing,
            _ => {}
        }
    }

    fn every(&self, endpoint: usize) -> Option<Duration> {
        Some(self.pace.every(endpoint, self.requests))
    }

    fn rows(&self) -> Rows {
        map::rows(&self.source, &self.known)
    }
}
