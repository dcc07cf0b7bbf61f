//! `floorctl check`: is the configuration sound, and does each source answer.

use std::{fmt::Write, time::Duration};

use app::{
    api::Diagnostics,
    settings::{config_path, load, print_duration},
};
use model::{Health, Source};
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Global, Taping},
    print, session,
};

pub async fn run(global: &Global, timeout: Duration, taping: &Taping, stop: &CancellationToken) -> Exit {
    say_before(global);
    let floorwalker = match session::start_strict(global, false, taping).await {
        Ok(floorwalker) => floorwalker,
        Err(exit) => return exit,
    };
    if session::unless_stopped(stop, floorwalker.settled(timeout)).await.is_none() {
        floorwalker.shutdown().await;
        return Exit::Interrupted;
    }
    let sources = floorwalker.sources().borrow().clone();
    let configured = floorwalker.configured().await;
    let rules_are_sound = floorwalker.rule_errors().await.is_empty();
    let exit = session::by_health(&floorwalker);
    let (mut odd, mut known) = (Vec::new(), Vec::new());
    for source in sources.iter() {
        let about = floorwalker.diagnostics(&source.id).await.unwrap_or_default();
        odd.extend(
            about.notes.iter().map(|note| format!("floorctl: {}: {}", source.id, app::sentence_of(note))),
        );
        known.push(about);
    }
    floorwalker.shutdown().await;
    if sources.is_empty() {
        eprintln!("floorctl: no source is configured; add a [[source]] to the configuration");
    }
    for (source, about) in sources.iter().zip(&known) {
        let settings = configured.iter().find(|s| s.id == source.id);
        let remarks = settings.map(app::remarks).unwrap_or_default();
        if !print(&line(source, about, &remarks)) {
            break;
        }
    }
    // Not part of the result: the source works, but its vendor has changed something.
    for line in odd {
        eprintln!("{line}");
    }
    if rules_are_sound { exit } else { Exit::Usage }
}

/// What a person should know before anything is connected, e.g. that they will be seen there. The line of
/// the result holds it, too, but comes afterwards.
fn say_before(global: &Global) {
    // An error in the configuration is told by the start, which then connects to nothing.
    let Ok(settings) = load(&global.config.clone().unwrap_or_else(config_path)) else { return };
    let only = global.only.as_deref();
    for source in settings.sources.iter().filter(|s| s.enabled && only.is_none_or(|only| *s.id == *only)) {
        for remark in app::remarks(source) {
            eprintln!("floorctl: {}: {remark}", source.id);
        }
    }
}

fn line(source: &Source, about: &Diagnostics, remarks: &[String]) -> String {
    let health = match source.health {
        Health::Disabled => "disabled",
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Stale => "stale",
        Health::Retrying => "retrying",
        Health::Throttled => "throttled",
        Health::Denied => "denied",
        Health::Misconfigured => "misconfigured",
    };
    let mut line = format!("{}\t{}\t{health}", source.id, source.vendor.as_str());
    if !about.endpoints.is_empty() {
        // What is shared has odd parts: long intervals to the second, short ones to the tenth.
        let every = |seconds: f64| match seconds {
            ..10.0 => Duration::from_millis(((seconds * 10.0).round() * 100.0) as u64),
            _ => Duration::from_secs(seconds.round() as u64),
        };
        let polled: Vec<String> = about
            .endpoints
            .iter()
            .map(|endpoint| format!("{} {}", endpoint.name, print_duration(every(endpoint.every_s))))
            .collect();
        let _ = write!(line, "\tpolls {}", polled.join(", "));
        if let Some(sharing) = &about.sharing {
            let _ = write!(line, " ({sharing})");
        }
    }
    for remark in remarks {
        let _ = write!(line, "\t{remark}");
    }
    if !source.gaps.is_empty() {
        let _ = write!(line, "\tgaps {}", source.gaps.join(", "));
    }
    if let Some(error) = &source.last_error {
        let _ = write!(line, "\t{error}");
    } else if source.health == Health::Connecting {
        line.push_str("\tno complete answer yet; try a longer --timeout");
    }
    line
}
