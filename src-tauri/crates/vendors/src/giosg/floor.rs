//! Keeps what giosg said last, and the instants that its durations stand for.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use link::poll::{Floor, Moment, Rows};
use model::{Id, Timestamp};

use super::{
    ROOMS, USERS,
    map::{self, Known, Told, User},
    rest::Answer,
    wire::{Page, Person, Room, RoomRow, UserRow},
};
use crate::polled::stay_put;

/// The floor of one giosg organization.
pub struct GiosgFloor {
    source: Id,
    known: Known,
    /// How far the lists could be trusted before they grew too old.
    kept: (Told, Told),
    /// Usual interval of the rooms, and whether they come in several pages.
    rooms_every: Duration,
    several_pages: bool,
}

impl GiosgFloor {
    /// An empty floor.
    pub fn new(source: Id, with_shared: bool, rooms_every: Duration) -> Self {
        let known = Known { with_shared, ..Known::default() };
        Self { source, known, kept: Default::default(), rooms_every, several_pages: false }
    }

    fn take_rooms<'a>(
        &mut self,
        rows: impl Iterator<Item = &'a RoomRow>,
        whole: bool,
        oldest: &BTreeMap<String, Timestamp>,
        moment: Moment,
    ) {
        let before = std::mem::take(&mut self.known.since);
        if whole {
            self.known.rooms.clear();
        }
        for row in rows {
            let Some(id) = row.id.0.clone() else { continue };
            self.known.rooms.insert(id, row.clone());
        }
        let waiting = self.known.rooms.iter().filter(|(_, row)| row.waiting.0.is_some_and(|n| n > 0));
        let mut since = HashMap::new();
        for (id, row) in waiting {
            // An instant that is told stands; a duration is one only as far as a poll can tell.
            let told = oldest.get(id).copied();
            if let Some(at) = told.or_else(|| stay_put(before.get(id).copied(), row.max_wait.0, moment)) {
                since.insert(id.clone(), at);
            }
        }
        self.known.since = since;
        self.known.rooms_told = if whole { Told::Whole } else { Told::Partly };
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

fn rows_of<T>(pages: Option<Vec<Page<T>>>) -> impl Iterator<Item = T> {
    pages.into_iter().flatten().flat_map(|page| page.rows.unwrap_or_default())
}

impl Floor for GiosgFloor {
    type Answer = Answer;

    fn take(&mut self, endpoint: usize, answer: Option<Answer>, moment: Moment) {
        match answer {
            Some(Answer::Rooms { pages, whole, oldest }) => {
                self.several_pages = pages.len() > 1;
                let rows = pages.iter().flat_map(|page| page.rows.iter().flatten());
                self.take_rooms(rows, whole, &oldest, moment);
            }
            Some(Answer::Users { pages, whole }) => {
                self.take_users(pages.iter().flat_map(|page| page.rows.iter().flatten()), whole);
            }
            Some(Answer::LookUps { people, rooms }) => self.take_look_ups(people, rooms),
            // The same as last time: what was put aside as old is good again.
            None if endpoint == ROOMS => self.known.rooms_told = self.kept.0,
            None if endpoint == USERS => self.known.users_told = self.kept.1,
            None => {}
        }
    }

    fn outdated(&mut self, endpoint: usize) {
        match endpoint {
            ROOMS => self.known.rooms_told = Told::Nothing,
            USERS => self.known.users_told = Told::Nothing,
            _ => {}
        }
    }

    fn every(&self, endpoint: usize) -> Option<Duration> {
        // Several pages cost several requests: half as often again.
        (endpoint == ROOMS)
            .then(|| if self.several_pages { self.rooms_every * 3 / 2 } else { self.rooms_every })
    }

    fn rows(&self) -> Rows {
        map::rows(&self.source, &self.known)
    }
}
