//! What is known of a running source beyond its health.

use std::sync::Arc;

use link::{Clock, Tap, Taps, tape::Tape, traffic::Traffic};
use model::Id;
use vendors::drift::{Drift, Note, Notes};

use super::{Command, Floorwalker, endpoints};
use crate::api::{AskedPlace, Code, Diagnostics, Failure, PolledEndpoint};

/// What listens to one source. Cheap to clone; it outlives a connector that is started anew.
#[derive(Clone)]
pub(crate) struct Ears {
    pub notes: Notes,
    pub traffic: Arc<Traffic>,
}

impl Ears {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { notes: Notes::new(clock), traffic: Arc::default() }
    }

    /// The traffic, and the tape where one is made.
    pub fn taps(&self, tape: Option<Tape>) -> Taps {
        let tape = tape.map(|tape| Arc::new(tape) as Arc<dyn Tap>);
        Taps::new([self.traffic.clone() as Arc<dyn Tap>].into_iter().chain(tape))
    }
}

impl Floorwalker {
    /// The diagnostics of one source; `NotFound` for an id that is not configured. A source that is off
    /// has none yet.
    pub async fn diagnostics(&self, id: &Id) -> Result<Diagnostics, Failure> {
        let settings =
            self.inner.settings.lock().await.settings.sources.iter().find(|s| s.id == *id).cloned();
        let settings = settings.ok_or_else(|| {
            Failure::new(Code::NotFound, format!("There is no source {id} in the configuration (any more)."))
        })?;
        let endpoints = endpoints(&settings)
            .into_iter()
            .map(|(name, every)| PolledEndpoint { name, every_s: every.as_secs_f64() })
            .collect();
        let id = id.clone();
        let ears = self.command(|reply| Command::Ears { id, reply }).await.ok().flatten();
        let Some(ears) = ears else { return Ok(Diagnostics { endpoints, ..Diagnostics::default() }) };
        let places = ears.traffic.places().into_iter().map(|(place, p)| AskedPlace {
            place,
            requests: p.requests,
            failures: p.failures,
            status: p.status,
            last_at: p.last_at,
            took_ms: p.took.map(|took| u32::try_from(took.as_millis()).unwrap_or(u32::MAX)),
            messages: p.messages,
            bytes: p.bytes,
        });
        Ok(Diagnostics {
            endpoints,
            places: places.collect(),
            notes: ears.notes.list(),
            others: ears.notes.others(),
        })
    }
}

/// A note as one line for people: `format changed: agents, currentstatusid: unknown word lunch (2 times)`.
pub fn sentence_of(note: &Note) -> String {
    let mut text = format!("format changed: {}", note.part);
    if !note.field.is_empty() {
        text.push_str(&format!(", {}", note.field));
    }
    let what = match note.drift {
        Drift::Type => "another type",
        Drift::Unit => "another unit",
        Drift::Vanished => "vanished",
        Drift::Word => "unknown word",
        Drift::Unreadable => "cannot be read",
    };
    text.push_str(&format!(": {what}"));
    if let Some(detail) = &note.detail {
        text.push_str(&format!(" ({detail})"));
    }
    text.push_str(&format!(", {} times", note.count));
    text
}
