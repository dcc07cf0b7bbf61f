//! giosg, Realtime Reporting API v4: rooms and users, with the look-ups of v5 around them.

mod dialect;
mod rows;
mod truth;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
pub use dialect::{Denial, Dialect, Pager, SignedIn, Trap};
use futures_util::{FutureExt, future::BoxFuture};
use model::{Id, Timestamp, Vendor};
use serde_json::{Value, json};

use crate::{
    Truth, VendorServer,
    floor::{Centre, ContactNo, QueueNo, SeatNo},
    ids::{IdKind, guid, number},
    stage::Stage,
    wire::Wire,
};

/// The organization that is served.
pub const ORGANIZATION: &str = "d5516bd8-c5f7-4e8b-86c3-0cdcb21df559";

/// The server.
pub struct GiosgServer {
    stage: Arc<Stage>,
    wire: Arc<Wire>,
    dialect: Dialect,
}

/// A request taken apart.
struct Call {
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
}

impl Call {
    fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// The address that was asked for, with `more` in place of the pager's own parameters.
    fn again(&self, more: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query.iter().filter(|(key, _)| key != "cursor" && key != "page"));
        let query = query.finish();
        format!("{}?{query}{}{more}", self.path, if query.is_empty() { "" } else { "&" })
    }
    fn host(&self) -> &str {
        self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1")
    }
}

impl GiosgServer {
    pub(crate) fn open(stage: Arc<Stage>, wire: Arc<Wire>, dialect: Dialect) -> Arc<dyn VendorServer> {
        Arc::new(Self { stage, wire, dialect })
    }

    fn serve(&self, request: &Request) -> Response {
        let query =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned();
        let call = Call {
            path: request.uri().path().to_owned(),
            query: query.collect(),
            headers: request.headers().clone(),
        };
        if self.dialect.wants_slash && !call.path.ends_with('/') {
            let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::MOVED_PERMANENTLY;
            if let Ok(place) = HeaderValue::try_from(format!("{}/{query}", call.path)) {
                answer.headers_mut().insert(header::LOCATION, place);
            }
            return answer;
        }
        if !self.wire.within_limit() {
            let mut answer = refusal(429, "Request was throttled. Expected available in 31 seconds.");
            if !self.dialect.bare_limit {
                answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(31));
            }
            return answer;
        }
        if let Err(refusal) = self.admit(&call) {
            return refusal;
        }
        if request.method() != Method::GET {
            return refusal(405, &format!("Method \"{}\" not allowed.", request.method()));
        }
        let accepts =
            call.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if !accepts.contains("json") && call.param("format") != Some("json") {
            // A page for people, as the vendor gives to whoever does not ask for data.
            let mut answer = Response::new(Body::from("<!doctype html><title>Rooms</title>"));
            answer
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            return answer;
        }
        self.resource(&call)
    }

    fn admit(&self, call: &Call) -> Result<(), Response> {
        let status = if self.dialect.forbids_strangers { 403 } else { 401 };
        let strange = |detail: &str| {
            let mut answer = refusal(status, detail);
            if status == 401 {
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Token"));
            }
            Err(answer)
        };
        let offered = call.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = offered.and_then(|value| value.split_once(' ')) else {
            return strange("Authentication credentials were not provided.");
        };
        let known = ["token", "bearer"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if !known || !self.wire.is_secret(token) || self.wire.token_age() > 0 {
            return strange("Invalid token.");
        }
        Ok(())
    }

    fn resource(&self, call: &Call) -> Response {
        let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
        let words = |denial| match denial {
            Denial::Plain => "You do not have permission to perform this action.",
            Denial::Subscription => "You do not have an active subscription.",
            Denial::Organization => "You do not have access to the organization.",
            Denial::Reports => "You do not have reports permission.",
        };
        match (path.as_slice(), self.dialect.denied) {
            (["api", "v4", "reporting", "realtime", _], Some(denial)) => return refusal(403, words(denial)),
            (["api", "v4", "reporting", "realtime", _], None) if self.dialect.retired => {
                return refusal(410, "This version is gone.");
            }
            (["api", "v5", ..], _) if self.dialect.look_ups_forbidden => {
                return refusal(403, words(Denial::Plain));
            }
            _ => {}
        }
        match path.as_slice() {
            ["api", "v4", "reporting", "realtime", "rooms"] => match self.rooms(call) {
                Ok(rows) => self.paged(call, rows),
                Err(refused) => refused,
            },
            ["api", "v4", "reporting", "realtime", "users"] => {
                let rows = self.stage.look(|floor| rows::users(self, floor, call.param("user_id")));
                self.paged(call, rows)
            }
            ["api", "v5", "users", "me"] => {
                let me = json!({"id": "7ce5ccdb-aa0f-470d-ad49-240448aba6a0", "email": "reports@example.test", "full_name": "Reports", "organization_id": ORGANIZATION});
                json_answer(200, &me)
            }
            ["api", "v5", "orgs", ORGANIZATION, "users"] => {
                let rows = self.stage.look(|floor| rows::people(self, floor));
                self.paged(call, rows)
            }
            ["api", "v5", "orgs", ORGANIZATION, "rooms"] => {
                let rows = self.stage.look(|floor| rows::room_names(self, floor));
                self.paged(call, rows)
            }
            ["api", "v5", "orgs", ORGANIZATION, "rooms", room, "chats"] => {
                let rows = self.stage.look(|floor| rows::waiting_chats(self, floor, number(room)));
                self.paged(call, rows)
            }
            _ => refusal(404, "Not found."),
        }
    }

    fn rooms(&self, call: &Call) -> Result<Vec<Value>, Response> {
        if self.dialect.zone_refused && call.param("timezone").is_some() {
            return Err(json_answer(400, &json!({"timezone": ["Unknown timezone."]})));
        }
        let wanted: Option<Vec<&str>> =
            call.param("room_id").filter(|ids| !ids.is_empty()).map(|ids| ids.split(',').collect());
        if let Some(bad) = wanted.iter().flatten().find(|id| number(id).is_none()) {
            return Err(json_answer(400, &json!({"room_id": [format!("\"{bad}\" is not a valid UUID.")]})));
        }
        let shared = call.param("include_shared").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Ok(self.stage.look(|floor| rows::rooms(self, floor, wanted.as_deref(), shared)))
    }

    /// Cuts rows into pages as the dialect says.
    fn paged(&self, call: &Call, rows: Vec<Value>) -> Response {
        let size = self.dialect.page.max(1);
        let asked = call.param("cursor").or(call.param("page")).and_then(|page| page.parse().ok());
        let page: usize = asked.unwrap_or(1).max(1);
        match self.dialect.pager {
            Pager::Plain => return json_answer(200, &json!({ "results": rows })),
            Pager::Bare => return json_answer(200, &Value::Array(rows)),
            _ => {}
        }
        let length = |page: usize| if self.dialect.ragged { 1 + page * 7 % size } else { size };
        let before: usize = (1..page.min(rows.len() + 2)).map(length).sum();
        let from = before.saturating_sub(usize::from(self.dialect.repeats_rows && page > 1));
        let to = (before + length(page)).min(rows.len());
        let results = rows.get(from.min(to)..to).unwrap_or_default();
        let more = to < rows.len();
        let host = format!("http://{}", call.host());
        let next = match self.dialect.trap {
            Some(Trap::OtherHost) => Some(format!("http://127.0.0.2:9{}", call.again("cursor=2"))),
            Some(Trap::Circle) => Some(format!("{host}{}", call.again(&format!("cursor={page}")))),
            None => None,
        };
        let body = match (next, self.dialect.pager) {
            (Some(next), _) => json!({"next": next, "previous": null, "results": results}),
            (None, Pager::Cursor) => {
                let next = more.then(|| format!("{host}{}", call.again(&format!("cursor={}", page + 1))));
                json!({"next": next, "previous": null, "results": results})
            }
            (None, Pager::Relative) => {
                let next = more.then(|| call.again(&format!("page={}", page + 1)));
                json!({"count": rows.len(), "next": next, "previous": null, "results": results})
            }
            (None, Pager::NumberOnly) => {
                json!({"count": rows.len(), "next_page": more.then_some(page + 1), "results": results})
            }
            (None, _) => {
                let next = more.then(|| format!("{host}{}", call.again(&format!("page={}", page + 1))));
                json!({
                    "count": rows.len(), "num_pages": rows.len().div_ceil(size), "per_page": size,
                    "current_page": page, "next_page": more.then_some(page + 1), "previous_page": null,
                    "next_page_url": next, "previous_page_url": null, "results": results,
                })
            }
        };
        json_answer(200, &body)
    }

    fn room_id(&self, queue: QueueNo) -> String {
        guid(IdKind::Queue, None, u64::from(queue.0))
    }
}

impl VendorServer for GiosgServer {
    fn vendor(&self) -> Vendor {
        Vendor::Giosg
    }
    fn name(&self) -> &'static str {
        "Rooms"
    }
    fn endpoint(&self, _method: &Method, path: &str) -> String {
        let path = path.trim_matches('/');
        match path.strip_prefix("api/v4/reporting/realtime/") {
            Some(name) => name.to_owned(),
            None if path.ends_with("/chats") => "chats".to_owned(),
            None => path.replace(ORGANIZATION, "org"),
        }
    }
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        let answer = self.serve(&request);
        async move { answer }.boxed()
    }
    fn queue_id(&self, _floor: &Centre, queue: QueueNo) -> Id {
        self.room_id(queue).into()
    }
    fn agent_id(&self, _floor: &Centre, seat: SeatNo) -> Id {
        rows::user_id(&self.dialect, seat).into()
    }
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id {
        Id::new(guid(IdKind::Contact, Some(floor.opened_at()), contact.0))
    }
    fn truth(&self, floor: &Centre, source: &Id, _now: Timestamp) -> Truth {
        truth::truth(self, floor, source)
    }
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![("url", format!("\"http://{address}\""))]
    }
}

fn json_answer(status: u16, value: &Value) -> Response {
    let mut answer = Response::new(Body::from(value.to_string()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The vendor's error body.
fn refusal(status: u16, detail: &str) -> Response {
    json_answer(status, &json!({ "detail": detail }))
}
