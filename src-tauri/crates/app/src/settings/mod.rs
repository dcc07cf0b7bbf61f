//! What the user wants: one TOML file, read whole, checked whole. An error names file, line, key and
//! the fix, and nothing starts; an alert rule that cannot be read is reported and the rest goes on.

mod duration;
mod edit;
pub(crate) mod form;
mod place;
mod read;
pub(crate) mod rule_edit;
mod rule_text;
mod rules;
mod source;
mod table;
pub(crate) mod taste;

use std::path::{Path, PathBuf};

use vendors::SourceSettings;

pub use duration::{parse as parse_duration, print as print_duration};
pub use edit::{EditError, remove_source, set_preferences, write_source};
pub(crate) use place::downloads_dir;
pub use place::{config_path, data_dir};

use crate::api::Preferences;

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct SettingsError {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1; `None` when the file as a whole is meant.
    pub line: Option<usize>,
    /// The key.
    pub key: Option<String>,
    /// What is wrong and what to do.
    pub what: String,
}

impl SettingsError {
    fn sentence(&self) -> String {
        let file = self.file.display();
        match (self.line, &self.key) {
            (Some(line), Some(key)) => format!("{file}, line {line}, key `{key}`: {}", self.what),
            (Some(line), None) => format!("{file}, line {line}: {}", self.what),
            (None, _) => format!("{file}: {}", self.what),
        }
    }
}

/// A configuration that holds together.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The sources, in the order of the file.
    pub sources: Vec<SourceSettings>,
    /// The user's taste.
    pub preferences: Preferences,
    /// Where alerts are told outside the desk.
    pub webhooks: Vec<Webhook>,
    /// Rules, groups, hours and targets, compiled.
    pub rules: std::sync::Arc<engine::alerts::Rulebook>,
    /// What they were compiled from.
    pub(crate) rule_text: std::sync::Arc<rules::RuleText>,
    /// Rules that could not be read, each with a caret under the place.
    pub rule_errors: Vec<String>,
}

/// What a webhook's body looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookShape {
    /// Ours, signed.
    Json,
    /// Slack's.
    Slack,
    /// Teams'.
    Teams,
}

/// One `[[webhook]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Name in rules: `webhook:NAME`.
    pub name: String,
    /// Its address; `None` where the whole address is the secret.
    pub url: Option<String>,
    /// What the body looks like.
    pub shape: WebhookShape,
    /// Variable of the secret; without it the keychain's `webhook:NAME`.
    pub secret_env: Option<String>,
}

/// Whether this may be opened: secure, or on this machine, and without a user or password.
pub(crate) fn is_address(text: &str) -> bool {
    source::address(text).is_ok()
}

/// Reads and checks the file. A file that is not there is an empty configuration.
pub fn load(file: &Path) -> Result<Settings, SettingsError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return read::parse(file, ""),
        Err(error) => {
            return Err(SettingsError {
                file: file.to_owned(),
                line: None,
                key: None,
                what: format!("cannot be read ({error}); check that it is text and that you may read it"),
            });
        }
    };
    read::parse(file, &text)
}

/// The one place that reads the environment: for `secret_env`.
pub(crate) fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

#[cfg(test)]
mod tests;
