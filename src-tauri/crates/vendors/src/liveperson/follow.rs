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
}

/// Until when a refused key is left alone.
struct Shunned {
    until: Timestamp,
    /// How often in a row it was refused.
    times: u32,
}

impl Following {
    /// A key was refused. One that was written down by somebody may be wrong for ever; one that the vendor
    /// lists is there, and may be readable again soon.
    fn shun(&mut self, key: &str, listed: bool, now: Timestamp) {
        let times = self.shunned.get(key).map_or(0, |shunned| shunned.times);
        let pause = if listed { (LISTED_AGAIN * (1 << times.min(7))).min(SHUNNED) } else { SHUNNED };
        let shunned = Shunned { until: now.plus(pause), times: times + 1 };
        self.shunned.insert(key.to_owned(), shunned);
    }

    /// The keys to ask for, first those never heard of, then those with a last event.
    fn take_up(&mut self, keys: &[String], now: Timestamp) -> (Vec<String>, Vec<String>) {
        self.shunned.retain(|key, _| keys.contains(key));
        self.done.retain(|key| keys.contains(key));
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
            for keys in keys.chunks(KEYS_PER_CALL) {
                // What was read of the others stands, whatever becomes of these.
                match self.batch(keys, with_ids, all).await {
                    Ok(answer) => asked = answer.or(asked),
                    Err(Trouble::Broken { sentence, .. }) => partial = Some(sentence),
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        let now = self.clock.now();
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
        while let Some(keys) = halves.pop() {
            match (self.many(keys, with_ids, all).await?, keys) {
                (Ok(answer), _) => asked = Some(answer),
                (Err(answer), [key]) => {
                    asked = Some(answer);
                    self.by_itself(key, all).await?;
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

    /// What one chat says of itself; gone when nobody knows it.
    async fn by_itself(&self, key: &str, all: &mut Following) -> Result<(), Trouble> {
        let answer = self.account.session_get(&["chat", key, "info"], &[]).await?;
        if refuses_keys(answer.status) {
            // How it ended is not known, so it is not said to have ended.
            all.held.remove(key);
            all.shun(key, self.account.config().chats.is_none(), self.clock.now());
            return Ok(());
        }
        let chat = all.held.entry(key.to_owned()).or_default();
        chat.misses = 0;
        let Ok(body) = checked(&answer, "a chat") else { return Ok(()) };
        let Ok(said) = loose::read::<InfoAnswer>(body) else { return Ok(()) };
        all.shunned.remove(key);
        let from = chat.last.map_or(0, |last| last + 1);
        let events = self.events_from(key, from).await?.unwrap_or_default();
        let chat = all.held.entry(key.to_owned()).or_default();
        if chat.hole(&events).is_none() {
            chat.fold(&events);
        }
        chat.set_info(&said.info);
        Ok(())
    }
}
