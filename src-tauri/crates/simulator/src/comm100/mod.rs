//! Comm100 Live Chat, RESTful API v4: the four real-time resources, look-ups and the token endpoint.
//!
//! Everything stands on one port, `/v4/…` and `/oauth/token`, where the vendor has two hosts.

mod auth;
mod dialect;
mod lookups;
mod realtime;
mod truth;
mod write;

pub use dialect::{Dialect, Distribution, Envelope, NoReference, Numbers, OverLimit, Rates};

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, future::BoxFuture};
use model::{Id, Timestamp, Vendor};
use serde_json::{Value, json};

use crate::{
    Truth, VendorServer,
    floor::{Centre, ContactNo, QueueNo, SeatNo},
    ids::{IdKind, guid},
    stage::Stage,
    wire::Wire,
};

/// The site that is served.
pub const SITE_ID: i64 = 10_000;
/// The login of the supervisor whose key or password is asked for.
pub const LOGIN: &str = "supervisor@example.test";
/// The registered OAuth client; tokens are given without one, too.
pub const CLIENT_ID: &str = "1d29e6d7-18cf-407d-a064-e4f8c4baefab";

/// The server.
pub struct Comm100Server {
    stage: Arc<Stage>,
    wire: Arc<Wire>,
    dialect: Dialect,
    desk: auth::TokenDesk,
}

/// A request taken apart.
struct Call {
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
}

impl Call {
    /// A query parameter; names are case-insensitive there.
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
    fn number(&self, name: &str) -> Option<usize> {
        self.param(name).and_then(|v| v.parse().ok())
    }
    fn is(&self, name: &str) -> bool {
        self.param(name).is_some_and(|v| v.eq_ignore_ascii_case("true"))
    }
}

impl Comm100Server {
    pub(crate) fn open(stage: Arc<Stage>, wire: Arc<Wire>, dialect: Dialect) -> Arc<dyn VendorServer> {
        wire.set_limit(Some((300, Duration::from_secs(300))));
        let desk = auth::TokenDesk::new(dialect.token_life);
        Arc::new(Self { stage, wire, dialect, desk })
    }

    async fn serve(self: Arc<Self>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let query =
            url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned();
        let call = Call {
            path: parts.uri.path().trim_end_matches('/').to_ascii_lowercase(),
            query: query.collect(),
            headers: parts.headers,
        };
        if !self.wire.within_limit() {
            return self.over_limit();
        }
        if call.path == "/oauth/token" {
            if parts.method != Method::POST {
                return problem(405, 405_000, "Method not allowed.");
            }
            let body = axum::body::to_bytes(body, 65_536).await.unwrap_or_default();
            return self.desk.answer(&self.wire, &self.dialect, &body);
        }
        let Some(resource) = call.path.strip_prefix("/v4/") else {
            return problem(404, 404_000, "Not found.");
        };
        if let Err(refusal) = self.admit(&call) {
            return refusal;
        }
        if parts.method != Method::GET {
            return problem(405, 405_000, "Method not allowed.");
        }
        self.resource(resource, &call)
    }

    fn resource(&self, resource: &str, call: &Call) -> Response {
        let now = self.wire.now();
        let is_lookup = resource.starts_with("global/") || resource.starts_with("livechat/auto");
        if is_lookup && self.dialect.lookups_forbidden {
            return problem(403, 403_000, "Permission denied.");
        }
        let answer = self.stage.look(|floor| match resource {
            "livechat/realtime/agents" => realtime::agents(self, floor, call),
            "livechat/realtime/queue" if self.dialect.queue_forbidden => {
                Err(problem(403, 403_000, "Permission denied."))
            }
            "livechat/realtime/queue" => Ok(realtime::queue(self, floor)),
            "livechat/realtime/today" => realtime::today(self, floor, call),
            "livechat/realtime/rightnow" => Ok(realtime::right_now(self, floor)),
            _ => lookups::answer(self, floor, resource, now),
        });
        match answer {
            Ok(value) => json_answer(StatusCode::OK, &value),
            Err(refusal) => refusal,
        }
    }

    fn over_limit(&self) -> Response {
        match self.dialect.over_limit {
            OverLimit::TooMany(after) => {
                let mut answer = problem(429, 429_000, "Too many requests.");
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
                answer
            }
            OverLimit::TooManyBare => problem(429, 429_000, "Too many requests."),
            OverLimit::Forbidden => problem(403, 403_000, "The limit of requests has been exceeded."),
        }
    }

    pub(crate) fn guid(&self, kind: IdKind, n: u64) -> String {
        let text = guid(kind, None, n);
        if self.dialect.upper_guids { text.to_ascii_uppercase() } else { text }
    }
}

impl VendorServer for Comm100Server {
    fn vendor(&self) -> Vendor {
        Vendor::Comm100
    }
    fn name(&self) -> &'static str {
        "Web shop chat"
    }
    fn endpoint(&self, _method: &Method, path: &str) -> String {
        let path = path.trim_end_matches('/').to_ascii_lowercase();
        match path.as_str() {
            "/oauth/token" => "token".to_owned(),
            other => {
                let rest = other.strip_prefix("/v4/").unwrap_or(other);
                rest.strip_prefix("livechat/realtime/").unwrap_or(rest).to_owned()
            }
        }
    }
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        self.serve(request).boxed()
    }
    fn queue_id(&self, _floor: &Centre, queue: QueueNo) -> Id {
        Id::new(format!("dept:{}", guid(IdKind::Queue, None, u64::from(queue.0))))
    }
    fn agent_id(&self, _floor: &Centre, seat: SeatNo) -> Id {
        Id::new(guid(IdKind::Seat, None, u64::from(seat.0)))
    }
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id {
        Id::new(guid(IdKind::Contact, Some(floor.opened_at()), contact.0))
    }
    fn truth(&self, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
        truth::truth(self, floor, source, now)
    }
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("url", format!("\"http://{address}/v4\"")),
            ("site_id", SITE_ID.to_string()),
            ("email", format!("\"{LOGIN}\"")),
        ]
    }
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// The vendor's error body.
fn problem(status: u16, code: u32, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json_answer(status, &json!({"code": code, "message": message}))
}
