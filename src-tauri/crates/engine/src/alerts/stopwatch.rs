use model::Timestamp;

/// Time that a condition has held, as far as it was known. A gap stops it and never completes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stopwatch {
    /// What it had run when it last stood still, milliseconds.
    pub banked_ms: i64,
    /// Since when it runs; `None` while it stands.
    pub since: Option<Timestamp>,
}

/// The stopwatches of one alert: what must outlive the program so that a restart neither gives nor takes
/// time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timers {
    /// Of `for` while it is pending, of `keep` while it recovers.
    pub held: Stopwatch,
    /// How long the critical condition has held.
    pub critical: Stopwatch,
    /// How long nothing has changed, while it flaps.
    pub quiet: Stopwatch,
    /// While it flaps: whether the condition held last.
    pub flap_holds: bool,
}

impl Default for Timers {
    fn default() -> Self {
        let none = Stopwatch::default();
        Self { held: none, critical: none, quiet: none, flap_holds: true }
    }
}

impl Timers {
    /// As they are when nobody looks any more from a moment on.
    pub fn stopped(mut self, at: Timestamp) -> Self {
        for watch in [&mut self.held, &mut self.critical, &mut self.quiet] {
            watch.freeze(at);
        }
        self
    }
    /// Of an earlier run: what was not stopped has run for nobody knows how long.
    pub(super) fn resumed(mut self) -> Self {
        for watch in [&mut self.held, &mut self.critical, &mut self.quiet] {
            watch.since = None;
        }
        self
    }
}

impl Stopwatch {
    pub(crate) fn started(now: Timestamp) -> Self {
        Self { banked_ms: 0, since: Some(now) }
    }
    /// Runs on, or begins to run.
    pub(crate) fn run(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }
    /// Stops without forgetting.
    pub(crate) fn freeze(&mut self, now: Timestamp) {
        if let Some(since) = self.since.take() {
            self.banked_ms += (now.as_ms() - since.as_ms()).max(0);
        }
    }
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
    pub(crate) fn has_run(&self, ms: i64, now: Timestamp) -> bool {
        let running = self.since.map_or(0, |since| (now.as_ms() - since.as_ms()).max(0));
        (self.since.is_some() || self.banked_ms > 0) && self.banked_ms + running >= ms
    }
    /// When it will have run so long; `None` while it stands.
    pub(crate) fn due(&self, ms: i64) -> Option<Timestamp> {
        self.since.map(|since| Timestamp::from_ms(since.as_ms() + (ms - self.banked_ms).max(0)))
    }
    /// Leaves a span out that nobody saw.
    pub(crate) fn skip(&mut self, from: Timestamp, to: Timestamp) {
        if self.since.is_some() {
            self.freeze(from);
            self.since = Some(to);
        }
    }
}
