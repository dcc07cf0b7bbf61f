//! One named task per enabled source. A connector runs for ever; one that ends early or breaks is a
//! reported fault and is started anew, and no other source notices.

use std::{collections::HashMap, sync::Arc, time::Duration};

use link::{Clock, Secret, poll::Budgets};
use model::{Batch, Change, Health, HealthReport, Id};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use vendors::{SourceLink, SourceSettings, registry, tokens::Tokens};

use super::{diagnostics::Ears, tapes::Tapes};
use crate::ports::Vault;

/// How long a broken connector rests before it is started anew.
const AFTER_FAULT: Duration = Duration::from_secs(30);

/// How long a stopped connector may take to leave politely.
const FAREWELL: Duration = Duration::from_secs(3);

struct Running {
    settings: SourceSettings,
    stop: CancellationToken,
    task: JoinHandle<()>,
    ears: Ears,
}

/// What every connector needs of the house.
#[derive(Clone)]
struct Means {
    out: mpsc::Sender<Batch>,
    clock: Arc<dyn Clock>,
    vault: Arc<dyn Vault>,
    tapes: Option<Tapes>,
    /// Requests that an address or an account may cost, for all sources there.
    budgets: Budgets,
    /// Tokens of accounts, for all sources of an account.
    tokens: Tokens,
}

/// The running connectors.
pub(crate) struct Sources {
    means: Means,
    running: HashMap<Id, Running>,
}

impl Sources {
    pub fn new(
        out: mpsc::Sender<Batch>,
        clock: Arc<dyn Clock>,
        vault: Arc<dyn Vault>,
        tapes: Option<Tapes>,
    ) -> Self {
        let means =
            Means { out, clock, vault, tapes, budgets: Budgets::default(), tokens: Tokens::default() };
        Self { means, running: HashMap::new() }
    }

    /// Makes the running connectors match the settings: unchanged ones go on undisturbed.
    pub fn configure(&mut self, wanted: &[SourceSettings]) {
        let enabled = |s: &&SourceSettings| s.enabled;
        let gone: Vec<Id> = self
            .running
            .iter()
            .filter(|(id, r)| !wanted.iter().filter(enabled).any(|s| s.id == **id && *s == r.settings))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.stop(&id);
        }
        for settings in wanted.iter().filter(enabled) {
            if !self.running.contains_key(&settings.id) {
                self.start(settings.clone(), Ears::new(self.means.clock.clone()));
            }
        }
    }

    /// Stops and starts one source: its secret changed, or a person does not want to wait.
    pub fn restart(&mut self, id: &Id) {
        let known = self.running.get(id).map(|r| (r.settings.clone(), r.ears.clone()));
        let Some((settings, ears)) = known else { return };
        self.stop(id);
        self.start(settings, ears);
    }

    /// What listens to a source; `None` when it does not run.
    pub fn ears(&self, id: &Id) -> Option<Ears> {
        self.running.get(id).map(|running| running.ears.clone())
    }

    /// Asks every connector to leave and waits a moment for each.
    pub async fn shutdown(&mut self) {
        for running in self.running.values() {
            running.stop.cancel();
        }
        let deadline = tokio::time::Instant::now() + FAREWELL;
        for (_, running) in self.running.drain() {
            let abort = running.task.abort_handle();
            if tokio::time::timeout_at(deadline, running.task).await.is_err() {
                abort.abort();
            }
        }
    }

    fn stop(&mut self, id: &Id) {
        let Some(running) = self.running.remove(id) else { return };
        running.stop.cancel();
        let abort = running.task.abort_handle();
        tokio::spawn(async move {
            tokio::time::sleep(FAREWELL).await;
            abort.abort();
        });
    }

    fn start(&mut self, settings: SourceSettings, ears: Ears) {
        let stop = CancellationToken::new();
        let task =
            tokio::spawn(keep_running(settings.clone(), ears.clone(), stop.clone(), self.means.clone()));
        self.running.insert(settings.id.clone(), Running { settings, stop, task, ears });
    }
}

async fn keep_running(settings: SourceSettings, ears: Ears, stop: CancellationToken, means: Means) {
    let Means { out, clock, vault, tapes, budgets, tokens } = means;
    let id = settings.id.clone();
    let say = |report: HealthReport| {
        let batch = Batch { source: id.clone(), at: clock.now(), changes: vec![Change::Health(report)] };
        let out = out.clone();
        async move { out.send(batch).await.is_ok() }
    };
    loop {
        let secret = match find_secret(&settings, &*vault).await {
            Ok(secret) => secret,
            Err(sentence) => {
                say(HealthReport { error: Some(sentence), ..HealthReport::of(Health::Misconfigured) }).await;
                return;
            }
        };
        let tape = tapes.as_ref().and_then(|tapes| match tapes.begin(&settings, &secret, &*clock) {
            Ok(tape) => Some(tape),
            Err(error) => {
                tracing::error!(source = %id, %error, "No tape can be made.");
                None
            }
        });
        let link = SourceLink {
            source: id.clone(),
            out: relabel(out.clone(), stop.clone()),
            clock: clock.clone(),
            secret,
            stop: stop.clone(),
            taps: ears.taps(tape),
            notes: ears.notes.clone(),
            paces: ears.paces.clone(),
            seed: rand::random(),
            budgets: budgets.clone(),
            tokens: tokens.clone(),
        };
        let connector = match build(&settings) {
            Ok(connector) => connector,
            Err(sentence) => {
                say(HealthReport { error: Some(sentence), ..HealthReport::of(Health::Misconfigured) }).await;
                return;
            }
        };
        // A task of its own, so that a fault inside is caught here and hurts nobody else.
        let mut run = tokio::spawn(connector.run(link));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = stop.cancelled() => {
                // It was asked to leave; give it the time for a polite farewell.
                if tokio::time::timeout(FAREWELL, &mut run).await.is_err() {
                    run.abort();
                }
                return;
            }
        };
        if stop.is_cancelled() || out.is_closed() {
            return;
        }
        tracing::error!(source = %id, broke = ended.is_err(), "A connector ended early.");
        let retry_at = clock.now().plus(AFTER_FAULT);
        let report = HealthReport {
            error: Some(format!(
                "an internal fault stopped the link to {}; it is started anew, and the fault stands in the log",
                settings.name
            )),
            retry_at: Some(retry_at),
            ..HealthReport::of(Health::Retrying)
        };
        if !say(report).await {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(AFTER_FAULT) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// A connector that was stopped must not speak any more: what it still sends is dropped here, so that a
/// source that was started anew is not mixed with its earlier life.
fn relabel(out: mpsc::Sender<Batch>, stop: CancellationToken) -> mpsc::Sender<Batch> {
    let (inner, mut from) = mpsc::channel::<Batch>(64);
    tokio::spawn(async move {
        while let Some(batch) = from.recv().await {
            if stop.is_cancelled() {
                break;
            }
            tokio::select! {
                sent = out.send(batch) => if sent.is_err() { break },
                () = stop.cancelled() => break,
            }
        }
    });
    inner
}

fn build(settings: &SourceSettings) -> Result<Box<dyn vendors::Connector>, String> {
    let registered = registry::find(settings.vendor)
        .ok_or_else(|| format!("{} is not built into this version", settings.vendor.as_str()))?;
    (registered.build)(settings).map_err(|error| error.sentence)
}

/// The secret from where the configuration says, or the sentence why there is none.
pub(crate) async fn find_secret(settings: &SourceSettings, vault: &dyn Vault) -> Result<Secret, String> {
    if let Some(variable) = &settings.secret_env {
        return match crate::settings::environment(variable) {
            Some(text) if !text.is_empty() => Ok(Secret::new(text)),
            _ => Err(format!(
                "the environment variable {variable} is not set; set it, or leave `secret_env` out and keep the secret in the keychain"
            )),
        };
    }
    match vault.get(&settings.id).await {
        Ok(Some(secret)) => Ok(secret),
        Ok(None) => Err(format!(
            "no secret is stored for {}; enter it under Sources, or run `floorctl secret set {}`",
            settings.name, settings.id
        )),
        Err(error) => Err(format!("the secret of {} cannot be read: {error}", settings.name)),
    }
}
