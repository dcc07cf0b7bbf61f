//! Listening in on what goes over the wire of one source: for the figures of its diagnostics, and for
//! tapes. A tap changes nothing, and what it does must be quick: it is called from the connector's task.

use std::{fmt, sync::Arc};

use model::Timestamp;
use url::Url;

use crate::{
    Answer, Method, NetError, Secret,
    ws::{Frame, WsError},
};

/// Hears what goes over the wire of one source.
pub trait Tap: Send + Sync {
    /// A request has ended, well or not. Redirects within the origin are one request.
    fn exchange(&self, exchange: &Exchange<'_>);
    /// Something happened on a WebSocket.
    fn socket(&self, at: Timestamp, event: &SocketEvent<'_>);
}

/// One request and what came of it.
pub struct Exchange<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The whole address, with whatever the query holds.
    pub url: &'a Url,
    /// Content type and text of the request's body.
    pub body: Option<(&'static str, &'a str)>,
    /// What must never be written down: credentials that this request carried.
    pub secrets: Vec<&'a Secret>,
    /// When it left, in our clock.
    pub sent_at: Timestamp,
    /// When it had ended, in our clock.
    pub ended_at: Timestamp,
    /// The answer, or why there is none.
    pub outcome: Result<&'a Answer, &'a NetError>,
}

/// Something that happened on a WebSocket. `line` numbers the sockets of a source.
pub enum SocketEvent<'a> {
    /// It is about to be opened.
    Opening {
        /// Number of the socket.
        line: u64,
        /// The whole address, with whatever the query holds.
        url: &'a Url,
        /// The sub-protocol asked for.
        protocol: Option<&'a str>,
        /// What must never be written down.
        secrets: Vec<&'a Secret>,
    },
    /// It is open.
    Open {
        /// Number of the socket.
        line: u64,
        /// The sub-protocol that was chosen.
        protocol: Option<&'a str>,
    },
    /// We said something.
    Sent {
        /// Number of the socket.
        line: u64,
        /// The message.
        message: &'a [u8],
    },
    /// The other side said something.
    Heard {
        /// Number of the socket.
        line: u64,
        /// The message.
        frame: &'a Frame,
    },
    /// It was refused, was lost, or was closed by the other side.
    Ended {
        /// Number of the socket.
        line: u64,
        /// Why.
        error: &'a WsError,
    },
}

/// Everybody who listens. Cheap to clone; without listeners it costs nothing.
#[derive(Clone, Default)]
pub struct Taps(Arc<[Arc<dyn Tap>]>);

impl fmt::Debug for Taps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Taps({})", self.0.len())
    }
}

impl Taps {
    /// These listen.
    pub fn new(taps: impl IntoIterator<Item = Arc<dyn Tap>>) -> Self {
        Self(taps.into_iter().collect())
    }
    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(crate) fn exchange(&self, exchange: &Exchange<'_>) {
        self.0.iter().for_each(|tap| tap.exchange(exchange));
    }
    pub(crate) fn socket(&self, at: Timestamp, event: &SocketEvent<'_>) {
        self.0.iter().for_each(|tap| tap.socket(at, event));
    }
}
