//! `floorctl history`, `replay` and `export`: the databases of the app, read-only.

use std::{fmt::Write, path::Path};

use app::past::{self, Stretch};

use crate::{
    Exit,
    args::{Format, Global},
    offline::{data, failed, instant, lasting, now, only, print_json, settings},
    print, table,
};

pub fn history(global: &Global, json: bool) -> Exit {
    let only = match only(global) {
        Ok(only) => only,
        Err(exit) => return exit,
    };
    let history = match past::history(&data(global), only.as_ref()) {
        Ok(history) => history,
        Err(error) => return failed(&error),
    };
    if json {
        return print_json(&history);
    }
    let counts = history.counts;
    let mut out = format!(
        "from {} to {} ({})\nat its end {} sources, {} queues, {} agents, {} conversations\n",
        history.from,
        history.until,
        lasting(history.span_s),
        counts.sources,
        counts.queues,
        counts.agents,
        counts.conversations
    );
    if history.gaps.is_empty() {
        out.push_str("no gaps");
    }
    for gap in &history.gaps {
        let who = gap.source.as_deref().unwrap_or("Floorwalker");
        let ended = gap.ended.map_or_else(|| "goes on".to_owned(), |at| at.to_string());
        let _ = writeln!(out, "gap  {}  {ended}  {who}: {}", gap.began, table::plain(&gap.why));
    }
    print(out.trim_end());
    Exit::Good
}

pub fn replay(global: &Global, at: &str, json: bool) -> Exit {
    let settings = match settings(global) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let at = match instant("--at", at, &settings) {
        Ok(at) => at,
        Err(exit) => return exit,
    };
    let only = match only(global) {
        Ok(only) => only,
        Err(exit) => return exit,
    };
    let then = match past::floor_then(&data(global), only.as_ref(), at, now()) {
        Ok(then) => then,
        Err(error) => return failed(&error),
    };
    tell(&then.notes);
    let document = then.document;
    if json {
        return print_json(&document);
    }
    match serde_json::to_string(&document) {
        Ok(text) => {
            print(&table::of_document(&text));
            Exit::Good
        }
        Err(_) => Exit::Internal,
    }
}

/// Which part of the past, as typed.
pub struct Wanted {
    pub at: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

pub fn export(global: &Global, wanted: &Wanted, format: Format, out: &Path) -> Exit {
    let settings = match settings(global) {
        Ok(settings) => settings,
        Err(exit) => return exit,
    };
    let read = |option, text: &str| instant(option, text, &settings);
    let stretch = match (&wanted.at, &wanted.from, &wanted.to) {
        (Some(at), ..) => read("--at", at).map(Stretch::At),
        (None, Some(from), Some(to)) => {
            read("--from", from).and_then(|from| Ok(Stretch::Span(from, read("--to", to)?)))
        }
        _ => {
            eprintln!("floorctl: say which part: --at TIME, or --from TIME --to TIME");
            return Exit::Usage;
        }
    };
    let stretch = match stretch {
        Ok(stretch) => stretch,
        Err(exit) => return exit,
    };
    let format = match format {
        Format::Json => past::Format::Json,
        Format::Csv => past::Format::Csv,
    };
    let only = match only(global) {
        Ok(only) => only,
        Err(exit) => return exit,
    };
    match past::export(&data(global), only.as_ref(), stretch, format, out, now()) {
        Ok(notes) => {
            tell(&notes);
            eprintln!("floorctl: written to {}", out.display());
            Exit::Good
        }
        Err(error) => failed(&error),
    }
}

fn tell(notes: &[String]) {
    for note in notes {
        eprintln!("floorctl: {note}");
    }
}
