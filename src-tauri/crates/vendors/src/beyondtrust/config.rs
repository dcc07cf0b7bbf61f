//! The vendor's own keys, checked without touching the network.

use std::time::Duration;

use link::{NetOptions, liveness, origin};
use model::{Id, Origin, Vendor};
use url::Url;

use crate::{ConfigError, FieldKind, FieldSpec, SourceSettings, VendorSpec};

const KEYS: [&str; 2] = ["client_id", "company"];

use Origin::{Derived, Observed, Reported};

/// What this folder says of itself.
pub const SPEC: VendorSpec = VendorSpec {
    vendor: Vendor::Beyondtrust,
    title: "BeyondTrust Remote Support",
    badge: "BT",
    mode: "push",
    about: "Team and personal queues, sessions waiting and in progress, and representatives, as they change.",
    permission: "An API account with the permission for the Real-Time State API (Management > API Configuration).",
    fields: &[
        FieldSpec {
            key: "url",
            label: "Site",
            help: "The address of the support site, as representatives open it.",
            kind: FieldKind::Url,
            required: true,
            default: None,
            example: "https://support.example.com",
        },
        FieldSpec {
            key: "client_id",
            label: "OAuth client id",
            help: "In the site's /login under Management > API Configuration, in the API account.",
            kind: FieldKind::Text,
            required: true,
            default: None,
            example: "facade00facade00facade00facade00facade00",
        },
        FieldSpec {
            key: "company",
            label: "Company API name",
            help: "In /login under Status > Information; only some versions ask for it.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "acme",
        },
    ],
    secret_label: "OAuth client secret",
    secret_help: "Shown once when the API account is made; generating a new one voids the old.",
    consent: None,
    provides: &[
        ("queue.waiting", Derived),
        ("queue.waiting_since", Derived),
        ("queue.average_wait_s", Derived),
        ("queue.open", Derived),
        ("queue.agents_online", Derived),
        ("queue.agents_available", Derived),
        ("agent.presence", Reported),
        ("agent.presence_since", Observed),
        ("agent.logged_in_at", Reported),
        ("agent.flags", Reported),
        ("agent.open", Derived),
        ("agent.queues", Reported),
        ("conversation.queue", Reported),
        ("conversation.agents", Reported),
        ("conversation.channel", Reported),
        ("conversation.started_via", Reported),
        ("conversation.started_via_label", Reported),
        ("conversation.customer", Reported),
        ("conversation.subject", Reported),
        ("conversation.created_at", Reported),
        ("conversation.waiting_since", Reported),
        ("conversation.answered_at", Reported),
        ("conversation.ended_at", Observed),
        ("conversation.expected_at", Reported),
        ("conversation.outcome", Observed),
        ("conversation.priority", Reported),
    ],
};

/// How long things may take. Fixed by the contract and the vendor's own limits; tests are in a hurry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// The copy is whole when nothing has followed for so long,
    pub quiet: Duration,
    /// or after so long in any case: the appliance promises no more than this delay.
    pub patience: Duration,
    /// A model that was emptied and not told anew by then is asked for on a new connection.
    pub emptied: Duration,
    /// An answer before the feed that has not come by then does not come.
    pub answer: Duration,
    /// Silence after which the appliance is asked for a sign of life.
    pub ping_after: Duration,
    /// Time that it has to give one.
    pub answer_within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_secs(2),
            patience: Duration::from_secs(20),
            emptied: Duration::from_secs(30),
            answer: Duration::from_secs(10),
            ping_after: liveness::PING_AFTER,
            answer_within: liveness::ANSWER_WITHIN,
        }
    }
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub source: Id,
    /// `https://site/oauth2/token`
    pub token_url: Url,
    /// `wss://site/nw`
    pub feed_url: Url,
    /// `https://site/check_health`
    pub health_url: Url,
    pub client_id: String,
    pub company: Option<String>,
    pub net: NetOptions,
    pub pace: Pace,
}

impl Config {
    pub fn read(settings: &SourceSettings) -> Result<Self, ConfigError> {
        if let Some(unknown) = settings.keys.keys().find(|k| !KEYS.contains(&k.as_str())) {
            let known = KEYS.map(|k| format!("`{k}`")).join(", ");
            return Err(ConfigError::at(
                unknown,
                format!("`{unknown}` is no key of a beyondtrust source; it knows {known}"),
            ));
        }
        let site = read_site(settings.url.as_deref())?;
        let client_id = settings.required_text("client_id")?.trim().to_owned();
        if client_id.contains([':', '\r', '\n']) {
            return Err(ConfigError::at(
                "client_id",
                "`client_id` must be the client id alone; the secret is stored apart",
            ));
        }
        let company = settings.text("company")?.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        if company.as_deref().is_some_and(|c| c.chars().any(char::is_control)) {
            return Err(ConfigError::at("company", "`company` must be one line of text"));
        }
        let join = |scheme: Option<&str>, path: &str| {
            let mut url = site.clone();
            url.set_path(path);
            // Both schemes are special: the change cannot be refused.
            let _ = scheme.map(|s| url.set_scheme(s));
            url
        };
        let ws = if site.scheme() == "https" { "wss" } else { "ws" };
        Ok(Self {
            source: settings.id.clone(),
            token_url: join(None, "/oauth2/token"),
            feed_url: join(Some(ws), "/nw"),
            health_url: join(None, "/check_health"),
            client_id,
            company,
            net: NetOptions { ca_file: settings.ca_file.clone(), proxy: settings.proxy.clone() },
            pace: Pace::default(),
        })
    }
}

fn read_site(text: Option<&str>) -> Result<Url, ConfigError> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else {
        return Err(ConfigError::at(
            "url",
            "`url` is missing: give the site's address, e.g. https://support.example.com",
        ));
    };
    let url = Url::parse(text)
        .ok()
        .filter(|u| matches!(u.scheme(), "https" | "http") && u.has_host())
        .ok_or_else(|| ConfigError::at("url", "`url` must be an address that begins with https://"))?;
    if !origin::is_allowed(&url) {
        return Err(ConfigError::at(
            "url",
            "`url` uses http:// for another computer; use https:// (plain text is for loopback only)",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::at(
            "url",
            "`url` holds a credential; take it out and store it as the source's secret",
        ));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::at(
            "url",
            "`url` must be the site alone, without a path, e.g. https://support.example.com",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Setting;

    fn read(url: Option<&str>, keys: &[(&str, Setting)]) -> Result<Config, ConfigError> {
        Config::read(&SourceSettings {
            id: "help".into(),
            name: "Help".into(),
            vendor: Vendor::Beyondtrust,
            url: url.map(str::to_owned),
            enabled: true,
            ca_file: None,
            proxy: None,
            poll: None,
            secret_env: None,
            console_url: None,
            keys: keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        })
    }
    fn id() -> (&'static str, Setting) {
        ("client_id", Setting::Text("facade00".into()))
    }

    #[test]
    fn the_two_addresses_come_from_the_site() {
        let config = read(Some("https://support.example.com/"), &[id()]).unwrap();
        assert_eq!(config.token_url.as_str(), "https://support.example.com/oauth2/token");
        assert_eq!(config.feed_url.as_str(), "wss://support.example.com/nw");
        assert_eq!(config.company, None);
        let local = read(Some("http://127.0.0.1:8080"), &[id()]).unwrap();
        assert_eq!(local.feed_url.as_str(), "ws://127.0.0.1:8080/nw");
    }

    #[test]
    fn the_pace_is_the_contracts() {
        let s = Duration::from_secs;
        let Pace { quiet, patience, emptied, answer, ping_after, answer_within } = Pace::default();
        assert_eq!((ping_after, answer_within), (s(5), s(3)));
        assert_eq!((quiet, patience, emptied, answer), (s(2), s(20), s(30), s(10)));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        type Case<'a> = (Option<&'a str>, &'a [(&'a str, Setting)], &'a str);
        let cases: &[Case<'_>] = &[
            (None, &[id()], "url"),
            (Some("support.example.com"), &[id()], "url"),
            (Some("http://support.example.com"), &[id()], "url"),
            (Some("https://u:p@support.example.com"), &[id()], "url"),
            (Some("https://support.example.com/login"), &[id()], "url"),
            (Some("https://support.example.com"), &[], "client_id"),
            (Some("https://support.example.com"), &[("client_id", Setting::Int(4))], "client_id"),
            (Some("https://support.example.com"), &[("client_id", Setting::Text("a:b".into()))], "client_id"),
            (Some("https://support.example.com"), &[id(), ("team", Setting::Text("x".into()))], "team"),
        ];
        for (url, keys, key) in cases {
            assert_eq!(read(*url, keys).unwrap_err().key.as_deref(), Some(*key), "{url:?} {keys:?}");
        }
    }
}
