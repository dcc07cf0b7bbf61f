//! Figures over time: the last hour of each queue and the day of each vendor.

use std::{collections::VecDeque, time::Duration};

use model::Timestamp;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// A person joined.
    Answered,
    /// The customer left.
    Abandoned,
    /// Nobody picked it up although it was offered.
    Missed,
    /// The customer left a message instead.
    Switched,
}

/// The waits that ended in one queue in the last hour.
#[derive(Clone, Debug, Default)]
pub struct QueueHour(VecDeque<(Timestamp, WaitEnd, f64)>);

impl QueueHour {
    pub(crate) fn note(&mut self, at: Timestamp, end: WaitEnd, waited: Duration) {
        let hour_ago = at.minus(Duration::from_secs(3600));
        while self.0.front().is_some_and(|(t, ..)| *t <= hour_ago) {
            self.0.pop_front();
        }
        self.0.push_back((at, end, waited.as_secs_f64()));
    }
    fn within(&self, now: Timestamp, window: Duration) -> impl Iterator<Item = &(Timestamp, WaitEnd, f64)> {
        let from = now.minus(window);
        self.0.iter().filter(move |(t, ..)| *t > from)
    }
    /// How many waits ended so in the window.
    pub fn count(&self, now: Timestamp, window: Duration, end: WaitEnd) -> u32 {
        self.within(now, window).filter(|(_, e, _)| *e == end).count() as u32
    }
    /// Mean of the waits of those answered in the window, seconds; `None` when there were none.
    pub fn average_wait_s(&self, now: Timestamp, window: Duration) -> Option<f64> {
        let (mut sum, mut n) = (0.0, 0u32);
        for (_, _, wait) in self.within(now, window).filter(|(_, e, _)| *e == WaitEnd::Answered) {
            sum += wait;
            n += 1;
        }
        (n > 0).then(|| sum / f64::from(n))
    }
}

/// One vendor's figures since midnight UTC. `requests` is always the sum of the four ways a wait ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Day {
    /// Number of the day since 1970.
    pub number: i64,
    /// Waits answered by a person.
    pub answered: u32,
    /// Waits given up.
    pub abandoned: u32,
    /// Waits that nobody picked up.
    pub missed: u32,
    /// Waits that became a message.
    pub switched: u32,
    /// Contacts passed on.
    pub transferred: u32,
    /// Contacts passed to another queue.
    pub moved: u32,
    /// Invitations that visitors accepted.
    pub invitations: u32,
    /// Sum of waits of the answered, seconds.
    pub wait_s: f64,
    /// Contacts handled to the end.
    pub handled: u32,
    /// Sum of their handling times, seconds.
    pub handling_s: f64,
    /// First answers.
    pub replies: u32,
    /// Sum of times from joining to the first answer, seconds.
    pub reply_s: f64,
    /// Ratings given.
    pub rated: u32,
    /// Sum of ratings, 1 to 5.
    pub score: u32,
}

impl Day {
    /// Everybody whose wait has ended.
    pub fn requests(&self) -> u32 {
        self.answered + self.abandoned + self.missed + self.switched
    }
    /// Begins anew when the day is another one.
    pub(crate) fn turn(&mut self, at: Timestamp) {
        let number = at.as_ms().div_euclid(86_400_000);
        if number != self.number {
            *self = Day { number, ..Day::default() };
        }
    }
    pub(crate) fn wait_ended(&mut self, end: WaitEnd, waited: Duration) {
        match end {
            WaitEnd::Answered => {
                self.answered += 1;
                self.wait_s += waited.as_secs_f64();
            }
            WaitEnd::Abandoned => self.abandoned += 1,
            WaitEnd::Missed => self.missed += 1,
            WaitEnd::Switched => self.switched += 1,
        }
    }
}

/// Mean, or `None` when there is nothing to take it of.
pub fn mean(sum: f64, n: u32) -> Option<f64> {
    (n > 0).then(|| sum / f64::from(n))
}
