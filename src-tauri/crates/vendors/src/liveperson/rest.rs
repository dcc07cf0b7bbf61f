//! Asking LivePerson: which resource, in which order, and what each answer amounts to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
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
    follow::Following,
    hosts::Domain,
    login::Account,
    wire::{AgentsAnswer, ChatState, Meta, NamedSkill, QueueHealth, QueueState, SkillList},
};
use crate::{
    drift::{Field, Notes, Shape, Shaped, Telling},
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

/// Pause after being slowed down without a word on how long; it doubles, up to a minute.
const SLOWED: Duration = Duration::from_secs(1);
const SLOWED_MOST: Duration = Duration::from_secs(60);

/// The asking half of a LivePerson source.
pub struct LivePersonAsk {
    pub(super) account: Account,
    pub(super) clock: Arc<dyn Clock>,
    state: Bodies<QueueState>,
    health: Bodies<QueueHealth>,
    agents: Bodies<AgentsAnswer>,
    following: Mutex<Following>,
    /// What of the format is not as it should be.
    pub notes: Notes,
    /// Nobody of ours was in a chat when last asked.
    no_chats: AtomicBool,
    /// How often in a row the vendor has slowed us down.
    slowed: AtomicU32,
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
            following: Mutex::default(),
            notes: Notes::default(),
            no_chats: AtomicBool::new(false),
            slowed: AtomicU32::new(0),
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
        let answer = self.account.get(Domain::Data, &path, &query).await?;
        let body = checked(&answer, what)?;
        let parsed = bodies
            .read(0, body, |body| {
                enveloped(&self.notes, resource, body).filter(is_data).ok_or(loose::Unreadable)
            })
            .map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        let news = bodies.is_news(std::slice::from_ref(&parsed));
        Ok(self.good(news.then(|| wrap(parsed)), None, &answer))
    }

    async fn agents(&self) -> Result<Good<Answer>, Trouble> {
        let what = "the agents";
        let answer = self.account.session_get(&["availableAgents"], &[]).await?;
        let body = checked(&answer, what)?;
        let parsed = self
            .agents
            .read(0, body, |body| {
                let said = self.notes.read::<AgentsAnswer>("agents", body)?;
                let is_list = said.seen > 0 && !said.failure.0 && !said.available.failure.0;
                if is_list { Ok(said) } else { Err(loose::Unreadable) }
            })
            .map_err(|_| rest::unreadable(&answer, what, &WORDS))?;
        let own = self.account.own_user().await;
        let rows = &parsed.available.list.agents.0;
        let user = &self.account.config().username;
        if rows.iter().any(|row| row.state == ChatState::Online && row.is_own(own.as_deref(), user)) {
            self.account.away_again().await;
        }
        // Our own user is an agent, too: a list of nobody is one that we may not see.
        let partial = rows
            .is_empty()
            .then(|| "LivePerson shows this user no agents: ask for the Agent Manager profile.".to_owned());
        let news = self.agents.is_news(std::slice::from_ref(&parsed));
        Ok(self.good(news.then_some(Answer::Agents { answer: parsed, own }), partial, &answer))
    }

    async fn conversations(&self) -> Result<Good<Answer>, Trouble> {
        let sent = self.clock.now();
        let mut following = self.following.lock().await;
        let outcome = self.follow(&mut following).await;
        let held = &following.held;
        self.no_chats.store(outcome.is_ok() && held.values().all(Chat::is_over), Ordering::SeqCst);
        let (asked, partial) = outcome?;
        // What an earlier call took in before it failed is told now.
        let told = (following.told.as_ref() != Some(held)).then(|| held.clone());
        if told.is_some() {
            following.told.clone_from(&told);
        }
        let told = told.map(Answer::Chats);
        Ok(match &asked {
            Some(answer) => self.good(told, partial, answer),
            None => Good { answer: told, partial, sent, at: self.clock.now(), date: None },
        })
    }

    async fn names(&self) -> Result<Good<Answer>, Trouble> {
        let account = self.account.config().account.clone();
        let path = ["api", "account", &account, "configuration", "le-users", "skills"];
        let answer = self.account.get(Domain::Configuration, &path, &[("v", "1")]).await?;
        let what = "the names of skills";
        let body = checked(&answer, what)?;
        let unreadable = |_| rest::unreadable(&answer, what, &WORDS);
        let skills: Option<Vec<NamedSkill>> = if body.trim_ascii_start().starts_with(b"[") {
            self.notes.read::<loose::List<NamedSkill>>("skills", body).map_err(unreadable)?.0
        } else {
            self.notes.read::<SkillList>("skills", body).map_err(unreadable)?.skills.0
        };
        let Some(skills) = skills else { return Err(unreadable(loose::Unreadable)) };
        let names = skills
            .into_iter()
            .filter(|s| s.deleted.0 != Some(true))
            .filter_map(|s| Some((s.id.0?, s.name.0?)))
            .filter(|(id, _)| !id.starts_with('-'));
        Ok(self.good(Some(Answer::Names(names.collect())), None, &answer))
    }

    fn good(&self, answer: Option<Answer>, partial: Option<String>, http: &HttpAnswer) -> Good<Answer> {
        let date = self.account.date(http);
        Good { answer, partial, sent: http.sent_at, at: http.received_at, date }
    }

    async fn ask_once(&self, endpoint: usize) -> Result<Good<Answer>, Trouble> {
        let session = self.account.config().agent_session;
        match endpoint {
            QUEUESTATE => {
                let place = ("queuestate", "the queues");
                let is_data = |s: &QueueState| s.skills.is_known() || s.totals.seen > 0;
                self.operations(place, &[("v", "2")], &self.state, is_data, Answer::State).await
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
            notes.look(part, body, &Envelope::<P>::SHAPE, Telling::All);
            envelope.meta.code.0.is_none_or(|code| (200..300).contains(&code)).then_some(envelope.body)
        }
        _ => notes.read::<P>(part, body).ok(),
    }
}

/// The body of an answer that is data. 451 is final; a 2xx may still hold an error inside an envelope.
pub(super) fn checked<'a>(answer: &'a HttpAnswer, what: &str) -> Result<&'a [u8], Trouble> {
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

#[async_trait]
impl Ask for LivePersonAsk {
    type Answer = Answer;

    async fn ask(&self, endpoint: usize) -> Result<Good<Answer>, Trouble> {
        let outcome = self.ask_once(endpoint).await;
        match outcome {
            // What is throttled is how many requests run at once; a short pause is enough at first.
            Err(Trouble::Throttled { sentence, after: None }) => {
                let times = self.slowed.fetch_add(1, Ordering::SeqCst).min(6);
                Err(Trouble::Throttled { sentence, after: Some((SLOWED * (1 << times)).min(SLOWED_MOST)) })
            }
            Ok(good) => {
                self.slowed.store(0, Ordering::SeqCst);
                Ok(good)
            }
            trouble => trouble,
        }
    }

    fn note(&self, endpoint: usize) -> Option<String> {
        (endpoint == QUEUESTATE).then(|| self.account.renewal()).flatten()
    }
}
