//! From the file's text to [`Settings`].

use std::{collections::BTreeSet, path::Path, sync::Arc};

use engine::alerts::{Channel, Rule, RuleError, Rulebook};
use toml_edit::{Document, Item, TableLike};

use super::{
    Settings, SettingsError, Webhook, WebhookShape, duration, rules, source,
    table::{Page, Table},
    taste,
};
use crate::api::Preferences;

const TOP: &[&str] =
    &["source", "alert", "group", "hours", "webhook", "targets", "preferences", "default_alerts"];

/// A configuration is written by hand; anything larger is not one.
const LARGEST: usize = 4 << 20;

pub(super) fn parse(file: &Path, text: &str) -> Result<Settings, SettingsError> {
    let page = Page { file, text };
    if text.len() > LARGEST {
        return Err(page.error(
            None,
            None,
            "is larger than 4 MiB and surely not a configuration; check the path",
        ));
    }
    let document = Document::parse(text).map_err(|error| {
        let what = error.message().lines().next().unwrap_or("cannot be understood").to_owned();
        page.error(error.span(), None, format!("is not valid TOML here: {what}"))
    })?;
    let top = Table { page, table: document.as_table(), span: None };
    top.only(TOP)?;

    let mut sources = Vec::new();
    let mut ids = BTreeSet::new();
    for (table, span) in tables(&top, "source")? {
        let table = Table { page, table, span };
        let settings = source::read(&table)?;
        if !ids.insert(settings.id.clone()) {
            return Err(
                table.error("id", format!("`{}` is taken by an earlier source; choose another", settings.id))
            );
        }
        sources.push(settings);
    }
    let preferences = match top.table.get("preferences") {
        None => Preferences::default(),
        Some(item) => read_preferences(&one_table(&top, "preferences", item)?)?,
    };
    let text = rules::read(&top, &sources)?;
    let (book, mut errors) =
        Rulebook::compile(&text.rules, &text.groups, &text.hours, text.targets, text.defaults.clone());
    errors.extend(text.faults.iter().cloned());
    let webhooks = webhooks(&top)?;
    errors.extend(book.rules().iter().flat_map(|rule| strangers(rule, &webhooks)));
    let mut errors: Vec<(String, RuleError)> =
        errors.into_iter().map(|error| (rules::called(&top, &error), error)).collect();
    for (_, error) in &mut errors {
        error.position = rules::line_of(&top, error);
    }
    errors.sort_by_key(|(_, error)| error.position.0);
    Ok(Settings {
        sources,
        preferences,
        webhooks,
        rules: Arc::new(book),
        rule_text: Arc::new(text),
        rule_errors: errors.iter().map(|(called, error)| rule_sentence(file, called, error)).collect(),
    })
}

type Span = Option<std::ops::Range<usize>>;

/// The entries of an array of tables (`[[name]]`, or `name = [{…}]`).
pub(super) fn tables<'a>(
    top: &Table<'a>,
    key: &str,
) -> Result<Vec<(&'a dyn TableLike, Span)>, SettingsError> {
    match top.table.get(key) {
        None | Some(Item::None) => Ok(Vec::new()),
        Some(Item::ArrayOfTables(list)) => Ok(list.iter().map(|t| (t as &dyn TableLike, t.span())).collect()),
        Some(Item::Value(toml_edit::Value::Array(list))) if list.iter().all(|v| v.is_inline_table()) => {
            Ok(list
                .iter()
                .filter_map(|v| v.as_inline_table().map(|t| (t as &dyn TableLike, t.span())))
                .collect())
        }
        Some(_) => Err(top.error(key, format!("must be written as `[[{key}]]`"))),
    }
}

/// A single table (`[name]`, or `name = {…}`).
pub(super) fn one_table<'a>(top: &Table<'a>, key: &str, item: &'a Item) -> Result<Table<'a>, SettingsError> {
    match item.as_table_like() {
        Some(table) => Ok(Table { page: top.page, table, span: top.place(key) }),
        None => Err(top.error(key, format!("must be written as `[{key}]`"))),
    }
}

const PREFERENCES: &[&str] = &[
    "theme",
    "density",
    "language",
    "zone",
    "sound",
    "sound_tones",
    "sound_volume",
    "mute",
    "shift_ends",
    "close_to_tray",
    "retention",
    "retention_days",
    "hide_empty_personal",
];

fn read_preferences(table: &Table<'_>) -> Result<Preferences, SettingsError> {
    table.only(PREFERENCES)?;
    let mut preferences = Preferences::default();
    let choice = |key: &str, slot: &mut String, options: &[&str]| -> Result<(), SettingsError> {
        if let Some(text) = table.text(key)? {
            if !options.contains(&text.as_str()) {
                return Err(table.error(key, format!("must be one of {}", options.join(", "))));
            }
            *slot = text;
        }
        Ok(())
    };
    choice("theme", &mut preferences.theme, &["system", "light", "dark"])?;
    choice("density", &mut preferences.density, &["compact", "normal", "roomy"])?;
    choice("language", &mut preferences.language, &["system", "en", "de", "es", "fr"])?;
    choice("sound", &mut preferences.sound, &["off", "critical", "all", "one", "two"])?;
    // "one" and "two" say both things at once: every alert sounds, with so many tones.
    if matches!(preferences.sound.as_str(), "one" | "two") {
        preferences.sound_tones = std::mem::replace(&mut preferences.sound, "all".to_owned());
    }
    choice("sound_tones", &mut preferences.sound_tones, &["one", "two"])?;
    if let Some(zone) = table.text("zone")? {
        preferences.zone = zone;
        taste::zone(&preferences).map_err(|what| table.error("zone", what))?;
    }
    if let Some(volume) = table.number("sound_volume")? {
        if !(0.0..=100.0).contains(&volume) || volume.fract() != 0.0 {
            return Err(table.error("sound_volume", "must be a whole number from 0 to 100"));
        }
        preferences.sound_volume = volume as u32;
    }
    if let Some(mute) = table.texts("mute")? {
        preferences.mute = mute;
        taste::mute(&preferences).map_err(|what| table.error("mute", what))?;
    }
    if let Some(ends) = table.texts("shift_ends")? {
        preferences.shift_ends = ends;
        taste::shift_ends(&preferences).map_err(|what| table.error("shift_ends", what))?;
    }
    if let Some(flag) = table.flag("close_to_tray")? {
        preferences.close_to_tray = flag;
    }
    if let Some(flag) = table.flag("hide_empty_personal")? {
        preferences.hide_empty_personal = flag;
    }
    if let Some(days) = table.number("retention_days")? {
        if !(1.0..=3650.0).contains(&days) || days.fract() != 0.0 {
            return Err(table.error("retention_days", "must be a whole number from 1 to 3650"));
        }
        preferences.retention_days = days as u32;
    }
    // The same as a duration: "90d".
    if let Some(text) = table.text("retention")? {
        let days = duration::parse(&text).map_or(0, |span| span.as_secs() / 86_400);
        if !(1..=3650).contains(&days) {
            return Err(table.error("retention", "must be from 1 to 3650 days, like \"90d\""));
        }
        preferences.retention_days = days as u32;
    }
    Ok(preferences)
}

fn webhooks(top: &Table<'_>) -> Result<Vec<Webhook>, SettingsError> {
    let mut hooks: Vec<Webhook> = Vec::new();
    for (table, span) in tables(top, "webhook")? {
        let table = Table { page: top.page, table, span };
        table.only(&["name", "url", "shape", "secret_env"])?;
        let name = table.required_text("name")?;
        if hooks.iter().any(|h| h.name == name) {
            return Err(
                table.error("name", format!("`{name}` is taken by an earlier webhook; choose another"))
            );
        }
        let url = table.text("url")?;
        if let Some(url) = &url {
            source::address(url).map_err(|what| table.error("url", what))?;
        }
        let shape = match table.text("shape")?.as_deref() {
            None | Some("json") => WebhookShape::Json,
            Some("slack") => WebhookShape::Slack,
            Some("teams") => WebhookShape::Teams,
            Some(_) => return Err(table.error("shape", "must be one of json, slack, teams")),
        };
        hooks.push(Webhook { name, url, shape, secret_env: table.text("secret_env")? });
    }
    Ok(hooks)
}

/// Webhooks that a rule names and nobody configured. The rule stays active for its other channels.
pub(super) fn strangers(rule: &Rule, webhooks: &[Webhook]) -> Vec<RuleError> {
    let named = rule.notify().iter().filter_map(|channel| match channel {
        Channel::Webhook(name) => Some(name),
        _ => None,
    });
    named
        .filter(|name| !webhooks.iter().any(|hook| hook.name == **name))
        .map(|name| {
            let sentence = format!("there is no [[webhook]] named `{name}`; add one, or take it out");
            let text = format!("webhook:{name}");
            RuleError::about(rule.name(), rule.spec().position, "notify", &text, sentence)
        })
        .collect()
}

/// File, line, rule, key, sentence; and where there is a text, the text with carets under the place.
fn rule_sentence(file: &Path, called: &str, error: &RuleError) -> String {
    let line = match error.position.0 {
        0 => String::new(),
        line => format!(", line {line}"),
    };
    let mut sentence =
        format!("{}{line}, {called}, key `{}`: {}", file.display(), error.field, error.sentence);
    if !error.caret.is_empty() {
        sentence.push('\n');
        sentence.push_str(&error.caret);
    }
    sentence
}
