//! LivePerson's keys: what they mean, where to find them, and what is wrong with them.

use std::{path::PathBuf, time::Duration};

use link::{
    NetOptions,
    poll::{Plan, pace},
};
use model::{Origin, Vendor};
use url::Url;

use super::{AGAIN, AGENTS, CONVERSATIONS, QUEUEHEALTH, QUEUESTATE, REFUSED, hosts::LOOK_AGAIN};
use crate::{ConfigError, FieldKind, FieldSpec, Setting, SourceSettings, VendorSpec};

/// LivePerson's description of itself.
pub static SPEC: VendorSpec = VendorSpec {
    vendor: Vendor::Liveperson,
    title: "LivePerson",
    badge: "L",
    mode: "poll",
    about: "Skills with the people who wait and the free slots, agents with their state and load, and the chats of the signed-in user.",
    permission: "A user of its own with the Agent Manager profile, and access to the operational data of the account.",
    fields: &[
        FieldSpec {
            key: "url",
            label: "Domain look-up",
            help: "Leave it as it is, unless your company reaches LivePerson by another name.",
            kind: FieldKind::Url,
            required: false,
            default: Some(DEFAULT_URL),
            example: DEFAULT_URL,
        },
        FieldSpec {
            key: "account",
            label: "Account",
            help: "The account number on LivePerson's sign-in page.",
            kind: FieldKind::Text,
            required: true,
            default: None,
            example: "12345678",
        },
        FieldSpec {
            key: "username",
            label: "User name",
            help: "A user for Floorwalker alone, best with a maximum of 0 chats; nobody else should sign in with it.",
            kind: FieldKind::Text,
            required: true,
            default: None,
            example: "floor-supervisor",
        },
        FieldSpec {
            key: "skills",
            label: "Skills",
            help: "Ids of the skills to show; leave empty for all.",
            kind: FieldKind::List,
            required: false,
            default: None,
            example: "4, 15",
        },
        FieldSpec {
            key: "chats",
            label: "Chats",
            help: "own: the chats of this user. Or the session keys of the chats to follow.",
            kind: FieldKind::List,
            required: false,
            default: Some("own"),
            example: "own",
        },
        FieldSpec {
            key: "agent_session",
            label: "Open an agent session",
            help: "Needed for agents and chats. Off: skills only.",
            kind: FieldKind::Bool,
            required: false,
            default: Some("true"),
            example: "true",
        },
    ],
    secret_label: "Password",
    secret_help: "The password of the user. Accounts that sign in through a company portal only need a user that is exempt from it.",
    consent: Some(
        "To see agents and chats, Floorwalker signs in at LivePerson as this user and opens an agent session. The user then appears among the agents. Floorwalker sets it to Away at once and never takes a chat. Use a user that nobody works with; with `agent_session = false` only skills are shown and no session is opened.",
    ),
    provides: &[
        ("queue.waiting", Origin::Reported),
        ("queue.waiting_since", Origin::Reported),
        ("queue.open", Origin::Derived),
        ("queue.capacity", Origin::Derived),
        ("queue.free_capacity", Origin::Reported),
        ("queue.agents_online", Origin::Derived),
        ("queue.agents_available", Origin::Derived),
        ("queue.offered@30m", Origin::Reported),
        ("queue.handled@30m", Origin::Reported),
        ("queue.abandoned@30m", Origin::Reported),
        ("queue.average_wait@30m", Origin::Reported),
        ("agent.email", Origin::Reported),
        ("agent.presence", Origin::Reported),
        ("agent.presence_label", Origin::Reported),
        ("agent.presence_since", Origin::Reported),
        ("agent.open", Origin::Reported),
        ("agent.capacity", Origin::Reported),
        ("agent.free_capacity", Origin::Derived),
        ("agent.queues", Origin::Reported),
        ("conversation.queue", Origin::Reported),
        ("conversation.agents", Origin::Reported),
        ("conversation.channel", Origin::Reported),
        ("conversation.customer", Origin::Reported),
        ("conversation.created_at", Origin::Reported),
        ("conversation.waiting_since", Origin::Reported),
        ("conversation.answered_at", Origin::Reported),
        ("conversation.ended_at", Origin::Reported),
        ("conversation.last_customer_message_at", Origin::Reported),
        ("conversation.last_agent_message_at", Origin::Reported),
        ("conversation.outcome", Origin::Derived),
        ("total.waiting@now", Origin::Reported),
        ("total.offered@30m", Origin::Reported),
        ("total.handled@30m", Origin::Reported),
        ("total.abandoned@30m", Origin::Reported),
        ("total.average_wait@30m", Origin::Reported),
    ],
};

const DEFAULT_URL: &str = "https://api.liveperson.net";

/// The vendor asks for no more than one look at the own chats in two seconds.
const FLOOR: Duration = Duration::from_secs(2);
/// Figures behind the operational resources are renewed this often.
const RENEWED: Duration = Duration::from_secs(10);

/// LivePerson's part of a source, checked.
pub struct Config {
    /// Where the account's hosts are looked up.
    pub lookup: Url,
    /// The account, opaque.
    pub account: String,
    /// Who signs in.
    pub username: String,
    /// Skills to show; empty: all.
    pub skills: Vec<String>,
    /// Chats to follow; `None`: the user's own.
    pub chats: Option<Vec<String>>,
    /// Whether an agent session may be opened.
    pub agent_session: bool,
    /// The list of own chats is asked for no more often than this, however often it is wanted.
    pub list_every: Duration,
    /// Pauses after a fault at LivePerson, seconds.
    pub again: &'static [u64],
    /// A host that seems to have moved is looked up again at most this often.
    pub look_again: Duration,
    /// How long a sign-in that was refused is not tried again.
    pub refused: Duration,
    /// Transport.
    pub net: NetOptions,
}

/// What is asked, in the order of the endpoint numbers of this folder.
pub fn plans(poll: Option<Duration>, agent_session: bool) -> Vec<Plan> {
    let figures = [Plan::of("queuestate", 10), Plan::of("queuehealth", 60), Plan::look_up("lookups", 900)];
    if !agent_session {
        let [state, health, names] = <[Plan; 3]>::try_from(pace(&figures, poll, RENEWED)).unwrap_or(figures);
        // Nothing is asked there; what stands for them says so.
        return vec![
            state,
            health,
            Plan::look_up("agents", 3600),
            Plan::look_up("conversations", 3600),
            names,
        ];
    }
    let [state, health, names] = figures;
    let usual = [state, health, Plan::of("agents", 10), Plan::of("conversations", 5), names];
    let mut plans = pace(&usual, poll, FLOOR);
    // The figures behind these change no faster, whatever is wanted.
    for (endpoint, floor) in [
        (QUEUESTATE, RENEWED),
        (QUEUEHEALTH, Duration::from_secs(60)),
        (AGENTS, Duration::from_secs(5)),
        (CONVERSATIONS, FLOOR),
    ] {
        plans[endpoint].every = plans[endpoint].every.max(floor);
    }
    plans
}

/// Checks the keys of one source.
pub fn read(settings: &SourceSettings) -> Result<Config, ConfigError> {
    settings.only(&["account", "username", "skills", "chats", "agent_session"])?;
    let account = settings.required_text("account")?.trim().to_owned();
    let fits = account.len() <= 20 && account.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !fits {
        return Err(ConfigError::at(
            "account",
            "`account` must be the account number of the sign-in page: at most 20 letters, digits or _",
        ));
    }
    let skills =
        settings.list("skills")?.unwrap_or_default().iter().map(|s| s.trim().to_owned()).collect::<Vec<_>>();
    if skills.iter().any(|s| s.is_empty() || !s.bytes().all(|b| b.is_ascii_digit())) {
        return Err(ConfigError::at(
            "skills",
            "`skills` must hold ids of skills, which are numbers in quotes: [\"4\", \"15\"]",
        ));
    }
    let chats = match settings.keys.get("chats") {
        None => None,
        Some(Setting::Text(own)) if own.trim() == "own" => None,
        Some(Setting::List(keys)) if keys.iter().map(|k| k.trim()).eq(["own"]) => None,
        Some(Setting::List(keys)) => {
            let keys: Vec<String> = keys.iter().map(|k| k.trim().to_owned()).collect();
            if keys.iter().any(|k| k.is_empty() || !k.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
            {
                return Err(ConfigError::at(
                    "chats",
                    "`chats` must be \"own\" or a list of chat session keys (letters, digits and -)",
                ));
            }
            Some(keys)
        }
        Some(_) => {
            return Err(ConfigError::at("chats", "`chats` must be \"own\" or a list of chat session keys"));
        }
    };
    Ok(Config {
        lookup: lookup(settings.url.as_deref())?,
        account,
        username: settings.required_text("username")?.trim().to_owned(),
        skills,
        chats,
        agent_session: settings.yes("agent_session")?.unwrap_or(true),
        list_every: FLOOR,
        again: AGAIN,
        refused: REFUSED,
        look_again: LOOK_AGAIN,
        net: NetOptions {
            ca_file: settings.ca_file.clone() as Option<PathBuf>,
            proxy: settings.proxy.clone(),
        },
    })
}

fn lookup(url: Option<&str>) -> Result<Url, ConfigError> {
    let wrong = |what: &str| ConfigError::at("url", format!("`url` {what}"));
    let text = url.map(str::trim).filter(|t| !t.is_empty()).unwrap_or(DEFAULT_URL);
    let url = Url::parse(text).map_err(|_| wrong("is no address; write it with https:// in front"))?;
    if !link::origin::is_allowed(&url) || !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("must begin with https:// (http:// only for this very computer)"));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(wrong("must hold neither a name, a password, nor anything behind ? or #"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: Option<&str>, keys: &[(&str, Setting)]) -> SourceSettings {
        SourceSettings {
            id: "lp".into(),
            name: "LP".into(),
            vendor: Vendor::Liveperson,
            url: url.map(str::to_owned),
            enabled: true,
            ca_file: None,
            proxy: None,
            poll: None,
            secret_env: None,
            console_url: None,
            keys: keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
        }
    }
    fn text(value: &str) -> Setting {
        Setting::Text(value.into())
    }
    fn list(values: &[&str]) -> Setting {
        Setting::List(values.iter().map(|v| (*v).to_owned()).collect())
    }

    #[test]
    fn defaults_and_both_forms_of_chats() {
        let base = [("account", text("le79144597")), ("username", text("floor"))];
        let config = read(&settings(None, &base)).unwrap();
        assert_eq!(config.lookup.as_str(), "https://api.liveperson.net/");
        assert!(config.agent_session && config.chats.is_none() && config.skills.is_empty());
        for (chats, expected) in [
            (text("own"), None),
            (list(&["own"]), None),
            (list(&["H1-2K3"]), Some(vec!["H1-2K3".to_owned()])),
        ] {
            let mut keys = base.to_vec();
            keys.push(("chats", chats));
            assert_eq!(read(&settings(None, &keys)).unwrap().chats, expected);
        }
    }

    #[test]
    fn every_mistake_names_its_key_and_the_fix() {
        let (account, user) = (("account", text("12345678")), ("username", text("floor")));
        for (url, keys, key) in [
            (None, vec![user.clone()], "account"),
            (None, vec![("account", text("1/2")), user.clone()], "account"),
            (None, vec![("account", Setting::Int(1)), user.clone()], "account"),
            (None, vec![account.clone()], "username"),
            (Some("api.liveperson.net"), vec![account.clone(), user.clone()], "url"),
            (Some("http://api.liveperson.net"), vec![account.clone(), user.clone()], "url"),
            (None, vec![account.clone(), user.clone(), ("skills", list(&["Sales"]))], "skills"),
            (None, vec![account.clone(), user.clone(), ("chats", text("all"))], "chats"),
            (None, vec![account.clone(), user.clone(), ("chats", list(&["a,b"]))], "chats"),
            (None, vec![account.clone(), user.clone(), ("agent_session", text("no"))], "agent_session"),
            (None, vec![account.clone(), user.clone(), ("site", text("1"))], "site"),
        ] {
            let error = read(&settings(url, &keys)).err().expect("must be refused");
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(error.sentence.contains(&format!("`{key}`")), "{error}");
        }
    }

    #[test]
    fn the_figures_own_pace_is_the_floor() {
        let seconds = |poll: Option<u64>| -> Vec<u64> {
            plans(poll.map(Duration::from_secs), true).iter().map(|p| p.every.as_secs()).collect()
        };
        assert_eq!(seconds(None), [10, 60, 10, 5, 900]);
        assert_eq!(seconds(Some(1)), [10, 60, 5, 2, 360]);
        assert_eq!(seconds(Some(30)), [60, 360, 60, 30, 5400]);
        assert!(plans(None, false)[AGENTS].optional);
        // Without an agent session the fastest endpoint is another one.
        let seconds = |poll: u64| -> Vec<u64> {
            plans(Some(Duration::from_secs(poll)), false).iter().map(|p| p.every.as_secs()).collect()
        };
        assert_eq!(seconds(1), [10, 60, 3600, 3600, 900]);
        assert_eq!(seconds(30), [30, 180, 3600, 3600, 2700]);
    }
}
