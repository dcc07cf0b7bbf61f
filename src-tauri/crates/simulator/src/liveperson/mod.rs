//! LivePerson: domain look-up, login, agent session, chats, operational figures. All on one port, which
//! the look-up names as the host of every service.

mod answers;
mod chats;
mod desk;
mod dialect;
mod more;
mod session;
mod truth;

pub use dialect::{Dialect, Foreign, Nothing, Refusal, Takeover};

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
use serde_json::{Value, json};

use self::desk::{Desk, Ticket};
use crate::{
    Truth, VendorServer,
    floor::{Centre, ContactNo, Event, QueueNo, SeatNo},
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
            ["api", "account", ACCOUNT, "configuration", "le-users", what] => match self.admit(&call) {
                Err(refusal) => refusal,
                Ok(()) => self.stage.look(|floor| self.configuration(floor, what)),
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
        match self.dialect.takes_over {
            Takeover::Never => {}
            Takeover::Refused => desk.end_all(),
            Takeover::Gone => desk.sessions.clear(),
        }
        let (bearer, csrf) = (desk.token(), desk.token());
        let cookie = format!("Session_id={}", desk.token());
        let until = now.plus(self.dialect.token_life);
        let ticket = Ticket { csrf: csrf.clone(), cookie: cookie.clone(), until, age: self.wire.token_age() };
        desk.tickets.insert(bearer.clone(), ticket);
        drop(desk);
        self.wire.token_issued();
        let ahead = i64::try_from(self.dialect.clock_ahead.as_millis()).unwrap_or(0);
        let user = if self.dialect.no_user_id { Value::Null } else { json!(own.to_string()) };
        let uris: Vec<Value> = SERVICES
            .iter()
            .filter(|_| self.dialect.map_in_login)
            .map(|s| json!({"account": ACCOUNT, "baseURI": call.authority, "service": s}))
            .collect();
        let mut response = answer(
            200,
            &json!({
                "csrf": csrf, "wsuk": "766900772095619056", "bearer": bearer,
                "config": {"loginName": LOGIN, "userId": user, "userPrivileges": [100, 101],
                           "serverCurrentTime": now.as_ms() + ahead, "accountTimeZoneId": "Europe/Athens"},
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
            return empty(200);
        }
        if !self.dialect.rotates_cookie {
            return empty(200);
        }
        let fresh = format!("Session_id={}", desk.token());
        if let Some(ticket) = desk.tickets.get_mut(&bearer) {
            ticket.cookie.clone_from(&fresh);
        }
        let mut response = empty(200);
        set_cookie(&mut response, &format!("{fresh}; Path=/; HttpOnly"));
        response
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
            (None, "sla" | "engactivity" | "agentactivity") if (1..=1440).contains(&minutes) => {
                let window = std::time::Duration::from_secs(minutes * 60);
                match self.stage.look(|floor| self.more_figures(floor, call, resource, window)) {
                    Ok(value) => value,
                    Err(refusal) => return refusal,
                }
            }
            (None, "queuehealth" | "sla" | "engactivity" | "agentactivity") => {
                return problem(400, 33, "timeframe must be 1 to 1440");
            }
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
