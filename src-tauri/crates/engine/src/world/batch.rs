//! What a connector reported, step by step.

use std::cmp::Reverse;

use model::{Batch, Change, HealthReport, Id, Key, Source, Timestamp};

use super::{Floor, World, outcome::Round};

/// A skew that screens follow only in steps this large, seconds.
const SKEW_STEP_S: f64 = 0.25;

impl World {
    pub(super) fn batch(&mut self, batch: Batch, now: Timestamp, round: &mut Round) {
        // A connector on its way out may still report for a source that was taken away or turned off.
        let Some(floor) = self.floors.get_mut(&batch.source) else { return };
        if floor.source.health == model::Health::Disabled {
            return;
        }
        // The clock that an answer teaches holds for the answer itself, wherever in it the word stands.
        if let Some(skew) = batch.changes.iter().rev().find_map(taught_skew) {
            floor.source.clock_skew_s = Some(skew);
        }
        for change in batch.changes {
            floor.step(change, batch.at, now, round);
        }
        floor.batch_ends(now);
        for (id, at) in floor.leaving.drain(..) {
            self.leaving.push(Reverse((at, Key { source: batch.source.clone(), id })));
        }
    }
}

impl Floor {
    fn step(&mut self, change: Change, at: Timestamp, now: Timestamp, round: &mut Round) {
        let rows = &mut round.rows;
        match change {
            Change::Queue(queue) if queue.source == self.source.id => self.put_queue(queue, rows),
            Change::Agent(agent) if agent.source == self.source.id => self.put_agent(agent, at, rows),
            Change::Conversation(conversation) if conversation.source == self.source.id => {
                self.put_conversation(conversation, now, rows);
            }
            Change::Totals(totals) if totals.source == self.source.id => self.put_totals(totals, rows),
            // A row under another source's name would outlive its own source: not ours to keep.
            Change::Queue(_) | Change::Agent(_) | Change::Conversation(_) | Change::Totals(_) => {}
            Change::Remove(kind, id) => self.remove(kind, &id, rows),
            Change::Reset => self.reset(),
            Change::Complete => self.complete(rows),
            Change::Health(report) => self.report(report, now, round),
        }
    }

    fn report(&mut self, report: HealthReport, now: Timestamp, round: &mut Round) {
        let was_live = self.is_live();
        let before = Said::of(&self.source);
        let source = &mut self.source;
        if source.health != report.health {
            source.health = report.health;
            source.health_since = now;
        }
        if let Some(at) = report.last_data_at {
            // Several endpoints report in any order: the newest data counts.
            source.last_data_at = Some(source.last_data_at.map_or(at, |old| old.max(at)));
        }
        source.last_error = report.error;
        source.retry_at = report.retry_at;
        source.gaps = report.gaps;
        source.gaps.sort_unstable();
        source.gaps.dedup();
        if before != Said::of(source) {
            round.said(&source.id);
        }
        round.looked(&self.source.id);
        self.note_loss(was_live, now);
        if was_live != self.is_live() {
            self.liveness_changed(now);
            round.redraw(&self.source.id);
        }
        if (self.skew() - self.skew_shown).abs() >= SKEW_STEP_S {
            self.skew_shown = self.skew();
            round.redraw(&self.source.id);
        }
    }
}

fn taught_skew(change: &Change) -> Option<f64> {
    match change {
        Change::Health(report) => report.clock_skew_s.filter(|skew| skew.is_finite()),
        _ => None,
    }
}

/// What a `health` line is printed for.
#[derive(PartialEq)]
struct Said {
    health: model::Health,
    last_error: Option<String>,
    retry_at: Option<Timestamp>,
    gaps: Vec<String>,
}

impl Said {
    fn of(source: &Source) -> Self {
        Self {
            health: source.health,
            last_error: source.last_error.clone(),
            retry_at: source.retry_at,
            gaps: source.gaps.clone(),
        }
    }
}

/// Adds an id once.
pub(super) fn once(list: &mut Vec<Id>, id: &Id) {
    if !list.contains(id) {
        list.push(id.clone());
    }
}
