//! From giosg's answers to the model's rows. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use link::poll::Rows;
use model::{Agent, Id, Presence, Queue, QueueKind, Timestamp, Totals, Window};

use super::{
    ROOMS, USERS,
    wire::{Person, RoomRow, UserRow},
};
use crate::figures::{count, derived, reported, sorted};

/// Everything that giosg has told us, as it stands now.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Rooms by id.
    pub rooms: BTreeMap<String, RoomRow>,
    /// How far `rooms` can be trusted.
    pub rooms_told: Told,
    /// Users by id.
    pub users: BTreeMap<String, User>,
    /// How far `users` can be trusted.
    pub users_told: Told,
    /// People of the organization by id and by e-mail address in lower case.
    pub people: HashMap<String, Person>,
    /// Names that rooms have for people.
    pub room_names: HashMap<String, String>,
    /// Rooms that belong to a partner; `None` where that is not known.
    pub shared: HashMap<String, bool>,
    /// Rooms and users on pages that have not come for too long.
    pub unheard: [BTreeSet<String>; 2],
    /// Whether shared rooms are among the rooms.
    pub with_shared: bool,
    /// Since when the oldest waits, by room.
    pub since: HashMap<String, Timestamp>,
}

/// How far a list can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// Never read, or too old.
    #[default]
    Nothing,
    /// Some may be missing.
    Partly,
    /// Everything.
    Whole,
}

/// A user and for how many polls nothing was heard of it.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// What was said last.
    pub row: UserRow,
    /// Whole answers in a row without this user.
    pub absent: u32,
}

/// It is not known whether the list holds people who are not there: one poll proves nothing, three do.
const GONE_AFTER: u32 = 3;

/// All rows of the floor.
pub fn rows(source: &Id, known: &Known) -> Rows {
    let agents: BTreeMap<Id, Agent> = known
        .users
        .iter()
        .filter(|(id, user)| person(known, id, &user.row).is_none_or(|person| person.bot.0 != Some(true)))
        .map(|(id, user)| (Id::from(id.as_str()), agent(source, known, id, user)))
        .collect();
    let queues = known
        .rooms
        .iter()
        .map(|(id, row)| (Id::from(id.as_str()), queue(source, known, id, row, &agents)))
        .collect();
    let totals = Some(totals(source, known, &agents));
    Rows { queues, agents, conversations: BTreeMap::new(), totals }
}

/// The same person in the organization's list: ids are of two kinds there, so the address joins them.
fn person<'a>(known: &'a Known, id: &str, row: &UserRow) -> Option<&'a Person> {
    let by_address = || known.people.get(&row.email.0.as_deref()?.trim().to_lowercase());
    known.people.get(id).or_else(by_address)
}

/// What an operator is doing. Serving chats is being there; signed in without serving is being away.
fn presence(row: &UserRow, person: Option<&Person>) -> Presence {
    let online = row.online.0.or_else(|| person?.online.0);
    let logged_in = row.logged_in.0.or_else(|| person?.present.0);
    match (online, logged_in) {
        (Some(true), _) if row.free.0.is_some_and(|free| free <= 0) => Presence::Busy,
        (Some(true), _) => Presence::Available,
        (Some(false), Some(true)) => Presence::Away,
        (_, Some(false)) => Presence::Offline,
        _ => Presence::Unknown,
    }
}

fn agent(source: &Id, known: &Known, id: &str, user: &User) -> Agent {
    let row = &user.row;
    let person = person(known, id, row);
    let current = known.users_told != Told::Nothing && !known.unheard[USERS].contains(id);
    let heard = current && user.absent < GONE_AFTER;
    let presence = match heard {
        true => presence(row, person),
        false if current && person.is_some_and(|p| p.present.0 == Some(false)) => Presence::Offline,
        false => Presence::Unknown,
    };
    let open = row.open.0.filter(|_| heard);
    // What the figure means for people who do not serve is not known.
    let serving = matches!(presence, Presence::Available | Presence::Busy);
    let free = row.free.0.filter(|_| serving).map(clamped);
    Agent {
        source: source.clone(),
        id: id.into(),
        name: name(id, row, person),
        email: row.email.0.clone(),
        presence,
        presence_label: None,
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open,
        capacity: open.zip(free).map(|(open, free)| open.saturating_add(free)),
        free_capacity: free,
        queues: row.rooms.0.as_ref().map(|rooms| {
            let mut ids: Vec<Id> = rooms.iter().filter_map(|room| room.id().map(Id::from)).collect();
            ids.sort();
            ids.dedup();
            ids
        }),
        windows: Vec::new(),
    }
}

fn name(id: &str, row: &UserRow, person: Option<&Person>) -> String {
    let known = person.and_then(|person| person.alias.0.clone().or_else(|| person.full_name.0.clone()));
    let address = || row.email.0.as_deref()?.trim().split('@').next().filter(|part| !part.is_empty());
    known.or_else(|| address().map(str::to_owned)).unwrap_or_else(|| format!("User {id}"))
}

/// Below nothing is nothing: nobody is free.
fn clamped(free: i64) -> u32 {
    u32::try_from(free.max(0)).unwrap_or(u32::MAX)
}

fn queue(source: &Id, known: &Known, id: &str, row: &RoomRow, agents: &BTreeMap<Id, Agent>) -> Queue {
    let told = known.rooms_told != Told::Nothing && !known.unheard[ROOMS].contains(id);
    let waiting = row.waiting.0.filter(|_| told);
    let somebody = waiting.is_some_and(|waiting| waiting > 0);
    let open = row.open.0.filter(|_| told);
    let free = row.free.0.filter(|_| told).map(clamped);
    let now = |value: Option<f64>| value.filter(|_| told);
    let staff = staff(known, id, agents).filter(|staff| somebody_is_known(staff));
    let among = |wanted: fn(Presence) -> bool| {
        let staff = staff.as_ref()?;
        u32::try_from(staff.iter().filter(|presence| wanted(**presence)).count()).ok()
    };
    let short: String = id.chars().take(8).collect();
    Queue {
        source: source.clone(),
        id: id.into(),
        name: known
            .room_names
            .get(id)
            .cloned()
            .or_else(|| row.name.0.clone())
            .unwrap_or_else(|| format!("Room {short}")),
        kind: QueueKind::Room,
        waiting,
        waiting_since: known.since.get(id).copied().filter(|_| somebody),
        average_wait_s: row.average_wait.0.filter(|_| somebody),
        open,
        capacity: open.zip(free).map(|(open, free)| open.saturating_add(free)),
        free_capacity: free,
        agents_online: among(Presence::is_online),
        agents_available: among(|presence| presence == Presence::Available),
        expected_at: None,
        windows: sorted(vec![
            reported("average_wait", Window::Today, now(row.day_average_wait.0)),
            reported("handled", Window::Today, now(count(row.handled.0))),
            reported("longest_wait", Window::Today, now(row.day_max_wait.0)),
            reported("missed", Window::Today, now(count(row.missed.0))),
            reported("visitors", Window::Now, now(count(row.visitors.0))),
        ]),
    }
}

/// Where nobody's presence is known, that nobody is online is not known either.
fn somebody_is_known(staff: &[Presence]) -> bool {
    staff.is_empty() || staff.iter().any(|presence| *presence != Presence::Unknown)
}

/// Presences of the operators of a room; `None` when it is not known who they are. The list holds one's own
/// organization only, so who serves a partner's room is not known.
fn staff(known: &Known, room: &str, agents: &BTreeMap<Id, Agent>) -> Option<Vec<Presence>> {
    let foreign = known.shared.get(room).copied().unwrap_or(known.with_shared);
    if known.users_told != Told::Whole || foreign {
        return None;
    }
    let mut staff = Vec::new();
    for agent in agents.values() {
        match &agent.queues {
            Some(rooms) if rooms.iter().any(|id| &**id == room) => staff.push(agent.presence),
            Some(_) => {}
            None if agent.presence.is_online() => return None,
            None => {}
        }
    }
    Some(staff)
}

/// Sums over rooms, where all of them are known. Free capacity is not summed: one operator's slots count in
/// every room.
fn totals(source: &Id, known: &Known, agents: &BTreeMap<Id, Agent>) -> Totals {
    let sum = |of: fn(&RoomRow) -> Option<u32>| -> Option<f64> {
        if known.rooms_told != Told::Whole {
            return None;
        }
        known.rooms.values().map(|row| of(row).map(f64::from)).sum()
    };
    let presences: Vec<Presence> = agents.values().map(|agent| agent.presence).collect();
    let people = |wanted: fn(Presence) -> bool| {
        (known.users_told == Told::Whole && somebody_is_known(&presences))
            .then(|| agents.values().filter(|agent| wanted(agent.presence)).count() as f64)
    };
    let windows = sorted(vec![
        derived("agents_online", Window::Now, people(Presence::is_online)),
        derived("free_agents", Window::Now, people(|presence| presence == Presence::Available)),
        derived("handled", Window::Today, sum(|row| row.handled.0)),
        derived("missed", Window::Today, sum(|row| row.missed.0)),
        derived("open", Window::Now, sum(|row| row.open.0)),
        derived("visitors", Window::Now, sum(|row| row.visitors.0)),
        derived("waiting", Window::Now, sum(|row| row.waiting.0)),
    ]);
    Totals { source: source.clone(), windows }
}
