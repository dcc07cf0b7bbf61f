//! The wall clock as a port. Sleeping goes through `tokio::time`, so paused-time tests work.

use model::Timestamp;

/// Tells the wall time. Connectors take it as a parameter; nobody else asks the system.
pub trait Clock: Send + Sync + 'static {
    /// Now, in our clock.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
