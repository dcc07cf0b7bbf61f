//! The vendor's own keys, checked without touching the network.

use std::time::Duration;

use link::{NetOptions, liveness, origin};
use model::{Id, Origin, Vendor};
use url::Url;

use crate::{ConfigError, FieldKind, FieldSpec, Setting, SourceSettings, VendorSpec};

const DEFAULT_URL: &str = "wss://eu.rtmv3.pingstreams.com/api/";
const DEFAULT_API: &str = "https://api.pingstreams.com/v3";
const KEYS: [&str; 4] = ["api_url", "project", "email", "messages"];

use Origin::{Derived, Observed, Reported};

/// What this folder says of itself.
pub const SPEC: VendorSpec = VendorSpec {
    vendor: Vendor::Pingstreams,
    title: "Pingstreams",
    badge: "PS",
    mode: "push",
    about: "Departments with who is waiting, conversations and teammates of one project, as they change.",
    permission: "Role owner or administrator in the project: other roles see only their own conversations.",
    fields: &[
        FieldSpec {
            key: "url",
            label: "Realtime address",
            help: "The WebSocket address of the realtime API; leave it for the hosted service.",
            kind: FieldKind::Url,
            required: false,
            default: Some(DEFAULT_URL),
            example: "wss://eu.rtmv3.pingstreams.com/api/",
        },
        FieldSpec {
            key: "api_url",
            label: "REST address",
            help: "The base of the REST API; for a server of your own it is usually the same host and port.",
            kind: FieldKind::Url,
            required: false,
            default: Some(DEFAULT_API),
            example: "https://api.pingstreams.com/v3",
        },
        FieldSpec {
            key: "project",
            label: "Project id",
            help: "24 characters; the part after #/project/ in the dashboard's address.",
            kind: FieldKind::Text,
            required: true,
            default: None,
            example: "5df26badde7e1c001743b63c",
        },
        FieldSpec {
            key: "email",
            label: "E-mail",
            help: "With it the secret is this user's password; without it the secret is a JWT.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "supervisor@example.com",
        },
        FieldSpec {
            key: "messages",
            label: "Follow messages",
            help: "Follow the messages of open conversations, for reply times; turn it off where traffic is short.",
            kind: FieldKind::Bool,
            required: false,
            default: Some("true"),
            example: "false",
        },
    ],
    secret_label: "Password or JWT",
    secret_help: "The password of the e-mail above, or a token from signing in to the REST API.",
    consent: None,
    provides: &[
        ("queue.waiting", Derived),
        ("queue.waiting_since", Derived),
        ("queue.average_wait_s", Derived),
        ("queue.open", Derived),
        ("queue.capacity", Derived),
        ("queue.free_capacity", Derived),
        ("queue.agents_online", Derived),
        ("queue.agents_available", Derived),
        ("agent.email", Reported),
        ("agent.presence", Reported),
        ("agent.presence_label", Reported),
        ("agent.presence_since", Observed),
        ("agent.open", Reported),
        ("agent.capacity", Reported),
        ("agent.free_capacity", Derived),
        ("agent.queues", Derived),
        ("conversation.queue", Reported),
        ("conversation.agents", Reported),
        ("conversation.channel", Reported),
        ("conversation.customer", Reported),
        ("conversation.subject", Reported),
        ("conversation.created_at", Reported),
        ("conversation.waiting_since", Reported),
        ("conversation.answered_at", Reported),
        ("conversation.ended_at", Reported),
        ("conversation.last_customer_message_at", Reported),
        ("conversation.last_agent_message_at", Reported),
        ("conversation.outcome", Derived),
        ("conversation.tags", Reported),
        ("conversation.priority", Reported),
    ],
};

/// How long things may take. Fixed by the contract; tests are in a hurry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// A first state that has not come by then was not granted.
    pub first_state: Duration,
    /// Everything is read again over REST this often: it finds new teammates and heals lost changes.
    pub resync: Duration,
    /// The same after a part could not be read.
    pub soon: Duration,
    /// Silence after which the server is asked for a sign of life.
    pub ping_after: Duration,
    /// Time that it has to give one.
    pub answer_within: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_state: Duration::from_secs(10),
            resync: Duration::from_secs(60),
            soon: Duration::from_secs(15),
            ping_after: liveness::PING_AFTER,
            answer_within: liveness::ANSWER_WITHIN,
        }
    }
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub source: Id,
    pub url: Url,
    pub api: Url,
    pub project: String,
    pub email: Option<String>,
    pub messages: bool,
    pub net: NetOptions,
    pub pace: Pace,
}

impl Config {
    pub fn read(settings: &SourceSettings) -> Result<Self, ConfigError> {
        if let Some(unknown) = settings.keys.keys().find(|k| !KEYS.contains(&k.as_str())) {
            let known = KEYS.map(|k| format!("`{k}`")).join(", ");
            return Err(ConfigError::at(
                unknown,
                format!("`{unknown}` is no key of a pingstreams source; it knows {known}"),
            ));
        }
        let url = read_url("url", settings.url.as_deref().unwrap_or(DEFAULT_URL), ["wss", "ws"])?;
        let api = match settings.text("api_url")? {
            Some(text) => read_url("api_url", text, ["https", "http"])?,
            None => read_url("api_url", DEFAULT_API, ["https", "http"])?,
        };
        let project = settings.required_text("project")?.trim().to_owned();
        if !project.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return Err(ConfigError::at(
                "project",
                "`project` must be the project's id, letters and digits only",
            ));
        }
        let email = settings.text("email")?.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let messages = match settings.keys.get("messages") {
            None => true,
            Some(Setting::Bool(yes)) => *yes,
            Some(_) => return Err(ConfigError::at("messages", "`messages` must be true or false")),
        };
        let net = NetOptions { ca_file: settings.ca_file.clone(), proxy: settings.proxy.clone() };
        Ok(Self {
            source: settings.id.clone(),
            url,
            api,
            project,
            email,
            messages,
            net,
            pace: Pace::default(),
        })
    }

    /// Where the REST reads go; said in full where somebody may have meant another place.
    pub fn remark(&self) -> String {
        let api = self.api.as_str().trim_end_matches('/');
        if is_hosted(&self.url) == is_hosted(&self.api) {
            format!("REST {api}")
        } else {
            format!("REST {api} (another service than `url`; `api_url` sets it)")
        }
    }

    /// A REST address: the base plus segments, each escaped.
    pub fn rest(&self, segments: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

fn is_hosted(url: &Url) -> bool {
    url.host_str().is_some_and(|h| h == "pingstreams.com" || h.ends_with(".pingstreams.com"))
}

fn read_url(key: &str, text: &str, schemes: [&str; 2]) -> Result<Url, ConfigError> {
    let [safe, plain] = schemes;
    let url =
        Url::parse(text.trim()).ok().filter(|u| schemes.contains(&u.scheme()) && u.has_host()).ok_or_else(
            || ConfigError::at(key, format!("`{key}` must be an address that begins with {safe}://")),
        )?;
    if !origin::is_allowed(&url) {
        return Err(ConfigError::at(
            key,
            format!(
                "`{key}` uses {plain}:// for another computer; use {safe}:// (plain text is for loopback only)"
            ),
        ));
    }
    let carries_secret = !url.username().is_empty()
        || url.password().is_some()
        || url
            .query_pairs()
            .any(|(k, _)| k.eq_ignore_ascii_case("token") || k.eq_ignore_ascii_case("secret_token"));
    if carries_secret {
        return Err(ConfigError::at(
            key,
            format!("`{key}` holds a credential; take it out and store it as the source's secret"),
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: Option<&str>, keys: &[(&str, &str)]) -> SourceSettings {
        SourceSettings {
            id: "ps".into(),
            name: "PS".into(),
            vendor: Vendor::Pingstreams,
            url: url.map(str::to_owned),
            enabled: true,
            ca_file: None,
            proxy: None,
            poll: None,
            secret_env: None,
            console_url: None,
            keys: keys.iter().map(|(k, v)| ((*k).to_owned(), Setting::Text((*v).to_owned()))).collect(),
        }
    }

    #[test]
    fn defaults_are_the_hosted_service() {
        let config = Config::read(&settings(None, &[("project", "abc")])).unwrap();
        assert_eq!((config.url.as_str(), config.api.as_str()), (DEFAULT_URL, DEFAULT_API));
        assert_eq!(config.rest(&["abc", "requests"]).as_str(), "https://api.pingstreams.com/v3/abc/requests");
    }

    #[test]
    fn the_rest_base_has_its_default_whatever_the_url_is_and_says_where_it_goes() {
        let own = Config::read(&settings(Some("wss://a.example/"), &[("project", "p")])).unwrap();
        assert_eq!(own.api.as_str(), DEFAULT_API);
        assert!(own.remark().contains(DEFAULT_API) && own.remark().contains("`api_url`"), "{}", own.remark());
        let hosted = Config::read(&settings(None, &[("project", "p")])).unwrap();
        assert_eq!(hosted.remark(), format!("REST {DEFAULT_API}"));
        let both = [("project", "p"), ("api_url", "https://a.example/x")];
        let both = Config::read(&settings(Some("wss://a.example/"), &both)).unwrap();
        assert_eq!(both.remark(), "REST https://a.example/x");
    }

    #[test]
    fn rest_segments_are_escaped() {
        let config = Config::read(&settings(
            Some("ws://127.0.0.1:1/"),
            &[("project", "p"), ("api_url", "http://127.0.0.1:1/")],
        ))
        .unwrap();
        assert_eq!(config.rest(&["p", "a/b?c"]).as_str(), "http://127.0.0.1:1/p/a%2Fb%3Fc");
    }

    #[test]
    fn what_cannot_work_names_its_key_and_never_a_secret() {
        for (url, keys, key) in [
            (None, vec![], "project"),
            (None, vec![("project", " ")], "project"),
            (None, vec![("project", "a/b")], "project"),
            (None, vec![("project", "p"), ("projct", "x")], "projct"),
            (Some("ws://10.0.0.1/"), vec![("project", "p"), ("api_url", "https://a.example")], "url"),
            (Some("https://a.example"), vec![("project", "p")], "url"),
            (
                Some("wss://a.example/?token=fake-secret"),
                vec![("project", "p"), ("api_url", "https://a.example")],
                "url",
            ),
            (None, vec![("project", "p"), ("api_url", "http://a.example")], "api_url"),
            (None, vec![("project", "p"), ("messages", "yes")], "messages"),
        ] {
            let error = Config::read(&settings(url, &keys)).unwrap_err();
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(!error.sentence.contains("fake-secret"));
        }
    }
}
