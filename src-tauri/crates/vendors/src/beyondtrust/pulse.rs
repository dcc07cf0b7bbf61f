//! Whether the appliance is still there. Only an answered ping proves that it answers pings at all, so
//! silence alone never ends a connection.

use std::time::Duration;

use tokio::time::Instant;

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing before this instant.
    At(Instant),
    /// Send a ping, then call [`Pulse::asked`].
    Ask,
    /// It answered once and answers no more.
    Dead,
}

/// The watch over one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    ping_after: Duration,
    answer_within: Duration,
    heard: Instant,
    asked: Option<Instant>,
    proven: bool,
}

impl Pulse {
    /// Asks after so much silence, and then waits so long.
    pub fn with(ping_after: Duration, answer_within: Duration, now: Instant) -> Self {
        Self { ping_after, answer_within, heard: now, asked: None, proven: false }
    }
    /// Anything arrived.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.asked = None;
    }
    /// A ping was answered.
    pub fn answered(&mut self, now: Instant) {
        self.proven = true;
        self.heard(now);
    }
    pub fn asked(&mut self, now: Instant) {
        self.asked = Some(now);
    }
    pub fn due(&self, now: Instant) -> Beat {
        let at = match self.asked {
            None => self.heard + self.ping_after,
            Some(asked) if self.proven => asked + self.answer_within,
            // Never answered yet: asked again at the pace of silence.
            Some(asked) => asked + self.ping_after,
        };
        match self.asked {
            _ if now < at => Beat::At(at),
            Some(_) if self.proven => Beat::Dead,
            _ => Beat::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d8_only_an_answer_once_given_can_be_missed() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut pulse = Pulse::with(Duration::from_secs(5), Duration::from_secs(3), start);
        assert_eq!(pulse.due(at(1)), Beat::At(at(5)));
        assert_eq!(pulse.due(at(5)), Beat::Ask);
        pulse.asked(at(5));
        // Data is life, but no answer to the ping.
        pulse.heard(at(6));
        pulse.asked(at(11));
        assert_eq!(pulse.due(at(3600)), Beat::Ask, "a silent appliance is not dead");
        pulse.asked(at(3600));
        pulse.answered(at(3601));
        assert_eq!(pulse.due(at(3606)), Beat::Ask);
        pulse.asked(at(3606));
        assert_eq!(pulse.due(at(3608)), Beat::At(at(3609)));
        assert_eq!(pulse.due(at(3609)), Beat::Dead);
    }
}
