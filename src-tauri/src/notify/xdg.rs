//! Linux: notifications over the session bus, with buttons, replaced and closed by alert.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use app::ports::{Notice, NoticeAction, NotifyError};
use model::{Id, Severity};
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse, Timeout, Urgency};
use tokio::sync::{OnceCell, mpsc};

use crate::desk;

/// Notifications that stand on the desktop at once. Critical ones stay until they are dealt with, and a wall
/// of them helps nobody: the oldest goes, its alert stays in the window.
const STANDING: usize = 4;

type Open = Arc<Mutex<VecDeque<(Option<Id>, Arc<NotificationHandle>)>>>;

pub struct Shown {
    open: Open,
    actions: mpsc::Sender<NoticeAction>,
    markup: OnceCell<bool>,
}

impl Shown {
    pub fn new(actions: mpsc::Sender<NoticeAction>) -> Self {
        Self { open: Open::default(), actions, markup: OnceCell::new() }
    }

    pub async fn show(&self, notice: Notice) -> Result<(), NotifyError> {
        let mut shown = Notification::new();
        shown
            .appname("Floorwalker")
            .icon("floorwalker")
            .hint(Hint::DesktopEntry("Floorwalker".to_owned()))
            .summary(&notice.title)
            .action("default", "Show");
        match notice.severity {
            // A critical one stays until somebody, or the alert's own end, takes it away.
            Severity::Critical => shown.urgency(Urgency::Critical).timeout(Timeout::Never),
            Severity::Warning => shown.urgency(Urgency::Normal).timeout(Timeout::Default),
        };
        if notice.alert.is_some() {
            shown.action("acknowledge", "Acknowledge").action("snooze", "Snooze 10 min");
            if let Some(earlier) = self.take(&notice.alert) {
                shown.id(earlier.id());
            }
        }
        match self.reads_markup().await {
            true => shown.body(&escaped(&notice.body)),
            false => shown.body(&notice.body),
        };
        match shown.show_async().await {
            Ok(handle) => {
                if let Some(oldest) = self.listen(notice.alert, handle) {
                    oldest.close_async().await;
                }
                Ok(())
            }
            Err(error) => Err(super::refused(error.to_string())),
        }
    }

    /// Asked once of a service that answers, again of one that did not.
    async fn reads_markup(&self) -> bool {
        let ask = || async { desk::notices_take_markup().await.ok_or(()) };
        self.markup.get_or_try_init(ask).await.copied().unwrap_or(false)
    }

    /// Waits for what people do with it; answers the oldest one when there are too many now.
    fn listen(&self, alert: Option<Id>, handle: NotificationHandle) -> Option<Arc<NotificationHandle>> {
        let handle = Arc::new(handle);
        let oldest = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.push_back((alert.clone(), handle.clone()));
            if open.len() > STANDING { open.pop_front().map(|(_, oldest)| oldest) } else { None }
        };
        let (actions, open) = (self.actions.clone(), self.open.clone());
        tokio::spawn(async move {
            let mut done = None;
            handle
                .wait_for_action_async(|response: &NotificationResponse| done = action(response, alert))
                .await;
            open.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, h)| !Arc::ptr_eq(h, &handle));
            if let Some(action) = done {
                let _ = actions.send(action).await;
            }
        });
        oldest
    }

    pub async fn close(&self, alert: &Id) {
        if let Some(handle) = self.take(&Some(alert.clone())) {
            handle.close_async().await;
        }
    }

    fn take(&self, alert: &Option<Id>) -> Option<Arc<NotificationHandle>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|(of, _)| of == alert)?;
        open.remove(at).map(|(_, handle)| handle)
    }
}

fn action(response: &NotificationResponse, alert: Option<Id>) -> Option<NoticeAction> {
    match response {
        NotificationResponse::Default => Some(NoticeAction::Show(alert)),
        NotificationResponse::Action(name) if name == "acknowledge" => alert.map(NoticeAction::Acknowledge),
        NotificationResponse::Action(name) if name == "snooze" => alert.map(NoticeAction::Snooze),
        _ => None,
    }
}

/// Text stays text for a service that reads markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escaped("<b>Billing & more</b>"), "&lt;b&gt;Billing &amp; more&lt;/b&gt;");
    }

    #[test]
    fn buttons_act_on_their_own_alert() {
        let alert = Some(Id::from("a1"));
        let pressed = |name: &str| action(&NotificationResponse::Action(name.to_owned()), alert.clone());
        assert_eq!(pressed("acknowledge"), Some(NoticeAction::Acknowledge("a1".into())));
        assert_eq!(pressed("snooze"), Some(NoticeAction::Snooze("a1".into())));
        assert_eq!(pressed("unheard-of"), None);
        assert_eq!(action(&NotificationResponse::Default, None), Some(NoticeAction::Show(None)));
    }
}
