//! A rule tried on the past: how often, when and for how long it would have fired.
//!
//! Whoever replays the floor calls [`Trial::wait`] with the floor *before* each change and
//! [`Trial::feed`] with the floor *after* it, so that deadlines between two changes are met exactly.

use std::sync::Arc;

use model::{Alert, Id, Severity, Subject, Timestamp, Transition};

use super::{Alerts, Facts, Rulebook, Touched};

/// One time that a rule would have fired.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    /// Name of the rule.
    pub rule: String,
    /// Source; `None` for the whole floor.
    pub source: Option<Id>,
    /// What it would have been about.
    pub subject: Subject,
    /// How bad it would have become.
    pub severity: Severity,
    /// When it would have fired.
    pub from: Timestamp,
    /// When it would have been resolved; `None`: it still would stand.
    pub until: Option<Timestamp>,
    /// Sentence at the moment of firing.
    pub reason: String,
}

/// Alerts on a floor that is played again.
#[derive(Debug)]
pub struct Trial {
    alerts: Alerts,
    fired: Vec<(Id, Fired)>,
    left_out: u64,
}

/// A rule that would have fired more often needs no longer list to be seen for what it is.
const MAX_FIRED: usize = 10_000;

impl Trial {
    /// Nothing has happened yet.
    pub fn new(book: Arc<Rulebook>) -> Self {
        let mut alerts = Alerts::default();
        alerts.set_rules(book);
        Self { alerts, fired: Vec::new(), left_out: 0 }
    }

    /// Lets time pass up to a moment on an unchanged floor.
    pub fn wait(&mut self, facts: &dyn Facts, until: Timestamp) {
        while let Some(due) = self.alerts.next_deadline().filter(|due| *due <= until) {
            let lines = self.alerts.evaluate(facts, &[], due);
            self.hear(lines);
        }
    }

    /// The floor has changed.
    pub fn feed(&mut self, facts: &dyn Facts, touched: &[Touched], now: Timestamp) {
        let lines = self.alerts.evaluate(facts, touched, now);
        self.hear(lines);
    }

    /// Every time it fired, in the order of firing.
    pub fn fired(&self) -> impl Iterator<Item = &Fired> {
        self.fired.iter().map(|(_, fired)| fired)
    }

    /// How many more there were than are listed.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes what happened to alerts. Whoever plays the floor through a [`crate::World`] that holds the
    /// rules itself needs only this.
    pub fn hear(&mut self, lines: Vec<(Transition, Alert)>) {
        for (transition, alert) in lines {
            match transition {
                Transition::Firing if self.fired.len() >= MAX_FIRED => self.left_out += 1,
                Transition::Firing => {
                    let fired = Fired {
                        rule: alert.rule,
                        source: alert.source,
                        subject: alert.subject,
                        severity: alert.severity,
                        from: alert.fired_at.unwrap_or_default(),
                        until: None,
                        reason: alert.reason,
                    };
                    self.fired.push((alert.id, fired));
                }
                Transition::Escalated | Transition::Resolved => {
                    // The newest is the likeliest: look from the end.
                    if let Some((_, fired)) = self.fired.iter_mut().rev().find(|(id, _)| *id == alert.id) {
                        fired.severity = fired.severity.max(alert.severity);
                        fired.until = alert.resolved_at;
                    }
                }
                _ => {}
            }
        }
    }
}
