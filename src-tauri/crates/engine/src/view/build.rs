//! One row of the world as a row of the screen.

use model::{Alert, Key, SubjectKind, Timestamp, Window};

use super::{
    AgentRow, AlertRow, Certainty, ConversationRow, Ms, Need, QueueRow, SourceRow,
    cells::{certainty, count, windowed},
};
use crate::world::{Floor, World, title};

/// The key that patches name a row by.
pub(super) fn row_key(key: &Key) -> String {
    format!("{}\u{1f}{}", key.source, key.id)
}

/// The age of a row is told only when it is old: a live row is fresh, and telling its age would send
/// every row with every answer of the vendor.
fn data_at(floor: &Floor) -> Option<Ms> {
    if floor.is_live() { None } else { floor.source.last_data_at.map(Timestamp::as_ms) }
}

pub(super) fn queue_row(world: &World, key: &Key, now: Timestamp) -> Option<QueueRow> {
    let floor = world.floor(&key.source)?;
    let slot = floor.queues.get(&key.id)?;
    let queue = &slot.row;
    let (need, acked) = world.need(SubjectKind::Queue, key, floor);
    let nobody = queue.waiting == Some(0);
    let since = queue.waiting_since.filter(|_| !nobody);
    let provided = floor.source.provides.contains_key("queue.waiting_since");
    let figure = |metric| windowed(floor, "queue", &queue.windows, metric, Window::M30);
    Some(QueueRow {
        key: row_key(key),
        source: queue.source.clone(),
        id: queue.id.clone(),
        name: queue.name.clone(),
        kind: queue.kind,
        vendor: floor.source.vendor,
        source_name: floor.source.name.clone(),
        need,
        acked,
        waiting: count(floor, "queue.waiting", queue.waiting),
        waiting_since: since.map(|at| floor.shown(at)),
        longest: certainty(floor, provided, nobody || since.is_some()),
        expected_at: queue.expected_at.map(|at| floor.shown(at)),
        open: count(floor, "queue.open", queue.open),
        capacity: count(floor, "queue.capacity", queue.capacity),
        free: count(floor, "queue.free_capacity", queue.free_capacity),
        online: count(floor, "queue.agents_online", queue.agents_online),
        service_level: figure("service_level"),
        abandoned: figure("abandoned"),
        average_wait: figure("average_wait"),
        trend: slot.extra.trend.series(now),
        data_at: data_at(floor),
        live: floor.is_live(),
        console_url: world.console(&key.source).map(|template| console_url(template, &queue.id)),
    })
}

/// Puts a queue's id into an address, percent-encoded so that no vendor text can change where it leads.
fn console_url(template: &str, queue: &str) -> String {
    let mut encoded = String::with_capacity(queue.len());
    for byte in queue.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    template.replace("{queue}", &encoded)
}

pub(super) fn agent_row(world: &World, key: &Key) -> Option<AgentRow> {
    let floor = world.floor(&key.source)?;
    let agent = &floor.agents.get(&key.id)?.row;
    let (need, acked) = world.need(SubjectKind::Agent, key, floor);
    Some(AgentRow {
        key: row_key(key),
        source: agent.source.clone(),
        id: agent.id.clone(),
        name: agent.name.clone(),
        vendor: floor.source.vendor,
        source_name: floor.source.name.clone(),
        presence: agent.presence,
        presence_label: agent.presence_label.clone(),
        flags: agent.flags.clone(),
        presence_since: agent.presence_since.map(|at| floor.shown(at)),
        presence_since_kind: agent.presence_since_kind,
        logged_in_at: agent.logged_in_at.map(|at| floor.shown(at)),
        open: count(floor, "agent.open", agent.open),
        capacity: count(floor, "agent.capacity", agent.capacity),
        need,
        acked,
        live: floor.is_live(),
        data_at: data_at(floor),
    })
}

pub(super) fn conversation_row(world: &World, key: &Key) -> Option<ConversationRow> {
    let floor = world.floor(&key.source)?;
    let c = &floor.conversations.get(&key.id)?.row;
    let (need, _) = world.need(SubjectKind::Conversation, key, floor);
    let shown = |at: Option<Timestamp>| at.map(|at| floor.shown(at));
    let name = |id: &model::Id| match floor.agents.get(id) {
        Some(slot) => slot.row.name.clone(),
        None => id.as_str().to_owned(),
    };
    Some(ConversationRow {
        key: row_key(key),
        source: c.source.clone(),
        id: c.id.clone(),
        vendor: floor.source.vendor,
        source_name: floor.source.name.clone(),
        state: c.state,
        title: title(c),
        queue_name: c.queue.as_ref().map(|id| match floor.queues.get(id) {
            Some(slot) => slot.row.name.clone(),
            None => id.as_str().to_owned(),
        }),
        agent_names: c.agents.iter().flatten().map(name).collect(),
        channel: c.channel,
        started_via: c.started_via,
        started_via_label: c.started_via_label.clone(),
        created_at: shown(c.created_at),
        expected_at: shown(c.expected_at),
        waiting_since: shown(c.waiting_since),
        answered_at: shown(c.answered_at),
        last_customer_message_at: shown(c.last_customer_message_at),
        last_agent_message_at: shown(c.last_agent_message_at),
        need,
        live: floor.is_live(),
    })
}

pub(super) fn alert_row(world: &World, alert: &Alert) -> AlertRow {
    let source = alert.source.as_ref().and_then(|id| world.source(id));
    AlertRow {
        key: alert.id.as_str().to_owned(),
        id: alert.id.clone(),
        rule: alert.rule.clone(),
        severity: alert.severity,
        state: alert.state,
        overlays: alert.overlays.clone(),
        source: alert.source.clone(),
        source_name: source.map(|s| s.name.clone()),
        vendor: source.map(|s| s.vendor),
        subject: alert.subject.clone(),
        metric: alert.metric.clone(),
        value: alert.value,
        limit: alert.limit,
        unit: alert.unit.clone(),
        reason: alert.reason.clone(),
        since: alert.fired_at.or(alert.pending_since).map(Timestamp::as_ms),
        acked_until: alert.acked_until.map(Timestamp::as_ms),
        snoozed_until: alert.snoozed_until.map(Timestamp::as_ms),
        flapping: alert.flapping,
        counts_from: world.alert_counts_from(&alert.id).map(Timestamp::as_ms),
    }
}

pub(super) fn source_row(floor: &Floor, now: Timestamp) -> SourceRow {
    let source = &floor.source;
    let len = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    SourceRow {
        key: source.id.as_str().to_owned(),
        id: source.id.clone(),
        name: source.name.clone(),
        vendor: source.vendor,
        health: source.health,
        health_since: source.health_since.as_ms(),
        last_data_at: source.last_data_at.map(Timestamp::as_ms),
        last_error: source.last_error.clone(),
        retry_at: source.retry_at.map(Timestamp::as_ms),
        clock_skew_s: source.clock_skew_s,
        gaps: source.gaps.clone(),
        queues: len(floor.queues.len()),
        agents: len(floor.agents.len()),
        conversations: len(floor.conversations.len()),
        changes_per_minute: floor.meter.last_minute(now),
    }
}

/// How much an alert's row needs somebody: what is acknowledged or quiet still stands.
pub(super) fn need_of(severity: model::Severity) -> Need {
    match severity {
        model::Severity::Critical => Need::Critical,
        model::Severity::Warning => Need::Warning,
    }
}

/// What a sum over sources is when nobody tells it now.
pub(super) fn sum_certainty(there: bool, live: bool, provided: bool) -> Certainty {
    match (there, live, provided) {
        (true, true, _) => Certainty::Known,
        (true, false, _) => Certainty::Stale,
        (false, _, true) => Certainty::Unknown,
        (false, _, false) => Certainty::NotGiven,
    }
}
