//! The runtime as the shell holds it: it starts beside the window, and whoever needs it waits for it.

use std::sync::{Mutex, PoisonError};

use app::Floorwalker;
use app::api::{Ask, Code, Failure, Preferences, Reply};
use tokio::sync::watch;

/// Handed to every command.
pub struct Core {
    started: watch::Receiver<Option<Floorwalker>>,
    notices: Mutex<Vec<String>>,
}

impl Core {
    /// `started` is filled once, when the runtime stands.
    pub fn new(started: watch::Receiver<Option<Floorwalker>>) -> Self {
        Self { started, notices: Mutex::default() }
    }

    /// The runtime, as soon as it stands.
    pub async fn floor(&self) -> Result<Floorwalker, Failure> {
        let mut started = self.started.clone();
        let floor = started.wait_for(Option::is_some).await.ok().and_then(|floor| floor.clone());
        floor.ok_or_else(|| Failure::new(Code::Internal, "Floorwalker did not start; its log says why."))
    }

    /// The runtime, when it stands already.
    pub fn floor_now(&self) -> Option<Floorwalker> {
        self.started.borrow().clone()
    }

    /// Asks the runtime; adds what only the shell knows to its greeting.
    pub async fn ask(&self, ask: Ask) -> Result<Reply, Failure> {
        let mut reply = self.floor().await?.ask(ask).await?;
        if let Reply::Hello(hello) = &mut reply {
            let own = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            hello.notices.extend(own.iter().cloned());
        }
        Ok(reply)
    }

    /// Something about this desktop that the user must know, in one sentence.
    pub fn notice(&self, sentence: impl Into<String>) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(sentence.into());
    }

    /// The user's taste; `None` when it cannot be told now.
    pub async fn preferences(&self) -> Option<Preferences> {
        match self.ask(Ask::Hello).await {
            Ok(Reply::Hello(hello)) => Some(hello.preferences),
            _ => None,
        }
    }
}
