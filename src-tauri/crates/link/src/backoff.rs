//! How long to wait before trying again.

use std::time::Duration;

use model::Timestamp;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

/// `Retry-After` is obeyed up to here.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(15 * 60);

/// Exponential backoff with full jitter: the n-th wait is drawn evenly from zero to
/// `min(cap, base · 2ⁿ)`, so that clients that lost a server together do not return together.
#[derive(Clone, Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    failures: u32,
    rng: SmallRng,
}

impl Backoff {
    /// Never shorter than this, so that a zero draw does not spin.
    pub const FLOOR: Duration = Duration::from_millis(100);
    /// Health that lasted this long forgives all failures.
    pub const HEALTHY: Duration = Duration::from_secs(30);

    /// 1 s base, 30 s cap: the contract's usual numbers.
    pub fn new(seed: u64) -> Self {
        Self::with(Duration::from_secs(1), Duration::from_secs(30), seed)
    }
    /// Other numbers, where a vendor asks for slower.
    pub fn with(base: Duration, cap: Duration, seed: u64) -> Self {
        Self { base, cap, failures: 0, rng: SmallRng::seed_from_u64(seed) }
    }
    /// The wait after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let ceiling = self.base.saturating_mul(2u32.saturating_pow(self.failures.min(30))).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        let drawn = ceiling.mul_f64(self.rng.random::<f64>());
        drawn.max(Self::FLOOR.min(self.cap))
    }
    /// Tell how long the link was healthy before it failed; 30 s forgive everything.
    pub fn was_healthy_for(&mut self, time: Duration) {
        if time >= Self::HEALTHY {
            self.failures = 0;
        }
    }
    /// Failures in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// Reads `Retry-After`: seconds or a date, clamped to zero … 15 min; `None` for anything else.
/// `now` is by the clock of whoever wrote it, where that is known (its `Date`).
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(at) = httpdate::parse_http_date(text) {
        from_system(at).since(now)
    } else if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number too long for u64 is a very long wait, not garbage.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        // Some servers send fractions.
        let seconds: f64 = text.parse().ok().filter(|s: &f64| s.is_finite() && *s >= 0.0)?;
        Duration::try_from_secs_f64(seconds).unwrap_or(RETRY_AFTER_CAP)
    };
    Some(wait.min(RETRY_AFTER_CAP))
}

/// Reads an HTTP date (any of its three forms).
pub fn http_date(text: &str) -> Option<Timestamp> {
    httpdate::parse_http_date(text.trim()).ok().map(from_system)
}

fn from_system(at: std::time::SystemTime) -> Timestamp {
    let since = at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_beyond() {
        let mut backoff = Backoff::new(7);
        for n in 0..40u32 {
            let wait = backoff.next_wait();
            let ceiling = Duration::from_secs(1u64 << n.min(5)).min(Duration::from_secs(30));
            assert!(wait >= Backoff::FLOOR && wait <= ceiling, "{n}: {wait:?}");
        }
        backoff.was_healthy_for(Duration::from_secs(29));
        assert_eq!(backoff.failures(), 40);
        backoff.was_healthy_for(Duration::from_secs(30));
        assert!(backoff.next_wait() <= Duration::from_secs(1));
    }

    #[test]
    fn jitter_is_full_and_repeats_with_its_seed() {
        let draw = |seed| {
            let mut b = Backoff::new(seed);
            (0..8).map(|_| b.next_wait()).collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        // Full jitter also draws short waits after many failures.
        let mut b = Backoff::new(3);
        let late: Vec<_> = (0..200).map(|_| b.next_wait()).skip(10).collect();
        assert!(late.iter().any(|w| *w < Duration::from_secs(5)));
        assert!(late.iter().any(|w| *w > Duration::from_secs(25)));
    }

    #[test]
    fn n19_five_hundred_clients_that_lost_a_server_together_come_back_one_by_one() {
        // A server that is away for half a minute and then takes 25 connections a second.
        let mut tries = vec![0u32; 120];
        let mut all: Vec<(f64, Backoff)> = (0..500).map(|seed| (0.0, Backoff::new(seed))).collect();
        let mut room = [25u32; 120];
        for (at, backoff) in &mut all {
            loop {
                *at += backoff.next_wait().as_secs_f64();
                let second = *at as usize;
                if second >= 120 {
                    break;
                }
                tries[second] += 1;
                if second >= 30 && room[second] > 0 {
                    room[second] -= 1;
                    break;
                }
            }
        }
        let back = all.iter().filter(|(at, _)| *at < 120.0).count();
        assert!(back >= 490, "{back} are back after a minute and a half");
        // Once the first seconds are over nobody sees a herd: 500 at once would be one try each.
        let most = tries[10..].iter().max().copied().unwrap_or(0);
        assert!(most <= 150, "{most} tries in one second");
    }

    #[test]
    fn n15_n16_eight_hours_without_a_network_are_few_tries() {
        let mut backoff = Backoff::new(5);
        let (mut at, mut tries) = (Duration::ZERO, 0u32);
        while at < Duration::from_secs(8 * 3600) {
            // A line that comes up for two seconds and goes again forgives nothing.
            backoff.was_healthy_for(Duration::from_secs(2));
            at += backoff.next_wait();
            tries += 1;
        }
        assert!((1000..3000).contains(&tries), "{tries}");
    }

    #[test]
    fn l2_retry_after_in_all_its_forms() {
        let now: Timestamp = "2026-01-31T09:30:00Z".parse().unwrap();
        let s = Duration::from_secs;
        for (text, wait) in [
            ("120", Some(s(120))),
            (" 0 ", Some(s(0))),
            ("1.5", Some(Duration::from_millis(1500))),
            ("1000000000", Some(RETRY_AFTER_CAP)),
            ("99999999999999999999999999", Some(RETRY_AFTER_CAP)),
            ("Sat, 31 Jan 2026 09:31:00 GMT", Some(s(60))),
            ("Sat, 31 Jan 2026 09:00:00 GMT", Some(s(0))),
            ("Sun, 31 Jan 2027 09:00:00 GMT", Some(RETRY_AFTER_CAP)),
            ("soon", None),
            ("-5", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), wait, "{text}");
        }
    }
}
