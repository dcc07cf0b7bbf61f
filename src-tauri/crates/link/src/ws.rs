//! WebSocket for connectors: the same TLS and proxy as HTTP, a limit on the handshake and on every
//! message, and a socket that owns no task.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ::http::{HeaderName, HeaderValue, Response, header};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use model::Timestamp;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message, Utf8Bytes,
        client::IntoClientRequest as _,
        error::CapacityError,
        protocol::{CloseFrame, WebSocketConfig, frame::coding::CloseCode},
    },
};
use url::Url;

use crate::{
    Clock, Secret, SystemClock, backoff,
    origin::{is_allowed, place},
    proxy::ProxyChoice,
    tap::{SocketEvent, Taps},
    tcp,
    tls::{NetOptions, SetupError, Transport},
    trouble::{NetError, Phase, tls_problem},
    upgraded::Upgraded,
};

/// From the first packet to a working WebSocket.
pub const HANDSHAKE: Duration = Duration::from_secs(10);
/// One message is at most this long unless a vendor's limit is larger.
pub const MESSAGE_LIMIT: usize = crate::http::BODY_LIMIT;
const WRITE: Duration = Duration::from_secs(10);
const CLOSE: Duration = Duration::from_millis(500);

/// What to connect to.
#[derive(Clone)]
pub struct Target {
    url: Url,
    protocol: Option<String>,
    headers: Vec<(HeaderName, Secret)>,
    message_limit: usize,
    handshake: Duration,
}

impl Target {
    /// An address with scheme `ws` or `wss`.
    pub fn new(url: Url) -> Self {
        Self { url, protocol: None, headers: Vec::new(), message_limit: MESSAGE_LIMIT, handshake: HANDSHAKE }
    }
    /// Asks for a sub-protocol.
    #[must_use]
    pub fn protocol(mut self, name: impl Into<String>) -> Self {
        self.protocol = Some(name.into());
        self
    }
    /// Adds a header; its value is treated as a secret. `name` in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Secret) -> Self {
        self.headers.push((HeaderName::from_static(name), value));
        self
    }
    /// Another limit than [`MESSAGE_LIMIT`], bytes.
    #[must_use]
    pub fn message_limit(mut self, bytes: usize) -> Self {
        self.message_limit = bytes;
        self
    }
    /// Another limit than [`HANDSHAKE`].
    #[must_use]
    pub fn handshake(mut self, limit: Duration) -> Self {
        self.handshake = limit;
        self
    }
}

/// An HTTP answer instead of a WebSocket.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Host that was asked.
    pub host: String,
    /// HTTP status.
    pub status: u16,
    /// The raw `Retry-After`; read it with [`Refusal::retry_after`].
    retry_after: Option<String>,
    /// The server's clock.
    date: Option<Timestamp>,
    /// The first bytes of its body, for reading a vendor's error code. Not for people, not for logs.
    pub excerpt: String,
}

impl Refusal {
    /// How long we are asked to wait, clamped to 15 min.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        backoff::retry_after(self.retry_after.as_deref()?, self.date.unwrap_or(now))
    }
}
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({} from {})", self.status, self.host)
    }
}

/// Why there is no WebSocket, or no longer one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WsError {
    /// It failed below HTTP, or the other side broke the protocol.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The server answered the upgrade with something else.
    #[error("{} refused the live connection with status {}.", .0.host, .0.status)]
    Refused(Refusal),
    /// The other side closed; code 1006 when it just went away.
    #[error("{host} closed the live connection (code {code}); it is opened again.")]
    Closed {
        /// Host.
        host: String,
        /// Close code.
        code: u16,
    },
}

/// One message from the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(Utf8Bytes),
    /// Bytes.
    Binary(Bytes),
    /// An answer to [`Socket::ping`], or the other side's own ping (answered already).
    Life,
}

/// Opens WebSockets for one source. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    tls: Arc<rustls::ClientConfig>,
    proxy: ProxyChoice,
    ear: Ear,
}

/// Who listens, by which clock, and how many sockets there were.
#[derive(Clone)]
struct Ear {
    taps: Taps,
    clock: Arc<dyn Clock>,
    lines: Arc<AtomicU64>,
}

impl Ear {
    fn hear(&self, event: &SocketEvent<'_>) {
        if !self.taps.is_empty() {
            self.taps.socket(self.clock.now(), event);
        }
    }
}

impl Dialer {
    /// Sets up TLS and proxy. Touches the CA file, not the network.
    pub fn new(options: &NetOptions) -> Result<Self, SetupError> {
        let Transport { config, proxy } = Transport::new(options, &[b"http/1.1"])?;
        let ear = Ear { taps: Taps::default(), clock: Arc::new(SystemClock), lines: Arc::default() };
        Ok(Self { tls: Arc::new(config), proxy, ear })
    }

    /// Lets others listen in.
    #[must_use]
    pub fn tapped(mut self, taps: &Taps, clock: Arc<dyn Clock>) -> Self {
        self.ear = Ear { taps: taps.clone(), clock, lines: Arc::default() };
        self
    }

    /// Connects and upgrades within the target's time limit.
    pub async fn connect(&self, target: &Target) -> Result<Socket, WsError> {
        let line = self.ear.lines.fetch_add(1, Ordering::Relaxed);
        self.ear.hear(&SocketEvent::Opening {
            line,
            url: &target.url,
            protocol: target.protocol.as_deref(),
            secrets: target.headers.iter().map(|(_, value)| value).collect(),
        });
        let upgrade = Box::pin(self.upgrade(target, line));
        let outcome = match tokio::time::timeout(target.handshake, upgrade).await {
            Ok(outcome) => outcome,
            Err(_) => Err(NetError::new(place(&target.url), Phase::Timeout(target.handshake)).into()),
        };
        if let Err(error) = &outcome {
            self.ear.hear(&SocketEvent::Ended { line, error });
        }
        outcome
    }

    async fn upgrade(&self, target: &Target, line: u64) -> Result<Socket, WsError> {
        let host = place(&target.url);
        if !is_allowed(&target.url) || !target.url.scheme().starts_with("ws") {
            return Err(NetError::new(host, Phase::Address).into());
        }
        let request = request_of(target).ok_or_else(|| NetError::new(&host, Phase::Request))?;
        let stream = match self.proxy.pick(&target.url) {
            Some(proxy) => tunnel(&proxy, &target.url).await?,
            None => tcp::connect(&target.url).await?,
        };
        let config = WebSocketConfig::default()
            .max_message_size(Some(target.message_limit))
            .max_frame_size(Some(target.message_limit))
            .read_buffer_size(32 * 1024);
        let stream = Upgraded::new(self.encrypted(&target.url, stream).await?);
        let asked = Instant::now();
        let (stream, response) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(|error| read_error(&host, target.message_limit, error))?;
        let round_trip = asked.elapsed();
        if response.headers().contains_key(header::SEC_WEBSOCKET_EXTENSIONS) {
            // We offered none: the frames that follow would be unreadable.
            return Err(NetError::new(host, Phase::Protocol).into());
        }
        let protocol = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|p| p.to_str().ok());
        self.ear.hear(&SocketEvent::Open { line, protocol });
        let (limit, ear) = (target.message_limit, self.ear.clone());
        Ok(Socket { stream, host, limit, pongs: 0, round_trip, line, ear })
    }

    async fn encrypted(&self, url: &Url, stream: TcpStream) -> Result<MaybeTlsStream<TcpStream>, NetError> {
        if url.scheme() != "wss" {
            return Ok(MaybeTlsStream::Plain(stream));
        }
        let fail = |phase| NetError::new(place(url), phase);
        let name = match url.host() {
            Some(url::Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
            Some(url::Host::Ipv4(ip)) => Some(ServerName::IpAddress(std::net::IpAddr::V4(ip).into())),
            Some(url::Host::Ipv6(ip)) => Some(ServerName::IpAddress(std::net::IpAddr::V6(ip).into())),
            None => None,
        };
        let name = name.ok_or_else(|| fail(Phase::Address))?;
        let connected = tokio_rustls::TlsConnector::from(self.tls.clone()).connect(name, stream).await;
        connected
            .map(MaybeTlsStream::Rustls)
            .map_err(|error| fail(tls_problem(&error).map_or(Phase::Broken, Phase::Tls)))
    }
}

fn request_of(target: &Target) -> Option<http::Request<()>> {
    let mut request = target.url.as_str().into_client_request().ok()?;
    let headers = request.headers_mut();
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("Floorwalker/", env!("CARGO_PKG_VERSION"))),
    );
    if let Some(protocol) = &target.protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(protocol).ok()?);
    }
    for (name, value) in &target.headers {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        headers.insert(name.clone(), value);
    }
    Some(request)
}

/// Asks an HTTP proxy for a way through. The proxy learns host and port, nothing else.
async fn tunnel(proxy: &Url, target: &Url) -> Result<TcpStream, NetError> {
    let fail = |status| NetError::new(place(target), Phase::Proxy { proxy: place(proxy), status });
    let mut stream = tcp::connect(proxy).await.map_err(|_| fail(None))?;
    let (Some(host), Some(port)) = (target.host_str(), target.port_or_known_default()) else {
        return Err(fail(None));
    };
    let mut ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if !proxy.username().is_empty() {
        use base64::Engine as _;
        let decode = |text: &str| percent_decode(text);
        let pair = format!("{}:{}", decode(proxy.username()), decode(proxy.password().unwrap_or("")));
        let proof = base64::engine::general_purpose::STANDARD.encode(pair);
        ask.push_str(&format!("Proxy-Authorization: Basic {proof}\r\n"));
    }
    ask.push_str("\r\n");
    stream.write_all(ask.as_bytes()).await.map_err(|_| fail(None))?;
    // Byte by byte: what follows the blank line belongs to the tunnel.
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8 * 1024 {
            return Err(fail(None));
        }
        head.push(stream.read_u8().await.map_err(|_| fail(None))?);
    }
    let status = std::str::from_utf8(&head).ok().and_then(|text| text.split(' ').nth(1)?.parse::<u16>().ok());
    match status {
        Some(200..300) => Ok(stream),
        other => Err(fail(other)),
    }
}

fn percent_decode(text: &str) -> String {
    url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
        .next()
        .map(|(k, _)| k.into_owned())
        .unwrap_or_default()
}

fn read_error(host: &str, limit: usize, error: tungstenite::Error) -> WsError {
    use tungstenite::Error as E;
    if let Some(problem) = tls_problem(&error) {
        return NetError::new(host, Phase::Tls(problem)).into();
    }
    let phase = match error {
        E::Http(response) => return WsError::Refused(refusal(host, &response)),
        E::ConnectionClosed | E::AlreadyClosed => {
            return WsError::Closed { host: host.to_owned(), code: 1006 };
        }
        E::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            return WsError::Closed { host: host.to_owned(), code: 1006 };
        }
        E::Capacity(CapacityError::MessageTooLong { .. }) => Phase::TooLarge(limit),
        E::Io(_) => Phase::Broken,
        E::Url(_) | E::HttpFormat(_) => Phase::Request,
        _ => Phase::Protocol,
    };
    NetError::new(host, phase).into()
}

fn refusal(host: &str, response: &Response<Option<Vec<u8>>>) -> Refusal {
    let body = response.body().as_deref().unwrap_or_default();
    let said = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
    Refusal {
        host: host.to_owned(),
        status: response.status().as_u16(),
        retry_after: said(header::RETRY_AFTER).map(str::to_owned),
        date: said(header::DATE).and_then(backoff::http_date),
        excerpt: String::from_utf8_lossy(&body[..body.len().min(512)]).into_owned(),
    }
}

/// An open WebSocket. It owns no task: nothing is read while nobody asks.
pub struct Socket {
    stream: WebSocketStream<Upgraded<MaybeTlsStream<TcpStream>>>,
    host: String,
    limit: usize,
    pongs: u64,
    round_trip: Duration,
    line: u64,
    ear: Ear,
}

impl Socket {
    /// How long the other side took to answer the upgrade: there and back, and its own time.
    pub fn round_trip(&self) -> Duration {
        self.round_trip
    }
    /// How many protocol pings the other side has answered.
    pub fn pongs(&self) -> u64 {
        self.pongs
    }
    /// The next message, or `None` when `deadline` comes first. Safe to drop at any time: nothing that
    /// was read is lost.
    pub async fn next_before(&mut self, deadline: Instant) -> Result<Option<Frame>, WsError> {
        match tokio::time::timeout_at(deadline, self.next()).await {
            Ok(frame) => frame.map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Result<Frame, WsError> {
        let outcome = self.read().await;
        let line = self.line;
        match &outcome {
            Ok(frame) => self.ear.hear(&SocketEvent::Heard { line, frame }),
            Err(error) => self.ear.hear(&SocketEvent::Ended { line, error }),
        }
        outcome
    }

    async fn read(&mut self) -> Result<Frame, WsError> {
        loop {
            return Ok(match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Frame::Text(text),
                Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes),
                Some(Ok(Message::Ping(_))) => Frame::Life,
                Some(Ok(Message::Pong(_))) => {
                    self.pongs += 1;
                    Frame::Life
                }
                Some(Ok(Message::Close(frame))) => {
                    let code = frame.map_or(1005, |f| u16::from(f.code));
                    return Err(WsError::Closed { host: self.host.clone(), code });
                }
                Some(Ok(Message::Frame(_))) => continue,
                Some(Err(error)) => return Err(read_error(&self.host, self.limit, error)),
                None => return Err(WsError::Closed { host: self.host.clone(), code: 1006 }),
            });
        }
    }

    /// Sends text; an other side that takes nothing for 10 s is lost.
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), WsError> {
        self.send(Message::text(text.into())).await
    }
    /// Sends bytes.
    pub async fn send_bytes(&mut self, bytes: impl Into<Bytes>) -> Result<(), WsError> {
        self.send(Message::Binary(bytes.into())).await
    }
    /// Sends a protocol ping; the answer comes as [`Frame::Life`].
    pub async fn ping(&mut self) -> Result<(), WsError> {
        self.send(Message::Ping(Bytes::new())).await
    }
    /// Says goodbye and lets go; never waits long.
    pub async fn close(mut self) {
        let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::from_static("") };
        let _ = tokio::time::timeout(CLOSE, self.stream.close(Some(frame))).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), WsError> {
        let said: Option<&[u8]> = match &message {
            Message::Text(text) => Some(text.as_bytes()),
            Message::Binary(bytes) => Some(bytes),
            _ => None,
        };
        if let Some(message) = said {
            self.ear.hear(&SocketEvent::Sent { line: self.line, message });
        }
        match tokio::time::timeout(WRITE, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| read_error(&self.host, self.limit, error)),
            Err(_) => Err(NetError::new(&self.host, Phase::Timeout(WRITE)).into()),
        }
    }
}
