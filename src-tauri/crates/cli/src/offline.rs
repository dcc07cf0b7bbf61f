//! What commands share that connect to nothing: the configuration, the databases' folder, instants.

use std::path::PathBuf;

use app::{
    past::{self, PastError},
    settings::{self, Settings, config_path, data_dir},
};
use link::{Clock, SystemClock};
use model::{Id, Timestamp};
use serde::Serialize;

use crate::{Exit, args::Global, print};

/// Reads the configuration; prints the sentence when that cannot be.
pub fn settings(global: &Global) -> Result<Settings, Exit> {
    let file = global.config.clone().unwrap_or_else(config_path);
    // A file that was named must be there; only the default place may be empty.
    if global.config.is_some() && !file.is_file() {
        eprintln!("floorctl: {} is not there; check --config", file.display());
        return Err(Exit::Usage);
    }
    settings::load(&file).map_err(|error| {
        eprintln!("floorctl: {error}");
        Exit::Usage
    })
}

/// Where the databases are.
pub fn data(global: &Global) -> PathBuf {
    global.data.clone().unwrap_or_else(data_dir)
}

/// The source that `--only` names: one of the configuration, or one that something is kept of. Prints the
/// sentence when it is neither.
pub fn only(global: &Global) -> Result<Option<Id>, Exit> {
    let Some(only) = &global.only else { return Ok(None) };
    let only = Id::from(only.as_str());
    if past::knows(&data(global), &only) {
        return Ok(Some(only));
    }
    let file = global.config.clone().unwrap_or_else(config_path);
    if settings(global)?.sources.iter().any(|source| source.id == only) {
        return Ok(Some(only));
    }
    eprintln!("floorctl: {} has no source with the id `{only}`; check --only", file.display());
    Err(Exit::Usage)
}

/// Now.
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// An instant as typed; prints the sentence when it is none.
pub fn instant(option: &str, text: &str, settings: &Settings) -> Result<Timestamp, Exit> {
    past::instant(text, &past::zone(&settings.preferences.zone), now()).ok_or_else(|| {
        eprintln!(
            "floorctl: {option} is not an instant; write it like 2026-01-31T09:30:00Z, or 09:30 for today"
        );
        Exit::Usage
    })
}

/// Prints why the past cannot be told.
pub fn failed(error: &PastError) -> Exit {
    eprintln!("floorctl: {error}");
    if error.is_usage() { Exit::Usage } else { Exit::Internal }
}

/// One JSON document.
pub fn print_json(document: &impl Serialize) -> Exit {
    match serde_json::to_string(document) {
        Ok(text) => {
            print(&text);
            Exit::Good
        }
        Err(error) => {
            eprintln!("floorctl: the document cannot be written ({error})");
            Exit::Internal
        }
    }
}

/// Seconds as people read them: `1h 02m 03s`.
pub fn lasting(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    match (s / 3600, s / 60 % 60, s % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s:02}s"),
        (h, m, s) => format!("{h}h {m:02}m {s:02}s"),
    }
}
