//! Rules and the alert state machine.

mod facts;
pub mod metrics;
mod spec;

pub use facts::{Facts, MetricName, Reading, Touched, floor_key, source_key};
pub use spec::{
    GroupSpec, HoursSpec, OverrideSpec, Position, RuleSpec, ScopeSpec, ServiceLevelTarget, SlFormula, Targets,
};

/// The rules in force, with groups, hours and targets.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {
    targets: Targets,
}

impl Rulebook {
    /// What the cards are held against.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }
}
