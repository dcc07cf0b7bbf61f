//! Which targets there are, and which rules are about each.

use std::sync::Arc;

use model::{Health, Id, Key, SubjectKind, Timestamp};

use super::{Alerts, Glance, verdict::stays, who};
use crate::alerts::{
    Called, Facts, Rulebook,
    condition::Look,
    episode::Out,
    panel::Panel,
    rule::Rule,
    slots::{Carried, Laid, Slot, Target},
    source_key,
};

/// More than so many kinds of panel are not remembered: those that are laid stay, new ones are laid out anew.
const MAX_PANELS: usize = 4096;

impl Alerts {
    /// Looks at one target: is it there, which rules are about it, and how do they stand?
    ///
    /// Only rules that read something of it that has changed are tested, and those that are due, or all.
    pub(super) fn look(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        (kind, key): (SubjectKind, &Key),
        glance: Glance,
        now: Timestamp,
        out: &mut Out,
    ) {
        // Names of queues and agents are copied only where a rule asks for them.
        let asks_who = self.asks_who[kind as usize];
        if let Some(place) = self.slots.place_of(kind, key)
            && self.look_again(book, facts, (kind, key, place), glance, now, out)
        {
            return;
        }
        let Some(name) = facts.name(kind, key) else {
            self.missing(book, facts, kind, key, now, out);
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
            _ if !asks_who => Vec::new(),
            SubjectKind::Queue => vec![(key.id.clone(), name.clone())],
            _ => named(facts.queues_of(kind, key), SubjectKind::Queue),
        };
        let agents = match kind {
            _ if !asks_who => Vec::new(),
            SubjectKind::Agent => vec![(key.id.clone(), name.clone())],
            _ => named(facts.agents_of(kind, key), SubjectKind::Agent),
        };
        let source_name = facts.name(SubjectKind::Source, &source_key(&key.source)).unwrap_or_default();
        let target = Target { kind, key: key.clone(), name, source_name, queues, agents, seen: true };
        self.lay(Arc::new(target), now, out);
        if let Some(place) = self.slots.place_of(kind, key) {
            let glance = Glance { anyway: true, same: false };
            self.look_again(book, facts, (kind, key, place), glance, now, out);
        }
    }

    /// Looks at a target that rules are laid over; `false` when it is not there or not called as before.
    fn look_again(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        (kind, key, place): (SubjectKind, &Key, usize),
        glance: Glance,
        now: Timestamp,
        out: &mut Out,
    ) -> bool {
        let Self { slots, readings, late, full, asks_who, tests, lost, .. } = self;
        let Some((laid, deadlines)) = slots.laid_and_deadlines(place) else { return false };
        let Laid { target, slots: places, panel, seen } = laid;
        let asks_who = asks_who[kind as usize];
        // What was read before was there. Then names are not fetched, which lie far apart in memory.
        let read = if glance.same && !asks_who && !seen.is_empty() {
            book.asks.read(facts, (kind, key, None), now, seen, readings)
        } else if target.seen {
            let who = asks_who.then_some((target.queues.as_slice(), target.agents.as_slice()));
            let known = Called { name: &target.name, who };
            book.asks.read(facts, (kind, key, Some(&known)), now, seen, readings)
        } else {
            None
        };
        let Some(news) = read else { return false };
        // The health of a source, which no rule about it may read, decides whether it is a cause.
        let anyway = glance.anyway || kind == SubjectKind::Source;
        if news.changed.is_empty() && late.is_empty() && !anyway {
            return true;
        }
        full.clear();
        for (nth, at) in places.iter().enumerate() {
            let reads = panel.reads(nth);
            let is_late = late.contains(at);
            if !(anyway || is_late || reads.meets(news.changed)) {
                continue;
            }
            let look = Look { readings: seen, places: &[], min_n: panel.min_n(nth), now };
            // Where a source is lost, an alert is held back by another one's state.
            let again = is_late || reads.meets(news.moving) || !lost.is_empty();
            match stays(deadlines, *at, (panel, nth), again, &look) {
                true => *tests += 1,
                false => full.push(*at),
            }
        }
        if self.full.is_empty() {
            return true;
        }
        let (seen, mut full) = (std::mem::take(seen), std::mem::take(&mut self.full));
        for at in full.drain(..) {
            self.test_on(book, facts, at, &seen, now, out);
        }
        self.full = full;
        if let Some(laid) = self.slots.laid_mut(place) {
            laid.seen = seen;
        }
        true
    }

    /// Tests all rules about a target that is not there, with what can be said of it all the same.
    fn test_blind(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        (kind, key): (SubjectKind, &Key),
        now: Timestamp,
        out: &mut Out,
    ) {
        let Some(place) = self.slots.place_of(kind, key) else { return };
        let Some(laid) = self.slots.laid_mut(place) else { return };
        // When it is back, everything about it is news.
        laid.seen.clear();
        let places = laid.slots.clone();
        for at in places.iter() {
            self.test(book, facts, *at, now, out);
        }
    }

    /// Finds the rules about a target and gives each a slot.
    fn lay(&mut self, target: Arc<Target>, now: Timestamp, out: &mut Out) {
        let book = self.book.clone();
        let who = who(&target);
        let mut old = self.slots.slots_of(target.kind, &target.key);
        let (mut slots, mut on_panel) = (Vec::new(), Vec::new());
        for (rule_at, rule) in book.rules.iter().enumerate().filter(|(_, r)| r.subject == target.kind) {
            let existing = old.iter().position(|at| self.slots.get(*at).is_some_and(|s| s.rule == rule_at));
            let existing = existing.map(|place| old.remove(place));
            match (rule.terms_for(&who, &book.groups), existing) {
                (Some(terms), Some(at)) => {
                    if let Some(slot) = self.slots.get_mut(at) {
                        slot.terms = terms;
                    }
                    slots.push(at);
                    on_panel.push((rule_at, terms));
                }
                (Some(terms), None) => {
                    let at = self.new_slot(rule, rule_at, terms, &target);
                    slots.push(at);
                    on_panel.push((rule_at, terms));
                }
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
        let panel = self.panel(&book, on_panel);
        self.slots.put_target(target, slots, panel);
    }

    /// The panel of these rules under these of their terms.
    fn panel(&mut self, book: &Rulebook, of: Vec<(usize, usize)>) -> Arc<Panel> {
        if self.panels.len() >= MAX_PANELS {
            self.panels.clear();
        }
        let lay_out = |of: &Vec<(usize, usize)>| {
            Arc::new(Panel::of(of.iter().filter_map(|(rule, terms)| {
                let rule = book.rules.get(*rule)?;
                Some((rule, rule.terms.get(*terms)?))
            })))
        };
        self.panels.entry(of).or_insert_with_key(lay_out).clone()
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
        });
        if is_open {
            self.slots.index(at, true);
        }
        at
    }

    /// A target that is not there. While its source is not live that proves nothing.
    fn missing(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        kind: SubjectKind,
        key: &Key,
        now: Timestamp,
        out: &mut Out,
    ) {
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
                    seen: false,
                };
                self.keep_carried(Arc::new(target));
            }
            self.test_blind(book, facts, (kind, key), now, out);
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
        let Some(laid) = self.slots.of_target(kind, key) else { return };
        let (target, places) = (laid.target.clone(), laid.slots.clone());
        for at in places.iter() {
            self.end(*at, &format!("{}: it is no longer there", target.name), now, out);
        }
        self.slots.drop_target(kind, key);
    }

    /// Slots for episodes whose target has not been seen yet; scopes are looked at once it is.
    fn keep_carried(&mut self, target: Arc<Target>) {
        let book = self.book.clone();
        let (mut slots, mut on_panel) = (Vec::new(), Vec::new());
        for (rule_at, rule) in book.rules.iter().enumerate().filter(|(_, r)| r.subject == target.kind) {
            if self.carried.contains_key(&(rule.name.clone(), target.kind, target.key.clone())) {
                let at = self.new_slot(rule, rule_at, 0, &target);
                slots.push(at);
                on_panel.push((rule_at, 0));
            }
        }
        let panel = self.panel(&book, on_panel);
        self.slots.put_target(target, slots, panel);
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
        self.slots.unsettle(at);
        if let Some(slot) = self.slots.get_mut(at) {
            slot.episode = None;
        }
        if kind == SubjectKind::Source {
            self.lost.remove(&source);
        }
    }
}
