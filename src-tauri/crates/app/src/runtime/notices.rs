//! What the desktop is told of the alerts.

use std::sync::Arc;

use engine::{DeskCommand, World};
use model::{Alert, Timestamp, Transition};

use crate::ports::Notifier;

/// What the tray shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrayModel {
    /// One plain sentence.
    pub sentence: String,
}

/// The desk: notifications, tray, what people did.
pub(crate) struct Desk {
    _notifier: Arc<dyn Notifier>,
}

impl Desk {
    pub fn new(notifier: Arc<dyn Notifier>) -> Self {
        Self { _notifier: notifier }
    }
    pub fn on(&mut self, _world: &World, _transitions: &[(Transition, Alert)], _now: Timestamp) {}
    pub fn tray(&self, _world: &World, _now: Timestamp) -> TrayModel {
        TrayModel::default()
    }
    pub fn person_did(&mut self, _command: &DeskCommand, _now: Timestamp) {}
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }
}
