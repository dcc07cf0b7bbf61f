//! What the schedule says about the link: health, gaps, sentence, next try.

use std::time::Duration;

use model::Health;

use super::schedule::{Endpoint, Gate, Mono, Schedule, Standing, Why};

/// How the source is, in the schedule's time.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How well the link is.
    pub health: Health,
    /// One plain sentence; `None` when there is nothing to say.
    pub error: Option<String>,
    /// When the next try is due.
    pub retry_at: Option<Mono>,
    /// Endpoints that fail alone; sorted.
    pub gaps: Vec<String>,
    /// Whether it is known how every endpoint stands: only then are rows worth showing.
    pub settled: bool,
}

/// Data is old when no good answer came for this many intervals.
const STALE_AFTER: f64 = 3.0;

impl Endpoint {
    fn gap(&self) -> Option<&str> {
        match &self.standing {
            Standing::Fine | Standing::Suspect(..) => self.partial.as_deref(),
            _ => self.failure(),
        }
    }

    /// What its last bad answer said, where it was one.
    fn failure(&self) -> Option<&str> {
        match &self.standing {
            Standing::Failing(sentence) | Standing::Refused(sentence) | Standing::Paused(sentence) => {
                Some(sentence)
            }
            Standing::Fine | Standing::Suspect(..) => self.said.as_deref().filter(|_| self.failures > 0),
        }
    }

    fn old_at(&self, slow: f64) -> Option<Mono> {
        self.last_good.map(|good| good + self.plan.every.mul_f64(slow * STALE_AFTER))
    }

    /// When the figures of one that fails alone are too old: after its own intervals, however far apart it
    /// is asked meanwhile because the vendor might be slowing us down.
    fn outdated_at(&self) -> Option<Mono> {
        self.old_at(1.0)
    }
}

impl Schedule {
    /// How the source is now; `None` while that is being found out.
    pub fn verdict(&mut self, now: Mono) -> Option<Verdict> {
        let verdict = self.judge(now)?;
        self.shown = verdict.health;
        Some(verdict)
    }

    fn judge(&self, now: Mono) -> Option<Verdict> {
        let alone = |health: Health, error: Option<String>, retry_at: Option<Mono>| {
            Some(Verdict { health, error, retry_at, gaps: Vec::new(), settled: false })
        };
        // Sleep makes old at once; everything else that is being found out keeps its last word.
        let open_question = || match self.shown {
            Health::Stale => alone(Health::Stale, None, None),
            _ => None,
        };
        let note = || self.endpoints.iter().find_map(|e| e.note.clone());
        let first_sentence = || self.endpoints.iter().find_map(|e| e.gap().map(str::to_owned));
        match &self.gate {
            Gate::Shut { why, until, sentence } => {
                let health = match why {
                    Why::Link => Health::Retrying,
                    Why::Throttle => Health::Throttled,
                    Why::Denied => Health::Denied,
                    Why::Misconfigured => Health::Misconfigured,
                };
                return alone(health, Some(sentence.clone()), *until);
            }
            Gate::Probing => return open_question(),
            Gate::Open => {}
        }
        let required = || self.endpoints.iter().filter(|e| !e.plan.optional);
        if let Some((sentence, due)) = required().find_map(|e| match &e.standing {
            Standing::Suspect(sentence, _) => Some((sentence.clone(), e.due)),
            _ => None,
        }) {
            return alone(Health::Throttled, Some(sentence), Some(due));
        }
        if self.all_bad() {
            let retry_at = required().map(|e| e.due).min();
            // What was missing before the loss is not its reason.
            let broke = &self.endpoints[self.broke];
            let said = broke.failure().or_else(|| required().find_map(Endpoint::failure)).map(str::to_owned);
            return alone(Health::Retrying, said, retry_at);
        }
        if self.endpoints.iter().any(|e| e.settled < self.round) {
            return open_question();
        }
        let mut gaps: Vec<String> =
            self.endpoints.iter().filter(|e| e.gap().is_some()).map(|e| e.plan.name.to_owned()).collect();
        gaps.sort();
        gaps.dedup();
        let late = required().any(|e| e.gap().is_none() && e.old_at(self.slow).is_some_and(|old| old <= now));
        let error = if late && required().all(|e| e.gap().is_none()) {
            Some("No fresh answer for three intervals; the figures are old.".to_owned())
        } else {
            let gap = required().find_map(|e| e.gap().map(str::to_owned)).or_else(first_sentence);
            let said: Vec<String> = gap.into_iter().chain(note()).collect();
            (!said.is_empty()).then(|| said.join(" "))
        };
        let health = if late { Health::Stale } else { Health::Live };
        Some(Verdict { health, error, retry_at: None, gaps, settled: true })
    }

    /// Endpoints that fail alone and whose last good answer is too old to be shown as present.
    pub fn outdated(&self, now: Mono) -> Vec<usize> {
        if self.gate != Gate::Open {
            return Vec::new();
        }
        (0..self.endpoints.len())
            .filter(|index| {
                let endpoint = &self.endpoints[*index];
                !endpoint.plan.optional
                    && !matches!(endpoint.standing, Standing::Fine)
                    && endpoint.outdated_at().is_none_or(|old| old <= now)
            })
            .collect()
    }

    /// Moments at which an answer that does not come makes a difference.
    pub(super) fn deadlines(&self, now: Mono) -> impl Iterator<Item = Mono> + '_ {
        let after = now + Duration::from_millis(1);
        self.endpoints
            .iter()
            .filter(|e| !e.plan.optional)
            .flat_map(|e| [e.old_at(self.slow), e.outdated_at()])
            .flatten()
            .filter(move |old| *old >= after)
    }
}
