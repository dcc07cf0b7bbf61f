//! All alerts: which rule looks at what, what stands, and when to look again.

mod targets;
mod verdict;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use model::{Alert, AlertState, Id, Key, SubjectKind, Timestamp, Transition};

use super::{
    Facts, Reading, Rulebook, Touched,
    episode::{Episode, Out},
    floor_key,
    panel::Panel,
    rule::{Rule, Scope, Who},
    slots::{Carried, Slots, Target},
    source_key,
    stopwatch::Timers,
};
use crate::{effects::DeskCommand, world::FastMap};

/// A deadline found so late was slept through: what happened meanwhile nobody saw.
const SLEPT: Duration = Duration::from_secs(60);
/// Until then, links have noticed what the sleep did to them.
const SETTLES: Duration = Duration::from_secs(15);

/// The order in which kinds are looked at: causes before effects.
const KINDS: [SubjectKind; 6] = [
    SubjectKind::Source,
    SubjectKind::Queue,
    SubjectKind::Agent,
    SubjectKind::Conversation,
    SubjectKind::Total,
    SubjectKind::Floor,
];

/// Whether a rule depends on the queues or agents that a target belongs to.
fn asks_who(rule: &Rule) -> bool {
    let Scope { source: _, queue, group, agent } = &rule.scope;
    queue.is_some() || group.is_some() || agent.is_some() || !rule.overrides.is_empty()
}

/// How a target is looked at.
#[derive(Clone, Copy, Debug)]
struct Glance {
    /// Every rule about it is tested, also where it reads nothing that has changed.
    anyway: bool,
    /// It is sure to be there and to be called as before.
    same: bool,
}

/// Alerts of a floor: the present one, or a past one that is played again.
///
/// Feed it with what was touched and look again at [`Alerts::next_deadline`]; the same feed gives the
/// same transitions. Nothing else moves it: there is no clock here.
#[derive(Debug, Default)]
pub struct Alerts {
    book: Arc<Rulebook>,
    /// By kind: whether any rule is about it, and whether one asks for its queues or agents.
    wanted: [bool; 6],
    asks_who: [bool; 6],
    slots: Slots,
    /// Panels by the rules on them and the terms of each, so that targets can share one.
    panels: FastMap<Vec<(usize, usize)>, Arc<Panel>>,
    /// Episodes that wait for their target to be seen: after a restart or new rules.
    carried: HashMap<(String, SubjectKind, Key), Carried>,
    /// Episodes of another face that looks at the same floor: ours of the same are called the same.
    elsewhere: HashMap<(String, SubjectKind, Key), Id>,
    /// Episodes whose rule is gone, to be ended.
    orphans: Vec<Episode>,
    /// The fired alert that stands for a lost source.
    lost: BTreeMap<Id, Id>,
    quiet: Vec<Id>,
    moved: Vec<(Id, Timers)>,
    /// Everything has to be looked at: the rules are new.
    anew: bool,
    looked_at: Option<Timestamp>,
    settles_at: Option<Timestamp>,
    /// How many slots were ever tested; for counting proofs.
    tests: u64,
    /// What is read at the moment; kept for its memory.
    readings: Vec<Reading>,
    /// Slots that are due now and whose target is looked at anyway.
    late: Vec<usize>,
    /// Slots of the target looked at that need a full test; kept for its memory.
    full: Vec<usize>,
}

impl Alerts {
    /// Other rules are in force. Episodes of rules that still exist go on under the new terms; those of
    /// rules that are gone are resolved at the next evaluation.
    pub fn set_rules(&mut self, book: Arc<Rulebook>) {
        let names: Vec<String> = self.book.rules.iter().map(|r| r.name.clone()).collect();
        for (rule, carried) in self.slots.take_carried() {
            let name = names.get(rule).cloned().unwrap_or_default();
            self.carried.insert((name, carried.kind, carried.key.clone()), carried);
        }
        for kind in KINDS {
            let rules = || book.rules.iter().filter(|rule| rule.subject == kind);
            self.wanted[kind as usize] = rules().next().is_some();
            self.asks_who[kind as usize] = !book.hours.is_empty() || rules().any(asks_who);
        }
        self.book = book;
        self.panels.clear();
        self.anew = true;
        self.drop_orphans();
    }

    /// The alerts of an earlier run that were not inactive. Nothing is fired again for them.
    pub fn restore(&mut self, alerts: Vec<Alert>, now: Timestamp) {
        self.restore_with(alerts, Vec::new(), now);
    }

    /// The same with the time that they had collected when that run ended: it counts on from there as soon
    /// as something is known again.
    pub fn restore_with(&mut self, alerts: Vec<Alert>, timers: Vec<(Id, Timers)>, now: Timestamp) {
        let mut timers: HashMap<Id, Timers> = timers.into_iter().collect();
        for alert in alerts.into_iter().filter(|a| a.state != AlertState::Inactive) {
            let rule = alert.rule.clone();
            let timers = timers.remove(&alert.id);
            let carried = Carried::restored(alert, timers, now);
            if let Some(carried) = self.resume(&rule, carried) {
                self.carried.insert((rule, carried.kind, carried.key.clone()), carried);
            }
        }
        self.anew = true;
        self.drop_orphans();
    }

    /// Alerts that stand in another face: an episode of the same that begins from now on has their id.
    pub fn know_elsewhere(&mut self, alerts: &[Alert]) {
        for alert in alerts {
            let source = alert.source.clone().unwrap_or_else(|| alert.subject.id.clone());
            let key = Key { source, id: alert.subject.id.clone() };
            self.elsewhere.insert((alert.rule.clone(), alert.subject.kind, key), alert.id.clone());
        }
    }

    /// Sources, totals and the floor are there before anything is restored: what an earlier run knew of
    /// them goes on in the slot that they have. Gives back what has no slot yet.
    fn resume(&mut self, rule: &str, carried: Carried) -> Option<Carried> {
        let slots = self.slots.slots_of(carried.kind, &carried.key);
        let named = |at: &usize| {
            let slot = self.slots.get(*at).filter(|slot| slot.episode.is_none())?;
            (self.book.rules.get(slot.rule)?.name == rule).then_some(*at)
        };
        let Some(at) = slots.iter().find_map(named) else {
            return Some(carried);
        };
        let slot = self.slots.get_mut(at)?;
        slot.episode = carried.episode;
        slot.cycles = carried.cycles;
        slot.snooze_until = carried.snooze_until;
        self.slots.unsettle(at);
        self.slots.index(at, true);
        None
    }

    fn drop_orphans(&mut self) {
        let book = self.book.clone();
        let gone: Vec<_> =
            self.carried.keys().filter(|(name, ..)| book.rule(name).is_none()).cloned().collect();
        for key in gone {
            self.orphans.extend(self.carried.remove(&key).and_then(|c| c.episode).map(|e| *e));
        }
        self.orphans.sort_by(|a, b| a.alert.id.cmp(&b.alert.id));
    }

    /// Looks at everything that depends on what was touched, and at what is due. Returns what happened,
    /// in order.
    pub fn evaluate(
        &mut self,
        facts: &dyn Facts,
        touched: &[Touched],
        now: Timestamp,
    ) -> Vec<(Transition, Alert)> {
        let mut out = Vec::new();
        let book = self.book.clone();
        self.moved.clear();
        for mut episode in std::mem::take(&mut self.orphans) {
            episode.alert.reason = format!("{}: the rule was removed", episode.alert.subject.name);
            episode.end(now, &mut out);
        }
        let all = std::mem::take(&mut self.anew) || touched.contains(&Touched::All);
        self.notice_sleep(now);
        if all {
            self.everything(&book, facts, now, &mut out);
        } else {
            let of_sources = self.of_sources(facts, touched);
            self.run_due(&book, facts, touched, &of_sources, now, &mut out);
            // After a sleep, what is told anew counts even where it is told the same.
            let anyway = self.settles_at.is_some();
            // Causes first; within a kind the order of the touch is kept. What is named twice is found
            // unchanged the second time.
            for kind in KINDS {
                if !self.wants(kind) {
                    continue;
                }
                let named = touched.iter().filter_map(|one| match one {
                    Touched::One(of, key) if *of == kind => Some((key, false)),
                    Touched::Figures(of, key) if *of == kind => Some((key, true)),
                    _ => None,
                });
                let rest = of_sources.iter().filter(|(of, _)| *of == kind).map(|(_, key)| (key, false));
                for (key, same) in named.chain(rest) {
                    self.look(&book, facts, (kind, key), Glance { anyway, same }, now, &mut out);
                }
            }
            self.late.clear();
        }
        self.looked_at = Some(now);
        out
    }

    /// When to evaluate again at the latest.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.slots.first_due().map(|(at, _)| at)
    }

    /// What a person did. An alert that is over, or already so, answers with nothing.
    pub fn command(&mut self, command: DeskCommand, now: Timestamp) -> Vec<(Transition, Alert)> {
        let mut out = Vec::new();
        let Some(at) = self.slots.of_alert(command.alert()) else { return out };
        let Some(slot) = self.slots.get_mut(at) else { return out };
        let Some(episode) = slot.episode.as_deref_mut() else { return out };
        let done = episode.obey(&command, now);
        match (&command, done) {
            (DeskCommand::Snooze { until, .. }, Some(_)) => slot.snooze_until = *until,
            (DeskCommand::Unsnooze { .. }, _) => slot.snooze_until = None,
            _ => {}
        }
        if let Some(transition) = done {
            episode.emit(transition, &mut out);
        }
        let book = self.book.clone();
        self.slots.unsettle(at);
        self.plan(&book, at, now);
        out
    }

    /// What a command would do now, without doing it: the alert as it would be.
    pub fn rehearse(&self, command: &DeskCommand, now: Timestamp) -> Option<(Transition, Alert)> {
        let mut episode = self.slots.get(self.slots.of_alert(command.alert())?)?.episode.as_deref()?.clone();
        episode.obey(command, now).map(|transition| (transition, episode.alert))
    }

    /// All alerts that are not inactive, in the order of `(source, id)`.
    pub fn alerts(&self) -> Vec<Alert> {
        let open = self.slots.open().filter_map(|at| self.slots.get(at)?.episode.as_deref());
        let carried = self.carried.values().filter_map(|c| c.episode.as_deref());
        let mut alerts: Vec<Alert> = open.chain(carried).map(|e| e.alert.clone()).collect();
        alerts.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
        alerts
    }

    /// One alert that is not inactive.
    pub fn alert(&self, id: &str) -> Option<&Alert> {
        let at = self.slots.of_alert(id)?;
        self.slots.get(at)?.episode.as_deref().map(|e| &e.alert)
    }

    /// For running waits: the instant, in our clock, that an alert's value counts from.
    pub fn counts_from(&self, id: &str) -> Option<Timestamp> {
        let at = self.slots.of_alert(id)?;
        self.slots.get(at)?.episode.as_deref()?.counts_from
    }

    /// Alerts that changed since this was last asked without a line to tell it: a relapse out of
    /// recovering, a critical that went down to a warning.
    pub fn take_quiet_changes(&mut self) -> Vec<Alert> {
        let ids = std::mem::take(&mut self.quiet);
        ids.iter().filter_map(|id| self.alert(id)).cloned().collect()
    }

    /// Timers that the last evaluation started, stopped or set back. Some may be of alerts that it ended.
    pub fn take_moved_timers(&mut self) -> Vec<(Id, Timers)> {
        std::mem::take(&mut self.moved)
    }

    /// All timers that have collected anything, stopped at a moment: for the end of the program.
    pub fn timers(&self, at: Timestamp) -> Vec<(Id, Timers)> {
        let open = self.slots.open().filter_map(|at| self.slots.get(at)?.episode.as_deref());
        let carried = self.carried.values().filter_map(|c| c.episode.as_deref());
        let stopped = |e: &Episode| (e.alert.id.clone(), e.timers().stopped(at));
        open.chain(carried).map(stopped).filter(|(_, timers)| *timers != Timers::default()).collect()
    }

    /// How many tests of a rule on a target were made so far.
    pub fn tests(&self) -> u64 {
        self.tests
    }

    /// Every slot is tested in full next time, as if nothing were known of the last one; for proofs that
    /// what is left out changes nothing.
    pub fn mistrust(&mut self) {
        self.slots.deadlines.unsettle_all();
    }

    fn wants(&self, kind: SubjectKind) -> bool {
        self.wanted[kind as usize]
    }

    /// A sleep of the machine shows as a deadline that is found late. No timer completes in it, and what
    /// is not told anew is not relied on before the links have noticed.
    fn notice_sleep(&mut self, now: Timestamp) {
        if self.settles_at.is_some_and(|at| at <= now) {
            self.settles_at = None;
        }
        let (Some((due, _)), Some(before)) = (self.slots.first_due(), self.looked_at) else { return };
        if now.since(due) <= SLEPT || self.settles_at.is_some() {
            return;
        }
        let awake = now.plus(SETTLES);
        self.settles_at = Some(awake);
        let open: Vec<usize> = self.slots.open().collect();
        for at in open {
            self.slots.unsettle(at);
            if let Some(episode) = self.slots.get_mut(at).and_then(|s| s.episode.as_deref_mut()) {
                episode.skip(before, now);
                if let Some(timers) = episode.moved_timers() {
                    self.moved.push((episode.alert.id.clone(), timers));
                }
            }
        }
        while let Some((due, at)) = self.slots.first_due().filter(|(due, _)| *due < awake) {
            debug_assert!(due < awake);
            self.slots.unsettle(at);
            self.slots.set_due(at, Some(awake));
        }
    }

    fn everything(&mut self, book: &Rulebook, facts: &dyn Facts, now: Timestamp, out: &mut Out) {
        for kind in KINDS {
            if !self.wants(kind) {
                continue;
            }
            let mut keys: Vec<Key> = facts.targets(kind);
            keys.extend(self.slots.targets(kind).map(|t| t.key.clone()));
            keys.extend(self.carried.values().filter(|c| c.kind == kind).map(|c| c.key.clone()));
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                self.look(book, facts, (kind, &key), Glance { anyway: true, same: false }, now, out);
            }
        }
    }

    /// Everything of the sources that were touched as a whole.
    fn of_sources(&self, facts: &dyn Facts, touched: &[Touched]) -> Vec<(SubjectKind, Key)> {
        let mut sources: Vec<&Id> = Vec::new();
        for one in touched {
            if let Touched::Source(id) = one
                && !sources.contains(&id)
            {
                sources.push(id);
            }
        }
        let mut list = Vec::new();
        for kind in KINDS.into_iter().filter(|kind| !sources.is_empty() && self.wants(*kind)) {
            let mut keys: Vec<Key> = match kind {
                SubjectKind::Source | SubjectKind::Total => sources.iter().map(|id| source_key(id)).collect(),
                SubjectKind::Floor => vec![floor_key()],
                kind => facts.targets(kind),
            };
            keys.extend(self.slots.targets(kind).map(|t| t.key.clone()));
            keys.retain(|key| kind == SubjectKind::Floor || sources.contains(&&key.source));
            keys.sort_unstable();
            keys.dedup();
            list.extend(keys.into_iter().map(|key| (kind, key)));
        }
        list
    }

    fn run_due(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        touched: &[Touched],
        of_sources: &[(SubjectKind, Key)],
        now: Timestamp,
        out: &mut Out,
    ) {
        if self.slots.first_due().is_none_or(|(due, _)| due > now) {
            return;
        }
        let named = touched.iter().filter_map(|one| match one {
            Touched::One(kind, key) | Touched::Figures(kind, key) => Some((*kind, key)),
            _ => None,
        });
        let fresh: FastMap<(SubjectKind, &Key), ()> =
            named.chain(of_sources.iter().map(|(kind, key)| (*kind, key))).map(|of| (of, ())).collect();
        while let Some((due, at)) = self.slots.first_due().filter(|(due, _)| *due <= now) {
            self.slots.set_due(at, None);
            let Some(slot) = self.slots.get(at) else { continue };
            // What was told anew is looked at as of now; the rest as of the moment it fell due.
            if fresh.contains_key(&(slot.target.kind, &slot.target.key)) {
                self.late.push(at);
                continue;
            }
            self.test(book, facts, at, due, out);
        }
    }
}

fn who(target: &Target) -> Who<'_> {
    Who {
        source: (target.kind != SubjectKind::Floor).then_some(&target.key.source),
        source_name: &target.source_name,
        queues: &target.queues,
        agents: &target.agents,
    }
}
