//! The state of one source's link, as a pure machine: events in, health and waits out.

use std::{collections::BTreeSet, time::Duration};

use model::{Health, HealthReport, Timestamp};

use crate::{backoff::Backoff, skew::Skew};

/// A refused credential or permission is tried again this often at most.
pub const DENIED_EVERY: Duration = Duration::from_secs(5 * 60);

/// The link of one source. Every event returns what to wait before the next try, where one is due;
/// [`Session::report`] is the word to the engine after it.
#[derive(Clone, Debug)]
pub struct Session {
    health: Health,
    since: Timestamp,
    error: Option<String>,
    retry_at: Option<Timestamp>,
    last_data_at: Option<Timestamp>,
    gaps: BTreeSet<String>,
    /// Sentence that stands beside a live source with gaps.
    advice: Option<String>,
    backoff: Backoff,
    /// The vendor's clock.
    pub skew: Skew,
}

impl Session {
    /// A source about to connect for the first time.
    pub fn new(now: Timestamp, seed: u64) -> Self {
        Self::with_backoff(now, Backoff::new(seed))
    }
    /// With slower waits, where a vendor asks for them.
    pub fn with_backoff(now: Timestamp, backoff: Backoff) -> Self {
        Self {
            health: Health::Connecting,
            since: now,
            error: None,
            retry_at: None,
            last_data_at: None,
            gaps: BTreeSet::new(),
            advice: None,
            backoff,
            skew: Skew::default(),
        }
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.health
    }
    /// The word to the engine.
    pub fn report(&self) -> HealthReport {
        let live = self.health == Health::Live;
        HealthReport {
            health: self.health,
            last_data_at: self.last_data_at,
            error: if live { self.advice.clone() } else { self.error.clone() },
            retry_at: self.retry_at,
            clock_skew_s: self.skew.seconds(),
            gaps: if live { self.gaps.iter().cloned().collect() } else { Vec::new() },
        }
    }

    /// Data arrived.
    pub fn data(&mut self, at: Timestamp) {
        self.last_data_at = self.last_data_at.max(Some(at));
    }
    /// A complete first state is there and data is fresh.
    pub fn live(&mut self, now: Timestamp) {
        self.data(now);
        if self.health != Health::Live {
            self.turn(Health::Live, now);
        }
        (self.error, self.retry_at) = (None, None);
    }
    /// Parts that fail alone, and what to do about them. Returns whether that is news.
    pub fn set_gaps(&mut self, gaps: BTreeSet<String>, advice: Option<String>) -> bool {
        let news = self.gaps != gaps || self.advice != advice;
        (self.gaps, self.advice) = (gaps, advice);
        news
    }
    /// What is shown is old though nobody said that the link is lost; `until` it has been told anew, or
    /// it is asked for on a new connection.
    pub fn stale(&mut self, now: Timestamp, sentence: String, until: Timestamp) {
        self.forgive(now);
        self.turn(Health::Stale, now);
        (self.error, self.retry_at) = (Some(sentence), Some(until));
    }
    /// The link is lost or did not come about.
    pub fn lost(&mut self, now: Timestamp, sentence: String) -> Duration {
        self.forgive(now);
        let wait = self.backoff.next_wait();
        self.fail(Health::Retrying, now, sentence, wait)
    }
    /// As [`Session::lost`], where the other side said how long to wait (an upgrade refused with 503).
    pub fn lost_for(&mut self, now: Timestamp, sentence: String, asked: Option<Duration>) -> Duration {
        self.forgive(now);
        let own = self.backoff.next_wait();
        self.fail(Health::Retrying, now, sentence, asked.unwrap_or(own).max(Backoff::FLOOR))
    }
    /// The vendor told us to slow down; its `Retry-After` wins over our own backoff.
    pub fn throttled(&mut self, now: Timestamp, sentence: String, asked: Option<Duration>) -> Duration {
        self.forgive(now);
        let own = self.backoff.next_wait();
        self.fail(Health::Throttled, now, sentence, asked.unwrap_or(own).max(Backoff::FLOOR))
    }
    /// Credentials or permission refused: rare tries only.
    pub fn denied(&mut self, now: Timestamp, sentence: String) -> Duration {
        self.fail(Health::Denied, now, sentence, DENIED_EVERY)
    }
    /// Nothing can help before the configuration or the secret changes.
    pub fn misconfigured(&mut self, now: Timestamp, sentence: String) {
        self.turn(Health::Misconfigured, now);
        (self.error, self.retry_at) = (Some(sentence), None);
    }

    fn fail(&mut self, health: Health, now: Timestamp, sentence: String, wait: Duration) -> Duration {
        self.turn(health, now);
        self.error = Some(sentence);
        self.retry_at = Some(now.plus(wait));
        wait
    }
    fn turn(&mut self, health: Health, now: Timestamp) {
        if self.health != health {
            (self.health, self.since) = (health, now);
        }
    }
    fn forgive(&mut self, now: Timestamp) {
        if self.health == Health::Live {
            self.backoff.was_healthy_for(now.since(self.since));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1000)
    }

    #[test]
    fn from_connecting_to_live_to_lost_and_back() {
        let mut s = Session::new(at(0), 1);
        assert_eq!(s.report(), HealthReport::of(Health::Connecting));
        s.live(at(1));
        assert_eq!((s.health(), s.report().last_data_at), (Health::Live, Some(at(1))));
        let wait = s.lost(at(2), "gone".into());
        let report = s.report();
        assert_eq!((report.health, report.error.as_deref()), (Health::Retrying, Some("gone")));
        assert_eq!(report.retry_at, Some(at(2).plus(wait)));
        assert_eq!(report.last_data_at, Some(at(1)));
        s.live(at(9));
        assert_eq!((s.report().error, s.report().retry_at), (None, None));
    }

    #[test]
    fn only_thirty_seconds_of_health_forgive() {
        let mut s = Session::new(at(0), 1);
        for n in 0..10 {
            s.live(at(n * 10));
            s.lost(at(n * 10 + 5), "x".into());
        }
        assert_eq!(s.backoff.failures(), 10);
        s.live(at(200));
        s.lost(at(231), "x".into());
        assert_eq!(s.backoff.failures(), 1);
    }

    #[test]
    fn the_vendors_word_wins_and_denied_waits_five_minutes() {
        let mut s = Session::new(at(0), 1);
        assert_eq!(s.throttled(at(0), "slow".into(), Some(Duration::from_secs(77))), Duration::from_secs(77));
        assert_eq!(s.report().retry_at, Some(at(77)));
        assert_eq!(s.denied(at(80), "no".into()), DENIED_EVERY);
        s.misconfigured(at(90), "fix".into());
        assert_eq!(s.report().retry_at, None);
    }

    #[test]
    fn gaps_show_only_while_live() {
        let mut s = Session::new(at(0), 1);
        let gaps = BTreeSet::from(["conversations".to_owned()]);
        assert!(s.set_gaps(gaps.clone(), Some("ask".into())) && !s.set_gaps(gaps, Some("ask".into())));
        assert!(s.report().gaps.is_empty());
        s.live(at(1));
        assert_eq!(
            (s.report().gaps, s.report().error.as_deref()),
            (vec!["conversations".to_owned()], Some("ask"))
        );
    }
}
