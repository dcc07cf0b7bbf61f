//! Stands in until the alert state machine is here.
use crate::{
    alerts::{Facts, Rulebook, Touched},
    effects::DeskCommand,
};
use model::{Alert, Timestamp, Transition};
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Alerts;
impl Alerts {
    pub(crate) fn set_rules(&mut self, _rules: Arc<Rulebook>) {}
    pub(crate) fn restore(&mut self, _alerts: Vec<Alert>, _now: Timestamp) {}
    pub(crate) fn command(&mut self, _c: DeskCommand, _now: Timestamp) -> Vec<(Transition, Alert)> {
        Vec::new()
    }
    pub(crate) fn evaluate(
        &mut self,
        _f: &dyn Facts,
        _t: &[Touched],
        _now: Timestamp,
    ) -> Vec<(Transition, Alert)> {
        Vec::new()
    }
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        None
    }
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        Vec::new()
    }
}
