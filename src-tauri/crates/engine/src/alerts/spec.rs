//! Rules as a person wrote them: plain text fields. The application fills them from the TOML file.

/// Where a rule stands in the file: meaningless here, handed back with errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position(pub usize);

/// `scope = { … }`: globs; an absent list restricts nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScopeSpec {
    /// Globs over source ids and names.
    pub source: Option<Vec<String>>,
    /// Globs over `source:id` and `source:name` of queues.
    pub queue: Option<Vec<String>>,
    /// Globs over names of groups.
    pub group: Option<Vec<String>>,
    /// Globs over `source:id` and `source:name` of agents.
    pub agent: Option<Vec<String>>,
}

/// `[[alert.override]]`. One of `queue`, `group`, `source`; anything else set replaces the rule's own.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct OverrideSpec {
    pub queue: Option<Vec<String>>,
    pub group: Option<Vec<String>>,
    pub source: Option<Vec<String>>,
    pub when: Option<String>,
    pub critical: Option<String>,
    /// `for`.
    pub hold: Option<String>,
    pub clear: Option<String>,
    pub keep: Option<String>,
    pub repeat: Option<String>,
    pub enabled: Option<bool>,
}

/// `[[alert]]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct RuleSpec {
    pub position: Position,
    pub name: String,
    pub when: String,
    pub critical: Option<String>,
    pub scope: ScopeSpec,
    /// `for`.
    pub hold: Option<String>,
    pub clear: Option<String>,
    pub keep: Option<String>,
    pub repeat: Option<String>,
    pub min_n: Option<i64>,
    /// As `open` in `[[hours]]`.
    pub active: Option<Vec<String>>,
    /// Zone of `active`.
    pub zone: Option<String>,
    /// `warning` or `critical`.
    pub severity: Option<String>,
    pub notify: Option<Vec<String>>,
    pub enabled: Option<bool>,
    pub overrides: Vec<OverrideSpec>,
}

/// `[[group]]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct GroupSpec {
    pub position: Position,
    pub name: String,
    pub queues: Vec<String>,
}

/// `[[hours]]`.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct HoursSpec {
    pub position: Position,
    pub queues: Vec<String>,
    pub zone: String,
    pub open: Vec<String>,
}

/// Formula of the service level, as in the metric dictionary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SlFormula {
    /// (answered in time + abandoned in time) / offered.
    F1,
    /// answered in time / answered.
    F2,
    /// answered in time / offered.
    F3,
    /// answered in time / (offered - short abandons).
    #[default]
    F4,
    /// (answered in time + short abandons) / offered.
    F5,
}

/// `[targets] service_level`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceLevelTarget {
    /// Share that must be answered in time, 0–1.
    pub target: f64,
    /// In time, seconds.
    pub within_s: f64,
    /// How it is counted.
    pub formula: SlFormula,
    /// An abandon after at most so many seconds is short.
    pub short_abandon_s: f64,
}

/// `[targets]`: what the cards and the service level are held against. Already read and checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Targets {
    /// People waiting on the floor.
    pub waiting: u32,
    /// Seconds.
    pub longest_wait_s: f64,
    /// Service level.
    pub service_level: ServiceLevelTarget,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            waiting: 15,
            longest_wait_s: 120.0,
            service_level: ServiceLevelTarget {
                target: 0.8,
                within_s: 60.0,
                formula: SlFormula::F4,
                short_abandon_s: 10.0,
            },
        }
    }
}
