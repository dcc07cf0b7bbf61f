//! How often a running source asks in the end: after the vendor's floors, the pages that its answers come
//! in, and the sources that live on the same budget.

use std::{
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use link::poll::Share;

use crate::{Endpoint, polled::stretch};

/// What one endpoint wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// As it stands in `gaps`.
    pub name: &'static str,
    /// How often it would be asked if its source were alone.
    pub every: Duration,
    /// How many requests that takes each time.
    pub requests: u32,
}

/// The paces of one source. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Paces(Arc<Mutex<Option<Told>>>);

#[derive(Debug)]
struct Told {
    wanted: Vec<Wanted>,
    /// Not held: whose share it is counts among the sharers only while it runs.
    share: Weak<Share>,
    calls: (u32, Duration),
    planned: u32,
}

/// How often a source asks now.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    /// The intervals, each name once.
    pub endpoints: Vec<Endpoint>,
    /// How many sources live on the budget.
    pub sharers: u32,
    /// So many requests in so much time is what it allows them together.
    pub calls: (u32, Duration),
    /// How much longer the intervals are than the source would have them; 1 where it has its way.
    pub stretch: f64,
}

impl Paces {
    /// Takes in what a source wants of its budget.
    pub(crate) fn tell(&self, wanted: Vec<Wanted>, share: &Arc<Share>, calls: (u32, Duration)) {
        self.tell_planned(wanted, share, calls, calls.0);
    }

    /// The same, where only so many of the requests are planned with.
    pub(crate) fn tell_planned(
        &self,
        wanted: Vec<Wanted>,
        share: &Arc<Share>,
        calls: (u32, Duration),
        planned: u32,
    ) {
        *self.told() = Some(Told { wanted, share: Arc::downgrade(share), calls, planned });
    }

    /// How often is asked now; `None` when nothing runs or nothing is shared.
    pub fn present(&self) -> Option<Present> {
        let told = self.told();
        let Told { wanted, share, calls, planned } = told.as_ref()?;
        let share = share.upgrade()?;
        let costs = wanted.iter().map(|wanted| (wanted.every, wanted.requests));
        let stretch = stretch(costs, &share, *planned, calls.1);
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for Wanted { name, every, .. } in wanted {
            if !endpoints.iter().any(|known| known.name == *name) {
                endpoints.push(Endpoint { name, every: every.mul_f64(stretch) });
            }
        }
        Some(Present { endpoints, sharers: share.sharers(), calls: *calls, stretch })
    }

    fn told(&self) -> MutexGuard<'_, Option<Told>> {
        // A poisoned lock means that a reader panicked: what was told is whole all the same.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use link::poll::Budgets;
    use url::Url;

    use super::*;

    #[test]
    fn intervals_are_those_that_result_from_everybody_at_the_budget() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let (budgets, place) = (Budgets::default(), Url::parse("http://127.0.0.1:1").unwrap());
        let share = || Arc::new(budgets.share(&place, None, 60, minute));
        let wanted = |name, seconds: u32, requests| Wanted { name, every: second * seconds, requests };
        let all = vec![wanted("rooms", 2, 1), wanted("users", 4, 2), wanted("users", 600, 1)];
        let (paces, own) = (Paces::default(), share());
        assert_eq!(paces.present(), None);
        paces.tell(all, &own, (60, minute));
        let seconds = |present: &Present| -> Vec<(&str, f64)> {
            present.endpoints.iter().map(|e| (e.name, e.every.as_secs_f64().round())).collect()
        };
        let alone = paces.present().unwrap();
        assert_eq!((seconds(&alone), alone.sharers), (vec![("rooms", 2.0), ("users", 4.0)], 1));
        let other = share();
        let shared = paces.present().unwrap();
        assert_eq!((seconds(&shared), shared.sharers), (vec![("rooms", 4.0), ("users", 8.0)], 2));
        assert!(shared.stretch > 2.0);
        drop(other);
        assert_eq!(paces.present().unwrap(), alone);
        drop(own);
        assert_eq!(paces.present(), None, "what has ended asks nothing");
    }
}
