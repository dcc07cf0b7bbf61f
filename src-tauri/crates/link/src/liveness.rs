//! Whether the other end of a long connection is still there: one deadline from when it was last heard.

use std::time::Duration;

use tokio::time::Instant;

/// Silence after which the other end is asked for a sign of life.
pub const PING_AFTER: Duration = Duration::from_secs(5);
/// Time that it has to give one.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// How long to wait for a sign of life on a line whose round trip took so long: on a slow one twice that, so
/// that slow is not taken for dead; never so long that silence and answer together pass ten seconds.
pub fn answer_within(usual: Duration, round_trip: Duration) -> Duration {
    (round_trip * 2).min(usual.mul_f64(1.6)).max(usual)
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing before this instant.
    At(Instant),
    /// Ask for a sign of life now, then call [`Liveness::asked`].
    Ask,
    /// It did not answer: the connection is dead.
    Dead,
}

/// The watch over one connection.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    ping_after: Duration,
    answer_within: Duration,
    heard: Instant,
    asked: Option<Instant>,
    ever_answered: bool,
    needs_proof: bool,
}

impl Liveness {
    /// A connection just opened. Unanswered questions count from the first one on.
    pub fn new(now: Instant) -> Self {
        Self::with(PING_AFTER, ANSWER_WITHIN, now)
    }
    /// Other times than the contract's, for tests.
    pub fn with(ping_after: Duration, answer_within: Duration, now: Instant) -> Self {
        Self { ping_after, answer_within, heard: now, asked: None, ever_answered: false, needs_proof: false }
    }
    /// As [`Liveness::new`], but silence kills only after this connection has answered once: some
    /// servers never do, and there silence alone means nothing.
    pub fn once_proven(now: Instant) -> Self {
        Self { needs_proof: true, ..Self::new(now) }
    }
    /// Something arrived that counts as life.
    pub fn heard(&mut self, now: Instant) {
        self.ever_answered |= self.asked.is_some();
        self.heard = now;
        self.asked = None;
    }
    /// The question was sent.
    pub fn asked(&mut self, now: Instant) {
        self.asked.get_or_insert(now);
    }
    /// What is due now.
    pub fn due(&self, now: Instant) -> Due {
        let Some(asked) = self.asked else {
            let at = self.heard + self.ping_after;
            return if now >= at { Due::Ask } else { Due::At(at) };
        };
        let at = asked + self.answer_within;
        if now < at {
            Due::At(at)
        } else if self.needs_proof && !self.ever_answered {
            // Ask again at the pace of silence.
            let again = asked + self.ping_after;
            if now >= again { Due::Ask } else { Due::At(again) }
        } else {
            Due::Dead
        }
    }
    /// A question that brought nothing is forgotten, so that the next one can be timed. Only for
    /// connections that are [`Liveness::once_proven`].
    pub fn ask_again(&mut self, now: Instant) {
        self.asked = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn n6_a_slow_line_gets_more_time_and_never_ten_seconds() {
        let ms = Duration::from_millis;
        for quick in [ms(0), ms(40), ms(1500)] {
            assert_eq!(answer_within(ANSWER_WITHIN, quick), ANSWER_WITHIN);
        }
        assert_eq!(answer_within(ANSWER_WITHIN, ms(2000)), ms(4000));
        for slow in [ms(3000), ms(9000)] {
            assert!(PING_AFTER + answer_within(ANSWER_WITHIN, slow) < ms(9900));
        }
    }

    #[test]
    fn asks_after_five_seconds_of_silence_and_gives_three() {
        let t = Instant::now();
        let mut live = Liveness::new(t);
        assert_eq!(live.due(t + 4 * S), Due::At(t + 5 * S));
        assert_eq!(live.due(t + 5 * S), Due::Ask);
        live.asked(t + 5 * S);
        assert_eq!(live.due(t + 7 * S), Due::At(t + 8 * S));
        assert_eq!(live.due(t + 8 * S), Due::Dead);
    }

    #[test]
    fn any_sign_of_life_starts_anew() {
        let t = Instant::now();
        let mut live = Liveness::new(t);
        live.asked(t + 5 * S);
        live.heard(t + 6 * S);
        assert_eq!(live.due(t + 9 * S), Due::At(t + 11 * S));
    }

    #[test]
    fn an_unproven_connection_is_never_dead_by_silence() {
        let t = Instant::now();
        let mut live = Liveness::once_proven(t);
        live.asked(t + 5 * S);
        assert_eq!(live.due(t + 9 * S), Due::At(t + 10 * S));
        assert_eq!(live.due(t + 10 * S), Due::Ask);
        live.ask_again(t + 10 * S);
        live.heard(t + 11 * S);
        live.asked(t + 16 * S);
        assert_eq!(live.due(t + 19 * S), Due::Dead);
    }
}
