//! A token bucket: how often something may be done. Time is given, never asked for.

use std::time::Duration;

use tokio::time::Instant;

/// At most `burst` at once and `burst` per `period` on average.
#[derive(Clone, Debug)]
pub struct Bucket {
    burst: f64,
    period: Duration,
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(burst: u32, period: Duration, now: Instant) -> Self {
        let burst = f64::from(burst.max(1));
        Self { burst, period: period.max(Duration::from_millis(1)), tokens: burst, filled_at: now }
    }
    /// Takes one; otherwise says when one will be there.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let passed = now.saturating_duration_since(self.filled_at);
        let gained = self.burst * passed.as_secs_f64() / self.period.as_secs_f64();
        self.tokens = (self.tokens + gained).min(self.burst);
        self.filled_at = self.filled_at.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let missing = self.period.mul_f64((1.0 - self.tokens) / self.burst);
        // Rounded up: asking again at that instant must find one.
        Err(now + missing + Duration::from_millis(1))
    }
    /// Slows down or speeds up; what is in the bucket stays, up to the new size.
    pub fn retune(&mut self, burst: u32, period: Duration) {
        self.burst = f64::from(burst.max(1));
        self.period = period.max(Duration::from_millis(1));
        self.tokens = self.tokens.min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gives_the_burst_then_one_at_a_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(2, Duration::from_secs(2), start);
        assert!(bucket.take(start).is_ok() && bucket.take(start).is_ok());
        let next = bucket.take(start).unwrap_err();
        assert!(next > start && next <= start + Duration::from_millis(1001));
        assert!(bucket.take(next).is_ok());
        assert!(bucket.take(next).is_err());
    }

    proptest! {
        #[test]
        fn never_more_than_burst_plus_rate(burst in 1u32..20, gaps in prop::collection::vec(0u64..500, 1..200)) {
            let start = Instant::now();
            let period = Duration::from_secs(1);
            let mut bucket = Bucket::new(burst, period, start);
            let (mut now, mut taken) = (start, 0u32);
            for gap in gaps {
                now += Duration::from_millis(gap);
                taken += u32::from(bucket.take(now).is_ok());
                let allowed = f64::from(burst) * (1.0 + (now - start).as_secs_f64());
                prop_assert!(f64::from(taken) <= allowed + 1e-6);
            }
        }
    }
}
