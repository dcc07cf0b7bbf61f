//! From the appliance's tables to what they mean. Pure: the same tables give the same sights.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Agent, AgentFlag, Channel, Id, Presence, QueueKind, StartedVia, Timestamp};

use super::wire::{Model, Row, RowId, Table, reference};
use crate::loose::{Flag, Number, Scalar, Text};

/// A queue's name and kind; its figures are made from the sessions in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub name: String,
    pub kind: QueueKind,
}

/// A session as the tables have it now. What needs memory is not in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sight {
    pub lsid: Id,
    pub queue: Option<Id>,
    /// Row ids of who is in it; a row whose representative is missing counts, too.
    pub joined: bool,
    /// Who is in it, sorted.
    pub agents: Vec<Id>,
    /// First join among those in it.
    pub first_join: Option<Timestamp>,
    /// It is in the personal queue of somebody who is in it.
    pub at_home: bool,
    pub created_at: Option<Timestamp>,
    pub entered_at: Option<Timestamp>,
    pub expected_at: Option<Timestamp>,
    pub channel: Option<Channel>,
    pub start_label: Option<String>,
    pub customer: Option<String>,
    pub subject: Option<String>,
    pub priority: Option<String>,
}

/// Everything that the tables say.
#[derive(Debug, Default)]
pub(super) struct Sights {
    pub queues: BTreeMap<Id, Place>,
    /// `presence_since` and the windows stay empty; `open` and `logged_in_at` are filled.
    pub agents: BTreeMap<Id, Agent>,
    pub sessions: BTreeMap<Id, Sight>,
}

fn text(field: Option<&Scalar>) -> Option<String> {
    Text::from(field?).0
}
fn flag(field: Option<&Scalar>) -> Option<bool> {
    Flag::from(field?).0
}
/// A UNIX time in seconds; zero is none. Larger ones than any year can have are milliseconds.
fn instant(field: Option<&Scalar>) -> Option<Timestamp> {
    let seconds = Number::from(field?).0.filter(|s| *s > 0.0)?;
    let ms = if seconds > 1e11 { seconds } else { seconds * 1000.0 };
    Some(Timestamp::from_ms(ms as i64))
}

/// Reads the tables.
pub(super) fn read(source: &Id, model: &Model) -> Sights {
    let mut sights = Sights::default();
    // Whose personal queue a queue is: works whatever its type is called.
    let mut owners: HashMap<RowId, Id> = HashMap::new();
    let mut users: HashMap<&RowId, Id> = HashMap::new();
    let mut consoles: BTreeMap<Id, Vec<(&RowId, &Row)>> = BTreeMap::new();
    for (row_id, row) in model.rows(Table::Representative) {
        let Some(user) = text(row.user.as_ref()).map(Id::from) else { continue };
        users.insert(row_id, user.clone());
        if let Some(queue) = reference(row.queue.as_ref()) {
            owners.insert(queue, user.clone());
        }
        consoles.entry(user).or_default().push((row_id, row));
    }
    let mut places: HashMap<&RowId, Id> = HashMap::new();
    for (row_id, row) in model.rows(Table::Queue) {
        if let Some((id, place)) = place(row, owners.get(row_id)) {
            places.insert(row_id, id.clone());
            sights.queues.entry(id).or_insert(place);
        }
    }
    let served = serving(model, &users, &places, &owners);
    read_sessions(model, &users, &places, &owners, &mut sights);
    let mut open: HashMap<&Id, u32> = HashMap::new();
    for sight in sights.sessions.values() {
        for agent in &sight.agents {
            *open.entry(agent).or_default() += 1;
        }
    }
    for (user, rows) in consoles {
        let queues = served.get(&user).map(|q| q.iter().cloned().collect()).unwrap_or_default();
        let open = open.get(&user).copied().unwrap_or(0);
        sights.agents.insert(user.clone(), agent(source, user, rows, queues, open));
    }
    sights
}

/// Identity and name of a queue, in the form of the command API.
fn place(row: &Row, owner: Option<&Id>) -> Option<(Id, Place)> {
    let kind_word = text(row.kind.as_ref()).unwrap_or_default().to_lowercase();
    let code_name = text(row.code_name.as_ref());
    let (id, kind) = match (kind_word.as_str(), owner) {
        ("team", _) if team(row).is_some() => (format!("team:{}", team(row)?), QueueKind::Team),
        ("general", _) => ("general".to_owned(), QueueKind::Other),
        (word, Some(user)) if word != "team" => (format!("rep:{user}"), QueueKind::Personal),
        (word, _) => {
            let kind = match word {
                "team" => QueueKind::Team,
                "rep" | "representative" | "personal" => QueueKind::Personal,
                _ => QueueKind::Other,
            };
            // A personal queue before its owner has no name of its own yet: it is shown when it has.
            (format!("{word}:{}", code_name.clone()?), kind)
        }
    };
    let name = text(row.name.as_ref()).or(code_name).unwrap_or_else(|| id.clone());
    Some((Id::from(id), Place { name, kind }))
}

fn team(row: &Row) -> Option<String> {
    reference(row.team.as_ref())
}

/// Which queues each user serves: those assigned and the personal one.
fn serving(
    model: &Model,
    users: &HashMap<&RowId, Id>,
    places: &HashMap<&RowId, Id>,
    owners: &HashMap<RowId, Id>,
) -> HashMap<Id, BTreeSet<Id>> {
    let mut served: HashMap<Id, BTreeSet<Id>> = HashMap::new();
    for row in model.rows(Table::RepresentativeQueue).values() {
        let (Some(rep), Some(queue)) =
            (reference(row.representative.as_ref()), reference(row.queue.as_ref()))
        else {
            continue;
        };
        if let (Some(user), Some(place)) = (users.get(&rep), places.get(&queue)) {
            served.entry(user.clone()).or_default().insert(place.clone());
        }
    }
    for (queue, user) in owners {
        if let Some(place) = places.get(queue) {
            served.entry(user.clone()).or_default().insert(place.clone());
        }
    }
    served
}

/// Who joined, as far as the representative's row is there, and when.
type Join = (Option<Id>, Option<Timestamp>);

fn read_sessions(
    model: &Model,
    users: &HashMap<&RowId, Id>,
    places: &HashMap<&RowId, Id>,
    owners: &HashMap<RowId, Id>,
    sights: &mut Sights,
) {
    let mut joins: HashMap<RowId, Vec<Join>> = HashMap::new();
    for row in model.rows(Table::RepresentativeSession).values() {
        let Some(session) = reference(row.session.as_ref()) else { continue };
        let user = reference(row.representative.as_ref()).and_then(|rep| users.get(&rep).cloned());
        joins.entry(session).or_default().push((user, instant(row.created.as_ref())));
    }
    let mut clients: HashMap<RowId, Channel> = HashMap::new();
    for row in model.rows(Table::Client).values() {
        let (Some(session), Some(word)) = (reference(row.session.as_ref()), text(row.client_type.as_ref()))
        else {
            continue;
        };
        let channel = channel(&word);
        // A chat that became a desktop session has two clients for a while: the stronger one counts.
        clients
            .entry(session)
            .and_modify(|held| *held = if strength(channel) > strength(*held) { channel } else { *held })
            .or_insert(channel);
    }
    for (row_id, row) in model.rows(Table::Session) {
        let Some(lsid) = text(row.lsid.as_ref()).map(Id::from) else { continue };
        let joins = joins.remove(row_id).unwrap_or_default();
        let agents: BTreeSet<Id> = joins.iter().filter_map(|(user, _)| user.clone()).collect();
        let queue_row = reference(row.queue.as_ref());
        let owner = queue_row.as_ref().and_then(|q| owners.get(q));
        let sight = Sight {
            lsid: lsid.clone(),
            queue: queue_row.as_ref().and_then(|q| places.get(q)).cloned(),
            joined: !joins.is_empty(),
            at_home: owner.is_some_and(|o| agents.contains(o)),
            agents: agents.into_iter().collect(),
            first_join: joins.iter().filter_map(|(_, at)| *at).min(),
            created_at: instant(row.created.as_ref()),
            entered_at: instant(row.entered.as_ref()),
            expected_at: instant(row.pickup.as_ref()),
            channel: clients.get(row_id).copied(),
            start_label: text(row.start_method.as_ref()),
            customer: text(row.customer.as_ref()),
            subject: text(row.description.as_ref()),
            priority: text(row.priority.as_ref()),
        };
        sights.sessions.insert(lsid, sight);
    }
}

fn channel(word: &str) -> Channel {
    match word.trim().to_lowercase().as_str() {
        "web_chat" => Channel::Chat,
        "desktop" => Channel::Desktop,
        "mobile" => Channel::Mobile,
        "rdp" => Channel::Rdp,
        "vnc" => Channel::Vnc,
        "shell" => Channel::Shell,
        "vpro" => Channel::Vpro,
        "web" => Channel::Web,
        _ => Channel::Other,
    }
}

fn strength(channel: Channel) -> u8 {
    match channel {
        Channel::Chat | Channel::Message => 1,
        Channel::Web => 2,
        Channel::Other => 0,
        Channel::Shell | Channel::Vnc | Channel::Vpro | Channel::Rdp => 3,
        Channel::Mobile => 4,
        Channel::Desktop => 5,
    }
}

/// How a session began, from words that no page lists: by what they contain.
pub(super) fn started_via(label: &str) -> StartedVia {
    let word: String =
        label.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let has = |part: &str| word.contains(part);
    let is = |part: &str| word.split('_').any(|w| w == part);
    match () {
        () if has("jump") || has("pinned") => StartedVia::Jump,
        () if has("issue") || has("survey") || has("submission") => StartedVia::IssueForm,
        () if has("key") => StartedVia::SessionKey,
        () if has("chat") => StartedVia::ClickToChat,
        () if has("button") => StartedVia::Button,
        () if has("list") || is("rep") || has("representative") => StartedVia::AgentList,
        () if has("invit") => StartedVia::Invitation,
        () if is("api") || has("virtual") => StartedVia::Api,
        () => StartedVia::Other,
    }
}

/// One person, from all consoles that are open under the account.
fn agent(source: &Id, user: Id, consoles: Vec<(&RowId, &Row)>, queues: Vec<Id>, open: u32) -> Agent {
    let logged_in_at = consoles.iter().filter_map(|(_, row)| instant(row.created.as_ref())).min();
    // The console that can be given most counts; its row id only settles a draw.
    let best = consoles
        .iter()
        .map(|(id, row)| (presence(row), *id, *row))
        .min_by_key(|(presence, id, _)| (rank(*presence), *id));
    let (presence, row) = match best {
        Some((presence, _, row)) => (presence, Some(row)),
        None => (Presence::Unknown, None),
    };
    let name = |pick: fn(&Row) -> Option<&Scalar>| consoles.iter().find_map(|(_, row)| text(pick(row)));
    let name = name(|r| r.private_name.as_ref())
        .or_else(|| name(|r| r.public_name.as_ref()))
        .or_else(|| name(|r| r.username.as_ref()))
        .unwrap_or_else(|| user.to_string());
    Agent {
        source: source.clone(),
        id: user,
        name,
        email: None,
        presence,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at,
        flags: row.and_then(flags),
        open: Some(open),
        capacity: None,
        free_capacity: None,
        queues: Some(queues),
        windows: Vec::new(),
    }
}

fn flags(row: &Row) -> Option<Vec<AgentFlag>> {
    let (idle, busy) = (flag(row.idle.as_ref()), flag(row.busy.as_ref()));
    let enabled = flag(row.enabled.as_ref());
    if idle.is_none() && busy.is_none() && enabled.is_none() {
        return None;
    }
    let holds = [
        (idle == Some(true), AgentFlag::Idle),
        (busy == Some(true), AgentFlag::Busy),
        (enabled == Some(false), AgentFlag::NotAccepting),
    ];
    Some(holds.into_iter().filter_map(|(holds, flag)| holds.then_some(flag)).collect())
}

fn presence(row: &Row) -> Presence {
    let (idle, busy) = (flag(row.idle.as_ref()), flag(row.busy.as_ref()));
    let (enabled, available) = (flag(row.enabled.as_ref()), flag(row.available.as_ref()));
    match () {
        () if enabled == Some(false) => Presence::Away,
        () if busy == Some(true) => Presence::Busy,
        () if idle == Some(true) => Presence::Idle,
        // The net of the others; without it they decide.
        () if available == Some(true) => Presence::Available,
        // Cannot be given work, for a reason that the feed does not tell.
        () if available == Some(false) => Presence::Busy,
        () if enabled == Some(true) && busy == Some(false) && idle == Some(false) => Presence::Available,
        () => Presence::Unknown,
    }
}

fn rank(presence: Presence) -> u8 {
    match presence {
        Presence::Available => 0,
        Presence::Busy => 1,
        Presence::Idle => 2,
        Presence::Away => 3,
        Presence::Offline | Presence::Unknown => 4,
    }
}
