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
    origin::same_origin,
    poll::{Ask, Bodies, Budget, Good, Share, Trouble},
};
use model::Timestamp;
use serde::Deserialize;
use url::Url;

use super::{
    ROOMS, USERS, WORDS,
    config::Config,
    retired::Retirement,
    wire::{Me, Next, Page, Person, Room, RoomRow, UserRow, WaitingChat},
};
use crate::{
    drift::{Notes, Shaped},
    loose::Unreadable,
    rest::{self, Words},
};

/// What an endpoint said.
pub enum Answer {
    /// Rooms; whether these are all, and since when the oldest waits in a room where that is told.
    Rooms { pages: Vec<Arc<Page<RoomRow>>>, whole: bool, oldest: BTreeMap<String, Timestamp> },
    /// Users; whether these are all.
    Users { pages: Vec<Arc<Page<UserRow>>>, whole: bool },
    /// What could be looked up this time.
    LookUps { people: Option<Vec<Page<Person>>>, rooms: Option<Vec<Page<Room>>> },
}

/// Nobody has more pages than this; who says so goes round in circles.
const MOST_PAGES: usize = 50;
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

/// Pages as far as they were read.
pub(super) struct Collected<P> {
    pub pages: Vec<P>,
    /// What is missing, where something is.
    pub problem: Option<String>,
    /// The last answer.
    pub last: HttpAnswer,
}

impl<T> Collected<Arc<Page<T>>> {
    /// Takes in what a second reading found: rows may have moved between pages meanwhile. What is still
    /// missing then is said.
    fn and(
        &mut self,
        again: Result<Self, Failed>,
        what: &str,
        id: impl Fn(&T) -> Option<String>,
    ) -> Result<(), Failed> {
        let again = again?;
        self.pages.extend(again.pages);
        self.last = again.last;
        self.problem = again.problem.or_else(|| {
            let (have, total) = short(&self.pages, id)?;
            Some(format!("giosg gave {have} of {total} {what}; the others keep their last state."))
        });
        Ok(())
    }
}

/// How many different rows there are, and how many there should be, where these are more.
fn short<T>(pages: &[Arc<Page<T>>], id: impl Fn(&T) -> Option<String>) -> Option<(usize, u32)> {
    let total = pages.last()?.total?;
    let ids: BTreeSet<String> =
        pages.iter().flat_map(|page| page.rows.iter().flatten()).filter_map(id).collect();
    (ids.len() < total as usize).then_some((ids.len(), total))
}

/// Why there is no page, and the status where there was an answer.
pub(super) struct Failed {
    pub trouble: Trouble,
    pub status: Option<u16>,
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        failed.trouble
    }
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

    /// All pages of a collection. `read` parses a page under its number.
    pub(super) async fn collect<T, P: std::borrow::Borrow<Page<T>>>(
        &self,
        first: Url,
        what: &str,
        read: impl Fn(usize, &[u8]) -> Result<P, Unreadable>,
    ) -> Result<Collected<P>, Failed> {
        let mut pages: Vec<P> = Vec::new();
        let mut asked = BTreeSet::new();
        let mut url = first.clone();
        let mut before: Option<HttpAnswer> = None;
        loop {
            asked.insert(url.to_string());
            let mut outcome = self.one(&url, what, pages.len(), &read).await;
            let broken = |failed: &Failed| matches!(failed.trouble, Trouble::Broken { .. });
            if before.is_some() && outcome.as_ref().is_err_and(broken) {
                outcome = self.one(&url, what, pages.len(), &read).await;
            }
            let (page, last) = match (outcome, before.take()) {
                (Ok(found), _) => found,
                // What was read stands; what was not keeps its last state.
                (Err(failed), Some(last)) => match failed.trouble {
                    Trouble::Broken { sentence, .. } | Trouble::Refused { sentence, .. } => {
                        return Ok(Collected { pages, problem: Some(sentence), last });
                    }
                    _ => return Err(failed),
                },
                (Err(failed), None) => return Err(failed),
            };
            let next = follow(&first, &url, &page.borrow().next);
            let empty = page.borrow().rows.as_ref().is_none_or(Vec::is_empty);
            pages.push(page);
            let problem = match next {
                Ok(None) => return Ok(Collected { pages, problem: None, last }),
                Ok(Some(next)) if asked.contains(next.as_str()) => {
                    // An empty page that points to itself is an end, however odd.
                    if empty {
                        return Ok(Collected { pages, problem: None, last });
                    }
                    format!(
                        "giosg's list of {what} points back to a page that was read already; the rest is left out."
                    )
                }
                Ok(Some(_)) if pages.len() >= MOST_PAGES => {
                    format!("giosg names more than {MOST_PAGES} pages of {what}; the rest is left out.")
                }
                Ok(Some(next)) => {
                    url = next;
                    before = Some(last);
                    continue;
                }
                Err(Elsewhere) => format!(
                    "giosg's list of {what} goes on at another address, where no token is sent; the rest is left out."
                ),
            };
            return Ok(Collected { pages, problem: Some(problem), last });
        }
    }

    async fn one<P>(
        &self,
        url: &Url,
        what: &str,
        page: usize,
        read: &impl Fn(usize, &[u8]) -> Result<P, Unreadable>,
    ) -> Result<(P, HttpAnswer), Failed> {
        let answer = self.get(url.clone()).await.map_err(|trouble| Failed { trouble, status: None })?;
        let failed = |trouble| Failed { trouble, status: Some(answer.status) };
        let body = body_of(&answer, what).map_err(failed)?;
        let parsed = read(page, body).map_err(|_| failed(rest::unreadable(&answer, what, &WORDS)))?;
        Ok((parsed, answer))
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
        let pages = std::mem::take(&mut found.pages);
        Ok(good(news.then_some(Answer::Rooms { pages, whole, oldest }), &found))
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

/// Servers of this kind answer a refused token with 403, too, when their first check sends no challenge.
fn body_of<'a>(answer: &'a HttpAnswer, what: &str) -> Result<&'a [u8], Trouble> {
    if answer.status != 403 || answer.is_html() || answer.body.len() > 4096 {
        return rest::body(answer, what, &WORDS);
    }
    let text = answer.text().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["credentials", "token"]) && !says(&["permission"]) {
        return Err(rest::sign_in_refused(answer, &WORDS));
    }
    // Which of the three causes it is stands in the answer at best; where it does not, all are named.
    let permission = match () {
        () if says(&["subscription"]) => {
            "the subscription is not active or has ended: ask whoever looks after the contract with giosg"
        }
        () if says(&["organization", "organisation"]) => {
            "the token's user may not see this organization: use a token of a user who belongs to it"
        }
        () if says(&["report"]) => {
            "the token's user lacks the permission Reporting: ask an administrator of giosg for it"
        }
        () => WORDS.permission,
    };
    rest::body(answer, what, &Words { permission, ..WORDS })
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
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

/// The next page is at a place where the token must not go.
#[derive(Debug, PartialEq)]
struct Elsewhere;

/// Where the next page is: the same origin and the same path as the first, or nowhere.
fn follow(first: &Url, current: &Url, next: &Next) -> Result<Option<Url>, Elsewhere> {
    match next {
        Next::None => Ok(None),
        Next::Number(number) => {
            let mut url = first.clone();
            let others: Vec<(String, String)> = first
                .query_pairs()
                .filter(|(key, _)| key != "page")
                .map(|(k, v)| (k.into(), v.into()))
                .collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("page", &number.to_string());
            Ok(Some(url))
        }
        Next::At(address) => {
            let url = current.join(address).map_err(|_| Elsewhere)?;
            let same_path = url.path().trim_end_matches('/') == first.path().trim_end_matches('/');
            let plain = url.username().is_empty() && url.password().is_none();
            if same_origin(first, &url) && same_path && plain { Ok(Some(url)) } else { Err(Elsewhere) }
        }
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
                outcome => Ok(self.retirement.seen(outcome)?),
            },
            USERS => match self.ask_users().await {
                Err(failed) if self.retirement.is_it(USERS, failed.status) => {
                    self.users_without_figures(failed.trouble).await
                }
                outcome => Ok(self.retirement.seen(outcome)?),
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
    fn s11_a_pager_never_leads_elsewhere() {
        let first =
            Url::parse("https://service.giosg.com/api/v4/reporting/realtime/rooms?timezone=UTC").unwrap();
        let at = |text: &str| {
            follow(&first, &first, &Next::At(text.into())).map(|url| url.map(|url| url.to_string()))
        };
        let base = "https://service.giosg.com/api/v4/reporting/realtime/rooms";
        assert_eq!(at("?cursor=a"), Ok(Some(format!("{base}?cursor=a"))));
        assert_eq!(
            at("https://SERVICE.giosg.com:443/api/v4/reporting/realtime/rooms/?page=2"),
            Ok(Some(format!("{base}/?page=2")))
        );
        assert_eq!(at("/api/v4/reporting/realtime/rooms?page=2"), Ok(Some(format!("{base}?page=2"))));
        for elsewhere in [
            "https://evil.example/api/v4/reporting/realtime/rooms?cursor=a",
            "http://service.giosg.com/api/v4/reporting/realtime/rooms?cursor=a",
            "https://service.giosg.com:444/api/v4/reporting/realtime/rooms?cursor=a",
            "https://service.giosg.com/api/v5/users/me",
            "https://u:p@service.giosg.com/api/v4/reporting/realtime/rooms",
            "//evil.example/api/v4/reporting/realtime/rooms",
            "http://[",
        ] {
            assert_eq!(at(elsewhere), Err(Elsewhere), "{elsewhere}");
        }
        let second = follow(&first, &first, &Next::Number(2)).unwrap().unwrap();
        assert_eq!(second.as_str(), format!("{base}?timezone=UTC&page=2"));
        let third = follow(&second, &second, &Next::Number(3)).unwrap().unwrap();
        assert_eq!(third.as_str(), format!("{base}?timezone=UTC&page=3"));
    }

    #[test]
    fn instants_with_and_without_zone() {
        assert_eq!(instant("2015-12-22T11:25:30.595Z"), instant("2015-12-22T11:25:30.595"));
        assert!(instant("yesterday").is_none());
    }
}
