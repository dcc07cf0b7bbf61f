//! HTTP for connectors: one deadline, one body limit, no cookies, no automatic redirects, and an
//! outcome that says in which phase it failed.

use std::{fmt, sync::Arc, time::Duration};

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use model::Timestamp;
use url::Url;

use crate::{
    Clock, Secret, backoff,
    origin::{is_allowed, place, same_origin},
    proxy::ProxyChoice,
    tap::{Exchange, Taps},
    tls::{NetOptions, SetupError, Transport},
    trouble::{NetError, Phase, has_io, tls_problem},
};

/// One message or body is at most this long, decompressed.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// From sending a request to the last byte of its answer.
pub const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// How a request proves who asks. It goes to the address it was given for and to nobody else.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Basic …`.
    Basic {
        /// Name.
        user: String,
        /// Password or API key.
        password: Secret,
    },
    /// `Authorization: <scheme> <token>`, e.g. `Bearer`, `Token`, `JWT`.
    Token {
        /// The word before the token.
        scheme: &'static str,
        /// The token.
        token: Secret,
    },
}

/// A request as a connector writes it.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: Url,
    auth: Auth,
    headers: Vec<(HeaderName, Secret, bool)>,
    body: Option<(&'static str, Secret)>,
    deadline: Duration,
    body_limit: usize,
}

impl Request {
    /// Reads something.
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }
    /// Sends something; see [`Request::json`] and [`Request::form`].
    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }
    /// Any method.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            auth: Auth::None,
            headers: Vec::new(),
            body: None,
            deadline: DEADLINE,
            body_limit: BODY_LIMIT,
        }
    }
    /// Proves who asks.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }
    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), Secret::new(value), false));
        self
    }
    /// Adds a header whose value is a secret. `name` in lower case.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, value: &Secret) -> Self {
        self.headers.push((HeaderName::from_static(name), value.clone(), true));
        self
    }
    /// A JSON body, already written.
    #[must_use]
    pub fn json(mut self, text: impl Into<String>) -> Self {
        self.body = Some(("application/json", Secret::new(text)));
        self
    }
    /// A form body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = Some(("application/x-www-form-urlencoded", Secret::new(text)));
        self
    }
    /// Another deadline than [`DEADLINE`].
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
    /// Another limit than [`BODY_LIMIT`], bytes.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Self {
        self.body_limit = limit;
        self
    }
}

impl Request {
    /// What it carries that must never be written down.
    fn secrets(&self) -> Vec<&Secret> {
        let proof = match &self.auth {
            Auth::None => None,
            Auth::Basic { password: secret, .. } | Auth::Token { token: secret, .. } => Some(secret),
        };
        let headers = self.headers.iter().filter(|(_, _, is_secret)| *is_secret).map(|(_, value, _)| value);
        proof.into_iter().chain(headers).collect()
    }
}

/// What a vendor answered, whole. A status of 400 or more is an answer, too.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, decompressed.
    pub body: bytes::Bytes,
    /// When the request left, in our clock.
    pub sent_at: Timestamp,
    /// When the last byte was there, in our clock.
    pub received_at: Timestamp,
    /// The address that answered, after redirects within the origin.
    pub url: Url,
    headers: HeaderMap,
}

impl Answer {
    /// 200–299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
    /// A header's text; `None` when it is absent or not readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
    /// Every value of a header that may come several times (`Set-Cookie`), readable ones only.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
    /// How long the vendor asks us to wait, clamped to 15 min; `None` without a usable `Retry-After`.
    /// A date in it is of the server's clock, and is held against that.
    pub fn retry_after(&self) -> Option<Duration> {
        backoff::retry_after(self.header("retry-after")?, self.date().unwrap_or(self.received_at))
    }
    /// The server's clock, whole seconds.
    pub fn date(&self) -> Option<Timestamp> {
        backoff::http_date(self.header("date")?)
    }
    /// Whether this is a page for people, not data: a sign-in portal, a proxy's error page.
    pub fn is_html(&self) -> bool {
        let typed = self
            .header("content-type")
            .is_some_and(|t| t.trim_start().to_ascii_lowercase().starts_with("text/html"));
        let first =
            self.body.iter().copied().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xEF | 0xBB | 0xBF));
        // Some servers announce their JSON as a page.
        first == Some(b'<') || (typed && !matches!(first, Some(b'{' | b'[')))
    }
    /// Reads the body as JSON. A leading byte-order mark is skipped.
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body))
    }
    /// The body as text, for reading a vendor's error code. Not for people, not for logs.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

impl fmt::Debug for Answer {
    // Bodies and headers may hold names and secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} from {}, {} bytes)", self.status, place(&self.url), self.body.len())
    }
}

/// An HTTP client for one source. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    proxy: ProxyChoice,
    clock: Arc<dyn Clock>,
    taps: Taps,
}

impl Http {
    /// Sets up TLS and proxy. Touches the CA file, not the network.
    pub fn new(options: &NetOptions, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let Transport { config, proxy } = Transport::new(options, &[b"h2", b"http/1.1"])?;
        let picker = proxy.clone();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .no_proxy()
            .proxy(reqwest::Proxy::custom(move |url| picker.pick(url)))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(4)
            .user_agent(concat!("Floorwalker/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| {
                SetupError("The HTTP client could not be set up: check `proxy` and `ca_file`.".to_owned())
            })?;
        Ok(Self { client, proxy, clock, taps: Taps::default() })
    }

    /// Lets others listen in.
    #[must_use]
    pub fn tapped(mut self, taps: &Taps) -> Self {
        self.taps = taps.clone();
        self
    }

    /// Sends a request and reads the whole answer within its deadline.
    ///
    /// Redirects are followed at most three times, for reading, within the same origin. To another
    /// origin nothing is sent at all.
    pub async fn send(&self, request: Request) -> Result<Answer, NetError> {
        if self.taps.is_empty() {
            return self.in_time(request).await;
        }
        let (asked, sent_at) = (request.clone(), self.clock.now());
        let outcome = self.in_time(request).await;
        self.taps.exchange(&Exchange {
            method: &asked.method,
            url: &asked.url,
            body: asked.body.as_ref().map(|(kind, text)| (*kind, text.expose())),
            secrets: asked.secrets(),
            sent_at,
            ended_at: self.clock.now(),
            outcome: outcome.as_ref(),
        });
        outcome
    }

    async fn in_time(&self, request: Request) -> Result<Answer, NetError> {
        let host = place(&request.url);
        let deadline = request.deadline;
        match tokio::time::timeout(deadline, self.follow(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(NetError::new(host, Phase::Timeout(deadline))),
        }
    }

    async fn follow(&self, mut request: Request) -> Result<Answer, NetError> {
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.once(&request).await?;
            let Some(next) = redirect_target(&answer, &request) else { return Ok(answer) };
            if !same_origin(&request.url, &next) {
                return Err(NetError::new(place(&request.url), Phase::Redirect(place(&next))));
            }
            request.url = next;
        }
        Err(NetError::new(place(&request.url), Phase::RedirectLoop))
    }

    async fn once(&self, request: &Request) -> Result<Answer, NetError> {
        let host = place(&request.url);
        if !is_allowed(&request.url) {
            return Err(NetError::new(host, Phase::Address));
        }
        let headers = headers_of(request).ok_or_else(|| NetError::new(&host, Phase::Request))?;
        let mut asked = self.client.request(request.method.clone(), request.url.clone()).headers(headers);
        if let Some((_, body)) = &request.body {
            asked = asked.body(body.expose().to_owned());
        }
        let sent_at = self.clock.now();
        let fail = |error: reqwest::Error| {
            let proxy = self.proxy.pick(&request.url).map(|p| place(&p));
            NetError::new(&host, phase_of(&error, proxy, request.deadline))
        };
        let mut response = asked.send().await.map_err(fail)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            && let Some(proxy) = self.proxy.pick(&request.url)
        {
            let phase = Phase::Proxy { proxy: place(&proxy), status: Some(status.as_u16()) };
            return Err(NetError::new(&host, phase));
        }
        let too_large = || NetError::new(&host, Phase::TooLarge(request.body_limit));
        if response.content_length().is_some_and(|n| n > request.body_limit as u64) {
            return Err(too_large());
        }
        let mut body = bytes::BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(fail)? {
            if body.len() + chunk.len() > request.body_limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let received_at = self.clock.now();
        let body = body.freeze();
        Ok(Answer { status: status.as_u16(), body, sent_at, received_at, url: request.url.clone(), headers })
    }
}

/// Where to go next; `None` when the answer is one to keep. Only reading is repeated elsewhere.
fn redirect_target(answer: &Answer, request: &Request) -> Option<Url> {
    let moved = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    if !moved || !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    request.url.join(answer.header("location")?).ok()
}

fn headers_of(request: &Request) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some((kind, _)) = &request.body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value, secret) in &request.headers {
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(*secret);
        headers.insert(name.clone(), value);
    }
    let proof = match &request.auth {
        Auth::None => return Some(headers),
        Auth::Basic { user, password } => {
            use base64::Engine as _;
            let pair = Secret::new(format!("{user}:{}", password.expose()));
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair.expose()))
        }
        Auth::Token { scheme, token } => format!("{scheme} {}", token.expose()),
    };
    let mut proof = HeaderValue::from_str(&proof).ok()?;
    proof.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, proof);
    Some(headers)
}

fn phase_of(error: &reqwest::Error, proxy: Option<String>, deadline: Duration) -> Phase {
    if let Some(problem) = tls_problem(error) {
        return Phase::Tls(problem);
    }
    if error.is_timeout() {
        return Phase::Timeout(deadline.min(CONNECT));
    }
    if error.is_builder() {
        return Phase::Request;
    }
    if error.is_connect() {
        if let Some(proxy) = proxy {
            // The tunnel's refusal is only told apart in words.
            let asks = format!("{error:?}").contains("ProxyAuthRequired");
            return Phase::Proxy {
                proxy,
                status: asks.then_some(StatusCode::PROXY_AUTHENTICATION_REQUIRED.as_u16()),
            };
        }
        if error.is_dns() {
            return Phase::Dns;
        }
        return Phase::Connect { refused: has_io(error, std::io::ErrorKind::ConnectionRefused) };
    }
    Phase::Broken
}
