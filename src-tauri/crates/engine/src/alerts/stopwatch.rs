use model::Timestamp;

/// Time that a condition has held, as far as it was known. A gap stops it and never completes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stopwatch {
    banked_ms: i64,
    since: Option<Timestamp>,
}

impl Stopwatch {
    pub fn started(now: Timestamp) -> Self {
        Self { banked_ms: 0, since: Some(now) }
    }
    /// Runs on, or begins to run.
    pub fn run(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }
    /// Stops without forgetting.
    pub fn freeze(&mut self, now: Timestamp) {
        if let Some(since) = self.since.take() {
            self.banked_ms += (now.as_ms() - since.as_ms()).max(0);
        }
    }
    pub fn reset(&mut self) {
        *self = Self::default();
    }
    pub fn has_run(&self, ms: i64, now: Timestamp) -> bool {
        let running = self.since.map_or(0, |since| (now.as_ms() - since.as_ms()).max(0));
        (self.since.is_some() || self.banked_ms > 0) && self.banked_ms + running >= ms
    }
    /// When it will have run so long; `None` while it stands.
    pub fn due(&self, ms: i64) -> Option<Timestamp> {
        self.since.map(|since| Timestamp::from_ms(since.as_ms() + (ms - self.banked_ms).max(0)))
    }
    /// Leaves a span out that nobody saw.
    pub fn skip(&mut self, from: Timestamp, to: Timestamp) {
        if self.since.is_some() {
            self.freeze(from);
            self.since = Some(to);
        }
    }
}
