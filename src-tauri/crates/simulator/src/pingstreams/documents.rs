//! The documents: a conversation in its four shapes, messages, members, departments, groups.

use model::{ConversationState, Outcome, Vendor};
use serde_json::{Map, Value, json};

use super::{PingstreamsServer, account::Account};
use crate::{
    floor::{Centre, Contact, ContactNo, FloorQueue, Seat},
    ids::{IdKind, guid, oid},
};

/// One conversation, four shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An element of the first list: references are ids.
    ListItem,
    /// The live frame of a new one.
    Create,
    /// The live frame of a change: hardly any snapshot.
    Update,
    /// The first frame of its own topic, and REST.
    Detail,
}

pub(super) fn request_id(floor: &Centre, contact: ContactNo) -> String {
    let salt = floor.opened_at().as_ms();
    format!("support-group-{}-{:020x}{:012x}", PingstreamsServer::project(), salt, contact.0)
}

/// The limit that the project sets for everybody; a larger one of one's own counts instead.
pub(super) const PROJECT_LIMIT: u32 = 3;

fn member_limit(limit: Option<u32>) -> Option<u32> {
    limit.filter(|l| *l > PROJECT_LIMIT)
}

/// What `status` says.
pub(super) fn status(contact: &Contact) -> i64 {
    match (contact.state, contact.outcome) {
        (ConversationState::Waiting, _) => 100,
        (ConversationState::Active, _) => 200,
        (ConversationState::Ended, Some(Outcome::Abandoned)) => 150,
        (ConversationState::Ended, _) => 1000,
    }
}

impl PingstreamsServer {
    fn at(&self, at: model::Timestamp) -> Value {
        json!(self.wire.shifted(at).to_string())
    }

    pub(super) fn department(&self, floor: &Centre, queue: &FloorQueue) -> Value {
        let id = oid(IdKind::Queue, None, u64::from(queue.no.0));
        let first = floor.queues_of(Vendor::Pingstreams).next().is_some_and(|q| q.no == queue.no);
        json!({
            "routing": "assigned", "default": first, "status": 1, "_id": id, "name": queue.name,
            "id_group": oid(IdKind::Group, None, u64::from(queue.no.0)), "groups": [], "tags": [],
            "id_project": Self::project(), "createdBy": "system", "createdAt": self.at(floor.opened_at()),
            "updatedAt": self.at(floor.opened_at()), "__v": 0, "hasBot": false, "id": id,
        })
    }

    pub(super) fn group(&self, floor: &Centre, queue: &FloorQueue) -> Value {
        let members: Vec<String> = queue.seats.iter().map(|s| super::account::user_id(*s)).collect();
        json!({
            "_id": oid(IdKind::Group, None, u64::from(queue.no.0)), "name": format!("{} team", queue.name),
            "members": members, "enabled": true, "trashed": false, "id_project": Self::project(),
            "createdBy": "system", "createdAt": self.at(floor.opened_at()), "updatedAt": self.at(floor.opened_at()),
            "__v": 0,
        })
    }

    fn requester(&self, floor: &Centre, contact: &Contact, whole: bool) -> Value {
        let id = oid(IdKind::Customer, Some(floor.opened_at()), contact.no.0);
        let uuid = guid(IdKind::Customer, Some(floor.opened_at()), contact.no.0);
        let mut value = json!({
            "user_available": true, "number_assigned_requests": 0, "last_login_at": self.at(floor.opened_at()),
            "permissions": [], "status": "active", "trashed": false, "_id": id, "id_project": Self::project(),
            "uuid_user": uuid, "role": "guest", "roleType": 2, "createdBy": uuid, "tags": [],
            "createdAt": self.at(contact.created_at), "updatedAt": self.at(contact.created_at), "__v": 0,
        });
        if whole && let Some(map) = value.as_object_mut() {
            map.insert("isAuthenticated".to_owned(), json!(false));
            map.insert("id".to_owned(), json!(id));
        }
        value
    }

    fn lead(&self, floor: &Centre, contact: &Contact) -> Value {
        json!({
            "tags": [], "status": 100, "_id": oid(IdKind::Message, Some(floor.opened_at()), contact.no.0),
            "lead_id": guid(IdKind::Customer, Some(floor.opened_at()), contact.no.0), "fullname": contact.customer,
            "email": format!("guest{}@example.test", contact.no.0), "phone": null, "id_project": Self::project(),
            "createdBy": "system", "createdAt": self.at(contact.created_at), "updatedAt": self.at(contact.created_at),
            "__v": 0,
        })
    }

    fn user(&self, floor: &Centre, seat: &Seat) -> Value {
        json!({
            "status": 100, "_id": super::account::user_id(seat.no), "email": seat.email, "firstname": seat.first,
            "lastname": seat.last, "emailverified": false, "createdAt": self.at(floor.opened_at()),
            "updatedAt": self.at(floor.opened_at()), "__v": 0,
        })
    }

    /// A conversation in one of its shapes.
    pub(super) fn request(&self, floor: &Centre, contact: &Contact, shape: Shape) -> Value {
        let dialect = &self.dialect;
        let id = oid(IdKind::Contact, Some(floor.opened_at()), contact.no.0);
        let lead_id = oid(IdKind::Message, Some(floor.opened_at()), contact.no.0);
        let requester_id = oid(IdKind::Customer, Some(floor.opened_at()), contact.no.0);
        let participants: Vec<String> = contact.seats.iter().map(|s| super::account::user_id(*s)).collect();
        let mut doc = Map::new();
        let mut set = |key: &str, value: Value| {
            doc.insert(key.to_owned(), value);
        };
        set("_id", json!(id));
        set("id", json!(id));
        set("request_id", json!(request_id(floor, contact.no)));
        set("ticket_id", json!(contact.ticket));
        set("id_project", json!(Self::project()));
        set("status", json!(status(contact)));
        set("preflight", json!(false));
        set("hasBot", json!(false));
        set("participants", json!(participants));
        set("participantsAgents", json!(participants));
        set("participantsBots", json!([]));
        set("requester_id", json!(lead_id));
        set("first_text", json!(contact.subject));
        set("subject", json!(contact.subject));
        set("sourcePage", json!("http://shop.example.test/cart"));
        set("language", json!("en"));
        set("priority", json!(contact.priority));
        set("channel", json!({"name": "chat21"}));
        set("channelOutbound", json!({"name": "chat21"}));
        set("contact", json!({"email": format!("guest{}@example.test", contact.no.0)}));
        set("smartAssignment", json!(true));
        set("followers", json!([]));
        set("notes", json!([]));
        let tag = |(i, t): (usize, &String)| json!({"_id": oid(IdKind::Group, Some(contact.created_at), i as u64), "tag": t, "color": "#f0806f"});
        set("tags", contact.tags.iter().enumerate().map(tag).collect());
        set("createdBy", json!(guid(IdKind::Customer, Some(floor.opened_at()), contact.no.0)));
        set("createdAt", self.at(contact.created_at));
        set("updatedAt", self.at(contact.updated_at));
        set("__v", json!(0));
        if let Some(at) = contact.assigned_at {
            set("assigned_at", self.at(at));
        }
        if let Some(at) = contact.first_response_at {
            set("first_response_at", self.at(at));
        }
        if let Some(time) = contact.response_time {
            set("waiting_time", json!(time.as_millis() as u64));
        }
        // The frame of a close comes before these are written; later reads have them.
        if let Some(at) = contact.ended_at.filter(|_| shape == Shape::Detail) {
            set("closed_at", self.at(at));
            set("duration", json!(at.since(contact.created_at).as_millis() as u64));
        }
        if dialect.extra_fields {
            set("x_future", json!({"nested": [1, null, "three"]}));
        }
        let as_objects = match shape {
            Shape::ListItem => false,
            Shape::Update => dialect.populated_updates,
            Shape::Create | Shape::Detail => true,
        };
        let queue = floor.queue(contact.queue);
        let whole = dialect.nested_extras || matches!(shape, Shape::Create | Shape::Detail);
        if as_objects {
            set("requester", self.requester(floor, contact, whole));
            set("lead", self.lead(floor, contact));
            let people: Vec<Value> =
                contact.seats.iter().filter_map(|s| floor.seat(*s)).map(|s| self.user(floor, s)).collect();
            set("participatingAgents", json!(people));
            set("participatingBots", json!([]));
        } else {
            set("requester", json!(requester_id));
            set("lead", json!(lead_id));
        }
        if let Some(queue) = queue {
            set(
                "department",
                match as_objects {
                    true => self.department(floor, queue),
                    false => json!(oid(IdKind::Queue, None, u64::from(queue.no.0))),
                },
            );
        }
        set("snapshot", self.snapshot(floor, contact, shape));
        Value::Object(doc)
    }

    fn snapshot(&self, floor: &Centre, contact: &Contact, shape: Shape) -> Value {
        let queue = floor.queue(contact.queue);
        let seats = queue.map(|q| q.seats.as_slice()).unwrap_or_default();
        let agents: Vec<Value> =
            seats.iter().map(|s| json!({"id_user": super::account::user_id(*s)})).collect();
        if shape == Shape::Update {
            return json!({"agents": agents});
        }
        let available = seats.iter().filter_map(|s| floor.seat(*s)).filter(|s| s.takes_work()).count();
        let mut snapshot = Map::new();
        if let Some(queue) = queue {
            snapshot.insert("department".to_owned(), self.department(floor, queue));
        }
        snapshot.insert("availableAgentsCount".to_owned(), json!(available));
        snapshot.insert("requester".to_owned(), self.requester(floor, contact, true));
        snapshot.insert("lead".to_owned(), self.lead(floor, contact));
        match shape {
            Shape::ListItem => snapshot.insert("agents".to_owned(), json!(agents)),
            Shape::Create => snapshot.insert("agents".to_owned(), json!([])),
            Shape::Update | Shape::Detail => None,
        };
        Value::Object(snapshot)
    }

    /// How a member appears; `user` is an id, a small object, or the whole user.
    pub(super) fn member(&self, account: &Account, user: Value) -> Value {
        let limit = account.limit.map_or(PROJECT_LIMIT, |l| l.max(PROJECT_LIMIT));
        let mut open = account.open;
        if self.dialect.negative_loads && open == 0 && !account.available {
            open = -1;
        }
        let mut doc = json!({
            "user_available": account.available, "number_assigned_requests": open,
            "last_login_at": self.at(account.created_at), "permissions": [],
            "status": if account.disabled { "disabled" } else { "active" }, "trashed": false,
            "_id": account.project_user, "id_project": Self::project(), "id_user": user, "role": account.role,
            "roleType": 1, "createdBy": "system", "tags": [], "createdAt": self.at(account.created_at),
            "updatedAt": self.at(account.updated_at), "__v": 0, "isAuthenticated": true,
            "id": account.project_user, "isBusy": account.seat.is_some() && open >= i64::from(limit),
        });
        if let Some(map) = doc.as_object_mut() {
            if let Some(limit) = member_limit(account.limit) {
                map.insert("max_assigned_chat".to_owned(), json!(limit));
            }
            if account.inactive {
                map.insert("profileStatus".to_owned(), json!("inactive"));
            }
        }
        doc
    }

    /// The whole user, as REST has it.
    pub(super) fn whole_user(&self, account: &Account) -> Value {
        json!({
            "status": 100, "_id": account.user, "email": account.email, "firstname": account.first,
            "lastname": account.last, "emailverified": false, "createdAt": self.at(account.created_at),
            "updatedAt": self.at(account.created_at), "__v": 0,
        })
    }

    /// One message; `live` ones carry the whole conversation.
    pub(super) fn message(&self, floor: &Centre, contact: &Contact, by: Option<&Seat>, live: bool) -> Value {
        let (sender, name, at) = match by {
            Some(seat) => {
                let at = contact.agent_wrote_at.unwrap_or(contact.created_at);
                (super::account::user_id(seat.no), seat.name(), at)
            }
            None => {
                let sender = guid(IdKind::Customer, Some(floor.opened_at()), contact.no.0);
                (sender, contact.customer.clone(), contact.customer_wrote_at)
            }
        };
        let n = contact.no.0 * 1000 + u64::from(contact.messages) * 2 + u64::from(by.is_some());
        let mut doc = json!({
            "senderFullname": name, "type": "text", "channel_type": "group", "status": if live { 0 } else { 150 },
            "_id": oid(IdKind::Message, Some(floor.opened_at()), n), "sender": sender,
            "recipient": request_id(floor, contact.no), "text": contact.subject, "id_project": Self::project(),
            "createdBy": sender, "channel": {"name": "chat21"}, "createdAt": self.at(at), "updatedAt": self.at(at),
            "__v": 0,
        });
        if live && let Some(map) = doc.as_object_mut() {
            map.insert("request".to_owned(), self.request(floor, contact, Shape::Update));
        }
        doc
    }

    /// The messages of a conversation, oldest first: the floor keeps the last of each side.
    pub(super) fn messages(&self, floor: &Centre, contact: &Contact) -> Vec<Value> {
        let mut first = contact.clone();
        first.customer_wrote_at = contact.created_at;
        first.messages = 1;
        let mut all = vec![(contact.created_at, self.message(floor, &first, None, false))];
        if contact.customer_wrote_at != contact.created_at {
            all.push((contact.customer_wrote_at, self.message(floor, contact, None, false)));
        }
        let seat = contact.seats.first().and_then(|s| floor.seat(*s));
        if let (Some(at), Some(seat)) = (contact.agent_wrote_at, seat) {
            all.push((at, self.message(floor, contact, Some(seat), false)));
        }
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, doc)| doc).take(self.dialect.message_limit).collect()
    }
}
