//! A tape, read and put in the order in which it is played.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

use model::Timestamp;
use serde::{Deserialize, Deserializer};
use url::Url;

#[derive(Deserialize)]
struct Head {
    tape: u32,
    started: Timestamp,
}

#[derive(Deserialize)]
struct Entry {
    http: Option<Http>,
    ws: Option<Ws>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
    #[serde(deserialize_with = "address")]
    url: Url,
    status: Option<u16>,
    #[serde(default)]
    headers: HashMap<String, String>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Ws {
    line: u64,
    #[serde(default, deserialize_with = "maybe_address")]
    opening: Option<Url>,
    open: Option<bool>,
    protocol: Option<String>,
    sent: Option<serde_json::Value>,
    heard: Option<serde_json::Value>,
    #[serde(default)]
    binary: bool,
    ended: Option<String>,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    Url::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn maybe_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    address(deserializer).map(Some)
}

/// One answer.
#[derive(Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// When the tape began.
    pub started: Timestamp,
}

/// What a WebSocket says and waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Turn {
    /// The client says this.
    Client(String),
    /// The server says this; as bytes where `binary`.
    Server { text: String, binary: bool },
    /// The server closes.
    End,
}

/// One WebSocket of the tape.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub protocol: Option<String>,
    pub turns: Vec<Turn>,
}

/// The whole tape.
pub(super) struct Reel {
    /// By method, path and query; and by method and path alone.
    exact: HashMap<String, VecDeque<Answer>>,
    loose: HashMap<String, VecDeque<Answer>>,
    lines: VecDeque<Line>,
    last_line: Option<Line>,
    pub playing: usize,
}

impl Reel {
    /// Reads a tape; the number of the line that is not as expected otherwise.
    pub fn read(tape: &str, here: SocketAddr) -> Result<Self, usize> {
        let mut lines = tape.lines().enumerate();
        let head: Head = lines.next().and_then(|(_, text)| serde_json::from_str(text).ok()).ok_or(1usize)?;
        if head.tape != 1 {
            return Err(1);
        }
        let mut entries = Vec::new();
        for (number, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
            entries.push(serde_json::from_str::<Entry>(text).map_err(|_| number + 1)?);
        }
        let hosts = Hosts::of(&entries, here);
        let mut reel = Self {
            exact: HashMap::new(),
            loose: HashMap::new(),
            lines: VecDeque::new(),
            last_line: None,
            playing: 0,
        };
        let mut sockets: Vec<(u64, Line, bool)> = Vec::new();
        for entry in entries {
            if let Some(http) = entry.http {
                let answer = Answer {
                    status: http.status.unwrap_or(502),
                    headers: http
                        .headers
                        .into_iter()
                        .filter(|(name, _)| name != "date")
                        .map(|(name, value)| (name, hosts.here(&value)))
                        .collect(),
                    body: hosts.here(&http.body.unwrap_or_default()),
                    started: head.started,
                };
                let target = http.url.query().map_or_else(
                    || http.url.path().to_owned(),
                    |query| format!("{}?{query}", http.url.path()),
                );
                reel.exact.entry(exact(&http.method, &target)).or_default().push_back(answer.clone());
                reel.loose.entry(loose(&http.method, &target)).or_default().push_back(answer);
            }
            if let Some(ws) = entry.ws {
                if ws.opening.is_some() {
                    sockets.push((ws.line, Line::default(), false));
                }
                let Some((_, line, open)) = sockets.iter_mut().rev().find(|(n, ..)| *n == ws.line) else {
                    continue;
                };
                if ws.open == Some(true) {
                    *open = true;
                    line.protocol = ws.protocol;
                }
                let text = |value: &serde_json::Value| value.as_str().map(|text| hosts.here(text));
                if let Some(sent) = ws.sent.as_ref().and_then(text) {
                    line.turns.push(Turn::Client(sent));
                }
                if let Some(heard) = ws.heard.as_ref().and_then(text) {
                    line.turns.push(Turn::Server { text: heard, binary: ws.binary });
                }
                if ws.ended.is_some() {
                    line.turns.push(Turn::End);
                }
            }
        }
        // What was refused is not opened again: only sockets that lived are played.
        reel.lines = sockets.into_iter().filter(|(_, _, open)| *open).map(|(_, line, _)| line).collect();
        Ok(reel)
    }

    /// The next answer to a request; the last one for ever; `None` when the tape knows nothing of it.
    pub fn answer(&mut self, method: &str, target: &str) -> Option<Answer> {
        let queue = match self.exact.get_mut(&exact(method, target)) {
            Some(queue) => queue,
            None => self.loose.get_mut(&loose(method, target))?,
        };
        if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
    }

    /// The next WebSocket; the last one for ever.
    pub fn next_line(&mut self) -> Option<Line> {
        if let Some(line) = self.lines.pop_front() {
            self.last_line = Some(line);
        }
        let line = self.last_line.clone()?;
        self.playing += 1;
        Some(line)
    }

    /// Whether every answer was given and every socket has said all.
    pub fn is_over(&self) -> bool {
        self.exact.values().all(|queue| queue.len() <= 1) && self.lines.is_empty() && self.playing == 0
    }
}

/// Query pairs in any order are one address.
fn exact(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<String> =
        url::form_urlencoded::parse(query.as_bytes()).map(|(key, value)| format!("{key}={value}")).collect();
    pairs.sort();
    format!("{method} {path}?{}", pairs.join("&"))
}

fn loose(method: &str, target: &str) -> String {
    format!("{method} {}", target.split('?').next().unwrap_or(target))
}

/// Hosts that the tape's requests went to: all of them are this server now.
struct Hosts {
    names: Vec<String>,
    here: String,
}

impl Hosts {
    fn of(entries: &[Entry], here: SocketAddr) -> Self {
        let urls = entries.iter().flat_map(|entry| {
            let http = entry.http.as_ref().map(|http| &http.url);
            http.into_iter().chain(entry.ws.as_ref().and_then(|ws| ws.opening.as_ref()))
        });
        let mut names: Vec<String> = urls
            .filter_map(|url| {
                let host = url.host_str()?;
                Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
            })
            .collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.dedup();
        Self { names, here: here.to_string() }
    }

    fn here(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for name in &self.names {
            text = text.replace(name.as_str(), &self.here);
        }
        // Loopback speaks in the clear.
        text.replace(&format!("https://{}", self.here), &format!("http://{}", self.here))
            .replace(&format!("wss://{}", self.here), &format!("ws://{}", self.here))
    }
}
