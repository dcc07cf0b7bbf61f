//! What a source costs and how it is answered, for its diagnostics: one line for each place that is asked.
//! Places are paths without ids and without queries; no body and no credential is kept.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use model::Timestamp;
use url::Url;

use crate::{
    tap::{Exchange, SocketEvent, Tap},
    ws::{Frame, WsError},
};

/// Places kept; what comes after them is counted under one.
const MOST: usize = 32;
const OTHERS: &str = "…";

/// What is known of one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// Requests, or sockets opened.
    pub requests: u64,
    /// Those that got no answer, or one that is an error.
    pub failures: u64,
    /// Status of the last answer; `None` when there was none.
    pub status: Option<u16>,
    /// When the last one ended.
    pub last_at: Option<Timestamp>,
    /// How long the last one took.
    pub took: Option<Duration>,
    /// Messages heard, for a WebSocket.
    pub messages: u64,
    /// Bytes of answers and messages, decompressed.
    pub bytes: u64,
}

/// The figures of one source.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    places: BTreeMap<String, Place>,
    /// Where each socket leads, and when it was opened.
    sockets: BTreeMap<u64, (String, Timestamp)>,
}

impl Traffic {
    /// All places, by name: `GET /path`, `WS /path`.
    pub fn places(&self) -> Vec<(String, Place)> {
        self.book().places.iter().map(|(name, place)| (name.clone(), place.clone())).collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Book {
    fn place(&mut self, name: String) -> &mut Place {
        let known = self.places.contains_key(&name) || self.places.len() < MOST;
        self.places.entry(if known { name } else { OTHERS.to_owned() }).or_default()
    }
    fn of_socket(&mut self, line: u64) -> Option<&mut Place> {
        let (name, _) = self.sockets.get(&line)?;
        let name = name.clone();
        Some(self.place(name))
    }
}

impl Tap for Traffic {
    fn exchange(&self, exchange: &Exchange<'_>) {
        let mut book = self.book();
        let place = book.place(format!("{} {}", exchange.method, without_ids(exchange.url)));
        place.requests += 1;
        place.last_at = Some(exchange.ended_at);
        place.took = Some(exchange.ended_at.since(exchange.sent_at));
        place.status = exchange.outcome.as_ref().ok().map(|answer| answer.status);
        match exchange.outcome {
            Ok(answer) => {
                place.bytes += answer.body.len() as u64;
                place.failures += u64::from(answer.status >= 400);
            }
            Err(_) => place.failures += 1,
        }
    }

    fn socket(&self, at: Timestamp, event: &SocketEvent<'_>) {
        let mut book = self.book();
        match event {
            SocketEvent::Opening { line, url, .. } => {
                let name = format!("WS {}", without_ids(url));
                book.place(name.clone()).requests += 1;
                // One at a time is the rule; a few may overlap while one is let go.
                while book.sockets.len() >= 8 {
                    book.sockets.pop_first();
                }
                book.sockets.insert(*line, (name, at));
            }
            SocketEvent::Open { line, .. } => {
                let opened = book.sockets.get(line).map(|(_, since)| at.since(*since));
                if let Some(place) = book.of_socket(*line) {
                    (place.status, place.last_at, place.took) = (Some(101), Some(at), opened);
                }
            }
            SocketEvent::Heard { line, frame } => {
                if let Some(place) = book.of_socket(*line) {
                    place.last_at = Some(at);
                    let bytes = match frame {
                        Frame::Text(text) => text.len(),
                        Frame::Binary(bytes) => bytes.len(),
                        Frame::Life => return,
                    };
                    place.messages += 1;
                    place.bytes += bytes as u64;
                }
            }
            SocketEvent::Sent { .. } => {}
            SocketEvent::Ended { line, error } => {
                if let Some(place) = book.of_socket(*line) {
                    place.last_at = Some(at);
                    match error {
                        WsError::Refused(refusal) => {
                            place.status = Some(refusal.status);
                            place.failures += 1;
                        }
                        WsError::Net(_) => place.failures += 1,
                        WsError::Closed { code, .. } => place.failures += u64::from(*code != 1000),
                    }
                }
                book.sockets.remove(line);
            }
        }
    }
}

/// The path with an ellipsis for everything that may be an id or a key.
fn without_ids(url: &Url) -> String {
    let mut path = String::new();
    for segment in url.path().split('/').filter(|s| !s.is_empty()) {
        let is_word = segment.len() <= 32
            && segment.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.'));
        let is_version = segment.len() <= 4
            && segment.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        path.push('/');
        path.push_str(if is_word || is_version { segment } else { "…" });
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_hold_no_ids() {
        for (url, name) in [
            ("https://a.example/api/v4/reporting/realtime/rooms?token=x", "/api/v4/reporting/realtime/rooms"),
            (
                "https://a.example/api/account/12345/agentSession/42/chat/H1-2K3/events",
                "/api/account/…/agentSession/…/chat/…/events",
            ),
            ("https://a.example/6b02501f82e6e6072633144b/project_users", "/…/project_users"),
            ("wss://a.example", "/"),
        ] {
            assert_eq!(without_ids(&Url::parse(url).unwrap()), name);
        }
    }

    #[test]
    fn the_book_is_bounded() {
        let mut book = Book::default();
        for n in 0..100 {
            book.place(format!("GET /{n}")).requests += 1;
        }
        assert_eq!(book.places.len(), MOST + 1);
        assert_eq!(book.places[OTHERS].requests, 100 - MOST as u64);
    }
}
