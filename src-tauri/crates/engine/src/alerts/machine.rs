//! All alerts: which rule looks at what, what stands, and when to look again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use model::{Alert, AlertState, Health, Id, Key, Severity, Subject, SubjectKind, Timestamp, Transition};

use super::{
    Facts, Reading, Rulebook, Touched,
    condition::{Look, Test},
    episode::{Episode, Out, Outcome, Sight, Snooze},
    floor_key,
    rule::{Rule, Terms, Who},
    sentence::{Detail, Saying, detail},
    slots::{Carried, Slot, Slots, Target},
    source_key,
};
use crate::effects::DeskCommand;

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

/// Alerts of a floor: the present one, or a past one that is played again.
///
/// Feed it with what was touched and look again at [`Alerts::next_deadline`]; the same feed gives the
/// same transitions. Nothing else moves it: there is no clock here.
#[derive(Debug, Default)]
pub struct Alerts {
    book: Arc<Rulebook>,
    slots: Slots,
    /// Episodes that wait for their target to be seen: after a restart or new rules.
    carried: HashMap<(String, SubjectKind, Key), Carried>,
    /// Episodes whose rule is gone, to be ended.
    orphans: Vec<Episode>,
    /// The fired alert that stands for a lost source.
    lost: BTreeMap<Id, Id>,
    quiet: Vec<Id>,
    /// Everything has to be looked at: the rules are new.
    anew: bool,
    looked_at: Option<Timestamp>,
    settles_at: Option<Timestamp>,
    /// How many slots were ever tested; for counting proofs.
    tests: u64,
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
        self.book = book;
        self.anew = true;
        self.drop_orphans();
    }

    /// The alerts of an earlier run that were not inactive. Nothing is fired again for them.
    pub fn restore(&mut self, alerts: Vec<Alert>, now: Timestamp) {
        for alert in alerts.into_iter().filter(|a| a.state != AlertState::Inactive) {
            let rule = alert.rule.clone();
            let carried = Carried::restored(alert, now);
            self.carried.insert((rule, carried.kind, carried.key.clone()), carried);
        }
        self.anew = true;
        self.drop_orphans();
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
        for mut episode in std::mem::take(&mut self.orphans) {
            episode.alert.reason = format!("{}: the rule was removed", episode.alert.subject.name);
            episode.end(now, &mut out);
        }
        let all = std::mem::take(&mut self.anew) || touched.contains(&Touched::All);
        self.notice_sleep(now);
        if all {
            self.everything(facts, now, &mut out);
        } else {
            let expanded = self.expand(facts, touched);
            let fresh: HashSet<&(SubjectKind, Key)> = expanded.iter().collect();
            self.run_due(facts, &fresh, now, &mut out);
            for (kind, key) in &expanded {
                self.look(facts, *kind, key, now, &mut out);
            }
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
        let id = match &command {
            DeskCommand::Acknowledge { alert, .. }
            | DeskCommand::Unacknowledge { alert }
            | DeskCommand::Snooze { alert, .. }
            | DeskCommand::Unsnooze { alert } => alert,
        };
        let Some(at) = self.slots.of_alert(id) else { return out };
        let Some(slot) = self.slots.get_mut(at) else { return out };
        let Some(episode) = slot.episode.as_deref_mut() else { return out };
        let done = match command {
            DeskCommand::Acknowledge { until, .. } => {
                let until = until.filter(|u| *u > now);
                episode.acknowledge(until, now).then_some(Transition::Acked)
            }
            DeskCommand::Unacknowledge { .. } => episode.unacknowledge().then_some(Transition::Unacked),
            DeskCommand::Snooze { until, .. } if until.is_some_and(|u| u <= now) => None,
            DeskCommand::Snooze { until, .. } => {
                slot.snooze_until = until;
                episode.set_snooze(until.map_or(Snooze::UntilClear, Snooze::Until));
                Some(Transition::Snoozed)
            }
            DeskCommand::Unsnooze { .. } => {
                slot.snooze_until = None;
                episode.unsnooze().then_some(Transition::Unsnoozed)
            }
        };
        if let Some(transition) = done {
            episode.emit(transition, &mut out);
        }
        self.plan(at, now);
        out
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

    /// How many tests of a rule on a target were made so far.
    pub fn tests(&self) -> u64 {
        self.tests
    }

    fn wants(&self, kind: SubjectKind) -> bool {
        self.book.rules.iter().any(|r| r.subject == kind)
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
            if let Some(episode) = self.slots.get_mut(at).and_then(|s| s.episode.as_deref_mut()) {
                episode.skip(before, now);
            }
        }
        while let Some((due, at)) = self.slots.first_due().filter(|(due, _)| *due < awake) {
            debug_assert!(due < awake);
            self.slots.set_due(at, Some(awake));
        }
    }

    fn everything(&mut self, facts: &dyn Facts, now: Timestamp, out: &mut Out) {
        for kind in KINDS {
            if !self.wants(kind) {
                continue;
            }
            let mut keys: Vec<Key> = facts.targets(kind);
            keys.extend(self.slots.targets().filter(|t| t.kind == kind).map(|t| t.key.clone()));
            keys.extend(self.carried.values().filter(|c| c.kind == kind).map(|c| c.key.clone()));
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                self.look(facts, kind, &key, now, out);
            }
        }
    }

    /// Targets named by what was touched, each once, causes first.
    fn expand(&self, facts: &dyn Facts, touched: &[Touched]) -> Vec<(SubjectKind, Key)> {
        let mut seen = HashSet::new();
        let mut list: Vec<(SubjectKind, Key)> = Vec::new();
        let mut sources: Vec<&Id> = Vec::new();
        let mut add = |list: &mut Vec<(SubjectKind, Key)>, kind: SubjectKind, key: Key| {
            let entry = (kind, key);
            if seen.insert(entry.clone()) {
                list.push(entry);
            }
        };
        for one in touched {
            match one {
                Touched::One(kind, key) if self.wants(*kind) => add(&mut list, *kind, key.clone()),
                Touched::Source(id) if !sources.contains(&id) => sources.push(id),
                _ => {}
            }
        }
        for kind in KINDS.into_iter().filter(|kind| !sources.is_empty() && self.wants(*kind)) {
            let mut keys: Vec<Key> = match kind {
                SubjectKind::Source | SubjectKind::Total => sources.iter().map(|id| source_key(id)).collect(),
                SubjectKind::Floor => vec![floor_key()],
                kind => facts.targets(kind),
            };
            keys.extend(self.slots.targets().filter(|t| t.kind == kind).map(|t| t.key.clone()));
            keys.retain(|key| kind == SubjectKind::Floor || sources.contains(&&key.source));
            keys.sort_unstable();
            for key in keys {
                add(&mut list, kind, key);
            }
        }
        // A stable sort: within a kind the order of the touch is kept.
        list.sort_by_key(|(kind, _)| KINDS.iter().position(|k| k == kind));
        list
    }

    fn run_due(
        &mut self,
        facts: &dyn Facts,
        fresh: &HashSet<&(SubjectKind, Key)>,
        now: Timestamp,
        out: &mut Out,
    ) {
        while let Some((due, at)) = self.slots.first_due().filter(|(due, _)| *due <= now) {
            self.slots.set_due(at, None);
            let Some(slot) = self.slots.get(at) else { continue };
            // What was told anew is looked at as of now; the rest as of the moment it fell due.
            if !fresh.is_empty() && fresh.contains(&(slot.target.kind, slot.target.key.clone())) {
                continue;
            }
            self.test(facts, at, due, out);
        }
    }

    /// Looks at one target: is it there, which rules are about it, and how do they stand?
    fn look(&mut self, facts: &dyn Facts, kind: SubjectKind, key: &Key, now: Timestamp, out: &mut Out) {
        let Some(name) = facts.name(kind, key) else {
            self.missing(facts, kind, key, now, out);
            return;
        };
        let named = |ids: Vec<Id>, kind: SubjectKind| -> Vec<(Id, String)> {
            ids.into_iter()
                .map(|id| {
                    let key = Key { source: key.source.clone(), id: id.clone() };
                    let name = facts.name(kind, &key).unwrap_or_default();
                    (id, name)
                })
                .collect()
        };
        let queues = match kind {
            SubjectKind::Queue => vec![(key.id.clone(), name.clone())],
            _ => named(facts.queues_of(kind, key), SubjectKind::Queue),
        };
        let agents = match kind {
            SubjectKind::Agent => vec![(key.id.clone(), name.clone())],
            _ => named(facts.agents_of(kind, key), SubjectKind::Agent),
        };
        let known = self.slots.of_target(kind, key);
        let is_same = known.is_some_and(|(t, _)| t.name == name && t.queues == queues && t.agents == agents);
        if !is_same {
            let source_name = facts.name(SubjectKind::Source, &source_key(&key.source)).unwrap_or_default();
            let target = Target { kind, key: key.clone(), name, source_name, queues, agents };
            self.lay(Arc::new(target), now, out);
        }
        let slots = self.slots.of_target(kind, key).map(|(_, slots)| slots.clone()).unwrap_or_default();
        for at in slots {
            self.test(facts, at, now, out);
        }
    }

    /// Finds the rules about a target and gives each a slot.
    fn lay(&mut self, target: Arc<Target>, now: Timestamp, out: &mut Out) {
        let book = self.book.clone();
        let who = who(&target);
        let mut old: Vec<usize> =
            self.slots.of_target(target.kind, &target.key).map(|(_, s)| s.clone()).unwrap_or_default();
        let mut slots = Vec::new();
        for (rule_at, rule) in book.rules.iter().enumerate().filter(|(_, r)| r.subject == target.kind) {
            let existing = old.iter().position(|at| self.slots.get(*at).is_some_and(|s| s.rule == rule_at));
            let existing = existing.map(|place| old.remove(place));
            match (rule.terms_for(&who, &book.groups), existing) {
                (Some(terms), Some(at)) => {
                    if let Some(slot) = self.slots.get_mut(at) {
                        slot.terms = terms;
                    }
                    slots.push(at);
                }
                (Some(terms), None) => slots.push(self.new_slot(rule, rule_at, terms, &target)),
                (None, existing) => {
                    let carried = self.carried.remove(&(rule.name.clone(), target.kind, target.key.clone()));
                    let reason = format!("{}: the rule no longer looks at it", target.name);
                    if let Some(mut episode) = carried.and_then(|c| c.episode) {
                        episode.alert.reason.clone_from(&reason);
                        episode.end(now, out);
                    }
                    if let Some(at) = existing {
                        self.end(at, &reason, now, out);
                        self.slots.drop_slot(at);
                    }
                }
            }
        }
        self.slots.put_target(target, slots);
    }

    fn new_slot(&mut self, rule: &Rule, rule_at: usize, terms: usize, target: &Arc<Target>) -> usize {
        let carried = self.carried.remove(&(rule.name.clone(), target.kind, target.key.clone()));
        let (episode, cycles, snooze_until) =
            carried.map_or((None, Vec::new(), None), |c| (c.episode, c.cycles, c.snooze_until));
        let is_open = episode.is_some();
        let at = self.slots.insert(Slot {
            rule: rule_at,
            terms,
            target: target.clone(),
            episode,
            cycles,
            snooze_until,
            began: None,
            turns_at: None,
            due: None,
        });
        if is_open {
            self.slots.index(at, true);
        }
        at
    }

    /// A target that is not there. While its source is not live that proves nothing.
    fn missing(&mut self, facts: &dyn Facts, kind: SubjectKind, key: &Key, now: Timestamp, out: &mut Out) {
        let blind = facts.health(&key.source).is_some_and(|h| !matches!(h, Health::Live | Health::Disabled));
        if blind && !matches!(kind, SubjectKind::Source | SubjectKind::Floor) {
            let waiting: Vec<&Carried> =
                self.carried.values().filter(|c| c.kind == kind && c.key == *key).collect();
            if let (Some(first), None) = (waiting.first(), self.slots.of_target(kind, key)) {
                let source_name =
                    facts.name(SubjectKind::Source, &source_key(&key.source)).unwrap_or_default();
                let target = Target {
                    kind,
                    key: key.clone(),
                    name: first.name.clone(),
                    source_name,
                    queues: Vec::new(),
                    agents: Vec::new(),
                };
                self.keep_carried(Arc::new(target));
            }
            let slots = self.slots.of_target(kind, key).map(|(_, s)| s.clone()).unwrap_or_default();
            for at in slots {
                self.test(facts, at, now, out);
            }
            return;
        }
        let mut carried: Vec<_> =
            self.carried.keys().filter(|(_, k, c)| *k == kind && c == key).cloned().collect();
        carried.sort_by(|a, b| a.0.cmp(&b.0));
        for id in carried {
            if let Some(mut episode) = self.carried.remove(&id).and_then(|c| c.episode) {
                episode.alert.reason = format!("{}: it is no longer there", episode.alert.subject.name);
                episode.end(now, out);
            }
        }
        let Some((target, slots)) = self.slots.of_target(kind, key).cloned() else { return };
        for at in slots {
            self.end(at, &format!("{}: it is no longer there", target.name), now, out);
        }
        self.slots.drop_target(kind, key);
    }

    /// Slots for episodes whose target has not been seen yet; scopes are looked at once it is.
    fn keep_carried(&mut self, target: Arc<Target>) {
        let book = self.book.clone();
        let mut slots = Vec::new();
        for (rule_at, rule) in book.rules.iter().enumerate().filter(|(_, r)| r.subject == target.kind) {
            if self.carried.contains_key(&(rule.name.clone(), target.kind, target.key.clone())) {
                slots.push(self.new_slot(rule, rule_at, 0, &target));
            }
        }
        self.slots.put_target(target, slots);
    }

    /// Ends an episode because its target or rule is gone.
    fn end(&mut self, at: usize, reason: &str, now: Timestamp, out: &mut Out) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(episode) = slot.episode.as_deref_mut() else { return };
        episode.alert.reason = reason.to_string();
        episode.alert.value = None;
        episode.end(now, out);
        let (kind, source) = (slot.target.kind, slot.target.key.source.clone());
        self.slots.index(at, false);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.episode = None;
        }
        if kind == SubjectKind::Source {
            self.lost.remove(&source);
        }
    }

    /// Tests one rule on one target.
    fn test(&mut self, facts: &dyn Facts, at: usize, now: Timestamp, out: &mut Out) {
        let book = self.book.clone();
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(rule) = book.rules.get(slot.rule) else { return };
        let Some(terms) = rule.terms.get(slot.terms) else { return };
        self.tests += 1;
        let target = slot.target.clone();
        let (open, opens_until) = who(&target).is_open(&book.hours, now);
        let readings: Vec<Reading> = terms
            .reads
            .iter()
            .map(|metric| match metric.name {
                "open_hours" => Reading::flag(open),
                _ => facts.read(target.kind, &target.key, *metric, now),
            })
            .collect();
        let look = Look { readings: &readings, min_n: rule.min_n, now };
        let (active, active_until) = rule.active.as_ref().map_or((true, None), |s| {
            let (active, until) = s.at(now);
            (active, Some(until))
        });
        let fire = terms.when.test(Test::Fire, &look);
        let critical = terms.critical.as_ref().map_or(Some(false), |c| c.test(Test::Fire, &look));
        let critical_hold = terms.critical.as_ref().map_or(Some(false), |c| c.test(Test::Hold, &look));
        let describe = |critical: bool| describe(rule, terms, &target, &look, critical);
        let inhibited_by = match target.kind {
            SubjectKind::Source | SubjectKind::Floor => None,
            _ => self.lost.get(&target.key.source).filter(|_| !is_live(facts, &target.key.source)),
        };
        let sight = Sight {
            now,
            fire,
            critical,
            hold: holds(terms, &look, fire, critical_hold),
            critical_hold,
            muted: !active || (!open && !rule.names_hours),
            inhibited_by,
            hold_ms: terms.hold_ms,
            keep_ms: terms.keep_ms,
            base: rule.severity,
            describe: &describe,
        };
        let had = slot.episode.is_some();
        let mut outcome = Outcome::Goes;
        if slot.episode.is_none() && fire == Some(true) {
            slot.snooze_until = slot.snooze_until.filter(|until| *until > now);
            let began = slot.began.map_or(now, |last| now.max(last.plus(Duration::from_millis(1))));
            slot.began = Some(began);
            let alert = blank(rule, &target, began);
            let snooze = slot.snooze_until.map(Snooze::Until);
            slot.episode = Some(Box::new(Episode::begin(alert, snooze, &sight, out)));
        }
        if let Some(episode) = slot.episode.as_deref_mut() {
            episode.alert.subject.name.clone_from(&target.name);
            outcome = episode.step(&sight, &mut slot.cycles, out);
            if std::mem::take(&mut episode.quietly) {
                self.quiet.push(episode.alert.id.clone());
            }
        }
        // Hours matter to what stands, and to rules that name them.
        let hours = [opens_until.filter(|_| rule.names_hours || slot.episode.is_some()), active_until];
        slot.turns_at = [
            terms.when.crossing(&look),
            terms.critical.as_ref().and_then(|c| c.crossing(&look)),
            terms.clear.as_ref().and_then(|c| c.crossing(&look)),
        ]
        .into_iter()
        .chain(hours)
        .flatten()
        .filter(|turn| *turn > now)
        .min();
        if outcome == Outcome::Over {
            self.slots.index(at, false);
            if let Some(slot) = self.slots.get_mut(at) {
                slot.episode = None;
            }
        } else if !had {
            let open = self.slots.get(at).is_some_and(|s| s.episode.is_some());
            if open {
                self.slots.index(at, true);
            }
        }
        self.plan(at, now);
        if target.kind == SubjectKind::Source {
            self.cause(facts, &target.key.source, now, out);
        }
    }

    /// When to look at a slot again: never at this same moment, whatever a timer says.
    fn plan(&mut self, at: usize, now: Timestamp) {
        let book = self.book.clone();
        let Some(slot) = self.slots.get(at) else { return };
        let terms = book.rules.get(slot.rule).and_then(|r| r.terms.get(slot.terms));
        let episode = match (slot.episode.as_deref(), terms) {
            (Some(episode), Some(terms)) => episode.due(terms.hold_ms, terms.keep_ms),
            _ => None,
        };
        let soonest = now.plus(Duration::from_millis(1));
        let due = [slot.turns_at, episode].into_iter().flatten().min().map(|due| due.max(soonest));
        self.slots.set_due(at, due);
    }

    /// A fired alert of a source that is not live stands for everything of it.
    fn cause(&mut self, facts: &dyn Facts, source: &Id, now: Timestamp, out: &mut Out) {
        let key = source_key(source);
        let slots =
            self.slots.of_target(SubjectKind::Source, &key).map(|(_, s)| s.clone()).unwrap_or_default();
        let fired = |at: &usize| {
            let episode = self.slots.get(*at)?.episode.as_deref().filter(|e| e.has_fired())?;
            Some((episode.alert.fired_at, episode.alert.id.clone()))
        };
        let standing: Option<Id> = match is_live(facts, source) {
            true => None,
            // The one that stands stays, while it stands.
            false => {
                let mut fired: Vec<_> = slots.iter().filter_map(fired).collect();
                fired.sort();
                let same = self.lost.get(source).filter(|id| fired.iter().any(|(_, f)| f == *id));
                same.cloned().or_else(|| fired.into_iter().next().map(|(_, id)| id))
            }
        };
        if self.lost.get(source) == standing.as_ref() {
            return;
        }
        match standing {
            Some(id) => self.lost.insert(source.clone(), id),
            None => self.lost.remove(source),
        };
        for at in self.slots.open_of(source) {
            if self.slots.get(at).is_some_and(|s| s.target.kind != SubjectKind::Source) {
                self.test(facts, at, now, out);
            }
        }
    }
}

fn is_live(facts: &dyn Facts, source: &Id) -> bool {
    facts.health(source) == Some(Health::Live)
}

fn who(target: &Target) -> Who<'_> {
    Who {
        source: (target.kind != SubjectKind::Floor).then_some(&target.key.source),
        source_name: &target.source_name,
        queues: &target.queues,
        agents: &target.agents,
    }
}

/// Whether an episode goes on: the condition itself, or not yet past the clear value.
fn holds(terms: &Terms, look: &Look<'_>, fire: Option<bool>, critical_hold: Option<bool>) -> Option<bool> {
    if fire == Some(true) {
        return Some(true);
    }
    if let Some(clear) = &terms.clear {
        return clear.test(Test::Clear, look).map(|cleared| !cleared);
    }
    match (terms.when.test(Test::Hold, look), critical_hold) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn describe(rule: &Rule, terms: &Terms, target: &Target, look: &Look<'_>, critical: bool) -> Detail {
    let expr = match &terms.critical {
        Some(expr) if critical => expr,
        _ => &terms.when,
    };
    let fires = expr.test(Test::Fire, look) == Some(true);
    let compare = expr.decisive(if fires { Test::Fire } else { Test::Hold }, look);
    let parts = compare.and_then(|c| Some((c, terms.reads.get(c.metric)?, look.readings.get(c.metric)?)));
    match parts {
        Some((compare, metric, reading)) => detail(&Saying {
            subject: rule.subject,
            name: &target.name,
            compare,
            metric: *metric,
            reading,
            level: &terms.level,
            now: look.now,
        }),
        None => Detail {
            metric: String::new(),
            value: None,
            limit: None,
            unit: "name",
            n: None,
            counts_from: None,
            reason: format!("{}: {}", target.name, rule.name),
        },
    }
}

fn blank(rule: &Rule, target: &Target, now: Timestamp) -> Alert {
    let is_floor = target.kind == SubjectKind::Floor;
    Alert {
        id: episode_id(rule, target, now),
        rule: rule.name.clone(),
        severity: Severity::Warning,
        state: AlertState::Pending,
        overlays: Vec::new(),
        source: (!is_floor).then(|| target.key.source.clone()),
        subject: Subject { kind: target.kind, id: target.key.id.clone(), name: target.name.clone() },
        metric: String::new(),
        value: None,
        limit: None,
        unit: String::new(),
        n: None,
        pending_since: None,
        fired_at: None,
        resolved_at: None,
        acked_at: None,
        acked_until: None,
        snoozed_until: None,
        inhibited_by: None,
        flapping: false,
        reason: String::new(),
    }
}

/// One per episode, the same whenever the same past is played: rule, target and the moment it began,
/// mixed by FNV-1a. Two episodes of one slot never begin in the same millisecond.
fn episode_id(rule: &Rule, target: &Target, now: Timestamp) -> Id {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let kind = [target.kind as u8];
    let at = now.as_ms().to_le_bytes();
    let parts: [&[u8]; 5] =
        [rule.name.as_bytes(), &kind, target.key.source.as_bytes(), target.key.id.as_bytes(), &at];
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    Id::from(format!("a{hash:016x}"))
}
