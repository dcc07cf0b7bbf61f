//! The configuration was read, or the last floor of an earlier run came back.

use std::{cmp::Reverse, collections::HashSet, sync::Arc};

use model::{Health, Id, Key, Source, Timestamp};

use super::{Floor, World, facts::told, outcome::Round};
use crate::{alerts::Rulebook, effects::Entity};

impl World {
    /// Sources that are gone or turned off take their rows along; those that are still there keep their
    /// rows and their health, and learn their new names.
    pub(super) fn configure(
        &mut self,
        sources: Vec<Source>,
        rules: Arc<Rulebook>,
        now: Timestamp,
        round: &mut Round,
    ) {
        let kept: HashSet<Id> = sources.iter().map(|s| s.id.clone()).collect();
        let gone: Vec<Id> = self.order.iter().filter(|id| !kept.contains(*id)).cloned().collect();
        for id in &gone {
            if let Some(mut floor) = self.floors.remove(id) {
                floor.clear(&mut round.rows);
            }
        }
        self.order = sources.iter().map(|s| s.id.clone()).collect();
        for source in sources {
            let id = source.id.clone();
            match self.floors.get_mut(&id) {
                Some(floor) if floor.source.vendor == source.vendor => {
                    floor.reconfigure(source, now, round);
                }
                Some(floor) => {
                    floor.clear(&mut round.rows);
                    *floor = Floor::new(source);
                    round.said(&id);
                }
                None => {
                    self.floors.insert(id.clone(), Floor::new(source));
                    round.said(&id);
                }
            }
        }
        self.rules = rules.clone();
        round.rules = Some(rules);
        round.everything = true;
    }

    /// Rows of an earlier run, shown until the source's first complete state has replaced them.
    pub(super) fn restore(
        &mut self,
        entities: Vec<Entity>,
        sources: Vec<Source>,
        now: Timestamp,
        round: &mut Round,
    ) {
        let off = |floor: &Floor| floor.source.health == Health::Disabled || floor.complete;
        for seen in sources {
            if let Some(floor) = self.floors.get_mut(&seen.id).filter(|floor| !off(floor)) {
                let source = &mut floor.source;
                source.last_data_at = source.last_data_at.or(seen.last_data_at);
                source.clock_skew_s = source.clock_skew_s.or(seen.clock_skew_s);
                floor.skew_shown = floor.skew();
                floor.lost_at = floor.source.last_data_at;
            }
        }
        let mut restored = HashSet::new();
        for entity in entities {
            let source = entity.key().source;
            if let Some(floor) = self.floors.get_mut(&source).filter(|floor| !off(floor)) {
                floor.restore(entity, now, &mut round.rows);
                restored.insert(source);
            }
        }
        for source in restored {
            if let Some(floor) = self.floors.get_mut(&source) {
                // Whatever the first complete state does not name was gone before we looked.
                floor.reset();
                floor.batch_ends(now);
                for (id, at) in floor.leaving.drain(..) {
                    self.leaving.push(Reverse((at, Key { source: source.clone(), id })));
                }
            }
        }
        round.everything = true;
    }
}

impl Floor {
    fn reconfigure(&mut self, new: Source, now: Timestamp, round: &mut Round) {
        let was_live = self.is_live();
        let health = match (new.health, self.source.health) {
            (Health::Disabled | Health::Misconfigured, _) => new.health,
            (_, Health::Disabled) => new.health,
            (_, running) => running,
        };
        self.source.name = new.name;
        self.source.provides = new.provides;
        self.told = told(&self.source);
        if health != self.source.health {
            self.source.health = health;
            self.source.health_since = now;
            self.source.last_error = new.last_error;
            self.source.retry_at = None;
            self.source.gaps.clear();
            round.said(&self.source.id);
        }
        if health == Health::Disabled {
            self.clear(&mut round.rows);
        }
        self.note_loss(was_live, now);
        if was_live != self.is_live() {
            self.liveness_changed(now);
        }
    }
}
