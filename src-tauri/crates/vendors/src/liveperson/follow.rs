//! Following chats: which ones, many in one call, and none of their events lost or counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use link::{Answer as HttpAnswer, poll::Trouble};
use model::Timestamp;

use super::{
    WORDS,
    chats::Chat,
    rest::{LivePersonAsk, checked},
    wire::{
        ChatRow, EventRow, EventsAnswer, InfoAnswer, ManyChats, OwnChats, is_empty_object, key_of, own_keys,
    },
};
use crate::{
    drift::{Shaped, Telling},
    loose, rest,
};

/// So many keys in one call keep the address below 2 kB.
const KEYS_PER_CALL: usize = 25;
/// After so many answers without it a chat is asked for by itself.
const MISSES: u32 = 3;
/// After so many readings a hole in the events is taken as one.
const HOLE_TRIES: u32 = 3;
/// How long a chat that is over stays in the list; the world drops it after a minute by itself.
const OVER_LISTED: Duration = Duration::from_secs(90);
/// An end is shown for this long: one that lies further back when it is first heard of is not shown at all.
const OVER_SHOWN: Duration = Duration::from_secs(60);
/// A batch in which so many calls fail in a row is not looked into any further: it is not a key.
const MOST_FAULTS: u32 = 7;
/// A key that nobody knows or that we may not see is asked for again after this.
const SHUNNED: Duration = Duration::from_secs(300);
/// The same while the vendor's own list still names it; the pause doubles up to the one above.
const LISTED_AGAIN: Duration = Duration::from_secs(4);

/// What is known of the chats that are followed.
#[derive(Default)]
pub struct Following {
    /// Chats by key.
    pub held: BTreeMap<String, Chat>,
    /// What was told last of it.
    pub told: Option<BTreeMap<String, Chat>>,
    /// Over and shown; the vendor may list them for a while.
    done: BTreeSet<String>,
    /// Refused although it is listed.
    shunned: BTreeMap<String, Shunned>,
    /// Keys that a fault of the vendor met together the last time.
    faulty: BTreeSet<String>,
}

/// Until when a key that harms is left alone. It is never asked for together with others.
struct Shunned {
    until: Timestamp,
    /// How often in a row it was refused.
    times: u32,
    /// The vendor has it and cannot tell it: what is said of that.
    fault: Option<String>,
}

impl Following {
    /// A key was refused. One that was written down by somebody may be wrong for ever; one that the vendor
    /// lists is there, and may be readable again soon.
    fn shun(&mut self, key: &str, listed: bool, now: Timestamp) {
        let times = self.shunned.get(key).map_or(0, |shunned| shunned.times);
        let pause = if listed { (LISTED_AGAIN * (1 << times.min(7))).min(SHUNNED) } else { SHUNNED };
        let shunned = Shunned { until: now.plus(pause), times: times + 1, fault: None };
        self.shunned.insert(key.to_owned(), shunned);
    }

    /// The vendor has a fault at this key, alone or with others: it stands apart, and what is known of it stays.
    fn stand_apart(&mut self, key: &str, fault: Option<String>, now: Timestamp) {
        let is_told = fault.is_none();
        self.shun(key, true, now);
        if let Some(shunned) = self.shunned.get_mut(key) {
            shunned.fault = fault;
            if is_told {
                (shunned.until, shunned.times) = (now, 0);
            }
        }
    }

    /// Whether a fault has met these keys before, so that it may be one of them; it is remembered.
    fn is_again(&mut self, keys: &[String], faults: u32) -> bool {
        let again = match keys {
            _ if faults > 1 => true,
            // One that was asked for alone from the first has nobody to harm, unless it was found to be bad.
            [key] => self.shunned.contains_key(key),
            keys => keys.iter().all(|key| self.faulty.contains(key)),
        };
        if !again {
            self.faulty.extend(keys.iter().cloned());
        }
        again
    }

    /// Chats that were over long before they were first heard of are nobody's news, however long the vendor
    /// lists them.
    fn leave_out_old(&mut self, vendor_now: Timestamp) {
        let told = self.told.as_ref();
        let is_old = |key: &String, chat: &Chat| {
            let heard = told.is_some_and(|told| told.contains_key(key));
            !heard && chat.ended_at().is_some_and(|at| vendor_now.since(at) >= OVER_SHOWN)
        };
        let old: Vec<String> =
            self.held.iter().filter(|(key, chat)| is_old(key, chat)).map(|(key, _)| key.clone()).collect();
        for key in old {
            self.held.remove(&key);
            self.done.insert(key);
        }
    }

    /// The keys to ask for, first those never heard of, then those with a last event.
    fn take_up(&mut self, keys: &[String], now: Timestamp) -> (Vec<String>, Vec<String>) {
        let held = &self.held;
        self.shunned.retain(|key, _| keys.contains(key) || held.contains_key(key));
        self.done.retain(|key| keys.contains(key));
        self.faulty.retain(|key| keys.contains(key) || self.held.contains_key(key));
        let shown = |chat: &Chat| chat.over_at.is_some_and(|at| now.since(at) >= OVER_LISTED);
        let listed = self.held.iter().filter(|(key, chat)| shown(chat) && keys.contains(key));
        self.done.extend(listed.map(|(key, _)| key.clone()));
        self.held.retain(|_, chat| !shown(chat));
        // One that has left the list is asked for until its end was seen or it is gone.
        let mut follow: BTreeSet<&String> = keys.iter().collect();
        follow.extend(self.held.keys());
        follow
            .into_iter()
            .filter(|key| !self.done.contains(*key) && self.shunned.get(*key).is_none_or(|s| now >= s.until))
            .filter(|key| self.held.get(*key).is_none_or(|chat| !chat.is_over()))
            .cloned()
            .partition(|key| self.held.get(key).is_none_or(|chat| chat.last.is_none()))
    }
}

/// Whether the vendor refuses these keys, not the question as such.
fn refuses_keys(status: u16) -> bool {
    matches!(status, 400 | 403..=406 | 409 | 410 | 413 | 414 | 422)
}

impl LivePersonAsk {
    /// Which chats to follow: the configured ones, or those of the session's own agent.
    async fn keys(&self) -> Result<(Vec<String>, Option<HttpAnswer>), Trouble> {
        if let Some(keys) = &self.account.config().chats {
            return Ok((keys.clone(), None));
        }
        let what = "the chats of this user";
        let answer = self.account.session_get(&["chatSessions"], &[]).await?;
        let body = checked(&answer, what)?;
        self.notes.look("chatsessions", body, &OwnChats::SHAPE, Telling::All);
        let keys = own_keys(body);
        self.account.list_told(keys.as_ref().is_some_and(Vec::is_empty));
        let keys = keys.ok_or_else(|| rest::unreadable(&answer, what, &WORDS))?;
        Ok((keys, Some(answer)))
    }

    /// Asks for the chats and takes in what is new. Gives the last answer, and what is missing.
    pub(super) async fn follow(
        &self,
        all: &mut Following,
    ) -> Result<(Option<HttpAnswer>, Option<String>), Trouble> {
        let (keys, mut asked) = self.keys().await?;
        let (first, known) = all.take_up(&keys, self.clock.now());
        let mut partial = None;
        for (keys, with_ids) in [(first, false), (known, true)] {
            let (apart, together): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|key| all.shunned.contains_key(key));
            for keys in together.chunks(KEYS_PER_CALL).chain(apart.chunks(1)) {
                // What was read of the others stands, whatever becomes of these.
                match self.batch(keys, with_ids, all).await {
                    Ok(answer) => asked = answer.or(asked),
                    Err(Trouble::Broken { sentence, .. }) => partial = Some(sentence),
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        partial = partial.or_else(|| all.shunned.values().find_map(|shunned| shunned.fault.clone()));
        let now = self.clock.now();
        all.leave_out_old(asked.as_ref().and_then(|answer| self.account.date(answer)).unwrap_or(now));
        for chat in all.held.values_mut().filter(|chat| chat.is_over() && chat.over_at.is_none()) {
            chat.over_at = Some(now);
        }
        Ok((asked, partial))
    }

    /// Several chats in one call. A batch that is refused is halved until the bad keys stand alone, so
    /// that they cannot blind the others.
    async fn batch(
        &self,
        keys: &[String],
        with_ids: bool,
        all: &mut Following,
    ) -> Result<Option<HttpAnswer>, Trouble> {
        let mut halves = vec![keys];
        let mut asked = None;
        let mut faults = 0;
        while let Some(keys) = halves.pop() {
            let outcome = match self.many(keys, with_ids, all).await {
                Err(Trouble::Broken { sentence, soon: true }) => {
                    faults += 1;
                    if faults > MOST_FAULTS || !all.is_again(keys, faults) {
                        if faults > 1 {
                            all.faulty.clear();
                        }
                        return Err(Trouble::Broken { sentence, soon: true });
                    }
                    Err(Some(sentence))
                }
                outcome => outcome?.map_err(|answer| {
                    asked = Some(answer);
                    None
                }),
            };
            match (outcome, keys) {
                (Ok(answer), _) => {
                    faults = 0;
                    asked = Some(answer);
                    all.faulty.retain(|key| !keys.contains(key));
                }
                (Err(None), [key]) => {
                    self.by_itself(key, all).await?;
                }
                (Err(Some(sentence)), [key]) => {
                    let is_told = self.by_itself(key, all).await?;
                    all.stand_apart(key, (!is_told).then_some(sentence), self.clock.now());
                }
                (Err(_), keys) => {
                    let (left, right) = keys.split_at(keys.len() / 2);
                    halves.extend([right, left].into_iter().filter(|half| !half.is_empty()));
                }
            }
        }
        Ok(asked)
    }

    /// The call itself. `Ok(Err(_))`: the vendor does not take these keys together.
    async fn many(
        &self,
        keys: &[String],
        with_ids: bool,
        all: &mut Following,
    ) -> Result<Result<HttpAnswer, HttpAnswer>, Trouble> {
        let what = "the events of chats";
        let joined = keys.join(",");
        let last = |key: &String| all.held.get(key)?.last.map(|last| last.to_string());
        let ids: Vec<String> = keys.iter().filter_map(last).collect();
        let ids = ids.join(",");
        let mut query = vec![("chatSessionKeys", joined.as_str())];
        if with_ids {
            query.push(("fromEventIds", ids.as_str()));
        }
        let answer = self.account.session_get(&["chat"], &query).await?;
        if refuses_keys(answer.status) {
            return Ok(Err(answer));
        }
        let body = checked(&answer, what)?;
        let said: ManyChats =
            self.notes.read("conversations", body).map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        if said.seen == 0 && !is_empty_object(body) {
            return Err(rest::unreadable(&answer, what, &WORDS));
        }
        if said.failure.0 || said.lone.failure.0 || said.list.failure.0 {
            return Ok(Err(answer));
        }
        let mut missing: Vec<&String> = keys.iter().collect();
        let mut rows: Vec<&ChatRow> = said.list.chats.0.iter().collect();
        if said.lone.seen > 0 {
            rows.push(&said.lone);
        }
        for row in rows.into_iter().filter(|row| !row.failure.0) {
            let lone_key = || (keys.len() == 1).then(|| keys[0].clone());
            let Some(key) = key_of(&row.info.key, &row.link).or_else(lone_key) else { continue };
            if !keys.contains(&key) {
                continue;
            }
            missing.retain(|k| **k != key);
            self.take(&key, row, all).await?;
        }
        for key in missing {
            let chat = all.held.entry(key.clone()).or_default();
            chat.misses += 1;
            if chat.misses >= MISSES {
                self.by_itself(key, all).await?;
            }
        }
        Ok(Ok(answer))
    }

    /// Takes in what an answer holds of one chat. What lies between is read first: nothing is skipped.
    async fn take(&self, key: &str, row: &ChatRow, all: &mut Following) -> Result<(), Trouble> {
        let events = &row.events.list.0;
        all.shunned.remove(key);
        let chat = all.held.entry(key.to_owned()).or_default();
        chat.misses = 0;
        if let Some(from) = chat.hole(events) {
            chat.fold_below(events, from);
            let between = self.events_from(key, from).await?;
            let chat = all.held.entry(key.to_owned()).or_default();
            chat.fold(between.as_deref().unwrap_or_default());
            if chat.hole(events).is_some() && between.is_none() && chat.hole_tries < HOLE_TRIES {
                // Not now; the next call asks from the same place.
                chat.hole_tries += 1;
                return Ok(());
            }
            if chat.hole(events).is_some() {
                tracing::debug!("LivePerson leaves numbers out in the events of a chat");
            }
        }
        let chat = all.held.entry(key.to_owned()).or_default();
        chat.hole_tries = 0;
        chat.fold(events);
        chat.set_info(&row.info);
        self.seek_end(key, all).await
    }

    /// The facts may be ahead of the events: the end is fetched, so that it has its time.
    async fn seek_end(&self, key: &str, all: &mut Following) -> Result<(), Trouble> {
        let Some(chat) = all.held.get(key).filter(|chat| chat.lacks_its_end()) else { return Ok(()) };
        let from = chat.last.map_or(0, |last| last + 1);
        if let Some(events) = self.events_from(key, from).await?
            && let Some(chat) = all.held.get_mut(key)
        {
            chat.fold(&events);
        }
        Ok(())
    }

    /// The events of one chat from a number on; `None` when they are not given.
    async fn events_from(&self, key: &str, from: i64) -> Result<Option<Vec<EventRow>>, Trouble> {
        let from = from.to_string();
        let answer = self.account.session_get(&["chat", key, "events"], &[("from", &from)]).await?;
        let Ok(body) = checked(&answer, "the events of a chat") else { return Ok(None) };
        let said = loose::read::<EventsAnswer>(body).ok().filter(|said| said.seen > 0);
        Ok(said.map(|said| said.events.list.0))
    }

    /// What one chat says of itself; gone when nobody knows it. Says whether it said something.
    async fn by_itself(&self, key: &str, all: &mut Following) -> Result<bool, Trouble> {
        let answer = self.account.session_get(&["chat", key, "info"], &[]).await?;
        if refuses_keys(answer.status) {
            // How it ended is not known, so it is not said to have ended.
            all.held.remove(key);
            all.shun(key, self.account.config().chats.is_none(), self.clock.now());
            return Ok(false);
        }
        let chat = all.held.entry(key.to_owned()).or_default();
        chat.misses = 0;
        let Ok(body) = checked(&answer, "a chat") else { return Ok(false) };
        let Ok(said) = loose::read::<InfoAnswer>(body) else { return Ok(false) };
        all.shunned.remove(key);
        let from = chat.last.map_or(0, |last| last + 1);
        let events = self.events_from(key, from).await?.unwrap_or_default();
        let chat = all.held.entry(key.to_owned()).or_default();
        if chat.hole(&events).is_none() {
            chat.fold(&events);
        }
        chat.set_info(&said.info);
        Ok(true)
    }
}
