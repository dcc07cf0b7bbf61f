//! Changing the file from the app: comments and order survive; written whole, synced, renamed.

use std::{fs, io::Write, path::Path};

use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value, value};

use crate::api::{FormValue, Preferences, SourceForm};

/// Why the file could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file on disk is not valid any more.
    #[error("{0} is not valid TOML any more; mend it by hand first")]
    Broken(String),
    /// The rules stand in one value, not as `[[alert]]`.
    #[error("{0} has its rules in one value; write each as [[alert]] to change them here")]
    Inline(String),
    /// It could not be read or written.
    #[error("{file} cannot be written ({cause}); check the folder's permissions and free space")]
    Io {
        /// The file.
        file: String,
        /// The system's word.
        cause: std::io::Error,
    },
}

/// Writes a source: in place of the one with the id `replaces`, else at the end.
pub fn write_source(file: &Path, form: &SourceForm, replaces: Option<&str>) -> Result<(), EditError> {
    change(file, |document| {
        let list = document.entry("source").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(list) = list.as_array_of_tables_mut() else { return };
        let wanted = replaces.unwrap_or(&form.id);
        let found = list.iter().position(|t| t.get("id").and_then(Item::as_str) == Some(wanted));
        match found.and_then(|at| list.get_mut(at)) {
            Some(table) => fill(table, form),
            None => {
                let mut table = Table::new();
                fill(&mut table, form);
                list.push(table);
            }
        }
    })
}

/// Takes a source away; fine when it is not there.
pub fn remove_source(file: &Path, id: &str) -> Result<(), EditError> {
    change(file, |document| {
        let Some(list) = document.get_mut("source").and_then(Item::as_array_of_tables_mut) else { return };
        let found = list.iter().position(|t| t.get("id").and_then(Item::as_str) == Some(id));
        if let Some(at) = found {
            list.remove(at);
        }
    })
}

/// Writes the user's taste; keys that stand at their default and are not in the file stay out of it.
pub fn set_preferences(file: &Path, preferences: &Preferences) -> Result<(), EditError> {
    let default = Preferences::default();
    change(file, |document| {
        let item = document.entry("preferences").or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = item.as_table_mut() else { return };
        // Said once: as days.
        table.remove("retention");
        let mut put = |key: &str, now: Value, usual: bool| {
            if !usual || table.contains_key(key) {
                set(table, key, now);
            }
        };
        put("theme", preferences.theme.as_str().into(), preferences.theme == default.theme);
        put("density", preferences.density.as_str().into(), preferences.density == default.density);
        put("language", preferences.language.as_str().into(), preferences.language == default.language);
        put("zone", preferences.zone.as_str().into(), preferences.zone == default.zone);
        put("sound", preferences.sound.as_str().into(), preferences.sound == default.sound);
        let tones = preferences.sound_tones.as_str();
        put("sound_tones", tones.into(), tones == default.sound_tones);
        let volume = preferences.sound_volume;
        put("sound_volume", i64::from(volume).into(), volume == default.sound_volume);
        let list = |texts: &[String]| Value::Array(texts.iter().collect::<Array>());
        put("mute", list(&preferences.mute), preferences.mute == default.mute);
        put("shift_ends", list(&preferences.shift_ends), preferences.shift_ends == default.shift_ends);
        put(
            "close_to_tray",
            preferences.close_to_tray.into(),
            preferences.close_to_tray == default.close_to_tray,
        );
        put(
            "retention_days",
            i64::from(preferences.retention_days).into(),
            preferences.retention_days == default.retention_days,
        );
        put(
            "hide_empty_personal",
            preferences.hide_empty_personal.into(),
            preferences.hide_empty_personal == default.hide_empty_personal,
        );
    })
}

/// A document that holds only this source: what the file would say.
pub(super) fn page_of(form: &SourceForm) -> String {
    let mut document = DocumentMut::new();
    let mut table = Table::new();
    fill(&mut table, form);
    let mut list = ArrayOfTables::new();
    list.push(table);
    document.insert("source", Item::ArrayOfTables(list));
    document.to_string()
}

fn fill(table: &mut Table, form: &SourceForm) {
    set(table, "id", form.id.as_str().into());
    set(table, "name", form.name.as_str().into());
    set(table, "vendor", form.vendor.as_str().into());
    optional(table, "url", form.url.as_deref());
    if form.enabled && !table.contains_key("enabled") {
        // the default stays unsaid
    } else {
        set(table, "enabled", form.enabled.into());
    }
    optional(table, "ca_file", form.ca_file.as_deref());
    optional(table, "proxy", form.proxy.as_deref());
    optional(table, "poll", form.poll.as_deref());
    optional(table, "secret_env", form.secret_env.as_deref());
    optional(table, "console_url", form.console_url.as_deref());
    let stale: Vec<String> = table
        .iter()
        .map(|(key, _)| key.to_owned())
        .filter(|key| !super::source::COMMON.contains(&key.as_str()) && !form.keys.contains_key(key))
        .collect();
    for key in stale {
        table.remove(&key);
    }
    for (key, now) in &form.keys {
        match now {
            FormValue::Text(text) if text.is_empty() => {
                table.remove(key);
            }
            FormValue::Text(text) => set(table, key, text.as_str().into()),
            FormValue::Int(number) => set(table, key, (*number).into()),
            FormValue::Bool(flag) => set(table, key, (*flag).into()),
            FormValue::List(list) => set(table, key, Value::Array(list.iter().collect::<Array>())),
        }
    }
}

/// Replaces a value and keeps the comment behind it.
pub(super) fn set(table: &mut Table, key: &str, now: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = now;
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(key, value(now));
        }
    }
}

fn optional(table: &mut Table, key: &str, now: Option<&str>) {
    match now.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => set(table, key, text.into()),
        None => {
            table.remove(key);
        }
    }
}

/// Reads the file, lets it be changed, writes it whole.
pub(super) fn change<T>(file: &Path, edit: impl FnOnce(&mut DocumentMut) -> T) -> Result<T, EditError> {
    let io = |cause| EditError::Io { file: file.display().to_string(), cause };
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(io(error)),
    };
    let mut document: DocumentMut =
        text.parse().map_err(|_| EditError::Broken(file.display().to_string()))?;
    let done = edit(&mut document);
    replace(file, document.to_string().as_bytes()).map_err(io)?;
    Ok(done)
}

/// Written beside it, synced, renamed: a reader or a crash sees the old file or the new one, whole.
fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // A link to a file elsewhere stays a link.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = folder.join(name);
    let mut out = fs::File::create(&beside)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    drop(out);
    if let Ok(old) = fs::metadata(&file) {
        fs::set_permissions(&beside, old.permissions())?;
    }
    fs::rename(&beside, &file)
}
