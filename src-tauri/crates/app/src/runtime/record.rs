//! What was seen goes to `floor.db`, by a thread of its own: the loop never waits for a disk. When the
//! thread falls behind, what does not fit is left out and the whole floor is told once there is room.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender, TrySendError},
    },
    time::Duration,
};

use engine::{Delta, Effects, Entity, World};
use link::Clock;
use model::{Source, Timestamp};
use store::{FloorAt, FloorLog, Logged, StoreError};

/// One transaction per quarter second.
const COMMIT_EVERY: Duration = Duration::from_millis(250);
/// Inputs waiting for the thread.
const IN_FLIGHT: usize = 4096;
/// How often old history is let go.
const RETAIN_EVERY: Duration = Duration::from_secs(600);
/// The loop looks at the clock more often than this, whatever happens. After a longer time the machine has
/// slept, and nobody saw what happened meanwhile.
const SLEPT: Duration = Duration::from_secs(60);
/// How often a sign of life is left while nothing changes: a crash costs no more than half a second.
const ALIVE_EVERY: Duration = Duration::from_millis(400);
/// The farewell must not hold up the end of the program.
const FAREWELL: Duration = Duration::from_millis(500);

/// Sentences that the user must see.
pub(crate) type Sentences = Arc<Mutex<Vec<String>>>;

enum Write {
    Changes { changes: Vec<Logged>, at: Timestamp, revision: u64 },
    Unseen { began: Timestamp, ended: Timestamp },
    Whole { sources: Vec<Arc<Source>>, entities: Vec<store::Entity>, at: Timestamp, revision: u64 },
    Finish { at: Timestamp, done: tokio::sync::oneshot::Sender<()> },
}

/// The loop's end.
pub(crate) struct Recorder {
    to: SyncSender<Write>,
    /// The thread wants to be told the whole floor: something was left out, or the file was made anew.
    whole: Arc<AtomicBool>,
    /// When the loop last looked.
    looked_at: Option<Timestamp>,
}

impl Recorder {
    /// Opens the log. When that cannot be, the sentence goes to the notices and the floor lives in memory.
    pub fn open(folder: &Path, retention_days: u32, clock: Arc<dyn Clock>, sentences: &Sentences) -> Opened {
        let file = folder.join("floor.db");
        match FloorLog::open(&file) {
            Ok((log, opened)) => {
                if let Some(notice) = opened.notice {
                    say(sentences, notice);
                }
                let seen_until = log.seen_until();
                let recorder = Self::start(log, file, retention_days, clock, sentences.clone());
                Opened { recorder, last: opened.last, seen_until }
            }
            Err(error) => {
                say(sentences, format!("The history is not kept: {error}."));
                Opened::default()
            }
        }
    }

    fn start(
        log: FloorLog,
        file: PathBuf,
        days: u32,
        clock: Arc<dyn Clock>,
        sentences: Sentences,
    ) -> Option<Self> {
        let (to, from) = mpsc::sync_channel(IN_FLIGHT);
        let whole = Arc::new(AtomicBool::new(true));
        let keep = Duration::from_secs(u64::from(days) * 86_400);
        let mut writer = Writer {
            log: Some(log),
            file,
            keep,
            clock,
            sentences: sentences.clone(),
            whole: whole.clone(),
            complained: false,
        };
        match std::thread::Builder::new().name("record".to_owned()).spawn(move || writer.run(&from)) {
            Ok(_) => Some(Self { to, whole, looked_at: None }),
            Err(error) => {
                say(&sentences, format!("The history is not kept: its thread does not start ({error})."));
                None
            }
        }
    }

    /// Tells what an input changed. Never waits.
    pub fn record(&mut self, world: &World, effects: &Effects, now: Timestamp) {
        let before = self.looked_at.replace(now);
        if let Some(began) = before.filter(|before| now.since(*before) > SLEPT) {
            self.send(Write::Unseen { began, ended: now });
        }
        if self.whole.swap(false, Ordering::Relaxed) {
            self.tell_whole(world, now);
            return;
        }
        if effects.deltas.is_empty() && effects.health.is_empty() {
            return;
        }
        let mut changes: Vec<Logged> = effects.deltas.iter().map(logged).collect();
        // A source goes along with its rows, so that the age of its data is known after a crash.
        let mut told: Vec<&str> = Vec::new();
        for delta in &effects.deltas {
            let id = match delta {
                Delta::Upsert(entity) => entity.key().source,
                Delta::Remove(_, key) => key.source.clone(),
            };
            if let Some(source) = world.source(&id)
                && !told.contains(&source.id.as_str())
            {
                told.push(source.id.as_str());
                changes.push(Logged::Source(Arc::new(source.clone())));
            }
        }
        for source in effects.health.iter().filter(|s| !told.contains(&s.id.as_str())) {
            changes.push(Logged::Source(Arc::new(source.clone())));
        }
        self.send(Write::Changes { changes, at: now, revision: effects.revision });
    }

    /// The configuration changed: sources may be gone, and the log is told the whole floor.
    pub fn tell_whole(&mut self, world: &World, now: Timestamp) {
        let sources = world.sources().cloned().map(Arc::new).collect();
        let entities = world.entities().map(|e| stored(&e)).collect();
        self.send(Write::Whole { sources, entities, at: now, revision: world.revision() });
    }

    fn send(&mut self, write: Write) {
        if let Err(TrySendError::Full(_)) = self.to.try_send(write) {
            self.whole.store(true, Ordering::Relaxed);
        }
    }

    /// Writes the rest and says that nothing was lost until now.
    pub async fn finish(self, now: Timestamp) {
        let (done, finished) = tokio::sync::oneshot::channel();
        let to = self.to;
        let sent = tokio::task::spawn_blocking(move || to.send(Write::Finish { at: now, done }));
        let _ = tokio::time::timeout(FAREWELL, async {
            let _ = sent.await;
            let _ = finished.await;
        })
        .await;
    }
}

/// What opening found.
#[derive(Default)]
pub(crate) struct Opened {
    pub recorder: Option<Recorder>,
    pub last: Option<FloorAt>,
    /// Until when the last run was seen alive.
    pub seen_until: Option<Timestamp>,
}

struct Writer {
    log: Option<FloorLog>,
    file: PathBuf,
    keep: Duration,
    clock: Arc<dyn Clock>,
    sentences: Sentences,
    whole: Arc<AtomicBool>,
    complained: bool,
}

impl Writer {
    fn run(&mut self, from: &mpsc::Receiver<Write>) {
        let mut commit_at: Option<Timestamp> = None;
        let mut retain_at = self.clock.now().plus(Duration::from_secs(30));
        let mut signed_at = self.clock.now();
        loop {
            // Asleep until something comes or a sign of life is due; awake for a quarter second after
            // something came.
            let next = match commit_at {
                None => from.recv_timeout(ALIVE_EVERY),
                Some(at) => from.recv_timeout(at.since(self.clock.now()).min(COMMIT_EVERY)),
            };
            let quiet = matches!(next, Err(RecvTimeoutError::Timeout));
            match next {
                Ok(Write::Finish { at, done }) => {
                    if let Some(log) = self.log.take()
                        && let Err(error) = log.close(at)
                    {
                        tracing::warn!(%error, "The history could not be closed.");
                    }
                    let _ = done.send(());
                    return;
                }
                Ok(write) => {
                    self.tell(write);
                    commit_at = commit_at.or_else(|| Some(self.clock.now().plus(COMMIT_EVERY)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.commit();
                    return;
                }
            }
            let now = self.clock.now();
            if commit_at.is_some_and(|at| at <= now || at > now.plus(COMMIT_EVERY * 4)) {
                self.commit();
                commit_at = None;
            }
            // With nothing on its way to us. After a sleep of the machine the loop says first what it missed.
            let before = std::mem::replace(&mut signed_at, now);
            if quiet
                && now.since(before) < SLEPT
                && let Some(log) = &mut self.log
            {
                log.alive(now);
            }
            if retain_at <= now {
                retain_at = now.plus(RETAIN_EVERY);
                if let Some(log) = &mut self.log {
                    match log.retain(now.minus(self.keep)) {
                        Ok(true) => retain_at = now.plus(Duration::from_secs(5)),
                        Ok(false) => {}
                        Err(error) => tracing::warn!(%error, "Old history could not be let go."),
                    }
                }
            }
        }
    }

    fn tell(&mut self, write: Write) {
        let Some(log) = &mut self.log else { return };
        match write {
            Write::Changes { changes, at, revision } => log.append(&changes, at, revision),
            Write::Unseen { began, ended } => log.unseen(began, ended),
            Write::Whole { sources, entities, at, revision } => {
                log.keyframe(&sources, &entities, at, revision)
            }
            Write::Finish { .. } => {}
        }
    }

    fn commit(&mut self) {
        let Some(log) = &mut self.log else { return };
        match log.commit() {
            Ok(()) if self.complained && log.is_writing() => {
                self.complained = false;
                say(&self.sentences, "The history is being written again.".to_owned());
            }
            Ok(()) => {}
            Err(error) => {
                if !std::mem::replace(&mut self.complained, true) {
                    say(&self.sentences, format!("The history is not written at the moment: {error}."));
                }
                if matches!(error, StoreError::Vanished { .. }) || error.is_damage() {
                    self.open_anew();
                }
            }
        }
    }

    /// The file was deleted or is damaged: a new one, told the whole floor.
    fn open_anew(&mut self) {
        self.log = None;
        match FloorLog::open(&self.file) {
            Ok((log, opened)) => {
                if let Some(notice) = opened.notice {
                    say(&self.sentences, notice);
                }
                self.log = Some(log);
                self.whole.store(true, Ordering::Relaxed);
            }
            Err(error) => say(&self.sentences, format!("The history is not kept: {error}.")),
        }
    }
}

/// A sentence for the user; the newest few are enough.
pub(crate) fn say(sentences: &Sentences, sentence: String) {
    tracing::warn!("{sentence}");
    if let Ok(mut list) = sentences.lock() {
        list.push(sentence);
        let surplus = list.len().saturating_sub(20);
        list.drain(..surplus);
    }
}

fn logged(delta: &Delta) -> Logged {
    match delta {
        Delta::Upsert(entity) => Logged::Upsert(stored(entity)),
        Delta::Remove(kind, key) => Logged::Remove(*kind, key.clone()),
    }
}

fn stored(entity: &Entity) -> store::Entity {
    match entity {
        Entity::Queue(row) => store::Entity::Queue(row.clone()),
        Entity::Agent(row) => store::Entity::Agent(row.clone()),
        Entity::Conversation(row) => store::Entity::Conversation(row.clone()),
        Entity::Totals(row) => store::Entity::Totals(row.clone()),
    }
}

/// A stored row for the world.
pub(crate) fn restored(entity: store::Entity) -> Entity {
    match entity {
        store::Entity::Queue(row) => Entity::Queue(row),
        store::Entity::Agent(row) => Entity::Agent(row),
        store::Entity::Conversation(row) => Entity::Conversation(row),
        store::Entity::Totals(row) => Entity::Totals(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::SystemClock;
    use std::time::Instant;
    use store::FloorReader;

    /// As after a crash: nobody says goodbye.
    #[test]
    fn a_quiet_floor_is_seen_until_just_before_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock);
        let opened = Recorder::open(folder.path(), 30, clock.clone(), &Sentences::default());
        let mut recorder = opened.recorder.unwrap();
        let began = clock.now();
        recorder.record(&World::new(), &Effects::default(), began);
        let patience = Instant::now() + Duration::from_secs(60);
        let until = |reader: &FloorReader| reader.span().unwrap().map(|span| span.until);
        let reader = FloorReader::open(&folder.path().join("floor.db")).unwrap();
        while until(&reader).is_none_or(|until| until < began.plus(Duration::from_secs(1))) {
            assert!(Instant::now() < patience, "no sign of life: {:?}", until(&reader));
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(recorder);
        let gap = loop {
            let gaps = reader.gaps(clock.now(), clock.now()).unwrap();
            if let Some(gap) = gaps.into_iter().find(|gap| gap.ended.is_none()) {
                break gap;
            }
            assert!(Instant::now() < patience, "the thread goes on");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(gap.began >= began.plus(Duration::from_secs(1)), "{gap:?} since {began}");
    }
}
