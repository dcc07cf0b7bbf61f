//! Chance, from one seed.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

/// One seeded stream of chance. The same seed and the same questions give the same answers.
pub struct Dice(StdRng);

impl Dice {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }
    /// Evenly from 0 up to, but without, 1.
    pub fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }
    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
    /// Evenly from 0 up to, but without, `below`; 0 when `below` is 0.
    pub fn below(&mut self, below: usize) -> usize {
        if below == 0 { 0 } else { self.0.random_range(0..below) }
    }
    /// One of several; `None` of an empty list.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
    /// Exponential with this mean: the time to the next of events that know nothing of each other.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.unit()).ln())
    }
    /// Lognormal with this mean and coefficient of variation: how long people handle a chat
    /// (Brown et al. 2005 found service times lognormal).
    pub fn lognormal(&mut self, mean: Duration, variation: f64) -> Duration {
        let sigma2 = (1.0 + variation * variation).ln();
        let mu = mean.as_secs_f64().max(0.001).ln() - sigma2 / 2.0;
        let normal = (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        // Cut at six hours: a single draw must not keep an agent for ever.
        Duration::from_secs_f64((mu + sigma2.sqrt() * normal).exp().min(21_600.0))
    }
    /// Evenly between two durations.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        low + (high.saturating_sub(low)).mul_f64(self.unit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_what_was_asked_for() {
        let mut dice = Dice::new(7);
        let n = 20_000;
        let mean = Duration::from_secs(300);
        let exponential: f64 =
            (0..n).map(|_| dice.exponential(mean).as_secs_f64()).sum::<f64>() / f64::from(n);
        let lognormal: f64 =
            (0..n).map(|_| dice.lognormal(mean, 0.8).as_secs_f64()).sum::<f64>() / f64::from(n);
        assert!((exponential - 300.0).abs() < 10.0, "{exponential}");
        assert!((lognormal - 300.0).abs() < 10.0, "{lognormal}");
    }
}
