//! How many requests an address or an account may cost, however many endpoints, pages and sources there are.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use url::Url;

use crate::{Secret, rate::Window};

/// So many requests in any span of a period; who comes too soon waits.
#[derive(Debug)]
pub struct Budget {
    window: Mutex<Window>,
    sharers: AtomicU32,
}

impl Budget {
    /// At most `most` in any span of `period`.
    pub fn new(most: u32, period: Duration) -> Self {
        let window = Mutex::new(Window::new(most, period));
        Self { window, sharers: AtomicU32::new(0) }
    }

    /// Takes one if one is there: for what is nice to have.
    pub fn try_spend(&self) -> bool {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()).is_ok()
    }

    /// Takes one, waiting until one is there.
    pub async fn spend(&self) {
        loop {
            let taken = self.window.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
            match taken {
                Ok(()) => return,
                Err(at) => tokio::time::sleep_until(at).await,
            }
        }
    }

    /// How many sources live on it now, at least one: each must make do with its part.
    pub fn sharers(&self) -> u32 {
        self.sharers.load(Ordering::Relaxed).max(1)
    }
}

/// One source's hold on a budget. While it lives the source counts among the sharers.
#[derive(Debug)]
pub struct Share(Arc<Budget>);

impl Share {
    /// A budget that nobody else shares.
    pub fn alone(most: u32, period: Duration) -> Self {
        Self::of(Arc::new(Budget::new(most, period)))
    }

    fn of(budget: Arc<Budget>) -> Self {
        budget.sharers.fetch_add(1, Ordering::Relaxed);
        Self(budget)
    }
}

impl Deref for Share {
    type Target = Budget;
    fn deref(&self) -> &Budget {
        &self.0
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.sharers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The budgets of a program: sources at the same address, or with the same account there, share one.
/// A budget outlives its sources, so that starting one anew does not fill it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Budgets(Arc<Books>);

/// An origin, and the account's secret where the limit is the account's. Of the secret only a hash under a
/// key that nobody knows is kept.
type Account = (String, Option<u64>);

#[derive(Debug, Default)]
struct Books {
    books: Mutex<HashMap<Account, Arc<Budget>>>,
    key: RandomState,
}

impl Budgets {
    /// A share of the budget of an address, or of an account there. The first who asks says how large it is.
    pub fn share(&self, place: &Url, account: Option<&Secret>, most: u32, period: Duration) -> Share {
        let account = account.map(|secret| self.0.key.hash_one(secret.expose()));
        let key = (place.origin().ascii_serialization(), account);
        let mut books = self.0.books.lock().unwrap_or_else(PoisonError::into_inner);
        Share::of(books.entry(key).or_insert_with(|| Arc::new(Budget::new(most, period))).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn sources_at_one_address_share_a_budget_and_a_new_start_does_not_fill_it() {
        let budgets = Budgets::default();
        let at = |text: &str| Url::parse(text).unwrap();
        let one = budgets.share(&at("https://a.example/v4"), None, 2, MINUTE);
        let two = budgets.share(&at("https://A.example:443/other"), None, 2, MINUTE);
        assert_eq!((one.sharers(), two.sharers()), (2, 2));
        assert!(one.try_spend() && two.try_spend() && !one.try_spend());
        drop((one, two));
        let again = budgets.share(&at("https://a.example/v4"), None, 2, MINUTE);
        assert_eq!(again.sharers(), 1);
        assert!(!again.try_spend());
        assert!(budgets.share(&at("https://a.example:444/v4"), None, 2, MINUTE).try_spend());
    }

    #[test]
    fn accounts_at_one_address_do_not_share() {
        let (budgets, place) = (Budgets::default(), Url::parse("https://a.example/").unwrap());
        let (own, other) = (Secret::new("fake-one"), Secret::new("fake-two"));
        let first = budgets.share(&place, Some(&own), 1, MINUTE);
        assert!(first.try_spend());
        assert!(budgets.share(&place, Some(&other), 1, MINUTE).try_spend());
        assert!(!budgets.share(&place, Some(&own), 1, MINUTE).try_spend());
    }
}
