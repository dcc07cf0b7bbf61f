//! How many requests an account may cost, however many endpoints and pages it has.

use std::{sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::rate::Bucket;

/// A token bucket that one waits at.
#[derive(Debug)]
pub struct Budget(Mutex<Bucket>);

impl Budget {
    /// At most `burst` per `period` on average, and at once.
    pub fn new(burst: u32, period: Duration) -> Self {
        Self(Mutex::new(Bucket::new(burst, period, Instant::now())))
    }

    /// Takes one if one is there: for what is nice to have.
    pub fn try_spend(&self) -> bool {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take(Instant::now()).is_ok()
    }

    /// Takes one, waiting until one is there.
    pub async fn spend(&self) {
        loop {
            let taken = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take(Instant::now());
            match taken {
                Ok(()) => return,
                Err(at) => tokio::time::sleep_until(at).await,
            }
        }
    }
}
