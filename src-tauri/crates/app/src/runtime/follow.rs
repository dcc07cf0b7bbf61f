//! A configuration that is edited outside the app is followed: by a person's editor, or by IT's roll-out.

use std::{
    path::Path,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use model::Source;
use tokio::sync::{mpsc, watch};

use super::{Floorwalker, Inner, TrayModel, floor::Command, record::say};

/// How often the file is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// What tells one state of the file from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    /// As the file is now; one that is not there has a stamp, too.
    pub fn of(file: &Path) -> Self {
        let seen = std::fs::metadata(file).ok();
        Self(seen.and_then(|m| Some((m.modified().ok()?, m.len()))))
    }
}

/// Looks at the file until the runtime ends. Holds nothing of it alive.
pub(crate) async fn follow(
    inner: Weak<Inner>,
    commands: mpsc::WeakSender<Command>,
    sources: watch::Receiver<Arc<[Source]>>,
    tray: watch::Receiver<TrayModel>,
) {
    let mut broken: Option<Stamp> = None;
    loop {
        tokio::time::sleep(EVERY).await;
        let (Some(inner), Some(commands)) = (inner.upgrade(), commands.upgrade()) else { return };
        let now = Stamp::of(&inner.start.config);
        if inner.settings.lock().await.stamp == now {
            // Mended by taking the edit back: what is in force is what stands there.
            broken = None;
            continue;
        }
        if broken == Some(now) {
            continue;
        }
        let floorwalker =
            Floorwalker { commands, sources: sources.clone(), tray: tray.clone(), inner: inner.clone() };
        match floorwalker.reload(Vec::new()).await {
            Ok(_) => {
                if broken.take().is_some() {
                    say(&inner.notices, "The configuration is in order again and is followed.".to_owned());
                }
                tracing::info!("The configuration was edited and is followed.");
            }
            Err(failure) => {
                broken = Some(now);
                say(
                    &inner.notices,
                    format!(
                        "The edited configuration is not followed; the old one stays in force. {failure}"
                    ),
                );
            }
        }
    }
}
