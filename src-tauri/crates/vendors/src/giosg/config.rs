//! giosg's keys: what they mean, where to find them, and what is wrong with them.

use std::time::Duration;

use link::poll::{Plan, pace};
use model::{Origin, Vendor};
use url::Url;

use crate::{ConfigError, FieldKind, FieldSpec, SourceSettings, VendorSpec};

/// Where giosg is.
const HOME: &str = "https://service.giosg.com";

/// giosg's description of itself.
pub static SPEC: VendorSpec = VendorSpec {
    vendor: Vendor::Giosg,
    title: "giosg",
    badge: "G",
    mode: "poll",
    about: "Rooms with open and waiting chats, their waits and the figures of today, and operators with their load.",
    permission: "The permission Reporting for the user whose token it is.",
    fields: &[
        FieldSpec {
            key: "url",
            label: "Address",
            help: "Leave it as it is unless giosg told you another one.",
            kind: FieldKind::Url,
            required: false,
            default: Some(HOME),
            example: HOME,
        },
        FieldSpec {
            key: "timezone",
            label: "Time zone of the day",
            help: "Name of the zone in which giosg counts today; left out: this computer's.",
            kind: FieldKind::Text,
            required: false,
            default: None,
            example: "Europe/Helsinki",
        },
        FieldSpec {
            key: "include_shared",
            label: "Shared rooms, too",
            help: "Also shows rooms that partners share with your organization.",
            kind: FieldKind::Bool,
            required: false,
            default: Some("false"),
            example: "true",
        },
        FieldSpec {
            key: "rooms",
            label: "Only these rooms",
            help: "Ids of rooms; left out: all that the token's user may see.",
            kind: FieldKind::List,
            required: false,
            default: None,
            example: "e6a850ca-e1d3-11e4-9706-38b1dbe48b5b",
        },
        FieldSpec {
            key: "scheme",
            label: "Kind of token",
            help: "`token` for an API token of the console, `bearer` for an OAuth access token.",
            kind: FieldKind::Choice { options: &["token", "bearer"] },
            required: false,
            default: Some("token"),
            example: "token",
        },
    ],
    secret_label: "API token",
    secret_help: "Console: Settings, Company, Access tokens. Best of a user made for it, with the permission Reporting.",
    consent: None,
    provides: &[
        ("queue.waiting", Origin::Reported),
        ("queue.waiting_since", Origin::Derived),
        ("queue.average_wait_s", Origin::Reported),
        ("queue.open", Origin::Reported),
        ("queue.capacity", Origin::Derived),
        ("queue.free_capacity", Origin::Reported),
        ("queue.agents_online", Origin::Derived),
        ("queue.agents_available", Origin::Derived),
        ("queue.missed@today", Origin::Reported),
        ("queue.handled@today", Origin::Reported),
        ("queue.visitors@now", Origin::Reported),
        ("queue.average_wait@today", Origin::Reported),
        ("queue.longest_wait@today", Origin::Reported),
        ("agent.email", Origin::Reported),
        ("agent.presence", Origin::Derived),
        ("agent.presence_since", Origin::Observed),
        ("agent.open", Origin::Reported),
        ("agent.capacity", Origin::Derived),
        ("agent.free_capacity", Origin::Reported),
        ("agent.queues", Origin::Reported),
        ("total.waiting@now", Origin::Derived),
        ("total.open@now", Origin::Derived),
        ("total.visitors@now", Origin::Derived),
        ("total.agents_online@now", Origin::Derived),
        ("total.free_agents@now", Origin::Derived),
        ("total.handled@today", Origin::Derived),
        ("total.missed@today", Origin::Derived),
    ],
};

/// Rooms, users, exact waits and look-ups together stay below a request a second at this pace.
const FLOOR: Duration = Duration::from_millis(2500);

/// What is asked, in the order of the endpoint numbers of this folder.
pub fn plans(poll: Option<Duration>) -> Vec<Plan> {
    let usual = [Plan::of("rooms", 10), Plan::of("users", 15), Plan::look_up("lookups", 600)];
    pace(&usual, poll, FLOOR)
}

/// giosg's part of a source, checked.
pub struct Config {
    /// The service's address.
    pub base: Url,
    /// The word before the token.
    pub scheme: &'static str,
    /// Name of the zone in which today is counted; `None`: not known, giosg takes UTC.
    pub timezone: Option<String>,
    /// Whether rooms shared by partners are shown.
    pub include_shared: bool,
    /// Only these rooms; empty: all.
    pub rooms: Vec<String>,
}

/// Checks the keys of one source.
pub fn read(settings: &SourceSettings) -> Result<Config, ConfigError> {
    settings.only(&["timezone", "include_shared", "rooms", "scheme"])?;
    let scheme = match settings.text("scheme")?.unwrap_or("token") {
        "token" => "Token",
        "bearer" => "Bearer",
        _ => return Err(ConfigError::at("scheme", "`scheme` must be \"token\" or \"bearer\"")),
    };
    let timezone = match settings.text("timezone")?.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) if is_zone_like(name) => Some(name.to_owned()),
        Some(_) => {
            return Err(ConfigError::at(
                "timezone",
                "`timezone` is not the name of a time zone; write it like \"Europe/Helsinki\"",
            ));
        }
        None => own_zone(),
    };
    let rooms: Vec<String> = settings.list("rooms")?.unwrap_or_default().to_vec();
    if rooms
        .iter()
        .any(|room| room.is_empty() || !room.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    {
        return Err(ConfigError::at(
            "rooms",
            "`rooms` must be ids of rooms, letters, digits and hyphens only",
        ));
    }
    let include_shared = settings.yes("include_shared")?.unwrap_or(false);
    Ok(Config { base: base(settings.url.as_deref())?, scheme, timezone, include_shared, rooms })
}

/// Whether this may be the name of a zone. Which names there are giosg knows better than this computer: one
/// that only looks like a name is sent, and refused there.
fn is_zone_like(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+'))
}

/// This computer's zone; `None` where it cannot be told, and then giosg takes UTC.
fn own_zone() -> Option<String> {
    let zone = jiff::tz::TimeZone::system();
    zone.iana_name().filter(|_| !zone.is_unknown()).map(str::to_owned)
}

impl Config {
    /// Whether the zone's name is known on this computer, too; without a name there is nothing to doubt.
    pub fn zone_is_known(&self) -> bool {
        self.timezone.as_deref().is_none_or(|name| jiff::tz::TimeZone::get(name).is_ok())
    }
}

fn base(text: Option<&str>) -> Result<Url, ConfigError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(HOME);
    let wrong = |what: &str| ConfigError::at("url", format!("`url` {what}"));
    let url = Url::parse(text)
        .map_err(|_| wrong("is no address; leave it out or write it with https:// in front"))?;
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
    use crate::Setting;

    fn settings(url: Option<&str>, keys: &[(&str, Setting)]) -> SourceSettings {
        SourceSettings {
            id: "rooms".into(),
            name: "Rooms".into(),
            vendor: Vendor::Giosg,
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

    #[test]
    fn everything_has_a_default() {
        let config = read(&settings(None, &[])).unwrap();
        assert_eq!((config.base.as_str(), config.scheme), ("https://service.giosg.com/", "Token"));
        assert!(!config.include_shared && config.rooms.is_empty());
        let keys = [("timezone", text("Europe/Helsinki")), ("scheme", text("bearer"))];
        let config = read(&settings(Some("http://127.0.0.1:1"), &keys)).unwrap();
        assert_eq!((config.timezone.as_deref(), config.scheme), (Some("Europe/Helsinki"), "Bearer"));
    }

    #[test]
    fn d13_a_zone_that_only_looks_like_one_is_sent_and_doubted() {
        let zone = |name: &str| read(&settings(None, &[("timezone", text(name))])).unwrap();
        assert!(zone("Europe/Helsinki").zone_is_known() && zone("UTC").zone_is_known());
        assert!(!zone("Mars/Olympus").zone_is_known());
        assert_eq!(zone("Mars/Olympus").timezone.as_deref(), Some("Mars/Olympus"));
        let own = read(&settings(None, &[])).unwrap();
        assert!(own.zone_is_known() && own.timezone.as_deref() != Some("Etc/Unknown"));
    }

    #[test]
    fn every_mistake_names_its_key_and_the_fix() {
        for (url, keys, key) in [
            (Some("service.giosg.com"), vec![], "url"),
            (Some("http://service.giosg.com"), vec![], "url"),
            (Some("https://service.giosg.com/?token=x"), vec![], "url"),
            (None, vec![("timezone", text("+02:00"))], "timezone"),
            (None, vec![("timezone", text("Europe/Helsinki&room_id=x"))], "timezone"),
            (None, vec![("scheme", text("Token"))], "scheme"),
            (None, vec![("rooms", text("a"))], "rooms"),
            (None, vec![("rooms", Setting::List(vec!["a,b".into()]))], "rooms"),
            (None, vec![("include_shared", text("yes"))], "include_shared"),
            (None, vec![("token", text("fake"))], "token"),
        ] {
            let error = read(&settings(url, &keys)).err().expect("must be refused");
            assert_eq!(error.key.as_deref(), Some(key), "{error}");
            assert!(!error.sentence.contains("fake"), "{error}");
        }
    }

    #[test]
    fn the_ceiling_of_sixty_a_minute_is_kept_at_the_fastest() {
        let plans = plans(Some(Duration::from_millis(100)));
        // An interval may be a tenth shorter, and the look-ups of a start are four.
        let polls: f64 = plans.iter().map(|plan| 60.0 / (0.9 * plan.every.as_secs_f64())).sum();
        let per_minute = polls + f64::from(crate::giosg::rest::EXTRAS) + 4.0;
        assert!(per_minute <= 60.0, "{per_minute}");
    }
}
