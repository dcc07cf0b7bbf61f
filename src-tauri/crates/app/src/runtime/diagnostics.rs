//! What is known of a running source beyond its health.

use std::{sync::Arc, time::Duration};

use link::{Clock, Tap, Taps, tape::Tape, traffic::Traffic};
use model::Id;
use vendors::{
    drift::{Drift, Note, Notes},
    paces::{Paces, Present},
};

use super::{Command, Floorwalker, endpoints};
use crate::api::{AskedPlace, Code, Diagnostics, Failure, PolledEndpoint};

/// What listens to one source. Cheap to clone; it outlives a connector that is started anew.
#[derive(Clone)]
pub(crate) struct Ears {
    pub notes: Notes,
    pub paces: Paces,
    pub traffic: Arc<Traffic>,
}

impl Ears {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { notes: Notes::new(clock), paces: Paces::default(), traffic: Arc::default() }
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
        let polled =
            |(name, every): (String, Duration)| PolledEndpoint { name, every_s: every.as_secs_f64() };
        let planned = || endpoints(&settings).into_iter().map(polled).collect();
        let id = id.clone();
        let ears = self.command(|reply| Command::Ears { id, reply }).await.ok().flatten();
        let Some(ears) = ears else {
            return Ok(Diagnostics { endpoints: planned(), ..Diagnostics::default() });
        };
        let present = ears.paces.present();
        let endpoints = match &present {
            Some(now) => now.endpoints.iter().map(|e| polled((e.name.to_owned(), e.every))).collect(),
            None => planned(),
        };
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
            sharing: present.as_ref().and_then(sharing),
            places: places.collect(),
            notes: ears.notes.list(),
            others: ears.notes.others(),
        })
    }
}

/// What a source that does not have its way in how often it asks shares with whom.
fn sharing(present: &Present) -> Option<String> {
    let (calls, per) = present.calls;
    let rounded = |factor: f64| (factor * 10.0).round() / 10.0;
    if present.sharers < 2 && rounded(present.stretch) <= 1.0 {
        return None;
    }
    let budget = format!("{calls} requests in {}", crate::settings::print_duration(per));
    let who = match present.sharers {
        0 | 1 => format!("{budget} at most"),
        sharers => format!("{sharers} sources share {budget}"),
    };
    Some(match rounded(present.stretch) {
        factor if factor > 1.0 => format!("{who}, so intervals are {factor} times longer"),
        _ => who,
    })
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
