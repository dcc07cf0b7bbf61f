//! Departments and who serves them: which there are, whom each counts, and what changes with a member.

use std::collections::{BTreeMap, BTreeSet};

use model::{Conversation, Id, Timestamp};

use super::{Floor, Mate, Place};
use crate::pingstreams::{
    map::{self, Member},
    tally::Staff,
    wire::{Department, Row},
};

impl Floor {
    pub(super) fn learn_place(&mut self, next: &Conversation, row: &Row<impl AsRef<str>>) {
        let Some(queue) = &next.queue else { return };
        let name = map::department_name(row);
        match self.places.get_mut(queue) {
            None => {
                let name = name.unwrap_or(queue).to_owned();
                self.places.insert(queue.clone(), Place { name, hearsay: true, ..Place::default() });
                self.changed.places_gone.remove(queue);
            }
            Some(place) if place.hearsay && name.is_some_and(|n| n != place.name) => {
                place.name = name.unwrap_or_default().to_owned();
                self.changed.places.insert(queue.clone());
            }
            Some(_) => {}
        }
    }

    pub(super) fn list_places(&mut self, list: &[Department]) {
        let mut listed = BTreeSet::new();
        for department in list {
            let Some(id) = department.own_id.text().map(Id::new) else { continue };
            let place = self.places.entry(id.clone()).or_default();
            let name = department.name.text().unwrap_or(&id).to_owned();
            let groups = department.group_ids();
            if place.hearsay || place.name != name || place.groups != groups {
                self.changed.places.insert(id.clone());
            }
            (place.name, place.groups, place.hearsay) = (name, groups, false);
            self.changed.places_gone.remove(&id);
            listed.insert(id);
        }
        let missing: Vec<Id> = self.places.keys().filter(|id| !listed.contains(*id)).cloned().collect();
        for id in missing {
            let Some(place) = self.places.get_mut(&id) else { continue };
            if !place.load.is_empty() {
                // Switched off, while people are still in it.
                place.hearsay = true;
            } else {
                self.places.remove(&id);
                self.changed.places.remove(&id);
                self.changed.places_gone.insert(id);
            }
        }
    }

    /// Departments that a user serves; `None` when that cannot be known.
    pub(super) fn serves(&self, user: &str) -> Option<Vec<Id>> {
        let mut queues = Vec::new();
        for (id, place) in self.places.iter().filter(|(_, p)| !p.hearsay) {
            if place.groups.is_empty() {
                queues.push(id.clone());
                continue;
            }
            let groups = self.groups.as_ref()?;
            if place.groups.iter().any(|g| groups.get(g).is_some_and(|m| m.contains(user))) {
                queues.push(id.clone());
            }
        }
        Some(queues)
    }

    /// Departments whose staff a member counts towards, as far as that is known.
    fn counts_in(&self, user: &str) -> Vec<Id> {
        let serves = |place: &Place| match (&self.groups, place.groups.is_empty()) {
            (_, true) => true,
            (Some(groups), _) => place.groups.iter().any(|g| groups.get(g).is_some_and(|m| m.contains(user))),
            (None, _) => false,
        };
        self.places.iter().filter(|(_, p)| !p.hearsay && serves(p)).map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn put_mate(&mut self, id: Id, member: Member, updated: Option<Timestamp>) {
        let row = map::agent(&self.source, &id, &member, self.limit, self.serves(&id));
        let old = self.mates.get(&id);
        let updated = updated.max(old.and_then(|m| m.updated));
        let same = old.is_some_and(|m| m.row == row);
        if !same {
            let old = old.map(|m| m.row.clone());
            for queue in self.counts_in(&id) {
                let Some(place) = self.places.get_mut(&queue) else { continue };
                if let Some(old) = &old {
                    place.staff.take(old);
                }
                place.staff.add(&row);
                self.changed.places.insert(queue);
            }
            self.changed.mates.insert(id.clone());
            self.changed.mates_gone.remove(&id);
        }
        self.mates.insert(id, Mate { member, updated, row });
    }

    pub(super) fn drop_mate(&mut self, id: &Id) {
        let Some(mate) = self.mates.remove(id) else { return };
        for queue in self.counts_in(id) {
            if let Some(place) = self.places.get_mut(&queue) {
                place.staff.take(&mate.row);
                self.changed.places.insert(queue);
            }
        }
        self.changed.mates.remove(id);
        self.changed.mates_gone.insert(id.clone());
    }

    /// Counts every department's staff anew, after departments, groups or limits changed.
    pub(super) fn restaff(&mut self) {
        let before: BTreeMap<Id, Staff> =
            self.places.iter_mut().map(|(id, p)| (id.clone(), std::mem::take(&mut p.staff))).collect();
        let ids: Vec<Id> = self.mates.keys().cloned().collect();
        for id in ids {
            let queues = self.serves(&id);
            let counts = self.counts_in(&id);
            let Some(mate) = self.mates.get_mut(&id) else { continue };
            let row = map::agent(&self.source, &id, &mate.member, self.limit, queues);
            for queue in counts {
                if let Some(place) = self.places.get_mut(&queue) {
                    place.staff.add(&row);
                }
            }
            if mate.row != row {
                mate.row = row;
                self.changed.mates.insert(id);
            }
        }
        let moved =
            self.places.iter().filter(|(id, p)| before.get(*id) != Some(&p.staff)).map(|(id, _)| id.clone());
        self.changed.places.extend(moved);
    }
}
