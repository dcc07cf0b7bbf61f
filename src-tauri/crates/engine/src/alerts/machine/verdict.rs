//! One rule tested on one target.

use std::time::Duration;

use model::{Alert, AlertState, Health, Id, Severity, Subject, SubjectKind, Timestamp};

use super::{Alerts, who};
use crate::alerts::{
    Facts, Reading, Rulebook,
    condition::{Compare, Look, Test, metric_text},
    deadlines::{Deadlines, Settled},
    episode::{Asked, Episode, Out, Outcome, Sight, Snooze},
    metrics::Measure,
    panel::{Panel, Verdict},
    rule::{Rule, Terms},
    sentence::{Detail, Saying, detail},
    slots::Target,
    source_key,
};

impl Alerts {
    /// Tests one rule on one target, and reads for it what it asks.
    pub(super) fn test(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        at: usize,
        now: Timestamp,
        out: &mut Out,
    ) {
        let Some(slot) = self.slots.get(at) else { return };
        let Some(rule) = book.rules.get(slot.rule) else { return };
        let Some(terms) = rule.terms.get(slot.terms) else { return };
        let (open, _) = match rule.names_hours {
            true => who(&slot.target).is_open(&book.hours, now),
            false => (true, None),
        };
        let mut readings = std::mem::take(&mut self.readings);
        readings.clear();
        read(facts, terms, &slot.target, open, now, &mut readings);
        self.judge(book, facts, at, &Look { readings: &readings, places: &[], min_n: rule.min_n, now }, out);
        self.readings = readings;
    }

    /// Tests one rule on one target of which everything that rules ask was read.
    pub(super) fn test_on(
        &mut self,
        book: &Rulebook,
        facts: &dyn Facts,
        at: usize,
        seen: &[Reading],
        now: Timestamp,
        out: &mut Out,
    ) {
        let Some(slot) = self.slots.get(at) else { return };
        let Some(rule) = book.rules.get(slot.rule) else { return };
        let Some(terms) = rule.terms.get(slot.terms) else { return };
        if is_by_hours(book, rule) {
            return self.test(book, facts, at, now, out);
        }
        let look = Look { readings: seen, places: &terms.asked.places, min_n: rule.min_n, now };
        self.judge(book, facts, at, &look, out);
    }

    fn judge(&mut self, book: &Rulebook, facts: &dyn Facts, at: usize, look: &Look<'_>, out: &mut Out) {
        self.tests += 1;
        if self.stays_quiet(book, at, look) {
            return;
        }
        let now = look.now;
        let Some(slot) = self.slots.get_mut(at) else { return };
        let Some(rule) = book.rules.get(slot.rule) else { return };
        let Some(terms) = rule.terms.get(slot.terms) else { return };
        let target = slot.target.clone();
        let (open, opens_until) = who(&target).is_open(&book.hours, now);
        let (active, active_until) = rule.active.as_ref().map_or((true, None), |s| {
            let (active, until) = s.at(now);
            (active, Some(until))
        });
        let verdict = Verdict::of_terms(terms, look);
        let Verdict { fire, critical, hold, critical_hold } = verdict;
        let describe = |asked: &Asked<'_>| describe(rule, terms, &target, look, asked);
        let inhibited_by = match target.kind {
            SubjectKind::Source | SubjectKind::Floor => None,
            _ => self.lost.get(&target.key.source).filter(|_| !is_live(facts, &target.key.source)),
        };
        let sight = Sight {
            now,
            fire,
            critical,
            hold,
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
            let mut alert = blank(rule, &target, began);
            if !self.elsewhere.is_empty()
                && let Some(id) = self.elsewhere.remove(&(rule.name.clone(), target.kind, target.key.clone()))
            {
                alert.id = id;
            }
            let snooze = slot.snooze_until.map(Snooze::Until);
            slot.episode = Some(Box::new(Episode::begin(alert, snooze, &sight, out)));
        }
        if let Some(episode) = slot.episode.as_deref_mut() {
            episode.alert.subject.name.clone_from(&target.name);
            outcome = episode.step(&sight, &mut slot.cycles, out);
            if std::mem::take(&mut episode.quietly) {
                self.quiet.push(episode.alert.id.clone());
            }
            if outcome == Outcome::Goes
                && let Some(timers) = episode.moved_timers()
            {
                self.moved.push((episode.alert.id.clone(), timers));
            }
        }
        // Hours matter to what stands, and to rules that name them.
        let hours = [opens_until.filter(|_| rule.names_hours || slot.episode.is_some()), active_until];
        slot.turns_at =
            std::iter::once(terms.crossing(look)).chain(hours).flatten().filter(|turn| *turn > now).min();
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
        let stands = self.slots.get(at).is_some_and(|slot| slot.episode.is_some());
        let settled = match moves_by_figures(book, rule) {
            false => Settled::No,
            true if stands => Settled::Standing(verdict),
            true => Settled::Quiet,
        };
        self.slots.deadlines.settle(at, settled);
        self.plan(book, at, now);
        if target.kind == SubjectKind::Source {
            self.cause(book, facts, &target.key.source, now, out);
        }
    }

    /// Reads the figures of all alerts anew, so that they say what holds now and not what held when
    /// something happened to them last. Nothing else moves.
    pub(crate) fn reread(&mut self, facts: &dyn Facts, now: Timestamp) {
        let book = self.book.clone();
        let open: Vec<usize> = self.slots.open().collect();
        let mut readings = Vec::new();
        for at in open {
            let Some(slot) = self.slots.get_mut(at) else { continue };
            let Some(rule) = book.rules.get(slot.rule) else { continue };
            let Some(terms) = rule.terms.get(slot.terms) else { continue };
            let Some(episode) = slot.episode.as_deref_mut() else { continue };
            let (open, _) = who(&slot.target).is_open(&book.hours, now);
            readings.clear();
            read(facts, terms, &slot.target, open, now, &mut readings);
            let look = Look { readings: &readings, places: &[], min_n: rule.min_n, now };
            let detail = describe(rule, terms, &slot.target, &look, &episode.asked(rule.severity, true));
            let alert = &episode.alert;
            if (alert.value, alert.n, &alert.reason) != (detail.value, detail.n, &detail.reason) {
                episode.take(detail);
                self.quiet.push(episode.alert.id.clone());
            }
        }
    }

    /// How many pairs of a rule and a target there are, and of how many of them nothing can be said now.
    pub(in crate::alerts) fn tell_unknown(&self, facts: &dyn Facts, now: Timestamp) -> (usize, usize) {
        let (mut all, mut unknown) = (0, 0);
        let mut readings = Vec::new();
        for slot in self.slots.iter() {
            let Some(rule) = self.book.rules.get(slot.rule) else { continue };
            let Some(terms) = rule.terms.get(slot.terms) else { continue };
            let (open, _) = who(&slot.target).is_open(&self.book.hours, now);
            readings.clear();
            read(facts, terms, &slot.target, open, now, &mut readings);
            let look = Look { readings: &readings, places: &[], min_n: rule.min_n, now };
            all += 1;
            unknown += usize::from(terms.when.test(Test::Fire, &look).is_none());
        }
        (all, unknown)
    }

    /// Most tests find nothing and found nothing before: no episode goes on and none begins. Then only the
    /// moment of the next look is to be found. Tells whether it was so.
    fn stays_quiet(&mut self, book: &Rulebook, at: usize, look: &Look<'_>) -> bool {
        let Some(slot) = self.slots.get_mut(at) else { return true };
        let Some(rule) = book.rules.get(slot.rule) else { return true };
        let Some(terms) = rule.terms.get(slot.terms) else { return true };
        // An alert of a source is a cause for others, whose end is looked at with it.
        let is_cause = slot.target.kind == SubjectKind::Source;
        if slot.episode.is_some() || rule.active.is_some() || is_cause {
            return false;
        }
        if terms.when.test(Test::Fire, look) == Some(true) {
            return false;
        }
        let opens_until = match rule.names_hours {
            true => who(&slot.target).is_open(&book.hours, look.now).1,
            // Hours say whether an alert is told. There is none.
            false => None,
        };
        slot.turns_at =
            [terms.crossing(look), opens_until].into_iter().flatten().filter(|at| *at > look.now).min();
        let due = slot.turns_at.map(|due| due.max(soonest(look.now)));
        self.slots.set_due(at, due);
        self.slots
            .deadlines
            .settle(at, if moves_by_figures(book, rule) { Settled::Quiet } else { Settled::No });
        true
    }

    /// When to look at a slot again: never at this same moment, whatever a timer says.
    pub(super) fn plan(&mut self, book: &Rulebook, at: usize, now: Timestamp) {
        let Some(slot) = self.slots.get(at) else { return };
        let terms = book.rules.get(slot.rule).and_then(|r| r.terms.get(slot.terms));
        let episode = match (slot.episode.as_deref(), terms) {
            (Some(episode), Some(terms)) => episode.due(terms.hold_ms, terms.keep_ms),
            _ => None,
        };
        let due = [slot.turns_at, episode].into_iter().flatten().min().map(|due| due.max(soonest(now)));
        self.slots.set_due(at, due);
    }

    /// A fired alert of a source that is not live stands for everything of it.
    fn cause(&mut self, book: &Rulebook, facts: &dyn Facts, source: &Id, now: Timestamp, out: &mut Out) {
        let slots = self.slots.slots_of(SubjectKind::Source, &source_key(source));
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
                self.test(book, facts, at, now, out);
            }
        }
    }
}

/// Whether a slot stays as its last full test left it. Then at most the moment of the next look is to be found,
/// where that may be another one (`again`).
pub(super) fn stays(
    deadlines: &mut Deadlines,
    at: usize,
    (panel, nth): (&Panel, usize),
    again: bool,
    look: &Look<'_>,
) -> bool {
    let pulse = deadlines.pulse(at);
    let again = again || pulse.due.is_some_and(|due| due <= look.now);
    match pulse.settled {
        Settled::No => false,
        Settled::Standing(verdict) => !again && panel.verdict(nth, look) == Some(verdict),
        Settled::Quiet if panel.fires(nth, look) == Some(true) => false,
        Settled::Quiet => {
            if again {
                let due = panel.crossing(nth, look).map(|due| due.max(soonest(look.now)));
                deadlines.set(at, due);
            }
            true
        }
    }
}

/// The next moment: nothing is looked at twice in one.
fn soonest(now: Timestamp) -> Timestamp {
    now.plus(Duration::from_millis(1))
}

/// What a rule reads of a target, in the order in which its expressions name it.
fn read(
    facts: &dyn Facts,
    terms: &Terms,
    target: &Target,
    open: bool,
    now: Timestamp,
    into: &mut Vec<Reading>,
) {
    let asks = &terms.asked.asks;
    facts.read_all(target.kind, &target.key, asks, now, into);
    for (reading, ask) in into.iter_mut().zip(asks) {
        if ask.measure == Measure::OpenHours {
            *reading = Reading::flag(open);
        }
    }
}

impl Terms {
    /// The next moment after now at which one of the conditions may turn by itself.
    pub(in crate::alerts) fn crossing(&self, look: &Look<'_>) -> Option<Timestamp> {
        let all = [Some(&self.when), self.critical.as_ref(), self.clear.as_ref()];
        all.into_iter().flatten().filter_map(|expr| expr.crossing(look)).min()
    }
}

fn is_live(facts: &dyn Facts, source: &Id) -> bool {
    facts.health(source) == Some(Health::Live)
}

/// Whether a rule asks for opening hours that there are.
fn is_by_hours(book: &Rulebook, rule: &Rule) -> bool {
    rule.names_hours && !book.hours.is_empty()
}

/// Whether only figures and deadlines move what a rule tells: no hours, and no health of a source.
fn moves_by_figures(book: &Rulebook, rule: &Rule) -> bool {
    !is_by_hours(book, rule) && rule.active.is_none() && rule.subject != SubjectKind::Source
}

/// What an alert says: of the comparison that it was raised for, or of what holds now.
fn describe(rule: &Rule, terms: &Terms, target: &Target, look: &Look<'_>, asked: &Asked<'_>) -> Detail {
    let expr = match &terms.critical {
        Some(expr) if asked.critical => expr,
        _ => &terms.when,
    };
    let fires = expr.test(Test::Fire, look) == Some(true);
    let test = if fires { Test::Fire } else { Test::Hold };
    let kept = asked.kept.and_then(|(metric, limit)| {
        let is_it = |c: &Compare, exactly: bool| {
            let same = terms.reads.get(c.metric).is_some_and(|name| metric_text(*name) == metric);
            same && (!exactly || c.number() == limit)
        };
        expr.kept(&is_it, test, look)
    });
    let compare = kept.or_else(|| expr.decisive(test, look));
    let missing = || {
        let all = compare.into_iter().chain(expr.compares());
        let mut all = all.chain(terms.clear.iter().flat_map(|clear| clear.compares()));
        let of = all.find(|c| look.reading(c.metric).is_none_or(|r| !r.is_whole()))?;
        terms.reads.get(of.metric).copied().zip(look.reading(of.metric))
    };
    let word = |name: &str| match look.reading(terms.reads.iter().position(|metric| metric.name == name)?)? {
        Reading::Word(word) => Some(word.as_ref()),
        _ => None,
    };
    let parts = compare.and_then(|c| Some((c, terms.reads.get(c.metric)?, look.reading(c.metric)?)));
    match parts {
        Some((compare, metric, reading)) => detail(&Saying {
            presence: word("presence"),
            missing: asked.unknown.then(|| missing().unwrap_or((*metric, &Reading::Unknown))),
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
