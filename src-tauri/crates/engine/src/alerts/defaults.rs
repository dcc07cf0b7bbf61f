//! The rules that are on from the first minute. A user's rule of the same name replaces one.

use super::RuleSpec;

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

const DEFAULTS: &[Default] = &[
    Default {
        name: "Long wait",
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
pub(crate) fn default_rules() -> Vec<RuleSpec> {
    DEFAULTS
        .iter()
        .map(|d| RuleSpec {
            name: d.name.into(),
            when: d.when.into(),
            critical: d.critical.map(Into::into),
            hold: Some(d.times[0].into()),
            keep: Some(d.times[1].into()),
            repeat: Some(d.times[2].into()),
            clear: d.clear.map(Into::into),
            min_n: d.min_n,
            severity: (d.critical.is_none()).then(|| d.severity.into()),
            ..RuleSpec::default()
        })
        .collect()
}
