//! Joins the schedule with the network, the clock and the way out.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{StreamExt, stream::FuturesUnordered};
use model::{Batch, Change, Health, HealthReport, Id, Timestamp};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Next, Rows, Schedule, Trouble};
use crate::{Clock, skew::Skew};

/// A good answer of one endpoint.
#[derive(Debug)]
pub struct Good<A> {
    /// What it said; `None` when it is word for word what it said last time.
    pub answer: Option<A>,
    /// One sentence when the answer is not whole.
    pub partial: Option<String>,
    /// When the last request left, in our clock.
    pub sent: Timestamp,
    /// When its answer was complete here, in our clock.
    pub at: Timestamp,
    /// The server's `Date` in that answer, where it sent one.
    pub date: Option<Timestamp>,
}

/// The asking half of a polled vendor: puts requests on the wire and parses what comes back.
#[async_trait]
pub trait Ask: Send + Sync + 'static {
    /// What an endpoint says, parsed.
    type Answer: Send + 'static;
    /// Asks one endpoint, all its pages. Must be safe to drop at any await point.
    async fn ask(&self, endpoint: usize) -> Result<Good<Self::Answer>, Trouble>;
    /// One sentence for people about the last good answer of an endpoint, although nothing is missing.
    fn note(&self, _endpoint: usize) -> Option<String> {
        None
    }
}

/// When something was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// In our clock.
    pub at: Timestamp,
    /// The same moment in the vendor's clock, as far as that is known.
    pub vendor: Timestamp,
    /// How far off a duration told at this moment may be: half the interval and a second.
    pub uncertainty: Duration,
}

impl Moment {
    /// Another moment of the same conversation, `at` in our clock.
    #[must_use]
    pub fn at_that_time(self, at: Timestamp) -> Moment {
        let ago = self.at.seconds_since(at);
        Moment { at, vendor: self.vendor.plus_seconds(-ago), ..self }
    }
}

/// The understanding half: keeps the last answers and makes rows of them. Pure.
pub trait Floor: Send {
    /// What an endpoint says, parsed.
    type Answer: Send;
    /// An endpoint has answered; `None`: the same as last time.
    fn take(&mut self, endpoint: usize, answer: Option<Self::Answer>, moment: Moment);
    /// What this endpoint said last is too old to be shown as present.
    fn outdated(&mut self, endpoint: usize);
    /// Another interval for an endpoint than planned, where the present state asks for it.
    fn every(&self, _endpoint: usize) -> Option<Duration> {
        None
    }
    /// All rows as known now.
    fn rows(&self) -> Rows;
}

/// One polled source at work.
pub struct Driver<A: Ask, F: Floor<Answer = A::Answer>> {
    /// Source id.
    pub source: Id,
    /// The asking half.
    pub ask: Arc<A>,
    /// The understanding half.
    pub floor: F,
    /// What is asked when.
    pub schedule: Schedule,
    /// Where batches go.
    pub out: mpsc::Sender<Batch>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Ends it.
    pub stop: CancellationToken,
}

type Asked<A> = Pin<Box<dyn Future<Output = (usize, Result<Good<A>, Trouble>)> + Send>>;

/// A wall clock that moved this much more than time did: the machine slept.
const SLEPT: Duration = Duration::from_secs(15);
/// How long the driver dozes at most, so that a sleep of the machine is noticed soon after.
const DOZE: Duration = Duration::from_secs(5);

/// What was said last, so that nothing is said twice.
struct Said {
    rows: Rows,
    complete: bool,
    report: HealthReport,
    skew: Skew,
}

impl<A: Ask, F: Floor<Answer = A::Answer>> Driver<A, F> {
    /// Runs until stopped or until nobody listens any more.
    pub async fn run(mut self) {
        let started = Instant::now();
        let mut said = Said {
            rows: Rows::default(),
            complete: false,
            report: HealthReport::of(Health::Connecting),
            skew: Skew::default(),
        };
        if !self.send(vec![Change::Health(said.report.clone())]).await {
            return;
        }
        let mut asked: FuturesUnordered<Asked<A::Answer>> = FuturesUnordered::new();
        let mut clocks = (started, self.clock.now());
        loop {
            let now = started.elapsed();
            let before = std::mem::replace(&mut clocks, (Instant::now(), self.clock.now()));
            if clocks.1.since(before.1) > clocks.0.duration_since(before.0) + SLEPT {
                tracing::info!(source = %self.source, "the machine slept; asking everything anew");
                self.schedule.woke(now);
                if !self.publish(&mut said, now, false).await {
                    return;
                }
            }
            let until = loop {
                match self.schedule.next(now) {
                    Next::Ask(endpoint) => {
                        let ask = self.ask.clone();
                        asked.push(Box::pin(async move { (endpoint, ask.ask(endpoint).await) }));
                    }
                    Next::Wait(until) => break until,
                }
            };
            let doze = until.map_or(DOZE, |until| until.saturating_sub(now).min(DOZE));
            let data = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                Some((endpoint, result)) = asked.next(), if !asked.is_empty() => {
                    self.answered(endpoint, result, started.elapsed(), &mut said)
                }
                () = tokio::time::sleep(doze) => false,
            };
            if !self.publish(&mut said, started.elapsed(), data).await {
                return;
            }
        }
    }

    /// Takes an answer in; says whether it carried data.
    fn answered(
        &mut self,
        endpoint: usize,
        result: Result<Good<A::Answer>, Trouble>,
        now: Duration,
        said: &mut Said,
    ) -> bool {
        let good = match result {
            Ok(good) => good,
            Err(trouble) => {
                tracing::debug!(source = %self.source, endpoint, ?trouble, "no data");
                self.schedule.bad(endpoint, now, trouble);
                return false;
            }
        };
        if let Some(date) = good.date {
            said.skew.sample(date, good.sent, good.at);
        }
        let moment = Moment {
            at: good.at,
            vendor: said.skew.vendor_time(good.at),
            uncertainty: self.schedule.interval(endpoint) / 2 + Duration::from_secs(1),
        };
        self.floor.take(endpoint, good.answer, moment);
        self.schedule.good(endpoint, now, good.partial);
        self.schedule.note(endpoint, self.ask.note(endpoint));
        for endpoint in 0..self.schedule.len() {
            if let Some(every) = self.floor.every(endpoint) {
                self.schedule.set_every(endpoint, every);
            }
        }
        // Look-ups carry no state of the floor.
        if !self.schedule.is_look_up(endpoint) {
            said.report.last_data_at = Some(good.at);
        }
        true
    }

    /// Says what is new; `false` when nobody listens any more.
    async fn publish(&mut self, said: &mut Said, now: Duration, data: bool) -> bool {
        let Some(verdict) = self.schedule.verdict(now) else { return true };
        let outdated = self.schedule.outdated(now);
        let mut changes = Vec::new();
        if verdict.settled && (data || !outdated.is_empty() || !said.complete) {
            for endpoint in outdated {
                self.floor.outdated(endpoint);
            }
            let rows = self.floor.rows();
            if said.complete {
                changes = said.rows.changes_to(&rows);
            } else {
                changes.push(Change::Reset);
                changes.extend(rows.all());
                changes.push(Change::Complete);
                said.complete = true;
            }
            said.rows = rows;
        }
        let retry_at = verdict.retry_at.map(|at| {
            // Moves with neither clock: the moment was fixed when the wait began.
            let due = self.clock.now().plus(at.saturating_sub(now));
            match said.report.retry_at {
                Some(old) if old.since(due).max(due.since(old)) < Duration::from_millis(900) => old,
                _ => due,
            }
        });
        let report = HealthReport {
            health: verdict.health,
            last_data_at: said.report.last_data_at,
            error: verdict.error,
            retry_at,
            clock_skew_s: said.skew.seconds(),
            gaps: verdict.gaps,
        };
        if data || report != said.report {
            said.report = report.clone();
            changes.push(Change::Health(report));
        }
        changes.is_empty() || self.send(changes).await
    }

    async fn send(&self, changes: Vec<Change>) -> bool {
        let batch = Batch { source: self.source.clone(), at: self.clock.now(), changes };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            sent = self.out.send(batch) => sent.is_ok(),
        }
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
