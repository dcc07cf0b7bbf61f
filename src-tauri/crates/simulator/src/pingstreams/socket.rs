//! The WebSocket: handshake, subscriptions, heartbeat, and frames when the floor moves.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{
        FromRequestParts as _, Request,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use model::Vendor;
use serde_json::{Value, json};
use tokio::time::{Instant, interval_at};

use super::{
    PingstreamsServer,
    account::{self, Account},
    documents::{Shape, request_id, status},
    hub::frame,
    token::{self, Claim},
    topic::{self, Topic},
};
use crate::{
    floor::{Centre, ContactNo, Event, SeatNo, What},
    ids::number,
};

fn plain(code: StatusCode, body: &'static str) -> Response {
    (code, [(header::CONNECTION, "close"), (header::CONTENT_TYPE, "text/html")], body).into_response()
}

impl PingstreamsServer {
    pub(super) async fn upgrade(self: Arc<Self>, request: Request) -> Response {
        if request.uri().path() != self.dialect.ws_path {
            return plain(StatusCode::BAD_REQUEST, "Bad Request");
        }
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let tokens: Vec<String> = url::form_urlencoded::parse(query)
            .filter(|(k, _)| k == "token")
            .map(|(_, v)| v.into_owned())
            .collect();
        let account = match &tokens[..] {
            [] => None,
            [one] => match token::read(&self.wire, one.strip_prefix("JWT ").unwrap_or(one)) {
                Claim::User(user) => self.stage.look(|floor| account::find_by_user(floor, &user)),
                Claim::Bad => None,
                // Never answered: the client has to give up by itself.
                Claim::Guest => return std::future::pending().await,
            },
            _ => return std::future::pending().await,
        };
        let Some(account) = account else {
            return plain(StatusCode::UNAUTHORIZED, "Unauthorized");
        };
        let (mut parts, _) = request.into_parts();
        match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => upgrade
                .max_message_size(100 << 20)
                .on_upgrade(move |socket| async move { self.attend(socket, account).await }),
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn attend(self: Arc<Self>, mut socket: WebSocket, account: Account) {
        let (id, mut frames) = self.hub.join();
        let mut beat = interval_at(Instant::now() + self.dialect.heartbeat, self.dialect.heartbeat);
        let mut heard = true;
        loop {
            tokio::select! {
                frame = frames.recv() => {
                    let Some(frame) = frame else { break };
                    if socket.send(Message::Text(frame)).await.is_err() {
                        break;
                    }
                }
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        heard = true;
                        if let Some(answer) = self.hear(id, &account, &text)
                            && socket.send(Message::Text(answer)).await.is_err()
                        {
                            break;
                        }
                    }
                    Some(Ok(Message::Binary(_))) => heard = true,
                    // The library has answered a ping; neither counts as life here.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                },
                _ = beat.tick() => {
                    if !heard {
                        // Destroyed without a closing frame.
                        break;
                    }
                    heard = false;
                    let ping = json!({"action": "heartbeat", "payload": {"message": {"text": "ping"}}});
                    if socket.send(Message::Text(ping.to_string().into())).await.is_err() {
                        break;
                    }
                }
            }
        }
        self.hub.leave(id);
    }

    /// Takes one text frame; an answer of its own goes back directly.
    fn hear(&self, id: u64, account: &Account, text: &str) -> Option<Utf8Bytes> {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            self.wire.count("frame:junk");
            return None;
        };
        let action = frame.get("action").and_then(Value::as_str).unwrap_or_default();
        self.wire.count(&format!("frame:{action}"));
        let payload = frame.get("payload");
        let topic = payload.and_then(|p| p.get("topic")).and_then(Value::as_str).unwrap_or_default();
        match action {
            "heartbeat" => {
                let text = payload?.get("message")?.get("text")?.as_str()?;
                let pong = json!({"action": "heartbeat", "payload": {"message": {"text": "pong"}}});
                (text == "ping").then(|| Utf8Bytes::from(pong.to_string()))
            }
            "me" => {
                let me = crate::ids::guid(crate::ids::IdKind::Status, None, id);
                Some(Utf8Bytes::from(
                    json!({"action": "me", "payload": {"id": me, "userId": null}}).to_string(),
                ))
            }
            "subscribe" if !topic.is_empty() => {
                // Under the floor's lock: no change falls between the state and the subscription.
                self.stage.look(|floor| {
                    // Rights are those of the moment, not of the handshake.
                    let account =
                        account::find_by_user(floor, &account.user).unwrap_or_else(|| account.clone());
                    if let Some(state) = self.first_state(floor, &account, topic) {
                        let state = frame_of(topic, &state);
                        self.hub.subscribe(id, topic, Some(state));
                    }
                });
                None
            }
            "unsubscribe" => {
                self.hub.unsubscribe(id, topic);
                None
            }
            "publish" | "broadcast" if !topic.is_empty() => {
                let message = payload.and_then(|p| p.get("message")).unwrap_or(&Value::Null);
                let relayed = super::hub::frame(topic, None, message);
                self.hub.send(topic, (action == "broadcast").then_some(id), &relayed);
                None
            }
            _ => None,
        }
    }

    /// The state that a subscription begins with; `None` is a silent refusal.
    fn first_state(&self, floor: &Centre, account: &Account, topic: &str) -> Option<Value> {
        let (project, kind) = topic::read(topic)?;
        if project != Self::project() {
            return None;
        }
        let member = account.is_active_member();
        let contact = |id: &str| {
            let contact = floor.contact(ContactNo(number(id)?))?;
            (request_id(floor, contact.no) == id && contact.vendor == Vendor::Pingstreams).then_some(contact)
        };
        match kind {
            Topic::Events => Some(json!([])),
            Topic::Bot => Some(Value::Null),
            _ if !member => None,
            Topic::Requests => {
                let limit = self.dialect.list_limit;
                let list = self.visible(floor, account).into_iter().take(limit);
                Some(list.map(|c| self.request(floor, c, Shape::ListItem)).collect())
            }
            Topic::Request(id) => {
                let seen = contact(id).filter(|c| account.sees(floor, c.no));
                Some(seen.map_or(Value::Null, |c| self.request(floor, c, Shape::Detail)))
            }
            Topic::Messages(id) => {
                let contact = contact(id).filter(|c| account.sees(floor, c.no))?;
                Some(Value::Array(self.messages(floor, contact)))
            }
            Topic::User(user) => {
                let other = account::members(floor).into_iter().find(|a| a.user == user)?;
                Some(self.member(&other, json!(other.user)))
            }
            Topic::ProjectUser(id) if id == account.project_user => {
                Some(self.member(account, json!(account.user)))
            }
            Topic::ProjectUser(_) => None,
        }
    }

    /// The conversations of the first list, newest change first.
    pub(super) fn visible<'a>(&self, floor: &'a Centre, account: &Account) -> Vec<&'a crate::floor::Contact> {
        let mut list: Vec<&crate::floor::Contact> = floor
            .contacts_of(Vendor::Pingstreams)
            .filter(|c| matches!(status(c), 100..=300) && (self.dialect.older || status(c) != 150))
            .filter(|c| account.sees(floor, c.no))
            .collect();
        list.sort_by_key(|c| std::cmp::Reverse((c.updated_at, c.no)));
        list
    }

    /// Tells those who listen what happened. One frame for each thing that changed at one moment.
    pub(super) fn publish(&self, floor: &Centre, events: &[Event]) {
        let mut contacts: BTreeMap<ContactNo, bool> = BTreeMap::new();
        let mut seats: BTreeMap<SeatNo, bool> = BTreeMap::new();
        let mut written: Vec<(ContactNo, Option<SeatNo>)> = Vec::new();
        for event in events {
            match event.what {
                What::Arrived(c) => {
                    contacts.insert(c, true);
                }
                What::Joined(c, _)
                | What::Requeued(c, _)
                | What::Moved(c, _)
                | What::FirstReply(c, _)
                | What::Noted(c)
                | What::Ended(c, _) => {
                    contacts.entry(c).or_insert(false);
                }
                What::AgentWrote(c, seat) => written.push((c, Some(seat))),
                What::CustomerWrote(c) => written.push((c, None)),
                What::Stance(s) => {
                    seats.insert(s, true);
                }
                What::Load(s) | What::Roster(s) => {
                    seats.entry(s).or_insert(false);
                }
            }
        }
        let project = Self::project();
        let all = format!("/{project}/requests");
        for (no, new) in contacts {
            let Some(contact) = floor.contact(no).filter(|c| c.vendor == Vendor::Pingstreams) else {
                continue;
            };
            let (method, shape) = if new { ("CREATE", Shape::Create) } else { ("UPDATE", Shape::Update) };
            let own = format!("{all}/{}", request_id(floor, no));
            let heard: Vec<&String> = [&all, &own].into_iter().filter(|t| self.hub.is_heard(t)).collect();
            if !heard.is_empty() {
                let doc = self.request(floor, contact, shape);
                for topic in heard {
                    self.hub.publish(topic, method, &doc);
                }
            }
        }
        for (no, by) in written {
            let Some(contact) = floor.contact(no).filter(|c| c.vendor == Vendor::Pingstreams) else {
                continue;
            };
            let topic = format!("{all}/{}/messages", request_id(floor, no));
            if self.hub.is_heard(&topic) {
                let by = by.and_then(|s| floor.seat(s));
                self.hub.publish(&topic, "CREATE", &self.message(floor, contact, by, true));
            }
        }
        for (no, presence) in seats {
            let Some(seat) = floor.seat(no).filter(|s| s.vendor == Vendor::Pingstreams) else { continue };
            let account = account::of_seat(floor, seat);
            // Both forms occur: an id after a presence change, an object after the others.
            let user = match presence {
                true => json!(account.user),
                false => json!({"_id": account.user, "firstname": account.first, "lastname": account.last}),
            };
            let by_user = format!("/{project}/project_users/users/{}", account.user);
            let by_member = format!("/{project}/project_users/{}", account.project_user);
            let doc = self.member(&account, user);
            for topic in [by_user, by_member].iter().filter(|t| self.hub.is_heard(t)) {
                self.hub.publish(topic, "UPDATE", &doc);
            }
        }
    }
}

fn frame_of(topic: &str, state: &Value) -> Utf8Bytes {
    frame(topic, Some("CREATE"), state)
}
