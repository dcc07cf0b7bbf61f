//! What is told together: the first of a source at once, those of the same source within ten seconds
//! together, a critical at once with all that wait.

use std::{collections::HashMap, time::Duration};

use model::{Id, Severity, Transition};
use tokio::time::Instant;

use super::body::Told;

/// Warnings of one source within this time are told together.
const WINDOW: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Group {
    waiting: Vec<Told>,
    /// Until when it collects.
    until: Option<Instant>,
}

/// By source; the whole floor is one of its own.
#[derive(Default)]
pub(super) struct Groups {
    groups: HashMap<Option<Id>, Group>,
}

impl Groups {
    /// Takes one; gives what is to be told now.
    pub fn take(&mut self, told: Told, now: Instant) -> Option<Vec<Told>> {
        let group = self.groups.entry(told.alert.source.clone()).or_default();
        let urgent = told.alert.severity == Severity::Critical
            && matches!(told.transition, Transition::Firing | Transition::Escalated);
        group.waiting.push(told);
        if urgent || group.until.is_none_or(|until| until <= now) {
            group.until = Some(now + WINDOW);
            return Some(std::mem::take(&mut group.waiting));
        }
        None
    }

    /// When the next group is due; `None`: nothing waits.
    pub fn due(&self) -> Option<Instant> {
        self.groups.values().filter(|group| !group.waiting.is_empty()).filter_map(|group| group.until).min()
    }

    /// Groups whose time has come.
    pub fn ready(&mut self, now: Instant) -> Vec<Vec<Told>> {
        let mut ready = Vec::new();
        for group in self.groups.values_mut() {
            if group.until.is_some_and(|until| until <= now) {
                group.until = None;
                if !group.waiting.is_empty() {
                    // What follows is collected again.
                    group.until = Some(now + WINDOW);
                    ready.push(std::mem::take(&mut group.waiting));
                }
            }
        }
        self.groups.retain(|_, group| group.until.is_some() || !group.waiting.is_empty());
        ready
    }

    /// Everything that waits.
    pub fn all(&mut self) -> Vec<Vec<Told>> {
        self.groups.drain().map(|(_, group)| group.waiting).filter(|list| !list.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::webhooks::tests::alert;

    fn told(id: &str, severity: Severity, transition: Transition) -> Told {
        Told { transition, alert: alert(id, severity) }
    }
    fn ids(list: &[Told]) -> Vec<&str> {
        list.iter().map(|t| t.alert.id.as_str()).collect()
    }

    #[test]
    fn first_at_once_then_together_and_a_critical_takes_all_along() {
        let mut groups = Groups::default();
        let start = Instant::now();
        let s = |seconds: u64| start + Duration::from_secs(seconds);
        let warning = |id| told(id, Severity::Warning, Transition::Firing);
        assert_eq!(ids(&groups.take(warning("a"), s(0)).unwrap()), ["a"]);
        assert!(groups.take(warning("b"), s(1)).is_none());
        assert!(groups.take(told("a", Severity::Critical, Transition::Resolved), s(2)).is_none());
        let mut other = warning("o");
        other.alert.source = Some(Id::from("other"));
        assert_eq!(ids(&groups.take(other, s(2)).unwrap()), ["o"], "another source has its own window");
        assert_eq!(groups.due(), Some(s(10)));
        assert!(groups.ready(s(9)).is_empty());
        let ready = groups.ready(s(10));
        assert_eq!((ready.len(), ids(&ready[0])), (1, vec!["b", "a"]));
        assert!(groups.take(warning("c"), s(12)).is_none());
        let escalated = told("c", Severity::Critical, Transition::Escalated);
        assert_eq!(ids(&groups.take(escalated, s(13)).unwrap()), ["c", "c"]);
        assert_eq!(groups.due(), None);
        assert!(groups.take(warning("d"), s(14)).is_none());
        assert!(groups.ready(s(22)).is_empty());
        assert_eq!(ids(&groups.ready(s(23))[0]), ["d"]);
        // A long silence later, the first is told at once again.
        assert_eq!(ids(&groups.take(warning("e"), s(60)).unwrap()), ["e"]);
    }
}
