use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// A vendor's limit: so many calls in a sliding window. Refused calls count too, as they do with most
/// vendors: whoever keeps knocking stays outside.
#[derive(Debug)]
pub struct Limit {
    calls: u32,
    window: Duration,
    seen: VecDeque<Instant>,
    /// The most calls that ever fell into one window.
    pub most: u32,
    /// Calls that were refused.
    pub refused: u64,
}

impl Limit {
    /// So many calls in so much time.
    pub fn new(calls: u32, window: Duration) -> Self {
        Self { calls, window, seen: VecDeque::new(), most: 0, refused: 0 }
    }
    /// Counts a call and says whether it is allowed.
    pub fn allows(&mut self, now: Instant) -> bool {
        while self.seen.front().is_some_and(|at| now.duration_since(*at) >= self.window) {
            self.seen.pop_front();
        }
        self.seen.push_back(now);
        self.most = self.most.max(self.seen.len() as u32);
        let allowed = self.seen.len() <= self.calls as usize;
        self.refused += u64::from(!allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides() {
        let mut limit = Limit::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        assert!(limit.allows(at(0)) && limit.allows(at(1)));
        assert!(!limit.allows(at(2)));
        assert!(!limit.allows(at(10)), "the refused call still counts");
        assert!(limit.allows(at(30)));
        assert_eq!((limit.most, limit.refused), (3, 2));
    }
}
