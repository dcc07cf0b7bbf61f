//! The one loop. It owns the world, and everything else speaks to it through two bounded queues: batches
//! of the connectors and commands of the faces. Servicing a message never waits for anything outside.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use engine::{
    DeskCommand, Effects, Input, World,
    alerts::{Present, Rulebook, Spent, TrayModel, Why},
    document,
    view::{View, ViewMessage, ViewSpec},
};
use link::Clock;
use model::{Alert, Batch, Health, Id, Source};
use store::{Actor, FloorAt};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    desk::{Saved, Stood},
    diagnostics::Ears,
    elsewhere::Elsewhere,
    hub::{Hub, Subscription},
    record::{Recorder, restored},
    sources::Sources,
    tell::{self, Teller},
    webhooks::Hooks,
};
use crate::{api::Preferences, past::Earlier, settings::Settings};

/// Even without a deadline the loop looks at the clock this often: a wall clock may jump.
const LONGEST_SLEEP: Duration = Duration::from_secs(20);

/// Batches applied in a row before the screen gets its turn.
const BATCHES_IN_A_ROW: usize = 256;

/// What a face asks of the loop.
pub(crate) enum Command {
    /// The configuration was read anew; `restart` names sources whose secret changed.
    Configure { settings: Box<Settings>, restart: Vec<Id> },
    /// A person does something to an alert.
    Desk { command: DeskCommand, reply: oneshot::Sender<Result<(), Undone>> },
    /// It is on the disk, and now it is done.
    Written { command: DeskCommand, reply: oneshot::Sender<Result<(), Undone>> },
    /// A face wants to see.
    Subscribe { spec: ViewSpec, reply: oneshot::Sender<Subscription> },
    /// The whole state, as the contract's document.
    Document { reply: oneshot::Sender<String> },
    /// The whole state and everything after it, line by line.
    Lines { reply: oneshot::Sender<Lines> },
    /// What rules say of the floor now, and the alerts that stand.
    Preview { book: Arc<Rulebook>, reply: oneshot::Sender<(Present, Vec<Alert>)> },
    /// A note was written: it goes the way of everything that people do.
    Note { alert: Option<Id>, text: String, reply: oneshot::Sender<Saved> },
    /// How many alerts fired in the last hour, and how many wait for the desktop's do-not-disturb to end.
    Budget { reply: oneshot::Sender<(Spent, usize)> },
    /// The user's taste changed.
    Taste { preferences: Box<Preferences> },
    /// Do-not-disturb of the desktop held these back; `None`: it is over.
    Disturb { withheld: Option<Vec<(Id, Why)>> },
    /// What stands in the app, and what people did there.
    Elsewhere(Box<Elsewhere>),
    /// What listens to a source; `None` when it does not run.
    Ears { id: Id, reply: oneshot::Sender<Option<Ears>> },
    /// Try a source at once.
    Retry { id: Id },
    /// Leave.
    Stop { reply: oneshot::Sender<()> },
}

/// Why what a person wanted was not done. Nothing was changed.
#[derive(Debug)]
pub(crate) enum Undone {
    /// The alert is over.
    Over,
    /// It could not be written down; why, as a part of a sentence.
    Unsaved(String),
}

/// A document and the lines that follow it without a hole.
pub struct Lines {
    /// `{"type":"snapshot",…}`.
    pub first: String,
    /// Change, health and alert lines.
    pub rest: mpsc::Receiver<String>,
}

/// What the loop lets others watch without asking.
pub(crate) struct Shown {
    pub sources: watch::Sender<Arc<[Source]>>,
    pub tray: watch::Sender<TrayModel>,
}

pub(crate) struct Floor {
    pub world: World,
    pub clock: Arc<dyn Clock>,
    pub batches: mpsc::Receiver<Batch>,
    pub commands: mpsc::Receiver<Command>,
    pub sources: Sources,
    pub hub: Hub,
    pub shown: Shown,
    pub recorder: Option<Recorder>,
    pub teller: Teller,
    pub hooks: Hooks,
    /// Who is at this desk, for the alert log.
    pub person: Actor,
    /// The floor's own status view, for the tray.
    pub status: Option<View>,
    pub waiting: Option<u32>,
    pub lines: Vec<mpsc::Sender<String>>,
    /// Lines that did not fit yet; the loop waits for room rather than lose one.
    pub pending_lines: VecDeque<String>,
    pub wake_at: Option<model::Timestamp>,
}

impl Floor {
    pub async fn run(mut self) {
        loop {
            let sleep = self.sleep();
            let flush = self.hub.due();
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Stop { reply }) => {
                        self.leave().await;
                        let _ = reply.send(());
                        return;
                    }
                    Some(command) => self.command(command),
                    None => { self.leave().await; return; }
                },
                () = at(flush) => {
                    let now = self.clock.now();
                    self.hub.flush(&self.world, now);
                    self.show_tray(now);
                }
                batch = self.batches.recv() => {
                    let Some(batch) = batch else { self.leave().await; return };
                    self.apply(Input::Batch(batch));
                    // What is already waiting is applied together; the screen is coalesced anyway.
                    for _ in 1..BATCHES_IN_A_ROW {
                        match self.batches.try_recv() {
                            Ok(batch) => self.apply(Input::Batch(batch)),
                            Err(_) => break,
                        }
                    }
                }
                () = tokio::time::sleep(sleep) => self.apply(Input::Wake),
            }
            self.hand_on_lines().await;
        }
    }

    fn sleep(&self) -> Duration {
        let world = self.wake_at.map(|at| at.since(self.clock.now()));
        let desk = self.teller.next_deadline().map(|at| at.since(self.clock.now()));
        [world, desk].into_iter().flatten().min().unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Configure { settings, restart } => self.configure(&settings, &restart),
            Command::Desk { command, reply } => {
                let now = self.clock.now();
                if !self.world.alerts().iter().any(|a| a.id == *command.alert()) {
                    let _ = reply.send(Err(Undone::Over));
                } else if let Some(rehearsed) = self.world.rehearse(&command, now) {
                    let person = self.person.clone();
                    self.teller.deed(&self.world, command, rehearsed, person, now, reply);
                } else {
                    // It is so already.
                    let _ = reply.send(Ok(()));
                }
            }
            Command::Written { command, reply } => {
                let alert = command.alert().clone();
                self.apply_after(Input::Desk(command), Some(&alert));
                let _ = reply.send(Ok(()));
            }
            Command::Subscribe { spec, reply } => {
                let now = self.clock.now();
                let _ = reply.send(self.hub.subscribe(spec, &self.world, now));
            }
            Command::Document { reply } => {
                // Whoever follows the lines is told by them what became of an alert.
                if self.lines.is_empty() {
                    self.reread();
                }
                let _ = reply.send(document::snapshot(&self.world, self.clock.now()));
            }
            Command::Lines { reply } => {
                self.reread();
                let (sender, rest) = mpsc::channel(1024);
                let first = document::snapshot_line(&self.world, self.clock.now());
                self.lines.push(sender);
                let _ = reply.send(Lines { first, rest });
            }
            Command::Preview { book, reply } => {
                let present = engine::alerts::preview(&self.world, book, self.clock.now());
                let _ = reply.send((present, self.world.alerts()));
            }
            Command::Note { alert, text, reply } => {
                let actor = self.person.clone();
                self.teller.note(alert, text, actor, self.clock.now(), reply);
            }
            Command::Budget { reply } => {
                let _ = reply.send(self.teller.spent(self.clock.now()));
            }
            Command::Taste { preferences } => self.taste(&preferences),
            Command::Disturb { withheld } => {
                self.teller.heard(withheld.as_deref(), &self.world, self.clock.now());
            }
            Command::Elsewhere(seen) => {
                self.world.know_elsewhere(&seen.alerts);
                let now = self.clock.now();
                for command in seen.commands(&self.world.alerts(), now) {
                    self.apply(Input::Desk(command));
                }
            }
            Command::Ears { id, reply } => {
                let _ = reply.send(self.sources.ears(&id));
            }
            Command::Retry { id } => self.sources.restart(&id),
            Command::Stop { .. } => {}
        }
    }

    fn taste(&mut self, preferences: &Preferences) {
        let now = self.clock.now();
        self.teller.taste(preferences, &self.world, now);
    }

    /// The configuration, then the last floor: shown at once, marked by its sources as not live.
    pub fn begin(&mut self, settings: &Settings, last: Option<FloorAt>, stood: Stood, earlier: Earlier) {
        let alerts = stood.alerts;
        let now = self.clock.now();
        self.teller.remember(&earlier.fired);
        let sources = settings.sources.iter().map(|s| super::source_of(s, now)).collect();
        self.world.set_consoles(consoles(settings));
        self.hooks.configure(&settings.webhooks);
        self.taste(&settings.preferences);
        self.hooks.restore_ends(earlier.ends);
        let restores = last.is_some() || !alerts.is_empty();
        if restores {
            self.world.expect_restore();
        }
        self.apply(Input::Configure { sources, rules: settings.rules.clone() });
        if restores {
            let (entities, sources) = last.map(|l| (l.entities, l.sources)).unwrap_or_default();
            self.apply(Input::Restore {
                entities: entities.into_iter().map(restored).collect(),
                sources: sources.iter().map(|s| Source::clone(s)).collect(),
                alerts: alerts.clone(),
                timers: stood.timers,
            });
            // Those of rules and sources that are gone ended right here.
            let standing: HashSet<Id> = self.world.alerts().into_iter().map(|alert| alert.id).collect();
            let alerts: Vec<Alert> = alerts.into_iter().filter(|a| standing.contains(&a.id)).collect();
            self.teller.restore(&alerts, &earlier.told, &self.world, now);
            self.hooks.restore(&alerts, &self.world);
        }
        self.show_sources();
        self.sources.configure(&settings.sources);
    }

    pub fn configure(&mut self, settings: &Settings, restart: &[Id]) {
        let now = self.clock.now();
        let sources = settings.sources.iter().map(|s| super::source_of(s, now)).collect();
        self.world.set_consoles(consoles(settings));
        self.hooks.configure(&settings.webhooks);
        self.taste(&settings.preferences);
        self.apply(Input::Configure { sources, rules: settings.rules.clone() });
        if let Some(recorder) = &mut self.recorder {
            recorder.tell_whole(&self.world, now);
        }
        self.show_sources();
        self.sources.configure(&settings.sources);
        for id in restart {
            self.sources.restart(id);
        }
    }

    /// Before somebody sees the alerts for the first time: they say what holds now.
    fn reread(&mut self) {
        self.apply(Input::Wake);
        let changed = self.world.reread_alerts(self.clock.now());
        self.teller.quietly(&changed);
        self.hub.touch();
    }

    pub fn apply(&mut self, input: Input) {
        self.apply_after(input, None);
    }

    /// `written`: what a person did to this alert stands in the log already.
    fn apply_after(&mut self, input: Input, written: Option<&Id>) {
        let now = self.clock.now();
        let effects = self.world.apply(input, now);
        self.wake_at = effects.wake_at;
        self.teller.quietly(&effects.quiet);
        self.hooks.on(&self.world, &effects.alerts);
        self.teller.on(&self.world, &effects.alerts, written, now);
        // What was written for a person may have been overtaken by a line that did not know of it yet: the
        // state as it is now comes after both.
        let mut quiet = effects.quiet.clone();
        quiet.extend(effects.alerts.iter().filter(|(_, a)| written == Some(&a.id)).map(|(_, a)| a.clone()));
        self.teller.keep(&quiet, &effects.timers, now);
        self.teller.due(&self.world, now);
        self.spread(&effects, now);
    }

    fn spread(&mut self, effects: &Effects, now: model::Timestamp) {
        self.hub.touch();
        if !effects.health.is_empty() {
            self.show_sources();
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.record(&self.world, effects, now);
        }
        if !self.lines.is_empty() {
            self.pending_lines.extend(document::lines(&self.world, effects, now));
        }
    }

    fn show_tray(&mut self, now: model::Timestamp) {
        let message = match &mut self.status {
            Some(view) => view.update(&self.world, now),
            None => {
                let (view, first) = View::open(ViewSpec::Status, &self.world, now);
                self.status = Some(view);
                Some(first)
            }
        };
        if let Some(
            ViewMessage::Snapshot { status: Some(status), .. }
            | ViewMessage::Patch { status: Some(status), .. },
        ) = message
        {
            self.waiting = status.waiting;
        }
        let tray = tell::tray(&self.world, self.waiting);
        self.shown.tray.send_if_modified(|old| {
            let changed = *old != tray;
            if changed {
                *old = tray;
            }
            changed
        });
    }

    fn show_sources(&mut self) {
        let sources: Arc<[Source]> = self.world.sources().cloned().collect();
        self.shown.sources.send_replace(sources);
    }

    async fn hand_on_lines(&mut self) {
        while let Some(line) = self.pending_lines.pop_front() {
            let mut open = Vec::with_capacity(self.lines.len());
            for sender in self.lines.drain(..) {
                if sender.send(line.clone()).await.is_ok() {
                    open.push(sender);
                }
            }
            self.lines = open;
        }
    }

    /// Writes down what a next run has to know, and ends everything.
    pub async fn leave(&mut self) {
        // From here on nobody looks.
        let now = self.clock.now();
        self.teller.keep(&[], &self.world.timers(now), now);
        self.sources.shutdown().await;
        if let Some(recorder) = self.recorder.take() {
            recorder.finish(self.clock.now()).await;
        }
        self.hooks.finish().await;
        self.teller.finish().await;
    }
}

/// Templates of addresses in the vendors' consoles.
fn consoles(settings: &Settings) -> std::collections::BTreeMap<Id, String> {
    settings.sources.iter().filter_map(|s| Some((s.id.clone(), s.console_url.clone()?))).collect()
}

async fn at(instant: Option<tokio::time::Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Whether every source that is on has come to a result.
pub(crate) fn all_settled(sources: &[Source]) -> bool {
    sources.iter().all(|s| s.health.is_settled())
}

/// Whether every source that is on is live.
pub(crate) fn all_live(sources: &[Source]) -> bool {
    sources.iter().all(|s| matches!(s.health, Health::Live | Health::Disabled))
}
