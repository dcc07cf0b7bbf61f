//! Rules and the alert state machine.

/// The rules in force, with groups, hours and targets. Replaced by the real one.
#[derive(Clone, Debug, Default)]
pub struct Rulebook {}
