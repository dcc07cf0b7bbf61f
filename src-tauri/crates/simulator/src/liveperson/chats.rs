//! The events of every contact, numbered from 0 without holes, as the chat engine keeps them.

use std::collections::{BTreeMap, BTreeSet};

use model::{ConversationState, Outcome, Timestamp, Vendor};
use serde_json::{Map, Value, json};

use super::{LivePersonServer, dialect::Style};
use crate::floor::{Centre, Contact, ContactNo, Event, SeatNo, What};

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Note {
    at: Timestamp,
    what: Said,
}

#[derive(Clone, Debug)]
enum Said {
    State(&'static str),
    System(u32),
    Visitor,
    Agent(SeatNo),
}

/// All events, and who was ever in which chat.
#[derive(Default)]
pub(super) struct Log {
    notes: BTreeMap<ContactNo, Vec<Note>>,
    takers: BTreeMap<ContactNo, BTreeSet<SeatNo>>,
}

fn note(at: Timestamp, what: Said) -> Note {
    Note { at, what }
}

impl Log {
    pub fn hear(&mut self, floor: &Centre, events: &[Event]) {
        for Event { at, what } in events {
            let (no, what) = match what {
                What::Joined(no, seat) => (*no, what_of_join(*seat)),
                What::Requeued(no, _) => (*no, vec![Said::System(23), Said::State("waiting")]),
                What::Moved(no, _) => (*no, vec![Said::System(15), Said::State("waiting")]),
                What::AgentWrote(no, seat) => (*no, vec![Said::Agent(*seat)]),
                What::CustomerWrote(no) => (*no, vec![Said::Visitor]),
                What::Ended(no, Outcome::Handled) => (*no, vec![Said::System(5), Said::State("ended")]),
                What::Ended(no, _) => (*no, vec![Said::System(6), Said::State("ended")]),
                What::Arrived(no) => (*no, Vec::new()),
                _ => continue,
            };
            let Some(contact) = floor.contact(no).filter(|c| c.vendor == Vendor::Liveperson) else {
                continue;
            };
            let known = self.notes.contains_key(&no);
            self.begin(contact);
            if !known && !what.is_empty() {
                // What it stands for is in the beginning already.
                continue;
            }
            if matches!(what.first(), Some(Said::System(23))) && contact.state != ConversationState::Waiting {
                continue;
            }
            if let [Said::State("chatting"), ..] = what[..] {
                let seats = contact.seats.iter().copied();
                self.takers.entry(no).or_default().extend(seats);
                if contact.seats.len() > 1 {
                    continue;
                }
            }
            let notes = self.notes.entry(no).or_default();
            notes.extend(what.into_iter().map(|said| note(*at, said)));
        }
        self.notes.retain(|no, _| floor.contact(*no).is_some());
        self.takers.retain(|no, _| floor.contact(*no).is_some());
    }

    /// The events that a contact has when it is first heard of.
    fn begin(&mut self, c: &Contact) {
        if self.notes.contains_key(&c.no) {
            return;
        }
        let mut notes = vec![note(c.entered_at, Said::State("waiting")), note(c.entered_at, Said::System(4))];
        notes.push(note(c.customer_wrote_at, Said::Visitor));
        if let Some(at) = c.answered_at {
            notes.extend([note(at, Said::State("chatting")), note(at, Said::System(3))]);
        }
        if let (Some(at), Some(seat)) = (c.agent_wrote_at, c.seats.first()) {
            notes.push(note(at, Said::Agent(*seat)));
        }
        if let Some(at) = c.ended_at {
            notes.extend([note(at, Said::System(5)), note(at, Said::State("ended"))]);
        }
        self.takers.entry(c.no).or_default().extend(c.seats.iter().copied());
        self.notes.insert(c.no, notes);
    }

    pub fn notes(&mut self, c: &Contact) -> &[Note] {
        self.begin(c);
        self.notes.get(&c.no).map_or(&[], Vec::as_slice)
    }

    /// Whether this person is or was in the chat.
    pub fn is_of(&mut self, c: &Contact, seat: SeatNo) -> bool {
        self.begin(c);
        self.takers.get(&c.no).is_some_and(|takers| takers.contains(&seat))
    }
}

fn what_of_join(_seat: SeatNo) -> Vec<Said> {
    vec![Said::State("chatting"), Said::System(3)]
}

impl LivePersonServer {
    /// The events from a number on.
    pub(super) fn events(
        &self,
        style: Style,
        floor: &Centre,
        notes: &[Note],
        from: usize,
        system_text: bool,
    ) -> Vec<Value> {
        let mut events = Vec::new();
        for (id, note) in notes.iter().enumerate().skip(from) {
            let mut event = Map::new();
            event.insert(style.name("id"), style.number(id as i64));
            let kind = if matches!(note.what, Said::State(_)) { "state" } else { "line" };
            event.insert(style.name("type"), json!(kind));
            event.insert("time".to_owned(), json!(self.zoned(note.at)));
            let (by, source, text) = match &note.what {
                Said::State(state) => {
                    event.insert("state".to_owned(), json!(state));
                    events.push(Value::Object(event));
                    continue;
                }
                Said::System(n) => {
                    let n = if system_text { json!(n.to_string()) } else { json!(n) };
                    event.insert("systemMessageId".to_owned(), n);
                    ("info".to_owned(), "system", "Thank you for choosing to chat with us.")
                }
                Said::Visitor => ("visitor".to_owned(), "visitor", "<div dir=\"ltr\">Hello?</div>"),
                Said::Agent(seat) => {
                    let name = floor.seat(*seat).map_or_else(|| "Agent".to_owned(), |s| s.first.clone());
                    (name, "agent", "One moment, please.")
                }
            };
            let kind = if source == "visitor" { "html" } else { "plain" };
            event.insert("textType".to_owned(), json!(kind));
            event.insert("text".to_owned(), json!(text));
            event.insert("by".to_owned(), json!(by));
            event.insert("source".to_owned(), json!(source));
            event.insert("subType".to_owned(), json!("REGULAR"));
            events.push(Value::Object(event));
        }
        events
    }

    /// The facts of a chat.
    pub(super) fn info(&self, style: Style, floor: &Centre, c: &Contact, base: &str) -> Value {
        let mut info = Map::new();
        style.put(&mut info, "link", vec![style.link(&format!("{base}/info"), "self")]);
        let state = match c.state {
            ConversationState::Waiting => "waiting",
            ConversationState::Active => "chatting",
            ConversationState::Ended => "ended",
        };
        info.insert("state".to_owned(), json!(state));
        info.insert("chatSessionKey".to_owned(), json!(self.chat_key(floor, c.no)));
        if let Some(seat) = c.seats.last().and_then(|s| floor.seat(*s)) {
            info.insert("agentName".to_owned(), json!(seat.first));
            info.insert("agentId".to_owned(), style.number(super::agent_number(seat.no)));
        }
        if self.dialect.skill_in_info {
            info.insert("skillId".to_owned(), style.number(super::skill_number(c.queue)));
        }
        info.insert("startTime".to_owned(), json!(self.zoned(c.created_at)));
        info.insert("duration".to_owned(), json!(0));
        info.insert("lastUpdate".to_owned(), json!(self.zoned(c.updated_at)));
        info.insert("chatTimeout".to_owned(), json!(40));
        info.insert("visitorId".to_owned(), style.number(1_222_309_710_000 + c.no.0 as i64));
        info.insert("visitorName".to_owned(), json!(c.customer));
        info.insert("rtSessionId".to_owned(), style.number(4_294_992_744 + c.no.0 as i64));
        Value::Object(info)
    }

    /// An instant in the account's zone.
    fn zoned(&self, at: Timestamp) -> String {
        let at = self.wire.shifted(at);
        let shifted = Timestamp::from_ms(at.as_ms() + 3 * 3_600_000).to_string();
        shifted.trim_end_matches('Z').trim_end_matches(".000").to_owned() + "+03:00"
    }
}
