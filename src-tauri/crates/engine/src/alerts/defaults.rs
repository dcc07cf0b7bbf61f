//! The rules that are on from the first minute. A user's rule of the same name replaces one.

use super::{OverrideSpec, RuleSpec};

/// Which default rules there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Whether there are any.
    pub on: bool,
    /// Ids of the sources of remote support. A session there is longer than a chat, and so is the wait that
    /// people take for granted: these sources have longer limits.
    pub remote_support: Vec<String>,
}

impl From<bool> for Defaults {
    fn from(on: bool) -> Self {
        Self { on, remote_support: Vec::new() }
    }
}

struct Default {
    name: &'static str,
    when: &'static str,
    critical: Option<&'static str>,
    /// `for`, `keep`, `repeat`.
    times: [&'static str; 3],
    clear: Option<&'static str>,
    min_n: Option<i64>,
    severity: &'static str,
}

const WARNING: &str = "warning";
const CRITICAL: &str = "critical";

/// A link that is lost shows within 10 s; with these 4 s the alert comes within 15 s of the loss.
const LOST: &str = "source.lost_for > 4s";

const LONG_WAIT: &str = "Long wait";

const DEFAULTS: &[Default] = &[
    Default {
        name: LONG_WAIT,
        when: "queue.longest_wait > 60s",
        critical: Some("queue.longest_wait > 120s"),
        times: ["0s", "30s", "5m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    // Nobody online is a rule of its own: here it would say the same thing twice.
    Default {
        name: "Waiting per agent",
        when: "queue.waiting_per_agent > 1 and queue.agents_online > 0",
        critical: Some("queue.waiting_per_agent > 2 and queue.agents_online > 0"),
        times: ["20s", "60s", "5m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Nobody online",
        when: "queue.agents_online == 0 and queue.waiting > 0 and queue.open_hours == true",
        critical: None,
        times: ["15s", "0s", "2m"],
        clear: None,
        min_n: None,
        severity: CRITICAL,
    },
    // A queue whose agents are all gone has no slots either; that is the rule above.
    Default {
        name: "No free slot",
        when: "queue.free_slots == 0 and queue.waiting > 0 and (queue.agents_online > 0 or queue.capacity > 0)",
        critical: None,
        times: ["30s", "30s", "5m"],
        clear: None,
        min_n: None,
        severity: CRITICAL,
    },
    Default {
        name: "Agent free while people wait",
        when: "agent.agents_free_while_waiting > 60s",
        critical: Some("agent.agents_free_while_waiting > 180s"),
        times: ["0s", "0s", "5m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Reply overdue",
        when: "conversation.state == active and conversation.reply_age > 120s",
        critical: Some("conversation.state == active and conversation.reply_age > 300s"),
        times: ["0s", "0s", "5m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Slots nearly full",
        when: "total.slot_utilisation > 85%",
        critical: Some("total.slot_utilisation > 95%"),
        times: ["120s", "120s", "15m"],
        clear: Some("total.slot_utilisation < 80%"),
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Abandonment",
        when: "queue.abandonment_rate@30m > 5%",
        critical: Some("queue.abandonment_rate@30m > 10%"),
        times: ["2m", "5m", "15m"],
        clear: Some("queue.abandonment_rate@30m < 4%"),
        min_n: Some(20),
        severity: WARNING,
    },
    Default {
        name: "Service level",
        when: "queue.service_level@30m < 80%",
        critical: Some("queue.service_level@30m < 70%"),
        times: ["2m", "5m", "15m"],
        clear: Some("queue.service_level@30m > 83%"),
        min_n: Some(10),
        severity: WARNING,
    },
    Default {
        name: "Agent away",
        when: "agent.presence == away and agent.time_in_presence > 15m",
        critical: Some("agent.presence == away and agent.time_in_presence > 30m"),
        times: ["0s", "0s", "30m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Source lost",
        when: LOST,
        critical: Some("source.lost_for > 60s"),
        times: ["0s", "0s", "5m"],
        clear: None,
        min_n: None,
        severity: WARNING,
    },
    Default {
        name: "Sign-in refused",
        when: "source.denied == true",
        critical: None,
        times: ["0s", "0s", "15m"],
        clear: None,
        min_n: None,
        severity: CRITICAL,
    },
];

/// The default rules as a person would have written them.
pub(crate) fn default_rules(defaults: &Defaults) -> Vec<RuleSpec> {
    if !defaults.on {
        return Vec::new();
    }
    let mut rules: Vec<_> = DEFAULTS.iter().map(Default::spec).collect();
    if !defaults.remote_support.is_empty() {
        let patient = longest_wait_in_remote_support(&defaults.remote_support);
        rules
            .iter_mut()
            .filter(|rule| rule.name == LONG_WAIT)
            .for_each(|r| r.overrides.push(patient.clone()));
    }
    rules
}

fn longest_wait_in_remote_support(sources: &[String]) -> OverrideSpec {
    OverrideSpec {
        source: Some(sources.to_vec()),
        when: Some("queue.longest_wait > 3m".into()),
        critical: Some("queue.longest_wait > 10m".into()),
        keep: Some("60s".into()),
        repeat: Some("10m".into()),
        ..OverrideSpec::default()
    }
}

impl Default {
    fn spec(&self) -> RuleSpec {
        RuleSpec {
            name: self.name.into(),
            when: self.when.into(),
            critical: self.critical.map(Into::into),
            hold: Some(self.times[0].into()),
            keep: Some(self.times[1].into()),
            repeat: Some(self.times[2].into()),
            clear: self.clear.map(Into::into),
            min_n: self.min_n,
            severity: (self.critical.is_none()).then(|| self.severity.into()),
            ..RuleSpec::default()
        }
    }
}
