//! A rule, checked and ready to be tested.

use model::{Id, Severity, SubjectKind, Timestamp};

use super::{MetricName, RuleSpec, asks::Asked, condition::Expr, globs::Globs, hours::Schedule};

/// Where a notice of a rule goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The operating system's notification.
    Desktop,
    /// A tone.
    Sound,
    /// The tray's shape and number.
    Tray,
    /// `webhook:NAME`.
    Webhook(String),
}

/// One rule with its overrides.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) name: String,
    pub(crate) subject: SubjectKind,
    /// Severity of an episode before it escalates.
    pub(crate) severity: Severity,
    pub(crate) scope: Scope,
    pub(crate) notify: Vec<Channel>,
    pub(crate) min_n: Option<u32>,
    pub(crate) active: Option<Schedule>,
    /// It looks at opening hours itself, so that they do not mute it.
    pub(crate) names_hours: bool,
    /// The rule's own terms first, then the overrides.
    pub(crate) terms: Vec<Terms>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) is_default: bool,
    /// As it was written.
    pub(crate) spec: Box<RuleSpec>,
}

impl Rule {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// What it looks at.
    pub fn subject(&self) -> SubjectKind {
        self.subject
    }
    /// Whether it came with the program.
    pub fn is_default(&self) -> bool {
        self.is_default
    }
    /// Where its notices go.
    pub fn notify(&self) -> &[Channel] {
        &self.notify
    }
    /// Whether it is on (an override can still turn it on or off for some targets).
    pub fn is_enabled(&self) -> bool {
        self.terms.first().is_some_and(|t| t.enabled)
    }
    /// The condition as written.
    pub fn when(&self) -> &str {
        self.terms.first().map_or("", |t| t.when_text.as_str())
    }
    /// The critical condition as written.
    pub fn critical(&self) -> Option<&str> {
        self.terms.first().and_then(|t| t.critical_text.as_deref())
    }
    /// After how many milliseconds a notice is repeated while it fires.
    pub fn repeat_ms(&self) -> i64 {
        self.terms.first().map_or(300_000, |t| t.repeat_ms)
    }

    /// For how many milliseconds the condition must hold before it fires.
    pub fn hold_ms(&self) -> i64 {
        self.terms.first().map_or(0, |t| t.hold_ms)
    }
    /// For how many milliseconds it must stay clear before it is resolved.
    pub fn keep_ms(&self) -> i64 {
        self.terms.first().map_or(30_000, |t| t.keep_ms)
    }
    /// Severity of an episode before it escalates.
    pub fn severity(&self) -> Severity {
        self.severity
    }
    /// A mark of its wording: another one after each change, wherever in the file it stands.
    pub fn version(&self) -> String {
        let spec = RuleSpec { position: Default::default(), ..(*self.spec).clone() };
        // FNV-1a over what the wording comes to.
        let hash = format!("{spec:?}").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{:08x}", (hash ^ (hash >> 32)) & 0xffff_ffff)
    }
    /// The rule as it was written.
    pub fn spec(&self) -> &RuleSpec {
        &self.spec
    }

    /// Which terms hold for a target: 0 is the rule's own; `None`: the rule does not look at it.
    pub(crate) fn terms_for(&self, who: &Who<'_>, groups: &[Group]) -> Option<usize> {
        if !self.scope.includes(who, groups) {
            return None;
        }
        let narrowest = [Level::Queue, Level::Group, Level::Source]
            .into_iter()
            .find_map(|level| self.overrides.iter().position(|o| o.level == level && o.matches(who, groups)));
        let terms = narrowest.map_or(0, |at| at + 1);
        self.terms[terms].enabled.then_some(terms)
    }
}

/// Conditions and times: of the rule, or of the rule as an override changes it.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub enabled: bool,
    /// Metrics in the order in which expressions name them.
    pub reads: Vec<MetricName>,
    /// Where each of them stands in what is asked of the rule's kind of target.
    pub asked: Asked,
    pub when: Expr,
    pub critical: Option<Expr>,
    /// The recovery condition, where one is written.
    pub clear: Option<Expr>,
    pub hold_ms: i64,
    pub keep_ms: i64,
    pub repeat_ms: i64,
    pub when_text: String,
    pub critical_text: Option<String>,
    /// "override for group “Billing”"; empty for the rule's own.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Queue,
    Group,
    Source,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Queue => "queue",
            Level::Group => "group",
            Level::Source => "source",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Override {
    pub level: Level,
    pub globs: Globs,
}

impl Override {
    fn matches(&self, who: &Who<'_>, groups: &[Group]) -> bool {
        match self.level {
            Level::Queue => who.in_queue(&self.globs),
            Level::Group => who.in_group(&self.globs, groups),
            Level::Source => who.in_source(&self.globs),
        }
    }
}

/// What a rule looks at. Lists that are absent restrict nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub source: Option<Globs>,
    pub queue: Option<Globs>,
    pub group: Option<Globs>,
    pub agent: Option<Globs>,
}

impl Scope {
    fn includes(&self, who: &Who<'_>, groups: &[Group]) -> bool {
        let ok = |globs: &Option<Globs>, test: &dyn Fn(&Globs) -> bool| globs.as_ref().is_none_or(test);
        ok(&self.source, &|g| who.in_source(g))
            && ok(&self.queue, &|g| who.in_queue(g))
            && ok(&self.group, &|g| who.in_group(g, groups))
            && ok(&self.agent, &|g| who.has_agent(g))
    }
}

/// `[[group]]`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub name: String,
    pub queues: Globs,
}

/// `[[hours]]`.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    pub queues: Globs,
    pub schedule: Schedule,
}

/// A target with the names that globs look at.
#[derive(Debug, Default)]
pub(crate) struct Who<'a> {
    pub source: Option<&'a Id>,
    pub source_name: &'a str,
    /// Queues it belongs to: id and name.
    pub queues: &'a [(Id, String)],
    /// Agents it belongs to: id and name.
    pub agents: &'a [(Id, String)],
}

impl Who<'_> {
    fn in_source(&self, globs: &Globs) -> bool {
        self.source.is_some_and(|id| globs.matches(id) || globs.matches(self.source_name))
    }
    fn any(&self, entities: &[(Id, String)], globs: &Globs) -> bool {
        self.source.is_some_and(|s| entities.iter().any(|(id, name)| globs.matches_entity(s, id, name)))
    }
    pub fn in_queue(&self, globs: &Globs) -> bool {
        self.any(self.queues, globs)
    }
    fn in_group(&self, names: &Globs, groups: &[Group]) -> bool {
        groups.iter().any(|g| names.matches(&g.name) && self.in_queue(&g.queues))
    }
    fn has_agent(&self, globs: &Globs) -> bool {
        self.any(self.agents, globs)
    }

    /// Whether one of its queues is open, and until when that stays so. Without queues, or for a queue
    /// without an entry: always open.
    pub fn is_open(&self, hours: &[Hours], now: Timestamp) -> (bool, Option<Timestamp>) {
        let Some(source) = self.source else { return (true, None) };
        let mut until: Option<Timestamp> = None;
        let mut open = self.queues.is_empty();
        for (id, name) in self.queues {
            let mut entries = hours.iter().filter(|h| h.queues.matches_entity(source, id, name)).peekable();
            open |= entries.peek().is_none();
            for entry in entries {
                let (is_open, change) = entry.schedule.at(now);
                open |= is_open;
                until = Some(until.map_or(change, |u| u.min(change)));
            }
        }
        (open, until)
    }
}
