//! Asking giosg: addresses, pages, and what each answer amounts to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use link::{
    Answer as HttpAnswer, Auth, Http, Request, Secret,
    poll::{Ask, Bodies, Budget, Good, Share, Trouble},
};
use model::Timestamp;
use serde::Deserialize;
use url::Url;

use super::{
    ROOMS, USERS,
    config::Config,
    pages::{Collected, Failed, body_of, short},
    retired::Retirement,
    wire::{Me, Page, Person, Room, RoomRow, UserRow, WaitingChat},
};
use crate::{
    drift::{Notes, Shaped},
    loose::Unreadable,
    rest,
};

/// What an endpoint said.
pub enum Answer {
    /// Rooms; whether these are all, and since when the oldest waits in a room where that is told.
    Rooms {
        pages: Vec<Arc<Page<RoomRow>>>,
        /// When each page was there: a wait is as long as it was then, however long the others took.
        at: Vec<Timestamp>,
        whole: bool,
        oldest: BTreeMap<String, Timestamp>,
    },
    /// Users; whether these are all.
    Users { pages: Vec<Arc<Page<UserRow>>>, whole: bool },
    /// What could be looked up this time.
    LookUps { people: Option<Vec<Page<Person>>>, rooms: Option<Vec<Page<Room>>> },
}

/// Rooms whose waiting chats are looked at in one poll: exact waits are worth a few requests, no more.
const MOST_ROOMS: usize = 4;
/// Requests for them in a minute; between two of them the instant stays where it was.
pub const EXTRAS: u32 = 10;

/// The asking half of a giosg source.
pub struct GiosgAsk {
    http: Http,
    pub(super) config: Config,
    secret: Secret,
    budget: Arc<Share>,
    /// What exact waits may cost.
    extras: Budget,
    rooms: Bodies<Page<RoomRow>>,
    users: Bodies<Page<UserRow>>,
    /// The zone was refused once: it is not sent again.
    zone_refused: AtomicBool,
    /// Waiting chats could not be read: not before the next look-ups.
    chats_rest: AtomicBool,
    organization: Mutex<Option<String>>,
    forbidden: Mutex<BTreeSet<&'static str>>,
    /// Which of the two real-time endpoints were not there, and whether either ever was.
    pub(super) retirement: Retirement,
    /// What of the format is not as it should be.
    pub notes: Notes,
    /// Waits that were told last, to see whether they are news.
    waits: Mutex<BTreeMap<String, Timestamp>>,
}

impl GiosgAsk {
    /// Nothing is asked yet.
    pub fn new(http: Http, config: Config, secret: Secret, budget: Arc<Share>) -> Self {
        Self {
            http,
            config,
            secret,
            budget,
            extras: Budget::new(EXTRAS, Duration::from_secs(60)),
            rooms: Bodies::default(),
            users: Bodies::default(),
            zone_refused: AtomicBool::new(false),
            chats_rest: AtomicBool::new(false),
            retirement: Retirement::default(),
            organization: Mutex::default(),
            forbidden: Mutex::default(),
            notes: Notes::default(),
            waits: Mutex::default(),
        }
    }

    pub(super) fn listed<T: for<'a> Deserialize<'a> + Shaped>(
        &self,
        part: &'static str,
        body: &[u8],
    ) -> Result<Page<T>, Unreadable> {
        let page = self.notes.read::<Page<T>>(part, body)?;
        if page.rows.is_some() { Ok(page) } else { Err(Unreadable) }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.config.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        url
    }

    pub(super) async fn get(&self, url: Url) -> Result<HttpAnswer, Trouble> {
        self.budget.spend().await;
        let auth = Auth::Token { scheme: self.config.scheme, token: self.secret.clone() };
        self.http.send(Request::get(url).auth(auth)).await.map_err(|error| rest::no_answer(&error))
    }

    async fn ask_rooms(&self) -> Result<Good<Answer>, Failed> {
        let plain = {
            let mut url = self.url("api/v4/reporting/realtime/rooms");
            if !self.config.rooms.is_empty() {
                url.query_pairs_mut().append_pair("room_id", &self.config.rooms.join(","));
            }
            if self.config.include_shared {
                url.query_pairs_mut().append_pair("include_shared", "true");
            }
            url
        };
        let read = |page: usize, body: &[u8]| {
            self.rooms.read(page, body, |body| self.listed::<RoomRow>("rooms", body))
        };
        let zone = self.config.timezone.as_deref().filter(|_| !self.zone_refused.load(Ordering::Relaxed));
        let mut url = plain.clone();
        if let Some(zone) = zone {
            url.query_pairs_mut().append_pair("timezone", zone);
        }
        let mut found = match self.collect(url.clone(), "rooms", read).await {
            // Perhaps it is the zone: once without it.
            Err(refused) if zone.is_some() && refused.status == Some(400) => {
                url = plain;
                let found = self.collect(url.clone(), "rooms", read).await.map_err(|_| refused)?;
                self.zone_refused.store(true, Ordering::Relaxed);
                found
            }
            outcome => outcome?,
        };
        let id = |row: &RoomRow| row.id.0.clone();
        if found.problem.is_none() && short(&found.pages, id).is_some() {
            found.and(self.collect(url, "rooms", read).await, "rooms", id)?;
        }
        let oldest = self.oldest(&found.pages).await.map_err(|trouble| Failed { trouble, status: None })?;
        let waits_moved = {
            let mut told = lock(&self.waits);
            let moved = oldest.iter().any(|(room, since)| told.get(room) != Some(since));
            told.extend(oldest.clone());
            moved
        };
        let news = self.rooms.is_news(&found.pages) || waits_moved || found.problem.is_some();
        let whole = found.problem.is_none();
        let (pages, at) = (std::mem::take(&mut found.pages), std::mem::take(&mut found.at));
        Ok(good(news.then_some(Answer::Rooms { pages, at, whole, oldest }), &found))
    }

    async fn ask_users(&self) -> Result<Good<Answer>, Failed> {
        let url = self.url("api/v4/reporting/realtime/users");
        let read = |page: usize, body: &[u8]| {
            self.users.read(page, body, |body| self.listed::<UserRow>("users", body))
        };
        let mut found = self.collect(url.clone(), "users", read).await?;
        let id = |row: &UserRow| row.id.0.clone();
        if found.problem.is_none() && short(&found.pages, id).is_some() {
            found.and(self.collect(url, "users", read).await, "users", id)?;
        }
        // Being absent counts by polls, so every whole answer is told.
        self.users.is_news(&found.pages);
        let whole = found.problem.is_none();
        let pages = std::mem::take(&mut found.pages);
        self.retirement.learn(pages.iter().flat_map(|page| page.rows.iter().flatten()));
        Ok(good(Some(Answer::Users { pages, whole }), &found))
    }

    /// Since when the oldest chat waits, in rooms where somebody waits and the account may look.
    async fn oldest(&self, pages: &[Arc<Page<RoomRow>>]) -> Result<BTreeMap<String, Timestamp>, Trouble> {
        let mut oldest = BTreeMap::new();
        let Some(organization) = lock(&self.organization).clone() else { return Ok(oldest) };
        let rows = pages.iter().flat_map(|page| page.rows.iter().flatten());
        let mut waiting: Vec<(&str, f64)> = rows
            .filter(|row| row.waiting.0.is_some_and(|waiting| waiting > 0))
            .filter_map(|row| Some((row.id.0.as_deref()?, row.max_wait.0.unwrap_or(f64::MAX))))
            .collect();
        // Where people wait longest it matters most.
        waiting.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (room, _) in waiting.into_iter().take(MOST_ROOMS) {
            let not_now = self.chats_rest.load(Ordering::Relaxed) || lock(&self.forbidden).contains(CHATS);
            if not_now || !self.extras.try_spend() {
                break;
            }
            let mut url = self.url(&format!("api/v5/orgs/{organization}/rooms/{room}/chats"));
            url.query_pairs_mut().append_pair("is_waiting", "true").append_pair("is_ended", "false");
            match self.collect(url, CHATS, |_, body| self.listed::<WaitingChat>("chats", body)).await {
                Ok(found) if found.problem.is_none() => {
                    let since = waiting_in(&found.pages).filter_map(began).min();
                    oldest.extend(since.map(|since| (room.to_owned(), since)));
                }
                Ok(_) => {}
                Err(failed) => match failed.trouble {
                    trouble @ Trouble::Throttled { .. } => return Err(trouble),
                    // The rooms are well: what is only nice to have does not hold them up.
                    Trouble::Link(_) | Trouble::Broken { soon: true, .. } => {
                        self.chats_rest.store(true, Ordering::Relaxed);
                    }
                    _ => {
                        lock(&self.forbidden).insert(CHATS);
                    }
                },
            }
        }
        Ok(oldest)
    }

    async fn ask_look_ups(&self) -> Result<Good<Answer>, Trouble> {
        let (organization, answer) = self.organization().await?;
        *lock(&self.organization) = organization.clone();
        self.chats_rest.store(false, Ordering::Relaxed);
        let mut missing = Vec::new();
        let (people, rooms) = match &organization {
            Some(organization) => {
                let mut people = self.url(&format!("api/v5/orgs/{organization}/users"));
                people.query_pairs_mut().append_pair("ordering", "email");
                let rooms = self.url(&format!("api/v5/orgs/{organization}/rooms"));
                (
                    self.look_up(people, "names", &mut missing).await?,
                    self.look_up(rooms, "room names", &mut missing).await?,
                )
            }
            None => {
                missing.push("its own organization");
                (None, None)
            }
        };
        if lock(&self.forbidden).contains(CHATS) {
            missing.push(CHATS);
        }
        let partial = (!missing.is_empty()).then(|| {
            format!(
                "giosg does not let this token look up {}: names and details from there are missing; use a token of a user who may see the organization.",
                missing.join(", ")
            )
        });
        let look_ups = Answer::LookUps { people, rooms };
        Ok(Good {
            answer: Some(look_ups),
            partial,
            sent: answer.sent_at,
            at: answer.received_at,
            date: answer.date(),
        })
    }

    /// The organization of the token's user; `None` where the token may not know it.
    pub(super) async fn organization(&self) -> Result<(Option<String>, HttpAnswer), Trouble> {
        let answer = self.get(self.url("api/v5/users/me")).await?;
        let organization = match body_of(&answer, "its own user") {
            Ok(body) => self.notes.read::<Me>("me", body).ok().and_then(|me| me.organization.0),
            Err(Trouble::Refused { .. } | Trouble::Broken { .. }) => None,
            Err(trouble) => return Err(trouble),
        };
        let sane = |text: &String| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        Ok((organization.filter(sane), answer))
    }

    async fn look_up<T: for<'a> Deserialize<'a> + Shaped>(
        &self,
        url: Url,
        what: &'static str,
        missing: &mut Vec<&'static str>,
    ) -> Result<Option<Vec<Page<T>>>, Trouble> {
        if lock(&self.forbidden).contains(what) {
            missing.push(what);
            return Ok(None);
        }
        match self.collect(url, what, |_, body| self.listed::<T>(what, body)).await {
            Ok(found) => {
                if found.problem.is_some() {
                    missing.push(what);
                }
                return Ok(Some(found.pages));
            }
            Err(failed) => match failed.trouble {
                trouble @ (Trouble::Throttled { .. } | Trouble::Link(_) | Trouble::Misconfigured(_)) => {
                    return Err(trouble);
                }
                Trouble::Broken { soon: true, .. } => {}
                _ => {
                    lock(&self.forbidden).insert(what);
                }
            },
        }
        missing.push(what);
        Ok(None)
    }
}

/// The chats of these pages that wait.
pub(super) fn waiting_in(pages: &[Page<WaitingChat>]) -> impl Iterator<Item = &WaitingChat> {
    let chats = pages.iter().flat_map(|page| page.rows.iter().flatten());
    chats.filter(|chat| chat.waiting.0 != Some(false) && chat.ended.0 != Some(true))
}

/// Since when a chat waits.
pub(super) fn began(chat: &WaitingChat) -> Option<Timestamp> {
    let told = chat.since.0.as_deref().and_then(instant);
    told.or_else(|| instant(chat.created.0.as_deref()?))
}

pub(super) const CHATS: &str = "waiting chats";

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn good<P>(answer: Option<Answer>, found: &Collected<P>) -> Good<Answer> {
    let http = &found.last;
    Good {
        answer,
        partial: found.problem.clone(),
        sent: http.sent_at,
        at: http.received_at,
        date: http.date(),
    }
}

/// An instant of giosg; one without a zone is in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

#[async_trait]
impl Ask for GiosgAsk {
    type Answer = Answer;

    async fn ask(&self, endpoint: usize) -> Result<Good<Answer>, Trouble> {
        match endpoint {
            ROOMS => match self.ask_rooms().await {
                Err(failed) if self.retirement.is_it(ROOMS, failed.status) => {
                    self.rooms_without_figures(failed.trouble).await
                }
                // At the start the users tell which it is, so that the first floor shown is not one without
                // rooms.
                Err(failed) if self.retirement.is_open(ROOMS) => {
                    let users = self.retirement.seen(USERS, self.ask_users().await);
                    match users {
                        Err(other) if self.retirement.is_it(USERS, other.status) => {
                            self.rooms_without_figures(failed.trouble).await
                        }
                        _ => Err(failed.trouble),
                    }
                }
                outcome => Ok(self.retirement.seen(ROOMS, outcome)?),
            },
            USERS => match self.ask_users().await {
                Err(failed) if self.retirement.is_it(USERS, failed.status) => {
                    self.users_without_figures(failed.trouble).await
                }
                outcome => Ok(self.retirement.seen(USERS, outcome)?),
            },
            _ => self.ask_look_ups().await,
        }
    }

    fn note(&self, endpoint: usize) -> Option<String> {
        let refused = self.zone_refused.load(Ordering::Relaxed);
        (endpoint == ROOMS && (refused || !self.config.zone_is_known())).then(|| {
            match refused {
                true => "giosg does not know the time zone of this source; its figures of today are those of UTC: set `timezone` to another name.",
                false => "The time zone of this source is not known on this computer; giosg may count today in UTC: check `timezone`.",
            }
            .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_with_and_without_zone() {
        assert_eq!(instant("2015-12-22T11:25:30.595Z"), instant("2015-12-22T11:25:30.595"));
        assert!(instant("yesterday").is_none());
    }
}
