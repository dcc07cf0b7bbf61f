//! Desktop notifications through notify-rust. Whatever the service does (missing, silent, slow), the caller
//! gets an answer within [`PATIENCE`]; the window and the tray tell the same in any case.

#[cfg(target_os = "linux")]
mod xdg;
#[cfg(target_os = "linux")]
use xdg::Shown;

#[cfg(not(target_os = "linux"))]
mod native;
#[cfg(not(target_os = "linux"))]
use native::Shown;

use std::time::Duration;

use app::ports::{Notice, NoticeAction, Notifier, NotifyError};
use async_trait::async_trait;
use model::Id;
use tokio::sync::mpsc;

use crate::desk;

/// A service that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// The desktop's notification service.
pub struct Desktop {
    shown: Shown,
}

impl Desktop {
    /// `actions` hears what people do with notifications, on desktops that tell.
    pub fn new(actions: mpsc::Sender<NoticeAction>) -> Self {
        Self { shown: Shown::new(actions) }
    }
}

#[async_trait]
impl Notifier for Desktop {
    async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        tokio::time::timeout(PATIENCE, self.shown.show(notice))
            .await
            .unwrap_or(Err(NotifyError::TimedOut(PATIENCE)))
    }

    async fn close(&self, alert: &Id) {
        // One that cannot be taken away stays until the desktop removes it: not worth a word.
        let _ = tokio::time::timeout(PATIENCE, self.shown.close(alert)).await;
    }

    async fn is_inhibited(&self) -> bool {
        desk::notices_inhibited().await
    }
}

/// A failure in the words of [`NotifyError`]; `text` is the library's, which holds no user text.
fn refused(text: String) -> NotifyError {
    // The bus's own names for "nobody owns this name and nobody can be started for it", and for no bus.
    let nobody = ["ServiceUnknown", "NameHasNoOwner", "Error.Spawn", "No such file", "Address", "address"];
    if nobody.iter().any(|sign| text.contains(sign)) {
        NotifyError::NoService
    } else {
        NotifyError::Refused(text)
    }
}
