//! What rules say of a floor as it is now: for the editor, before a rule is saved.

use std::sync::Arc;

use model::{Alert, AlertState, Overlay, Timestamp};

use super::{Alerts, Facts, Rulebook};

/// What rules would say if they came into force at this moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Present {
    /// They fire now, or would but for opening hours: the worst first.
    pub fires: Vec<Alert>,
    /// The condition holds and `for` has to pass first.
    pub pending: Vec<Alert>,
    /// Pairs of a rule and a target that were looked at.
    pub targets: usize,
    /// Pairs of which nothing can be said: a figure is not known.
    pub unknown: usize,
}

/// Lays rules over the floor and looks once. Nothing of it is kept; the alerts' ids mean nothing.
pub fn preview(facts: &dyn Facts, book: Arc<Rulebook>, now: Timestamp) -> Present {
    let mut alerts = Alerts::default();
    alerts.set_rules(book.clone());
    alerts.evaluate(facts, &[], now);
    let (targets, unknown) = alerts.tell_unknown(facts, now);
    let mut present = Present { targets, unknown, ..Present::default() };
    for alert in alerts.alerts() {
        let at_once = book.rule(&alert.rule).is_some_and(|rule| rule.hold_ms() == 0);
        let muted = alert.overlays.contains(&Overlay::Muted);
        if alert.state == AlertState::Pending && !(muted && at_once) {
            present.pending.push(alert);
        } else {
            present.fires.push(alert);
        }
    }
    // A stable sort: within a severity the order of source and id.
    for list in [&mut present.fires, &mut present.pending] {
        list.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
    }
    present
}
