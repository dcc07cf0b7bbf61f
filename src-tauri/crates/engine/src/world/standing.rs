//! Alerts by the row that they are about, so that a row finds its own without a walk.

use model::{Alert, AlertState, Id, Key, Overlay, Severity, SubjectKind};

use super::FastMap;

/// Alerts that are not inactive.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    by_id: FastMap<Id, Alert>,
    by_subject: FastMap<(SubjectKind, Key), Vec<Id>>,
    firing: u32,
    critical: u32,
}

/// The worst that is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worst {
    pub(crate) severity: Severity,
    pub(crate) acked: bool,
}

/// The key of an alert's subject.
pub(crate) fn subject_key(alert: &Alert) -> Key {
    let source = alert.source.clone().unwrap_or_else(|| alert.subject.id.clone());
    Key { source, id: alert.subject.id.clone() }
}

/// It has fired, is not over, and nothing keeps it quiet.
fn is_loud(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Firing | AlertState::Recovering)
        && !alert.overlays.iter().any(|o| matches!(o, Overlay::Snoozed | Overlay::Muted | Overlay::Inhibited))
}

/// It has fired and is not over, and its figure can be relied on.
fn marks_its_row(alert: &Alert) -> bool {
    matches!(alert.state, AlertState::Firing | AlertState::Acked | AlertState::Recovering)
        && !alert.overlays.iter().any(|o| matches!(o, Overlay::Muted | Overlay::Inhibited | Overlay::Unknown))
}

impl Standing {
    /// Takes the alert as it is after a transition.
    pub(crate) fn put(&mut self, alert: &Alert) {
        let subject = (alert.subject.kind, subject_key(alert));
        if let Some(old) = self.by_id.remove(&alert.id) {
            self.count(&old, false);
        }
        let ids = self.by_subject.entry(subject.clone()).or_default();
        if alert.state == AlertState::Inactive {
            ids.retain(|id| *id != alert.id);
            if ids.is_empty() {
                self.by_subject.remove(&subject);
            }
            return;
        }
        if !ids.contains(&alert.id) {
            ids.push(alert.id.clone());
        }
        self.count(alert, true);
        self.by_id.insert(alert.id.clone(), alert.clone());
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Alert> {
        self.by_id.values()
    }
    pub(crate) fn get(&self, id: &Id) -> Option<&Alert> {
        self.by_id.get(id)
    }
    pub(crate) fn of(&self, kind: SubjectKind, key: &Key) -> impl Iterator<Item = &Alert> {
        let ids = self.by_subject.get(&(kind, key.clone()));
        ids.into_iter().flatten().filter_map(|id| self.by_id.get(id))
    }

    /// The worst that stands over a row; a severity that nobody has acknowledged before an equal one
    /// that somebody has.
    pub(crate) fn worst(&self, kind: SubjectKind, key: &Key) -> Option<Worst> {
        self.of(kind, key)
            .filter(|alert| marks_its_row(alert))
            .map(|alert| Worst { severity: alert.severity, acked: alert.state == AlertState::Acked })
            .max_by_key(|worst| (worst.severity, !worst.acked))
    }

    /// Alerts that call for somebody: all, and the critical ones among them.
    pub(crate) fn loud(&self) -> (u32, u32) {
        (self.firing, self.critical)
    }

    fn count(&mut self, alert: &Alert, add: bool) {
        if !is_loud(alert) {
            return;
        }
        let step = |n: &mut u32| *n = if add { *n + 1 } else { n.saturating_sub(1) };
        step(&mut self.firing);
        if alert.severity == Severity::Critical {
            step(&mut self.critical);
        }
    }
}
