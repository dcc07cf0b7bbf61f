//! What a perfect client shows for BeyondTrust.

use model::{
    Agent, AgentFlag, Channel, Conversation, ConversationState, Id, Presence, Queue, QueueKind, SinceKind,
    StartedVia, Timestamp, Vendor,
};

use super::{
    BeyondtrustServer,
    dialect::Accept,
    tables::{client_type, has_console, is_enabled, is_idle, pickup, start_method},
    user_id,
};
use crate::{
    Truth, VendorServer,
    floor::{Centre, Contact, Seat, mean},
};

/// The feed has whole seconds.
fn seconds(server: &BeyondtrustServer, at: Timestamp) -> Timestamp {
    Timestamp::from_ms(server.wire.shifted(at).as_ms().div_euclid(1000) * 1000)
}

fn personal(seat: &Seat) -> Id {
    Id::new(format!("rep:{}", user_id(seat.no)))
}

/// Where the feed has the session now.
fn place(server: &BeyondtrustServer, floor: &Centre, c: &Contact) -> Option<Id> {
    let team = Some(server.queue_id(floor, c.queue));
    match (server.dialect.accept, c.state) {
        (_, ConversationState::Waiting) | (Accept::Stay, _) => team,
        (Accept::Null, _) => None,
        (Accept::Move, _) => c.seats.first().and_then(|s| floor.seat(*s)).map(personal).or(team),
    }
}

pub(super) fn truth(server: &BeyondtrustServer, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
    let vendor = Vendor::Beyondtrust;
    let conversations: Vec<Conversation> =
        floor.open_contacts_of(vendor).map(|c| conversation(server, floor, source, c)).collect();
    let agents: Vec<Agent> =
        floor.seats_of(vendor).filter(|s| has_console(s)).map(|s| agent(server, floor, source, s)).collect();
    let queue = |id: Id, name: String, kind: QueueKind| {
        let here = || conversations.iter().filter(|c| c.queue.as_ref() == Some(&id));
        let waits: Vec<Timestamp> = here()
            .filter(|c| c.state == ConversationState::Waiting)
            .filter_map(|c| c.waiting_since)
            .collect();
        let sum: f64 = waits.iter().map(|at| server.wire.shifted(now).since(*at).as_secs_f64()).sum();
        let serving = || agents.iter().filter(|a| a.queues.as_ref().is_some_and(|q| q.contains(&id)));
        Queue {
            source: source.clone(),
            waiting: Some(waits.len() as u32),
            waiting_since: waits.iter().min().copied(),
            average_wait_s: mean(sum, waits.len() as u32),
            open: Some(here().filter(|c| c.state == ConversationState::Active).count() as u32),
            capacity: None,
            free_capacity: None,
            agents_online: Some(serving().count() as u32),
            agents_available: Some(serving().filter(|a| a.presence == Presence::Available).count() as u32),
            expected_at: None,
            windows: Vec::new(),
            id: id.clone(),
            name,
            kind,
        }
    };
    let mut queues = vec![queue(Id::new("general"), "General".to_owned(), QueueKind::Other)];
    for q in floor.queues_of(vendor) {
        queues.push(queue(server.queue_id(floor, q.no), q.name.clone(), QueueKind::Team));
    }
    for seat in floor.seats_of(vendor).filter(|s| has_console(s)) {
        queues.push(queue(personal(seat), seat.name(), QueueKind::Personal));
    }
    Truth { queues, agents, conversations, totals: None }
}

fn agent(server: &BeyondtrustServer, floor: &Centre, source: &Id, s: &Seat) -> Agent {
    let flags: Vec<AgentFlag> = [
        (is_idle(s), AgentFlag::Idle),
        (s.is_full(), AgentFlag::Busy),
        (!is_enabled(s), AgentFlag::NotAccepting),
    ]
    .into_iter()
    .filter_map(|(holds, flag)| holds.then_some(flag))
    .collect();
    let presence = match () {
        () if !is_enabled(s) => Presence::Away,
        () if s.is_full() => Presence::Busy,
        () if is_idle(s) => Presence::Idle,
        () => Presence::Available,
    };
    let mut queues: Vec<Id> = s.queues.iter().map(|q| server.queue_id(floor, *q)).collect();
    queues.push(personal(s));
    queues.sort();
    Agent {
        source: source.clone(),
        id: server.agent_id(floor, s.no),
        name: s.name(),
        email: None,
        presence,
        presence_label: None,
        presence_since: Some(s.stance_since),
        presence_since_kind: Some(SinceKind::Reported),
        logged_in_at: Some(seconds(server, s.signed_in_at)),
        flags: Some(flags),
        open: Some(s.open.len() as u32),
        capacity: None,
        free_capacity: None,
        queues: Some(queues),
        windows: Vec::new(),
    }
}

fn conversation(server: &BeyondtrustServer, floor: &Centre, source: &Id, c: &Contact) -> Conversation {
    let at = |at: Timestamp| seconds(server, at);
    let mut agents: Vec<Id> = c.seats.iter().map(|s| server.agent_id(floor, *s)).collect();
    agents.sort();
    Conversation {
        source: source.clone(),
        id: server.conversation_id(floor, c.no),
        queue: place(server, floor, c),
        agents: Some(agents),
        state: c.state,
        channel: Some(match client_type(c) {
            "web_chat" => Channel::Chat,
            "desktop" => Channel::Desktop,
            "mobile" => Channel::Mobile,
            "rdp" => Channel::Rdp,
            _ => Channel::Other,
        }),
        started_via: Some(match start_method(c) {
            "session_key" => StartedVia::SessionKey,
            "issue_submission" => StartedVia::IssueForm,
            "rep_list" => StartedVia::AgentList,
            "click_to_chat" => StartedVia::ClickToChat,
            "support_button" => StartedVia::Button,
            "jump_client" => StartedVia::Jump,
            _ => StartedVia::Other,
        }),
        started_via_label: Some(start_method(c).to_owned()),
        customer: Some(c.customer.clone()),
        subject: Some(c.subject.clone()),
        created_at: Some(at(c.created_at)),
        waiting_since: Some(at(c.entered_at)),
        answered_at: c.answered_at.map(at),
        ended_at: None,
        expected_at: pickup(c).map(at),
        last_customer_message_at: None,
        last_agent_message_at: None,
        outcome: None,
        tags: None,
        priority: Some(if c.priority == "high" { "1" } else { "2" }.to_owned()),
    }
}
