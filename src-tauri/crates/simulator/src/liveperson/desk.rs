//! Logins and agent sessions.

use std::collections::{BTreeMap, HashMap};

use model::Timestamp;

/// A login that stands.
pub(super) struct Ticket {
    pub csrf: String,
    pub cookie: String,
    pub until: Timestamp,
    pub age: u64,
}

/// An agent session that stands.
pub(super) struct Seance {
    pub bearer: String,
    pub cookie: String,
    /// The cookie was given.
    pub has_cookie: bool,
    pub chat: &'static str,
    pub since: Timestamp,
}

/// All of them.
#[derive(Default)]
pub(super) struct Desk {
    pub tickets: HashMap<String, Ticket>,
    pub sessions: BTreeMap<u64, Seance>,
    given: u64,
}

impl Desk {
    /// A number that was never given before.
    pub fn fresh(&mut self) -> u64 {
        self.given += 1;
        self.given
    }
    /// 64 hexadecimal digits.
    pub fn token(&mut self) -> String {
        let n = self.fresh();
        format!(
            "{:016x}{:016x}{:016x}{n:016x}",
            0xfa_ce_u64,
            0xba_5e_u64,
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    }
    /// Ends every login.
    pub fn end_all(&mut self) {
        self.tickets.clear();
        self.sessions.clear();
    }
    /// Ends a login and what hangs on it.
    pub fn drop_ticket(&mut self, bearer: &str) {
        self.tickets.remove(bearer);
        self.sessions.retain(|_, s| s.bearer != bearer);
    }
}
