//! Rules laid over targets: one slot for each pair that matters, found by target, by source and by time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{Id, Key, SubjectKind, Timestamp};

use super::{
    Reading,
    episode::{Episode, Snooze},
    panel::{Panel, Verdict},
    stopwatch::Timers,
};
use crate::world::FastMap;

/// One thing that rules look at, with the names that globs were matched against.
#[derive(Debug)]
pub(crate) struct Target {
    pub kind: SubjectKind,
    pub key: Key,
    pub name: String,
    pub source_name: String,
    pub queues: Vec<(Id, String)>,
    pub agents: Vec<(Id, String)>,
    /// It was there: not only an alert of an earlier run speaks of it.
    pub seen: bool,
}

/// One rule on one target.
#[derive(Debug)]
pub(crate) struct Slot {
    pub rule: usize,
    pub terms: usize,
    pub target: Arc<Target>,
    pub episode: Option<Box<Episode>>,
    /// When earlier episodes fired that are over: three in five minutes are flapping.
    pub cycles: Vec<Timestamp>,
    /// A snooze outlives the episode that it was given to.
    pub snooze_until: Option<Timestamp>,
    /// What the last episode's id was made from.
    pub began: Option<Timestamp>,
    /// When a reading passes a limit by itself, or hours change: of one that has an episode.
    pub turns_at: Option<Timestamp>,
}

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

/// What a look needs of a slot before anything else. Kept apart from [`Slot`], which is many times larger:
/// a sweep that finds nothing new reads only this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    pub due: Option<Timestamp>,
    /// Where it stands in the list of deadlines: at `due`, or earlier.
    queued: Option<Timestamp>,
    pub settled: Settled,
}

/// All slots with their indexes.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    all: Vec<Option<Slot>>,
    /// One for each place in `all`.
    pulses: Vec<Pulse>,
    free: Vec<usize>,
    /// By kind and key: the place among all that rules are laid over.
    by_target: [FastMap<Key, usize>; 6],
    laid: Vec<Option<Laid>>,
    free_laid: Vec<usize>,
    /// Slots with an episode, by source.
    open: BTreeMap<Id, BTreeSet<usize>>,
    by_alert: FastMap<Id, usize>,
    /// Deadlines. Most are put off again and again before they come (every message puts off the reply
    /// that is overdue), so a deadline that moves away stays where it is until it is the first: only the
    /// first one is kept exact.
    due: BTreeSet<(Timestamp, usize)>,
    first: Option<(Timestamp, usize)>,
}

/// A target and the rules about it.
#[derive(Debug)]
pub(crate) struct Laid {
    pub target: Arc<Target>,
    /// In the order of the rules.
    pub slots: Arc<[usize]>,
    /// Their conditions, in the same order.
    pub panel: Arc<Panel>,
    /// What was read of it last; empty: nothing that is to be relied on.
    pub seen: Vec<Reading>,
}

impl Slots {
    pub fn get(&self, at: usize) -> Option<&Slot> {
        self.all.get(at)?.as_ref()
    }
    pub fn get_mut(&mut self, at: usize) -> Option<&mut Slot> {
        self.all.get_mut(at)?.as_mut()
    }
    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.all.iter().flatten()
    }
    pub fn place_of(&self, kind: SubjectKind, key: &Key) -> Option<usize> {
        self.by_target[kind as usize].get(key).copied()
    }
    pub fn laid(&self, place: usize) -> Option<&Laid> {
        self.laid.get(place)?.as_ref()
    }
    pub fn laid_mut(&mut self, place: usize) -> Option<&mut Laid> {
        self.laid.get_mut(place)?.as_mut()
    }
    pub fn of_target(&self, kind: SubjectKind, key: &Key) -> Option<&Laid> {
        self.laid(self.place_of(kind, key)?)
    }
    /// The slots of the rules about a target.
    pub fn slots_of(&self, kind: SubjectKind, key: &Key) -> Vec<usize> {
        self.of_target(kind, key).map(|laid| laid.slots.to_vec()).unwrap_or_default()
    }
    pub fn targets(&self, kind: SubjectKind) -> impl Iterator<Item = &Arc<Target>> {
        self.by_target[kind as usize].values().filter_map(|place| Some(&self.laid(*place)?.target))
    }
    pub fn put_target(&mut self, target: Arc<Target>, slots: Vec<usize>, panel: Arc<Panel>) {
        for at in &slots {
            self.unsettle(*at);
            if let Some(slot) = self.get_mut(*at) {
                slot.target = target.clone();
            }
        }
        let by_key = &mut self.by_target[target.kind as usize];
        let place = *by_key.entry(target.key.clone()).or_insert_with(|| {
            self.free_laid.pop().unwrap_or_else(|| {
                self.laid.push(None);
                self.laid.len() - 1
            })
        });
        self.laid[place] = Some(Laid { target, slots: slots.into(), panel, seen: Vec::new() });
    }
    pub fn drop_target(&mut self, kind: SubjectKind, key: &Key) {
        let Some(place) = self.by_target[kind as usize].remove(key) else { return };
        self.free_laid.push(place);
        let Some(laid) = self.laid.get_mut(place).and_then(Option::take) else { return };
        for at in laid.slots.iter() {
            self.drop_slot(*at);
        }
    }

    pub fn insert(&mut self, slot: Slot) -> usize {
        match self.free.pop() {
            Some(at) => {
                self.all[at] = Some(slot);
                self.pulses[at] = Pulse::default();
                at
            }
            None => {
                self.all.push(Some(slot));
                self.pulses.push(Pulse::default());
                self.all.len() - 1
            }
        }
    }
    pub fn drop_slot(&mut self, at: usize) {
        self.index(at, false);
        if let Some(queued) = self.pulses.get_mut(at).map(std::mem::take).and_then(|pulse| pulse.queued) {
            self.due.remove(&(queued, at));
        }
        if self.all.get_mut(at).and_then(Option::take).is_some() {
            self.free.push(at);
        }
        self.set_first();
    }

    /// Keeps the indexes of open episodes in step; `open`: whether the slot has one that goes on.
    pub fn index(&mut self, at: usize, open: bool) {
        let Some(Some(slot)) = self.all.get(at) else { return };
        let source = &slot.target.key.source;
        if let Some(episode) = &slot.episode {
            if open {
                self.by_alert.insert(episode.alert.id.clone(), at);
            } else {
                self.by_alert.remove(&episode.alert.id);
            }
        }
        if open {
            self.open.entry(source.clone()).or_default().insert(at);
        } else if let Some(of_source) = self.open.get_mut(source) {
            of_source.remove(&at);
            if of_source.is_empty() {
                self.open.remove(source);
            }
        }
    }
    pub fn open_of(&self, source: &Id) -> Vec<usize> {
        self.open.get(source).map(|set| set.iter().copied().collect()).unwrap_or_default()
    }
    pub fn open(&self) -> impl Iterator<Item = usize> {
        self.open.values().flatten().copied()
    }
    pub fn of_alert(&self, id: &str) -> Option<usize> {
        self.by_alert.get(id).copied()
    }

    pub fn pulse(&self, at: usize) -> Pulse {
        self.pulses.get(at).copied().unwrap_or_default()
    }
    pub fn settle(&mut self, at: usize, settled: Settled) {
        if let Some(pulse) = self.pulses.get_mut(at) {
            pulse.settled = settled;
        }
    }
    /// Something else than a figure has changed: the next test is a full one.
    pub fn unsettle(&mut self, at: usize) {
        self.settle(at, Settled::No);
    }

    pub fn unsettle_all(&mut self) {
        self.pulses.iter_mut().for_each(|pulse| pulse.settled = Settled::No);
    }

    pub fn set_due(&mut self, at: usize, due: Option<Timestamp>) {
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
    pub fn first_due(&self) -> Option<(Timestamp, usize)> {
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

    /// Everything with a history, taken out: the rules change.
    pub fn take_carried(&mut self) -> Vec<(usize, Carried)> {
        let mut out: Vec<(usize, Carried)> = std::mem::take(self)
            .all
            .into_iter()
            .flatten()
            .filter(|s| s.episode.is_some() || s.snooze_until.is_some() || !s.cycles.is_empty())
            .map(|s| {
                let carried = Carried {
                    kind: s.target.kind,
                    key: s.target.key.clone(),
                    name: s.target.name.clone(),
                    episode: s.episode,
                    cycles: s.cycles,
                    snooze_until: s.snooze_until,
                };
                (s.rule, carried)
            })
            .collect();
        out.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
        out
    }
}

/// What a slot was before the rules changed or the program restarted.
#[derive(Debug)]
pub(crate) struct Carried {
    pub kind: SubjectKind,
    pub key: Key,
    pub name: String,
    pub episode: Option<Box<Episode>>,
    pub cycles: Vec<Timestamp>,
    pub snooze_until: Option<Timestamp>,
}

impl Carried {
    pub fn restored(alert: model::Alert, timers: Option<Timers>, now: Timestamp) -> Self {
        let source = alert.source.clone().unwrap_or_else(|| alert.subject.id.clone());
        let episode = Episode::restored(alert, timers, now);
        let subject = &episode.alert.subject;
        Self {
            kind: subject.kind,
            key: Key { source, id: subject.id.clone() },
            name: subject.name.clone(),
            snooze_until: match episode.snooze {
                Some(Snooze::Until(until)) => Some(until),
                _ => None,
            },
            episode: Some(Box::new(episode)),
            cycles: Vec::new(),
        }
    }
}
