//! From the vendor's rows to the model, without state and without a clock.

use model::{Agent, Channel, Conversation, ConversationState, Id, Outcome, Presence, Timestamp};

use super::{
    lax::{Obj, Val},
    wire::{Party, Row},
};

/// Which of the four shapes a conversation's row has. They differ in what a first sight of it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An element of a first list, of the detail topic, or of a REST page: how it is now.
    State,
    /// A live `CREATE`: it began just now.
    Born,
    /// A change that is seen when it happens: a live `UPDATE`.
    Changed,
}

/// Where a row says that the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Open(ConversationState),
    /// Ended; `true` when the customer gave up.
    Over {
        abandoned: bool,
    },
    /// Not for a supervisor's eyes: a bot phase, a test, not really begun.
    Hidden,
    /// A status that this build does not know.
    Strange,
}

pub(super) fn standing(row: &Row<impl AsRef<str>>) -> Standing {
    if row.preflight.bool() == Some(true) || row.draft.bool() == Some(true) {
        return Standing::Hidden;
    }
    match row.status.int() {
        Some(50) => Standing::Hidden,
        Some(100) => Standing::Open(ConversationState::Waiting),
        Some(150) => Standing::Over { abandoned: true },
        Some(200 | 300) => Standing::Open(ConversationState::Active),
        Some(1000) => Standing::Over { abandoned: false },
        _ => Standing::Strange,
    }
}

/// What was known of a conversation before this row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Before<'a> {
    /// Nothing.
    Unknown,
    /// It had ended, and comes back; how it was shown, if that is still remembered.
    Ended(Option<&'a Conversation>),
    /// This.
    Known(&'a Conversation),
}

/// The model's conversation after a row. `seen` is the moment in the vendor's clock.
pub(super) fn conversation(
    source: &Id,
    id: &Id,
    row: &Row<impl AsRef<str>>,
    shape: Shape,
    before: Before<'_>,
    seen: Timestamp,
) -> Option<Conversation> {
    use ConversationState::Waiting;
    let held = match before {
        Before::Known(held) => Some(held),
        _ => None,
    };
    let (state, abandoned) = match standing(row) {
        Standing::Open(state) => (state, false),
        Standing::Over { abandoned } => (ConversationState::Ended, abandoned),
        Standing::Strange => (held?.state, false),
        Standing::Hidden => return None,
    };
    let people = people(row, held.and_then(|h| h.agents.as_deref()).unwrap_or_default());
    let created_at = row.created_at.instant().or(held.and_then(|h| h.created_at));
    let queue = queue_of(row, held);
    let requeued = shape == Shape::Changed
        && queue.is_some()
        && held.is_some_and(|held| held.queue.is_some() && held.queue != queue);
    let (waiting_since, answered_at) = match before {
        // Moved to another department while it waits: it has entered another queue.
        Before::Known(held) if requeued && (held.state, state) == (Waiting, Waiting) => {
            (Some(stamped(row, seen)), None)
        }
        _ => wait(row, shape, state, before, created_at, people.as_deref(), seen),
    };
    let agents = match state {
        ConversationState::Waiting => Some(Vec::new()),
        ConversationState::Active => people,
        // The last people in it stay named when the closing row names nobody.
        ConversationState::Ended => match people {
            Some(list) if list.is_empty() => held.and_then(|h| h.agents.clone()).or(Some(list)),
            other => other,
        },
    };
    let ended = state == ConversationState::Ended;
    let outcome = ended.then(|| {
        let had_person = agents.as_ref().is_some_and(|a| !a.is_empty());
        let was_active = held.is_some_and(|h| h.state == ConversationState::Active);
        match (abandoned, had_person || was_active) {
            (true, _) => Outcome::Abandoned,
            (false, true) => Outcome::Handled,
            (false, false) => Outcome::Unknown,
        }
    });
    Some(Conversation {
        source: source.clone(),
        id: id.clone(),
        queue,
        agents,
        state,
        channel: channel(row).or(held.and_then(|h| h.channel)),
        started_via: None,
        started_via_label: None,
        customer: customer(row).or_else(|| held.and_then(|h| h.customer.clone())),
        subject: row.subject.text().map(str::to_owned),
        created_at,
        waiting_since,
        answered_at,
        ended_at: ended.then(|| ended_at(row, held, seen)),
        expected_at: None,
        last_customer_message_at: held.and_then(|h| h.last_customer_message_at),
        last_agent_message_at: held.and_then(|h| h.last_agent_message_at),
        outcome,
        tags: tags(row),
        priority: row.priority.text().map(str::to_owned),
    })
}

/// `waiting_since` and `answered_at`.
///
/// The first wait begins with the conversation; a later one at the moment we see it begin. A first join
/// is only known when it was seen: a conversation first met in a list may have been passed on already.
fn wait(
    row: &Row<impl AsRef<str>>,
    shape: Shape,
    state: ConversationState,
    before: Before<'_>,
    created_at: Option<Timestamp>,
    people: Option<&[Id]>,
    seen: Timestamp,
) -> (Option<Timestamp>, Option<Timestamp>) {
    use ConversationState::{Active, Ended, Waiting};
    match (before, state) {
        (Before::Known(held), Waiting) if held.state == Waiting => (held.waiting_since, None),
        (Before::Known(_) | Before::Ended(_), Waiting) => (Some(stamped(row, seen)), None),
        (Before::Unknown, Waiting) => (first_seen_waiting(row, created_at, seen), None),
        (Before::Known(held), Active) => {
            let had_person = held.state == Active && held.agents.as_ref().is_none_or(|a| !a.is_empty());
            let has_person = people.is_some_and(|p| !p.is_empty());
            let answered = match held.answered_at {
                None if !had_person && has_person => Some(joined_at(row, held.waiting_since, seen)),
                known => known,
            };
            (held.waiting_since, answered)
        }
        (Before::Unknown, Active) if shape == Shape::Born => {
            let has_person = people.is_some_and(|p| !p.is_empty());
            (created_at, has_person.then(|| joined_at(row, created_at, seen)))
        }
        // Closed, and opened again in somebody's hands: nothing of it waited anew.
        (Before::Ended(Some(was)), Active) if was.answered_at.is_some() => {
            (was.waiting_since, was.answered_at)
        }
        (_, Active) => (None, None),
        (Before::Known(held), Ended) => (held.waiting_since, held.answered_at),
        (_, Ended) => (None, None),
    }
}

/// The moment of a change that we see: the vendor's own stamp of it, unless that is of something else.
fn stamped(row: &Row<impl AsRef<str>>, seen: Timestamp) -> Timestamp {
    row.updated_at.instant().filter(|at| at.seconds_since(seen).abs() < 5.0).unwrap_or(seen)
}

/// A conversation that is waiting when we first meet it. Traces of an earlier answer tell that this is
/// not its first wait; that one began no later than its last change.
fn first_seen_waiting(
    row: &Row<impl AsRef<str>>,
    created_at: Option<Timestamp>,
    seen: Timestamp,
) -> Option<Timestamp> {
    let answered_before =
        [&row.first_response_at, &row.closed_at, &row.assigned_at].iter().any(|v| v.instant().is_some());
    if answered_before { Some(row.updated_at.instant().map_or(seen, |at| at.min(seen))) } else { created_at }
}

/// When a person joined: the vendor's own stamp, unless it belongs to an earlier join.
fn joined_at(row: &Row<impl AsRef<str>>, since: Option<Timestamp>, seen: Timestamp) -> Timestamp {
    row.assigned_at
        .instant()
        .filter(|at| since.is_none_or(|s| *at >= s))
        .or_else(|| row.updated_at.instant().filter(|at| since.is_none_or(|s| *at >= s)))
        .unwrap_or(seen)
}

/// The closing frame comes before `closed_at` is written; one that is there may be of an earlier close.
fn ended_at(row: &Row<impl AsRef<str>>, held: Option<&Conversation>, seen: Timestamp) -> Timestamp {
    let updated = row.updated_at.instant();
    let begun = held.and_then(|h| h.answered_at.max(h.waiting_since)).or(row.created_at.instant());
    let recent =
        |at: &Timestamp| begun.is_none_or(|b| *at >= b) && updated.is_none_or(|u| u.seconds_since(*at) < 5.0);
    row.closed_at.instant().filter(recent).or(updated).unwrap_or(seen)
}

/// An id, shared with the row before where that has it.
fn known(id: &str, held: Option<&Id>) -> Id {
    held.filter(|held| held.as_str() == id).cloned().unwrap_or_else(|| Id::new(id))
}

/// The people in it; bots are not people. `None` when the row does not tell.
fn people(row: &Row<impl AsRef<str>>, held: &[Id]) -> Option<Vec<Id>> {
    let list = row.participants_agents.0.as_ref().or(row.participants.0.as_ref())?;
    let mut people: Vec<Id> = list
        .iter()
        .map(AsRef::as_ref)
        .filter(|p| !p.is_empty() && !p.starts_with("bot_"))
        .map(|id| known(id, held.iter().find(|known| known.as_str() == id)))
        .collect();
    people.sort();
    people.dedup();
    Some(people)
}

fn queue_of(row: &Row<impl AsRef<str>>, held: Option<&Conversation>) -> Option<Id> {
    match &row.department {
        // Every row is a whole document: a missing department is one that was taken away.
        Obj::Absent => None,
        // A value of a wrong kind says nothing.
        Obj::List(_) => held.and_then(|h| h.queue.clone()),
        department => department.id().map(|id| known(id, held.and_then(|h| h.queue.as_ref()))),
    }
}

fn customer(row: &Row<impl AsRef<str>>) -> Option<String> {
    fn name(lead: &Obj<Party<impl AsRef<str>>>) -> Option<String> {
        lead.object().and_then(|l| l.fullname.text()).map(str::to_owned)
    }
    name(&row.lead).or_else(|| row.snapshot.object().and_then(|s| name(&s.lead)))
}

/// The department's name, where this shape of row tells it.
pub(super) fn department_name(row: &Row<impl AsRef<str>>) -> Option<&str> {
    let own = row.department.object().and_then(|d| d.name.text());
    let id = row.department.id();
    // A copy made at creation: of use only while it is of the same department.
    let copy = row.snapshot.object().map(|s| &s.department).filter(|d| d.id().is_none() || d.id() == id);
    own.or_else(|| copy.and_then(|d| d.object()).and_then(|d| d.name.text()))
}

fn channel(row: &Row<impl AsRef<str>>) -> Option<Channel> {
    let name = match &row.channel {
        Obj::Is(channel) => channel.name.text(),
        Obj::Scalar(name) => name.text(),
        _ => None,
    }?;
    Some(match name.to_ascii_lowercase().as_str() {
        "chat21" | "web" | "widget" => Channel::Chat,
        "whatsapp" | "facebook" | "messenger" | "telegram" | "email" | "form" | "instagram" | "sms" => {
            Channel::Message
        }
        name if name.starts_with("sms") => Channel::Message,
        _ => Channel::Other,
    })
}

fn tags(row: &Row<impl AsRef<str>>) -> Option<Vec<String>> {
    match &row.tags {
        Obj::List(list) => Some(list.iter().filter_map(|t| t.tag.text()).map(str::to_owned).collect()),
        _ => None,
    }
}

/// A member as the vendor tells it, before limits and departments are known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub name: Option<String>,
    pub email: Option<String>,
    pub role: Option<String>,
    pub permissions: Vec<String>,
    pub available: Option<bool>,
    /// Their own word for a pause.
    pub profile: Option<String>,
    pub open: Option<u32>,
    pub own_limit: Option<u32>,
    pub busy: Option<bool>,
}

/// What a member's row says of membership.
pub(super) enum Membership {
    Is(Member),
    /// Disabled, trashed, or not a teammate.
    Gone,
}

pub(super) fn membership(row: &Row<impl AsRef<str>>, held: Option<&Member>) -> Membership {
    let visitor = row.role_type.int() == Some(2) || matches!(row.role.text(), Some("user" | "guest"));
    let inactive = row.status.text().is_some_and(|s| s != "active");
    if visitor || inactive || row.trashed.bool() == Some(true) {
        return Membership::Gone;
    }
    let party = row.id_user.object();
    let text = |v: Option<&Val<_>>| v.and_then(Val::text).map(str::to_owned);
    let name = party.and_then(|p| {
        let parts: Vec<&str> = [&p.firstname, &p.lastname].into_iter().filter_map(Val::text).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    Membership::Is(Member {
        name: name.or_else(|| held.and_then(|h| h.name.clone())),
        email: text(party.map(|p| &p.email)).or_else(|| held.and_then(|h| h.email.clone())),
        role: text(Some(&row.role)).or_else(|| held.and_then(|h| h.role.clone())),
        permissions: row
            .permissions
            .0
            .as_ref()
            .map(|list| list.iter().map(|p| p.as_ref().to_owned()).collect())
            .unwrap_or_else(|| held.map(|h| h.permissions.clone()).unwrap_or_default()),
        available: row.user_available.bool(),
        profile: text(Some(&row.profile_status)),
        // Negative numbers were seen in the hosted service: they mean that nobody knows.
        open: row.number_assigned_requests.int().and_then(|n| u32::try_from(n).ok()),
        own_limit: row.max_assigned_chat.int().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        busy: row.is_busy.bool(),
    })
}

impl Member {
    /// Whether this member sees every conversation of the project.
    pub fn sees_all(&self) -> Option<bool> {
        if self.permissions.iter().any(|p| p == "request_read_all") {
            return Some(true);
        }
        if !self.permissions.is_empty() {
            // Any permission at all makes permissions decide, whatever the role is called.
            return Some(false);
        }
        self.role.as_deref().map(|role| matches!(role, "owner" | "admin"))
    }
}

/// The model's agent. `limit` is the project's; `queues` the departments this member serves.
pub(super) fn agent(
    source: &Id,
    id: &Id,
    member: &Member,
    limit: Option<u32>,
    queues: Option<Vec<Id>>,
) -> Agent {
    // The server's own test of "busy": the project's limit, or a larger one of one's own.
    let capacity = limit.max(member.own_limit);
    let full = match (member.open, capacity) {
        (Some(open), Some(capacity)) => open >= capacity,
        _ => false,
    };
    let busy = member.busy == Some(true) || full;
    let paused = member.profile.as_deref() == Some("inactive");
    let presence = match member.available {
        _ if paused => Presence::Away,
        Some(false) => Presence::Away,
        Some(true) if busy => Presence::Busy,
        Some(true) => Presence::Available,
        None => Presence::Unknown,
    };
    let free_capacity = capacity.zip(member.open).map(|(capacity, open)| capacity.saturating_sub(open));
    Agent {
        source: source.clone(),
        id: id.clone(),
        name: member.name.clone().or_else(|| member.email.clone()).unwrap_or_else(|| id.to_string()),
        email: member.email.clone(),
        presence,
        presence_label: member.profile.clone(),
        presence_since: None,
        presence_since_kind: None,
        logged_in_at: None,
        flags: None,
        open: member.open,
        capacity,
        free_capacity,
        queues,
        windows: Vec::new(),
    }
}
