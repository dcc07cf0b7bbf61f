//! Pingstreams, a white label of Tiledesk: REST and WebSocket on one port.

mod account;
mod dialect;
mod documents;
mod hub;
mod rest;
mod socket;
mod token;
mod topic;
mod truth;

pub use account::{OUTSIDER, OWNER, SUPERVISOR};
pub use dialect::Dialect;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::Request,
    http::{Method, header},
    response::Response,
};
use futures_util::{FutureExt, future::BoxFuture};
use model::{Id, Timestamp, Vendor};

use crate::{
    Again, Truth, VendorServer,
    floor::{Centre, ContactNo, Event, QueueNo, SeatNo},
    ids::{IdKind, oid},
    stage::Stage,
    wire::Wire,
};

/// The server.
pub struct PingstreamsServer {
    stage: Arc<Stage>,
    wire: Arc<Wire>,
    dialect: Dialect,
    hub: hub::Hub,
    tokens: token::TokenDesk,
}

impl PingstreamsServer {
    pub(crate) fn open(stage: Arc<Stage>, wire: Arc<Wire>, dialect: Dialect) -> Arc<dyn VendorServer> {
        let hub = hub::Hub::new(dialect.doubled_frames);
        Arc::new(Self { stage, wire, dialect, hub, tokens: token::TokenDesk::default() })
    }
    /// The one project.
    pub(crate) fn project() -> String {
        oid(IdKind::Project, None, 1)
    }
}

fn is_upgrade(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE).and_then(|v| v.to_str().ok());
    upgrade.is_some_and(|v| v.eq_ignore_ascii_case("websocket"))
}

impl VendorServer for PingstreamsServer {
    fn vendor(&self) -> Vendor {
        Vendor::Pingstreams
    }
    fn name(&self) -> &'static str {
        "Help centre"
    }
    fn endpoint(&self, _method: &Method, path: &str) -> String {
        if path == self.dialect.ws_path {
            return "ws".to_owned();
        }
        let path = path.strip_prefix(&self.dialect.rest_prefix).unwrap_or(path);
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        match parts[..] {
            ["auth", what] => what.to_owned(),
            ["projects", ..] => "projects".to_owned(),
            [_, "requests", "count"] => "requests/count".to_owned(),
            [_, "requests", _, "messages"] => "messages".to_owned(),
            [_, "requests", _, ..] => "request".to_owned(),
            [_, what, ..] => what.to_owned(),
            _ => "other".to_owned(),
        }
    }
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        async move {
            if is_upgrade(&request) { self.upgrade(request).await } else { self.rest(request).await }
        }
        .boxed()
    }
    fn floor_moved(&self, floor: &Centre, events: &[Event]) {
        self.publish(floor, events);
    }
    fn push_raw(&self, text: &str) {
        self.hub.raw(text);
    }
    fn push_again(&self, how: Again) {
        self.hub.again(how);
    }
    fn queue_id(&self, _floor: &Centre, queue: QueueNo) -> Id {
        Id::new(oid(IdKind::Queue, None, u64::from(queue.0)))
    }
    fn agent_id(&self, _floor: &Centre, seat: SeatNo) -> Id {
        Id::new(account::user_id(seat))
    }
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id {
        Id::new(documents::request_id(floor, contact))
    }
    fn truth(&self, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
        truth::truth(self, floor, source, now)
    }
    fn token(&self) -> Option<String> {
        let owner = self.stage.look(|floor| account::find_by_email(floor, OWNER))?;
        Some(self.tokens.issue(&self.wire, &self.dialect, &owner))
    }
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("url", format!("\"ws://{address}{}\"", self.dialect.ws_path)),
            ("api_url", format!("\"http://{address}{}\"", self.dialect.rest_prefix)),
            ("project", format!("\"{}\"", Self::project())),
            ("email", format!("\"{OWNER}\"")),
        ]
    }
}
