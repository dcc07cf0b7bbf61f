//! The floor as the appliance's tables, and what changed between two looks.

use std::collections::{BTreeMap, HashMap};

use model::{ConversationState, Timestamp, Vendor};
use serde_json::{Map, Value, json};

use super::{
    dialect::{Accept, Bools, Dialect},
    lsid, team_id, user_id,
};
use crate::{
    floor::{Centre, Contact, Dice, Seat, Stance},
    wire::Wire,
};

/// Rows by table and id.
pub(super) type Tables = BTreeMap<&'static str, BTreeMap<u64, Map<String, Value>>>;

const NAMES: [&str; 11] = [
    "customer_client",
    "queue",
    "representative",
    "representative_queue",
    "representative_support_session",
    "support_session",
    "support_session_attribute",
    "support_session_skill",
    "presentation_session",
    "attendee",
    "presenter",
];

/// Whether the name is one of the appliance's tables.
pub(super) fn is_table(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Row ids of one lifetime of the model: never used twice within it, given anew after it.
#[derive(Default)]
pub(super) struct Numbering {
    next: u64,
    given: HashMap<(&'static str, String), u64>,
}

impl Numbering {
    /// Another lifetime: the same rows get other numbers, some of which meant something else before.
    pub fn anew(turn: u64) -> Self {
        Self { next: turn * 3, given: HashMap::new() }
    }
    fn of(&mut self, table: &'static str, key: String) -> u64 {
        let next = &mut self.next;
        *self.given.entry((table, key)).or_insert_with(|| {
            *next += 1;
            *next
        })
    }
}

/// Whether a person is signed in to a console: whoever has a session in hand still is.
pub(super) fn has_console(seat: &Seat) -> bool {
    seat.stance != Stance::Offline || !seat.open.is_empty()
}
/// Half of those who are away have gone idle, the others have opted out.
pub(super) fn is_idle(seat: &Seat) -> bool {
    seat.stance == Stance::Away && seat.person % 2 == 1
}
pub(super) fn is_enabled(seat: &Seat) -> bool {
    seat.stance == Stance::Accepting || is_idle(seat)
}

const STARTS: [&str; 6] =
    ["session_key", "issue_submission", "rep_list", "click_to_chat", "support_button", "jump_client"];
const CLIENTS: [&str; 5] = ["web_chat", "desktop", "web_chat", "mobile", "rdp"];

pub(super) fn start_method(contact: &Contact) -> &'static str {
    STARTS[contact.no.0 as usize % STARTS.len()]
}
pub(super) fn client_type(contact: &Contact) -> &'static str {
    CLIENTS[contact.no.0 as usize % CLIENTS.len()]
}
/// When the appliance expects somebody to take it.
pub(super) fn pickup(contact: &Contact) -> Option<Timestamp> {
    let waits = contact.state == ConversationState::Waiting && contact.no.0 % 4 != 3;
    waits.then(|| contact.entered_at.plus(std::time::Duration::from_secs(180)))
}

struct Writer<'a> {
    dialect: &'a Dialect,
    wire: &'a Wire,
    numbering: &'a mut Numbering,
    tables: Tables,
}

impl Writer<'_> {
    fn bool(&self, value: bool) -> Value {
        match self.dialect.bools {
            Bools::Json => json!(value),
            Bools::Number => json!(u8::from(value)),
            Bools::Text => json!(u8::from(value).to_string()),
        }
    }
    fn key(&self, id: u64) -> Value {
        if self.dialect.text_ids { json!(id.to_string()) } else { json!(id) }
    }
    fn at(&self, at: Timestamp) -> Value {
        json!(self.wire.shifted(at).as_ms().div_euclid(1000))
    }
    fn row(&mut self, table: &'static str, key: String, row: Value) -> u64 {
        let id = self.numbering.of(table, key);
        if let Value::Object(mut row) = row {
            if self.dialect.unknowns {
                row.insert("x_future".to_owned(), json!({"deep": [null]}));
            }
            self.tables.entry(table).or_default().insert(id, row);
        }
        id
    }
}

/// Everything as it is now.
pub(super) fn look(floor: &Centre, dialect: &Dialect, wire: &Wire, numbering: &mut Numbering) -> Tables {
    let vendor = Vendor::Beyondtrust;
    let mut w = Writer { dialect, wire, numbering, tables: Tables::new() };
    let opened = w.at(floor.opened_at());
    let general = json!({
        "name": "General", "code_name": "general", "type": "general", "support_team_id": null,
        "created_timestamp": opened,
    });
    w.row("queue", "general".to_owned(), general);
    let mut team_rows = HashMap::new();
    for queue in floor.queues_of(vendor) {
        let code_name = format!("team_{}", team_id(queue.no));
        let row = json!({
            "name": queue.name, "code_name": code_name, "type": "team",
            "support_team_id": team_id(queue.no), "created_timestamp": opened,
        });
        team_rows.insert(queue.no, w.row("queue", code_name, row));
    }
    let mut personal = HashMap::new();
    let mut consoles = HashMap::new();
    for seat in floor.seats_of(vendor).filter(|s| has_console(s)) {
        let login = w.at(seat.signed_in_at);
        for console in 0..if dialect.two_consoles { 2 } else { 1 } {
            let key = format!("{}.{}.{console}", seat.no.0, seat.signed_in_at.as_ms());
            let own = json!({
                "name": seat.name(), "code_name": "", "type": dialect.personal_word, "support_team_id": null,
                "created_timestamp": login,
            });
            let queue = w.row("queue", format!("own.{key}"), own);
            let row = json!({
                "user_id": user_id(seat.no), "username": seat.email, "public_display_name": seat.first,
                "private_display_name": seat.name(), "queue_id": w.key(queue),
                "routing_available": w.bool(seat.takes_work()), "routing_idle": w.bool(is_idle(seat)),
                "routing_busy": w.bool(seat.is_full()), "routing_enabled": w.bool(is_enabled(seat)),
                "skill_code_names": ["network", "vpn"], "created_timestamp": login,
            });
            let representative = w.row("representative", key.clone(), row);
            for served in &seat.queues {
                let row = json!({
                    "representative_id": w.key(representative),
                    "queue_id": w.key(team_rows.get(served).copied().unwrap_or_default()),
                    "created_timestamp": login,
                });
                w.row("representative_queue", format!("{key}/{}", served.0), row);
            }
            if console == 0 {
                personal.insert(seat.no, queue);
                consoles.insert(seat.no, representative);
            }
        }
    }
    for contact in floor.open_contacts_of(vendor) {
        let waits = contact.state == ConversationState::Waiting;
        let team = team_rows.get(&contact.queue).copied();
        let holder = contact.seats.first().and_then(|s| personal.get(s)).copied();
        let (queue, entered) = match dialect.accept {
            Accept::Move if !waits => (holder.or(team), contact.assigned_at.unwrap_or(contact.entered_at)),
            Accept::Null if !waits => (None, contact.entered_at),
            _ => (team, contact.entered_at),
        };
        let key = format!("{}", contact.no.0);
        let row = json!({
            "lsid": lsid(floor, contact.no), "queue_id": queue.map(|q| w.key(q)),
            "queue_entry_timestamp": w.at(entered), "created_timestamp": w.at(contact.created_at),
            "estimated_pickup_timestamp": pickup(contact).map(|at| w.at(at)),
            "start_method": start_method(contact), "priority": if contact.priority == "high" { 1 } else { 2 },
            "customer_name": contact.customer, "customer_company": "Example Ltd", "customer_company_code": "",
            "customer_description": contact.subject,
        });
        let session = w.row("support_session", key.clone(), row);
        let client = json!({
            "client_type": client_type(contact), "support_session_id": w.key(session), "hostname": "LAPTOP-9",
            "operating_system": "Windows 11", "elevated": w.bool(false), "created_timestamp": w.at(contact.created_at),
        });
        w.row("customer_client", key.clone(), client);
        let attribute = json!({
            "support_session_id": w.key(session), "code_name": "external_key",
            "value": format!("INC{:07}", contact.no.0), "created_timestamp": w.at(contact.created_at),
        });
        w.row("support_session_attribute", key.clone(), attribute);
        let skill = json!({
            "support_session_id": w.key(session), "code_name": "vpn", "created_timestamp": w.at(contact.created_at),
        });
        w.row("support_session_skill", key.clone(), skill);
        for seat in &contact.seats {
            let Some(representative) = consoles.get(seat).copied() else { continue };
            let row = json!({
                "representative_id": w.key(representative), "support_session_id": w.key(session),
                "created_timestamp": w.at(contact.assigned_at.unwrap_or(contact.entered_at)),
            });
            w.row("representative_support_session", format!("{key}/{}", seat.0), row);
        }
    }
    if dialect.presentations {
        let presentation = json!({"lsid": "fake-presentation", "name": "Tour", "created_timestamp": opened});
        let presentation = w.row("presentation_session", "one".to_owned(), presentation);
        let of = json!({"presentation_session_id": w.key(presentation), "x_role": {"odd": [1]}});
        w.row("attendee", "one".to_owned(), of.clone());
        w.row("presenter", "one".to_owned(), of);
    }
    w.tables
}

/// The three parts of an update message; `None` when nothing changed.
pub(super) fn difference(old: &Tables, new: &Tables, dialect: &Dialect) -> Option<Map<String, Value>> {
    let (mut insert, mut update, mut delete) = (Map::new(), Map::new(), Map::new());
    let empty = BTreeMap::new();
    for table in NAMES {
        let (before, after) = (old.get(table).unwrap_or(&empty), new.get(table).unwrap_or(&empty));
        let mut inserted = Map::new();
        let mut updated = Map::new();
        for (id, row) in after {
            match before.get(id) {
                None => {
                    inserted.insert(id.to_string(), Value::Object(row.clone()));
                }
                Some(was) if was != row => {
                    let mut row = row.clone();
                    if !dialect.full_updates {
                        row.retain(|field, value| was.get(field) != Some(value));
                    }
                    updated.insert(id.to_string(), Value::Object(row));
                }
                Some(_) => {}
            }
        }
        let gone = before.keys().filter(|id| !after.contains_key(id));
        if dialect.delete_as_object {
            let gone: Map<String, Value> = gone.map(|id| (id.to_string(), json!({}))).collect();
            if !gone.is_empty() {
                delete.insert(table.to_owned(), Value::Object(gone));
            }
        } else {
            let write = |id: &u64| if dialect.text_ids { json!(id.to_string()) } else { json!(id) };
            let gone: Vec<Value> = gone.map(write).collect();
            if !gone.is_empty() {
                delete.insert(table.to_owned(), Value::Array(gone));
            }
        }
        for (part, rows) in [(&mut insert, inserted), (&mut update, updated)] {
            if !rows.is_empty() {
                part.insert(table.to_owned(), Value::Object(rows));
            }
        }
    }
    let mut parts = Map::new();
    for (name, part) in [("insert", insert), ("update", update), ("delete", delete)] {
        if !part.is_empty() {
            parts.insert(name.to_owned(), Value::Object(part));
        }
    }
    (!parts.is_empty()).then_some(parts)
}

/// Every row of a change as a message of its own, in some order.
pub(super) fn shuffled(parts: Map<String, Value>, salt: u64) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    for (part, tables) in parts {
        let Value::Object(tables) = tables else { continue };
        for (table, rows) in tables {
            let rows: Vec<Value> = match rows {
                Value::Array(ids) => ids.into_iter().map(|id| json!([id])).collect(),
                Value::Object(rows) => rows.into_iter().map(|(id, row)| json!({ id: row })).collect(),
                _ => continue,
            };
            all.extend(
                rows.into_iter().map(|rows| Map::from_iter([(part.clone(), json!({ &table: rows }))])),
            );
        }
    }
    let mut dice = Dice::new(salt ^ all.len() as u64);
    for n in (1..all.len()).rev() {
        all.swap(n, dice.below(n + 1));
    }
    all
}

/// Rows as the `insert` part has them, cut into pieces of at most so many rows.
pub(super) fn pieces(tables: &Tables, most: usize) -> Vec<Map<String, Value>> {
    let mut all = Vec::new();
    for (table, rows) in tables {
        let rows: Vec<_> = rows.iter().collect();
        for some in rows.chunks(most.max(1)) {
            let some: Map<String, Value> =
                some.iter().map(|(id, row)| (id.to_string(), Value::Object((*row).clone()))).collect();
            all.push(Map::from_iter([((*table).to_owned(), Value::Object(some))]));
        }
    }
    all
}
