//! What an answer without data means: for its endpoint, for the others, and for the link.

use std::time::Duration;

use rand::Rng as _;

use super::{
    AGAIN, DENIED, Gate, HEALTHY, LONGEST, Mono, PAUSES, SHOWN_WITHIN, SLOWEST, SOON_AFTER, Schedule,
    Standing, Trouble, Why,
};

impl Schedule {
    /// An endpoint has given no data.
    pub fn bad(&mut self, index: usize, now: Mono, trouble: Trouble) {
        let asked = self.endpoints[index].asked.take().unwrap_or(now);
        // Requests that were already under way when the gate was shut say nothing new about it.
        let old = asked < self.shut_at || matches!(self.gate, Gate::Shut { .. });
        let was_bad = self.all_bad();
        self.endpoints[index].failures += 1;
        if !was_bad && self.all_bad() {
            self.broke = index;
        }
        let endpoint = &mut self.endpoints[index];
        if endpoint.plan.optional && !trouble.is_of_the_source() {
            return self.look_up_failed(index, now, trouble, old);
        }
        match trouble {
            Trouble::SignIn(sentence) => self.shut(now, None, Why::Denied, sentence),
            Trouble::SignInLater(sentence) => self.shut(now, Some(now + DENIED), Why::Denied, sentence),
            Trouble::Misconfigured(sentence) => self.shut(now, None, Why::Misconfigured, sentence),
            Trouble::Link(sentence) => {
                let before = endpoint.last_link_failure.replace(now);
                let others_answer = before.is_some_and(|before| {
                    self.endpoints.iter().any(|e| !e.plan.optional && e.last_good.is_some_and(|g| g > before))
                });
                if others_answer && self.gate == Gate::Open {
                    self.fails_alone(index, now, sentence, true);
                } else if old || asked < self.returned_at {
                    self.again_at_once(index, now, sentence);
                } else {
                    self.lost(now, sentence);
                }
            }
            Trouble::Broken { sentence, .. } if asked < self.returned_at => {
                self.again_at_once(index, now, sentence);
            }
            Trouble::Broken { sentence, soon } => self.fails_alone(index, now, sentence, soon),
            Trouble::Refused { sentence, credentials } => self.refused(index, now, sentence, credentials),
            Trouble::Throttled { sentence, after } => self.throttled(index, now, sentence, after, old),
        }
    }

    fn look_up_failed(&mut self, index: usize, now: Mono, trouble: Trouble, old: bool) {
        let (sentence, wait) = match trouble {
            Trouble::Throttled { sentence, after } => {
                return self.throttled(index, now, sentence, after, old);
            }
            Trouble::Refused { sentence, .. } => (sentence, Duration::from_secs(3600)),
            Trouble::Link(sentence) | Trouble::Broken { sentence, .. } => (sentence, self.again(index)),
            Trouble::SignIn(_) | Trouble::SignInLater(_) | Trouble::Misconfigured(_) => return,
        };
        let endpoint = &mut self.endpoints[index];
        endpoint.standing = Standing::Failing(sentence);
        endpoint.settled = self.round;
        endpoint.due = now + wait;
    }

    pub(super) fn lost(&mut self, now: Mono, sentence: String) {
        if self.up_since.is_some_and(|since| now.saturating_sub(since) >= HEALTHY) {
            self.attempt = 0;
        }
        // Full jitter, with a little that keeps two tries apart.
        let ceiling = Duration::from_secs(AGAIN[self.attempt.min(AGAIN.len() - 1)]);
        let wait = Duration::from_millis(250).max(ceiling.mul_f64(self.rng.random_range(0.0..1.0)));
        self.attempt += 1;
        self.shut(now, Some(now + wait), Why::Link, sentence);
    }

    /// It was asked before it was known that something answers: that counts for nothing.
    fn again_at_once(&mut self, index: usize, now: Mono, sentence: String) {
        let endpoint = &mut self.endpoints[index];
        endpoint.due = now;
        endpoint.said = Some(sentence);
    }

    fn fails_alone(&mut self, index: usize, now: Mono, sentence: String, soon: bool) {
        let wait = if soon { self.again(index) } else { self.jittered(self.interval(index)) };
        let round = self.round;
        let endpoint = &mut self.endpoints[index];
        endpoint.due = now + wait;
        let first = !matches!(endpoint.standing, Standing::Failing(_));
        if endpoint.failures >= 2 || (!soon && endpoint.last_good.is_none()) {
            endpoint.said = Some(sentence.clone());
            endpoint.standing = Standing::Failing(sentence);
            endpoint.settled = round;
            if first {
                // Is it this one alone? The others tell.
                let just = now.saturating_sub(Duration::from_secs(2));
                self.hurry(now, |e| e.last_good.is_none_or(|good| good < just) && e.failures == 0);
            }
        } else {
            endpoint.standing = Standing::Fine;
            endpoint.said = Some(sentence);
            if soon && wait > SHOWN_WITHIN {
                // The second try comes too late to show a dead link in time: the others tell now.
                self.hurry(now, |e| e.failures == 0);
            }
        }
        // Something answers there, so the others are worth a try.
        if self.gate == Gate::Probing {
            self.opened(now);
        }
    }

    pub(super) fn refused(&mut self, index: usize, now: Mono, sentence: String, credentials: bool) {
        let round = self.round;
        let endpoint = &mut self.endpoints[index];
        let recent = endpoint.last_good.is_some_and(|good| now.saturating_sub(good) < SOON_AFTER);
        let suspected = matches!(endpoint.standing, Standing::Suspect(..) | Standing::Paused(_));
        if !credentials && (recent || suspected) && endpoint.step < PAUSES.len() {
            let wait = Duration::from_secs(PAUSES[endpoint.step]);
            endpoint.step += 1;
            endpoint.due = now + wait;
            endpoint.standing = match &endpoint.standing {
                Standing::Paused(_) => {
                    endpoint.settled = round;
                    Standing::Paused(sentence.clone())
                }
                _ => Standing::Suspect(sentence.clone(), now),
            };
            self.slow = (self.slow * 2.0).min(SLOWEST);
            if self.gate == Gate::Probing {
                self.shut(now, Some(now + wait), Why::Throttle, sentence);
            }
            return;
        }
        let rechecks = endpoint.step.saturating_sub(PAUSES.len()).min(4);
        endpoint.step = endpoint.step.max(PAUSES.len()) + 1;
        endpoint.due = now + DENIED * (1 << rechecks);
        endpoint.standing = Standing::Refused(sentence.clone());
        endpoint.settled = round;
        let all = self.endpoints.iter().filter(|e| !e.plan.optional);
        let all_refused = all.clone().all(|e| matches!(e.standing, Standing::Refused(_)));
        if matches!(self.gate, Gate::Shut { .. }) {
            return;
        }
        if all_refused || (credentials && self.gate == Gate::Probing) {
            self.shut(now, Some(now + DENIED), Why::Denied, sentence);
        } else {
            if credentials {
                self.hurry(now, |e| e.standing == Standing::Fine);
            }
            self.opened(now);
        }
    }

    pub(super) fn throttled(
        &mut self,
        index: usize,
        now: Mono,
        sentence: String,
        after: Option<Duration>,
        old: bool,
    ) {
        let before = self.endpoints[index].last_throttle.replace(now);
        let alone = self.gate == Gate::Open
            && before.is_some_and(|before| {
                self.endpoints
                    .iter()
                    .any(|e| !e.plan.optional && e.last_good.is_some_and(|good| good > before))
            });
        if !old {
            self.pauses = if alone || before.is_none() { 0 } else { self.pauses };
        }
        let wait = after
            .unwrap_or(Duration::from_secs(PAUSES[self.pauses.min(PAUSES.len() - 1)]))
            .clamp(Duration::from_secs(1), LONGEST);
        let until = now + wait;
        let round = self.round;
        let endpoint = &mut self.endpoints[index];
        endpoint.due = until;
        if alone {
            endpoint.standing = Standing::Paused(sentence);
            endpoint.settled = round;
            return;
        }
        if let Gate::Shut { why: Why::Throttle, until: Some(old_until), .. } = &mut self.gate {
            *old_until = until.max(*old_until);
            return;
        }
        if old {
            return;
        }
        self.slow = (self.slow * 2.0).min(SLOWEST);
        self.pauses += 1;
        self.shut(now, Some(until), Why::Throttle, sentence);
    }

    fn shut(&mut self, now: Mono, until: Option<Mono>, why: Why, sentence: String) {
        self.gate = Gate::Shut { why, until, sentence };
        self.shut_at = now;
        self.up_since = None;
        self.round += 1;
    }
}
