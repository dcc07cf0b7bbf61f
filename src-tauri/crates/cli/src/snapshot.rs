//! `floorctl snapshot`: the whole state, once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    Exit,
    args::{Global, Taping},
    print, session, table,
};

pub struct Options {
    pub timeout: Duration,
    pub json: bool,
    pub taping: Taping,
}

pub async fn run(global: &Global, options: Options, stop: &CancellationToken) -> Exit {
    let Options { timeout, json, taping } = options;
    let floorwalker = match session::start_strict(global, false, &taping).await {
        Ok(floorwalker) => floorwalker,
        Err(exit) => return exit,
    };
    if session::unless_stopped(stop, floorwalker.settled(timeout)).await.is_none() {
        floorwalker.shutdown().await;
        return Exit::Interrupted;
    }
    let Ok(document) = floorwalker.document().await else { return Exit::Internal };
    let exit = session::by_document(&document);
    floorwalker.shutdown().await;
    let printed = if json { print(&document) } else { print(&table::of_document(&document)) };
    if printed { exit } else { Exit::Good }
}
