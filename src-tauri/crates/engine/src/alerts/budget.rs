//! How loud the rules are. People cope with about ten alarms an hour; above that the rule that is to
//! blame is named.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;

/// So many alerts an hour are enough for one person.
pub const HOURLY: u32 = 10;
const HOUR_MS: i64 = 3_600_000;
/// More are not counted one by one: it is far too many either way.
const KEPT: usize = 10_000;

/// The alerts that fired within the last hour.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    fired: VecDeque<(Timestamp, String)>,
}

/// What the last hour was like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Times that alerts fired.
    pub fired: u32,
    /// Above [`HOURLY`]: the rule that fired most (the first by name among equals), and how often.
    pub noisiest: Option<(String, u32)>,
}

impl Budget {
    /// An alert of a rule fired.
    pub fn fired(&mut self, at: Timestamp, rule: &str) {
        if self.fired.len() >= KEPT {
            self.fired.pop_front();
        }
        self.fired.push_back((at, rule.to_owned()));
    }

    /// The hour before `now`.
    pub fn spent(&mut self, now: Timestamp) -> Spent {
        self.fired.retain(|(at, _)| now.as_ms() - at.as_ms() < HOUR_MS);
        let mut spent = Spent { fired: u32::try_from(self.fired.len()).unwrap_or(u32::MAX), noisiest: None };
        if spent.fired > HOURLY {
            let mut by_rule: BTreeMap<&str, u32> = BTreeMap::new();
            for (_, rule) in &self.fired {
                *by_rule.entry(rule).or_default() += 1;
            }
            let worst = by_rule.into_iter().rev().max_by_key(|(_, times)| *times);
            spent.noisiest = worst.map(|(rule, times)| (rule.to_owned(), times));
        }
        spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_an_hour_are_fine_and_the_eleventh_names_the_noisiest() {
        let mut budget = Budget::default();
        let at = |minute: i64| Timestamp::from_ms(minute * 60_000);
        for minute in 0..10 {
            budget.fired(at(minute), if minute % 3 == 0 { "Short" } else { "Long wait" });
        }
        assert_eq!(budget.spent(at(10)), Spent { fired: 10, noisiest: None });
        budget.fired(at(11), "Short");
        assert_eq!(budget.spent(at(11)), Spent { fired: 11, noisiest: Some(("Long wait".into(), 6)) });
        // The first of them is an hour old: it no longer counts.
        assert_eq!(budget.spent(at(60)), Spent { fired: 10, noisiest: None });
        assert_eq!(budget.spent(at(600)).fired, 0);
    }
}
