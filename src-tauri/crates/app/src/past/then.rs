//! The floor as it was: the contract's document, taken at an instant of the past.

use std::path::Path;

use engine::document::{self, Snapshot};
use model::{Health, Id, Source, Timestamp};
use serde::Serialize;
use store::{FloorAt, FloorReader, Gap};

use super::{PastError, desk::standing_at, floor};
use crate::runtime::restored;

/// What there is of the past.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct History {
    pub contract: u32,
    /// The oldest instant that can be shown.
    pub from: Timestamp,
    /// Until when it is known; behind the newest change when nothing changed any more.
    pub until: Timestamp,
    pub span_s: f64,
    /// Rows at the end of it.
    pub counts: Counts,
    /// When the truth is not known, oldest first.
    pub gaps: Vec<GapRow>,
}

/// How many rows of each kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Counts {
    pub sources: usize,
    pub queues: usize,
    pub agents: usize,
    pub conversations: usize,
    pub totals: usize,
}

/// A time of which the history does not know the truth.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct GapRow {
    /// The source that was not live; `None`: Floorwalker itself was not running, or the clock jumped.
    pub source: Option<model::Id>,
    pub began: Timestamp,
    /// `None`: it goes on.
    pub ended: Option<Timestamp>,
    /// `not running`, `clock`, or the source's health.
    pub why: String,
}

impl From<Gap> for GapRow {
    fn from(gap: Gap) -> Self {
        Self { source: gap.source, began: gap.began, ended: gap.ended, why: gap.why }
    }
}

/// From when to when there is history (`only`: of this source), how much, and its gaps.
pub fn history(data: &Path, only: Option<&Id>) -> Result<History, PastError> {
    let reader = floor(data, only)?;
    let span = reader.span()?.ok_or(PastError::Empty)?;
    let last = reader.floor_at(span.until)?;
    let mut counts = Counts::default();
    if let Some(last) = last {
        counts.sources = last.sources.len();
        for entity in &last.entities {
            match entity {
                store::Entity::Queue(_) => counts.queues += 1,
                store::Entity::Agent(_) => counts.agents += 1,
                store::Entity::Conversation(_) => counts.conversations += 1,
                store::Entity::Totals(_) => counts.totals += 1,
            }
        }
    }
    Ok(History {
        contract: document::CONTRACT,
        from: span.from,
        until: span.until,
        span_s: span.until.seconds_since(span.from).max(0.0),
        counts,
        gaps: reader.gaps(span.from, span.until)?.into_iter().map(GapRow::from).collect(),
    })
}

/// The floor at an instant of the past, and the sentences that belong to it.
#[derive(Clone, Debug)]
pub struct Then {
    /// The document; `taken_at` is the instant asked for, and durations hold at it.
    pub document: Snapshot,
    /// What of it is not the whole truth.
    pub notes: Vec<String>,
}

/// The document as it was; `only`: of this source, without what is about the whole floor. Where Floorwalker itself was not running, no source is shown as live.
pub fn floor_then(data: &Path, only: Option<&Id>, at: Timestamp, now: Timestamp) -> Result<Then, PastError> {
    if at > now {
        return Err(PastError::Future { at });
    }
    let reader = floor(data, only)?;
    let span = reader.span()?.ok_or(PastError::Empty)?;
    let Some(seen) = reader.floor_at(at)? else {
        return Err(PastError::TooEarly { at, from: span.from });
    };
    let mut notes = Vec::new();
    let mut alerts = standing_at(data, at).unwrap_or_else(|error| {
        notes.push(format!("The alerts of that time are not known: {error}."));
        Vec::new()
    });
    alerts.retain(|alert| only.is_none() || alert.source.as_ref() == only);
    let unseen = not_running(&reader, at, seen.at)?;
    if let Some(gap) = &unseen {
        notes.push(match gap.ended {
            Some(until) => format!(
                "Floorwalker was not running from {} to {until}; this is the last it saw before.",
                gap.began
            ),
            None => format!("Floorwalker has recorded nothing since {}; this is the last it saw.", gap.began),
        });
    }
    let document = document_of(seen, alerts, unseen.as_ref(), at);
    Ok(Then { document, notes })
}

/// The time around `at` in which Floorwalker itself was not there.
fn not_running(reader: &FloorReader, at: Timestamp, seen: Timestamp) -> Result<Option<Gap>, PastError> {
    let gaps = reader.gaps(at, at)?;
    // A floor that was seen after the gap began is younger than the gap.
    Ok(gaps.into_iter().find(|gap| gap.source.is_none() && gap.began < at && seen <= gap.began))
}

fn document_of(seen: FloorAt, alerts: Vec<model::Alert>, unseen: Option<&Gap>, at: Timestamp) -> Snapshot {
    let sources = seen.sources.iter().map(|source| {
        let mut source = Source::clone(source);
        if let Some(gap) = unseen
            && source.health == Health::Live
        {
            source.health = Health::Stale;
            source.health_since = gap.began;
            source.last_error = Some(match gap.ended {
                Some(_) => "Floorwalker was not running then.".to_owned(),
                None => "Floorwalker has recorded nothing since then.".to_owned(),
            });
        }
        source
    });
    let entities = seen.entities.into_iter().map(restored);
    document::past(sources.collect(), entities, alerts, seen.revision, at)
}
