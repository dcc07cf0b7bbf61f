//! Which queue needs somebody most: kept on every change, so that the head of the screen is free.

use std::collections::BTreeSet;

use model::{Id, Key, SubjectKind};

use super::{
    Floor, Touch, World,
    order::{Order, SortKey},
};
use crate::view::Need;

/// Queues by need, and how many of each.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    order: Order,
    counts: [u32; 4],
}

impl Needs {
    pub(crate) fn count(&self, need: Need) -> u32 {
        self.counts[need as usize]
    }
    pub(crate) fn worst(&self) -> Option<&Key> {
        self.order.iter().next().map(|(_, key)| key)
    }
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    fn place(&mut self, key: &Key, sort: Option<SortKey>) {
        if let Some(old) = self.order.rank_of(key) {
            self.counts[usize::from(old)] -= 1;
        }
        if let Some(sort) = &sort {
            self.counts[usize::from(sort.rank)] += 1;
        }
        self.order.place(key, sort);
    }
}

impl World {
    /// How much a row needs somebody, and whether somebody has said to be on it. What is not live is
    /// stale before anything else: its alerts are as old as its figures.
    pub(crate) fn need(&self, kind: SubjectKind, key: &Key, floor: &Floor) -> (Need, bool) {
        if !floor.is_live() {
            return (Need::Stale, false);
        }
        match self.standing.worst(kind, key) {
            Some(worst) => (
                match worst.severity {
                    model::Severity::Critical => Need::Critical,
                    model::Severity::Warning => Need::Warning,
                },
                worst.acked,
            ),
            None => (Need::Normal, false),
        }
    }

    /// Severity, then the longest wait, then the most people, then the name.
    pub(crate) fn queue_sort(&self, key: &Key) -> Option<SortKey> {
        let floor = self.floor(&key.source)?;
        let slot = floor.queues.get(&key.id)?;
        let queue = &slot.row;
        let (need, _) = self.need(SubjectKind::Queue, key, floor);
        let since = queue.waiting_since.filter(|_| queue.waiting != Some(0));
        Some(SortKey {
            rank: need as u8,
            first: since.map_or(i64::MAX, |at| floor.shown(at)),
            second: -i64::from(queue.waiting.unwrap_or(0)),
            name: slot.extra.sort_name.clone(),
        })
    }

    /// Brings the order up to date with what was noted down since touch number `from`.
    pub(super) fn reorder(&mut self, from: u64) {
        let mut keys: Vec<Key> = Vec::new();
        let mut sources: BTreeSet<Id> = BTreeSet::new();
        let mut everything = false;
        match self.journal.since(from) {
            None => everything = true,
            Some(touches) => {
                for touch in touches {
                    match touch {
                        Touch::Row(model::Kind::Queue, key) => keys.push(key.clone()),
                        Touch::Alert(SubjectKind::Queue, key, _) => keys.push(key.clone()),
                        Touch::SourceRows(id) => drop(sources.insert(id.clone())),
                        Touch::Everything => everything = true,
                        _ => {}
                    }
                }
            }
        }
        if everything {
            keys.extend(self.needs.order.iter().map(|(_, key)| key.clone()));
            sources.extend(self.order.iter().cloned());
        }
        for id in sources {
            if let Some(floor) = self.floors.get(&id) {
                keys.extend(floor.queues.keys().map(|queue| Key { source: id.clone(), id: queue.clone() }));
            }
        }
        for key in keys {
            let sort = self.queue_sort(&key);
            self.needs.place(&key, sort);
        }
    }
}
