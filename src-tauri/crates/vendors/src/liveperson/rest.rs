//! Asking LivePerson: which resource, in which order, and what each answer amounts to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use link::{
    Answer as HttpAnswer, Clock,
    poll::{Ask, Bodies, Good, Trouble},
};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{
    AGENTS, CONVERSATIONS, QUEUEHEALTH, QUEUESTATE, WORDS,
    chats::Chat,
    login::Account,
    wire::{
        AgentsAnswer, ChatRow, EventsAnswer, InfoAnswer, ManyChats, Meta, NamedSkill, OwnChats, QueueHealth,
        QueueState, key_of,
    },
};
use crate::{
    drift::{Field, Notes, Shape, Shaped},
    loose::{self, Loose, loose_struct},
    rest,
};

/// What an endpoint said.
pub enum Answer {
    State(Arc<QueueState>),
    Health(Arc<QueueHealth>),
    Agents { answer: Arc<AgentsAnswer>, own: Option<String> },
    Chats(BTreeMap<String, Chat>),
    Names(BTreeMap<String, String>),
}

/// So many keys in one call keep the address below 2 kB.
const KEYS_PER_CALL: usize = 25;
/// After so many answers without it a chat is asked for by itself.
const MISSES: u32 = 3;
/// How long a chat that is over stays in the list; the world drops it after a minute by itself.
const OVER_LISTED: Duration = Duration::from_secs(90);

/// The asking half of a LivePerson source.
pub struct LivePersonAsk {
    account: Account,
    clock: Arc<dyn Clock>,
    state: Bodies<QueueState>,
    health: Bodies<QueueHealth>,
    agents: Bodies<AgentsAnswer>,
    chats: Mutex<BTreeMap<String, Chat>>,
    /// What of the format is not as it should be.
    pub notes: Notes,
    /// Nobody of ours was in a chat when last asked.
    no_chats: AtomicBool,
}

impl LivePersonAsk {
    /// Nothing is asked yet.
    pub fn new(account: Account, clock: Arc<dyn Clock>) -> Self {
        Self {
            account,
            clock,
            state: Bodies::default(),
            health: Bodies::default(),
            agents: Bodies::default(),
            chats: Mutex::default(),
            notes: Notes::default(),
            no_chats: AtomicBool::new(false),
        }
    }

    /// Leaves politely.
    pub async fn leave(&self) {
        self.account.leave(self.no_chats.load(Ordering::SeqCst)).await;
    }

    async fn operations<P: for<'a> Deserialize<'a> + Loose + Shaped>(
        &self,
        (resource, what): (&'static str, &str),
        query: &[(&str, &str)],
        bodies: &Bodies<P>,
        is_data: fn(&P) -> bool,
        wrap: fn(Arc<P>) -> Answer,
    ) -> Result<Good<Answer>, Trouble> {
        let account = self.account.config().account.clone();
        let skills = self.account.config().skills.join(",");
        let skills = if skills.is_empty() { "all" } else { &skills };
        let query: Vec<(&str, &str)> = query.iter().copied().chain([("skillIds", skills)]).collect();
        let path = ["operations", "api", "account", &account, resource];
        let answer = self.account.operations(&path, &query).await?;
        let body = checked(&answer, what)?;
        let parsed = bodies
            .read(0, body, |body| {
                enveloped(&self.notes, resource, body).filter(is_data).ok_or(loose::Unreadable)
            })
            .map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        let news = bodies.is_news(std::slice::from_ref(&parsed));
        Ok(good(news.then(|| wrap(parsed)), None, &answer))
    }

    async fn agents(&self) -> Result<Good<Answer>, Trouble> {
        let what = "the agents";
        let answer = self.account.session_get(&["availableAgents"], &[]).await?;
        let body = checked(&answer, what)?;
        let parsed = self
            .agents
            .read(0, body, |body| {
                self.notes.read::<AgentsAnswer>("agents", body).and_then(|a| {
                    if a.seen > 0 && a.failure.seen == 0 { Ok(a) } else { Err(loose::Unreadable) }
                })
            })
            .map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        let own = self.account.own_user().await;
        let rows = &parsed.available.list.agents.0;
        if rows.iter().any(|row| row.id.0.is_some() && row.id.0 == own && row.state.0 == Some(2)) {
            self.account.away_again().await;
        }
        let news = self.agents.is_news(std::slice::from_ref(&parsed));
        Ok(good(news.then_some(Answer::Agents { answer: parsed, own }), None, &answer))
    }

    /// Which chats to follow: the configured ones, or those of the session's own agent.
    async fn keys(&self) -> Result<(Vec<String>, Option<HttpAnswer>), Trouble> {
        if let Some(keys) = &self.account.config().chats {
            return Ok((keys.clone(), None));
        }
        let what = "the chats of this user";
        let answer = self.account.session_get(&["chatSessions"], &[]).await?;
        let body = checked(&answer, what)?;
        let list: OwnChats =
            self.notes.read("chatsessions", body).map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        if list.seen == 0 {
            return Err(rest::unreadable(&answer, what, &WORDS));
        }
        let mut keys: Vec<String> =
            list.list.chats.0.iter().filter_map(|c| key_of(&c.key, &c.link)).collect();
        keys.sort();
        keys.dedup();
        keys.retain(|key| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        Ok((keys, Some(answer)))
    }

    async fn conversations(&self) -> Result<Good<Answer>, Trouble> {
        let sent = self.clock.now();
        let (keys, answer) = self.keys().await?;
        let mut held = self.chats.lock().await;
        let before = held.clone();
        let now = self.clock.now();
        held.retain(|_, chat| chat.over_at.is_none_or(|at| now.since(at) < OVER_LISTED));
        // One that has left the list is asked for until its end was seen or it is gone.
        let mut follow: Vec<String> = keys;
        follow.extend(held.iter().filter(|(_, chat)| !chat.is_over()).map(|(key, _)| key.clone()));
        follow.sort();
        follow.dedup();
        follow.retain(|key| held.get(key).is_none_or(|chat| !chat.is_over()));
        let (first, known): (Vec<String>, Vec<String>) =
            follow.into_iter().partition(|key| held.get(key).is_none_or(|chat| chat.last.is_none()));
        let mut partial = None;
        let mut asked = answer;
        for (keys, with_ids) in [(first, false), (known, true)] {
            for keys in keys.chunks(KEYS_PER_CALL) {
                // What was read of the others stands, whatever becomes of these.
                match self.batch(keys, with_ids, &mut held).await {
                    Ok(answer) => asked = answer.or(asked),
                    Err(Trouble::Broken { sentence, .. }) => partial = Some(sentence),
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        for chat in held.values_mut().filter(|chat| chat.is_over() && chat.over_at.is_none()) {
            chat.over_at = Some(now);
        }
        self.no_chats.store(held.values().all(Chat::is_over), Ordering::SeqCst);
        let news = *held != before;
        let told = news.then(|| Answer::Chats(held.clone()));
        Ok(match &asked {
            Some(answer) => good(told, partial, answer),
            None => Good { answer: told, partial, sent, at: self.clock.now(), date: None },
        })
    }

    /// Several chats in one call. A batch that is refused is asked again one by one, so that one bad key
    /// cannot blind the others.
    async fn batch(
        &self,
        keys: &[String],
        with_ids: bool,
        held: &mut BTreeMap<String, Chat>,
    ) -> Result<Option<HttpAnswer>, Trouble> {
        let answer = match self.many(keys, with_ids, held).await? {
            Ok(answer) => return Ok(Some(answer)),
            Err(answer) => answer,
        };
        if let [key] = keys {
            self.by_itself(key, held).await?;
            return Ok(Some(answer));
        }
        for key in keys {
            if let Err(_refused) = self.many(std::slice::from_ref(key), with_ids, held).await? {
                self.by_itself(key, held).await?;
            }
        }
        Ok(Some(answer))
    }

    /// The call itself. `Ok(Err(_))`: the vendor does not take these keys together.
    async fn many(
        &self,
        keys: &[String],
        with_ids: bool,
        held: &mut BTreeMap<String, Chat>,
    ) -> Result<Result<HttpAnswer, HttpAnswer>, Trouble> {
        let what = "the events of chats";
        let joined = keys.join(",");
        let ids: Vec<String> = keys.iter().filter_map(|k| held.get(k)?.last.map(|l| l.to_string())).collect();
        let ids = ids.join(",");
        let mut query = vec![("chatSessionKeys", joined.as_str())];
        if with_ids {
            query.push(("fromEventIds", ids.as_str()));
        }
        let answer = self.account.session_get(&["chat"], &query).await?;
        if matches!(answer.status, 400 | 403 | 404 | 409 | 410) {
            return Ok(Err(answer));
        }
        let body = checked(&answer, what)?;
        let said: ManyChats =
            self.notes.read("chats", body).map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        if said.seen == 0 {
            return Err(rest::unreadable(&answer, what, &WORDS));
        }
        if said.lone.failure.seen > 0 || said.list.failure.seen > 0 {
            return Ok(Err(answer));
        }
        let mut missing: Vec<&String> = keys.iter().collect();
        let mut rows: Vec<&ChatRow> = said.list.chats.0.iter().collect();
        if said.lone.seen > 0 {
            rows.push(&said.lone);
        }
        for row in rows.into_iter().filter(|row| row.failure.seen == 0) {
            let lone_key = || (keys.len() == 1).then(|| keys[0].clone());
            let Some(key) = key_of(&row.info.key, &row.link).or_else(lone_key) else { continue };
            if !keys.contains(&key) {
                continue;
            }
            missing.retain(|k| **k != key);
            self.take(&key, row, held).await?;
        }
        for key in missing {
            let chat = held.entry(key.clone()).or_default();
            chat.misses += 1;
            if chat.misses >= MISSES {
                self.by_itself(key, held).await?;
            }
        }
        Ok(Ok(answer))
    }

    async fn take(&self, key: &str, row: &ChatRow, held: &mut BTreeMap<String, Chat>) -> Result<(), Trouble> {
        let chat = held.entry(key.to_owned()).or_default();
        chat.misses = 0;
        let events = &row.events.list.0;
        if let Some(from) = chat.hole(events) {
            // What lies between is read first: nothing is skipped.
            let from = from.to_string();
            let answer = self.account.session_get(&["chat", key, "events"], &[("from", &from)]).await?;
            if let Ok(body) = checked(&answer, "the events of a chat")
                && let Ok(between) = self.notes.read::<EventsAnswer>("events", body)
            {
                chat.fold(&between.events.list.0);
            }
            if chat.hole(events).is_some() {
                // Not now; the next call asks from the same place.
                return Ok(());
            }
        }
        chat.fold(events);
        chat.set_info(&row.info);
        Ok(())
    }

    /// What one chat says of itself; gone when nobody knows it.
    async fn by_itself(&self, key: &str, held: &mut BTreeMap<String, Chat>) -> Result<(), Trouble> {
        let answer = self.account.session_get(&["chat", key, "info"], &[]).await?;
        match answer.status {
            404 | 410 | 403 => {
                // How it ended is not known, so it is not said to have ended.
                held.remove(key);
            }
            _ => {
                let chat = held.entry(key.to_owned()).or_default();
                chat.misses = 0;
                if let Ok(body) = checked(&answer, "a chat")
                    && let Ok(said) = self.notes.read::<InfoAnswer>("info", body)
                {
                    chat.set_info(&said.info);
                }
            }
        }
        Ok(())
    }

    async fn names(&self) -> Result<Good<Answer>, Trouble> {
        let account = self.account.config().account.clone();
        let path = ["api", "account", &account, "configuration", "le-users", "skills"];
        let answer = self.account.configuration(&path, &[("v", "1")]).await?;
        let what = "the names of skills";
        let body = checked(&answer, what)?;
        let list: loose::List<NamedSkill> =
            self.notes.read("skills", body).map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        let Some(skills) = list.0 else { return Err(rest::unreadable(&answer, what, &WORDS)) };
        let names = skills
            .into_iter()
            .filter(|s| s.deleted.0 != Some(true))
            .filter_map(|s| Some((s.id.0?, s.name.0?)))
            .filter(|(id, _)| !id.starts_with('-'));
        Ok(good(Some(Answer::Names(names.collect())), None, &answer))
    }

    /// What stands for an endpoint that the configuration has switched off.
    fn left_out(&self) -> Good<Answer> {
        let now = self.clock.now();
        Good {
            answer: None,
            partial: Some(
                "No agent session is opened (`agent_session = false`): agents and chats are not shown."
                    .to_owned(),
            ),
            sent: now,
            at: now,
            date: None,
        }
    }
}

loose_struct! {
    struct Seen {
        meta: Meta = "meta",
    }
}

/// Reads a body that may stand in an envelope `{"meta":…,"body":…}` with the true status inside.
fn enveloped<P: for<'a> Deserialize<'a> + Loose + Shaped>(
    notes: &Notes,
    part: &'static str,
    body: &[u8],
) -> Option<P> {
    #[derive(Deserialize)]
    struct Envelope<P> {
        meta: Meta,
        body: P,
    }
    impl<P: Shaped> Shaped for Envelope<P> {
        const SHAPE: Shape = Shape::Fields(&[Field::of(&["body"], P::SHAPE)]);
    }
    match loose::read::<Envelope<P>>(body) {
        Ok(envelope) if envelope.meta.seen > 0 => {
            notes.look(part, body, &Envelope::<P>::SHAPE, true);
            envelope.meta.code.0.is_none_or(|code| (200..300).contains(&code)).then_some(envelope.body)
        }
        _ => notes.read::<P>(part, body).ok(),
    }
}

/// The body of an answer that is data. 451 is final; a 2xx may still hold an error inside an envelope.
fn checked<'a>(answer: &'a HttpAnswer, what: &str) -> Result<&'a [u8], Trouble> {
    if answer.status == 451 {
        return Err(Trouble::SignIn(
            "LivePerson has blocked this account or user (451): contact LivePerson's support.".to_owned(),
        ));
    }
    let body = rest::body(answer, what, &WORDS)?;
    let inside = loose::read::<Seen>(body).ok().and_then(|seen| seen.meta.code.0);
    match inside {
        Some(401 | 403) => Err(Trouble::Refused {
            sentence: format!("LivePerson refused {what}: {}.", WORDS.permission),
            credentials: false,
        }),
        Some(429) => Err(Trouble::Throttled {
            sentence: "LivePerson asks us to slow down; it is asked again after a pause.".to_owned(),
            after: None,
        }),
        Some(code) if code >= 400 => Err(Trouble::Broken {
            sentence: format!("LivePerson could not answer {what} ({code}); it is asked again."),
            soon: code >= 500,
        }),
        _ => Ok(body),
    }
}

fn good(answer: Option<Answer>, partial: Option<String>, http: &HttpAnswer) -> Good<Answer> {
    Good { answer, partial, sent: http.sent_at, at: http.received_at, date: http.date() }
}

#[async_trait]
impl Ask for LivePersonAsk {
    type Answer = Answer;

    async fn ask(&self, endpoint: usize) -> Result<Good<Answer>, Trouble> {
        let session = self.account.config().agent_session;
        match endpoint {
            QUEUESTATE => {
                let place = ("queuestate", "the queues");
                self.operations(place, &[("v", "2")], &self.state, |s| s.skills.is_known(), Answer::State)
                    .await
            }
            QUEUEHEALTH => {
                let place = ("queuehealth", "the figures of the last half hour");
                let query = [("timeframe", "30"), ("v", "1")];
                self.operations(place, &query, &self.health, |h| h.seen > 0, Answer::Health).await
            }
            AGENTS | CONVERSATIONS if !session => Ok(self.left_out()),
            AGENTS => self.agents().await,
            CONVERSATIONS => self.conversations().await,
            _ => self.names().await,
        }
    }
}
