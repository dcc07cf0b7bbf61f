//! What is left when giosg has taken the real-time figures away: its general interface still tells who is
//! there and who waits. Everything else is unknown.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use link::poll::{Good, Trouble};

use super::{
    pages::{Collected, Failed},
    rest::{Answer, CHATS, GiosgAsk, began, lock, waiting_in},
    wire::{Page, Person, Room, RoomRow, UserRow, WaitingChat},
};
use crate::loose::{Count, Reference, Text};

/// In how many rooms it is looked who waits; each costs a request.
const MOST_ROOMS: usize = 50;

/// How often each of two endpoints that have been there must be missing in a row.
const CERTAIN: u32 = 3;

/// Whether both real-time endpoints are gone. One alone may be a slip; so may both where they have been
/// there a while ago, unless it lasts or the server says that it is for good (410).
#[derive(Debug, Default)]
pub(super) struct Retirement {
    /// How often in a row each was missing; [`CERTAIN`] at once where it is said to be for good.
    missing: [AtomicU32; 2],
    were_there: AtomicBool,
    /// Ids that people had there, by e-mail address in lower case: nobody gets another one in mid-life.
    ids: Mutex<BTreeMap<String, Reference>>,
}

impl Retirement {
    /// Takes in that an endpoint gave no data; says whether that is because there are none any more.
    pub fn is_it(&self, endpoint: usize, status: Option<u16>) -> bool {
        let missing = &self.missing[endpoint];
        let times = match status {
            Some(410) => CERTAIN,
            Some(404) => missing.load(Ordering::Relaxed).saturating_add(1),
            _ => 0,
        };
        missing.store(times, Ordering::Relaxed);
        let enough = if self.were_there.load(Ordering::Relaxed) { CERTAIN } else { 1 };
        self.missing.iter().all(|missing| missing.load(Ordering::Relaxed) >= enough)
    }

    /// Whether only the other one can tell: this one is not there, and the other was never asked.
    pub fn is_open(&self, endpoint: usize) -> bool {
        let missing = |at: usize| self.missing[at].load(Ordering::Relaxed) > 0;
        !self.were_there.load(Ordering::Relaxed) && missing(endpoint) && !missing(1 - endpoint)
    }

    /// Takes in that an endpoint was there, if it was.
    pub fn seen<T>(&self, endpoint: usize, outcome: Result<T, Failed>) -> Result<T, Failed> {
        if outcome.is_ok() {
            self.were_there.store(true, Ordering::Relaxed);
            self.missing[endpoint].store(0, Ordering::Relaxed);
        }
        outcome
    }

    /// Remembers who is who.
    pub fn learn<'a>(&self, users: impl Iterator<Item = &'a UserRow>) {
        let mut ids = lock(&self.ids);
        for user in users {
            if let (Some(email), Some(_)) = (address(&user.email), &user.id.0) {
                ids.insert(email, user.id.clone());
            }
        }
    }

    /// The id that a person had, else the one in the organization's list.
    fn id(&self, person: &Person) -> Reference {
        let known = address(&person.email).and_then(|email| lock(&self.ids).get(&email).cloned());
        known.unwrap_or_else(|| person.id.clone())
    }
}

fn address(email: &Text) -> Option<String> {
    email.0.as_deref().map(|email| email.trim().to_lowercase())
}

const RETIRED: &str = "giosg has no real-time figures at this address any more; who waits and who is there comes from its general interface and the rest is not known: ask giosg what took their place.";

impl GiosgAsk {
    /// Rooms with who waits in them. `trouble` stands where that cannot be read either.
    pub(super) async fn rooms_without_figures(&self, trouble: Trouble) -> Result<Good<Answer>, Trouble> {
        let Some(organization) = self.organization().await?.0 else { return Err(trouble) };
        let found =
            self.listed_at::<Room>(&format!("api/v5/orgs/{organization}/rooms"), "room names").await?;
        let config = &self.config;
        let shown = |room: &&Room| {
            let wanted = |id: &str| config.rooms.iter().any(|one| one.eq_ignore_ascii_case(id));
            room.deleted.0 != Some(true)
                && (config.include_shared || room.shared.0 != Some(true))
                && room.id.0.as_deref().is_some_and(|id| config.rooms.is_empty() || wanted(id))
        };
        let mut oldest = BTreeMap::new();
        let mut pages = Vec::new();
        let rooms = found.pages.iter().flat_map(|page| page.rows.iter().flatten()).filter(shown);
        for (number, room) in rooms.enumerate() {
            let id = room.id.0.clone().unwrap_or_default();
            let mut row = RoomRow {
                id: Reference(Some(id.clone())),
                name: Text(room.display_name.0.clone().or_else(|| room.name.0.clone())),
                ..RoomRow::default()
            };
            if number < MOST_ROOMS
                && let Some(chats) = self.waiting_chats(&organization, &id).await?
            {
                row.waiting = Count(u32::try_from(waiting_in(&chats).count()).ok());
                oldest.extend(waiting_in(&chats).filter_map(began).min().map(|since| (id, since)));
            }
            pages.push(Arc::new(Page { rows: Some(vec![row]), ..Page::default() }));
        }
        let whole = found.problem.is_none();
        Ok(good(Answer::Rooms { pages, at: Vec::new(), whole, oldest }, &found))
    }

    /// People with what they are doing.
    pub(super) async fn users_without_figures(&self, trouble: Trouble) -> Result<Good<Answer>, Trouble> {
        let Some(organization) = self.organization().await?.0 else { return Err(trouble) };
        let found = self.listed_at::<Person>(&format!("api/v5/orgs/{organization}/users"), "names").await?;
        let user = |person: &Person| UserRow {
            id: self.retirement.id(person),
            email: person.email.clone(),
            logged_in: person.present.clone(),
            online: person.online.clone(),
            open: person.open.clone(),
            ..UserRow::default()
        };
        let page = |page: &Page<Person>| {
            let people = page.rows.iter().flatten().filter(|person| person.deleted.0 != Some(true));
            Arc::new(Page { rows: Some(people.map(user).collect()), ..Page::default() })
        };
        let pages = found.pages.iter().map(page).collect();
        Ok(good(Answer::Users { pages, whole: found.problem.is_none() }, &found))
    }

    async fn waiting_chats(
        &self,
        organization: &str,
        room: &str,
    ) -> Result<Option<Vec<Page<WaitingChat>>>, Trouble> {
        let mut url = self.url(&format!("api/v5/orgs/{organization}/rooms/{room}/chats"));
        url.query_pairs_mut().append_pair("is_waiting", "true").append_pair("is_ended", "false");
        match self.collect(url, CHATS, |_, body| self.listed::<WaitingChat>("chats", body)).await {
            Ok(found) => Ok(found.problem.is_none().then_some(found.pages)),
            Err(failed) => match failed.trouble {
                Trouble::Broken { .. } | Trouble::Refused { credentials: false, .. } => Ok(None),
                trouble => Err(trouble),
            },
        }
    }

    async fn listed_at<T: for<'a> serde::Deserialize<'a> + crate::drift::Shaped>(
        &self,
        path: &str,
        what: &'static str,
    ) -> Result<Collected<Page<T>>, Trouble> {
        Ok(self.collect(self.url(path), what, |_, body| self.listed::<T>(what, body)).await?)
    }
}

fn good(answer: Answer, found: &Collected<Page<impl Sized>>) -> Good<Answer> {
    let http = &found.last;
    Good {
        answer: Some(answer),
        partial: Some(RETIRED.to_owned()),
        sent: http.sent_at,
        at: http.received_at,
        date: http.date(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::giosg::{ROOMS, USERS};

    #[test]
    fn d12_two_that_never_were_there_are_retired_and_those_that_were_when_it_lasts() {
        let both = Retirement::default();
        assert!(!both.is_it(ROOMS, Some(404)));
        assert!(both.is_it(USERS, Some(410)) && both.is_it(ROOMS, Some(404)));
        assert!(!both.is_it(ROOMS, Some(403)) && !both.is_it(USERS, None));
        let once = Retirement::default();
        assert!(once.seen(ROOMS, Ok(())).is_ok());
        for _ in 0..2 {
            assert!(!once.is_it(ROOMS, Some(404)) && !once.is_it(USERS, Some(404)));
        }
        // One that is there, or fails otherwise, begins the count anew.
        assert!(once.seen(ROOMS, Ok(())).is_ok());
        assert!(!once.is_it(USERS, Some(404)) && !once.is_it(ROOMS, Some(404)));
        assert!(!once.is_it(ROOMS, None));
        assert!((0..2).all(|_| !once.is_it(ROOMS, Some(404))) && once.is_it(ROOMS, Some(404)));
        // For good is for good, as soon as both say so.
        let gone = Retirement::default();
        assert!(gone.seen(USERS, Ok(())).is_ok());
        assert!(!gone.is_it(USERS, Some(410)) && gone.is_it(ROOMS, Some(410)));
    }
}
