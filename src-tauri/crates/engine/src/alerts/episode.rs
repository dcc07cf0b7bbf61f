//! One episode of one rule on one target: from pending to resolved.

use model::{Alert, AlertState, Id, Overlay, Severity, Timestamp, Transition};

use super::{
    sentence::Detail,
    stopwatch::{Stopwatch, Timers},
};
use crate::effects::DeskCommand;

/// So many fire-and-clear cycles …
pub(crate) const FLAP_CYCLES: usize = 3;
/// … within this time are flapping, until nothing has changed for as long.
pub(crate) const FLAP_MS: i64 = 5 * 60_000;
/// How long an acknowledgement of a critical holds when nobody says otherwise.
pub(crate) const ACK_MS: i64 = 10 * 60_000;

/// What is seen of the target now.
pub(crate) struct Sight<'a> {
    pub now: Timestamp,
    /// The condition, as written.
    pub fire: Option<bool>,
    /// The critical condition, as written.
    pub critical: Option<bool>,
    /// Not yet past the clear value.
    pub hold: Option<bool>,
    /// The critical is not yet past its own clear value.
    pub critical_hold: Option<bool>,
    pub muted: bool,
    pub inhibited_by: Option<&'a Id>,
    pub hold_ms: i64,
    pub keep_ms: i64,
    /// Severity before it escalates.
    pub base: Severity,
    /// Figure and sentence.
    pub describe: &'a dyn Fn(&Asked<'_>) -> Detail,
}

/// What a description is to be of.
pub(crate) struct Asked<'a> {
    /// The critical limit, not the warning's.
    pub critical: bool,
    /// Metric and limit that the alert was raised for; `None` when it is to say anew what holds.
    pub kept: Option<(&'a str, Option<f64>)>,
    /// It is not known whether the condition holds.
    pub unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Snooze {
    Until(Timestamp),
    UntilClear,
}

/// What became of an episode in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Goes,
    Over,
}

pub(crate) type Out = Vec<(Transition, Alert)>;

#[derive(Clone, Debug)]
pub(crate) struct Episode {
    pub alert: Alert,
    pub snooze: Option<Snooze>,
    pub counts_from: Option<Timestamp>,
    /// Something changed of which no line tells: a relapse, going down from critical.
    pub quietly: bool,
    timers: Timers,
    /// As they were when they were last handed on.
    kept: Timers,
    /// The last line about the state itself, so that a relapse does not print `recovering` twice.
    printed: Transition,
}

impl Episode {
    /// A condition begins to hold.
    pub fn begin(alert: Alert, snooze: Option<Snooze>, sight: &Sight<'_>, out: &mut Out) -> Self {
        let mut critical = Stopwatch::default();
        if sight.critical == Some(true) {
            critical.run(sight.now);
        }
        let mut new = Self {
            alert,
            snooze: None,
            counts_from: None,
            quietly: false,
            timers: Timers { held: Stopwatch::started(sight.now), critical, ..Timers::default() },
            kept: Timers::default(),
            printed: Transition::Pending,
        };
        new.alert.pending_since = Some(sight.now);
        new.alert.severity = sight.base;
        if sight.muted {
            new.overlay(Overlay::Muted, true);
        }
        if let Some(snooze) = snooze {
            new.set_snooze(snooze);
        }
        new.describe(sight);
        new.emit(Transition::Pending, out);
        if sight.muted {
            new.emit(Transition::Muted, out);
        }
        if new.snooze.is_some() {
            new.emit(Transition::Snoozed, out);
        }
        new
    }

    /// An episode of an earlier run. Nothing is known of the time between: what it had collected by then
    /// is neither lost nor grows.
    pub fn restored(alert: Alert, timers: Option<Timers>, now: Timestamp) -> Self {
        let snooze = alert.overlays.contains(&Overlay::Snoozed).then_some(match alert.snoozed_until {
            Some(until) => Snooze::Until(until),
            None => Snooze::UntilClear,
        });
        let printed = match alert.state {
            AlertState::Pending => Transition::Pending,
            AlertState::Recovering => Transition::Recovering,
            _ => Transition::Firing,
        };
        let fresh = || match alert.flapping {
            true => Timers { quiet: Stopwatch::started(now), ..Timers::default() },
            false => Timers::default(),
        };
        let timers = timers.map_or_else(fresh, Timers::resumed);
        Self { alert, snooze, counts_from: None, quietly: false, timers, kept: timers, printed }
    }

    pub fn timers(&self) -> Timers {
        self.timers
    }

    /// The timers, if one of them was started, stopped or set back since this was last asked.
    pub fn moved_timers(&mut self) -> Option<Timers> {
        let moved = self.kept != self.timers;
        self.kept = self.timers;
        moved.then_some(self.timers)
    }

    pub fn has_fired(&self) -> bool {
        self.alert.fired_at.is_some()
    }

    /// The next moment at which time alone changes something.
    pub fn due(&self, hold_ms: i64, keep_ms: i64) -> Option<Timestamp> {
        let a = &self.alert;
        let held_back = a.overlays.contains(&Overlay::Muted) || a.overlays.contains(&Overlay::Inhibited);
        let state = match a.state {
            AlertState::Pending if !held_back => self.timers.held.due(hold_ms),
            AlertState::Recovering => self.timers.held.due(keep_ms),
            _ => None,
        };
        let escalation = match (a.state, a.severity) {
            (AlertState::Firing | AlertState::Acked, Severity::Warning) => self.timers.critical.due(hold_ms),
            _ => None,
        };
        let flap = a.flapping.then(|| self.timers.quiet.due(FLAP_MS)).flatten();
        // Also while it recovers: after a relapse it would be acked again.
        let ack = a.acked_until.filter(|_| matches!(a.state, AlertState::Acked | AlertState::Recovering));
        let snooze = match self.snooze {
            Some(Snooze::Until(until)) => Some(until),
            _ => None,
        };
        [state, escalation, flap, ack, snooze].into_iter().flatten().min()
    }

    /// A span that nobody saw (the machine slept): no timer completes in it.
    pub fn skip(&mut self, from: Timestamp, to: Timestamp) {
        for watch in [&mut self.timers.held, &mut self.timers.critical, &mut self.timers.quiet] {
            watch.skip(from, to);
        }
    }

    pub fn step(&mut self, sight: &Sight<'_>, cycles: &mut Vec<Timestamp>, out: &mut Out) -> Outcome {
        let is_known = match self.alert.state {
            AlertState::Pending => sight.fire.is_some(),
            _ => sight.hold.is_some(),
        };
        self.overlays(sight, is_known, out);
        if !is_known {
            for watch in [&mut self.timers.held, &mut self.timers.critical, &mut self.timers.quiet] {
                watch.freeze(sight.now);
            }
            // What a person promised ends all the same.
            self.ack_expires(sight, out);
            return Outcome::Goes;
        }
        let outcome = if self.alert.state == AlertState::Pending {
            self.pending(sight, out)
        } else if self.alert.flapping {
            self.flapping(sight, cycles, out)
        } else {
            self.fired(sight, cycles, out)
        };
        if outcome == Outcome::Goes {
            self.ack_expires(sight, out);
        }
        outcome
    }

    fn pending(&mut self, sight: &Sight<'_>, out: &mut Out) -> Outcome {
        let now = sight.now;
        if sight.fire != Some(true) {
            return self.resolve(sight, out);
        }
        self.timers.held.run(now);
        self.critical_runs(sight);
        let held_back = sight.muted || sight.inhibited_by.is_some();
        if held_back || !self.timers.held.has_run(sight.hold_ms, now) {
            return Outcome::Goes;
        }
        self.alert.state = AlertState::Firing;
        self.alert.fired_at = Some(now);
        if self.timers.critical.has_run(sight.hold_ms, now) {
            self.alert.severity = Severity::Critical;
        }
        self.timers.held.reset();
        self.describe(sight);
        self.emit(Transition::Firing, out);
        Outcome::Goes
    }

    fn fired(&mut self, sight: &Sight<'_>, cycles: &mut Vec<Timestamp>, out: &mut Out) -> Outcome {
        let now = sight.now;
        if sight.hold == Some(true) {
            if self.alert.state == AlertState::Recovering {
                self.relapse();
            }
            self.escalate(sight, true, out);
            return Outcome::Goes;
        }
        self.timers.critical.reset();
        if self.alert.state != AlertState::Recovering {
            self.alert.state = AlertState::Recovering;
            self.timers.held = Stopwatch::started(now);
            self.describe(sight);
            if self.printed == Transition::Recovering {
                self.quietly = true;
            } else {
                self.emit(Transition::Recovering, out);
            }
        }
        self.timers.held.run(now);
        if !self.timers.held.has_run(sight.keep_ms, now) {
            return Outcome::Goes;
        }
        if let Some(fired_at) = self.alert.fired_at {
            cycles.push(fired_at);
        }
        cycles.retain(|at| now.as_ms() - at.as_ms() <= FLAP_MS);
        if cycles.len() < FLAP_CYCLES {
            return self.resolve(sight, out);
        }
        cycles.clear();
        self.relapse();
        self.alert.flapping = true;
        self.timers.quiet = Stopwatch::started(now);
        self.timers.flap_holds = false;
        self.describe(sight);
        self.emit(Transition::Flapping, out);
        Outcome::Goes
    }

    /// Held as firing until nothing has changed for [`FLAP_MS`].
    fn flapping(&mut self, sight: &Sight<'_>, cycles: &mut Vec<Timestamp>, out: &mut Out) -> Outcome {
        // Between the limits nothing changes, as without flapping.
        let holds = if self.timers.flap_holds { sight.hold == Some(true) } else { sight.fire == Some(true) };
        if holds != self.timers.flap_holds {
            self.timers.flap_holds = holds;
            self.timers.quiet.reset();
        }
        self.timers.quiet.run(sight.now);
        if holds {
            self.escalate(sight, false, out);
        } else {
            self.timers.critical.reset();
        }
        if !self.timers.quiet.has_run(FLAP_MS, sight.now) {
            return Outcome::Goes;
        }
        self.alert.flapping = false;
        self.timers.quiet.reset();
        cycles.clear();
        if holds {
            self.quietly = true;
            return Outcome::Goes;
        }
        self.resolve(sight, out)
    }

    fn relapse(&mut self) {
        self.alert.state = if self.alert.acked_at.is_some() { AlertState::Acked } else { AlertState::Firing };
        self.timers.held.reset();
        self.quietly = true;
    }

    fn critical_runs(&mut self, sight: &Sight<'_>) {
        if sight.critical == Some(true) {
            self.timers.critical.run(sight.now);
        } else if sight.critical == Some(false) {
            self.timers.critical.reset();
        } else {
            self.timers.critical.freeze(sight.now);
        }
    }

    fn escalate(&mut self, sight: &Sight<'_>, may_go_down: bool, out: &mut Out) {
        self.critical_runs(sight);
        match self.alert.severity {
            Severity::Warning if self.timers.critical.has_run(sight.hold_ms, sight.now) => {
                self.alert.severity = Severity::Critical;
                // Whoever saw the warning has not seen this.
                self.alert.acked_at = None;
                self.alert.acked_until = None;
                if self.alert.state == AlertState::Acked {
                    self.alert.state = AlertState::Firing;
                }
                self.describe_as(sight, false);
                self.emit(Transition::Escalated, out);
            }
            Severity::Critical
                if may_go_down && sight.base == Severity::Warning && sight.critical_hold == Some(false) =>
            {
                self.alert.severity = Severity::Warning;
                self.alert.acked_until = None;
                self.describe(sight);
                self.quietly = true;
            }
            _ => {}
        }
    }

    fn ack_expires(&mut self, sight: &Sight<'_>, out: &mut Out) {
        let critical = self.alert.severity == Severity::Critical;
        if critical && self.alert.acked_until.is_some_and(|until| until <= sight.now) {
            self.unacknowledge();
            self.describe(sight);
            self.emit(Transition::Unacked, out);
        }
    }

    /// False when there is nothing to take back.
    /// What a person did; `None` when it is already so, or cannot be.
    pub fn obey(&mut self, command: &DeskCommand, now: Timestamp) -> Option<Transition> {
        match command {
            DeskCommand::Acknowledge { until, .. } => {
                let until = until.filter(|u| *u > now);
                self.acknowledge(until, now).then_some(Transition::Acked)
            }
            DeskCommand::Unacknowledge { .. } => self.unacknowledge().then_some(Transition::Unacked),
            DeskCommand::Snooze { until, .. } if until.is_some_and(|u| u <= now) => None,
            DeskCommand::Snooze { until, .. } => {
                self.set_snooze(until.map_or(Snooze::UntilClear, Snooze::Until));
                Some(Transition::Snoozed)
            }
            DeskCommand::Unsnooze { .. } => self.unsnooze().then_some(Transition::Unsnoozed),
        }
    }

    pub fn unacknowledge(&mut self) -> bool {
        let was = self.alert.acked_at.take().is_some();
        self.alert.acked_until = None;
        if self.alert.state == AlertState::Acked {
            self.alert.state = AlertState::Firing;
        }
        was
    }

    /// False when it has not fired, or somebody was faster.
    pub fn acknowledge(&mut self, until: Option<Timestamp>, now: Timestamp) -> bool {
        if !self.has_fired() || self.alert.acked_at.is_some() {
            return false;
        }
        self.alert.acked_at = Some(now);
        if self.alert.severity == Severity::Critical {
            self.alert.acked_until = Some(until.unwrap_or_else(|| Timestamp::from_ms(now.as_ms() + ACK_MS)));
        }
        if self.alert.state == AlertState::Firing {
            self.alert.state = AlertState::Acked;
        }
        true
    }

    pub fn set_snooze(&mut self, snooze: Snooze) {
        self.snooze = Some(snooze);
        self.alert.snoozed_until = match snooze {
            Snooze::Until(until) => Some(until),
            Snooze::UntilClear => None,
        };
        self.overlay(Overlay::Snoozed, true);
    }

    /// False when it was not snoozed.
    pub fn unsnooze(&mut self) -> bool {
        self.alert.snoozed_until = None;
        self.overlay(Overlay::Snoozed, false);
        self.snooze.take().is_some()
    }

    fn overlays(&mut self, sight: &Sight<'_>, is_known: bool, out: &mut Out) {
        if self.overlay(Overlay::Unknown, !is_known) {
            self.describe(sight);
            self.emit(if is_known { Transition::Known } else { Transition::Unknown }, out);
        }
        let inhibited = sight.inhibited_by.is_some();
        let cause = sight.inhibited_by.cloned();
        if self.overlay(Overlay::Inhibited, inhibited) {
            self.alert.inhibited_by = cause;
            self.emit(if inhibited { Transition::Inhibited } else { Transition::Uninhibited }, out);
        } else if self.alert.inhibited_by != cause {
            self.alert.inhibited_by = cause;
            self.quietly = true;
        }
        if self.overlay(Overlay::Muted, sight.muted) {
            self.emit(if sight.muted { Transition::Muted } else { Transition::Unmuted }, out);
        }
        if matches!(self.snooze, Some(Snooze::Until(until)) if until <= sight.now) {
            self.unsnooze();
            self.emit(Transition::Unsnoozed, out);
        }
    }

    /// True when that changed something.
    fn overlay(&mut self, overlay: Overlay, on: bool) -> bool {
        match self.alert.overlays.binary_search(&overlay) {
            Err(at) if on => self.alert.overlays.insert(at, overlay),
            Ok(at) if !on => {
                self.alert.overlays.remove(at);
            }
            _ => return false,
        }
        true
    }

    /// An episode speaks of what it was raised for until it escalates.
    fn describe(&mut self, sight: &Sight<'_>) {
        self.describe_as(sight, true);
    }

    fn describe_as(&mut self, sight: &Sight<'_>, keep: bool) {
        let detail = (sight.describe)(&self.asked(sight.base, keep));
        self.take(detail);
    }

    /// What a sentence about it is to be of; `base`: the rule's severity before it escalates.
    pub fn asked(&self, base: Severity, keep: bool) -> Asked<'_> {
        let alert = &self.alert;
        Asked {
            critical: alert.severity == Severity::Critical && base == Severity::Warning,
            kept: (keep && !alert.metric.is_empty()).then_some((&alert.metric, alert.limit)),
            unknown: alert.overlays.contains(&Overlay::Unknown),
        }
    }

    pub fn take(&mut self, detail: Detail) {
        self.alert.metric = detail.metric;
        self.alert.value = detail.value;
        self.alert.limit = detail.limit;
        self.alert.unit = detail.unit.to_string();
        self.alert.n = detail.n;
        self.alert.reason = detail.reason;
        self.counts_from = detail.counts_from;
    }

    fn resolve(&mut self, sight: &Sight<'_>, out: &mut Out) -> Outcome {
        self.describe(sight);
        self.end(sight.now, out);
        Outcome::Over
    }

    /// Ends it, whatever it was.
    pub fn end(&mut self, now: Timestamp, out: &mut Out) {
        self.alert.state = AlertState::Inactive;
        self.alert.resolved_at = Some(now);
        self.alert.flapping = false;
        self.alert.overlays.clear();
        self.alert.inhibited_by = None;
        self.alert.snoozed_until = None;
        self.emit(Transition::Resolved, out);
    }

    pub fn emit(&mut self, transition: Transition, out: &mut Out) {
        use Transition::{Escalated, Firing, Flapping, Pending, Recovering, Resolved};
        if matches!(transition, Pending | Firing | Escalated | Recovering | Resolved | Flapping) {
            self.printed = transition;
        }
        out.push((transition, self.alert.clone()));
    }
}
