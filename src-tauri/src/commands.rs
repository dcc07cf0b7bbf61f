//! The three commands of the page. Everything they carry is checked again in the runtime.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use app::api::{Ask, Code, Failure, Reply};
use engine::view::{ViewMessage, ViewSpec};
use tauri::async_runtime::JoinHandle;
use tauri::{State, ipc::Channel};

use crate::core::Core;

/// More open views than any screen has means that the page has lost count.
const MOST: usize = 64;

/// The page's open views.
#[derive(Default)]
pub struct Views {
    next: AtomicU32,
    open: Mutex<HashMap<u32, JoinHandle<()>>>,
}

impl Views {
    /// Closes all of them: the page was left or loaded anew.
    pub fn close_all(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.drain().for_each(|(_, pump)| pump.abort());
    }

    fn close(&self, id: u32) {
        if let Some(pump) = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id) {
            pump.abort();
        }
    }

    fn keep(&self, pump: JoinHandle<()>) -> Result<u32, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, pump| !pump.inner().is_finished());
        if open.len() >= MOST {
            pump.abort();
            return Err(Failure::new(Code::Internal, "The page holds too many views open; load it anew."));
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        open.insert(id, pump);
        Ok(id)
    }
}

/// A question of the page.
#[tauri::command]
pub async fn ask(core: State<'_, Core>, ask: Ask) -> Result<Reply, Failure> {
    core.ask(ask).await
}

/// Opens a view: its messages come over `channel` in order, the first is a snapshot. Answers its number.
#[tauri::command]
pub async fn subscribe(
    core: State<'_, Core>,
    views: State<'_, Views>,
    spec: ViewSpec,
    channel: Channel<ViewMessage>,
) -> Result<u32, Failure> {
    let gone = |_| Failure::new(Code::Internal, "Floorwalker is shutting down.");
    let mut messages = core.floor().await?.subscribe(spec).await.map_err(gone)?;
    views.keep(tauri::async_runtime::spawn(async move {
        while let Some(message) = messages.next().await {
            if channel.send(message).is_err() {
                return;
            }
        }
    }))
}

/// Closes a view; one that is not there is closed already.
#[tauri::command]
pub fn unsubscribe(views: State<'_, Views>, id: u32) {
    views.close(id);
}
