//! Plays a tape back: a loopback server that says again what a vendor said while the tape was made, so
//! that a connector can be tested on what a customer saw. The lines of a tape are described where they
//! are written (`link::tape`).
//!
//! Requests are answered in the order of the tape, each address by itself, and the last answer is repeated
//! for ever. A WebSocket says what the tape's said, and waits where it had waited for the client. The clock
//! of the answers goes on from the time of the tape. Hosts of the tape are this server.

mod reel;
mod socket;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts as _, Request, State, ws::WebSocketUpgrade},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use model::Timestamp;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{clock, wire::lock};
use reel::Reel;

/// Why a tape cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It is no tape, or of a later kind.
    #[error("this is no tape that this version can play: line {0} is not as expected")]
    NoTape(usize),
    /// There is no free port.
    #[error("no port on this computer can be used ({0})")]
    Port(#[from] io::Error),
}

/// A tape that is being played, until it is dropped.
pub struct Replay {
    address: SocketAddr,
    player: Arc<Player>,
    task: JoinHandle<()>,
}

struct Player {
    reel: Mutex<Reel>,
    /// When the first request came.
    began: Mutex<Option<Timestamp>>,
}

impl Replay {
    /// Plays a tape on a free port of this computer.
    ///
    /// # Errors
    /// A text that is no tape, or no free port.
    pub async fn start(tape: &str) -> Result<Self, ReplayError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let reel = Reel::read(tape, address).map_err(ReplayError::NoTape)?;
        let player = Arc::new(Player { reel: Mutex::new(reel), began: Mutex::default() });
        let router = Router::new().fallback(enter).with_state(player.clone());
        let task = tokio::spawn(async move {
            // Ends only with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, player, task })
    }

    /// Where it is played.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether everything on the tape was said.
    pub fn is_over(&self) -> bool {
        lock(&self.player.reel).is_over()
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn enter(State(player): State<Arc<Player>>, request: Request) -> Response {
    let now = clock::now();
    let began = *lock(&player.began).get_or_insert(now);
    let wants_socket = request.headers().get(header::UPGRADE).is_some();
    if wants_socket {
        let Some(line) = lock(&player.reel).next_line() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let (mut parts, _) = request.into_parts();
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => {
                let upgrade = match line.protocol.clone() {
                    Some(protocol) => upgrade.protocols([protocol]),
                    None => upgrade,
                };
                upgrade
                    .max_message_size(100 << 20)
                    .on_upgrade(move |socket| socket::play(socket, line, player))
            }
            Err(refusal) => refusal.into_response(),
        };
    }
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let Some(answer) = lock(&player.reel).answer(request.method().as_str(), target) else {
        return (StatusCode::NOT_FOUND, "{}").into_response();
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    // The vendor's clock goes on from the time of the tape.
    let vendor_now = answer.started.plus(now.since(began));
    if let Ok(date) = HeaderValue::try_from(clock::http_date(vendor_now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}
