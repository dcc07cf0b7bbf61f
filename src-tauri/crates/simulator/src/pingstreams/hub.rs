//! Who is connected, who listens to what, and the frames on their way.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{Again, wire::lock};

/// Frames that may wait for one slow reader; beyond it is cut, as a server with a full buffer does.
const BACKLOG: usize = 8192;
/// Frames kept for being sent again.
const KEPT: usize = 64;

struct Ear {
    out: mpsc::Sender<Utf8Bytes>,
    topics: BTreeSet<String>,
}

pub(super) struct Hub {
    doubled: bool,
    next: AtomicU64,
    ears: Mutex<HashMap<u64, Ear>>,
    sent: Mutex<VecDeque<(String, Utf8Bytes)>>,
}

pub(super) fn frame(topic: &str, method: Option<&str>, message: &Value) -> Utf8Bytes {
    let mut payload = json!({"topic": topic, "message": message});
    if let (Some(method), Some(map)) = (method, payload.as_object_mut()) {
        map.insert("method".to_owned(), json!(method));
    }
    Utf8Bytes::from(json!({"action": "publish", "payload": payload}).to_string())
}

impl Hub {
    pub fn new(doubled: bool) -> Self {
        Self { doubled, next: AtomicU64::new(1), ears: Mutex::default(), sent: Mutex::default() }
    }
    pub fn join(&self) -> (u64, mpsc::Receiver<Utf8Bytes>) {
        let (out, frames) = mpsc::channel(BACKLOG);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.ears).insert(id, Ear { out, topics: BTreeSet::new() });
        (id, frames)
    }
    pub fn leave(&self, id: u64) {
        lock(&self.ears).remove(&id);
    }
    pub fn subscribe(&self, id: u64, topic: &str, first: Option<Utf8Bytes>) {
        if let Some(ear) = lock(&self.ears).get_mut(&id) {
            ear.topics.insert(topic.to_owned());
            if let Some(first) = first {
                // A backlog that is full at the first frame is cut at the next.
                let _ = ear.out.try_send(first);
            }
        }
    }
    pub fn unsubscribe(&self, id: u64, topic: &str) {
        if let Some(ear) = lock(&self.ears).get_mut(&id) {
            ear.topics.remove(topic);
        }
    }
    /// Whether anybody listens: making a document costs more than asking.
    pub fn is_heard(&self, topic: &str) -> bool {
        lock(&self.ears).values().any(|ear| ear.topics.contains(topic))
    }
    /// A frame of the server's own to all who listen.
    pub fn publish(&self, topic: &str, method: &str, message: &Value) {
        let text = frame(topic, Some(method), message);
        self.send(topic, None, &text);
        if self.doubled {
            self.send(topic, None, &text);
        }
        let mut sent = lock(&self.sent);
        sent.push_back((topic.to_owned(), text));
        if sent.len() > KEPT {
            sent.pop_front();
        }
    }
    /// A frame to all who listen, apart from one.
    pub fn send(&self, topic: &str, but: Option<u64>, text: &Utf8Bytes) {
        lock(&self.ears).retain(|id, ear| {
            Some(*id) == but || !ear.topics.contains(topic) || ear.out.try_send(text.clone()).is_ok()
        });
    }
    pub fn raw(&self, text: &str) {
        let text = Utf8Bytes::from(text);
        lock(&self.ears).retain(|_, ear| ear.out.try_send(text.clone()).is_ok());
    }
    pub fn again(&self, how: Again) {
        let sent: Vec<(String, Utf8Bytes)> = lock(&self.sent).iter().cloned().collect();
        let from = match how {
            Again::Duplicate => sent.len().saturating_sub(4),
            Again::Old => 0,
        };
        for (topic, text) in sent.get(from..).unwrap_or_default() {
            self.send(topic, None, text);
        }
    }
}
