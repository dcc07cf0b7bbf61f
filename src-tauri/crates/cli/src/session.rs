//! Starting the runtime for a headless command.

use std::sync::Arc;

use app::{
    Floorwalker, Ports, Start, Tapes,
    keychain::Keychain,
    ports::NoDesktop,
    settings::{config_path, data_dir},
};
use link::{SystemClock, tape::Text};
use model::{Health, Id};
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Global, TapeText, Taping},
};

/// Starts as the options say; prints the sentence and gives the exit code when that cannot be.
pub async fn start(global: &Global, record: bool, strict: bool, demo: bool) -> Result<Floorwalker, Exit> {
    begin(global, record, strict, demo, None).await
}

/// The same for a command with one purpose: a configuration with an error ends it, and it may make tapes.
pub async fn start_strict(global: &Global, record: bool, taping: &Taping) -> Result<Floorwalker, Exit> {
    let tapes = taping.tape.as_ref().map(|folder| Tapes {
        folder: folder.clone(),
        text: match taping.tape_text {
            TapeText::Masked => Text::Masked,
            TapeText::Kept => Text::Kept,
        },
    });
    if let Some(tapes) = &tapes
        && let Err(error) = std::fs::create_dir_all(&tapes.folder)
    {
        eprintln!("floorctl: no tape can be made in {} ({error}); check --tape", tapes.folder.display());
        return Err(Exit::Usage);
    }
    begin(global, record, true, false, tapes).await
}

async fn begin(
    global: &Global,
    record: bool,
    strict: bool,
    demo: bool,
    tapes: Option<Tapes>,
) -> Result<Floorwalker, Exit> {
    let start = Start {
        config: global.config.clone().unwrap_or_else(config_path),
        data: global.data.clone().unwrap_or_else(data_dir),
        only: global.only.as_deref().map(Id::from),
        record,
        strict,
        demo,
        tapes,
    };
    // A file that was named must be there; only the default place may be empty.
    if strict && global.config.is_some() && !start.config.is_file() {
        eprintln!("floorctl: {} is not there; check --config", start.config.display());
        return Err(Exit::Usage);
    }
    let ports = Ports {
        vault: Arc::new(Keychain),
        notifier: Arc::new(NoDesktop),
        opener: Arc::new(NoDesktop),
        speaker: Arc::new(NoDesktop),
        clock: Arc::new(SystemClock),
    };
    match Floorwalker::start(start, ports) {
        Ok(floorwalker) => {
            for error in floorwalker.rule_errors().await {
                eprintln!("floorctl: {error}");
            }
            Ok(floorwalker)
        }
        Err(error) => {
            eprintln!("floorctl: {error}");
            Err(Exit::Usage)
        }
    }
}

/// 0 when every source that is on is live, else 3.
pub fn by_health(floorwalker: &Floorwalker) -> Exit {
    if floorwalker.all_live() { Exit::Good } else { Exit::NotLive }
}

/// The same of a document that is about to be printed: what is said and the exit code are of one moment.
pub fn by_document(document: &str) -> Exit {
    #[derive(serde::Deserialize)]
    struct Sources {
        sources: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    struct One {
        health: Health,
    }
    match serde_json::from_str::<Sources>(document) {
        Ok(all) if all.sources.iter().all(|s| matches!(s.health, Health::Live | Health::Disabled)) => {
            Exit::Good
        }
        Ok(_) => Exit::NotLive,
        Err(_) => Exit::Internal,
    }
}

/// Waits for something, unless the program is asked to end first.
pub async fn unless_stopped<T>(stop: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = stop.cancelled() => None,
    }
}
