//! The life of one source: visit after visit, with the waits between them.

use std::time::Duration;

use link::{Dialer, Http, Session};
use model::{Batch, Change, Id, Timestamp};

use super::{
    auth::{Auth, AuthError},
    config::Config,
    floor::Floor,
    stream::Visit,
};
use crate::SourceLink;

/// How a visit ended.
pub(super) enum End {
    /// The source is taken away.
    Stopped,
    /// The link is lost; the vendor's own wait, where it gave one.
    Lost(String, Option<Duration>),
    Throttled(String, Option<Duration>),
    Denied(String),
    Misconfigured(String),
}

impl From<AuthError> for End {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Refused(sentence) => End::Denied(sentence),
            AuthError::Throttled(sentence, wait) => End::Throttled(sentence, wait),
            AuthError::Failed(sentence) => End::Lost(sentence, None),
            AuthError::Unusable(sentence) => End::Misconfigured(sentence),
        }
    }
}

/// What outlives a visit.
pub(super) struct Source {
    pub config: Config,
    pub link: SourceLink,
    pub http: Http,
    pub dialer: Dialer,
    pub auth: Auth,
    pub session: Session,
    pub floor: Floor,
    /// Frames and lists so far; never starts anew.
    pub count: u64,
    /// It was live, and no refusal has come since.
    pub was_live: bool,
}

impl Source {
    pub fn now(&self) -> Timestamp {
        self.link.clock.now()
    }
    /// Now, in the vendor's clock.
    pub fn seen(&self) -> Timestamp {
        self.session.skew.vendor_time(self.now())
    }
    /// Sends changes with the link's health. `Err` when nobody listens any more.
    pub async fn emit(&self, changes: Vec<Change>) -> Result<(), End> {
        send(&self.link, &self.config.source, changes, &self.session).await
    }
}

async fn send(
    link: &SourceLink,
    source: &Id,
    mut changes: Vec<Change>,
    session: &Session,
) -> Result<(), End> {
    changes.push(Change::Health(session.report()));
    let batch = Batch { source: source.clone(), at: link.clock.now(), changes };
    tokio::select! {
        biased;
        () = link.stop.cancelled() => Err(End::Stopped),
        sent = link.out.send(batch) => sent.map_err(|_| End::Stopped),
    }
}

/// Runs until stopped.
pub(super) async fn run(config: Config, link: SourceLink) {
    let mut session = Session::new(link.clock.now(), link.seed);
    let parts = link.http(&config.net).and_then(|http| Ok((http, link.dialer(&config.net)?)));
    let (http, dialer) = match parts {
        Ok(parts) => parts,
        Err(error) => {
            session.misconfigured(link.clock.now(), error.to_string());
            if send(&link, &config.source, Vec::new(), &session).await.is_ok() {
                link.stop.cancelled().await;
            }
            return;
        }
    };
    let floor = Floor::new(config.source.clone());
    let auth = Auth::new(link.secret.clone());
    let mut source = Source { config, link, http, dialer, auth, session, floor, count: 0, was_live: false };
    if source.emit(Vec::new()).await.is_err() {
        return;
    }
    loop {
        let end = Visit::make(&mut source).await;
        let now = source.now();
        let session = &mut source.session;
        let wait = match end {
            End::Stopped => return,
            End::Lost(sentence, wait) => session.lost_for(now, sentence, wait),
            End::Throttled(sentence, wait) => session.throttled(now, sentence, wait),
            End::Denied(sentence) => session.denied(now, sentence),
            End::Misconfigured(sentence) => {
                session.misconfigured(now, sentence);
                link::session::DENIED_EVERY
            }
        };
        tracing::info!(source = %source.config.source, health = ?source.session.health(), wait_ms = wait.as_millis() as u64, "link ended");
        if source.emit(Vec::new()).await.is_err() {
            return;
        }
        let stop = source.link.stop.clone();
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
