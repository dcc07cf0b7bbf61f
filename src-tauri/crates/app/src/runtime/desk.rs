//! What people and rules did goes to `desk.db`, by a thread of its own: nothing is called saved, and no
//! desktop is called, before it is written. Without a readable `desk.db` the floor goes on in memory.

mod pile;

use std::{path::Path, sync::Arc};

use engine::alerts::Stopwatch;
use model::{Alert, Id, Timestamp, Transition};
use store::{Actor, Aside, Decision, Desk, DeskReader, Ran, StoreError, Timers, Told};
use tokio::sync::oneshot;

use super::record::{Sentences, say};
use pile::{In, Out};

/// Pieces of work that go to the disk together, at most: what comes fast costs one wait for the disk.
const TOGETHER: usize = 512;

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

/// Whether something that a person did is on the disk; else why not, as a part of a sentence.
pub(crate) type Saved = Result<(), String>;

enum Job {
    Record(Lines),
    Reserve {
        tells: Vec<(Id, String)>,
        channel: String,
        at: Timestamp,
        decided: oneshot::Sender<Option<Vec<Decision>>>,
    },
    Note {
        alert: Option<Id>,
        actor: Actor,
        text: String,
        at: Timestamp,
        saved: oneshot::Sender<Saved>,
    },
    Delivered {
        ids: Vec<i64>,
        at: Timestamp,
    },
    Finish(oneshot::Sender<()>),
}

/// What happened to alerts at one time.
struct Lines {
    transitions: Vec<(Transition, Alert)>,
    actor: Actor,
    at: Timestamp,
    asides: Asides,
    saved: Option<oneshot::Sender<Saved>>,
    /// Alerts that changed without a line.
    quiet: Vec<Alert>,
    timers: Vec<(Id, Timers)>,
}

impl Job {
    /// How much of the room it takes.
    fn lines(&self) -> usize {
        match self {
            Job::Record(lines) => (lines.transitions.len() + lines.quiet.len() + lines.timers.len()).max(1),
            Job::Reserve { tells, .. } => tells.len().max(1),
            Job::Delivered { ids, .. } => ids.len().max(1),
            // What a person waits for always finds room.
            Job::Note { .. } | Job::Finish(_) => 0,
        }
    }
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

/// What stood when the last run ended.
#[derive(Debug, Default)]
pub(crate) struct Stood {
    pub alerts: Vec<Alert>,
    /// Of those that had any, standing still.
    pub timers: Vec<(Id, engine::alerts::Timers)>,
}

fn to_store(timers: &engine::alerts::Timers) -> Timers {
    let ran = |watch: Stopwatch| Ran { ms: watch.banked_ms, since: watch.since };
    let engine::alerts::Timers { held, critical, quiet, flap_holds } = *timers;
    Timers { held: ran(held), critical: ran(critical), quiet: ran(quiet), flap_holds }
}

fn from_store(timers: &Timers) -> engine::alerts::Timers {
    let watch = |ran: Ran| Stopwatch { banked_ms: ran.ms, since: ran.since };
    let Timers { held, critical, quiet, flap_holds } = *timers;
    engine::alerts::Timers { held: watch(held), critical: watch(critical), quiet: watch(quiet), flap_holds }
}

/// The way to the thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DeskBook {
    /// Or why nothing is kept.
    to: Result<Arc<In<Job>>, Arc<str>>,
    /// Another Floorwalker keeps it, and tells what there is to tell.
    elsewhere: bool,
}

impl DeskBook {
    /// Keeps nothing: for faces that only look.
    pub fn none() -> Self {
        Self::closed("no alert log is kept here")
    }

    fn closed(why: &str) -> Self {
        Self { to: Err(why.into()), elsewhere: false }
    }

    /// Whether another Floorwalker keeps it: that one delivers, and nobody is told a second time.
    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Opens `desk.db`; gives the alerts that were open, with what they had collected when the last run was
    /// seen alive for the last time (`seen_until`). When that cannot be, the sentence goes to the notices
    /// and nothing is kept.
    pub fn open(folder: &Path, seen_until: Option<Timestamp>, sentences: &Sentences) -> (Self, Stood) {
        let (mut desk, opened) = match Desk::open(&folder.join("desk.db")) {
            Ok(opened) => opened,
            Err(error) => {
                say(sentences, format!("Acknowledgements and the alert log are not kept: {error}."));
                // The lock is ours alone; a database that is busy may be in a backup's hands for a moment.
                let is_lock = |path: &Path| path.extension().is_some_and(|ending| ending == "lock");
                let elsewhere = matches!(&error, StoreError::InUse { path } if is_lock(path));
                return (Self { elsewhere, ..Self::closed(&error.to_string()) }, Stood::default());
            }
        };
        // In an older copy timers still run that stopped long ago.
        let seen_until = seen_until.filter(|_| opened.notice.is_none());
        if let Some(notice) = opened.notice {
            say(sentences, notice);
        }
        let read = desk.stop_timers(seen_until).and_then(|()| desk.timers());
        let timers = read.unwrap_or_else(|error| {
            tracing::warn!(%error, "Alerts begin their time anew.");
            Vec::new()
        });
        let alerts = desk.open_alerts().unwrap_or_else(|error| {
            say(sentences, format!("The alerts of the last run cannot be read: {error}."));
            Vec::new()
        });
        let timers = timers.into_iter().map(|(id, timers)| (id, from_store(&timers))).collect();
        let stood = Stood { alerts, timers };
        let (to, from) = pile::pile();
        let own = sentences.clone();
        match std::thread::Builder::new().name("desk".to_owned()).spawn(move || work(desk, &from, &own)) {
            Ok(_) => (Self { to: Ok(Arc::new(to)), elsewhere: false }, stood),
            Err(error) => {
                say(
                    sentences,
                    format!("Acknowledgements are not kept: their thread does not start ({error})."),
                );
                (Self::closed(&error.to_string()), stood)
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
        saved: Option<oneshot::Sender<Saved>>,
    ) {
        let transitions = transitions.to_vec();
        let lines = Lines { transitions, actor, at, asides, saved, quiet: Vec::new(), timers: Vec::new() };
        if let Err((Job::Record(Lines { saved: Some(saved), .. }), why)) = self.send(Job::Record(lines)) {
            let _ = saved.send(Err(why.to_string()));
        }
    }

    /// Writes what no line tells of: alerts that changed quietly, and timers.
    pub fn keep(&self, quiet: &[Alert], timers: &[(Id, engine::alerts::Timers)], at: Timestamp) {
        let _ = self.send(Job::Record(Lines {
            transitions: Vec::new(),
            actor: Actor::Rules,
            at,
            asides: Asides::default(),
            saved: None,
            quiet: quiet.to_vec(),
            timers: timers.iter().map(|(id, timers)| (id.clone(), to_store(timers))).collect(),
        }));
    }

    /// Writes a note; `saved` hears whether it is on the disk.
    pub fn note(
        &self,
        alert: Option<Id>,
        text: String,
        actor: Actor,
        at: Timestamp,
        saved: oneshot::Sender<Saved>,
    ) {
        if let Err((Job::Note { saved, .. }, why)) = self.send(Job::Note { alert, actor, text, at, saved }) {
            let _ = saved.send(Err(why.to_string()));
        }
    }

    /// Asks whether a notification may be sent and writes down that it is about to be. `None`: nothing is
    /// kept, so nothing can be known.
    pub async fn reserve(&self, alert: Id, kind: String, channel: String, at: Timestamp) -> Option<Decision> {
        let decided = self.reserve_all(vec![(alert, kind)], channel, at).await?;
        decided.first().copied()
    }

    /// The same for all alerts (with their kinds) that one notification tells.
    pub async fn reserve_all(
        &self,
        tells: Vec<(Id, String)>,
        channel: String,
        at: Timestamp,
    ) -> Option<Vec<Decision>> {
        let (decided, answer) = oneshot::channel();
        let _ = self.send(Job::Reserve { tells, channel, at, decided });
        answer.await.ok().flatten()
    }

    /// The desktop took it.
    pub fn delivered(&self, ids: Vec<i64>, at: Timestamp) {
        let _ = self.send(Job::Delivered { ids, at });
    }

    /// Waits until everything is written.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        let _ = self.send(Job::Finish(done));
        let _ = finished.await;
    }

    /// Gives the job back when it cannot be taken, and why.
    #[expect(clippy::result_large_err, reason = "the job itself comes back, nothing is copied for it")]
    fn send(&self, job: Job) -> Result<(), (Job, Arc<str>)> {
        let to = match &self.to {
            Ok(to) => to,
            Err(why) => return Err((job, why.clone())),
        };
        to.put(job.lines(), job).map_err(|job| {
            tracing::warn!("The desk's thread is behind; a line of the alert log is left out.");
            (job, Arc::from("the disk is too slow at the moment"))
        })
    }
}

fn work(mut desk: Desk, from: &Out<Job>, sentences: &Sentences) {
    let mut complained = false;
    while let Some(jobs) = from.take(TOGETHER) {
        let mut lines = Vec::new();
        for job in jobs {
            if let Job::Record(more) = job {
                lines.push(more);
                continue;
            }
            if let Job::Finish(done) = job {
                complain(write(&mut desk, &mut lines), &mut complained, sentences);
                // The file is let go first: whoever starts anew upon this word opens it at once.
                drop(desk);
                let _ = done.send(());
                return;
            }
            // In order: what is told stands in the log before anybody is told.
            complain(write(&mut desk, &mut lines), &mut complained, sentences);
            complain(one(&mut desk, job), &mut complained, sentences);
        }
        complain(write(&mut desk, &mut lines), &mut complained, sentences);
    }
}

/// Writes lines together; says what went wrong, if they were any.
fn write(desk: &mut Desk, lines: &mut Vec<Lines>) -> Option<Result<(), StoreError>> {
    if lines.is_empty() {
        return None;
    }
    let asides: Vec<_> = lines.iter().map(|l| |alert: &Alert| l.asides.of(alert)).collect();
    let told: Vec<Told<'_>> = lines
        .iter()
        .zip(&asides)
        .map(|(l, aside)| Told {
            transitions: &l.transitions,
            actor: &l.actor,
            at: l.at,
            aside,
            quiet: &l.quiet,
            timers: &l.timers,
        })
        .collect();
    let done = desk.record_all(&told);
    for saved in lines.drain(..).filter_map(|l| l.saved) {
        let _ = saved.send(told_of(&done));
    }
    Some(done)
}

fn told_of(done: &Result<(), StoreError>) -> Saved {
    match done {
        Ok(()) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn one(desk: &mut Desk, job: Job) -> Option<Result<(), StoreError>> {
    match job {
        Job::Record(lines) => write(desk, &mut vec![lines]),
        Job::Reserve { tells, channel, at, decided } => {
            let done = desk.reserve_all(&tells, &channel, at);
            // A desktop that is called twice is better than one that is never called.
            let (decision, done) = match done {
                Ok(decision) => (Some(decision), Ok(())),
                Err(error) => (None, Err(error)),
            };
            let _ = decided.send(decision);
            Some(done)
        }
        Job::Note { alert, actor, text, at, saved } => {
            let who = match &actor {
                Actor::Person(name) => name.as_str(),
                Actor::Rules => "",
            };
            let done = desk.add_note(alert.as_ref(), who, &text, at).map(drop);
            let _ = saved.send(told_of(&done));
            Some(done)
        }
        Job::Delivered { ids, at } => Some(desk.delivered_all(&ids, at)),
        // The loop's own.
        Job::Finish(_) => None,
    }
}

/// One sentence when writing begins to fail, one when it works again.
fn complain(done: Option<Result<(), StoreError>>, complained: &mut bool, sentences: &Sentences) {
    match done {
        Some(Err(error)) if !*complained => {
            *complained = true;
            say(
                sentences,
                format!("Acknowledgements and the alert log are not written at the moment: {error}."),
            );
        }
        Some(Ok(())) if *complained => {
            *complained = false;
            say(sentences, "Acknowledgements and the alert log are being written again.".to_owned());
        }
        _ => {}
    }
}
