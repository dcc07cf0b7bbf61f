//! One `[[source]]`: the common keys here, the vendor's own keys by the vendor's folder.

use std::{collections::BTreeMap, path::Path, time::Duration};

use model::{Id, Vendor};
use toml_edit::Value;
use url::{Host, Url};
use vendors::{Setting, SourceSettings, registry};

use super::{
    SettingsError, duration,
    table::{Table, unknown},
};

/// Keys that every vendor has.
pub(super) const COMMON: &[&str] =
    &["id", "name", "vendor", "url", "enabled", "ca_file", "proxy", "poll", "secret_env", "console_url"];

/// Nobody needs a figure more often than this, and no vendor likes it.
const FASTEST_POLL: Duration = Duration::from_secs(1);
const SLOWEST_POLL: Duration = Duration::from_secs(3600);

pub(super) fn read(table: &Table<'_>) -> Result<SourceSettings, SettingsError> {
    let id = table.required_text("id")?;
    if !is_id(&id) {
        return Err(table.error("id", "must be 1 to 32 of a-z, 0-9 and -, like `helpdesk`"));
    }
    let vendor_name = table.required_text("vendor")?;
    let vendor = Vendor::parse(&vendor_name).ok_or_else(|| {
        let names: Vec<&str> = Vendor::ALL.iter().map(|v| v.as_str()).collect();
        table.error(
            "vendor",
            format!("`{}` is not a vendor; use one of {}", shorten(&vendor_name), names.join(", ")),
        )
    })?;
    let poll = match table.text("poll")? {
        None => None,
        Some(text) => match duration::parse(&text) {
            Some(d) if (FASTEST_POLL..=SLOWEST_POLL).contains(&d) => Some(d),
            Some(_) => return Err(table.error("poll", "must lie between 1s and 1h")),
            None => return Err(table.error("poll", "is not a duration; write it like \"5s\" or \"1m30s\"")),
        },
    };
    let url = table.text("url")?;
    if let Some(url) = &url {
        address(url).map_err(|what| table.error("url", what))?;
    }
    let proxy = table.text("proxy")?;
    let secret_env = table.text("secret_env")?;
    if let Some(name) = &secret_env
        && !is_variable(name)
    {
        return Err(
            table.error("secret_env", "must be the name of an environment variable, like `HELPDESK_SECRET`")
        );
    }
    let folder = table.page.file.parent().unwrap_or(Path::new(""));
    let settings = SourceSettings {
        name: table.text("name")?.filter(|n| !n.trim().is_empty()).unwrap_or_else(|| id.clone()),
        id: Id::from(id),
        vendor,
        url,
        enabled: table.flag("enabled")?.unwrap_or(true),
        ca_file: table.text("ca_file")?.map(|file| folder.join(file)),
        proxy,
        poll,
        secret_env,
        console_url: table.text("console_url")?,
        keys: own_keys(table)?,
    };
    check(&settings).map_err(|(key, what)| match key {
        Some(key) => table.error(&key, what),
        None => table.page.error(table.span.clone(), None, what),
    })?;
    Ok(settings)
}

/// Lets the vendor's folder look at its keys, without touching the network.
pub(crate) fn check(settings: &SourceSettings) -> Result<(), (Option<String>, String)> {
    let Some(registered) = registry::find(settings.vendor) else {
        return Err((
            Some("vendor".to_owned()),
            format!("`{}` is not built into this version; leave this source out", settings.vendor.as_str()),
        ));
    };
    if let Some(file) = &settings.ca_file
        && !file.is_file()
    {
        return Err((
            Some("ca_file".to_owned()),
            "names a file that is not there; check the path".to_owned(),
        ));
    }
    let address_keys = [
        ("proxy", settings.proxy.as_deref().map(proxy_address)),
        ("console_url", settings.console_url.as_deref().map(console_template)),
    ];
    for (key, checked) in address_keys {
        checked.unwrap_or(Ok(())).map_err(|what| (Some(key.to_owned()), what))?;
    }
    let own: Vec<&str> = registered.spec.fields.iter().map(|f| f.key).collect();
    if let Some(key) = settings.keys.keys().find(|k| !own.contains(&k.as_str())) {
        let known: Vec<&str> =
            COMMON.iter().copied().chain(own.into_iter().filter(|key| !COMMON.contains(key))).collect();
        return Err((Some(key.clone()), unknown(key, &known)));
    }
    match (registered.build)(settings) {
        Ok(_) => Ok(()),
        Err(error) => Err((error.key, error.sentence)),
    }
}

fn own_keys(table: &Table<'_>) -> Result<BTreeMap<String, Setting>, SettingsError> {
    let mut keys = BTreeMap::new();
    for key in table.keys() {
        if COMMON.contains(&key.as_str()) {
            continue;
        }
        let Some(value) = table.value(&key)? else { continue };
        let setting = match value {
            Value::String(s) => Setting::Text(s.value().clone()),
            Value::Integer(n) => Setting::Int(*n.value()),
            Value::Boolean(b) => Setting::Bool(*b.value()),
            Value::Array(_) => Setting::List(table.texts(&key)?.unwrap_or_default()),
            _ => {
                return Err(
                    table.error(&key, "must be text, a whole number, true or false, or a list of texts")
                );
            }
        };
        keys.insert(key, setting);
    }
    Ok(keys)
}

pub(crate) fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.as_bytes()[0].is_ascii_digit()
}

/// An address of a vendor: secure, or loopback; without a user or password in it.
pub(super) fn address(text: &str) -> Result<(), String> {
    let url = Url::parse(text)
        .map_err(|_| "is not an address; write it like \"https://support.example.com\"".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or password; secrets go to the keychain".to_owned());
    }
    match url.scheme() {
        "https" | "wss" => {}
        "http" | "ws" if is_loopback(&url) => {}
        "http" | "ws" => {
            return Err(
                "must be https:// (or wss://); plain addresses are accepted on this machine only".to_owned()
            );
        }
        _ => return Err("must begin with https:// (or wss://)".to_owned()),
    }
    if url.host_str().is_none_or(str::is_empty) { Err("names no host".to_owned()) } else { Ok(()) }
}

fn proxy_address(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err("is not an address; write it like \"http://proxy.example.com:3128\"".to_owned()),
    }
}

/// The address of a vendor's console, with places for what is to be shown there.
fn console_template(text: &str) -> Result<(), String> {
    let filled =
        ["{queue}", "{agent}", "{conversation}"].iter().fold(text.to_owned(), |t, p| t.replace(p, "1"));
    if filled.contains(['{', '}']) {
        return Err(
            "has a place that is not known; the places are {queue}, {agent} and {conversation}".to_owned()
        );
    }
    address(&filled)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// At most a few words of somebody's text in our sentence.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
