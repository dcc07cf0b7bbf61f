//! What is asked and how often.

use std::time::Duration;

/// One endpoint of a polled vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Lower-case name, as it stands in `gaps`. Two plans may share one.
    pub name: &'static str,
    /// How often it is asked.
    pub every: Duration,
    /// A look-up: the floor can live without it, so it never decides how well the source is.
    pub optional: bool,
}

impl Plan {
    /// An endpoint that carries state.
    pub fn of(name: &'static str, seconds: u64) -> Self {
        Self { name, every: Duration::from_secs(seconds), optional: false }
    }
    /// A look-up.
    pub fn look_up(name: &'static str, seconds: u64) -> Self {
        Self { name, every: Duration::from_secs(seconds), optional: true }
    }
}

/// Scales a vendor's usual plans so that the fastest endpoint is asked every `wanted`, but never more
/// often than every `floor`. The others keep their proportion. Without `wanted` the usual pace holds.
pub fn pace(usual: &[Plan], wanted: Option<Duration>, floor: Duration) -> Vec<Plan> {
    let fastest = usual.iter().map(|plan| plan.every).min().unwrap_or(floor).max(Duration::from_millis(1));
    let factor = wanted.unwrap_or(fastest).max(floor).as_secs_f64() / fastest.as_secs_f64();
    usual
        .iter()
        .map(|plan| Plan {
            every: Duration::from_millis((plan.every.as_secs_f64() * factor * 1000.0).round() as u64),
            ..plan.clone()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(wanted: Option<u64>) -> Vec<u64> {
        let usual = [Plan::of("rightnow", 15), Plan::of("agents", 30), Plan::look_up("lookups", 900)];
        pace(&usual, wanted.map(Duration::from_secs), Duration::from_secs(10))
            .iter()
            .map(|plan| plan.every.as_secs())
            .collect()
    }

    #[test]
    fn others_scale_and_the_floor_wins() {
        assert_eq!(seconds(None), [15, 30, 900]);
        assert_eq!(seconds(Some(30)), [30, 60, 1800]);
        assert_eq!(seconds(Some(2)), [10, 20, 600]);
    }
}
