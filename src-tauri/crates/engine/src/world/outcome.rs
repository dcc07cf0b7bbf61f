//! The end of a round: what truly changed goes out, sums and alerts follow.

use std::sync::Arc;

use model::{Alert, Id, Key, Kind, SubjectKind, Timestamp};

use super::{
    Touch, World,
    batch::once,
    standing::subject_key,
    summary::FloorSum,
    touched::{Moved, Touched},
};
use crate::{
    alerts::{self, Rulebook, Timers, source_key},
    effects::{Delta, DeskCommand, Effects, Entity},
};

/// Alerts of the last run, and the time that each had collected.
type Restored = (Vec<Alert>, Vec<(Id, Timers)>);

/// What one input has done so far.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) rows: Touched,
    /// Sources whose health is to be told.
    said: Vec<Id>,
    /// Sources whose own row changed in any way.
    looked: Vec<Id>,
    /// Sources of which every row looks different.
    redraw: Vec<Id>,
    pub(super) everything: bool,
    pub(super) minute: bool,
    /// The floor's longest wait crossed a limit of its card.
    pub(super) crossed: bool,
    pub(super) desk: Option<DeskCommand>,
    pub(super) rules: Option<Arc<Rulebook>>,
    pub(super) restored: Option<Restored>,
}

impl Round {
    pub(super) fn said(&mut self, source: &Id) {
        once(&mut self.said, source);
        self.looked(source);
    }
    pub(super) fn looked(&mut self, source: &Id) {
        once(&mut self.looked, source);
    }
    pub(super) fn redraw(&mut self, source: &Id) {
        once(&mut self.redraw, source);
    }
}

impl World {
    pub(super) fn finish(&mut self, mut round: Round, now: Timestamp) -> Effects {
        let mut touched = TouchedSubjects::default();
        let rows = std::mem::take(&mut round.rows).into_rows();
        let deltas = self.deltas(rows, &mut touched, now);
        if !deltas.is_empty() {
            self.revision += 1;
            self.last_change_at = Some(now);
            self.meter.tick(now);
        }
        let from = self.journal.head();
        self.note_down(&deltas, &round);
        self.sum_up(&round, &mut touched, now);
        let (alerts, quiet) = self.evaluate(&mut round, touched, now);
        let timers = self.alerts.as_mut().map(|alerts| alerts.take_moved_timers()).unwrap_or_default();
        self.reorder(from);
        Effects {
            revision: self.revision,
            deltas,
            health: round.said.iter().filter_map(|id| self.source(id).cloned()).collect(),
            alerts,
            quiet,
            timers,
            wake_at: self.wake_at(now),
        }
    }

    /// What the touched rows have come to.
    fn deltas(&mut self, rows: Vec<Moved>, touched: &mut TouchedSubjects, now: Timestamp) -> Vec<Delta> {
        let mut deltas = Vec::with_capacity(rows.len());
        for row in rows.into_iter().filter(Moved::is_change) {
            let key = Key { source: row.source, id: row.id };
            self.touch_subjects(row.kind, &key, row.before.as_ref(), row.after.as_ref(), touched);
            deltas.push(match row.after {
                Some(row) => Delta::Upsert(row),
                None => Delta::Remove(row.kind, key),
            });
        }
        for source in &touched.sources {
            if let Some(floor) = self.floors.get_mut(source) {
                floor.meter.tick(now);
            }
        }
        deltas
    }

    fn touch_subjects(
        &self,
        kind: Kind,
        key: &Key,
        old: Option<&Entity>,
        new: Option<&Entity>,
        touched: &mut TouchedSubjects,
    ) {
        once(&mut touched.sources, &key.source);
        let subject = match kind {
            Kind::Queue => SubjectKind::Queue,
            Kind::Agent => SubjectKind::Agent,
            Kind::Conversation => SubjectKind::Conversation,
            Kind::Totals => return once(&mut touched.sums, &key.source),
        };
        let same = match (old, new) {
            (Some(old), Some(new)) => is_called_as(old, new),
            _ => false,
        };
        touched.row(subject, key.clone(), same);
        // Agents who could help read it, where a rule asks that of them.
        if kind == Kind::Queue
            && people(old) != people(new)
            && self.rules.asks.has(SubjectKind::Agent, "agents_free_while_waiting")
        {
            let members = self.floors.get(&key.source).and_then(|floor| floor.members.get(&key.id));
            for agent in members.into_iter().flatten() {
                let key = Key { source: key.source.clone(), id: agent.clone() };
                touched.row(SubjectKind::Agent, key, true);
            }
        }
    }

    fn note_down(&mut self, deltas: &[Delta], round: &Round) {
        for delta in deltas {
            self.journal.push(match delta {
                Delta::Upsert(entity) => Touch::Row(entity.kind(), entity.key()),
                Delta::Remove(kind, key) => Touch::Row(*kind, key.clone()),
            });
        }
        for id in &round.looked {
            self.journal.push(Touch::Source(id.clone()));
        }
        for id in &round.redraw {
            self.journal.push(Touch::SourceRows(id.clone()));
        }
        if round.minute {
            self.journal.push(Touch::Minute);
        }
        if round.crossed {
            self.journal.push(Touch::Crossed);
        }
        if round.everything {
            self.journal.push(Touch::Everything);
        }
    }

    fn sum_up(&mut self, round: &Round, touched: &mut TouchedSubjects, now: Timestamp) {
        let mut moved = round.everything || round.minute;
        for (id, floor) in &mut self.floors {
            let asked = touched.sources.contains(id)
                || round.looked.contains(id)
                || round.redraw.contains(id)
                || round.everything;
            if !asked {
                continue;
            }
            let summary = floor.sum_up();
            if summary != floor.summary {
                floor.summary = summary;
                once(&mut touched.sums, id);
                moved = true;
            }
            moved |= round.redraw.contains(id);
        }
        if moved {
            let live = self.floors().filter(|floor| floor.is_live()).map(|floor| &floor.summary);
            let sum = FloorSum::over(live);
            self.figures.observe(sum, round.minute, now);
        }
    }

    /// Alerts carry the figures of the moment at which something happened to them. Who is about to look at
    /// them for the first time sees those of `now`. Returns the alerts that say something else now.
    pub fn reread_alerts(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut machine = self.alerts.take().unwrap_or_default();
        machine.reread(self, now);
        let changed = machine.take_quiet_changes();
        self.alerts = Some(machine);
        self.put_alerts(changed.iter());
        changed
    }

    fn put_alerts<'a>(&mut self, alerts: impl Iterator<Item = &'a Alert>) {
        for alert in alerts {
            self.standing.put(alert);
            self.journal.push(Touch::Alert(alert.subject.kind, subject_key(alert), alert.id.clone()));
        }
    }

    fn evaluate(
        &mut self,
        round: &mut Round,
        touched: TouchedSubjects,
        now: Timestamp,
    ) -> (Vec<(model::Transition, Alert)>, Vec<Alert>) {
        let mut list: Vec<alerts::Touched> = Vec::new();
        if round.everything {
            list.push(alerts::Touched::All);
        } else {
            list.extend(round.redraw.iter().cloned().map(alerts::Touched::Source));
            for id in &round.looked {
                list.push(alerts::Touched::One(SubjectKind::Source, source_key(id)));
            }
            // Most changes of rows move no sum: then nothing of the source as a whole reads differently.
            for id in &touched.sums {
                list.push(alerts::Touched::One(SubjectKind::Total, source_key(id)));
            }
            if !touched.sums.is_empty() || !round.redraw.is_empty() {
                list.push(alerts::Touched::One(SubjectKind::Floor, alerts::floor_key()));
            }
            for mut rows in touched.rows {
                put_in_order(&mut rows);
                list.append(&mut rows);
            }
        }
        // The state machine reads the world while it works, so it steps out of it for that long.
        let mut machine = self.alerts.take().unwrap_or_default();
        if let Some(rules) = round.rules.take() {
            machine.set_rules(rules);
        }
        if let Some((restored, timers)) = round.restored.take() {
            self.awaits_restore = false;
            machine.restore_with(restored, timers, now);
            for alert in machine.alerts() {
                self.standing.put(&alert);
            }
        }
        let mut transitions = Vec::new();
        if let Some(command) = round.desk.take() {
            transitions.extend(machine.command(command, now));
        }
        if !self.awaits_restore {
            transitions.extend(machine.evaluate(self, &list, now));
        }
        let quiet = machine.take_quiet_changes();
        self.alerts = Some(machine);
        self.put_alerts(transitions.iter().map(|(_, alert)| alert).chain(&quiet));
        (transitions, quiet)
    }
}

/// Subjects whose readings may have changed.
#[derive(Debug, Default)]
struct TouchedSubjects {
    /// Sources with changed rows.
    sources: Vec<Id>,
    /// Sources that add up to something else.
    sums: Vec<Id>,
    /// By kind: the rules go through them kind by kind.
    rows: [Vec<alerts::Touched>; 6],
}

impl TouchedSubjects {
    fn row(&mut self, kind: SubjectKind, key: Key, same: bool) {
        self.rows[kind as usize].push(match same {
            true => alerts::Touched::Figures(kind, key),
            false => alerts::Touched::One(kind, key),
        });
    }
}

/// Rows of one kind in the order of their keys, so that what happens to alerts is told in it. Most inputs
/// touch one row, or the people of one queue, who are in order.
fn put_in_order(rows: &mut [alerts::Touched]) {
    if !rows.is_sorted_by(|a, b| a.key() < b.key()) {
        rows.sort_by(|a, b| a.key().cmp(&b.key()));
    }
}

/// Whether a row has kept its name.
fn is_called_as(old: &Entity, new: &Entity) -> bool {
    match (old, new) {
        (Entity::Queue(old), Entity::Queue(new)) => old.name == new.name,
        (Entity::Agent(old), Entity::Agent(new)) => old.name == new.name,
        (Entity::Conversation(old), Entity::Conversation(new)) => {
            old.customer == new.customer && (new.customer.is_some() || old.subject == new.subject)
        }
        _ => false,
    }
}

/// Whether a queue has people, as far as that is known. One that is not there has none.
fn people(entity: Option<&Entity>) -> Option<bool> {
    match entity {
        Some(Entity::Queue(queue)) => queue.waiting.map(|n| n > 0),
        _ => Some(false),
    }
}
