//! Rules and the alert state machine.

mod condition;
mod defaults;
mod facts;
mod globs;
mod hours;
mod language;
pub mod metrics;
mod rule;
mod rulebook;
mod spec;

pub use facts::{Facts, MetricName, Reading, Touched, floor_key, source_key};
pub use language::RuleError;
pub use rule::{Channel, Rule};
pub use rulebook::Rulebook;
pub use spec::{
    GroupSpec, HoursSpec, OverrideSpec, Position, RuleSpec, ScopeSpec, ServiceLevelTarget, SlFormula, Targets,
};
