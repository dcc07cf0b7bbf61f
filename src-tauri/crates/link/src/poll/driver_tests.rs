//! The driver with a vendor and a clock that do as they are told.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, AtomicU32, Ordering::SeqCst},
};

use model::{Figure, Kind, Origin, Totals, Unit, Window};

use super::*;
use crate::{SystemClock, poll::Plan};

/// The system's clock, moved.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(SystemClock.now().as_ms() + self.0.load(SeqCst))
    }
}

struct Vendor {
    clock: Arc<Moved>,
    value: AtomicU32,
    trouble: Mutex<Option<Trouble>>,
}

#[async_trait]
impl Ask for Vendor {
    type Answer = u32;
    async fn ask(&self, _endpoint: usize) -> Result<Good<u32>, Trouble> {
        tokio::task::yield_now().await;
        if let Some(trouble) = self.trouble.lock().unwrap().clone() {
            return Err(trouble);
        }
        let at = self.clock.now();
        Ok(Good { answer: Some(self.value.load(SeqCst)), partial: None, sent: at, at, date: None })
    }
}

#[derive(Default)]
struct Total(Option<u32>);

impl Floor for Total {
    type Answer = u32;
    fn take(&mut self, _endpoint: usize, answer: Option<u32>, _moment: Moment) {
        self.0 = answer;
    }
    fn outdated(&mut self, _endpoint: usize) {
        self.0 = None;
    }
    fn rows(&self) -> Rows {
        let value = self.0.map(f64::from);
        let (metric, origin) = ("open".into(), Origin::Reported);
        let figure = Figure { metric, window: Window::Now, value, unit: Unit::Count, origin, n: None };
        Rows { totals: Some(Totals { source: "s".into(), windows: vec![figure] }), ..Rows::default() }
    }
}

struct Stand {
    vendor: Arc<Vendor>,
    clock: Arc<Moved>,
    batches: mpsc::Receiver<Batch>,
    stop: CancellationToken,
}

fn stand() -> Stand {
    let clock = Arc::new(Moved(AtomicI64::new(0)));
    let vendor =
        Arc::new(Vendor { clock: clock.clone(), value: AtomicU32::new(1), trouble: Mutex::new(None) });
    let (out, batches) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let plan = Plan { name: "one", every: Duration::from_millis(50), optional: false };
    let driver = Driver {
        source: "s".into(),
        ask: vendor.clone(),
        floor: Total::default(),
        schedule: Schedule::new(vec![plan], 1),
        out,
        clock: clock.clone(),
        stop: stop.clone(),
    };
    tokio::spawn(driver.run());
    Stand { vendor, clock, batches, stop }
}

impl Stand {
    async fn next(&mut self) -> Vec<Change> {
        let next = tokio::time::timeout(Duration::from_secs(120), self.batches.recv());
        next.await.expect("something is said").expect("the driver runs").changes
    }
    async fn until(&mut self, health: Health) -> HealthReport {
        loop {
            for change in self.next().await {
                if let Change::Health(report) = change
                    && report.health == health
                {
                    return report;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_first_state_is_whole_and_a_quiet_poll_only_fresh() {
    let mut stand = stand();
    assert!(matches!(&stand.next().await[..], [Change::Health(r)] if r.health == Health::Connecting));
    let first = stand.next().await;
    assert!(
        matches!(&first[..], [Change::Reset, Change::Totals(_), Change::Complete, Change::Health(r)] if r.health == Health::Live),
        "{first:?}"
    );
    let quiet = stand.next().await;
    assert!(matches!(&quiet[..], [Change::Health(_)]), "{quiet:?}");
    stand.vendor.value.store(2, SeqCst);
    let moved = loop {
        let changes = stand.next().await;
        if changes.len() > 1 {
            break changes;
        }
    };
    assert!(matches!(&moved[..], [Change::Totals(_), Change::Health(_)]), "{moved:?}");
    stand.stop.cancel();
    while let Some(batch) = stand.batches.recv().await {
        assert!(!batch.changes.iter().any(|change| matches!(change, Change::Remove(Kind::Totals, _))));
    }
}

#[tokio::test]
async fn t3_a_wall_clock_that_jumps_ahead_makes_stale_then_live() {
    let mut stand = stand();
    stand.until(Health::Live).await;
    stand.clock.0.fetch_add(8 * 3600 * 1000, SeqCst);
    stand.until(Health::Stale).await;
    stand.until(Health::Live).await;
    *stand.vendor.trouble.lock().unwrap() = Some(Trouble::Link("no network yet".into()));
    let report = stand.until(Health::Retrying).await;
    assert!(report.retry_at.is_some_and(|at| at.seconds_since(stand.clock.now()) < 5.0));
    *stand.vendor.trouble.lock().unwrap() = None;
    let report = stand.until(Health::Live).await;
    assert!(stand.clock.now().seconds_since(report.last_data_at.unwrap()) < 60.0);
    // Back again: timers do not care.
    stand.clock.0.fetch_sub(24 * 3600 * 1000, SeqCst);
    stand.until(Health::Live).await;
}

#[tokio::test]
async fn the_end_of_the_listener_is_the_end_of_the_driver() {
    let mut stand = stand();
    stand.until(Health::Live).await;
    drop(stand.batches);
    let weak = Arc::downgrade(&stand.vendor);
    drop(stand.vendor);
    for _ in 0..3000 {
        if weak.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the driver lives on");
}
