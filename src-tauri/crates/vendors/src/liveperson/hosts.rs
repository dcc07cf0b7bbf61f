//! Where the account's services are. Looked up without a sign-in, kept for the life of the source, and
//! looked up once more when a host is not what it was.

use std::{collections::BTreeMap, time::Duration};

use link::{
    Answer, NetError, Phase, Request,
    origin::{is_allowed, place},
    poll::Trouble,
};
use tokio::time::Instant;
use url::Url;

use super::{
    WORDS,
    address::with,
    login::{Account, quick},
    wire::{BaseUri, BaseUris},
};
use crate::{loose, rest};

/// What is asked of the look-up, in words.
const LOOK_UP: &str = "the hosts of the account";
/// A host that seems to have moved is looked up again at most this often.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(300);
/// The same where the look-up itself failed.
const LOOK_SOON: Duration = Duration::from_secs(30);

/// A domain of the account: the vendor's word for a service and its host. Their names are case sensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// Login and Chat Agent API.
    Vep,
    /// Operational figures.
    Data,
    /// Names of skills.
    Configuration,
}

impl Domain {
    fn name(self) -> &'static str {
        match self {
            Domain::Vep => "agentVep",
            Domain::Data => "leDataReporting",
            Domain::Configuration => "accountConfigReadOnly",
        }
    }

    /// The account has no such service: that concerns what stands behind it and nothing else.
    pub fn missing(self, trouble: Trouble) -> Trouble {
        let sentence = match (self, &trouble) {
            (Domain::Data, Trouble::Misconfigured(_)) => {
                "LivePerson names no host for operational figures (service leDataReporting): ask LivePerson whether the account has them."
            }
            (Domain::Configuration, Trouble::Misconfigured(_)) => {
                "LivePerson names no host for the account's configuration, so skills may be shown by their numbers."
            }
            _ => return trouble,
        };
        Trouble::Broken { sentence: sentence.to_owned(), soon: false }
    }

    /// The host does not take the bearer.
    pub fn refused(self) -> Trouble {
        let sentence = match self {
            Domain::Configuration => {
                "LivePerson does not give this user the names of the skills (401), so they may be shown by their numbers."
            }
            _ => {
                "LivePerson does not give this user the operational figures (401): ask the LivePerson administrator whether the user may read them, and from this computer's address."
            }
        };
        Trouble::Refused { sentence: sentence.to_owned(), credentials: false }
    }
}

/// What is known of the hosts.
#[derive(Default)]
pub struct Hosts {
    known: BTreeMap<Domain, Url>,
    look_again_at: BTreeMap<Domain, Instant>,
}

impl Account {
    /// Where a service is.
    pub(super) async fn host_of(&self, service: Domain) -> Result<Url, Trouble> {
        let known = quick(&self.hosts).known.get(&service).cloned();
        if let Some(host) = known {
            return Ok(host);
        }
        let host = self.look_up(service.name()).await?;
        quick(&self.hosts).known.insert(service, host.clone());
        Ok(host)
    }

    /// Takes the map in that comes with a login. The login's own host stays: it has just answered.
    pub(super) fn learn_hosts(&self, told: &BaseUris) {
        for service in [Domain::Data, Domain::Configuration] {
            let named = told.all.0.iter().find(|b| b.service.0.as_deref() == Some(service.name()));
            if let Some(host) = named.and_then(|b| self.host(b.host.0.as_deref()?)) {
                quick(&self.hosts).known.insert(service, host);
            }
        }
    }

    /// A host does not answer, or no longer knows us: looks up where it is now, at most every five
    /// minutes. Says whether it is another one.
    pub(super) async fn has_moved(&self, service: Domain) -> bool {
        let now = Instant::now();
        let before = {
            let mut hosts = quick(&self.hosts);
            if hosts.look_again_at.get(&service).is_some_and(|at| now < *at) {
                return false;
            }
            hosts.look_again_at.insert(service, now + self.config.look_again);
            hosts.known.get(&service).cloned()
        };
        let Ok(host) = self.look_up(service.name()).await else {
            let soon = LOOK_SOON.min(self.config.look_again);
            quick(&self.hosts).look_again_at.insert(service, now + soon);
            return false;
        };
        if before.as_ref() == Some(&host) {
            return false;
        }
        tracing::info!(service = service.name(), "a LivePerson service has moved to another host");
        quick(&self.hosts).known.insert(service, host);
        true
    }

    async fn look_up(&self, service: &str) -> Result<Url, Trouble> {
        let account = &self.config.account;
        let file = "baseURI.json";
        // The second and fourth are where the vendor's older clients ask; the last two list everything.
        for path in [
            &["api", "account", account, "service", service, file] as &[&str],
            &["csdr", "account", account, "service", service, file],
            &["api", "account", account, "service", file],
            &["csdr", "account", account, "service", file],
        ] {
            let answer =
                self.send(Request::get(with(&self.config.lookup, path, &[("version", "1.0")]))).await?;
            match answer.status {
                404 => continue,
                400 | 401 => break,
                _ => {}
            }
            let body = rest::body(&answer, LOOK_UP, &WORDS)?;
            if let Some(host) = loose::read::<BaseUri>(body).ok().and_then(|b| b.host.0) {
                return self.host(&host).ok_or_else(|| self.no_host(&host, &answer));
            }
            let list = loose::read::<BaseUris>(body).ok().filter(|list| list.seen > 0);
            let Some(list) = list else { return Err(rest::unreadable(&answer, LOOK_UP, &WORDS)) };
            let named = list.all.0.into_iter().find(|b| b.service.0.as_deref() == Some(service));
            let Some(host) = named.and_then(|b| b.host.0) else { break };
            return self.host(&host).ok_or_else(|| self.no_host(&host, &answer));
        }
        Err(Trouble::Misconfigured(format!(
            "LivePerson does not know the account {account}, or it has no service {service}: check `account` and `url`."
        )))
    }

    /// A host as the vendor names it, with the scheme of the configured address.
    fn host(&self, text: &str) -> Option<Url> {
        self.named(text).filter(is_allowed)
    }

    fn named(&self, text: &str) -> Option<Url> {
        let bare = text.trim().trim_end_matches('/');
        let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
        let url = Url::parse(&format!("{}://{bare}/", self.config.lookup.scheme())).ok()?;
        (url.username().is_empty() && url.password().is_none() && url.path() == "/").then_some(url)
    }

    /// Why a host that was named is none to go to: nothing in plain text leaves this computer, or it is no
    /// host at all.
    fn no_host(&self, text: &str, answer: &Answer) -> Trouble {
        match self.named(text) {
            Some(url) => rest::no_answer(&NetError { host: place(&url), phase: Phase::Address }),
            None => rest::unreadable(answer, LOOK_UP, &WORDS),
        }
    }
}
