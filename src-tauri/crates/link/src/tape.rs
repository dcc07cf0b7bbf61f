//! Tapes: a conversation with a vendor as JSON lines, so that a connector's test can be made of what a
//! customer saw. A tape is made only when somebody asks for it, and it ends at its limit.
//!
//! No credential is on it (see [`strike`]); text that people wrote or that names people is replaced by
//! words that stay the same wherever the same text stands, unless the tape is told to keep it. Headers are
//! only those that matter for understanding the answer.
//!
//! The lines: first `{"tape":1,"source":…,"vendor":…,"started":…,"text":"masked"|"kept"}`; then, each with
//! `at_ms` since the start, `{"http":{method,url,request?,took_ms,status,headers,body?|bytes?}}` or with
//! `failed` in place of an answer, and `{"ws":{line,opening|open|sent|heard|ended}}`. A message that
//! comes in pieces stands there whole, when its last piece has come.

pub mod strike;

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, Write},
    sync::{Mutex, MutexGuard},
};

use base64::Engine as _;
use model::Timestamp;
use serde_json::{Map, Value, json};
use strike::Strike;
pub use strike::Text;

use crate::{
    Answer, Secret,
    tap::{Exchange, SocketEvent, Tap},
    ws::Frame,
};

/// Bytes on one tape; what comes after them is not recorded, and the last line says so.
pub const LIMIT: usize = 64 * 1024 * 1024;
/// Headers that are kept of an answer.
const HEADERS: [&str; 5] = ["content-type", "date", "retry-after", "location", "server"];
/// A message in pieces that grows beyond this is not recorded.
const PIECES: usize = 16 * 1024 * 1024;

/// A tape that is being made.
pub struct Tape(Mutex<Reel>);

struct Reel {
    out: Box<dyn Write + Send>,
    strike: Strike,
    started: Timestamp,
    written: usize,
    limit: usize,
    over: bool,
    /// Messages in pieces, by socket.
    pieces: BTreeMap<u64, Vec<u8>>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tape")
    }
}

impl Tape {
    /// Begins a tape of one source. `secret` is the source's own.
    pub fn begin(
        out: Box<dyn Write + Send>,
        (source, vendor): (&str, &str),
        secret: &Secret,
        text: Text,
        started: Timestamp,
    ) -> io::Result<Self> {
        let mut strike = Strike::new(text);
        strike.learn(secret.expose());
        let mut reel =
            Reel { out, strike, started, written: 0, limit: LIMIT, over: false, pieces: BTreeMap::new() };
        let text = if text == Text::Kept { "kept" } else { "masked" };
        let head = json!({"tape": 1, "source": source, "vendor": vendor, "started": started, "text": text});
        reel.line(&head)?;
        Ok(Self(Mutex::new(reel)))
    }

    /// Writes what is still held.
    pub fn finish(&self) -> io::Result<()> {
        self.reel().out.flush()
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Reel {
    fn line(&mut self, line: &Value) -> io::Result<()> {
        let mut text = line.to_string();
        text.push('\n');
        self.written += text.len();
        self.out.write_all(text.as_bytes())?;
        // What was recorded is there even if the program ends badly.
        self.out.flush()
    }

    fn tell(&mut self, at: Timestamp, what: &str, mut told: Map<String, Value>) {
        if self.over {
            return;
        }
        told.retain(|_, value| !value.is_null());
        let at_ms = u64::try_from(at.since(self.started).as_millis()).unwrap_or(u64::MAX);
        self.over = self.written >= self.limit;
        let line = if self.over {
            json!({"at_ms": at_ms, "full": true})
        } else {
            json!({"at_ms": at_ms, what: told})
        };
        if let Err(error) = self.line(&line) {
            tracing::warn!(%error, "the tape cannot be written; it ends here");
            self.over = true;
        }
    }

    /// A body as it may be kept: data with its secrets struck out, or only how much there was.
    fn body(&mut self, told: &mut Map<String, Value>, kind: &str, body: &[u8]) {
        if body.iter().all(u8::is_ascii_whitespace) {
            told.insert("body".into(), String::from_utf8_lossy(body).into());
        } else if let Ok(mut value) =
            serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body))
        {
            self.strike.value(&mut value);
            told.insert("body".into(), value.to_string().into());
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            told.insert("body".into(), self.strike.form(body).into());
        } else {
            told.insert("bytes".into(), body.len().into());
        }
    }

    fn answer(&mut self, told: &mut Map<String, Value>, answer: &Answer) {
        told.insert("status".into(), answer.status.into());
        let mut headers = Map::new();
        for name in HEADERS {
            if let Some(value) = answer.header(name) {
                headers.insert(name.into(), self.strike.text(value).into());
            }
        }
        told.insert("headers".into(), headers.into());
        self.body(told, answer.header("content-type").unwrap_or_default(), &answer.body);
    }

    /// Messages that are whole now, of what a socket said.
    fn whole(&mut self, line: u64, frame: &Frame) -> Vec<(Vec<u8>, bool)> {
        let (bytes, is_text): (&[u8], bool) = match frame {
            Frame::Text(text) => (text.as_bytes(), true),
            Frame::Binary(bytes) => (bytes, false),
            Frame::Life => return Vec::new(),
        };
        if is_text && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
            return vec![(bytes.to_vec(), true)];
        }
        // Lines may be split anywhere; only whole ones can be read, and so be struck.
        let held = self.pieces.entry(line).or_default();
        held.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = held.iter().position(|b| *b == b'\n') {
            lines.push((held.drain(..=end).collect(), is_text));
        }
        if held.len() > PIECES {
            held.clear();
        }
        lines
    }

    /// A message as it may be kept; `ours`: we wrote it, so nobody's words are in it.
    fn message(&mut self, message: &[u8], ours: bool) -> Value {
        let trimmed = message.trim_ascii();
        let end = if message.ends_with(b"\n") { "\n" } else { "" };
        match serde_json::from_slice(trimmed) {
            Ok(mut value) => {
                self.strike.value(&mut value);
                format!("{value}{end}").into()
            }
            Err(_) => match std::str::from_utf8(trimmed) {
                Ok(text) if ours || self.strike.keeps(text) => {
                    format!("{}{end}", self.strike.text(text)).into()
                }
                _ => json!({"bytes": message.len()}),
            },
        }
    }
}

impl Tap for Tape {
    fn exchange(&self, exchange: &Exchange<'_>) {
        let mut reel = self.reel();
        for secret in &exchange.secrets {
            reel.strike.learn(secret.expose());
        }
        let mut told = Map::new();
        told.insert("method".into(), exchange.method.as_str().into());
        if let Some((kind, body)) = exchange.body {
            let mut request = Map::new();
            request.insert("type".into(), kind.into());
            reel.body(&mut request, kind, body.as_bytes());
            told.insert("request".into(), request.into());
        }
        let took = exchange.ended_at.since(exchange.sent_at).as_millis();
        told.insert("took_ms".into(), u64::try_from(took).unwrap_or(u64::MAX).into());
        match exchange.outcome {
            Ok(answer) => reel.answer(&mut told, answer),
            Err(error) => drop(told.insert("failed".into(), error.sentence().into())),
        }
        // Last: the answer may have taught what is to be struck out of the address.
        let url = reel.strike.url(exchange.url);
        told.insert("url".into(), url.into());
        reel.tell(exchange.sent_at, "http", told);
    }

    fn socket(&self, at: Timestamp, event: &SocketEvent<'_>) {
        let mut reel = self.reel();
        let mut told = Map::new();
        match event {
            SocketEvent::Opening { line, url, protocol, secrets } => {
                for secret in secrets {
                    reel.strike.learn(secret.expose());
                }
                let url = reel.strike.url(url);
                told.insert("line".into(), (*line).into());
                told.insert("opening".into(), url.into());
                told.insert("protocol".into(), protocol.map_or(Value::Null, Value::from));
            }
            SocketEvent::Open { line, protocol } => {
                told.insert("line".into(), (*line).into());
                told.insert("open".into(), true.into());
                told.insert("protocol".into(), protocol.map_or(Value::Null, Value::from));
            }
            SocketEvent::Sent { line, message } => {
                told.insert("line".into(), (*line).into());
                let message = reel.message(message, true);
                told.insert("sent".into(), message);
            }
            SocketEvent::Heard { line, frame } => {
                for (message, is_text) in reel.whole(*line, frame) {
                    let message = reel.message(&message, false);
                    let told = json!({"line": line, "heard": message, "binary": !is_text});
                    if let Value::Object(told) = told {
                        reel.tell(at, "ws", told);
                    }
                }
                return;
            }
            SocketEvent::Ended { line, error } => {
                reel.pieces.remove(line);
                told.insert("line".into(), (*line).into());
                told.insert("ended".into(), error.to_string().into());
            }
        }
        reel.tell(at, "ws", told);
    }
}

/// The forms in which a secret may stand on the wire.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned()];
    forms.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    forms.push(base64::engine::general_purpose::STANDARD.encode(secret));
    if let Ok(quoted) = serde_json::to_string(secret) {
        forms.push(quoted.trim_matches('"').to_owned());
    }
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests;
