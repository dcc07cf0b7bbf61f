//! The vendor's clock against ours, learnt from `Date` headers.
//!
//! A `Date` has whole seconds and travels for a while, so one answer only bounds the skew: between
//! `date − received` and `date + 1 s − sent`. Many answers narrow the bounds. The figure that is shown
//! stays put as long as the bounds allow it.

use model::Timestamp;

use crate::http::Answer;

/// Below this a difference means nothing to people and is shown as none, seconds.
pub const NOTICEABLE_S: f64 = 2.0;

/// Bounds on `server − ours`, seconds, and the figure that is reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skew {
    bounds: Option<(f64, f64)>,
    reported: Option<f64>,
}

impl Skew {
    /// Learns from an answer, if it says its time.
    pub fn learn(&mut self, answer: &Answer) {
        if let Some(date) = answer.date() {
            self.sample(date, answer.sent_at, answer.received_at);
        }
    }

    /// Learns from a server's time, given in whole seconds, and our times around it.
    pub fn sample(&mut self, date: Timestamp, sent: Timestamp, received: Timestamp) {
        let (low, high) = (date.seconds_since(received), date.seconds_since(sent) + 1.0);
        if high < low {
            // Our own clock stepped back while we asked.
            return;
        }
        let bounds = match self.bounds {
            Some((l, h)) if low <= h && high >= l => (low.max(l), high.min(h)),
            // One of the clocks was set: what was known is void.
            _ => (low, high),
        };
        self.bounds = Some(bounds);
        let middle = f64::midpoint(bounds.0, bounds.1);
        // Most clocks agree. A slow answer bounds nothing, and must not bend what is measured with it.
        let agree = (bounds.0..=bounds.1).contains(&0.0) || middle.abs() < NOTICEABLE_S;
        let fresh = if agree { 0.0 } else { (middle * 10.0).round() / 10.0 };
        let stays = self
            .reported
            .is_some_and(|r| r == fresh || (r != 0.0 && fresh != 0.0 && (bounds.0..=bounds.1).contains(&r)));
        if !stays {
            self.reported = Some(fresh);
        }
    }

    /// Server clock minus ours, seconds; `None` before the first sample.
    pub fn seconds(&self) -> Option<f64> {
        self.reported
    }

    /// Our instant in the vendor's clock.
    pub fn vendor_time(&self, ours: Timestamp) -> Timestamp {
        ours.plus_seconds(self.reported.unwrap_or(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(skew: &mut Skew, true_skew_ms: i64, at_ms: i64, rtt_ms: i64) {
        let server = at_ms + rtt_ms / 2 + true_skew_ms;
        let date = Timestamp::from_ms(server.div_euclid(1000) * 1000);
        skew.sample(date, Timestamp::from_ms(at_ms), Timestamp::from_ms(at_ms + rtt_ms));
    }

    #[test]
    fn equal_clocks_are_no_skew_and_never_jitter() {
        let mut skew = Skew::default();
        assert_eq!(skew.seconds(), None);
        for n in 0..500 {
            feed(&mut skew, 0, 1_000_000 + n * 377, 40);
            assert_eq!(skew.seconds(), Some(0.0));
        }
    }

    #[test]
    fn p19_a_clock_seven_minutes_ahead_is_found_and_stays_put() {
        let mut skew = Skew::default();
        let mut seen = Vec::new();
        for n in 0..500 {
            feed(&mut skew, 420_300, 1_000_000 + n * 377, 40);
            seen.push(skew.seconds().unwrap());
        }
        seen.dedup();
        assert!(seen.len() <= 3, "{seen:?}");
        assert!((skew.seconds().unwrap() - 420.3).abs() <= 0.6);
        // Set back: found again.
        feed(&mut skew, -3_600_000, 2_000_000, 40);
        assert!((skew.seconds().unwrap() + 3600.0).abs() <= 1.1);
    }

    #[test]
    fn a_slow_answer_is_no_skew() {
        let mut skew = Skew::default();
        // Computed and stamped at the end of six seconds.
        skew.sample(Timestamp::from_ms(16_000), Timestamp::from_ms(10_000), Timestamp::from_ms(16_050));
        assert_eq!(skew.seconds(), Some(0.0));
        // Seven minutes are seen through any delay.
        let mut skew = Skew::default();
        skew.sample(Timestamp::from_ms(436_000), Timestamp::from_ms(10_000), Timestamp::from_ms(16_050));
        assert!((skew.seconds().unwrap() - 420.0).abs() < 8.0);
    }

    proptest! {
        #[test]
        fn is_never_off_by_more_than_two_seconds(true_ms in -100_000i64..100_000, steps in prop::collection::vec((1i64..5000, 1i64..900), 1..60)) {
            let mut skew = Skew::default();
            let mut at = 10_000_000;
            for (step, rtt) in steps {
                at += step;
                feed(&mut skew, true_ms, at, rtt);
                let off = skew.seconds().unwrap() - true_ms as f64 / 1000.0;
                prop_assert!(off.abs() <= 3.0, "{off}");
            }
        }
    }
}
