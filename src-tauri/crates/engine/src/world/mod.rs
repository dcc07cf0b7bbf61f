//! The floor as it is known now: every source's rows, applied batch by batch.
//!
//! Laws, each held by a property test: a batch is applied whole; applying it twice changes nothing more;
//! whatever came before, a `Reset` … `Complete` ends in the same state; only true changes leave the
//! world. The cost of a batch follows from the rows in it, not from the rows there are.

mod batch;
mod configure;
mod facts;
mod floor;
mod hash;
mod journal;
mod need;
mod order;
mod outcome;
mod slot;
mod standing;
mod summary;
mod tally;
mod touched;
mod trend;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
};

use model::{Alert, Id, Key, Kind, Source, Timestamp, Transition};

use crate::{
    alerts::{Alerts, Rulebook, Timers},
    effects::{DeskCommand, Effects, Entity, Input},
};

pub(crate) use facts::title;
pub(crate) use floor::Floor;
pub(crate) use hash::{FastMap, FastSet};
pub(crate) use journal::{Journal, Touch};
pub(crate) use need::Needs;
pub(crate) use order::{Order, SortKey};
pub(crate) use standing::Standing;
pub(crate) use summary::{Figure, FloorFigures, FloorSum, Summary, Total};
pub(crate) use tally::figure;
pub use trend::MINUTES;
use trend::{Meter, next_minute};

/// Everything that is known, and what is to happen next.
#[derive(Debug)]
pub struct World {
    revision: u64,
    /// Sources in the order of the configuration.
    order: Vec<Id>,
    floors: FastMap<Id, Floor>,
    rules: Arc<Rulebook>,
    /// `None` only while it works: it reads the world meanwhile.
    alerts: Option<Box<Alerts>>,
    /// Ended conversations and when they leave the list.
    leaving: BinaryHeap<Reverse<(Timestamp, Key)>>,
    /// When trends move on by a minute.
    minute: Option<Timestamp>,
    /// When the floor's longest wait crosses its target, or half of it.
    crossing: Option<Timestamp>,
    journal: Journal,
    meter: Meter,
    last_change_at: Option<Timestamp>,
    figures: FloorFigures,
    standing: Standing,
    needs: Needs,
    consoles: BTreeMap<Id, String>,
    /// No rule is tested before the alerts of the last run are there.
    awaits_restore: bool,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Knows nothing yet: no source, no rule, revision 0.
    pub fn new() -> Self {
        Self {
            revision: 0,
            order: Vec::new(),
            floors: FastMap::default(),
            rules: Arc::default(),
            alerts: Some(Box::default()),
            leaving: BinaryHeap::new(),
            minute: None,
            crossing: None,
            journal: Journal::default(),
            meter: Meter::default(),
            last_change_at: None,
            figures: FloorFigures::default(),
            standing: Standing::default(),
            needs: Needs::default(),
            consoles: BTreeMap::new(),
            awaits_restore: false,
        }
    }

    /// Takes one input and says what must happen outside. `now` is our clock; deadlines that have passed
    /// are served first, whatever the input is.
    pub fn apply(&mut self, input: Input, now: Timestamp) -> Effects {
        let mut round = outcome::Round::default();
        self.serve_deadlines(now, &mut round);
        match input {
            Input::Configure { sources, rules } => self.configure(sources, rules, now, &mut round),
            Input::Batch(batch) => self.batch(batch, now, &mut round),
            Input::Wake => {}
            Input::Desk(command) => round.desk = Some(command),
            Input::Restore { entities, sources, alerts, timers } => {
                self.restore(entities, sources, now, &mut round);
                round.restored = Some((alerts, timers));
            }
        }
        self.finish(round, now)
    }

    /// Grows by one with each input that changed a row.
    pub fn revision(&self) -> u64 {
        self.revision
    }
    /// Sources in the order of the configuration.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.floors().map(|floor| &floor.source)
    }
    /// One source.
    pub fn source(&self, id: &Id) -> Option<&Source> {
        self.floors.get(id).map(|floor| &floor.source)
    }
    /// Every row of every source, in no order.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        self.floors().flat_map(Floor::entities)
    }
    /// One row.
    pub fn entity(&self, kind: Kind, key: &Key) -> Option<Entity> {
        self.floors.get(&key.source)?.entity(kind, &key.id)
    }
    /// All alerts that are not inactive, sorted by source and id.
    pub fn alerts(&self) -> Vec<Alert> {
        self.alerts.as_ref().map(|alerts| alerts.alerts()).unwrap_or_default()
    }
    /// One alert that is not inactive.
    pub fn alert(&self, id: &str) -> Option<&Alert> {
        self.alerts.as_ref()?.alert(id)
    }
    /// What a person's command would do to its alert now, without doing it; `None` when it is already so,
    /// or cannot be. What is to be on the disk before anybody sees it is written from this.
    pub fn rehearse(&self, command: &DeskCommand, now: Timestamp) -> Option<(Transition, Alert)> {
        self.alerts.as_ref()?.rehearse(command, now)
    }
    /// Alerts that stand in another face that looks at the same floor: an episode of the same that begins
    /// from now on is called the same.
    pub fn know_elsewhere(&mut self, alerts: &[Alert]) {
        self.alerts.get_or_insert_default().know_elsewhere(alerts);
    }
    /// All timers of alerts that have collected anything, stopped at a moment: for the end of the program.
    pub fn timers(&self, at: Timestamp) -> Vec<(Id, Timers)> {
        self.alerts.as_ref().map(|alerts| alerts.timers(at)).unwrap_or_default()
    }
    /// The rules in force.
    pub fn rules(&self) -> &Arc<Rulebook> {
        &self.rules
    }
    /// When a row last changed.
    pub fn last_change_at(&self) -> Option<Timestamp> {
        self.last_change_at
    }
    /// Inputs that changed a row in the last full minute before `now`.
    pub fn changes_per_minute(&self, now: Timestamp) -> u32 {
        self.meter.last_minute(now)
    }
    /// An [`Input::Restore`] follows the first `Configure`: until then no rule is tested, so that what
    /// stood already does not fire a second time.
    pub fn expect_restore(&mut self) {
        self.awaits_restore = true;
    }
    /// Templates of addresses in the vendors' consoles, by source: `{queue}` stands for the queue's id.
    pub fn set_consoles(&mut self, templates: BTreeMap<Id, String>) {
        if templates != self.consoles {
            self.consoles = templates;
            self.journal.push(Touch::Everything);
        }
    }

    pub(crate) fn floors(&self) -> impl Iterator<Item = &Floor> {
        self.order.iter().filter_map(|id| self.floors.get(id))
    }
    pub(crate) fn floor(&self, source: &Id) -> Option<&Floor> {
        self.floors.get(source)
    }
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }
    pub(crate) fn figures(&self) -> &FloorFigures {
        &self.figures
    }
    pub(crate) fn console(&self, source: &Id) -> Option<&str> {
        self.consoles.get(source).map(String::as_str)
    }
    /// For running waits: the instant, in our clock, that an alert's value counts from.
    pub(crate) fn alert_counts_from(&self, id: &Id) -> Option<Timestamp> {
        self.alerts.as_ref()?.counts_from(id)
    }
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }
    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    fn serve_deadlines(&mut self, now: Timestamp, round: &mut outcome::Round) {
        while let Some(Reverse((at, _))) = self.leaving.peek()
            && *at <= now
        {
            let Some(Reverse((at, key))) = self.leaving.pop() else { break };
            if let Some(floor) = self.floors.get_mut(&key.source) {
                floor.leave(&key.id, at, &mut round.rows);
            }
        }
        if self.minute.is_some_and(|at| at <= now) {
            self.minute = None;
            round.minute = true;
        }
        if self.crossing.is_some_and(|at| at <= now) {
            self.crossing = None;
            round.crossed = true;
        }
    }

    fn wake_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.minute.is_none() && !self.floors.is_empty() {
            self.minute = Some(next_minute(now));
        }
        let leaving = self.leaving.peek().map(|Reverse((at, _))| *at);
        self.crossing = self.next_crossing(now);
        let rules = self.alerts.as_ref().and_then(|alerts| alerts.next_deadline());
        [leaving, self.minute, self.crossing, rules].into_iter().flatten().min()
    }

    /// The card of the longest wait changes its colour by time alone, just after these instants.
    fn next_crossing(&self, now: Timestamp) -> Option<Timestamp> {
        let oldest = self.figures.oldest()?;
        let target = self.rules.targets().longest_wait_s;
        [target / 2.0, target]
            .map(|limit| oldest.plus_seconds(limit + 0.001))
            .into_iter()
            .find(|at| *at > now)
    }
}
