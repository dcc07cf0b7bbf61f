//! What every vendor's server is to the frame, and the front door that all of them share.
//!
//! To add a vendor: write a folder with a type that implements [`VendorServer`] and add its line to
//! [`SERVERS`]; where it has switches, a field in [`Options`]. The front door does the sockets, the
//! faults and the counting; `wire` has the clock, the secret, the age of tokens and the limit.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, header},
    response::Response,
};
use futures_util::future::BoxFuture;
use model::{Id, Timestamp, Vendor};

use crate::{
    Options, Truth,
    beyondtrust::BeyondtrustServer,
    clock,
    comm100::Comm100Server,
    floor::{Centre, ContactNo, Event, QueueNo, SeatNo},
    giosg::GiosgServer,
    liveperson::LivePersonServer,
    pingstreams::PingstreamsServer,
    stage::Stage,
    wire::{Fault, Wire, spoil},
};

/// One vendor's faithful server.
pub trait VendorServer: Send + Sync + 'static {
    /// Which vendor.
    fn vendor(&self) -> Vendor;
    /// What the demo calls the source.
    fn name(&self) -> &'static str;
    /// Short lower-case name of what a request asks for: the key of faults and counters.
    fn endpoint(&self, method: &Method, path: &str) -> String;
    /// Answers a request, a WebSocket upgrade included.
    fn answer(self: Arc<Self>, request: Request) -> BoxFuture<'static, Response>;
    /// Hears what happened, of all vendors, with the floor as it is after it. Called with the floor
    /// locked: neither waits nor looks at the floor by another way.
    fn floor_moved(&self, _floor: &Centre, _events: &[Event]) {}
    /// Hears that something was switched: end sessions whose tokens were revoked, and the like.
    fn tokens_revoked(&self) {}
    /// Sends these bytes as they are to every push connection; polled vendors have none.
    fn push_raw(&self, _text: &str) {}
    /// Sends the last push frames again, or an old state of something, to every push connection.
    fn push_again(&self, _how: Again) {}
    /// The vendor's back end starts anew; only some vendors show it.
    fn restart(&self, _how: Restart) {}
    /// Id of a queue in the model's form.
    fn queue_id(&self, floor: &Centre, queue: QueueNo) -> Id;
    /// Id of an agent in the model's form.
    fn agent_id(&self, floor: &Centre, seat: SeatNo) -> Id;
    /// Id of a conversation in the model's form.
    fn conversation_id(&self, floor: &Centre, contact: ContactNo) -> Id;
    /// What a perfect client would show for a source of this name.
    fn truth(&self, floor: &Centre, source: &Id, now: Timestamp) -> Truth;
    /// A token of the account that sees everything, where a user may configure one directly.
    fn token(&self) -> Option<String> {
        None
    }
    /// The vendor's own lines of a configuration, as keys and TOML values.
    fn settings(&self, address: SocketAddr) -> Vec<(&'static str, String)>;
}

/// Which frames to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The last frames once more, as a broker that delivers twice does.
    Duplicate,
    /// An earlier state of what changed last.
    Old,
}

/// How a back end's restart shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Everything is told anew on the same connection.
    Truncate,
    /// The connections end.
    Close,
}

type Open = fn(Arc<Stage>, Arc<Wire>, &Options) -> Arc<dyn VendorServer>;

/// The list of servers: one line each.
const SERVERS: &[(Vendor, Open)] = &[
    (Vendor::Beyondtrust, |stage, wire, options| {
        BeyondtrustServer::open(stage, wire, options.beyondtrust.clone())
    }),
    (Vendor::Comm100, |stage, wire, options| Comm100Server::open(stage, wire, options.comm100.clone())),
    (Vendor::Liveperson, |stage, wire, options| {
        LivePersonServer::open(stage, wire, options.liveperson.clone())
    }),
    (Vendor::Giosg, |stage, wire, options| GiosgServer::open(stage, wire, options.giosg.clone())),
    (Vendor::Pingstreams, |stage, wire, options| {
        PingstreamsServer::open(stage, wire, options.pingstreams.clone())
    }),
];

/// The vendors that this build can play.
pub fn served() -> Vec<Vendor> {
    SERVERS.iter().map(|(vendor, _)| *vendor).collect()
}

/// Builds a vendor's server; `None` when this build has none.
pub(crate) fn open(
    vendor: Vendor,
    stage: &Arc<Stage>,
    wire: &Arc<Wire>,
    options: &Options,
) -> Option<Arc<dyn VendorServer>> {
    let (_, open) = SERVERS.iter().find(|(v, _)| *v == vendor)?;
    Some(open(stage.clone(), wire.clone(), options))
}

#[derive(Clone)]
struct Door {
    server: Arc<dyn VendorServer>,
    wire: Arc<Wire>,
}

/// The front door as an axum router.
pub(crate) fn door(server: Arc<dyn VendorServer>, wire: Arc<Wire>) -> Router {
    Router::new().fallback(enter).with_state(Door { server, wire })
}

async fn enter(State(Door { server, wire }): State<Door>, request: Request) -> Response {
    let endpoint = server.endpoint(request.method(), request.uri().path());
    wire.count(&endpoint);
    let fault = wire.take_fault(&endpoint);
    match &fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Slow(delay)) => tokio::time::sleep(*delay).await,
        _ => {}
    }
    let mut answer = match fault {
        // No need to do the work that nobody will see; an upgrade must not even begin.
        Some(
            fault @ (Fault::Status { .. } | Fault::Malformed | Fault::Html | Fault::Body(_) | Fault::Huge(_)),
        ) => spoil(fault, Response::default()).await,
        Some(fault) => spoil(fault, server.answer(request).await).await,
        None => server.answer(request).await,
    };
    if let Ok(date) = HeaderValue::try_from(clock::http_date(wire.now())) {
        answer.headers_mut().entry(header::DATE).or_insert(date);
    }
    answer
}
