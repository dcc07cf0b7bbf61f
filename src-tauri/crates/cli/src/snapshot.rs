//! `floorctl snapshot`: the whole state, once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Exit, args::Global, print, session, table};

pub async fn run(global: &Global, timeout: Duration, json: bool, stop: &CancellationToken) -> Exit {
    let floorwalker = match session::start(global, false, true, false).await {
        Ok(floorwalker) => floorwalker,
        Err(exit) => return exit,
    };
    if session::unless_stopped(stop, floorwalker.settled(timeout)).await.is_none() {
        floorwalker.shutdown().await;
        return Exit::Interrupted;
    }
    let Ok(document) = floorwalker.document().await else { return Exit::Internal };
    let exit = session::by_health(&floorwalker);
    floorwalker.shutdown().await;
    let printed = if json { print(&document) } else { print(&table::of_document(&document)) };
    if printed { exit } else { Exit::Good }
}
