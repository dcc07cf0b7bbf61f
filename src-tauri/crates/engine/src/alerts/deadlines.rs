//! What a look needs of a slot before anything else, and when each is to be looked at again.

use std::collections::BTreeSet;

use model::Timestamp;

use super::panel::Verdict;

/// How a slot was left by the last full test, so that the next one knows whether there is anything to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Only a full test can tell: it is new, or something else than a figure has changed.
    #[default]
    No,
    /// Nothing stands, and nothing begins unless the condition holds.
    Quiet,
    /// An episode goes on, and stays as it is while the conditions answer so and nothing is due.
    Standing(Verdict),
}

/// Kept apart from the slot itself, which is many times larger: a sweep that finds nothing new reads only
/// this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    pub due: Option<Timestamp>,
    /// Where it stands in the list of deadlines: at `due`, or earlier.
    queued: Option<Timestamp>,
    pub settled: Settled,
}

/// Deadlines. Most are put off again and again before they come (every message puts off the reply that is
/// overdue), so a deadline that moves away stays where it is until it is the first: only the first one is
/// kept exact.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// One for each place of a slot.
    pulses: Vec<Pulse>,
    due: BTreeSet<(Timestamp, usize)>,
    first: Option<(Timestamp, usize)>,
}

impl Deadlines {
    /// A new slot has taken this place.
    pub fn begin(&mut self, at: usize) {
        if at >= self.pulses.len() {
            self.pulses.resize(at + 1, Pulse::default());
        }
        self.pulses[at] = Pulse::default();
    }
    /// The slot at this place is gone.
    pub fn end(&mut self, at: usize) {
        if let Some(queued) = self.pulses.get_mut(at).map(std::mem::take).and_then(|pulse| pulse.queued) {
            self.due.remove(&(queued, at));
        }
        self.set_first();
    }

    pub fn pulse(&self, at: usize) -> Pulse {
        self.pulses.get(at).copied().unwrap_or_default()
    }
    pub fn settle(&mut self, at: usize, settled: Settled) {
        if let Some(pulse) = self.pulses.get_mut(at) {
            pulse.settled = settled;
        }
    }
    /// Something else than a figure has changed everywhere: the next tests are full ones.
    pub fn unsettle_all(&mut self) {
        self.pulses.iter_mut().for_each(|pulse| pulse.settled = Settled::No);
    }

    pub fn set(&mut self, at: usize, due: Option<Timestamp>) {
        let Some(pulse) = self.pulses.get_mut(at) else { return };
        if pulse.due == due {
            return;
        }
        pulse.due = due;
        let queued = pulse.queued;
        if let Some(new) = due.filter(|new| queued.is_none_or(|queued| *new < queued)) {
            pulse.queued = due;
            if let Some(old) = queued {
                self.due.remove(&(old, at));
            }
            self.due.insert((new, at));
            if self.first.is_none_or(|first| (new, at) < first) {
                self.first = Some((new, at));
            }
        }
        if self.first.is_some_and(|(_, first)| first == at) {
            self.set_first();
        }
    }
    pub fn first(&self) -> Option<(Timestamp, usize)> {
        self.first
    }

    /// Moves deadlines that were put off to where they belong, until the first one is right.
    fn set_first(&mut self) {
        while let Some((queued, at)) = self.due.first().copied() {
            let pulse = self.pulses.get_mut(at);
            if pulse.as_ref().is_some_and(|pulse| pulse.due == Some(queued)) {
                break;
            }
            self.due.pop_first();
            let Some(pulse) = pulse else { continue };
            pulse.queued = pulse.due;
            self.due.extend(pulse.due.map(|due| (due, at)));
        }
        self.first = self.due.first().copied();
    }
}
