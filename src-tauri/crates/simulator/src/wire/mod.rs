//! One vendor's wire: the socket gate, the faults that are switched on, what was counted.

mod counters;
mod fault;
mod gate;
mod limit;

pub use counters::Counters;
pub use fault::Fault;
pub use gate::Half;
pub use limit::Limit;

pub(crate) use fault::spoil;
pub(crate) use gate::{Gate, GatedListener};

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use model::{Timestamp, Vendor};
use tokio::time::Instant;

use crate::clock;

/// Takes a lock whatever happened to its last holder: the simulator's state is plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a vendor's server and the controls share.
pub struct Wire {
    vendor: Vendor,
    pub(crate) gate: Gate,
    faults: Mutex<Vec<(String, Fault, Option<u32>)>>,
    counters: Mutex<Counters>,
    limit: Mutex<Option<Limit>>,
    skew_ms: AtomicI64,
    secret: Mutex<Option<String>>,
    token_age: AtomicU64,
}

impl Wire {
    pub(crate) fn new(vendor: Vendor, secret: Option<String>) -> Self {
        Self {
            vendor,
            gate: Gate::default(),
            faults: Mutex::default(),
            counters: Mutex::default(),
            limit: Mutex::default(),
            skew_ms: AtomicI64::new(0),
            secret: Mutex::new(secret),
            token_age: AtomicU64::new(0),
        }
    }
    /// Whose wire it is.
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }
    /// The server's clock: wall time moved by the skew that a test has set.
    pub fn now(&self) -> Timestamp {
        self.shifted(clock::now())
    }
    /// An instant of the floor as the server's clock shows it.
    pub fn shifted(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_ms(at.as_ms() + self.skew_ms.load(Ordering::Relaxed))
    }
    pub(crate) fn set_skew_ms(&self, ms: i64) {
        self.skew_ms.store(ms, Ordering::Relaxed);
    }
    /// Whether this is the account's secret; any non-empty text is, while none is set.
    pub fn is_secret(&self, offered: &str) -> bool {
        match &*lock(&self.secret) {
            Some(secret) => secret == offered,
            None => !offered.is_empty(),
        }
    }
    pub(crate) fn set_secret(&self, secret: Option<String>) {
        *lock(&self.secret) = secret;
    }
    /// Counts up at each revocation: a token carries the age in which it was issued.
    pub fn token_age(&self) -> u64 {
        self.token_age.load(Ordering::Relaxed)
    }
    pub(crate) fn revoke_tokens(&self) {
        self.token_age.fetch_add(1, Ordering::Relaxed);
    }
    /// Notes that a token was handed out.
    pub fn token_issued(&self) {
        lock(&self.counters).tokens += 1;
    }
    /// Counts under any name, e.g. frames by kind.
    pub fn count(&self, what: &str) {
        lock(&self.counters).count(what);
    }
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = lock(&self.counters).clone();
        (counters.connections_now, counters.connections_ever) = self.gate.connections();
        if let Some(limit) = &*lock(&self.limit) {
            (counters.most_in_window, counters.over_limit) = (limit.most, limit.refused);
        }
        counters
    }
    pub(crate) fn set_fault(&self, endpoint: &str, fault: Fault, times: Option<u32>) {
        lock(&self.faults).push((endpoint.to_owned(), fault, times));
    }
    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }
    /// The fault for this request, spent once. The one that was set last wins.
    pub(crate) fn take_fault(&self, endpoint: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let place = faults.iter().rposition(|(name, ..)| name == "*" || name == endpoint)?;
        let (_, fault, times) = &mut faults[place];
        let fault = fault.clone();
        if let Some(times) = times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                faults.remove(place);
            }
        }
        Some(fault)
    }
    /// Sets how many calls are allowed in how much time; `None` lifts it.
    pub fn set_limit(&self, limit: Option<(u32, Duration)>) {
        *lock(&self.limit) = limit.map(|(calls, window)| Limit::new(calls, window));
    }
    /// Asks whether one more call is within the limit, and counts it.
    pub fn within_limit(&self) -> bool {
        lock(&self.limit).as_mut().is_none_or(|limit| limit.allows(Instant::now()))
    }
}
