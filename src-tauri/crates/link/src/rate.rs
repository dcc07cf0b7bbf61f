//! How often something may be done. Time is given, never asked for.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// At most so many in **any** span of a period, also in the first: whoever counts at the other end may begin
/// to count whenever they like. (A bucket that fills while it is emptied would let nearly twice as many
/// through its first period.)
#[derive(Clone, Debug)]
pub struct Window {
    most: usize,
    period: Duration,
    /// When the last ones were taken, oldest first; never more than `most`.
    taken: VecDeque<Instant>,
}

impl Window {
    /// Nothing has been taken yet.
    pub fn new(most: u32, period: Duration) -> Self {
        let most = most.max(1) as usize;
        // They count when a request arrives, and one may be on its way longer than the next.
        let period = period.max(Duration::from_millis(1)).mul_f64(1.01);
        Self { most, period, taken: VecDeque::new() }
    }
    /// Takes one; otherwise says when one will be there.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        while self.taken.front().is_some_and(|at| now >= *at + self.period) {
            self.taken.pop_front();
        }
        match self.taken.front() {
            Some(oldest) if self.taken.len() >= self.most => Err(*oldest + self.period),
            _ => {
                self.taken.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gives_all_at_once_and_then_as_they_come_back() {
        let start = Instant::now();
        let mut window = Window::new(2, Duration::from_secs(2));
        assert!(window.take(start).is_ok());
        let second = start + Duration::from_secs(1);
        assert!(window.take(second).is_ok());
        let next = window.take(second).unwrap_err();
        assert!(next > start + Duration::from_secs(2) && next <= start + Duration::from_millis(2020));
        assert!(window.take(next).is_ok());
        assert!(window.take(next).unwrap_err() > second + Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn never_more_in_any_period(most in 1u32..20, gaps in prop::collection::vec(0u64..500, 1..200)) {
            let period = Duration::from_secs(1);
            let mut window = Window::new(most, period);
            let (mut now, mut taken) = (Instant::now(), Vec::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                match window.take(now) {
                    Ok(()) => taken.push(now),
                    Err(at) => prop_assert!(at > now && window.clone().take(at).is_ok()),
                }
                let lately = taken.iter().filter(|at| now - **at < period).count();
                prop_assert!(lately <= most as usize);
            }
        }
    }
}
