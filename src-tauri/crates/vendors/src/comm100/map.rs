//! From Comm100's answers to the model's rows. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use link::poll::Rows;
use model::{
    Agent, Conversation, ConversationState, Figure, Id, Presence, Queue, QueueKind, Timestamp, Totals, Window,
};

use super::{
    status::Statuses,
    wire::{AgentRow, QueueRow, RightNow, Today, Waiting, named},
};
use crate::{
    figures::{count, reported, sorted},
    loose::Count,
};

/// Everything that Comm100 has told us, as it stands now.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// `realTime/RightNow`; `None` when not known now.
    pub rightnow: Option<RightNow>,
    /// `realTime/Today`; `None` when not known now.
    pub today: Option<Today>,
    /// `realTime/Queue`, and whether its figures are of now.
    pub queue: Option<(Vec<QueueRow>, bool)>,
    /// Agents by id.
    pub agents: BTreeMap<String, AgentRow>,
    /// How far `agents` can be trusted.
    pub roster: Roster,
    /// Agents on pages that have not come for too long.
    pub unheard: BTreeSet<String>,
    /// Meaning of status ids.
    pub statuses: Statuses,
    /// Members by department id, where the look-up may be read.
    pub members: Option<BTreeMap<String, Vec<String>>>,
    /// Department names by id.
    pub departments: HashMap<String, String>,
    /// Limits by agent id, where the look-up may be read.
    pub limits: HashMap<String, u32>,
    /// The limit that holds for all agents, where the look-up may be read.
    pub limit_for_all: Option<u32>,
    /// When each visitor began to wait, by queue and visitor.
    pub since: HashMap<(Id, String), Timestamp>,
}

/// How far the list of agents can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roster {
    /// Never read, or too old.
    #[default]
    Unknown,
    /// Some may be missing.
    Partial,
    /// Everybody.
    Whole,
}

/// What a queue row is about.
pub struct Place<'a> {
    pub id: Id,
    pub kind: QueueKind,
    pub guid: Option<&'a str>,
    /// Of several rows that name the same visitor the lowest counts: agent, department, site.
    pub rank: u8,
}

/// Agent before department before site; the zero GUID is no reference.
pub fn place(row: &QueueRow) -> Place<'_> {
    let agent = named(&row.agent_id.0).or_else(|| named(&row.agent.0.id));
    let department = named(&row.department_id.0).or_else(|| named(&row.department.0.id));
    match (agent, department) {
        (Some(guid), _) => {
            Place { id: format!("agent:{guid}").into(), kind: QueueKind::Personal, guid: Some(guid), rank: 0 }
        }
        (None, Some(guid)) => Place {
            id: format!("dept:{guid}").into(),
            kind: QueueKind::Department,
            guid: Some(guid),
            rank: 1,
        },
        (None, None) => Place { id: "site".into(), kind: QueueKind::Site, guid: None, rank: 2 },
    }
}

/// All rows of the floor.
pub fn rows(source: &Id, known: &Known) -> Rows {
    let agents = agents(source, known);
    let queues = queues(source, known, &agents);
    let conversations = conversations(source, known);
    Rows { queues, agents, conversations, totals: Some(totals(source, known)) }
}

fn agents(source: &Id, known: &Known) -> BTreeMap<Id, Agent> {
    known
        .agents
        .iter()
        .map(|(guid, row)| (Id::from(guid.as_str()), agent(source, known, guid, row)))
        .collect()
}

fn agent(source: &Id, known: &Known, guid: &str, row: &AgentRow) -> Agent {
    let current = known.roster != Roster::Unknown && !known.unheard.contains(guid);
    let status = known.statuses.resolve(row.status.0.as_deref().filter(|_| current));
    let open = row.open.0.filter(|_| current);
    // 0 means that no limit is known, not that nothing may be taken.
    let capacity = row
        .capacity
        .0
        .filter(|max| *max > 0)
        .or_else(|| known.limits.get(guid).copied())
        .or(known.limit_for_all)
        .filter(|max| *max > 0);
    let presence = match (status.presence, open, capacity) {
        (Presence::Available, Some(open), Some(capacity)) if open >= capacity => Presence::Busy,
        (presence, ..) => presence,
    };
    let free_capacity = capacity.zip(open).map(|(capacity, open)| capacity.saturating_sub(open));
    let day = |value: Option<f64>| value.filter(|_| current);
    Agent {
        source: source.clone(),
        id: guid.into(),
        name: agent_name(guid, row),
        email: None,
        presence,
        presence_label: status.label,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open,
        capacity,
        free_capacity,
        queues: known.members.as_ref().map(|members| {
            let of = members.iter().filter(|(_, agents)| agents.iter().any(|agent| agent == guid));
            of.map(|(department, _)| format!("dept:{department}").into()).collect()
        }),
        windows: sorted(vec![
            reported("chat_time", Window::Today, day(row.chat_time.0)),
            reported("handled", Window::Today, day(count(row.handled.0))),
        ]),
    }
}

fn agent_name(guid: &str, row: &AgentRow) -> String {
    row.name.0.as_deref().map_or_else(|| short(guid), |name| name.trim().to_owned())
}

fn short(guid: &str) -> String {
    guid.chars().take(8).collect()
}

fn queues(source: &Id, known: &Known, agents: &BTreeMap<Id, Agent>) -> BTreeMap<Id, Queue> {
    let mut queues = BTreeMap::new();
    let Some((rows, current)) = &known.queue else { return queues };
    for row in rows {
        let place = place(row);
        let deleted = match place.kind {
            QueueKind::Personal => row.agent.0.deleted.0,
            QueueKind::Department => row.department.0.deleted.0,
            _ => None,
        } == Some(true);
        let waiting = waiting(row);
        if deleted && waiting == Some(0) && row.open.0 == Some(0) {
            continue;
        }
        let mut name = queue_name(known, row, &place);
        if deleted {
            name.push_str(" (deleted)");
        }
        let queue = queue(source, known, agents, row, &place, name, waiting.filter(|_| *current), *current);
        // Rows are never merged: of two that claim the same target the first stands.
        queues.entry(place.id).or_insert(queue);
    }
    queues
}

/// The number that is told. Where none is told or none can be read the visitors are counted, if all that
/// are listed can be read; below zero is the vendor's own "not known".
fn waiting(row: &QueueRow) -> Option<u32> {
    let listed = || {
        let visitors = row.visitors.0.as_ref()?;
        let all_are_read = visitors.iter().all(|visitor| visitor.seen > 0);
        all_are_read.then(|| u32::try_from(each_once(visitors).count()).ok())?
    };
    match &row.waiting.0 {
        told if told.number().is_some_and(|number| number < 0.0) => None,
        told => Count::from(told).0.or_else(listed),
    }
}

/// The visitors of a row, each once: one who is listed twice waits once.
fn each_once(visitors: &[Waiting]) -> impl Iterator<Item = &Waiting> {
    let mut seen = BTreeSet::new();
    visitors.iter().filter(move |visitor| named(&visitor.id).is_none_or(|guid| seen.insert(guid)))
}

#[allow(clippy::too_many_arguments)]
fn queue(
    source: &Id,
    known: &Known,
    agents: &BTreeMap<Id, Agent>,
    row: &QueueRow,
    place: &Place<'_>,
    name: String,
    waiting: Option<u32>,
    current: bool,
) -> Queue {
    let visitors: &[Waiting] = row.visitors.0.as_deref().filter(|_| current).unwrap_or_default();
    let somebody = waiting.is_some_and(|n| n > 0);
    let oldest = visitors
        .iter()
        .filter_map(|visitor| known.since.get(&(place.id.clone(), visitor.id.0.clone()?)).copied())
        .min();
    let waits: Vec<f64> = each_once(visitors).filter_map(|visitor| visitor.wait.0).collect();
    let average = waits.iter().sum::<f64>() / waits.len() as f64;
    let open = row.open.0.filter(|_| current);
    let capacity = row.capacity.0.filter(|max| *max > 0 && current);
    let staff = staff(known, agents, place).filter(|staff| somebody_is_known(staff));
    let among = |wanted: fn(Presence) -> bool| {
        let staff = staff.as_ref()?;
        u32::try_from(staff.iter().filter(|presence| wanted(**presence)).count()).ok()
    };
    let now = |value: Option<f64>| value.filter(|_| current);
    Queue {
        source: source.clone(),
        id: place.id.clone(),
        name,
        kind: place.kind,
        waiting,
        waiting_since: oldest.filter(|_| somebody),
        average_wait_s: Some(average).filter(|average| somebody && average.is_finite()),
        open,
        capacity,
        free_capacity: capacity.zip(open).map(|(capacity, open)| capacity.saturating_sub(open)),
        agents_online: among(Presence::is_online),
        agents_available: among(|presence| presence == Presence::Available),
        expected_at: None,
        windows: sorted(vec![
            reported("abandoned", Window::M30, now(count(row.abandoned_30.0))),
            reported("average_wait", Window::M30, now(row.wait_30.0)),
            reported("average_wait", Window::M60, now(row.wait_60.0)),
            reported("switched_to_message", Window::M30, now(count(row.switched_30.0))),
        ]),
    }
}

fn queue_name(known: &Known, row: &QueueRow, place: &Place<'_>) -> String {
    let guid = place.guid.unwrap_or_default();
    match place.kind {
        QueueKind::Personal => {
            let listed = || known.agents.get(guid).map(|agent| agent_name(guid, agent));
            row.agent.0.name.0.as_deref().map(|name| name.trim().to_owned()).or_else(listed)
        }
        QueueKind::Department => {
            row.department.0.name.0.clone().or_else(|| known.departments.get(guid).cloned())
        }
        _ => Some("All agents".to_owned()),
    }
    .unwrap_or_else(|| short(guid))
}

/// Where nobody's presence is known, that nobody is online is not known either.
fn somebody_is_known(staff: &[Presence]) -> bool {
    staff.is_empty() || staff.iter().any(|presence| *presence != Presence::Unknown)
}

/// Presences of the agents of a queue; `None` when it is not known who they are or how they are.
fn staff(known: &Known, agents: &BTreeMap<Id, Agent>, place: &Place<'_>) -> Option<Vec<Presence>> {
    let presence = |guid: &str| agents.get(guid).map(|agent| agent.presence);
    match (known.roster, place.kind) {
        (Roster::Unknown, _) => None,
        (_, QueueKind::Personal) => Some(vec![presence(place.guid?)?]),
        (Roster::Whole, QueueKind::Site) => Some(agents.values().map(|agent| agent.presence).collect()),
        (Roster::Whole, QueueKind::Department) => {
            let members = known.members.as_ref()?.get(place.guid?)?;
            Some(members.iter().filter_map(|member| presence(member)).collect())
        }
        _ => None,
    }
}

fn conversations(source: &Id, known: &Known) -> BTreeMap<Id, Conversation> {
    let mut found: BTreeMap<Id, (u8, Conversation)> = BTreeMap::new();
    let Some((rows, current)) = &known.queue else { return BTreeMap::new() };
    for row in rows {
        let place = place(row);
        for visitor in row.visitors.0.iter().flatten() {
            let Some(guid) = named(&visitor.id) else { continue };
            if found.get(guid).is_some_and(|(rank, _)| *rank <= place.rank) {
                continue;
            }
            // Whether somebody of whom nothing was heard for too long still waits is not known: no time runs on.
            let since = known.since.get(&(place.id.clone(), guid.to_owned())).copied().filter(|_| *current);
            found.insert(guid.into(), (place.rank, conversation(source, guid, &place.id, since)));
        }
    }
    found.into_iter().map(|(id, (_, conversation))| (id, conversation)).collect()
}

fn conversation(source: &Id, guid: &str, queue: &Id, since: Option<Timestamp>) -> Conversation {
    Conversation {
        source: source.clone(),
        id: guid.into(),
        queue: Some(queue.clone()),
        agents: Some(Vec::new()),
        state: ConversationState::Waiting,
        channel: None,
        started_via: None,
        started_via_label: None,
        customer: None,
        subject: None,
        created_at: None,
        waiting_since: since,
        answered_at: None,
        ended_at: None,
        expected_at: None,
        last_customer_message_at: None,
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: None,
    }
}

fn totals(source: &Id, known: &Known) -> Totals {
    let mut windows = rightnow(known);
    windows.extend(today(known.today.as_ref()));
    Totals { source: source.clone(), windows: sorted(windows) }
}

fn rightnow(known: &Known) -> Vec<Figure> {
    let none = RightNow::default();
    let now = known.rightnow.as_ref().unwrap_or(&none);
    let is = |name, value: Option<f64>| reported(name, Window::Now, value);
    vec![
        is("agents_in_chat", count(now.in_chat.0)),
        is("agents_online", count(now.logged_in.0)),
        is("bot_open", count(now.open_with_bot.0)),
        is("open", count(now.open_with_agent.0.or(now.open.0))),
        is("total_open", count(now.open.0)),
        is("utilisation", utilisation(now, known)),
        is("visitors", count(now.visitors.0)),
        is("waiting", count(now.waiting.0)),
    ]
}

/// A share told as a fraction or as a percentage. A plain 1 may be either: then the agents' own figures
/// decide, and without them it is not known.
fn utilisation(now: &RightNow, known: &Known) -> Option<f64> {
    let value = now.utilisation.0?;
    if value == 1.0 {
        let online = known.agents.values().filter(|row| {
            known.roster == Roster::Whole
                && known.statuses.resolve(row.status.0.as_deref()).presence == Presence::Available
        });
        let (mut open, mut capacity) = (0, 0);
        for row in online {
            open += row.open.0?;
            capacity += row.capacity.0.filter(|max| *max > 0)?;
        }
        return (capacity > 0).then(|| (f64::from(open) / f64::from(capacity)).min(1.0));
    }
    ratio(value)
}

/// 0 to 1 as it is, more than that as a percentage; more than all is not known.
fn ratio(value: f64) -> Option<f64> {
    let value = if value > 1.0 { percent(value) } else { value };
    (0.0..=1.0).contains(&value).then_some(value)
}

/// A percentage as a share, without the dust of binary fractions.
fn percent(value: f64) -> f64 {
    (value * 10_000.0).round() / 1_000_000.0
}

/// The acceptance rate, on the scale that fits the counts beside it.
fn acceptance(today: &Today) -> Option<f64> {
    let value = today.acceptance.0?;
    match (today.chats.0, today.requests.0) {
        (Some(chats), Some(requests)) if requests > 0 && value <= 1.0 => {
            let own = f64::from(chats) / f64::from(requests);
            Some(if (percent(value) - own).abs() < (value - own).abs() { percent(value) } else { value })
        }
        _ => ratio(value),
    }
}

fn today(today: Option<&Today>) -> Vec<Figure> {
    let none = Today::default();
    let today = today.unwrap_or(&none);
    let is = |name, value: Option<f64>| reported(name, Window::Today, value);
    vec![
        is("abandoned", count(today.abandoned.0)),
        is("accepted_invitations", count(today.invitations.0)),
        is("acceptance_rate", acceptance(today)),
        is("accessibility_rate", today.accessibility.0.and_then(ratio)),
        is("average_handle_time", today.chat_time.0),
        is("average_wait", today.wait.0),
        is("department_transferred", count(today.department_transferred.0)),
        is("handled", count(today.chats.0)),
        is("missed", count(today.missed.0)),
        is("requests", count(today.requests.0)),
        is("response_time", today.response_time.0),
        is("score", today.score.0),
        is("switched_to_message", count(today.switched.0)),
        is("total_handled", count(today.total.0)),
        is("transferred", count(today.transferred.0)),
        is("unique_rate", today.unique.0.and_then(ratio)),
        is("utilisation", today.utilisation.0.and_then(ratio)),
    ]
}
