//! Rules laid over targets: one slot for each pair that matters, found by target, by source and by time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{Id, Key, SubjectKind, Timestamp};

use super::{
    Reading,
    deadlines::{Deadlines, Settled},
    episode::{Episode, Snooze},
    panel::Panel,
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

/// All slots with their indexes.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    all: Vec<Option<Slot>>,
    free: Vec<usize>,
    /// By kind and key: the place among all that rules are laid over.
    by_target: [FastMap<Key, usize>; 6],
    laid: Vec<Option<Laid>>,
    free_laid: Vec<usize>,
    /// Slots with an episode, by source.
    open: BTreeMap<Id, BTreeSet<usize>>,
    by_alert: FastMap<Id, usize>,
    pub deadlines: Deadlines,
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
    /// A target beside all deadlines, so that both can be worked with.
    pub fn laid_and_deadlines(&mut self, place: usize) -> Option<(&mut Laid, &mut Deadlines)> {
        Some((self.laid.get_mut(place)?.as_mut()?, &mut self.deadlines))
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
        let at = self.free.pop().unwrap_or_else(|| {
            self.all.push(None);
            self.all.len() - 1
        });
        self.all[at] = Some(slot);
        self.deadlines.begin(at);
        at
    }
    pub fn drop_slot(&mut self, at: usize) {
        self.index(at, false);
        if self.all.get_mut(at).and_then(Option::take).is_some() {
            self.free.push(at);
        }
        self.deadlines.end(at);
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

    /// Something else than a figure has changed: the next test is a full one.
    pub fn unsettle(&mut self, at: usize) {
        self.deadlines.settle(at, Settled::No);
    }
    pub fn set_due(&mut self, at: usize, due: Option<Timestamp>) {
        self.deadlines.set(at, due);
    }
    pub fn first_due(&self) -> Option<(Timestamp, usize)> {
        self.deadlines.first()
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
