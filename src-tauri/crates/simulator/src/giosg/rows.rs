//! What the server says of the floor, row by row.

use model::{ConversationState, Timestamp, Vendor};
use serde_json::{Map, Value, json};

use super::{
    GiosgServer, ORGANIZATION,
    dialect::{Dialect, SignedIn},
};
use crate::{
    floor::{Centre, Contact, FloorQueue, Seat, SeatNo, Stance, mean},
    ids::{IdKind, guid},
};

/// The product's own default.
const CAPACITY: u32 = 5;

/// Users are numbered in this version of the API, from 1.
fn user_number(seat: SeatNo) -> u64 {
    u64::from(seat.0) + 1
}

/// Their id as text.
pub(super) fn user_id(dialect: &Dialect, seat: SeatNo) -> String {
    if dialect.guid_ids || dialect.retired {
        return guid(IdKind::User, None, u64::from(seat.0));
    }
    user_number(seat).to_string()
}

pub(super) fn free(seat: &Seat) -> u32 {
    seat.limit.unwrap_or(CAPACITY).saturating_sub(seat.open.len() as u32)
}

/// Free slots over all who serve the room, each counted in every room.
pub(super) fn room_free(floor: &Centre, queue: &FloorQueue) -> u32 {
    let seats = queue.seats.iter().filter_map(|seat| floor.seat(*seat));
    seats.filter(|seat| !seat.disabled && seat.stance == Stance::Accepting).map(free).sum()
}

pub(super) fn waiting<'a>(floor: &'a Centre, queue: &'a FloorQueue) -> impl Iterator<Item = &'a Contact> {
    queue.waiting.iter().filter_map(|contact| floor.contact(*contact))
}

/// Figures of the day: missed, real chats, average wait.
pub(super) fn day(floor: &Centre, queue: &FloorQueue) -> (u32, u32, Option<f64>) {
    let day = queue.day_at(floor.now());
    let wait = mean(day.wait_s, day.answered).map(|wait| (wait * 10.0).round() / 10.0);
    (day.missed + day.abandoned, day.answered, wait)
}

pub(super) fn visitors(queue: &FloorQueue) -> u32 {
    queue.open * 3 + queue.waiting.len() as u32 + 7
}

/// Whether a room belongs to a partner.
fn is_shared(server: &GiosgServer, floor: &Centre, queue: &FloorQueue) -> bool {
    let last = floor.queues_of(Vendor::Giosg).last().map(|last| last.no);
    server.dialect.shared_room && last == Some(queue.no)
}

pub(super) fn rooms(
    server: &GiosgServer,
    floor: &Centre,
    wanted: Option<&[&str]>,
    with_shared: bool,
) -> Vec<Value> {
    let queues = floor.queues_of(Vendor::Giosg).filter(|queue| {
        let id = server.room_id(queue.no);
        let listed = with_shared || !is_shared(server, floor, queue);
        listed && wanted.is_none_or(|wanted| wanted.iter().any(|one| one.eq_ignore_ascii_case(&id)))
    });
    queues.map(|queue| room(server, floor, queue)).collect()
}

fn room(server: &GiosgServer, floor: &Centre, queue: &FloorQueue) -> Value {
    let dialect = &server.dialect;
    let waits: Vec<f64> =
        waiting(floor, queue).map(|contact| floor.now().since(contact.entered_at).as_secs_f64()).collect();
    let seconds = |value: Option<f64>| match value {
        Some(value) if dialect.text_numbers => json!(format!("{value:.2}")),
        Some(value) => json!((value * 10.0).round() / 10.0),
        None if dialect.zero_waits => json!(0.0),
        None => Value::Null,
    };
    let (missed, real, day_wait) = day(floor, queue);
    let mut row = json!({
        "room_id": server.room_id(queue.no),
        "room_name": queue.name,
        "currently_open_chats": queue.open,
        "free_capacity": room_free(floor, queue),
        "waiting_chats": waits.len(),
        "average_wait_time": seconds(mean(waits.iter().sum(), waits.len() as u32)),
        "max_wait_time": seconds(waits.iter().copied().reduce(f64::max)),
        "missed_chats": missed,
        "real_chats": real,
        "current_visitors": visitors(queue),
    });
    if let Some(row) = row.as_object_mut().filter(|_| dialect.daily) {
        row.insert("daily_avg_chat_wait_time".to_owned(), json!(day_wait));
        row.insert("daily_max_chat_wait_time".to_owned(), Value::Null);
    }
    row
}

pub(super) fn users(server: &GiosgServer, floor: &Centre, wanted: Option<&str>) -> Vec<Value> {
    let wanted: Option<Vec<&str>> = wanted.filter(|ids| !ids.is_empty()).map(|ids| ids.split(',').collect());
    let seats = floor.seats_of(Vendor::Giosg).filter(|seat| {
        let id = user_id(&server.dialect, seat.no);
        wanted.as_ref().is_none_or(|wanted| wanted.contains(&id.as_str()))
            && !(server.dialect.hides_offline && seat.stance == Stance::Offline)
    });
    seats.map(|seat| user(server, floor, seat)).collect()
}

fn user(server: &GiosgServer, floor: &Centre, seat: &Seat) -> Value {
    let dialect = &server.dialect;
    let mut row = Map::new();
    let id = if dialect.text_ids || dialect.guid_ids {
        json!(user_id(dialect, seat.no))
    } else {
        json!(user_number(seat.no))
    };
    row.insert("user_id".to_owned(), id);
    row.insert("email".to_owned(), if dialect.no_email { Value::Null } else { json!(seat.email) });
    let signed_in = match dialect.signed_in {
        SignedIn::LoggedId => Some("is_logged_id"),
        SignedIn::LoggedIn => Some("is_logged_in"),
        SignedIn::NotTold => None,
    };
    if let Some(key) = signed_in {
        row.insert(key.to_owned(), json!(seat.stance != Stance::Offline));
        row.insert("is_online".to_owned(), json!(seat.stance == Stance::Accepting));
    }
    row.insert("currently_open_chats".to_owned(), json!(seat.open.len()));
    let free = match free(seat) {
        0 if dialect.negative_free => -1,
        free => i64::from(free),
    };
    row.insert("free_capacity".to_owned(), json!(free));
    let rooms: Vec<Value> = seat
        .queues
        .iter()
        .filter_map(|queue| floor.queue(*queue))
        .map(|queue| {
            let id = server.room_id(queue.no);
            let inner = if dialect.bare_rooms {
                Value::Null
            } else {
                json!({"id": id, "name": queue.name, "currently_open_chats": 0})
            };
            json!({"room_id": id, "room": inner})
        })
        .collect();
    row.insert("rooms".to_owned(), Value::Array(rooms));
    row.insert("teams".to_owned(), json!([{"team_id": 1}]));
    Value::Object(row)
}

/// The organization's own list of people; ids are of another kind there.
pub(super) fn people(server: &GiosgServer, floor: &Centre) -> Vec<Value> {
    let at = server.wire.shifted(floor.opened_at());
    floor
        .seats_of(Vendor::Giosg)
        .map(|seat| {
            json!({
                "id": guid(IdKind::User, None, u64::from(seat.no.0)),
                "email": seat.email.to_uppercase(), "first_name": seat.first, "last_name": seat.last,
                "full_name": seat.name(), "alias": null, "title": "", "is_online_enabled": true,
                "is_online": seat.stance == Stance::Accepting, "is_present": seat.stance != Stance::Offline,
                "current_chat_count": seat.open.len(), "is_bot": false, "is_deleted": false, "deleted_at": null,
                "organization_id": ORGANIZATION, "created_at": at, "updated_at": at,
            })
        })
        .collect()
}

pub(super) fn room_names(server: &GiosgServer, floor: &Centre) -> Vec<Value> {
    floor
        .queues_of(Vendor::Giosg)
        .map(|queue| {
            json!({
                "id": server.room_id(queue.no), "organization_id": ORGANIZATION, "domain": null,
                "name": queue.name, "display_name": queue.name, "is_shared": is_shared(server, floor, queue), "is_online": true,
                "is_humans_online": true, "is_deleted": false,
            })
        })
        .collect()
}

pub(super) fn waiting_chats(server: &GiosgServer, floor: &Centre, room: Option<u64>) -> Vec<Value> {
    let stamp = |at: Timestamp| json!(server.wire.shifted(at));
    floor
        .open_contacts_of(Vendor::Giosg)
        .filter(|contact| {
            contact.state == ConversationState::Waiting && Some(u64::from(contact.queue.0)) == room
        })
        .map(|contact| {
            json!({
                "id": guid(IdKind::Contact, Some(floor.opened_at()), contact.no.0),
                "room_id": server.room_id(contact.queue), "created_at": stamp(contact.created_at),
                "is_waiting": true, "waiting_started_at": stamp(contact.entered_at), "is_ended": false,
                "message_count": contact.messages,
            })
        })
        .collect()
}
