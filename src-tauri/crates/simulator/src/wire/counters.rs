use std::collections::BTreeMap;

use serde::Serialize;

/// What a vendor's server has counted since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests by endpoint, and frames received as `frame:<action>`.
    pub requests: BTreeMap<String, u64>,
    /// Tokens handed out.
    pub tokens: u64,
    /// Connections that are open now.
    pub connections_now: u64,
    /// Connections that were ever accepted.
    pub connections_ever: u64,
    /// The most calls that ever fell into one window of the vendor's limit.
    pub most_in_window: u32,
    /// Calls over the limit.
    pub over_limit: u64,
}

impl Counters {
    pub(crate) fn count(&mut self, what: &str) {
        match self.requests.get_mut(what) {
            Some(n) => *n += 1,
            None => {
                self.requests.insert(what.to_owned(), 1);
            }
        }
    }
    /// Requests to one endpoint.
    pub fn of(&self, endpoint: &str) -> u64 {
        self.requests.get(endpoint).copied().unwrap_or(0)
    }
}
