//! From the appliance's tables to what they mean, one queue, session or person at a time. Pure: the same
//! tables give the same sights.

use std::collections::{BTreeSet, HashMap};

use model::{Agent, AgentFlag, Channel, Id, Presence, QueueKind, StartedVia, Timestamp};

use super::{
    tables::{Tables, lsid},
    wire::{Row, RowId, Table, reference},
};
use crate::loose::{Flag, Number, Scalar, Text};

/// Which queue each row of a queue is.
pub(super) type Places = HashMap<RowId, Id>;

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
    /// That queue's row.
    pub queue_row: Option<RowId>,
    /// Row ids of who is in it; a row whose representative is missing counts, too.
    pub joined: bool,
    /// Who is in it, sorted.
    pub agents: Vec<Id>,
    /// First join among those in it.
    pub first_join: Option<Timestamp>,
    /// It is in somebody's personal queue.
    pub personal: bool,
    /// That somebody is in it.
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

fn text(field: Option<&Scalar>) -> Option<String> {
    Text::from(field?).0
}
fn flag(field: Option<&Scalar>) -> Option<bool> {
    Flag::from(field?).0
}
/// The year 2200: what claims to be later is no time.
const LATEST_MS: f64 = 7_258_118_400_000.0;

/// A UNIX time in seconds; zero is none. Larger ones than any year can have are milliseconds.
pub(super) fn instant(field: Option<&Scalar>) -> Option<Timestamp> {
    let seconds = Number::from(field?).0.filter(|s| *s > 0.0)?;
    let ms = if seconds > 1e11 { seconds } else { seconds * 1000.0 };
    (ms < LATEST_MS).then(|| Timestamp::from_ms(ms as i64))
}

/// The word for a queue's type.
fn type_word(row: &Row) -> String {
    text(row.kind.as_ref()).unwrap_or_default().trim().to_lowercase()
}

/// The word for the type of a queue that has no code name.
pub(super) fn uncoded(row: &Row) -> Option<String> {
    text(row.code_name.as_ref()).is_none().then(|| type_word(row))
}

/// Identity and name of a queue, in the form of the command API.
pub(super) fn place(tables: &Tables, id: &str) -> Option<(Id, Place)> {
    let row = tables.row(Table::Queue, id)?;
    let team = reference(row.team.as_ref());
    let kind_word = type_word(row);
    let code_name = text(row.code_name.as_ref());
    // Whose personal queue it is works whatever its type is called.
    let (id, kind) = match (kind_word.as_str(), team, tables.owner(id)) {
        ("team", Some(team), _) => (format!("team:{team}"), QueueKind::Team),
        ("general", ..) => ("general".to_owned(), QueueKind::Other),
        (word, _, Some(user)) if word != "team" => (format!("rep:{user}"), QueueKind::Personal),
        (word, ..) => {
            let kind = match word {
                "team" => QueueKind::Team,
                "rep" | "representative" | "personal" => QueueKind::Personal,
                _ => QueueKind::Other,
            };
            let code = match &code_name {
                Some(code) => code.clone(),
                // A personal queue before its owner is shown when it has one, and nothing else is shown
                // that has no name at all; but not while somebody is in it.
                None if !tables.is_used(id)
                    && (kind == QueueKind::Personal || text(row.name.as_ref()).is_none()) =>
                {
                    return None;
                }
                None => tables.mark(word, id),
            };
            (format!("{word}:{code}"), kind)
        }
    };
    let name = text(row.name.as_ref()).or(code_name).unwrap_or_else(|| id.clone());
    Some((Id::from(id), Place { name, kind }))
}

/// A session as the tables have it; `None` when its row is gone.
pub(super) fn sight(tables: &Tables, places: &Places, session: &str) -> Option<Sight> {
    let (row_id, row) = tables.session(session)?;
    let joins = || tables.referring(Table::RepresentativeSession, Table::Session, row_id);
    let agents: BTreeSet<Id> = joins().filter_map(|join| tables.user_of(join)).collect();
    let queue_row = reference(row.queue.as_ref());
    let owner = queue_row.as_deref().and_then(|q| tables.owner(q));
    let clients = tables.referring(Table::Client, Table::Session, row_id);
    Some(Sight {
        lsid: lsid(row)?,
        queue: queue_row.as_ref().and_then(|q| places.get(q)).cloned(),
        joined: joins().next().is_some(),
        personal: owner.is_some(),
        at_home: owner.is_some_and(|o| agents.contains(&o)),
        agents: agents.into_iter().collect(),
        first_join: joins().filter_map(|join| instant(join.created.as_ref())).min(),
        queue_row,
        created_at: instant(row.created.as_ref()),
        entered_at: instant(row.entered.as_ref()),
        expected_at: instant(row.pickup.as_ref()),
        // A chat that became a desktop session has two clients for a while: the stronger one counts.
        channel: clients
            .filter_map(|client| text(client.client_type.as_ref()))
            .map(|word| channel(&word))
            .max_by_key(|channel| strength(*channel)),
        start_label: text(row.start_method.as_ref()),
        customer: text(row.customer.as_ref()),
        subject: text(row.description.as_ref()),
        priority: text(row.priority.as_ref()),
    })
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

/// Which queues a user serves: those assigned and the personal one.
fn serving(tables: &Tables, places: &Places, consoles: &[(&RowId, &Row)]) -> Vec<Id> {
    let assigned = consoles.iter().flat_map(|(id, _)| {
        tables.referring(Table::RepresentativeQueue, Table::Representative, id).map(|row| &row.queue)
    });
    let own = consoles.iter().map(|(_, row)| &row.queue);
    let queues: BTreeSet<Id> =
        assigned.chain(own).filter_map(|queue| places.get(&reference(queue.as_ref())?)).cloned().collect();
    queues.into_iter().collect()
}

/// In how many sessions a user is.
fn open(tables: &Tables, consoles: &[(&RowId, &Row)]) -> u32 {
    let joins = consoles
        .iter()
        .flat_map(|(id, _)| tables.referring(Table::RepresentativeSession, Table::Representative, id));
    let sessions: BTreeSet<Id> = joins.filter_map(|join| tables.session_of(join)).collect();
    u32::try_from(sessions.len()).unwrap_or(u32::MAX)
}

/// One person, from all consoles that are open under the account; `None` when there is none.
pub(super) fn agent(source: &Id, tables: &Tables, places: &Places, user: &Id) -> Option<Agent> {
    let consoles: Vec<(&RowId, &Row)> = tables
        .consoles(user)
        .filter_map(|id| tables.row(Table::Representative, id).map(|row| (id, row)))
        .collect();
    // The console that can be given most counts; its row id only settles a draw.
    let (presence, row) = consoles
        .iter()
        .map(|(id, row)| (presence(row), *id, *row))
        .min_by_key(|(presence, id, _)| (rank(*presence), *id))
        .map(|(presence, _, row)| (presence, row))?;
    let name = |pick: fn(&Row) -> Option<&Scalar>| consoles.iter().find_map(|(_, row)| text(pick(row)));
    let name = name(|r| r.private_name.as_ref())
        .or_else(|| name(|r| r.public_name.as_ref()))
        .or_else(|| name(|r| r.username.as_ref()))
        .unwrap_or_else(|| user.to_string());
    Some(Agent {
        source: source.clone(),
        id: user.clone(),
        name,
        email: None,
        presence,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: consoles.iter().filter_map(|(_, row)| instant(row.created.as_ref())).min(),
        flags: flags(row),
        open: Some(open(tables, &consoles)),
        capacity: None,
        free_capacity: None,
        queues: Some(serving(tables, places, &consoles)),
        windows: Vec::new(),
    })
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
