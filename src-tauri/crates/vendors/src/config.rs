//! What a source's configuration looks like before a vendor has understood it, and how a vendor
//! describes its own keys. The add form of the app is generated from [`VendorSpec`].

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use model::{Id, Origin, Vendor};
use serde::Serialize;

/// One value of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// One `[[source]]`, its common keys checked, the vendor's own keys still raw in `keys`.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// `[a-z0-9-]{1,32}`, unique.
    pub id: Id,
    /// The user's name for it.
    pub name: String,
    /// Which system.
    pub vendor: Vendor,
    /// The main address; `None` where the vendor's default holds.
    pub url: Option<String>,
    /// Whether it is on.
    pub enabled: bool,
    /// Extra trusted root, already resolved against the configuration's folder.
    pub ca_file: Option<PathBuf>,
    /// Proxy address; `None`: the system's.
    pub proxy: Option<String>,
    /// Shortest interval of the fastest polled endpoint.
    pub poll: Option<Duration>,
    /// Name of the environment variable that holds the secret; `None`: the keychain.
    pub secret_env: Option<String>,
    /// Template for "open in the vendor's console".
    pub console_url: Option<String>,
    /// The vendor's own keys.
    pub keys: BTreeMap<String, Setting>,
}

impl SourceSettings {
    /// A text key of the vendor; `Ok(None)` when absent.
    pub fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Setting::Text(text)) => Ok(Some(text)),
            Some(_) => Err(ConfigError::at(key, format!("`{key}` must be text in quotes"))),
        }
    }
    /// A text key that must be there and not empty.
    pub fn required_text(&self, key: &str) -> Result<&str, ConfigError> {
        match self.text(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(ConfigError::at(key, format!("`{key}` is missing; add it to this source"))),
        }
    }
    /// A whole number of the vendor; `Ok(None)` when absent.
    pub fn int(&self, key: &str) -> Result<Option<i64>, ConfigError> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Setting::Int(value)) => Ok(Some(*value)),
            Some(_) => Err(ConfigError::at(key, format!("`{key}` must be a whole number without quotes"))),
        }
    }
    /// A yes or no of the vendor; `Ok(None)` when absent.
    pub fn yes(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Setting::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(ConfigError::at(key, format!("`{key}` must be true or false"))),
        }
    }
    /// A list of texts of the vendor; `Ok(None)` when absent.
    pub fn list(&self, key: &str) -> Result<Option<&[String]>, ConfigError> {
        match self.keys.get(key) {
            None => Ok(None),
            Some(Setting::List(value)) => Ok(Some(value)),
            Some(_) => Err(ConfigError::at(key, format!("`{key}` must be a list of texts: [\"a\", \"b\"]"))),
        }
    }
    /// Refuses keys that the vendor does not have.
    pub fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.keys.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ConfigError::at(
                key,
                format!(
                    "`{key}` is no key of a {} source; take it out, or use one of: {}",
                    self.vendor.as_str(),
                    known.join(", ")
                ),
            )),
        }
    }
}

/// A vendor's word on a configuration that cannot work. `app` adds file and line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct ConfigError {
    /// The key to look at; `None` when the source as a whole is wrong.
    pub key: Option<String>,
    /// One plain sentence with the fix.
    pub sentence: String,
}

impl ConfigError {
    /// About one key.
    pub fn at(key: &str, sentence: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), sentence: sentence.into() }
    }
}

/// What a form field takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// An address.
    Url,
    /// A whole number.
    Int,
    /// Yes or no.
    Bool,
    /// Several texts.
    List,
    /// One of these.
    Choice {
        /// The values that the configuration takes.
        options: &'static [&'static str],
    },
}

/// One field of a vendor's add form: the key in the configuration and what a person must know.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct FieldSpec {
    /// Key in the configuration.
    pub key: &'static str,
    /// Label in the form.
    pub label: &'static str,
    /// Where to find the value.
    pub help: &'static str,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether the source cannot work without it.
    pub required: bool,
    /// The value when left out.
    pub default: Option<&'static str>,
    /// An obviously fake example.
    pub example: &'static str,
}

/// What a vendor's folder says of itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct VendorSpec {
    /// Which system.
    pub vendor: Vendor,
    /// The product's name.
    pub title: &'static str,
    /// At most two letters for the badge beside every row.
    pub badge: &'static str,
    /// How data comes: `push` or `poll`.
    pub mode: &'static str,
    /// One sentence: what the supervisor will see from it.
    pub about: &'static str,
    /// The permission to ask the vendor's administrator for.
    pub permission: &'static str,
    /// The fields, `url` first; common keys (`id`, `name`, `ca_file` …) are not listed.
    pub fields: &'static [FieldSpec],
    /// What the secret is called there.
    pub secret_label: &'static str,
    /// Where to find the secret.
    pub secret_help: &'static str,
    /// What the user must agree to before connecting; `None` when connecting changes nothing for people.
    pub consent: Option<&'static str>,
    /// What it can tell: `queue.waiting` → origin; windowed as `queue.abandoned@30m`.
    pub provides: &'static [(&'static str, Origin)],
}
