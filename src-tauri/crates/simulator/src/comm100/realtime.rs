//! The four real-time resources.

use std::time::Duration;

use axum::response::Response;
use model::{ConversationState, Vendor};
use serde_json::{Map, Value, json};

use super::{
    Call, Comm100Server, Distribution, Envelope, SITE_ID, problem,
    write::{ZERO, round, span},
};
use crate::{
    floor::{Centre, FloorQueue, Seat, Stance, WaitEnd, mean},
    ids::{IdKind, guid, number},
};

const HALF_HOUR: Duration = Duration::from_secs(1800);
const HOUR: Duration = Duration::from_secs(3600);

/// Status ids: three the product has, the others are custom ones, named by their own look-up.
pub(super) fn status_id(seat: &Seat) -> String {
    match (seat.stance, seat.label) {
        (Stance::Accepting, _) => ZERO.to_owned(),
        (Stance::Offline, _) => ZERO.replace("000000000000", "000000000002"),
        (Stance::Away, None) => ZERO.replace("000000000000", "000000000001"),
        (Stance::Away, Some(label)) => custom_status(label),
    }
}
pub(super) fn status_name(seat: &Seat) -> &'static str {
    match (seat.stance, seat.label) {
        (Stance::Accepting, _) => "Online",
        (Stance::Offline, _) => "Offline",
        (Stance::Away, label) => label.unwrap_or("Away"),
    }
}
pub(super) fn custom_status(label: &str) -> String {
    let n = label.bytes().fold(17u64, |n, b| (n * 31 + u64::from(b)) & 0xffff_ffff);
    guid(IdKind::Status, None, n)
}

/// Who of a queue could have work at all.
pub(super) fn capacity(floor: &Centre, queue: &FloorQueue) -> Option<u32> {
    let seats = queue.seats.iter().filter_map(|s| floor.seat(*s));
    let sum: Option<u32> =
        seats.filter(|s| !s.disabled && s.stance != Stance::Offline).map(|s| s.limit).sum::<Option<u32>>();
    // Somebody who signed out keeps the chats in hand: never less than what is going on.
    sum.map(|sum| sum.max(queue.open))
}

pub(super) fn agents(server: &Comm100Server, floor: &Centre, call: &Call) -> Result<Value, Response> {
    let department = match call.param("departmentId") {
        None | Some("") => None,
        Some(id) if id.len() == 36 => Some(number(id)),
        Some(id) => return Err(bad_value("departmentId", id)),
    };
    let seats: Vec<&Seat> = floor
        .seats_of(Vendor::Comm100)
        .filter(|s| {
            department.is_none_or(|d| d.is_some_and(|d| s.queues.iter().any(|q| u64::from(q.0) == d)))
        })
        .collect();
    let with_distribution = call.is("includeStatusDistribution");
    let rows: Vec<Value> = seats.iter().map(|s| agent(server, floor, s, with_distribution)).collect();
    let dialect = &server.dialect;
    match dialect.envelope {
        Envelope::Bare => return Ok(Value::Array(rows)),
        Envelope::Named => return Ok(json!({"count": rows.len(), "agents": rows})),
        Envelope::Paged => {}
    }
    let size = call.number("pageSize").unwrap_or(dialect.default_page).clamp(1, dialect.page_cap);
    let asked = call.number("pageIndex").unwrap_or(1).max(1);
    let index = if dialect.ignores_paging { 1 } else { asked };
    let total = rows.len();
    // A row that has moved between two pages shows up on both.
    let from = ((index - 1) * size).saturating_sub(usize::from(dialect.repeats_rows && index > 1));
    let to = (index * size).min(total);
    let list: Vec<Value> = rows.get(from..to).unwrap_or_default().to_vec();
    Ok(json!({
        "total": dialect.int(total as i64),
        "pageCount": dialect.int(total.div_ceil(size) as i64),
        "list": list,
        "pageIndex": dialect.int(index as i64),
        "pageSize": dialect.int(size as i64),
    }))
}

fn agent(server: &Comm100Server, floor: &Centre, seat: &Seat, with_distribution: bool) -> Value {
    let dialect = &server.dialect;
    let now = floor.now();
    let mut row = Map::new();
    row.insert("agentId".to_owned(), json!(server.guid(IdKind::Seat, u64::from(seat.no.0))));
    // The vendor's sample has a name with a leading blank.
    let name = if seat.no.0 % 5 == 3 { format!(" {}", seat.name()) } else { seat.name() };
    row.insert("displayName".to_owned(), json!(name));
    row.insert("currentStatusId".to_owned(), json!(status_id(seat)));
    let ongoing = if dialect.on_going { "onGoingChats" } else { "ongoingChats" };
    row.insert(ongoing.to_owned(), dialect.int(seat.open.len() as i64));
    let limit = if dialect.hides_maxima { None } else { seat.limit };
    row.insert("maxConcurrentChats".to_owned(), dialect.int(limit.unwrap_or(0)));
    row.insert("intradayChats".to_owned(), dialect.int(seat.handled_today));
    row.insert("intradayLinearChatTime".to_owned(), json!(span(seat.chat_time_at(now))));
    let online = now.since(seat.signed_in_at);
    let distribution = if with_distribution && seat.stance != Stance::Offline {
        let id = status_id(seat);
        let seconds = round(online.as_secs_f64(), 3);
        match dialect.distribution {
            Distribution::Spans => json!({ id: span(online) }),
            Distribution::Seconds => json!({ id: seconds }),
            Distribution::Nested => json!({ id: {"time": seconds} }),
            Distribution::Text => json!(json!({ id: span(online) }).to_string()),
            Distribution::Array => json!([{"status": status_name(seat), "time": seconds}]),
        }
    } else {
        json!({})
    };
    row.insert("statusDistribution".to_owned(), distribution);
    Value::Object(row)
}

pub(super) fn queue(server: &Comm100Server, floor: &Centre) -> Value {
    let dialect = &server.dialect;
    let mut rows: Vec<Value> = floor
        .queues_of(Vendor::Comm100)
        .map(|q| {
            let visitors = q
                .waiting
                .iter()
                .filter_map(|c| floor.contact(*c))
                .map(|c| visitor(server, floor, c))
                .collect();
            let name = json!({
                "id": server.guid(IdKind::Queue, u64::from(q.no.0)),
                "siteId": SITE_ID,
                "name": q.name,
                "description": "",
                "isAvailableInLiveChat": true,
                "isAvailableInTicketingAndMessaging": true,
                "isDeleted": false,
            });
            let mut row = Map::new();
            dialect.reference(
                &mut row,
                "routeToDepartmentId",
                Some(server.guid(IdKind::Queue, u64::from(q.no.0))),
            );
            row.insert("routeToDepartment".to_owned(), name);
            dialect.reference(&mut row, "routeToAgentId", None);
            row.insert("routeToAgent".to_owned(), Value::Null);
            fill(server, floor, &mut row, &[q], q.open, capacity(floor, q), visitors);
            Value::Object(row)
        })
        .collect();
    if dialect.agent_rows
        && let Some(seat) = floor.seats_of(Vendor::Comm100).next()
    {
        let mut row = Map::new();
        dialect.reference(&mut row, "routeToDepartmentId", None);
        row.insert("routeToDepartment".to_owned(), Value::Null);
        dialect.reference(&mut row, "routeToAgentId", Some(server.guid(IdKind::Seat, u64::from(seat.no.0))));
        row.insert("routeToAgent".to_owned(), agent_object(server, seat));
        fill(server, floor, &mut row, &[], seat.open.len() as u32, seat.limit, Vec::new());
        rows.push(Value::Object(row));
    }
    if dialect.mirrored_site {
        let queues: Vec<&FloorQueue> = floor.queues_of(Vendor::Comm100).collect();
        let waiting =
            floor.open_contacts_of(Vendor::Comm100).filter(|c| c.state == ConversationState::Waiting);
        let visitors = waiting.map(|c| visitor(server, floor, c)).collect();
        let mut row = Map::new();
        for (id, object) in [("routeToDepartmentId", "routeToDepartment"), ("routeToAgentId", "routeToAgent")]
        {
            dialect.reference(&mut row, id, None);
            row.insert(object.to_owned(), Value::Null);
        }
        let open = queues.iter().map(|q| q.open).sum();
        fill(server, floor, &mut row, &queues, open, None, visitors);
        rows.push(Value::Object(row));
    }
    Value::Array(rows)
}

/// An agent as the vendor embeds it, with what must never be kept.
pub(super) fn agent_object(server: &Comm100Server, seat: &Seat) -> Value {
    json!({
        "id": server.guid(IdKind::Seat, u64::from(seat.no.0)),
        "siteId": SITE_ID,
        "displayName": seat.name(),
        "firstName": seat.first,
        "lastName": seat.last,
        "email": seat.email,
        "phone": "+1 555 0100",
        "title": "",
        "bio": "",
        "isAdmin": false,
        "isActive": true,
        "isLocked": false,
        "isDeleted": false,
        "apiKey": format!("fake-api-key-of-{}", seat.no.0),
        "createdTime": "2021-05-17T07:17:22.908Z",
        "departmentIds": seat.queues.iter().map(|q| server.guid(IdKind::Queue, u64::from(q.0))).collect::<Vec<_>>(),
    })
}

fn visitor(server: &Comm100Server, floor: &Centre, contact: &crate::floor::Contact) -> Value {
    let id = guid(IdKind::Contact, Some(floor.opened_at()), contact.no.0);
    let id = if server.dialect.upper_guids { id.to_ascii_uppercase() } else { id };
    let waited = floor.now().since(contact.entered_at).as_secs() as i64;
    json!({"visitorId": id, "contactIdentityId": ZERO, "waitTime": server.dialect.int(waited)})
}

fn fill(
    server: &Comm100Server,
    floor: &Centre,
    row: &mut Map<String, Value>,
    queues: &[&FloorQueue],
    open: u32,
    capacity: Option<u32>,
    visitors: Vec<Value>,
) {
    let dialect = &server.dialect;
    let now = floor.windows_end();
    let ends = |end| -> u32 { queues.iter().map(|q| q.hour.count(now, HALF_HOUR, end)).sum() };
    let wait = |window| {
        let (sum, n) = queues
            .iter()
            .filter_map(|q| q.hour.average_wait_s(now, window))
            .fold((0.0, 0), |(s, n), w| (s + w, n + 1));
        mean(sum, n).unwrap_or(0.0).round() as i64
    };
    let mut set = |key: &str, value: Value| {
        row.insert(key.to_owned(), value);
    };
    set("ongoingChats", dialect.int(open));
    set("maxConcurrentChats", dialect.int(capacity.unwrap_or(0)));
    set("currentQueueLength", dialect.int(visitors.len() as i64));
    set(dialect.name("avgWaitTimeinLast30Mins", "avgWaitTimeInLast30Mins"), dialect.int(wait(HALF_HOUR)));
    set(dialect.name("avgWaitTimeinLast60Mins", "avgWaitTimeInLast60Mins"), dialect.int(wait(HOUR)));
    set(
        dialect.name("abandonedChatsinLast30Mins", "abandonedChatsInLast30Mins"),
        dialect.int(ends(WaitEnd::Abandoned) + ends(WaitEnd::Missed)),
    );
    set(
        dialect.name("switchedtoMessagesinLast30Mins", "switchedToMessagesInLast30Mins"),
        dialect.int(ends(WaitEnd::Switched)),
    );
    set("visitors", Value::Array(visitors));
}

pub(super) fn today(server: &Comm100Server, floor: &Centre, call: &Call) -> Result<Value, Response> {
    if let Some(offset) = call.param("utcOffset")
        && offset.parse::<i32>().is_err()
    {
        return Err(bad_value("utcOffset", offset));
    }
    let dialect = &server.dialect;
    let day = floor.day(Vendor::Comm100);
    let requests = day.requests();
    let ratio = |part: u32, of: u32| (of > 0).then(|| f64::from(part) / f64::from(of));
    let group = |value: Value| if dialect.plan_limited { Value::Null } else { value };
    let time = |sum: f64, n: u32| group(dialect.real(mean(sum, n).map(|s| round(s, 1))));
    Ok(json!({
        "chatRequests": dialect.int(requests),
        "chats": dialect.int(day.answered),
        // A bot took some that no person saw.
        "totalChats": dialect.int(day.answered + day.answered / 17),
        "missedChats": dialect.int(day.missed),
        dialect.name("abandondedChats", "abandonedChats"): dialect.int(day.abandoned),
        dialect.name("switchedToMessageChats", "switchToMessages"): dialect.int(day.switched),
        "acceptedInvitations": dialect.int(day.invitations),
        dialect.name("departmentTransferredChats", "departmentTransferChats"): dialect.int(day.moved),
        dialect.name("totalTransferredChats", "totalTransferChats"): dialect.int(day.transferred),
        "chatAcceptanceRate": group(dialect.rate(ratio(day.answered, requests))),
        "uniqueChatRate": group(dialect.rate((requests > 0).then_some(0.93))),
        "serviceAccessibilityRate": group(dialect.rate(Some(0.99))),
        "agentUtilization": group(dialect.rate(utilisation(floor))),
        "avgScore": group(dialect.real(mean(f64::from(day.score), day.rated).map(|s| round(s, 2)))),
        dialect.name("avgWaitingTime", "avgWaitTime"): time(day.wait_s, day.answered),
        "avgChatTime": time(day.handling_s, day.handled),
        dialect.name("agentAvgResponseTime", "avgResponseTime"): time(day.reply_s, day.replies),
    }))
}

/// Slots in use of those that online people have.
pub(super) fn utilisation(floor: &Centre) -> Option<f64> {
    let online = floor.seats_of(Vendor::Comm100).filter(|s| s.stance == Stance::Accepting);
    let (open, slots) =
        online.fold((0usize, 0u32), |(o, s), seat| (o + seat.open.len(), s + seat.limit.unwrap_or(0)));
    (slots > 0).then(|| (open as f64 / f64::from(slots)).min(1.0))
}

pub(super) fn right_now(server: &Comm100Server, floor: &Centre) -> Value {
    let dialect = &server.dialect;
    let vendor = Vendor::Comm100;
    let signed_in = floor.seats_of(vendor).filter(|s| s.stance != Stance::Offline).count();
    let in_chat = floor.seats_of(vendor).filter(|s| !s.open.is_empty()).count();
    let open: u32 = floor.queues_of(vendor).map(|q| q.open).sum();
    let waiting: usize = floor.queues_of(vendor).map(|q| q.waiting.len()).sum();
    // The seed's integer; an older platform wrote the fraction.
    let utilisation =
        utilisation(floor).map(|u| if dialect.corrected_names { round(u, 2) } else { (u * 100.0).round() });
    json!({
        "loggedInAgents": dialect.int(signed_in as i64),
        "agentsInChat": dialect.int(in_chat as i64),
        "chatUtilization": match utilisation {
            Some(u) if u.fract() == 0.0 => dialect.int(u as i64),
            other => dialect.real(other),
        },
        dialect.name("visitorOnSite", "visitorsOnSite"): dialect.int(i64::from(open) * 3 + waiting as i64 + 16),
        "ongoingChats": dialect.int(i64::from(open) + bots(floor)),
        dialect.name("ongoingChatsWithAgent", "ongoingChatsWithAgents"): dialect.int(open),
        dialect.name("ongoingChatsWithBot", "ongoingChatsWithChatbot"): dialect.int(bots(floor)),
        "currentQueueLength": dialect.int(waiting as i64),
    })
}

/// Chats that a bot has: a few, and none when the floor is empty.
pub(super) fn bots(floor: &Centre) -> i64 {
    let open: u32 = floor.queues_of(Vendor::Comm100).map(|q| q.open).sum();
    i64::from(open / 6)
}

fn bad_value(name: &str, value: &str) -> Response {
    let mut answer = problem(400, 400_000, "");
    let body = json!({
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "traceId": "|7d3f.",
        "errors": {name: [format!("The value '{value}' is not valid.")]},
    });
    *answer.body_mut() = axum::body::Body::from(body.to_string());
    answer
}
