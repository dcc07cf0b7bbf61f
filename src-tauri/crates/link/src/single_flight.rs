//! A token that many use and one fetches.

use std::{future::Future, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use crate::Secret;

/// A freshly issued token.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// How long it lives; `None`: until it is refused.
    pub lives: Option<Duration>,
}

/// A token as it is handed out. Give `turn` back to [`TokenCache::refused`] when the vendor refuses it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// Which issue it is.
    pub turn: u64,
}

/// Holds one token for any number of users: fetched by one of them at a time, renewed at 80 % of its
/// life, and kept in use when a renewal fails while it is still good.
///
/// Those who wait for a fetch that fails all get its error: eight refused requests make one sign-in, not
/// eight.
pub struct TokenCache<E> {
    state: Mutex<State<E>>,
    /// Fetches that failed so far; read before queueing, to tell whose failure may be shared.
    failures: std::sync::atomic::AtomicU64,
}

struct State<E> {
    held: Option<Held>,
    turn: u64,
    failed: Option<(u64, E)>,
}

struct Held {
    token: Token,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
}

/// Part of its life after which a token is renewed.
const RENEW_AT: f64 = 0.8;

impl<E: Clone> Default for TokenCache<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Clone> TokenCache<E> {
    /// Empty.
    pub fn new() -> Self {
        let state = State { held: None, turn: 0, failed: None };
        Self { state: Mutex::new(state), failures: std::sync::atomic::AtomicU64::new(0) }
    }

    /// The token, fetched if there is none or its time is nearly over.
    pub async fn get<F, Fut>(&self, fetch: F) -> Result<Token, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Issued, E>>,
    {
        self.get_by(Instant::now, fetch).await
    }

    async fn get_by<F, Fut>(&self, clock: impl Fn() -> Instant, fetch: F) -> Result<Token, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Issued, E>>,
    {
        use std::sync::atomic::Ordering::SeqCst;
        let arrived = self.failures.load(SeqCst);
        let mut state = self.state.lock().await;
        let now = clock();
        if let Some(held) = state.held.as_ref().filter(|h| h.renew_at.is_none_or(|at| now < at)) {
            return Ok(held.token.clone());
        }
        if let Some((number, error)) = &state.failed
            && *number > arrived
        {
            return Err(error.clone());
        }
        match fetch().await {
            Ok(issued) => {
                let now = clock();
                state.turn += 1;
                state.failed = None;
                let token = Token { secret: issued.token, turn: state.turn };
                state.held = Some(Held {
                    token: token.clone(),
                    renew_at: issued.lives.map(|l| now + l.mul_f64(RENEW_AT)),
                    ends_at: issued.lives.map(|l| now + l),
                });
                Ok(token)
            }
            Err(error) => {
                let now = clock();
                if let Some(held) = state.held.as_mut().filter(|h| h.ends_at.is_none_or(|at| now < at)) {
                    // Still good: use it, and do not ask again at once.
                    let soon = now + Duration::from_secs(5);
                    held.renew_at = Some(held.ends_at.map_or(soon, |end| soon.min(end)));
                    return Ok(held.token.clone());
                }
                let number = self.failures.fetch_add(1, SeqCst) + 1;
                state.failed = Some((number, error.clone()));
                Err(error)
            }
        }
    }

    /// The vendor refused this token: it is forgotten, unless a newer one is there already.
    pub async fn refused(&self, turn: u64) {
        let mut state = self.state.lock().await;
        if state.held.as_ref().is_some_and(|h| h.token.turn == turn) {
            state.held = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    };

    use super::*;

    async fn issue(count: &AtomicU32, lives: Option<Duration>) -> Result<Issued, &'static str> {
        let n = count.fetch_add(1, SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(Issued { token: Secret::new(format!("fake-{n}")), lives })
    }

    #[tokio::test]
    async fn a3_eight_refusals_make_one_fetch() {
        let (cache, count) = (Arc::new(TokenCache::new()), Arc::new(AtomicU32::new(0)));
        let first = cache.get(|| issue(&count, None)).await.unwrap();
        let mut all = Vec::new();
        for _ in 0..8 {
            let (cache, count, turn) = (cache.clone(), count.clone(), first.turn);
            all.push(tokio::spawn(async move {
                cache.refused(turn).await;
                cache.get(|| issue(&count, None)).await.unwrap().turn
            }));
        }
        for one in all {
            assert_eq!(one.await.unwrap(), 2);
        }
        assert_eq!(count.load(SeqCst), 2);
    }

    #[tokio::test]
    async fn a2_renewed_at_four_fifths_of_its_life() {
        let (cache, count) = (TokenCache::new(), AtomicU32::new(0));
        let lives = Some(Duration::from_millis(1000));
        let issued = Instant::now();
        for (ms, turn) in [(0, 1), (790, 1), (810, 2)] {
            let clock = || issued + Duration::from_millis(ms);
            let token = cache.get_by(clock, || issue(&count, lives)).await.unwrap();
            assert_eq!(token.turn, turn, "after {ms} ms");
        }
    }

    #[tokio::test]
    async fn a4_a_good_token_outlives_a_failed_renewal() {
        let (cache, count) = (TokenCache::new(), AtomicU32::new(0));
        let lives = Some(Duration::from_millis(600));
        let issued = Instant::now();
        let after = |ms| move || issued + Duration::from_millis(ms);
        cache.get_by(after(0), || issue(&count, lives)).await.unwrap();
        assert_eq!(cache.get_by(after(520), || async { Err("down") }).await.unwrap().turn, 1);
        assert_eq!(cache.get_by(after(700), || async { Err("down") }).await.unwrap_err(), "down");
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_waited_for_it() {
        let (cache, count) = (Arc::new(TokenCache::<&str>::new()), Arc::new(AtomicU32::new(0)));
        let mut all = Vec::new();
        for _ in 0..8 {
            let (cache, count) = (cache.clone(), count.clone());
            all.push(tokio::spawn(async move {
                let fetch = || async {
                    count.fetch_add(1, SeqCst);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Err("refused")
                };
                cache.get(fetch).await.unwrap_err()
            }));
        }
        for one in all {
            assert_eq!(one.await.unwrap(), "refused");
        }
        assert_eq!(count.load(SeqCst), 1);
        // A later caller tries anew.
        assert_eq!(cache.get(|| issue(&count, None)).await.unwrap().turn, 1);
    }
}
