//! What people and rules did goes to `desk.db`, by a thread of its own: nothing is called saved, and no
//! desktop is called, before it is written. Without a readable `desk.db` the floor goes on in memory.

use std::{
    path::Path,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use model::{Alert, Id, Timestamp, Transition};
use store::{Actor, Aside, Decision, Desk, DeskReader, StoreError};
use tokio::sync::oneshot;

use super::record::{Sentences, say};

/// Pieces of work waiting for the thread.
const IN_FLIGHT: usize = 2048;

/// What is known besides the alerts when their lines are written.
#[derive(Debug, Default)]
pub(crate) struct Asides {
    /// How old the data of each source was, seconds.
    pub ages: Vec<(Id, f64)>,
    /// Which wording of each rule is in force.
    pub versions: Vec<(String, String)>,
}

impl Asides {
    fn of(&self, alert: &Alert) -> Aside {
        let age = alert.source.as_ref().and_then(|id| self.ages.iter().find(|(source, _)| source == id));
        let version = self.versions.iter().find(|(rule, _)| *rule == alert.rule);
        Aside {
            source_age_s: age.map(|(_, age)| *age),
            rule_version: version.map(|(_, version)| version.clone()),
        }
    }
}

enum Job {
    Record {
        transitions: Vec<(Transition, Alert)>,
        actor: Actor,
        at: Timestamp,
        asides: Asides,
        saved: Option<oneshot::Sender<bool>>,
    },
    Reserve {
        alert: Id,
        kind: String,
        channel: String,
        at: Timestamp,
        decided: oneshot::Sender<Option<Decision>>,
    },
    Note {
        alert: Option<Id>,
        actor: Actor,
        text: String,
        at: Timestamp,
        saved: oneshot::Sender<bool>,
    },
    Delivered {
        id: i64,
        at: Timestamp,
    },
    Finish(oneshot::Sender<()>),
}

/// Alerts that somebody has acknowledged or snoozed, for faces that only look: they show them as the app
/// does, and write nothing.
pub(crate) fn acknowledged(folder: &Path, sources: &[Id]) -> Vec<Alert> {
    let read = || {
        let desk = DeskReader::open(&folder.join("desk.db"))?;
        let holds = desk.acknowledgements()?;
        let mut alerts = desk.open_alerts()?;
        alerts.retain(|alert| {
            holds.iter().any(|held| held.alert == alert.id)
                && alert.source.as_ref().is_none_or(|id| sources.contains(id))
        });
        Ok::<_, StoreError>(alerts)
    };
    match read() {
        Ok(alerts) => alerts,
        // The app has never run here.
        Err(StoreError::Missing { .. }) => Vec::new(),
        Err(error) => {
            tracing::warn!(%error, "Acknowledgements are not known.");
            Vec::new()
        }
    }
}

/// The way to the thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DeskBook {
    to: Option<SyncSender<Job>>,
}

impl DeskBook {
    /// Keeps nothing: for faces that only look.
    pub fn none() -> Self {
        Self { to: None }
    }

    /// Opens `desk.db`; gives the alerts that were open. When that cannot be, the sentence goes to the
    /// notices and nothing is kept.
    pub fn open(folder: &Path, sentences: &Sentences) -> (Self, Vec<Alert>) {
        let (desk, opened) = match Desk::open(&folder.join("desk.db")) {
            Ok(opened) => opened,
            Err(error) => {
                say(sentences, format!("Acknowledgements and the alert log are not kept: {error}."));
                return (Self::none(), Vec::new());
            }
        };
        if let Some(notice) = opened.notice {
            say(sentences, notice);
        }
        let alerts = desk.open_alerts().unwrap_or_else(|error| {
            say(sentences, format!("The alerts of the last run cannot be read: {error}."));
            Vec::new()
        });
        let (to, from) = sync_channel(IN_FLIGHT);
        let own = sentences.clone();
        match std::thread::Builder::new().name("desk".to_owned()).spawn(move || work(desk, &from, &own)) {
            Ok(_) => (Self { to: Some(to) }, alerts),
            Err(error) => {
                say(
                    sentences,
                    format!("Acknowledgements are not kept: their thread does not start ({error})."),
                );
                (Self::none(), alerts)
            }
        }
    }

    /// Writes transitions; `saved` hears whether they are on the disk.
    pub fn record(
        &self,
        transitions: &[(Transition, Alert)],
        actor: Actor,
        at: Timestamp,
        asides: Asides,
        saved: Option<oneshot::Sender<bool>>,
    ) {
        let transitions = transitions.to_vec();
        if let Some(Job::Record { saved: Some(saved), .. }) =
            self.send(Job::Record { transitions, actor, at, asides, saved })
        {
            let _ = saved.send(false);
        }
    }

    /// Writes a note; `saved` hears whether it is on the disk.
    pub fn note(
        &self,
        alert: Option<Id>,
        text: String,
        actor: Actor,
        at: Timestamp,
        saved: oneshot::Sender<bool>,
    ) {
        if let Some(Job::Note { saved, .. }) = self.send(Job::Note { alert, actor, text, at, saved }) {
            let _ = saved.send(false);
        }
    }

    /// Asks whether a notification may be sent and writes down that it is about to be. `None`: nothing is
    /// kept, so nothing can be known.
    pub async fn reserve(&self, alert: Id, kind: String, channel: String, at: Timestamp) -> Option<Decision> {
        let (decided, answer) = oneshot::channel();
        self.send(Job::Reserve { alert, kind, channel, at, decided });
        answer.await.ok().flatten()
    }

    /// The desktop took it.
    pub fn delivered(&self, id: i64, at: Timestamp) {
        self.send(Job::Delivered { id, at });
    }

    /// Waits until everything is written.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.send(Job::Finish(done));
        let _ = finished.await;
    }

    /// Gives the job back when it cannot be taken.
    fn send(&self, job: Job) -> Option<Job> {
        let Some(to) = &self.to else { return Some(job) };
        match to.try_send(job) {
            Ok(()) => None,
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                tracing::warn!("The desk's thread is behind; a line of the alert log is left out.");
                Some(job)
            }
        }
    }
}

fn work(mut desk: Desk, from: &Receiver<Job>, sentences: &Sentences) {
    let mut complained = false;
    while let Ok(job) = from.recv() {
        let trouble = match job {
            Job::Record { transitions, actor, at, asides, saved } => {
                let done = desk.record_with(&transitions, &actor, at, |alert| asides.of(alert));
                if let Some(saved) = saved {
                    let _ = saved.send(done.is_ok());
                }
                done.err()
            }
            Job::Reserve { alert, kind, channel, at, decided } => {
                match desk.reserve(&alert, &kind, &channel, at) {
                    Ok(decision) => {
                        let _ = decided.send(Some(decision));
                        None
                    }
                    Err(error) => {
                        // A desktop that is called twice is better than one that is never called.
                        let _ = decided.send(None);
                        Some(error)
                    }
                }
            }
            Job::Note { alert, actor, text, at, saved } => {
                let who = match &actor {
                    Actor::Person(name) => name.as_str(),
                    Actor::Rules => "",
                };
                let done = desk.add_note(alert.as_ref(), who, &text, at);
                let _ = saved.send(done.is_ok());
                done.err()
            }
            Job::Delivered { id, at } => desk.delivered(id, at).err(),
            Job::Finish(done) => {
                let _ = done.send(());
                None
            }
        };
        complain(trouble, &mut complained, sentences);
    }
}

/// One sentence when writing begins to fail, one when it works again.
fn complain(trouble: Option<StoreError>, complained: &mut bool, sentences: &Sentences) {
    match trouble {
        Some(error) if !*complained => {
            *complained = true;
            say(
                sentences,
                format!("Acknowledgements and the alert log are not written at the moment: {error}."),
            );
        }
        None if *complained => {
            *complained = false;
            say(sentences, "Acknowledgements and the alert log are being written again.".to_owned());
        }
        _ => {}
    }
}
