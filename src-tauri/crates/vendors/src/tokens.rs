//! One token per account: sources of one site and account share it, where a vendor voids the oldest token when too
//! many are bought.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use link::{Answer, Secret, single_flight::TokenCache, skew::Skew};
use model::Timestamp;
use url::Url;

/// Why there is no token.
#[derive(Clone, Debug)]
pub(crate) enum NoToken {
    /// The vendor said no.
    Refused(String),
    /// The vendor asks to slow down; its wait, where it gave one.
    Throttled(String, Option<Duration>),
    /// The network or the server failed.
    Failed(String),
    /// The configuration cannot work.
    Unusable(String),
}

/// An account at a site, for as long as a source uses it.
pub(crate) struct Account {
    pub cache: TokenCache<NoToken>,
    /// The server's time in the answer that brought the token, and ours when it was asked for and there:
    /// whoever uses the token learns from it.
    dated: Mutex<Option<[Timestamp; 3]>>,
}

impl Account {
    /// An answer to a request for a token.
    pub fn hear(&self, answer: &Answer) {
        if let Some(date) = answer.date() {
            let dated = [date, answer.sent_at, answer.received_at];
            *self.dated.lock().unwrap_or_else(PoisonError::into_inner) = Some(dated);
        }
    }
    /// Teaches a skew what the last answer said of the clock. Returns whether it said anything.
    pub fn teach(&self, skew: &mut Skew) -> bool {
        let dated = *self.dated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some([date, sent, received]) = dated {
            skew.sample(date, sent, received);
        }
        dated.is_some()
    }
}

/// The accounts of a program. Of a secret only a hash under a key that nobody knows is kept. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Accounts>);

/// Site, user, and the secret's hash.
type Key = (String, String, u64);

#[derive(Default)]
struct Accounts {
    accounts: Mutex<HashMap<Key, Weak<Account>>>,
    key: RandomState,
}

impl Tokens {
    /// The account of this user with this secret at a site.
    pub(crate) fn account(&self, site: &Url, user: &str, secret: &Secret) -> Arc<Account> {
        let key =
            (site.origin().ascii_serialization(), user.to_owned(), self.0.key.hash_one(secret.expose()));
        let mut accounts = self.0.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.retain(|_, account| account.strong_count() > 0);
        if let Some(account) = accounts.get(&key).and_then(Weak::upgrade) {
            return account;
        }
        let account = Arc::new(Account { cache: TokenCache::new(), dated: Mutex::new(None) });
        accounts.insert(key, Arc::downgrade(&account));
        account
    }
}
