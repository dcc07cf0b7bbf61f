//! Rules and the alert state machine.

mod asks;
mod budget;
mod condition;
mod deadlines;
mod defaults;
mod episode;
mod facts;
mod globs;
mod hours;
mod language;
mod machine;
pub mod metrics;
mod notice;
mod panel;
mod preview;
mod rule;
mod rulebook;
mod sentence;
mod slots;
mod spec;
mod stopwatch;
mod tray;
mod trial;

pub(crate) use metrics::Measure;

pub use budget::{Budget, HOURLY, Spent};
pub use defaults::Defaults;
pub use facts::{Ask, Called, Facts, MetricName, Names, Reading, Touched, floor_key, source_key};
pub use hours::Schedule;
pub use language::RuleError;
pub use machine::Alerts;
pub use notice::{Notice, Notices, Quiet, Telling, Tone, Why, Wishes};
pub use preview::{Present, preview};
pub use rule::{Channel, Rule};
pub use rulebook::Rulebook;
pub use spec::{
    GroupSpec, HoursSpec, OverrideSpec, Position, RuleSpec, ScopeSpec, ServiceLevelTarget, SlFormula, Targets,
};
pub use stopwatch::{Stopwatch, Timers};
pub use tray::{TrayCounts, TrayModel, TrayShape, is_loud};
pub use trial::{Fired, Trial};
