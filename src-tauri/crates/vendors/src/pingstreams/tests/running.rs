//! A connector at work on a peer, and what its batches add up to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use link::{NetOptions, Secret, SystemClock};
use model::{Agent, Batch, Change, Conversation, Health, HealthReport, Id, Kind, Queue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        config::{Config, Pace},
        run,
    },
    peer::{P, Peer},
};
use crate::{SourceLink, drift::Notes};

/// A connector at work, and what its batches add up to.
pub struct Running {
    pub rx: mpsc::Receiver<Batch>,
    pub stop: CancellationToken,
    pub queues: BTreeMap<Id, Queue>,
    pub agents: BTreeMap<Id, Agent>,
    pub conversations: BTreeMap<Id, Conversation>,
    pub health: HealthReport,
    pub ever_live: bool,
    pub notes: Notes,
}

pub fn pace() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        first_state: ms(1000),
        resync: ms(60_000),
        soon: ms(300),
        ping_after: ms(300),
        answer_within: ms(900),
    }
}

pub fn config(peer: &Peer) -> Config {
    Config {
        source: "ps".into(),
        url: format!("ws://127.0.0.1:{}/", peer.port).parse().unwrap(),
        api: format!("http://127.0.0.1:{}", peer.port).parse().unwrap(),
        project: P.to_owned(),
        email: None,
        messages: false,
        net: NetOptions::default(),
        pace: pace(),
    }
}

/// A token whose claims name Anna.
pub fn jwt(user: &str) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"_id\":\"{user}\"}}"));
    format!("eyJhbGciOiJIUzI1NiJ9.{body}.fake")
}

impl Running {
    pub fn start(config: Config) -> Self {
        Self::with(config, &jwt("anna"))
    }
    pub fn with(config: Config, secret: &str) -> Self {
        let (out, rx) = mpsc::channel(8);
        let (stop, notes) = (CancellationToken::new(), Notes::default());
        let link = SourceLink {
            source: "ps".into(),
            out,
            clock: Arc::new(SystemClock),
            secret: Secret::new(secret),
            stop: stop.clone(),
            taps: Default::default(),
            notes: notes.clone(),
            paces: Default::default(),
            seed: 3,
            budgets: Default::default(),
            tokens: Default::default(),
        };
        tokio::spawn(run::run(config, link));
        Self {
            rx,
            stop,
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            conversations: BTreeMap::new(),
            health: HealthReport::of(Health::Connecting),
            ever_live: false,
            notes,
        }
    }

    fn apply(&mut self, batch: Batch) {
        for change in batch.changes {
            match change {
                Change::Reset => (self.queues, self.agents, self.conversations) = Default::default(),
                Change::Queue(q) => drop(self.queues.insert(q.id.clone(), q)),
                Change::Agent(a) => drop(self.agents.insert(a.id.clone(), a)),
                Change::Conversation(c) => drop(self.conversations.insert(c.id.clone(), c)),
                Change::Remove(Kind::Queue, id) => drop(self.queues.remove(&id)),
                Change::Remove(Kind::Agent, id) => drop(self.agents.remove(&id)),
                Change::Remove(Kind::Conversation, id) => drop(self.conversations.remove(&id)),
                Change::Health(report) => {
                    self.ever_live |= report.health == Health::Live;
                    self.health = report;
                }
                _ => {}
            }
        }
    }

    #[track_caller]
    pub fn conversation(&self, id: &str) -> &Conversation {
        self.conversations
            .get(id)
            .unwrap_or_else(|| panic!("no conversation {id}: {:?}", self.conversations.keys()))
    }

    pub async fn until(&mut self, what: &str, holds: impl Fn(&Running) -> bool) {
        let end = tokio::time::Instant::now() + Duration::from_secs(120);
        while !holds(self) {
            match tokio::time::timeout_at(end, self.rx.recv()).await {
                Ok(Some(batch)) => self.apply(batch),
                other => panic!("never: {what}; {other:?} {:?}", self.health),
            }
        }
    }
    pub async fn live(&mut self) {
        self.until("live", |r| r.health.health == Health::Live).await;
    }
    /// Takes in what comes for a while; nothing need come.
    pub async fn listen(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Some(batch)) = tokio::time::timeout_at(end, self.rx.recv()).await {
            self.apply(batch);
        }
    }
    pub fn error(&self) -> &str {
        self.health.error.as_deref().unwrap_or("")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
