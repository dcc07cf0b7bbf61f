//! BeyondTrust Remote Support: the token endpoint and the Real-Time State API on `/nw`.

mod dialect;
mod socket;
mod tables;
mod token;
mod truth;

pub use dialect::{
    Accept, Answers, Bools, Dialect, Expiry, Framing, Mode, OverLimit, Snapshot, UnknownTable,
};
pub use socket::APPLICATION;
pub use token::CLIENT_ID;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{FutureExt, future::BoxFuture};
use model::{Id, Timestamp, Vendor};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::{
    Restart, Truth, VendorServer,
    floor::{Centre, ContactNo, Event, QueueNo, SeatNo},
    ids::{IdKind, guid},
    stage::Stage,
    wire::{Wire, lock},
};
use socket::{BACKLOG, Feed};
use tables::{Numbering, Tables, difference, look, shuffled};

/// The server.
pub struct BeyondtrustServer {
    stage: Arc<Stage>,
    wire: Arc<Wire>,
    dialect: Dialect,
    tokens: token::TokenDesk,
    moved: AtomicBool,
    appliance: Mutex<Appliance>,
}

/// The model of one lifetime and who follows it.
#[derive(Default)]
struct Appliance {
    turn: u64,
    numbering: Numbering,
    tables: Tables,
    ears: Vec<(u64, mpsc::Sender<Feed>)>,
    next_ear: u64,
}

pub(super) fn user_id(seat: SeatNo) -> u32 {
    seat.0 + 5
}
pub(super) fn team_id(queue: QueueNo) -> u32 {
    queue.0 + 1
}
pub(super) fn lsid(floor: &Centre, contact: ContactNo) -> String {
    guid(IdKind::Contact, Some(floor.opened_at()), contact.0).replace('-', "")
}

impl BeyondtrustServer {
    pub(crate) fn open(stage: Arc<Stage>, wire: Arc<Wire>, dialect: Dialect) -> Arc<dyn VendorServer> {
        let tokens = token::TokenDesk::new(dialect.token_life, dialect.token_cap);
        let server = Arc::new(Self {
            stage,
            wire,
            dialect,
            tokens,
            moved: AtomicBool::new(true),
            appliance: Mutex::default(),
        });
        tokio::spawn(Self::feed(Arc::downgrade(&server)));
        server
    }

    /// Looks at the floor now and then, as the appliance does, for as long as the server stands.
    async fn feed(server: Weak<Self>) {
        while let Some(this) = server.upgrade() {
            let pause = this.dialect.batch;
            if this.moved.swap(false, Ordering::Relaxed) {
                this.stage.look(|floor| this.catch_up(floor));
            }
            drop(this);
            tokio::time::sleep(pause).await;
        }
    }

    fn catch_up(&self, floor: &Centre) {
        let mut appliance = lock(&self.appliance);
        let Appliance { numbering, tables, .. } = &mut *appliance;
        let new = look(floor, &self.dialect, &self.wire, numbering);
        if let Some(parts) = difference(tables, &new, &self.dialect) {
            *tables = new;
            for part in if self.dialect.shuffle { shuffled(parts, appliance.turn) } else { vec![parts] } {
                let line = self.message(part);
                appliance.ears.retain(|(_, ear)| ear.try_send(Feed::Line(line.clone())).is_ok());
            }
        }
    }

    fn message(&self, mut parts: Map<String, Value>) -> Arc<str> {
        let kind = if self.dialect.turned_names { "model_update" } else { "update_model" };
        parts.insert("type".to_owned(), json!(kind));
        if self.dialect.unknowns {
            parts.insert("timestamp".to_owned(), json!(self.wire.now().as_ms() / 1000));
        }
        Value::Object(parts).to_string().into()
    }

    fn streaming(&self) -> usize {
        let mut appliance = lock(&self.appliance);
        appliance.ears.retain(|(_, ear)| !ear.is_closed());
        appliance.ears.len()
    }

    /// One more integration: the copy and everything after it, with nothing in between.
    fn join(&self) -> (Tables, mpsc::Receiver<Feed>, u64) {
        self.stage.look(|floor| {
            self.catch_up(floor);
            let (ear, feed) = mpsc::channel(BACKLOG);
            let mut appliance = lock(&self.appliance);
            appliance.next_ear += 1;
            let id = appliance.next_ear;
            appliance.ears.push((id, ear));
            (appliance.tables.clone(), feed, id)
        })
    }

    fn leave(&self, id: u64) {
        lock(&self.appliance).ears.retain(|(ear, _)| *ear != id);
    }

    fn command(&self, query: &str) -> Response {
        let action = url::form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "action");
        let body = match action.as_ref().map(|(_, v)| v.as_ref()) {
            Some("get_api_info") => format!(
                "<api_information xmlns=\"http://www.bomgar.com/namespaces/API/command\"><api_version>1.24.1</api_version><timestamp>{}</timestamp><permissions><permission name=\"perm_command\">read_only</permission><permission name=\"perm_real_time_state\">{}</permission></permissions></api_information>",
                self.wire.now().as_ms() / 1000,
                u8::from(!self.dialect.no_permission),
            ),
            Some("check_health") => "<health_check xmlns=\"http://www.bomgar.com/namespaces/API/command\"><version>24.3.1</version><success>1</success><failover_role>none</failover_role></health_check>".to_owned(),
            _ => "<error xmlns=\"http://www.bomgar.com/namespaces/API/command\">Unknown action</error>".to_owned(),
        };
        ([(header::CONTENT_TYPE, "text/xml"), (header::CONNECTION, "close")], body).into_response()
    }
}

impl VendorServer for BeyondtrustServer {
    fn vendor(&self) -> Vendor {
        Vendor::Beyondtrust
    }
    fn name(&self) -> &'static str {
        "Remote support"
    }
    fn endpoint(&self, _method: &Method, path: &str) -> String {
        match path {
            "/oauth2/token" => "token",
            "/nw" => "nw",
            "/check_health" => "health",
            "/api/command" => "command",
            _ => "other",
        }
        .to_owned()
    }
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response> {
        async move {
            match request.uri().path() {
                "/oauth2/token" if request.method() == Method::POST => {
                    let (parts, body) = request.into_parts();
                    let body = axum::body::to_bytes(body, 65_536).await.unwrap_or_default();
                    self.tokens.answer(&self.wire, &parts.headers, parts.uri.query(), &body)
                }
                "/nw" => self.upgrade(request).await,
                "/check_health" => "OK".into_response(),
                "/api/command" => {
                    let offered = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
                    let token = offered.and_then(|o| o.strip_prefix("Bearer ")).unwrap_or_default();
                    if self.tokens.knows(&self.wire, token) {
                        self.command(request.uri().query().unwrap_or_default())
                    } else {
                        StatusCode::UNAUTHORIZED.into_response()
                    }
                }
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
        .boxed()
    }
    fn floor_moved(&self, _floor: &Centre, _events: &[Event]) {
        self.moved.store(true, Ordering::Relaxed);
    }
    fn push_raw(&self, text: &str) {
        let line: Arc<str> = text.into();
        lock(&self.appliance).ears.retain(|(_, ear)| ear.try_send(Feed::Line(line.clone())).is_ok());
    }
    fn restart(&self, how: Restart) {
        self.stage.look(|floor| {
            let mut appliance = lock(&self.appliance);
            appliance.turn += 1;
            appliance.numbering = Numbering::anew(appliance.turn);
            appliance.tables = Tables::new();
            let name = if self.dialect.turned_names { "model_truncate" } else { "truncate_model" };
            let told = match how {
                Restart::Truncate => Feed::Line(json!({"type": name}).to_string().into()),
                Restart::Close => Feed::Close,
            };
            appliance.ears.retain(|(_, ear)| ear.try_send(told.clone()).is_ok());
            drop(appliance);
            self.catch_up(floor);
        });
    }
    fn queue_id(&self, _floor: &Centre, queue: QueueNo) -> Id {
        Id::new(format!("team:{}", team_id(queue)))
    }
    fn agent_id(&self, _floor: &Centre, seat: SeatNo) -> Id {
        Id::new(user_id(seat).to_string())
    }
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id {
        Id::new(lsid(floor, contact))
    }
    fn truth(&self, floor: &Centre, source: &Id, now: Timestamp) -> Truth {
        truth::truth(self, floor, source, now)
    }
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)> {
        vec![
            ("url", format!("\"http://{address}\"")),
            ("client_id", format!("\"{CLIENT_ID}\"")),
            ("company", format!("\"{}\"", self.dialect.company)),
        ]
    }
}
