//! Comm100's keys: what they mean, where to find them, and what is wrong with them.

use std::time::Duration;

use link::poll::{Plan, pace};
use model::{Origin, Vendor};
use url::Url;

use super::auth::{Identity, PasswordGrant};
use crate::{ConfigError, FieldKind, FieldSpec, SourceSettings, VendorSpec};

/// Comm100's description of itself.
pub static SPEC: VendorSpec = VendorSpec {
    vendor: Vendor::Comm100,
    title: "Comm100 Live Chat",
    badge: "C",
    mode: "poll",
    about: "Queues of the site, its departments and agents with the people who wait, agents with their status and load, the figures of today and of this moment.",
    permission: "The permission View Reports for the agent whose key or password it is.",
    fields: &[
        FieldSpec {
            key: "url",
            label: "API address",
            help: "The address of the control panel with `api` in place of `dash`, and /v4 behind it.",
            kind: FieldKind::Url,
            required: true,
            default: None,
            example: "https://api11.comm100.io/v4",
        },
        FieldSpec {
            key: "site_id",
            label: "Site ID",
            help: "The number behind siteId= in the address of the control panel.",
            kind: FieldKind::Int,
            required: true,
            default: None,
            example: "10000",
        },
        FieldSpec {
            key: "email",
            label: "E-mail (API key)",
            help: "The agent's sign-in address, when the secret is an API key. Leave empty when a password is used.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "supervisor@example.com",
        },
        FieldSpec {
            key: "username",
            label: "E-mail (password)",
            help: "The agent's sign-in address, when the secret is the password.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "supervisor@example.com",
        },
        FieldSpec {
            key: "client_id",
            label: "OAuth client",
            help: "Global Settings, Security, OAuth Client; only with a password.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "00000000-fake-0000-0000-000000000000",
        },
        FieldSpec {
            key: "token_url",
            label: "Token address",
            help: "Only with a password, and only when the API address is not one of api*.comm100.io.",
            kind: FieldKind::Url,
            required: false,
            default: None,
            example: "https://dash11.comm100.io/oauth/token",
        },
    ],
    secret_label: "API key or password",
    secret_help: "API key: My Profile, More Information, in the control panel. Password: the one of `username`.",
    consent: None,
    provides: &[
        ("queue.waiting", Origin::Reported),
        ("queue.waiting_since", Origin::Derived),
        ("queue.average_wait_s", Origin::Derived),
        ("queue.open", Origin::Reported),
        ("queue.capacity", Origin::Reported),
        ("queue.free_capacity", Origin::Derived),
        ("queue.agents_online", Origin::Derived),
        ("queue.agents_available", Origin::Derived),
        ("queue.abandoned@30m", Origin::Reported),
        ("queue.average_wait@30m", Origin::Reported),
        ("queue.average_wait@60m", Origin::Reported),
        ("queue.switched_to_message@30m", Origin::Reported),
        ("agent.presence", Origin::Reported),
        ("agent.presence_label", Origin::Reported),
        ("agent.presence_since", Origin::Observed),
        ("agent.open", Origin::Reported),
        ("agent.capacity", Origin::Reported),
        ("agent.free_capacity", Origin::Derived),
        ("agent.queues", Origin::Reported),
        ("agent.handled@today", Origin::Reported),
        ("agent.chat_time@today", Origin::Reported),
        ("conversation.queue", Origin::Reported),
        ("conversation.agents", Origin::Derived),
        ("conversation.waiting_since", Origin::Derived),
        ("total.agents_online@now", Origin::Reported),
        ("total.agents_in_chat@now", Origin::Reported),
        ("total.open@now", Origin::Reported),
        ("total.total_open@now", Origin::Reported),
        ("total.bot_open@now", Origin::Reported),
        ("total.waiting@now", Origin::Reported),
        ("total.visitors@now", Origin::Reported),
        ("total.utilisation@now", Origin::Reported),
        ("total.requests@today", Origin::Reported),
        ("total.handled@today", Origin::Reported),
        ("total.total_handled@today", Origin::Reported),
        ("total.missed@today", Origin::Reported),
        ("total.abandoned@today", Origin::Reported),
        ("total.switched_to_message@today", Origin::Reported),
        ("total.accepted_invitations@today", Origin::Reported),
        ("total.department_transferred@today", Origin::Reported),
        ("total.transferred@today", Origin::Reported),
        ("total.acceptance_rate@today", Origin::Reported),
        ("total.unique_rate@today", Origin::Reported),
        ("total.accessibility_rate@today", Origin::Reported),
        ("total.utilisation@today", Origin::Reported),
        ("total.score@today", Origin::Reported),
        ("total.average_wait@today", Origin::Reported),
        ("total.average_handle_time@today", Origin::Reported),
        ("total.response_time@today", Origin::Reported),
    ],
};

/// Nobody is asked more often than this (the server may cache, and the limit is shared).
const FLOOR: Duration = Duration::from_secs(10);

/// Requests that the look-ups take together, at most.
pub const LOOK_UPS: u32 = 4;

/// What is asked, in the order of the endpoint numbers of this folder.
pub fn plans(poll: Option<Duration>) -> Vec<Plan> {
    let usual = [
        Plan::of("rightnow", 15),
        Plan::of("queue", 15),
        Plan::of("agents", 30),
        Plan::of("today", 120),
        Plan::look_up("lookups", 900),
        Plan::look_up("lookups", 900),
    ];
    pace(&usual, poll, FLOOR)
}

/// What a page of agents may cost in time, so that all plans together stay within the calls of a span.
pub fn time_per_page(plans: &[Plan], calls: u32, per: Duration) -> Duration {
    let others = plans.iter().enumerate().filter(|(endpoint, _)| *endpoint != super::AGENTS);
    let cost = |plan: &Plan| if plan.optional { f64::from(LOOK_UPS) } else { 1.0 };
    let spent: f64 = others.map(|(_, plan)| cost(plan) * per.as_secs_f64() / plan.every.as_secs_f64()).sum();
    let left = (f64::from(calls) - spent).max(f64::from(calls) / 10.0);
    per.div_f64(left)
}

/// Comm100's part of a source, checked.
pub struct Config {
    /// Base of the API, ending in its version.
    pub base: Url,
    /// The site.
    pub site_id: i64,
    /// Who asks.
    pub identity: Identity,
}

/// Checks the keys of one source.
pub fn read(settings: &SourceSettings) -> Result<Config, ConfigError> {
    settings.only(&["site_id", "email", "username", "client_id", "token_url"])?;
    let base = base(settings.url.as_deref())?;
    let site_id = match settings.int("site_id")? {
        Some(id) if id > 0 => id,
        Some(_) => return Err(ConfigError::at("site_id", "`site_id` must be a positive number")),
        None => return Err(ConfigError::at("site_id", "`site_id` is missing; add the number of the site")),
    };
    let filled =
        |key| Ok::<_, ConfigError>(settings.text(key)?.map(str::trim).filter(|text| !text.is_empty()));
    let (email, username) = (filled("email")?, filled("username")?);
    let (client_id, token_url) = (filled("client_id")?, filled("token_url")?);
    let identity = match (email, username) {
        (Some(email), None) => {
            for (key, value) in [("client_id", client_id), ("token_url", token_url)] {
                if value.is_some() {
                    return Err(ConfigError::at(
                        key,
                        format!(
                            "`{key}` belongs to `username` and a password; with `email` and an API key take it out"
                        ),
                    ));
                }
            }
            if email.contains(':') {
                return Err(ConfigError::at("email", "`email` must not contain a colon"));
            }
            Identity::Key { email: email.to_owned() }
        }
        (None, Some(username)) => {
            let token_url = match token_url {
                Some(text) => address("token_url", text)?,
                None => token_url_of(&base)?,
            };
            let grant =
                PasswordGrant::new(username.to_owned(), client_id.map(str::to_owned), token_url, site_id);
            Identity::Password(Box::new(grant))
        }
        (Some(_), Some(_)) => {
            return Err(ConfigError::at(
                "username",
                "`email` goes with an API key and `username` with a password; keep one of them",
            ));
        }
        (None, None) => {
            return Err(ConfigError::at(
                "email",
                "`email` (for an API key) or `username` (for a password) is missing; add one of them",
            ));
        }
    };
    Ok(Config { base, site_id, identity })
}

/// The API's base. The control panel's own address is taken, too.
fn base(url: Option<&str>) -> Result<Url, ConfigError> {
    let text = url.unwrap_or_default().trim();
    if text.is_empty() {
        return Err(ConfigError::at(
            "url",
            "`url` is missing; add the API address, e.g. https://api11.comm100.io/v4",
        ));
    }
    let mut url = address("url", text)?;
    if let Some(shard) = shard(&url, "dash") {
        let host = format!("api{shard}.comm100.io");
        let moved = url.set_host(Some(&host)).is_ok();
        debug_assert!(moved, "a shard is digits");
        url.set_path("/v4");
    } else if shard(&url, "api").is_some() && url.path() == "/" {
        url.set_path("/v4");
    }
    Ok(url)
}

fn address(key: &str, text: &str) -> Result<Url, ConfigError> {
    let wrong = |what: &str| ConfigError::at(key, format!("`{key}` {what}"));
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

/// The number in `api11.comm100.io`.
fn shard<'a>(url: &'a Url, word: &str) -> Option<&'a str> {
    let digits = url.host_str()?.strip_suffix(".comm100.io")?.strip_prefix(word)?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

fn token_url_of(base: &Url) -> Result<Url, ConfigError> {
    let missing = || {
        ConfigError::at(
            "token_url",
            "`token_url` is missing; it is only known by itself for api*.comm100.io addresses",
        )
    };
    let shard = shard(base, "api").ok_or_else(missing)?;
    Url::parse(&format!("https://dash{shard}.comm100.io/oauth/token")).map_err(|_| missing())
}

#[cfg(test)]
mod tests {
    use model::Id;

    use super::*;
    use crate::Setting;

    fn settings(url: &str, keys: &[(&str, Setting)]) -> SourceSettings {
        SourceSettings {
            id: Id::from("shop"),
            name: "Shop".into(),
            vendor: Vendor::Comm100,
            url: Some(url.into()),
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

    #[test]
    fn derives_hosts_from_the_shard() {
        for (url, base) in [
            ("https://api11.comm100.io/v4", "https://api11.comm100.io/v4"),
            ("https://api11.comm100.io/v4/", "https://api11.comm100.io/v4/"),
            ("https://api15.comm100.io", "https://api15.comm100.io/v4"),
            ("https://dash99.comm100.io/frontend/?x", ""),
            ("https://dash99.comm100.io/frontend", "https://api99.comm100.io/v4"),
            ("http://127.0.0.1:8080/v4", "http://127.0.0.1:8080/v4"),
        ] {
            let read = read(&settings(url, &[("site_id", Setting::Int(1)), ("email", text("a@b"))]));
            match read {
                Ok(config) => assert_eq!(config.base.as_str(), base),
                Err(error) => assert!(base.is_empty(), "{url}: {error}"),
            }
        }
        let keys = [("site_id", Setting::Int(1)), ("username", text("a@b"))];
        match read(&settings("https://api11.comm100.io/v4", &keys)).unwrap().identity {
            Identity::Password(grant) => {
                assert_eq!(grant.token_url.as_str(), "https://dash11.comm100.io/oauth/token");
            }
            Identity::Key { .. } => panic!("a password was meant"),
        }
    }

    #[test]
    fn every_mistake_names_its_key_and_the_fix() {
        let site = ("site_id", Setting::Int(10000));
        let mail = ("email", text("a@b"));
        let good = "http://127.0.0.1:1/v4";
        for (url, keys, key) in [
            ("", vec![site.clone(), mail.clone()], "url"),
            ("api11.comm100.io", vec![site.clone(), mail.clone()], "url"),
            ("http://api11.comm100.io/v4", vec![site.clone(), mail.clone()], "url"),
            ("https://u:p@api11.comm100.io/v4", vec![site.clone(), mail.clone()], "url"),
            (good, vec![mail.clone()], "site_id"),
            (good, vec![("site_id", text("10000")), mail.clone()], "site_id"),
            (good, vec![("site_id", Setting::Int(0)), mail.clone()], "site_id"),
            (good, vec![site.clone()], "email"),
            (good, vec![site.clone(), mail.clone(), ("username", text("a"))], "username"),
            (good, vec![site.clone(), mail.clone(), ("client_id", text("a"))], "client_id"),
            (good, vec![site.clone(), ("username", text("a"))], "token_url"),
            (good, vec![site.clone(), ("username", text("a")), ("token_url", text("ftp://x"))], "token_url"),
            (good, vec![site.clone(), mail.clone(), ("siteid", Setting::Int(1))], "siteid"),
        ] {
            let error = read(&settings(url, &keys)).err().expect("must be refused");
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(error.sentence.contains(&format!("`{key}`")), "{error}");
        }
    }

    #[test]
    fn many_pages_of_agents_are_asked_for_less_often() {
        let (calls, per) = (100, Duration::from_secs(300));
        for poll in [None, Some(Duration::from_secs(10))] {
            let plans = plans(poll);
            let page = time_per_page(&plans, calls, per);
            // One or two pages fit at the usual pace, ten do not.
            assert!(page * 2 <= plans[crate::comm100::AGENTS].every, "{page:?}");
            assert!(page * 10 > plans[crate::comm100::AGENTS].every, "{page:?}");
        }
    }

    #[test]
    fn d14_never_faster_than_ten_seconds() {
        let plans = plans(Some(Duration::from_secs(1)));
        let seconds: Vec<u64> = plans.iter().map(|plan| plan.every.as_secs()).collect();
        assert_eq!(seconds, [10, 10, 20, 80, 600, 600]);
    }
}
