//! What to ask next, and what an answer means for the link. Pure: time is passed in as the span since
//! the start on a clock that never jumps.
//!
//! The rules, in the order in which they bite:
//! - Whoever does not know how the vendor is (start, lost link, pause, refusal, sleep) sends one request
//!   only, the *probe*, and asks the rest when it was answered. At the very start, where one part that is
//!   slow would hide all others, a second one follows when the first has not been answered for a while.
//! - A request that fails or is late means that the link is dead. The same endpoint twice in a row while
//!   others answer means that it fails alone.
//! - A refusal soon after success is first taken for throttling, until another endpoint proves that it
//!   is not. All endpoints refused: denied.
//! - Being slowed down doubles all intervals; every good answer gives a little back.

mod failure;

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::{Plan, Trouble};

/// Span since the start, on a clock that never jumps.
pub type Mono = Duration;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask this endpoint; [`Schedule::answered`] must follow.
    Ask(usize),
    /// Nothing before this moment (`None`: nothing before an answer).
    Wait(Option<Mono>),
}

/// How an endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not yet answered, or answered well.
    Fine,
    /// Fails alone.
    Failing(String),
    /// Refused for good.
    Refused(String),
    /// Refused right after success: perhaps throttled. Since when.
    Suspect(String, Mono),
    /// Slowed down or refused while others are not.
    Paused(String),
}

pub(super) struct Endpoint {
    pub plan: Plan,
    pub due: Mono,
    pub asked: Option<Mono>,
    /// When its last good answer was asked for: from there its interval counts.
    began: Mono,
    pub last_good: Option<Mono>,
    /// Bad answers in a row.
    pub failures: u32,
    last_link_failure: Option<Mono>,
    last_throttle: Option<Mono>,
    /// The last round in which it is known how this endpoint stands.
    pub settled: u64,
    pub standing: Standing,
    /// Good, but not whole.
    pub partial: Option<String>,
    /// What is to be said although nothing is missing.
    pub note: Option<String>,
    /// What its last bad answer said.
    pub said: Option<String>,
    step: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Link,
    Throttle,
    Denied,
    Misconfigured,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// Every endpoint at its own time.
    Open,
    /// One request, to see how the vendor is.
    Probing,
    /// Nothing before `until`; `None`: nothing at all.
    Shut { why: Why, until: Option<Mono>, sentence: String },
}

/// A second try, a third, and so on for ever.
const AGAIN: [u64; 3] = [2, 8, 30];
/// Pauses when the vendor does not say how long.
const PAUSES: [u64; 3] = [60, 120, 300];
/// A dead link shows within one interval and this much more.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);
/// At the start a second part is asked when the first has not answered for this long.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Denied: at most one try in this time.
const DENIED: Duration = Duration::from_secs(300);
/// No wait that a vendor asks for is longer.
const LONGEST: Duration = Duration::from_secs(900);
/// A refusal this soon after success may be throttling.
const SOON_AFTER: Duration = Duration::from_secs(600);
/// A link that held this long starts its backoff anew.
const HEALTHY: Duration = Duration::from_secs(30);
/// Intervals are never stretched further.
const SLOWEST: f64 = 8.0;

/// The schedule of one source.
pub struct Schedule {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) gate: Gate,
    /// When the gate last changed to `Shut`: answers to older requests say nothing about it.
    shut_at: Mono,
    /// When something last answered again after nothing did, the gate being open all the while.
    returned_at: Mono,
    up_since: Option<Mono>,
    attempt: usize,
    pauses: usize,
    probes: usize,
    /// Grows whenever nothing is known any more; see [`Endpoint::settled`].
    pub(super) round: u64,
    pub(super) slow: f64,
    pub(super) shown: model::Health,
    /// The endpoint whose failure was the last one that was missing to a lost link.
    pub(super) broke: usize,
    /// Pauses after the vendor's own faults, seconds; the last one stays.
    again: &'static [u64],
    rng: SmallRng,
}

impl Schedule {
    /// A schedule that has asked nothing yet.
    pub fn new(plans: Vec<Plan>, seed: u64) -> Self {
        let endpoints = plans
            .into_iter()
            .map(|plan| Endpoint {
                plan,
                due: Mono::ZERO,
                asked: None,
                began: Mono::ZERO,
                last_good: None,
                failures: 0,
                last_link_failure: None,
                last_throttle: None,
                settled: 0,
                standing: Standing::Fine,
                partial: None,
                note: None,
                said: None,
                step: 0,
            })
            .collect();
        Self {
            endpoints,
            gate: Gate::Probing,
            shut_at: Mono::ZERO,
            returned_at: Mono::ZERO,
            up_since: None,
            attempt: 0,
            pauses: 0,
            probes: 0,
            round: 1,
            slow: 1.0,
            shown: model::Health::Connecting,
            broke: 0,
            again: &AGAIN,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// Waits so many seconds after the first fault of the vendor, the second and so on, where a vendor
    /// asks for more patience than most. The last pause stays.
    #[must_use]
    pub fn again_after(mut self, pauses: &'static [u64]) -> Self {
        self.again = pauses;
        self
    }

    /// How many endpoints there are.
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    /// Whether an endpoint only looks something up.
    pub fn is_look_up(&self, endpoint: usize) -> bool {
        self.endpoints[endpoint].plan.optional
    }

    /// The present interval of an endpoint, slowed down or not.
    pub fn interval(&self, endpoint: usize) -> Duration {
        self.endpoints[endpoint].plan.every.mul_f64(self.slow)
    }

    /// Gives an endpoint another interval from now on.
    pub fn set_every(&mut self, endpoint: usize, every: Duration) {
        let (round, slow) = (self.round, self.slow);
        let endpoint = &mut self.endpoints[endpoint];
        if endpoint.plan.every != every {
            let before = std::mem::replace(&mut endpoint.plan.every, every);
            // What is not known yet in this round is asked for at once, however long the interval.
            if endpoint.standing == Standing::Fine && endpoint.settled == round {
                // An answer that took longer than the interval says nothing about another interval.
                let most = before.mul_f64(slow * 1.1);
                let pause = endpoint.due.saturating_sub(endpoint.began).min(most);
                let factor = every.as_secs_f64() / before.as_secs_f64().max(0.001);
                endpoint.due = endpoint.began + pause.mul_f64(factor);
            }
        }
    }

    /// What to do now. After `Ask` it may be called again at once.
    pub fn next(&mut self, now: Mono) -> Next {
        if let Gate::Shut { until, .. } = &self.gate {
            match until {
                Some(until) if *until <= now => self.gate = Gate::Probing,
                until => return Next::Wait(*until),
            }
        }
        let second_at = (self.gate == Gate::Probing).then(|| self.second_at()).flatten();
        let chosen = match self.gate {
            Gate::Probing if second_at.is_some_and(|at| at <= now) => Some(self.probe()),
            Gate::Probing if self.endpoints.iter().any(|e| e.asked.is_some()) => None,
            Gate::Probing => Some(self.probe()),
            _ => (0..self.endpoints.len())
                .filter(|i| self.endpoints[*i].asked.is_none() && self.endpoints[*i].due <= now)
                .min_by_key(|i| self.endpoints[*i].due),
        };
        match chosen {
            Some(endpoint) => {
                self.endpoints[endpoint].asked = Some(now);
                Next::Ask(endpoint)
            }
            None if self.gate == Gate::Probing => Next::Wait(second_at),
            None => Next::Wait(
                self.endpoints
                    .iter()
                    .filter(|e| e.asked.is_none())
                    .map(|e| e.due)
                    .chain(self.deadlines(now))
                    .min(),
            ),
        }
    }

    /// When a second request follows the first, which is not answered: at the very start only.
    fn second_at(&self) -> Option<Mono> {
        let is_start =
            self.round == 1 && self.endpoints.iter().all(|e| e.last_good.is_none() && e.failures == 0);
        let mut asked = self.endpoints.iter().filter_map(|e| e.asked);
        match (asked.next(), asked.next()) {
            (Some(first), None) if is_start && self.probes == 1 => Some(first + PATIENCE),
            _ => None,
        }
    }

    /// The endpoint to try next when nothing is known; another one each time, so that one which hangs
    /// cannot hide the others.
    fn probe(&mut self) -> usize {
        let of = |wanted: fn(&Endpoint) -> bool| -> Vec<usize> {
            (0..self.endpoints.len()).filter(|i| wanted(&self.endpoints[*i])).collect()
        };
        let mut among = of(|e| !e.plan.optional && !matches!(e.standing, Standing::Refused(_)));
        if among.is_empty() {
            among = of(|e| !e.plan.optional);
        }
        let chosen = among[self.probes % among.len()];
        self.probes += 1;
        chosen
    }

    /// An endpoint has answered well; `partial` says what is missing, where something is.
    pub fn good(&mut self, index: usize, now: Mono, partial: Option<String>) {
        let asked = self.endpoints[index].asked.take().unwrap_or(now);
        let all_bad = self.all_bad();
        self.slow = (self.slow - 0.1).max(1.0);
        let interval = self.jittered(self.interval(index));
        let endpoint = &mut self.endpoints[index];
        endpoint.last_good = Some(now);
        endpoint.began = asked;
        endpoint.failures = 0;
        endpoint.step = 0;
        endpoint.settled = self.round;
        endpoint.standing = Standing::Fine;
        endpoint.partial = partial;
        endpoint.due = (asked + interval).max(now);
        if endpoint.plan.optional {
            return;
        }
        for other in &mut self.endpoints {
            if let Standing::Suspect(sentence, since) = &other.standing
                && *since <= asked
            {
                other.standing = Standing::Paused(sentence.clone());
                // After a loss it is asked once more before it counts as a gap.
                other.settled = if all_bad { 0 } else { self.round };
            }
        }
        if asked >= self.shut_at && !matches!(self.gate, Gate::Shut { .. }) {
            let was_open = self.gate == Gate::Open;
            self.opened(now);
            if all_bad && was_open {
                self.returned(index, now);
            }
        }
    }

    /// Something to say about an endpoint that nothing is missing from; stays until replaced.
    pub fn note(&mut self, index: usize, note: Option<String>) {
        self.endpoints[index].note = note;
    }

    /// The machine slept, or the wall clock jumped ahead: nothing that we know is fresh.
    pub fn woke(&mut self, now: Mono) {
        if self.shown == model::Health::Live {
            self.shown = model::Health::Stale;
        }
        self.round += 1;
        match self.gate {
            Gate::Shut { why: Why::Link, .. } | Gate::Open => self.gate = Gate::Probing,
            _ => {}
        }
        self.shut_at = now;
    }

    fn opened(&mut self, now: Mono) {
        if self.gate == Gate::Open {
            return;
        }
        self.gate = Gate::Open;
        self.up_since = Some(now);
        let round = self.round;
        self.hurry(now, |e| e.settled < round);
    }

    /// One endpoint answers again after none did. What failed meanwhile says nothing about now: each of
    /// those is asked once before rows are shown, or the first answer would make the others a gap.
    fn returned(&mut self, index: usize, now: Mono) {
        let before = self.round;
        self.round += 1;
        self.returned_at = now;
        for (at, endpoint) in self.endpoints.iter_mut().enumerate() {
            let failing = at != index && matches!(endpoint.standing, Standing::Failing(_));
            if endpoint.settled >= before && !failing {
                endpoint.settled = self.round;
            }
        }
        let round = self.round;
        self.hurry(now, |e| e.settled < round);
    }

    fn hurry(&mut self, now: Mono, which: impl Fn(&Endpoint) -> bool) {
        for endpoint in self.endpoints.iter_mut().filter(|e| which(e)) {
            endpoint.due = endpoint.due.min(now);
        }
    }

    /// Whether no endpoint that counts gave data when it was last asked.
    pub(super) fn all_bad(&self) -> bool {
        self.endpoints.iter().filter(|e| !e.plan.optional).all(|e| e.failures > 0)
    }

    fn again(&mut self, index: usize) -> Duration {
        let failures = self.endpoints[index].failures as usize;
        match self.again.get(failures.saturating_sub(1)).or(self.again.last()) {
            Some(seconds) if failures <= self.again.len() => self.jittered(Duration::from_secs(*seconds)),
            last => {
                let pause = Duration::from_secs(last.copied().unwrap_or_default());
                self.jittered(self.interval(index).max(pause))
            }
        }
    }

    /// Up to a tenth sooner or later, but never so late that a dead link would be noticed late.
    fn jittered(&mut self, span: Duration) -> Duration {
        let later = (2.0 / span.as_secs_f64().max(0.001)).min(0.1);
        span.mul_f64(1.0 + self.rng.random_range(-0.1..later))
    }
}
