//! `/nw`: choosing the application, signing in, subscribing, and the feed.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        FromRequestParts as _, Request,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Map, Value, json};
use tokio::{sync::mpsc, time::timeout};

use super::{
    BeyondtrustServer,
    dialect::{Answers, Expiry, Framing, Mode, OverLimit, Snapshot, UnknownTable},
    tables::{Tables, is_table, pieces},
};
use crate::floor::Dice;

/// The application's name; the spaces are the vendor's.
pub const APPLICATION: &str = "ingredi state api";
/// Lines that may wait for one slow reader; an integration that falls further behind is disconnected.
pub(super) const BACKLOG: usize = 1024;

/// What a connection is told.
#[derive(Clone, Debug)]
pub(super) enum Feed {
    Line(Arc<str>),
    Close,
}

/// One connection: what has been read and not understood, and how lines are written.
struct Line {
    socket: WebSocket,
    pending: Vec<u8>,
    framing: Framing,
    answers: Answers,
    dice: Dice,
}

impl Line {
    /// The next whole line from the client; `None` when it has gone.
    async fn read(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.pending.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            match self.socket.recv().await?.ok()? {
                Message::Text(text) => self.pending.extend_from_slice(text.as_bytes()),
                Message::Binary(bytes) => self.pending.extend_from_slice(&bytes),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return None,
            }
        }
    }
    async fn write(&mut self, lines: &[Arc<str>]) -> bool {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_bytes());
            match self.framing {
                Framing::Torn => bytes.extend_from_slice(b"\r\n\n"),
                Framing::Whole | Framing::Joined => bytes.push(b'\n'),
            }
            if self.framing == Framing::Whole && !self.send(std::mem::take(&mut bytes)).await {
                return false;
            }
        }
        if self.framing == Framing::Torn {
            let mut rest = Bytes::from(bytes);
            while !rest.is_empty() {
                // Small pieces of short lines; a long one would take for ever.
                let most = if rest.len() > 20_000 { 4_000 } else { 40 };
                let piece = rest.split_to((1 + self.dice.below(most)).min(rest.len()));
                if self.socket.send(Message::Binary(piece)).await.is_err() {
                    return false;
                }
            }
            return true;
        }
        bytes.is_empty() || self.send(bytes).await
    }
    async fn send(&mut self, bytes: Vec<u8>) -> bool {
        self.socket.send(Message::Binary(bytes.into())).await.is_ok()
    }
    async fn answer(&mut self, kind: &str, refusal: Option<&str>) -> bool {
        let success = refusal.is_none();
        let (success, reason) = match self.answers {
            Answers::Typed => (json!(success), "error_message"),
            Answers::Bare => (json!(u8::from(success)), "error"),
            Answers::Wordy => (json!(u8::from(success).to_string()), "reason"),
        };
        let mut answer = json!({"success": success});
        if let Some(map) = answer.as_object_mut() {
            match self.answers {
                Answers::Typed => drop(map.insert("type".to_owned(), json!(kind))),
                Answers::Bare => {}
                Answers::Wordy => drop(map.insert("type".to_owned(), json!("result"))),
            }
            refusal.map(|text| map.insert(reason.to_owned(), json!(text)));
        }
        let mut lines: Vec<Arc<str>> = Vec::new();
        if self.answers == Answers::Wordy {
            lines.push("{\"type\":\"notice\",\"text\":\"hello\"}".into());
        }
        lines.push(answer.to_string().into());
        self.write(&lines).await
    }
    /// Leaves, with a word if that is the dialect.
    async fn close(&mut self, code: Option<u16>) {
        if let Some(code) = code {
            let frame = CloseFrame { code, reason: "restarting".into() };
            // It may be gone already.
            let _ = self.socket.send(Message::Close(Some(frame))).await;
        }
    }
}

impl BeyondtrustServer {
    pub(super) async fn upgrade(self: Arc<Self>, request: Request) -> Response {
        let full = self.dialect.over_limit == OverLimit::Unavailable && self.streaming() >= self.dialect.most;
        if full {
            return (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response();
        }
        let (mut parts, _) = request.into_parts();
        let company = parts.headers.get("x-ns-company").and_then(|v| v.to_str().ok());
        if self.dialect.require_company && company != Some(self.dialect.company.as_str()) {
            return (StatusCode::BAD_REQUEST, "Bad Request").into_response();
        }
        let offered = parts.headers.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|v| v.to_str().ok());
        let by_protocol = offered.map(|o| o.split(',').any(|p| p.trim() == APPLICATION));
        match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => {
                let knows = self.dialect.mode != Mode::InBand;
                let upgrade = if knows { upgrade.protocols([APPLICATION]) } else { upgrade };
                upgrade.on_upgrade(move |socket| async move { self.attend(socket, by_protocol).await })
            }
            Err(refusal) => refusal.into_response(),
        }
    }

    async fn attend(self: Arc<Self>, socket: WebSocket, by_protocol: Option<bool>) {
        let (framing, answers) = (self.dialect.framing, self.dialect.answers);
        let mut line = Line { socket, pending: Vec::new(), framing, answers, dice: Dice::new(17) };
        if !self.choose(&mut line, by_protocol).await {
            return;
        }
        let Some(said) = line.read().await else { return };
        if !self.sign_in(&mut line, &said).await {
            // The appliance closes after a refusal.
            let _ = timeout(Duration::from_secs(2), line.socket.recv()).await;
            return;
        }
        let Some(said) = line.read().await else { return };
        let Some((copy, mut feed, id)) = self.subscribe(&mut line, &said).await else { return };
        if line.write(&copy).await {
            let ends = match self.dialect.expiry {
                Expiry::Keep => Duration::from_secs(30 * 24 * 3600),
                Expiry::Cut => self.dialect.token_life,
            };
            // It ran from the token's issue, a moment earlier.
            let _ = timeout(ends, self.stream(&mut line, &mut feed)).await;
            line.close(self.dialect.close_code).await;
        }
        self.leave(id);
    }

    async fn choose(&self, line: &mut Line, by_protocol: Option<bool>) -> bool {
        match by_protocol {
            Some(named) => {
                if !named || self.dialect.mode == Mode::InBand {
                    return false;
                }
                !self.dialect.chooser_line || line.write(&["0 Application chosen".into()]).await
            }
            None => {
                if self.dialect.mode == Mode::SubProtocol {
                    return false;
                }
                let Some(company) = line.read().await else { return false };
                let Some(application) = line.read().await else { return false };
                let known = company == format!("NS01{}", self.dialect.company) && application == APPLICATION;
                let word = if known { "0 Application chosen" } else { "1 No such company" };
                line.write(&[word.into()]).await && known
            }
        }
    }

    async fn sign_in(&self, line: &mut Line, said: &str) -> bool {
        self.wire.count("authenticate");
        let said: Value = serde_json::from_str(said).unwrap_or(Value::Null);
        let token = said["credentials"]["bearer_token"].as_str().unwrap_or_default();
        let refusal = if said["type"] != "authenticate" {
            Some("Unexpected message")
        } else if !self.tokens.knows(&self.wire, token) {
            Some("Invalid bearer token")
        } else if self.dialect.no_permission {
            Some("Permission denied")
        } else {
            None
        };
        line.answer("authentication_response", refusal).await && refusal.is_none()
    }

    async fn subscribe(
        &self,
        line: &mut Line,
        said: &str,
    ) -> Option<(Vec<Arc<str>>, mpsc::Receiver<Feed>, u64)> {
        self.wire.count("subscribe");
        let said: Value = serde_json::from_str(said).unwrap_or(Value::Null);
        let tables: Option<Vec<String>> = match &said["tables"] {
            Value::String(word) if word == "all" => (!self.dialect.refuses_all).then(Vec::new),
            Value::Array(names) => {
                let names = names.iter().map(|n| n.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
                let lenient = self.dialect.unknown_table == UnknownTable::Ignore;
                names.filter(|names| lenient || names.iter().all(|n| is_table(n)))
            }
            _ => None,
        };
        let refusal = match &tables {
            _ if said["type"] != "subscribe" => Some("Unexpected message"),
            None => Some("Unknown table"),
            Some(_) => None,
        };
        let full = self.streaming() >= self.dialect.most;
        if full && self.dialect.over_limit == OverLimit::Error {
            line.answer("subscribe_response", Some("Maximum number of integrations reached")).await;
            return None;
        }
        if !line.answer("subscribe_response", refusal).await || refusal.is_some() || full {
            return None;
        }
        let wanted = tables.unwrap_or_default();
        let (tables, feed, id) = self.join();
        Some((self.copy(&tables, &wanted), feed, id))
    }

    /// The initial copy as lines. Tables that were not asked for are left out.
    fn copy(&self, tables: &Tables, wanted: &[String]) -> Vec<Arc<str>> {
        let mut tables = tables.clone();
        tables.retain(|name, _| wanted.is_empty() || wanted.iter().any(|w| w == name));
        let parts = match self.dialect.snapshot {
            Snapshot::One => {
                let whole = pieces(&tables, usize::MAX).into_iter().flatten();
                vec![whole.collect::<Map<String, Value>>()]
            }
            Snapshot::PerTable => pieces(&tables, usize::MAX),
            Snapshot::Chunked => {
                let mut parts = pieces(&tables, 3);
                // Children before parents, and the other way round.
                parts.reverse();
                parts.rotate_left(2.min(self.dialect.most % 3));
                parts
            }
        };
        let mut lines: Vec<Arc<str>> = Vec::new();
        for part in parts {
            lines.push(self.message(Map::from_iter([("insert".to_owned(), Value::Object(part))])));
            if self.dialect.unknowns {
                lines.push("{\"type\":\"weather\",\"sunny\":true}".into());
            }
        }
        lines
    }

    async fn stream(&self, line: &mut Line, feed: &mut mpsc::Receiver<Feed>) {
        let mut lines = Vec::new();
        loop {
            tokio::select! {
                told = feed.recv() => match told {
                    Some(Feed::Line(text)) => {
                        lines.push(text);
                        while let Ok(Feed::Line(text)) = feed.try_recv() {
                            lines.push(text);
                        }
                        if !line.write(&lines).await {
                            return;
                        }
                        lines.clear();
                    }
                    Some(Feed::Close) | None => return,
                },
                // Reading is what answers pings.
                heard = line.socket.recv(), if self.dialect.answers_pings => match heard {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
            }
        }
    }
}
