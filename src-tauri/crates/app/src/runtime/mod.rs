//! The runtime of one face: starts the loop, answers questions, ends it.

mod ask;
#[cfg(test)]
mod bomb_tests;
mod desk;
mod diagnostics;
mod elsewhere;
mod floor;
mod follow;
mod hub;
mod record;
#[cfg(test)]
mod restart_tests;
mod rules;
mod sources;
mod tapes;
mod tell;
mod trial;
mod trials;
mod webhooks;

use std::{path::PathBuf, sync::Arc, time::Duration};

use engine::{World, view::ViewSpec};
use link::Clock;
use model::{Health, Id, Source, Timestamp};
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use vendors::{SourceSettings, registry};

pub use diagnostics::sentence_of;
pub use engine::alerts::TrayModel;
pub use floor::Lines;
pub use hub::Subscription;
pub(crate) use record::restored;
pub use tapes::Tapes;

#[cfg(test)]
pub(crate) use webhooks::tests::alert as alert_for_tests;

use crate::{
    ports::{Notifier, Opener, Speaker, Vault},
    settings::{self, Settings, SettingsError},
};
use floor::{Command, Floor, Shown};

/// Batches waiting for the loop; when it is full the connectors wait, and TCP does the rest.
const BATCHES: usize = 1024;

/// How to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// The configuration file.
    pub config: PathBuf,
    /// The folder of the databases.
    pub data: PathBuf,
    /// Only this source.
    pub only: Option<Id>,
    /// Whether to keep a record: the app does, `snapshot` and plain `watch` do not.
    pub record: bool,
    /// Whether a configuration error stops the start (`floorctl`) or is shown (the app).
    pub strict: bool,
    /// The floor is simulated.
    pub demo: bool,
    /// Record what goes between the sources and their vendors.
    pub tapes: Option<Tapes>,
}

/// The machine, as the runtime sees it.
#[derive(Clone)]
#[allow(missing_docs)]
pub struct Ports {
    pub vault: Arc<dyn Vault>,
    pub notifier: Arc<dyn Notifier>,
    pub opener: Arc<dyn Opener>,
    pub speaker: Arc<dyn Speaker>,
    pub clock: Arc<dyn Clock>,
}

/// The runtime has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Floorwalker is shutting down")]
pub struct Gone;

/// A running Floorwalker. Cheap to clone; all clones speak to the same loop.
#[derive(Clone)]
pub struct Floorwalker {
    commands: mpsc::Sender<Command>,
    sources: watch::Receiver<Arc<[Source]>>,
    tray: watch::Receiver<TrayModel>,
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub start: Start,
    pub ports: Ports,
    /// Sentences that the user must see: a damaged store was put aside, and the like.
    pub notices: record::Sentences,
    /// The configuration is changed by one question at a time.
    pub settings: Mutex<Configured>,
    /// Rules that are tried on the past.
    pub trials: trials::Trials,
}

/// The configuration in force, and the sentence when there is none.
pub(crate) struct Configured {
    pub settings: Settings,
    pub error: Option<SettingsError>,
    /// The file as it was when it was read.
    pub stamp: follow::Stamp,
}

impl Floorwalker {
    /// Reads the configuration, opens the record, shows the last floor, starts the sources.
    pub fn start(start: Start, ports: Ports) -> Result<Self, SettingsError> {
        // Before reading: an edit in between is seen as one.
        let stamp = follow::Stamp::of(&start.config);
        let (mut settings, error) = match settings::load(&start.config) {
            Ok(settings) => (settings, None),
            Err(error) if start.strict => return Err(error),
            Err(error) => (Settings::default(), Some(error)),
        };
        if let Some(only) = &start.only {
            settings.sources.retain(|s| s.id == *only);
            if settings.sources.is_empty() {
                return Err(SettingsError {
                    file: start.config.clone(),
                    line: None,
                    key: None,
                    what: format!("has no source with the id `{only}`; check --only"),
                });
            }
        }
        let notices = record::Sentences::default();
        let (batches_in, batches) = mpsc::channel(BATCHES);
        let (commands_in, commands) = mpsc::channel(64);
        let (sources_out, sources) = watch::channel(Arc::from(Vec::new()));
        let (tray_out, tray) = watch::channel(TrayModel::default());
        let opened = if start.record {
            record::Recorder::open(
                &start.data,
                settings.preferences.retention_days,
                ports.clock.clone(),
                &notices,
            )
        } else {
            record::Opened::default()
        };
        // `floorctl` prints them itself, with the carets in place.
        for error in settings.rule_errors.iter().filter(|_| !start.strict) {
            record::say(&notices, error.clone());
        }
        let earlier = match start.record {
            true => crate::past::earlier(&start.data, ports.clock.now()),
            false => crate::past::Earlier::default(),
        };
        let mut elsewhere = None;
        let (book, stood) = if start.record {
            desk::DeskBook::open(&start.data, opened.seen_until, &notices)
        } else {
            let ids: Vec<Id> = settings.sources.iter().map(|s| s.id.clone()).collect();
            let alerts = desk::acknowledged(&start.data, &ids);
            elsewhere = elsewhere::Elsewhere::read(&start.data);
            (desk::DeskBook::none(), desk::Stood { alerts, timers: Vec::new() })
        };
        let tells = start.record && !book.is_elsewhere();
        let means = tells.then(|| webhooks::Means {
            book: book.clone(),
            vault: ports.vault.clone(),
            clock: ports.clock.clone(),
            sentences: notices.clone(),
        });
        let hooks = webhooks::Hooks::new(means, notices.clone());
        let desktop = tells.then(|| tell::Desktop {
            notifier: ports.notifier.clone(),
            speaker: ports.speaker.clone(),
            clock: ports.clock.clone(),
            sentences: notices.clone(),
        });
        let teller = tell::Teller::new(book, desktop, commands_in.downgrade());
        let mut floor = Floor {
            world: World::new(),
            clock: ports.clock.clone(),
            batches,
            commands,
            sources: sources::Sources::new(
                batches_in,
                ports.clock.clone(),
                ports.vault.clone(),
                start.tapes.clone(),
            ),
            hub: hub::Hub::default(),
            shown: Shown { sources: sources_out, tray: tray_out },
            recorder: opened.recorder,
            teller,
            hooks,
            person: store::Actor::Person(person()),
            status: None,
            waiting: None,
            lines: Vec::new(),
            pending_lines: Default::default(),
            wake_at: None,
        };
        if let Some(seen) = &elsewhere {
            floor.world.know_elsewhere(&seen.others(&stood.alerts));
        }
        floor.begin(&settings, opened.last, stood, earlier);
        if !start.record {
            let known = elsewhere.map(|seen| seen.alerts).unwrap_or_default();
            tokio::spawn(elsewhere::follow(start.data.clone(), known, commands_in.downgrade()));
        }
        tokio::spawn(floor.run());
        // A strict face runs for one purpose with what it was given; the app lives with its file.
        let follows = !start.strict;
        let settings = Mutex::new(Configured { settings, error, stamp });
        let inner = Arc::new(Inner { start, ports, notices, settings, trials: Default::default() });
        if follows {
            let (weak, commands) = (Arc::downgrade(&inner), commands_in.downgrade());
            tokio::spawn(follow::follow(weak, commands, sources.clone(), tray.clone()));
        }
        Ok(Self { commands: commands_in, sources, tray, inner })
    }

    /// Opens a view: a snapshot at once, then patches.
    pub async fn subscribe(&self, spec: ViewSpec) -> Result<Subscription, Gone> {
        self.command(|reply| Command::Subscribe { spec, reply }).await
    }

    /// The whole state as the contract's document.
    pub async fn document(&self) -> Result<String, Gone> {
        self.command(|reply| Command::Document { reply }).await
    }

    /// The whole state and everything after it, line by line.
    pub async fn lines(&self) -> Result<Lines, Gone> {
        self.command(|reply| Command::Lines { reply }).await
    }

    /// What the tray shows.
    pub fn tray(&self) -> watch::Receiver<TrayModel> {
        self.tray.clone()
    }

    /// How the sources are, now and on every change.
    pub fn sources(&self) -> watch::Receiver<Arc<[Source]>> {
        self.sources.clone()
    }

    /// Waits until every source that is on is live or has failed for good; `false` when time ran out.
    pub async fn settled(&self, timeout: Duration) -> bool {
        let mut sources = self.sources.clone();
        let waited = sources.wait_for(|s| floor::all_settled(s));
        matches!(tokio::time::timeout(timeout, waited).await, Ok(Ok(_)))
    }

    /// Whether every source that is on is live.
    pub fn all_live(&self) -> bool {
        floor::all_live(&self.sources.borrow())
    }

    /// Rules that could not be read, with their places.
    pub async fn rule_errors(&self) -> Vec<String> {
        self.inner.settings.lock().await.settings.rule_errors.clone()
    }

    /// The sources as configured.
    pub async fn configured(&self) -> Vec<SourceSettings> {
        self.inner.settings.lock().await.settings.sources.clone()
    }

    /// Ends politely: connectors leave, the record is flushed.
    pub async fn shutdown(&self) {
        let _ = self.command(|reply| Command::Stop { reply }).await;
    }

    async fn command<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Gone> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(make(reply)).await.map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }
}

/// A configured source before anything is known of it.
pub(crate) fn source_of(settings: &SourceSettings, now: Timestamp) -> Source {
    let provides = registry::find(settings.vendor)
        .map(|r| r.spec.provides.iter().map(|(name, origin)| ((*name).to_owned(), *origin)).collect())
        .unwrap_or_default();
    Source {
        id: settings.id.clone(),
        vendor: settings.vendor,
        name: settings.name.clone(),
        health: if settings.enabled { Health::Connecting } else { Health::Disabled },
        health_since: now,
        last_data_at: None,
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides,
    }
}

/// What of a source is polled, and how often after the vendor's floors were applied.
pub fn endpoints(settings: &SourceSettings) -> Vec<(String, Duration)> {
    let built = registry::find(settings.vendor).and_then(|r| (r.build)(settings).ok());
    built
        .map(|c| c.endpoints().into_iter().map(|e| (e.name.to_owned(), e.every)).collect())
        .unwrap_or_default()
}

/// What a person should know about where a source goes, as `check` prints it.
pub fn remarks(settings: &SourceSettings) -> Vec<String> {
    let built = registry::find(settings.vendor).and_then(|r| (r.build)(settings).ok());
    built.map(|c| c.remarks()).unwrap_or_default()
}

/// The name that the person at this desk signs in with.
fn person() -> String {
    ["USER", "USERNAME", "LOGNAME"]
        .into_iter()
        .find_map(settings::environment)
        .unwrap_or_else(|| "someone".to_owned())
}
