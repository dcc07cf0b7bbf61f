//! `floorctl watch`: the floor as it changes.

use std::{io::IsTerminal, time::Duration};

use app::Floorwalker;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Global, Taping},
    print, session, table,
};

pub struct Options {
    pub lasting: Option<Duration>,
    pub timeout: Duration,
    pub json: bool,
    pub record: bool,
    pub taping: Taping,
}

/// How often the table is drawn again.
const FRAME: Duration = Duration::from_secs(1);

pub async fn run(global: &Global, options: Options, stop: &CancellationToken) -> Exit {
    let started = Instant::now();
    let until = options.lasting.map(|d| started + d);
    let floorwalker = match session::start_strict(global, options.record, &options.taping).await {
        Ok(floorwalker) => floorwalker,
        Err(exit) => return exit,
    };
    let patience = options.lasting.map_or(options.timeout, |d| d.min(options.timeout));
    let work = async {
        floorwalker.settled(patience).await;
        if options.json { lines(&floorwalker, until).await } else { draw(&floorwalker, until).await }
    };
    let interrupted = session::unless_stopped(stop, work).await.is_none();
    let exit = if interrupted { Exit::Interrupted } else { session::by_health(&floorwalker) };
    if options.json && !interrupted {
        print(r#"{"type":"end"}"#);
    }
    floorwalker.shutdown().await;
    exit
}

async fn lines(floorwalker: &Floorwalker, until: Option<Instant>) {
    let Ok(mut lines) = floorwalker.lines().await else { return };
    if !print(&lines.first) {
        return;
    }
    loop {
        tokio::select! {
            line = lines.rest.recv() => match line {
                Some(line) => if !print(&line) { return },
                None => return,
            },
            () = end(until) => return,
        }
    }
}

async fn draw(floorwalker: &Floorwalker, until: Option<Instant>) {
    let terminal = std::io::stdout().is_terminal();
    let mut tick = tokio::time::interval(FRAME);
    let mut last = String::new();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = end(until) => return,
        }
        let Ok(document) = floorwalker.document().await else { return };
        let text = table::of_document(&document);
        if terminal {
            // Home and clear: the table stands still and only its figures change.
            if !print(&format!("\x1b[H\x1b[2J{text}")) {
                return;
            }
        } else if text != last {
            if !print(&text) {
                return;
            }
            last = text;
        }
    }
}

async fn end(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
