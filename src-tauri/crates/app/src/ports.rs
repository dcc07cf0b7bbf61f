//! What the runtime needs from the machine it runs on. Each port has one real adapter; tests bring fakes.

use std::time::Duration;

use async_trait::async_trait;
pub use engine::alerts::Tone;
use link::Secret;
use model::{Id, Severity};

/// Why a secret could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keychain on this machine, or nothing answers for it.
    #[error(
        "no keychain answers on this desktop; start one, or name an environment variable with `secret_env`"
    )]
    NoKeychain,
    /// It is there and locked, or the user said no.
    #[error("the keychain is locked or refused; unlock it and try again")]
    Locked,
    /// It did not answer in time.
    #[error("the keychain did not answer within {} s; unlock it and try again", .0.as_secs())]
    TimedOut(Duration),
    /// Anything else, in the keychain's own words (which never hold the secret).
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// Where secrets live. Accounts are source ids, or `webhook:NAME`.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// The secret; `Ok(None)` when there is none.
    async fn get(&self, account: &str) -> Result<Option<Secret>, VaultError>;
    /// Writes or replaces it.
    async fn set(&self, account: &str, secret: Secret) -> Result<(), VaultError>;
    /// Takes it away; fine when there was none.
    async fn delete(&self, account: &str) -> Result<(), VaultError>;
}

/// One desktop notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// The alert it is about; `None` for a summary. A later notice of the same alert replaces it.
    pub alert: Option<Id>,
    /// How loud.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// One or two plain sentences. Vendor text is text: no markup.
    pub body: String,
}

/// What a person did with a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAction {
    /// Clicked it, or its "Show".
    Show(Option<Id>),
    /// Acknowledged the alert.
    Acknowledge(Id),
    /// Snoozed the alert.
    Snooze(Id),
}

/// Why a notification did not reach the desktop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Nobody shows notifications on this desktop.
    #[error("no notification service runs on this desktop; alerts show in the window and the tray only")]
    NoService,
    /// It did not answer in time.
    #[error("the notification service did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Anything else.
    #[error("the notification service refused: {0}")]
    Refused(String),
}

/// The desktop's notifications.
#[async_trait]
pub trait Notifier: Send + Sync + 'static {
    /// Shows a notice; returns when the desktop took it. Must come back within a few seconds.
    async fn show(&self, notice: Notice) -> Result<(), NotifyError>;
    /// Takes the notice of an alert away, when it is still there.
    async fn close(&self, alert: &Id);
    /// Whether the person asked the desktop not to be disturbed, where it tells. Must come back at once.
    async fn is_inhibited(&self) -> bool {
        false
    }
}

/// Why nothing was heard. On a machine without sound that is the normal state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// Nothing here can play.
    #[error("no sound device, or no player for it, was found; alerts show in the window and the tray")]
    NoDevice,
    /// It did not come to an end in time.
    #[error("the sound was not played within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// The machine's loudspeaker.
#[async_trait]
pub trait Speaker: Send + Sync + 'static {
    /// Plays a tone, `volume` 0–100; returns when it was played. Must come back within a few seconds.
    async fn play(&self, tone: Tone, volume: u32) -> Result<(), SoundError>;
}

/// Opens an address in the user's browser.
pub trait Opener: Send + Sync + 'static {
    /// `https` only, built from the configuration's `console_url`.
    fn open(&self, url: &str) -> Result<(), String>;
}

/// For faces without a desktop: shows nothing, says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDesktop;

#[async_trait]
impl Notifier for NoDesktop {
    async fn show(&self, _notice: Notice) -> Result<(), NotifyError> {
        Err(NotifyError::NoService)
    }
    async fn close(&self, _alert: &Id) {}
}

#[async_trait]
impl Speaker for NoDesktop {
    async fn play(&self, _tone: Tone, _volume: u32) -> Result<(), SoundError> {
        Err(SoundError::NoDevice)
    }
}

impl Opener for NoDesktop {
    fn open(&self, _url: &str) -> Result<(), String> {
        Err("this face cannot open a browser".to_owned())
    }
}
