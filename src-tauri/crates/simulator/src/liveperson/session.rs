//! Agent sessions and what hangs on them: availability, agents, own chats, chats.

use axum::{
    http::{HeaderValue, Method, header},
    response::Response,
};
use model::Vendor;
use serde_json::{Map, Value, json};

use super::{ACCOUNT, Call, Foreign, LivePersonServer, answer, desk::Seance, empty, problem, set_cookie};
use crate::{
    floor::{Centre, ContactNo, Stance},
    wire::lock,
};

impl LivePersonServer {
    pub(super) fn session(&self, call: &Call, rest: &[&str]) -> Response {
        if let Err(refusal) = self.admit(call) {
            return refusal;
        }
        if self.dialect.retired {
            return problem(410, 12, "Gone");
        }
        let [sid, rest @ ..] = rest else {
            return if call.method == Method::POST {
                self.begin(call)
            } else {
                problem(405, 5, "Method not allowed")
            };
        };
        let Ok(sid) = sid.parse::<u64>() else { return problem(404, 39, "No such session") };
        let mut late = None;
        {
            let mut desk = lock(&self.desk);
            let Some(seance) = desk.sessions.get_mut(&sid).filter(|s| s.bearer == call.bearer()) else {
                return problem(404, 39, "No such session");
            };
            if self.dialect.late_cookie && !seance.has_cookie {
                seance.has_cookie = true;
                late = Some(seance.cookie.clone());
            } else if self.dialect.strict_cookie && !call.has_cookie(&seance.cookie) {
                return self.refused();
            }
        }
        let mut response = self.resource(call, sid, rest);
        if let Some(cookie) = late {
            set_cookie(&mut response, &cookie);
        }
        response
    }

    fn resource(&self, call: &Call, sid: u64, rest: &[&str]) -> Response {
        match rest {
            [] => answer(200, &self.session_links(sid)),
            ["info"] => answer(200, &self.stage.look(|floor| self.session_info(floor, sid))),
            ["availability"] => self.availability(call, sid),
            ["availableAgents"] if self.dialect.agents_refused => problem(403, 10, "No permission"),
            ["availableAgents"] => answer(
                200,
                &self.stage.look(|floor| {
                    let desk = lock(&self.desk);
                    desk.sessions.get(&sid).map_or(Value::Null, |s| self.available_agents(floor, s, sid))
                }),
            ),
            ["chat"] if self.dialect.many_refused => problem(400, 33, "Bad request"),
            ["chat", key, "transfer"] if call.method == Method::GET => {
                self.stage.look(|floor| self.transfer_targets(floor, key))
            }
            ["chatSessions"] => answer(200, &self.stage.look(|floor| self.chat_sessions(floor, sid))),
            ["incomingRequests"] if call.method == Method::POST => problem(404, 5, "Nothing rings"),
            ["incomingRequests"] => answer(200, &json!({"incomingRequests": {"ringingCount": "0"}})),
            ["chat"] => self.many_chats(call, sid),
            ["chat", "availableSlots"] => answer(200, &json!({"availableSlots": 1})),
            ["chat", key] => self.one_chat(call, sid, key, "chat"),
            ["chat", key, part @ ("events" | "info")] if call.method == Method::GET => {
                self.one_chat(call, sid, key, part)
            }
            _ => problem(404, 12, "Not found"),
        }
    }

    fn begin(&self, call: &Call) -> Response {
        let chat = if self.dialect.begins_away { "Away" } else { "Online" };
        let now = self.stage.look(Centre::now);
        let mut desk = lock(&self.desk);
        let sid = 1_027_882_000 + desk.fresh();
        let cookie = format!("lpas{sid}={}", desk.token());
        desk.sessions.insert(
            sid,
            Seance {
                bearer: call.bearer().to_owned(),
                cookie: cookie.clone(),
                has_cookie: !self.dialect.late_cookie,
                chat,
                since: now,
            },
        );
        drop(desk);
        let href = format!("https://{}/api/account/{ACCOUNT}/agentSession/{sid}", call.authority);
        let style = self.dialect.xml();
        let mut response = if self.dialect.only_location {
            let mut response = empty(201);
            if let Ok(href) = HeaderValue::try_from(&href) {
                response.headers_mut().insert(header::LOCATION, href);
            }
            response
        } else {
            answer(201, &json!({"agentSessionLocation": {"link": style.link(&href, "location")}}))
        };
        if self.dialect.late_cookie {
            return response;
        }
        set_cookie(&mut response, &format!("{cookie}; Path=/api/account/{ACCOUNT}/agentSession/{sid}"));
        response
    }

    fn availability(&self, call: &Call, sid: u64) -> Response {
        if call.is_put() {
            let word = call.body.pointer("/availability/chat").and_then(Value::as_str).unwrap_or_default();
            let Some(chat) = ["Online", "Away", "Occupied"].into_iter().find(|w| *w == word) else {
                return problem(400, 5, "Bad availability");
            };
            if self.dialect.refuses_away {
                return problem(403, 10, "No permission");
            }
            self.wire.count(&format!("set-{}", chat.to_lowercase()));
            if !self.dialect.ignores_away {
                let own = self.stage.look(|floor| self.own_seat(floor));
                let now = self.stage.act(|floor| {
                    if let Some(seat) = own {
                        let stance = if chat == "Online" { Stance::Accepting } else { Stance::Away };
                        // The seat is there: it was found a moment ago.
                        let _ = floor.set_stance(seat, stance, None);
                    }
                    floor.now()
                });
                if let Some(seance) = lock(&self.desk).sessions.get_mut(&sid) {
                    seance.chat = chat;
                    seance.since = now;
                }
            }
        } else if call.method != Method::GET {
            return problem(405, 5, "Method not allowed");
        }
        let chat = lock(&self.desk).sessions.get(&sid).map_or("Offline", |s| s.chat);
        answer(200, &json!({"availability": {"chat": chat, "voice": "Offline"}}))
    }

    pub(super) fn may_read(&self, floor: &Centre, no: ContactNo) -> bool {
        let own = self.own_seat(floor);
        self.dialect.foreign == Foreign::Given
            || floor.contact(no).is_some_and(|c| own.is_some_and(|seat| lock(&self.log).is_of(c, seat)))
    }

    pub(super) fn find_chat(&self, floor: &Centre, key: &str) -> Option<ContactNo> {
        floor.contacts_of(Vendor::Liveperson).map(|c| c.no).find(|no| self.chat_key(floor, *no) == key)
    }

    fn many_chats(&self, call: &Call, sid: u64) -> Response {
        let keys: Vec<&str> =
            call.param("chatSessionKeys").unwrap_or_default().split(',').filter(|k| !k.is_empty()).collect();
        if keys.is_empty() {
            return problem(400, 33, "chatSessionKeys is required");
        }
        let ids: Option<Vec<Option<usize>>> =
            call.param("fromEventIds").map(|ids| ids.split(',').map(|id| id.parse().ok()).collect());
        if ids.as_ref().is_some_and(|ids| ids.len() != keys.len() || ids.iter().any(Option::is_none)) {
            return problem(400, 33, "fromEventIds does not fit chatSessionKeys");
        }
        let style = self.dialect.plain();
        self.stage.look(|floor| {
            let mut rows = Vec::new();
            for (place, key) in keys.iter().enumerate() {
                let Some(c) = self.find_chat(floor, key).filter(|no| self.may_read(floor, *no)).and_then(|no| floor.contact(no)) else {
                    match self.dialect.foreign {
                        Foreign::RefusesAll => return problem(404, 12, "Chat not found"),
                        Foreign::Entry => rows.push(json!({"error": {"message": "Chat not found", "internalCode": 12}})),
                        Foreign::Omitted | Foreign::Given => {}
                    }
                    continue;
                };
                let last = ids.as_ref().and_then(|ids| ids.get(place).copied().flatten());
                let from = last.map_or(0, |last| if self.dialect.inclusive { last } else { last + 1 });
                let base = format!("{}/chat/{key}", self.session_path(sid));
                let notes = lock(&self.log).notes(c).to_vec();
                let mut events = Map::new();
                style.put(&mut events, "link", vec![style.link(&format!("{base}/events"), "self")]);
                let mut told = self.events(style, floor, &notes, from, true);
                if self.dialect.skips && told.len() > 2 {
                    // The oldest but one is left out; it is to be had by itself.
                    told.remove(1);
                }
                style.put(&mut events, "event", told);
                rows.push(json!({
                    "link": [style.link(&base, "self"), style.link(&format!("{base}?from={}", notes.len()), "next")],
                    "events": events,
                    "info": self.info(style, floor, c, &base),
                }));
            }
            let mut list = Map::new();
            style.boxed(&mut list, "chats", "chat", rows);
            if list.is_empty() && !self.dialect.bare_none {
                list.insert("chats".to_owned(), Value::Null);
            }
            answer(200, &Value::Object(list))
        })
    }

    fn one_chat(&self, call: &Call, sid: u64, key: &str, part: &str) -> Response {
        let from = call.param("from").and_then(|f| f.parse().ok()).unwrap_or(0);
        let (xml, plain) = (self.dialect.xml(), self.dialect.plain());
        self.stage.look(|floor| {
            let found = self
                .find_chat(floor, key)
                .filter(|no| self.may_read(floor, *no))
                .and_then(|no| floor.contact(no));
            let Some(c) = found else { return problem(404, 12, "Chat not found") };
            let base = format!("{}/chat/{key}", self.session_path(sid));
            let notes = lock(&self.log).notes(c).to_vec();
            let events = |system_text| {
                let mut events = Map::new();
                let next = format!("{base}/events?from={}", notes.len());
                xml.put(
                    &mut events,
                    "link",
                    vec![xml.link(&format!("{base}/events"), "self"), xml.link(&next, "next")],
                );
                let rows = self.events(xml, floor, &notes, from, system_text);
                if !rows.is_empty() {
                    xml.put(&mut events, "event", rows);
                }
                events
            };
            answer(
                200,
                &match part {
                    "events" => json!({"events": events(true)}),
                    "info" => json!({"info": self.info(plain, floor, c, &base)}),
                    _ => {
                        json!({"chat": {"events": events(false), "info": self.info(plain, floor, c, &base)}})
                    }
                },
            )
        })
    }
}
