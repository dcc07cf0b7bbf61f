//! The life of one source: visit after visit, with the waits between them.

use std::time::Duration;

use link::{Dialer, Http, Session, backoff::Backoff, session::DENIED_EVERY};
use model::{Batch, Change, Timestamp};

use super::{
    auth::Auth,
    config::Config,
    floor::Floor,
    health::{CheckUp, explained},
    stream::Visit,
};
use crate::{SourceLink, polled};

/// How a visit ended.
pub(super) enum End {
    /// The source is taken away.
    Stopped,
    /// The link is lost; the appliance's own wait, where it gave one.
    Lost(String, Option<Duration>),
    /// The upgrade was refused with 503: it is full, or not in service; the appliance's own wait.
    Unavailable(Option<Duration>),
    /// It ended as soon as it began.
    CutShort,
    Throttled(String, Option<Duration>),
    Denied(String),
    Misconfigured(String),
}

/// How the application is chosen on the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    SubProtocol,
    /// By a line with the company's name.
    InBand,
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
    /// The way to be tried next.
    pub way: Way,
    /// The way on which the appliance has answered a sign-in.
    pub worked: Option<Way>,
    /// How often in a row the way to be tried has failed.
    pub way_failed: u32,
    /// It was live, and no refusal has come since.
    pub was_live: bool,
    /// The appliance does not take the word `all`.
    pub by_name: bool,
    /// Turn of the token that was accepted last: refused later, it may only be too old.
    pub accepted: Option<u64>,
    pub check_up: CheckUp,
    /// An answer has told the appliance's clock.
    pub dated: bool,
}

impl Source {
    pub fn now(&self) -> Timestamp {
        self.link.clock.now()
    }
    /// Now, in the appliance's clock.
    pub fn seen(&self) -> Timestamp {
        self.session.skew.vendor_time(self.now())
    }
    /// Sends changes with the link's health. `Err` when nobody listens any more.
    pub async fn emit(&self, mut changes: Vec<Change>) -> Result<(), End> {
        changes.push(Change::Health(self.session.report()));
        let batch = Batch { source: self.config.source.clone(), at: self.now(), changes };
        tokio::select! {
            biased;
            () = self.link.stop.cancelled() => Err(End::Stopped),
            sent = self.link.out.send(batch) => sent.map_err(|_| End::Stopped),
        }
    }
}

/// Runs until stopped.
pub(super) async fn run(config: Config, link: SourceLink) {
    let parts = link.http(&config.net).and_then(|http| Ok((http, link.dialer(&config.net)?)));
    let (http, dialer) = match parts {
        Ok(parts) => parts,
        Err(error) => return polled::misconfigured(&link, error.to_string()).await,
    };
    let account = link.tokens.account(&config.token_url, &config.client_id, &link.secret);
    // An appliance that fails over refuses everybody for minutes: slower than elsewhere.
    let backoff = Backoff::with(Duration::from_secs(1), Duration::from_secs(60), link.seed);
    let mut source = Source {
        session: Session::with_backoff(link.clock.now(), backoff),
        floor: Floor::new(config.source.clone()),
        auth: Auth::new(account, link.secret.clone()),
        config,
        link,
        http,
        dialer,
        way: Way::SubProtocol,
        worked: None,
        way_failed: 0,
        was_live: false,
        by_name: false,
        accepted: None,
        check_up: CheckUp::default(),
        dated: false,
    };
    if source.emit(Vec::new()).await.is_err() {
        return;
    }
    loop {
        let end = Visit::make(&mut source).await;
        let stop = source.link.stop.clone();
        let end = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            end = explained(&mut source, end) => end,
        };
        let now = source.now();
        let session = &mut source.session;
        let wait = match end {
            End::Stopped => return,
            End::Lost(sentence, wait) => session.lost_for(now, sentence, wait),
            // Both have their sentence by now.
            End::Unavailable(wait) => session.lost_for(now, String::new(), wait),
            End::CutShort => session.lost(now, String::new()),
            End::Throttled(sentence, wait) => session.throttled(now, sentence, wait),
            End::Denied(sentence) => session.denied(now, sentence),
            End::Misconfigured(sentence) => {
                session.misconfigured(now, sentence);
                DENIED_EVERY
            }
        };
        tracing::info!(
            source = %source.config.source,
            health = ?source.session.health(),
            wait_ms = wait.as_millis() as u64,
            "link ended"
        );
        if source.emit(Vec::new()).await.is_err() {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
