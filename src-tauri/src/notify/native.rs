//! Windows and macOS: the notification is handed over, and the system does the rest.

use app::ports::{Notice, NoticeAction, NotifyError};
use model::Id;
use notify_rust::Notification;
use tokio::sync::mpsc;

pub struct Shown;

impl Shown {
    pub fn new(_actions: mpsc::Sender<NoticeAction>) -> Self {
        Self
    }

    /// The call blocks: off the runtime's threads.
    pub async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        let shown = tokio::task::spawn_blocking(move || {
            Notification::new()
                .appname("Floorwalker")
                .summary(&notice.title)
                .body(&notice.body)
                .show()
                .map(drop)
        });
        match shown.await {
            Ok(result) => result.map_err(|error| super::refused(error.to_string())),
            Err(_) => Err(NotifyError::Refused("it broke off".to_owned())),
        }
    }

    /// These systems give no handle to take one away by.
    #[allow(clippy::unused_async)]
    pub async fn close(&self, _alert: &Id) {}
}
