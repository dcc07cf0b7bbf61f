//! What polled vendors' connectors have in common beside the driver.

use link::poll::{Moment, Plan};
use model::{Batch, Change, Health, HealthReport, Timestamp};

use crate::{Endpoint, SourceLink};

/// The plans as `check` prints them, each name once.
pub fn endpoints(plans: &[Plan]) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for plan in plans {
        if !endpoints.iter().any(|known| known.name == plan.name) {
            endpoints.push(Endpoint { name: plan.name, every: plan.every });
        }
    }
    endpoints
}

/// Says that nothing will work before the configuration changes, and waits to be stopped.
pub async fn misconfigured(link: &SourceLink, sentence: String) {
    let report = HealthReport { error: Some(sentence), ..HealthReport::of(Health::Misconfigured) };
    let batch =
        Batch { source: link.source.clone(), at: link.clock.now(), changes: vec![Change::Health(report)] };
    let said = tokio::select! {
        () = link.stop.cancelled() => return,
        sent = link.out.send(batch) => sent.is_ok(),
    };
    if said {
        tokio::select! {
            () = link.stop.cancelled() => {}
            () = link.out.closed() => {}
        }
    }
}

/// The instant that a reported duration stands for. It stays where it is unless it moved by more than a
/// poll can be off; a duration that is not told leaves it as it was.
pub fn stay_put(before: Option<Timestamp>, seconds: Option<f64>, moment: Moment) -> Option<Timestamp> {
    let Some(seconds) = seconds else { return before };
    let now = moment.vendor.plus_seconds(-seconds);
    match before {
        Some(before) if before.since(now).max(now.since(before)) <= moment.uncertainty => Some(before),
        _ => Some(now),
    }
}
