//! LivePerson: domain look-up, login, agent session, chats, operational figures. All on one port, which
//! the look-up names as the host of every service.

mod answers;
mod chats;
mod desk;
mod dialect;
mod truth;

pub use dialect::{Dialect, Foreign, Nothing, Refusal};

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, future::BoxFuture};
use model::{Id, Timestamp, Vendor};
use serde_json::{Map, Value, json};

use self::desk::{Desk, Seance, Ticket};
use crate::{
    Truth, VendorServer,
    floor::{Centre, ContactNo, Event, QueueNo, SeatNo, Stance},
    stage::Stage,
    wire::{Wire, lock},
};

/// The account that is served.
pub const ACCOUNT: &str = "12345678";
/// The login of the supervisor.
pub const LOGIN: &str = "floor-supervisor";
/// The supervisor's user id, when it is nobody of the floor.
pub(crate) const MANAGER: i64 = 26_663_513;

/// A skill's number.
pub(crate) fn skill_number(queue: QueueNo) -> i64 {
    25_975_300 + i64::from(queue.0)
}
/// An agent's number; beyond 32 bits, as the vendor's are.
pub(crate) fn agent_number(seat: SeatNo) -> i64 {
    9_007_199_254_741_000 + i64::from(seat.0)
}

/// The server.
pub struct LivePersonServer {
    stage: Arc<Stage>,
    wire: Arc<Wire>,
    dialect: Dialect,
    desk: Mutex<Desk>,
    log: Mutex<chats::Log>,
    /// Operational figures as they were last counted.
    figures: Mutex<std::collections::BTreeMap<String, (Timestamp, Value)>>,
    running: AtomicUsize,
}

struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Value,
    authority: String,
}

impl Call {
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }
    fn bearer(&self) -> &str {
        self.header("authorization").strip_prefix("Bearer ").unwrap_or_default()
    }
    fn has_cookie(&self, pair: &str) -> bool {
        self.header("cookie").split(';').any(|c| c.trim() == pair)
    }
    fn is_put(&self) -> bool {
        self.method == Method::POST && self.header("x-http-method-override").eq_ignore_ascii_case("PUT")
    }
}

/// Lowers the count of running requests when the answer is done.
struct Running<'a>(&'a AtomicUsize);
impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl LivePersonServer {
    pub(crate) fn open(stage: Arc<Stage>, wire: Arc<Wire>, dialect: Dialect) -> Arc<dyn VendorServer> {
        Arc::new(Self {
            stage,
            wire,
            dialect,
            desk: Mutex::default(),
            log: Mutex::default(),
            figures: Mutex::default(),
            running: AtomicUsize::new(0),
        })
    }

    fn own_seat(&self, floor: &Centre) -> Option<SeatNo> {
        floor.seats_of(Vendor::Liveperson).nth(self.dialect.own?).map(|s| s.no)
    }
    fn session_since(&self) -> Option<Timestamp> {
        lock(&self.desk).sessions.values().map(|s| s.since).max()
    }
    fn chat_key(&self, floor: &Centre, no: ContactNo) -> String {
        let salt = floor.opened_at().as_ms().div_euclid(1000);
        format!("H{salt}{:06}-27674563114093{:05}K8414056", no.0, no.0 % 100_000)
    }
    fn session_path(&self, sid: u64) -> String {
        format!("https://{{domain}}/api/account/{ACCOUNT}/agentSession/{sid}")
    }

    async fn serve(self: Arc<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 65_536).await.unwrap_or_default();
        let path = parts
            .uri
            .path()
            .trim_matches('/')
            .split('/')
            .map(|s| s.strip_suffix(".json").unwrap_or(s).to_owned());
        let query =
            url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let authority =
            parts.headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default().to_owned();
        let call = Call {
            method: parts.method,
            path: path.collect(),
            query: query.collect(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            authority,
        };
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _running = Running(&self.running);
        if running > self.dialect.at_once || !self.wire.within_limit() {
            return empty(429);
        }
        let parts: Vec<&str> = call.path.iter().map(String::as_str).collect();
        match parts[..] {
            ["api" | "csdr", "account", account, "service", ref rest @ ..] => {
                self.hosts(account, rest, &call)
            }
            ["api", "account", ACCOUNT, "login"] => self.login(&call),
            ["api", "account", ACCOUNT, what @ ("refresh" | "logout")] => self.renew(&call, what),
            ["api", "account", ACCOUNT, "agentSession", ref rest @ ..] => self.session(&call, rest),
            ["api", "account", ACCOUNT, "configuration", "le-users", "skills"] => match self.admit(&call) {
                Err(refusal) => refusal,
                Ok(()) => answer(200, &self.stage.look(|floor| self.skill_list(floor))),
            },
            ["operations", "api", "account", ACCOUNT, resource] => self.operations(&call, resource),
            _ => problem(404, 12, "Not found"),
        }
    }

    fn hosts(&self, account: &str, rest: &[&str], call: &Call) -> Response {
        if account != ACCOUNT {
            return problem(401, 6, "Invalid site");
        }
        let one = |service: &str| json!({"service": service, "account": ACCOUNT, "baseURI": call.authority});
        match rest {
            [service, "baseURI"] if SERVICES.contains(service) => answer(200, &one(service)),
            ["baseURI"] => {
                answer(200, &json!({"baseURIs": SERVICES.iter().map(|s| one(s)).collect::<Vec<_>>()}))
            }
            _ => problem(404, 12, "Not found"),
        }
    }

    fn login(&self, call: &Call) -> Response {
        let field = |name: &str| call.body.get(name).and_then(Value::as_str).unwrap_or_default();
        if field("username") != LOGIN || !self.wire.is_secret(field("password")) {
            return problem(401, 10, "Login failed");
        }
        let own = self.stage.look(|floor| self.own_seat(floor)).map_or(MANAGER, agent_number);
        let now = self.wire.now();
        let mut desk = lock(&self.desk);
        if self.dialect.takes_over {
            *desk = Desk::default();
        }
        let (bearer, csrf) = (desk.token(), desk.token());
        let cookie = format!("Session_id={}", desk.token());
        let until = now.plus(self.dialect.token_life);
        let ticket = Ticket { csrf: csrf.clone(), cookie: cookie.clone(), until, age: self.wire.token_age() };
        desk.tickets.insert(bearer.clone(), ticket);
        drop(desk);
        self.wire.token_issued();
        let uris: Vec<Value> = SERVICES
            .iter()
            .filter(|_| self.dialect.map_in_login)
            .map(|s| json!({"account": ACCOUNT, "baseURI": call.authority, "service": s}))
            .collect();
        let mut response = answer(
            200,
            &json!({
                "csrf": csrf, "wsuk": "766900772095619056", "bearer": bearer,
                "config": {"loginName": LOGIN, "userId": own.to_string(), "userPrivileges": [100, 101],
                           "serverCurrentTime": now.as_ms(), "accountTimeZoneId": "Europe/Athens"},
                "csdsCollectionResponse": {"baseURIs": uris},
                "sessionTTl": self.dialect.token_life.as_millis().to_string(),
            }),
        );
        set_cookie(&mut response, &format!("{cookie}; Path=/; HttpOnly"));
        response
    }

    fn renew(&self, call: &Call, what: &str) -> Response {
        let now = self.wire.now();
        let until = now.plus(self.dialect.token_life);
        let mut desk = lock(&self.desk);
        let age = self.wire.token_age();
        let bearer = call.bearer().to_owned();
        let csrf = call.body.get("csrf").and_then(Value::as_str).unwrap_or_default();
        let Some(ticket) = desk.tickets.get_mut(&bearer).filter(|t| now < t.until && t.age == age) else {
            return self.refused();
        };
        if ticket.csrf != csrf || !call.has_cookie(&ticket.cookie) {
            return answer(
                401,
                &json!({"error": {"time": "Sep 22, 2016 4:10:15 PM", "message": "CSRF token invalid!", "internalCode": 10, "responseStatus": "UNAUTHORIZED"}}),
            );
        }
        ticket.until = until;
        if what == "logout" {
            desk.drop_ticket(&bearer);
        }
        empty(200)
    }

    fn admit(&self, call: &Call) -> Result<(), Response> {
        let now = self.wire.now();
        let desk = lock(&self.desk);
        let known =
            desk.tickets.get(call.bearer()).is_some_and(|t| now < t.until && t.age == self.wire.token_age());
        if known { Ok(()) } else { Err(self.refused()) }
    }

    fn refused(&self) -> Response {
        const TEXT: &str = "oauth_problem=token_rejected&oauth_problem_advice=the oauth_token is unacceptable to the Service Provider";
        match self.dialect.refusal {
            Refusal::Text => {
                let mut response = Response::new(Body::from(TEXT));
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                response
            }
            Refusal::JsonText => answer(401, &json!(TEXT)),
            Refusal::Json => problem(401, 5, "Bad authorization request."),
            Refusal::Empty => empty(401),
        }
    }

    fn session(&self, call: &Call, rest: &[&str]) -> Response {
        if let Err(refusal) = self.admit(call) {
            return refusal;
        }
        let [sid, rest @ ..] = rest else {
            return if call.method == Method::POST {
                self.begin(call)
            } else {
                problem(405, 5, "Method not allowed")
            };
        };
        let Ok(sid) = sid.parse::<u64>() else { return problem(404, 39, "No such session") };
        {
            let desk = lock(&self.desk);
            let Some(seance) = desk.sessions.get(&sid).filter(|s| s.bearer == call.bearer()) else {
                return problem(404, 39, "No such session");
            };
            if self.dialect.strict_cookie && !call.has_cookie(&seance.cookie) {
                return self.refused();
            }
        }
        match rest {
            ["availability"] => self.availability(call, sid),
            ["availableAgents"] if self.dialect.agents_refused => problem(403, 10, "No permission"),
            ["availableAgents"] => answer(
                200,
                &self.stage.look(|floor| {
                    let desk = lock(&self.desk);
                    desk.sessions.get(&sid).map_or(Value::Null, |s| self.available_agents(floor, s, sid))
                }),
            ),
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
            Seance { bearer: call.bearer().to_owned(), cookie: cookie.clone(), chat, since: now },
        );
        drop(desk);
        let href = format!("https://{}/api/account/{ACCOUNT}/agentSession/{sid}", call.authority);
        let style = self.dialect.xml();
        let mut response =
            answer(201, &json!({"agentSessionLocation": {"link": style.link(&href, "location")}}));
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

    fn may_read(&self, floor: &Centre, no: ContactNo) -> bool {
        let own = self.own_seat(floor);
        self.dialect.foreign == Foreign::Given
            || floor.contact(no).is_some_and(|c| own.is_some_and(|seat| lock(&self.log).is_of(c, seat)))
    }

    fn find_chat(&self, floor: &Centre, key: &str) -> Option<ContactNo> {
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
                style.put(&mut events, "event", self.events(style, floor, &notes, from, true));
                rows.push(json!({
                    "link": [style.link(&base, "self"), style.link(&format!("{base}?from={}", notes.len()), "next")],
                    "events": events,
                    "info": self.info(style, floor, c, &base),
                }));
            }
            let mut list = Map::new();
            style.boxed(&mut list, "chats", "chat", rows);
            if list.is_empty() {
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

    fn operations(&self, call: &Call, resource: &str) -> Response {
        if self.dialect.operations_refuse {
            return self.refused();
        }
        if let Err(refusal) = self.admit(call) {
            return refusal;
        }
        let Some(v) = call.param("v") else { return problem(400, 33, "Illegal Version") };
        let ids: Option<Vec<i64>> = call
            .param("skillIds")
            .filter(|s| *s != "all")
            .map(|s| s.split(',').filter_map(|id| id.parse().ok()).collect());
        let wanted = |id: i64| ids.as_ref().is_none_or(|ids| ids.contains(&id));
        let minutes: u64 = call.param("timeframe").and_then(|t| t.parse().ok()).unwrap_or(0);
        let now = self.wire.now();
        let key = format!("{resource} {:?} {minutes} {v}", call.param("skillIds"));
        let fresh = lock(&self.figures)
            .get(&key)
            .filter(|(at, _)| now.since(*at) < self.dialect.figures_every)
            .map(|(_, v)| v.clone());
        let value = match (fresh, resource) {
            (Some(value), _) => value,
            (None, "queuestate") => self.stage.look(|floor| self.queue_state(floor, &wanted, v == "2")),
            (None, "queuehealth") if (1..=1440).contains(&minutes) => {
                let wanted: Option<&dyn Fn(i64) -> bool> = call.param("skillIds").map(|_| &wanted as _);
                let window = std::time::Duration::from_secs(minutes * 60);
                self.stage.look(|floor| self.queue_health(floor, wanted, window))
            }
            (None, "queuehealth") => return problem(400, 33, "timeframe must be 1 to 1440"),
            _ => return problem(404, 12, "Not found"),
        };
        lock(&self.figures)
            .entry(key)
            .and_modify(|kept| {
                if now.since(kept.0) >= self.dialect.figures_every {
                    *kept = (now, value.clone())
                }
            })
            .or_insert((now, value.clone()));
        if self.dialect.envelope {
            return answer(200, &json!({"meta": {"responseCode": 200}, "body": value}));
        }
        answer(200, &value)
    }
}

const SERVICES: [&str; 5] =
    ["agentVep", "leDataReporting", "accountConfigReadOnly", "msgHist", "agentManagerWorkspace"];

impl VendorServer for LivePersonServer {
    fn vendor(&self) -> Vendor {
        Vendor::Liveperson
    }
    fn name(&self) -> &'static str {
        "Sales chat"
    }
    fn endpoint(&self, _method: &Method, path: &str) -> String {
        let path = path.trim_matches('/').to_ascii_lowercase();
        let parts: Vec<&str> = path.split('/').map(|s| s.strip_suffix(".json").unwrap_or(s)).collect();
        match parts[..] {
            [_, "account", _, "service", ..] => "lookup",
            ["api", "account", _, "agentsession"] => "agentsession",
            ["api", "account", _, "agentsession", _, "chat"] => "chats",
            ["api", "account", _, "agentsession", _, "chat", _] => "chat",
            ["api", "account", _, "agentsession", _, "chat", _, part] => return format!("chat-{part}"),
            _ => parts.last().copied().unwrap_or_default(),
        }
        .to_owned()
    }
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        self.serve(request).boxed()
    }
    fn floor_moved(&self, floor: &Centre, events: &[Event]) {
        lock(&self.log).hear(floor, events);
    }
    fn queue_id(&self, _floor: &Centre, queue: QueueNo) -> Id {
        Id::new(skill_number(queue).to_string())
    }
    fn agent_id(&self, _floor: &Centre, seat: SeatNo) -> Id {
        Id::new(agent_number(seat).to_string())
    }
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id {
        Id::new(self.chat_key(floor, contact))
    }
    fn truth(&self, floor: &Centre, source: &Id, _now: Timestamp) -> Truth {
        truth::truth(self, floor, source)
    }
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("url", format!("\"http://{address}\"")),
            ("account", format!("\"{ACCOUNT}\"")),
            ("username", format!("\"{LOGIN}\"")),
        ]
    }
}

fn answer(status: u16, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// The chat engine's error body.
fn problem(status: u16, code: u32, message: &str) -> Response {
    answer(
        status,
        &json!({"error": {"time": "2017-09-13T15:13:38.938-04:00", "message": message, "internalCode": code}}),
    )
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
