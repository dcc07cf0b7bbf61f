//! The last hour in sixty buckets of one minute.

use model::Timestamp;

/// Buckets of a trend.
pub const MINUTES: usize = 60;

/// The minute that an instant lies in, counted from 1970.
pub(crate) fn minute_of(at: Timestamp) -> i64 {
    at.as_ms().div_euclid(60_000)
}

/// The first instant of the minute after the one that `at` lies in.
pub(crate) fn next_minute(at: Timestamp) -> Timestamp {
    Timestamp::from_ms((minute_of(at) + 1) * 60_000)
}

/// Which value of a minute is kept: always the one that a supervisor would worry about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Highest,
    Lowest,
    Latest,
}

/// A value over the last hour. A value holds until the next one is set, so a minute in which nothing
/// happened shows the value that it began with; a minute of which nothing is known shows `None`.
#[derive(Clone, Debug)]
pub(crate) struct Trend<T> {
    keep: Keep,
    minute: i64,
    held: Option<T>,
    ring: Box<[Option<T>; MINUTES]>,
}

impl<T: Copy + PartialOrd> Trend<T> {
    pub(crate) fn new(keep: Keep) -> Self {
        Self { keep, minute: i64::MIN, held: None, ring: Box::new([None; MINUTES]) }
    }

    /// From now on the value is this.
    pub(crate) fn set(&mut self, at: Timestamp, value: Option<T>) {
        let minute = minute_of(at);
        self.advance(minute);
        self.held = value;
        let Some(value) = value else { return };
        let bucket = &mut self.ring[slot(self.minute)];
        *bucket = Some(match *bucket {
            Some(old) if self.keep == Keep::Highest && old > value => old,
            Some(old) if self.keep == Keep::Lowest && old < value => old,
            _ => value,
        });
    }

    /// The sixty minutes that end with the one of `at`, oldest first.
    pub(crate) fn series(&self, at: Timestamp) -> Vec<Option<T>> {
        let last = minute_of(at).max(self.minute);
        (0..MINUTES as i64)
            .map(|back| {
                let minute = last - (MINUTES as i64 - 1) + back;
                if self.minute == i64::MIN {
                    None
                } else if minute > self.minute {
                    self.held
                } else if self.minute - minute < MINUTES as i64 {
                    self.ring[slot(minute)]
                } else {
                    None
                }
            })
            .collect()
    }

    /// Moves on to `minute`; a clock that was set back stays in the latest minute known.
    fn advance(&mut self, minute: i64) {
        if self.minute == i64::MIN {
            self.minute = minute;
            return;
        }
        if minute <= self.minute {
            return;
        }
        let from = (self.minute + 1).max(minute - MINUTES as i64 + 1);
        for passed in from..=minute {
            self.ring[slot(passed)] = self.held;
        }
        self.minute = minute;
    }
}

fn slot(minute: i64) -> usize {
    minute.rem_euclid(MINUTES as i64) as usize
}

/// Counts events and remembers the count of the last full minute.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    minute: i64,
    running: u32,
    full: u32,
    /// A full minute was counted; before that the running one is all there is.
    whole: bool,
}

impl Meter {
    pub(crate) fn tick(&mut self, at: Timestamp) {
        self.roll(at);
        self.running = self.running.saturating_add(1);
    }
    /// Events in the last full minute before `at`.
    pub(crate) fn last_minute(&self, at: Timestamp) -> u32 {
        match minute_of(at) - self.minute {
            ..=0 if self.whole => self.full,
            ..=0 => self.running,
            1 => self.running,
            _ => 0,
        }
    }
    fn roll(&mut self, at: Timestamp) {
        let minute = minute_of(at);
        if minute > self.minute {
            self.full = if minute - self.minute == 1 { self.running } else { 0 };
            self.whole = self.minute > 0;
            self.running = 0;
            self.minute = minute;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::from_ms(n * 60_000 + 500)
    }

    #[test]
    fn a_value_holds_through_quiet_minutes() {
        let mut trend = Trend::new(Keep::Highest);
        trend.set(minute(100), Some(3));
        trend.set(minute(100), Some(1));
        trend.set(minute(103), Some(0));
        let series = trend.series(minute(104));
        assert_eq!(series.len(), MINUTES);
        assert_eq!(series[54..], [None, Some(3), Some(1), Some(1), Some(1), Some(0)]);
    }

    #[test]
    fn the_first_minute_counts_what_it_has() {
        let mut meter = Meter::default();
        meter.tick(minute(100));
        meter.tick(minute(100));
        assert_eq!(meter.last_minute(minute(100)), 2, "not yet a full minute is not nothing");
        meter.tick(minute(101));
        assert_eq!(meter.last_minute(minute(101)), 2);
        assert_eq!(meter.last_minute(minute(102)), 1);
        assert_eq!(meter.last_minute(minute(110)), 0);
    }

    #[test]
    fn minutes_without_knowledge_are_holes() {
        let mut trend = Trend::new(Keep::Highest);
        trend.set(minute(100), Some(3));
        trend.set(minute(101), None);
        trend.set(minute(104), Some(2));
        assert_eq!(trend.series(minute(104))[55..], [Some(3), Some(3), None, None, Some(2)]);
        assert!(trend.series(minute(300)).iter().all(|v| *v == Some(2)));
    }

    #[test]
    fn the_meter_tells_the_last_full_minute() {
        let mut meter = Meter::default();
        for _ in 0..5 {
            meter.tick(minute(10));
        }
        assert_eq!(meter.last_minute(minute(10)), 5);
        assert_eq!(meter.last_minute(minute(11)), 5);
        assert_eq!(meter.last_minute(minute(12)), 0);
        meter.tick(minute(11));
        assert_eq!(meter.last_minute(minute(11)), 5);
    }
}
