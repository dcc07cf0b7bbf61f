//! "Test connection": one source, a world of its own, until it is live or has failed; nothing is kept.

use std::{sync::Arc, time::Duration};

use engine::{Input, World};
use link::{Clock, Secret};
use model::{Health, Kind};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use vendors::{SourceLink, SourceSettings, registry};

use crate::api::TestReport;

/// A person waits in front of the form.
const PATIENCE: Duration = Duration::from_secs(30);

/// Signs of failure that a person can act on: no need to wait for a better one.
fn is_telling(health: Health) -> bool {
    health.is_settled() || matches!(health, Health::Retrying | Health::Throttled)
}

/// Connects once.
pub(crate) async fn run(settings: &SourceSettings, secret: Secret, clock: Arc<dyn Clock>) -> TestReport {
    let started = tokio::time::Instant::now();
    let now = clock.now();
    let mut world = World::new();
    let source = super::source_of(&SourceSettings { enabled: true, ..settings.clone() }, now);
    world.apply(Input::Configure { sources: vec![source], rules: Arc::default() }, now);
    let (out, mut batches) = mpsc::channel(256);
    let stop = CancellationToken::new();
    let connector = match registry::find(settings.vendor).map(|r| (r.build)(settings)) {
        Some(Ok(connector)) => connector,
        Some(Err(error)) => {
            return report(&world, settings, started, Some((Health::Misconfigured, error.sentence)));
        }
        None => {
            let sentence = format!("{} is not built into this version.", settings.vendor.as_str());
            return report(&world, settings, started, Some((Health::Misconfigured, sentence)));
        }
    };
    let link = SourceLink {
        source: settings.id.clone(),
        out,
        clock: clock.clone(),
        secret,
        stop: stop.clone(),
        taps: Default::default(),
        notes: Default::default(),
        paces: Default::default(),
        seed: rand::random(),
        budgets: Default::default(),
        tokens: Default::default(),
    };
    let task = tokio::spawn(connector.run(link));
    let watching = async {
        while let Some(batch) = batches.recv().await {
            world.apply(Input::Batch(batch), clock.now());
            if world.sources().any(|s| is_telling(s.health)) {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, watching).await.is_ok();
    stop.cancel();
    // Let it leave (a sign-out), but not for ever; its last words are of no interest.
    batches.close();
    let abort = task.abort_handle();
    if tokio::time::timeout(Duration::from_secs(3), task).await.is_err() {
        abort.abort();
    }
    let verdict = (!in_time).then(|| {
        let sentence =
            format!("{} did not answer completely within {} s.", settings.name, PATIENCE.as_secs());
        (Health::Connecting, sentence)
    });
    report(&world, settings, started, verdict)
}

fn report(
    world: &World,
    settings: &SourceSettings,
    started: tokio::time::Instant,
    verdict: Option<(Health, String)>,
) -> TestReport {
    let source = world.sources().next();
    let count =
        |kind: Kind| u32::try_from(world.entities().filter(|e| e.kind() == kind).count()).unwrap_or(u32::MAX);
    let (queues, agents, conversations) = (count(Kind::Queue), count(Kind::Agent), count(Kind::Conversation));
    let gaps = source.map(|s| s.gaps.clone()).unwrap_or_default();
    let (health, sentence) = verdict.unwrap_or_else(|| {
        let health = source.map_or(Health::Connecting, |s| s.health);
        let error = source.and_then(|s| s.last_error.clone());
        let sentence = match (health, error) {
            (Health::Live, None) => {
                format!(
                    "{} works: {queues} queues, {agents} agents, {conversations} conversations.",
                    settings.name
                )
            }
            (Health::Live, Some(error)) if !gaps.is_empty() => {
                format!("{} works, but not {}. {error}", settings.name, gaps.join(", "))
            }
            (_, Some(error)) => error,
            (_, None) => format!("{} did not say why it failed.", settings.name),
        };
        (health, sentence)
    });
    let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    TestReport { health, sentence, queues, agents, conversations, gaps, took_ms }
}
