//! What polled vendors' connectors have in common beside the driver.

use std::time::Duration;

use link::poll::{Moment, Plan, Share};
use model::{Batch, Change, Health, HealthReport, Timestamp};

use crate::{Endpoint, SourceLink};

/// Who was on a page of a list that has not come for so many intervals is no longer shown as present.
pub const STALE_AFTER: u32 = 3;

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

/// How much longer than wanted all intervals of a source must be, so that it and those who share its budget
/// stay within `calls` per `per`; 1 where they do anyway. `wanted` is what is asked: how often, and how many
/// requests it takes.
pub fn stretch(
    wanted: impl IntoIterator<Item = (Duration, u32)>,
    share: &Share,
    calls: u32,
    per: Duration,
) -> f64 {
    let cost = |(every, requests): (Duration, u32)| {
        f64::from(requests) * per.as_secs_f64() / every.as_secs_f64().max(0.001)
    };
    let spent: f64 = wanted.into_iter().map(cost).sum();
    (spent * f64::from(share.sharers()) / f64::from(calls.max(1))).max(1.0)
}

#[cfg(test)]
mod tests {
    use link::poll::Budgets;
    use url::Url;

    use super::*;

    #[test]
    fn six_sources_at_one_address_ask_six_times_less_often() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let (budgets, place) = (Budgets::default(), Url::parse("http://127.0.0.1:1").unwrap());
        let share = || budgets.share(&place, None, 60, minute);
        let first = share();
        let factor = || stretch([(second * 2, 1), (second * 4, 2)], &first, 60, minute);
        assert_eq!(factor(), 1.0);
        let others: Vec<Share> = (0..5).map(|_| share()).collect();
        assert_eq!(factor(), 6.0);
        drop(others);
        assert_eq!(factor(), 1.0);
    }
}
