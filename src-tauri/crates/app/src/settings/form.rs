//! Between the app's form and a checked source.

use std::path::Path;

use vendors::{Setting, SourceSettings};

use super::{SettingsError, load, print_duration, read, source};
use crate::api::{Code, Failure, FormValue, SourceForm};

/// The form of a configured source.
pub(crate) fn of(settings: &SourceSettings, file: &Path) -> SourceForm {
    let folder = file.parent().unwrap_or(Path::new(""));
    SourceForm {
        id: settings.id.to_string(),
        name: settings.name.clone(),
        vendor: settings.vendor,
        enabled: settings.enabled,
        url: settings.url.clone(),
        ca_file: settings
            .ca_file
            .as_ref()
            .map(|ca| ca.strip_prefix(folder).unwrap_or(ca).display().to_string()),
        proxy: settings.proxy.clone(),
        poll: settings.poll.map(print_duration),
        secret_env: settings.secret_env.clone(),
        console_url: settings.console_url.clone(),
        keys: settings
            .keys
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Setting::Text(text) => FormValue::Text(text.clone()),
                    Setting::Int(number) => FormValue::Int(*number),
                    Setting::Bool(flag) => FormValue::Bool(*flag),
                    Setting::List(list) => FormValue::List(list.clone()),
                };
                (key.clone(), value)
            })
            .collect(),
    }
}

/// Checks a form exactly as the file would be: it is written into an empty document and read back.
pub(crate) fn check(form: &SourceForm, file: &Path) -> Result<SourceSettings, Failure> {
    if !source::is_id(&form.id) {
        let sentence = "The id must be 1 to 32 of a-z, 0-9 and -, like helpdesk.";
        return Err(Failure { field: Some("id".into()), ..Failure::new(Code::InvalidField, sentence) });
    }
    let text = super::edit::page_of(form);
    match read::parse(file, &text) {
        Ok(mut settings) => settings.sources.pop().ok_or_else(|| {
            Failure::new(Code::Internal, "The form could not be read back; this is a fault of ours.")
        }),
        Err(error) => Err(field_failure(error)),
    }
}

/// A form whose id belongs to another source cannot be saved.
pub(crate) fn is_free(form: &SourceForm, replaces: Option<&str>, file: &Path) -> Result<(), Failure> {
    let taken = load(file).map_err(|e| Failure::new(Code::Storage, e.to_string()))?;
    if replaces != Some(form.id.as_str()) && taken.sources.iter().any(|s| *s.id == *form.id) {
        let sentence = format!("The id {} is taken by another source; choose another.", form.id);
        return Err(Failure { field: Some("id".into()), ..Failure::new(Code::InvalidField, sentence) });
    }
    Ok(())
}

fn field_failure(error: SettingsError) -> Failure {
    let sentence = match &error.key {
        Some(key) => format!("{key}: {}", error.what),
        None => error.what,
    };
    Failure { code: Code::InvalidField, sentence, field: error.key }
}
