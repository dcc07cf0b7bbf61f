//! The writing end of the log. One per data folder; owned by one thread.

mod gather;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use model::{Health, Id, Source, Timestamp};
use rusqlite::{Connection, params};

use super::{
    bytes::{Names, put_varint},
    image::{Image, Row},
    mirror::Mirror,
    query::Log,
    rows::{Entity, FloorAt, Gap, Logged, Span},
    schema,
};
use crate::{
    StoreError,
    open::{Sync, open_writer, put_aside},
    port::{FileIdentity, WriteLock, identity},
};

/// What opening the log found.
#[derive(Debug)]
pub struct Opened {
    /// The floor as it was last seen; `None` when nothing ever was.
    pub last: Option<FloorAt>,
    /// One sentence for the user when a damaged or too new file was put aside.
    pub notice: Option<String>,
}

/// A segment's deltas may grow to so many bytes before the next keyframe: enough that keyframes are a
/// small part of what is written, few enough that reading the last floor after a crash stays quick.
const SEGMENT_BYTES: (usize, usize) = (512 * 1024, 4 * 1024 * 1024);
/// A segment older than this ends with its next change, so that retention can let go of it.
const SEGMENT_AGE: Duration = Duration::from_secs(6 * 3600);
/// After a failed commit nothing is encoded for so long: a full disk must not cost a keyframe per try.
const PAUSE: Duration = Duration::from_secs(5);
/// A clock that steps back less than this is held still; more begins a new segment.
const CLOCK_SLACK_MS: i64 = 2000;

enum Op {
    Segment { id: i64, at: Timestamp, revision: u64, after: i64, continues: bool, keyframe: Vec<u8> },
    Delta { id: i64, segment: i64, at: Timestamp, until: Timestamp, body: Vec<u8> },
    GapOpened { source: Id, at: Timestamp, why: String },
    GapClosed { source: Id, at: Timestamp },
    Gap { began: Timestamp, ended: Timestamp, why: &'static str },
}

struct OpenSegment {
    id: i64,
    began: Timestamp,
    keyframe_bytes: usize,
    delta_bytes: usize,
}

/// The log `floor.db`, open for writing. Changes are told with [`append`](Self::append), gathered in
/// memory, and written by [`commit`](Self::commit), which the owner calls every quarter second.
pub struct FloorLog {
    path: PathBuf,
    db: Connection,
    lock: WriteLock,
    identity: Option<FileIdentity>,
    mirror: Mirror,
    /// Rows of the last run, until the first change is told: indexing them is not for the start.
    found: Vec<Option<Row>>,
    names: Names,
    segment: Option<OpenSegment>,
    next_segment: i64,
    next_delta: i64,
    /// The delta being gathered: groups encoded against `base`.
    body: Vec<u8>,
    scratch: Vec<u8>,
    base: Timestamp,
    ops: Vec<Op>,
    last_at: Option<Timestamp>,
    /// Until when the file tells the truth; behind it lies a gap when writing resumes.
    written_until: Option<Timestamp>,
    revision: u64,
    /// Sources with an open gap: as the operations gathered leave it, and as it is on disk.
    gaps: BTreeMap<Id, Health>,
    gaps_on_disk: BTreeMap<Id, Health>,
    paused: Option<(Timestamp, &'static str)>,
}

impl FloorLog {
    /// Opens the log, or makes a new one, and reads the last floor. A file that is damaged, not a
    /// database or from the future is put aside (`floor.db.corrupt-1`, `floor.db.newer-1`), and
    /// `notice` says so. Errors: [`StoreError::InUse`], [`StoreError::ReadOnly`], [`StoreError::Full`],
    /// [`StoreError::Open`], [`StoreError::OldSqlite`]; the caller then goes on in memory.
    pub fn open(path: &Path) -> Result<(Self, Opened), StoreError> {
        if let Some(dir) = path.parent() {
            crate::port::private_dir(dir).map_err(|e| StoreError::from_io(dir, &e))?;
        }
        let lock = WriteLock::take(path)?;
        let (reason, salvaged) = match Self::try_open(path) {
            Ok((db, image, None)) => return Self::start(path, db, lock, image, None),
            Ok((db, image, Some(damage))) => {
                drop(db);
                (damage, image)
            }
            Err(error) => (error, None),
        };
        let (word, story) = match &reason {
            StoreError::Damaged { why, .. } => ("corrupt", format!("was damaged ({why})")),
            StoreError::Newer { found, .. } => {
                ("newer", format!("was written by a newer Floorwalker (format {found})"))
            }
            _ => return Err(reason),
        };
        let aside = put_aside(path, word)?;
        let kept = if salvaged.is_some() { "; the last floor in it could still be read" } else { "" };
        let notice = format!(
            "The history {} {story}. It was put aside as {} and a new one was started{kept}.",
            path.display(),
            aside.display()
        );
        tracing::warn!(%notice);
        let mut db = open_writer(path, Sync::Normal)?;
        schema::prepare(&mut db, path)?;
        Self::start(path, db, lock, salvaged, Some(notice))
    }

    fn try_open(path: &Path) -> Result<(Connection, Option<Image>, Option<StoreError>), StoreError> {
        let mut db = open_writer(path, Sync::Normal)?;
        schema::prepare(&mut db, path)?;
        let read = Log { db: &db, path }.read(Timestamp::from_ms(i64::MAX))?;
        Ok(match read {
            None => (db, None, None),
            Some(read) => (db, Some(read.image), read.damage),
        })
    }

    fn start(
        path: &Path,
        db: Connection,
        lock: WriteLock,
        image: Option<Image>,
        notice: Option<String>,
    ) -> Result<(Self, Opened), StoreError> {
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
        let log = Log { db: &db, path };
        let fresh = notice.is_some();
        let last = image.as_ref().map(Image::floor);
        let written_until = match (&last, fresh) {
            (Some(floor), false) => log.ends()?.map(|ends| ends.max(floor.at)),
            _ => None,
        };
        let next = |statement: &str| -> Result<i64, StoreError> {
            db.query_row(statement, [], |row| row.get::<_, Option<i64>>(0))
                .map(|n| n.unwrap_or(0) + 1)
                .map_err(sql)
        };
        let next_segment = next("SELECT max(id) FROM segment")?;
        let next_delta = next(
            "SELECT max(coalesce((SELECT max(id) FROM delta), 0), coalesce((SELECT max(after) FROM segment), 0))",
        )?;
        let gaps: BTreeMap<Id, Health> = log
            .gaps(Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX))?
            .into_iter()
            .filter(|g| g.ended.is_none())
            .filter_map(|g| Some((g.source?, Health::Connecting)))
            .collect();
        let image = image.unwrap_or_default();
        let this = Self {
            identity: identity(path),
            path: path.to_owned(),
            lock,
            names: Names::default(),
            segment: None,
            next_segment,
            next_delta,
            body: Vec::new(),
            scratch: Vec::new(),
            base: Timestamp::default(),
            ops: Vec::new(),
            last_at: None,
            written_until,
            revision: image.revision,
            mirror: Mirror::default(),
            found: image.rows,
            gaps_on_disk: gaps.clone(),
            gaps,
            paused: Some((Timestamp::from_ms(i64::MIN), "not running")),
            db,
        };
        Ok((this, Opened { last, notice }))
    }

    /// Until when it was seen that the last run looked; `None` when nobody knows. Asked before anything is
    /// told.
    pub fn seen_until(&self) -> Option<Timestamp> {
        self.written_until
    }

    /// Tells what happened at one instant. Rows that are as they were cost nothing. Nothing reaches the
    /// disk before [`commit`](Self::commit).
    pub fn append(&mut self, changes: &[Logged], at: Timestamp, revision: u64) {
        self.settle();
        let at = self.steady(at);
        if self.paused_at(at) {
            for change in changes {
                self.reflect(change);
            }
            self.revision = revision;
            return;
        }
        if self.segment_is_full(at) {
            self.begin_segment(at, true);
        }
        let mut count = 0u64;
        let mut group = std::mem::take(&mut self.scratch);
        group.clear();
        let base = if self.body.is_empty() { at } else { self.base };
        for change in changes {
            count += self.encode(change, base, &mut group);
        }
        if count > 0 {
            self.base = base;
            put_varint(&mut self.body, zigzag_ms(at, base));
            put_varint(&mut self.body, revision.wrapping_sub(self.revision));
            put_varint(&mut self.body, count);
            self.body.extend_from_slice(&group);
            self.revision = revision;
            self.last_at = Some(at);
        }
        self.scratch = group;
        if changes.iter().any(|c| matches!(c, Logged::Source(_) | Logged::SourceGone(_))) {
            self.gather_gaps(at);
        }
    }

    /// Says what the whole floor is: rows that are not in it are gone. Called once after the
    /// configuration and the last floor were read, and whenever the world was rebuilt.
    pub fn keyframe(&mut self, sources: &[Arc<Source>], entities: &[Entity], at: Timestamp, revision: u64) {
        self.found = Vec::new();
        let at = self.steady(at);
        let was_paused = self.paused_at(at);
        self.close_delta();
        let sources = sources.iter().cloned().map(Row::Source);
        self.mirror = Mirror::of(sources.chain(entities.iter().cloned().map(Row::Entity)));
        self.revision = revision;
        if !was_paused {
            self.begin_segment(at, false);
            self.gather_gaps(at);
        }
    }

    /// Nobody looked from `began` to `ended`, though the log was open: the machine slept.
    pub fn unseen(&mut self, began: Timestamp, ended: Timestamp) {
        if self.paused.is_none() && began < ended {
            self.close_delta();
            self.ops.push(Op::Gap { began, ended, why: "not running" });
        }
    }

    /// Writes what was gathered, in one transaction. Without anything gathered nothing is touched.
    /// After an error the log stays usable: it goes on in memory and writes a keyframe at a later try.
    /// [`StoreError::Vanished`] and [`StoreError::Damaged`] want the log opened again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.close_delta();
        if self.ops.is_empty() {
            return Ok(());
        }
        let result = self.write();
        match &result {
            Ok(()) => {
                self.gaps_on_disk.clone_from(&self.gaps);
                self.written_until = self.last_at.or(self.written_until);
            }
            Err(_) => {
                self.gaps.clone_from(&self.gaps_on_disk);
                self.segment = None;
                let now = self.last_at.unwrap_or_default();
                self.paused = Some((now, "not written"));
            }
        }
        self.ops.clear();
        result
    }

    /// Says that somebody still looks, though nothing changes: a crash then costs what came after the last
    /// sign, not all the quiet time before it. Nothing is written for it but the time of the lock file, and
    /// nothing while what was told is not on the disk. Where the system keeps no such time, history ends
    /// with the last change, as far as it is known.
    pub fn alive(&mut self, at: Timestamp) {
        let behind =
            !self.ops.is_empty() || !self.body.is_empty() || self.last_at.is_none_or(|last| at < last);
        if behind || self.paused.is_some() {
            return;
        }
        if self.lock.mark_alive(at).is_ok() {
            self.written_until = self.written_until.max(Some(at));
        }
    }

    /// False while what is told stays in memory, because the last try to write failed or nothing was told.
    pub fn is_writing(&self) -> bool {
        self.paused.is_none()
    }

    /// Ends the log politely: what was gathered is written, and that nothing was lost until `at`.
    pub fn close(mut self, at: Timestamp) -> Result<(), StoreError> {
        let wrote = self.segment.as_ref().is_some_and(|s| s.delta_bytes + self.body.len() > 64 * 1024);
        if wrote {
            // The next start reads one keyframe and nothing behind it.
            let at = self.steady(at);
            self.close_delta();
            self.begin_segment(at, true);
        }
        self.commit()?;
        if self.paused.is_some() {
            // Nothing was ever told, or could be written: the truth ends where it ended before.
            return Ok(());
        }
        self.db
            .execute(
                "INSERT INTO closed (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = ?1",
                [at.as_ms()],
            )
            .map_err(|e| StoreError::from_sqlite(&self.path, &e))?;
        Ok(())
    }

    /// Forgets what happened before `before`, except what the oldest kept instant still needs. Gives
    /// freed pages back in small steps; call it again while it answers `true`.
    pub fn retain(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&self.path, &e);
        let oldest: Option<i64> = self
            .db
            .query_row("SELECT max(id) FROM segment WHERE at <= ?1", [before.as_ms()], |row| row.get(0))
            .map_err(sql)?;
        let mut dropped = 0;
        if let Some(oldest) = oldest {
            let tx = self.db.transaction().map_err(sql)?;
            // A bounded bite: one transaction never holds the disk for long.
            dropped += tx
                .execute(
                    "DELETE FROM delta WHERE id IN (SELECT id FROM delta WHERE id <= (SELECT after FROM segment WHERE id = ?1) ORDER BY id LIMIT 2000)",
                    [oldest],
                )
                .map_err(sql)?;
            dropped += tx
                .execute(
                    "DELETE FROM segment WHERE id IN (SELECT id FROM segment WHERE id < ?1
                     AND NOT EXISTS (SELECT 1 FROM delta WHERE delta.segment = segment.id) ORDER BY id LIMIT 4)",
                    [oldest],
                )
                .map_err(sql)?;
            dropped += tx
                .execute("DELETE FROM gap WHERE ended IS NOT NULL AND ended < ?1", [before.as_ms()])
                .map_err(sql)?;
            tx.commit().map_err(sql)?;
        }
        self.db.execute_batch("PRAGMA incremental_vacuum(2000)").map_err(sql)?;
        Ok(dropped > 0)
    }

    /// The floor at an instant, of what was committed. [`crate::FloorReader`] does the same from elsewhere.
    pub fn floor_at(&self, at: Timestamp) -> Result<Option<FloorAt>, StoreError> {
        match self.log().read(at)? {
            None => Ok(None),
            Some(read) => read.damage.map_or_else(|| Ok(Some(read.image.floor())), Err),
        }
    }
    /// From when to when there is history.
    pub fn span(&self) -> Result<Option<Span>, StoreError> {
        self.log().span()
    }
    /// When the history does not know the truth.
    pub fn gaps(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Gap>, StoreError> {
        self.log().gaps(from, until)
    }
    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A disk that is full, for tests: the file may not grow beyond so many pages.
    #[doc(hidden)]
    pub fn limit_pages_for_test(&self, pages: Option<u32>) {
        let pages = pages.unwrap_or(u32::MAX - 1);
        let _ = self.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
    }

    fn log(&self) -> Log<'_> {
        Log { db: &self.db, path: &self.path }
    }

    fn settle(&mut self) {
        if !self.found.is_empty() {
            self.mirror = Mirror::of(std::mem::take(&mut self.found).into_iter().flatten());
        }
    }

    /// Keeps instants of a segment in order. A clock that was set back begins a new segment.
    fn steady(&mut self, at: Timestamp) -> Timestamp {
        let Some(last) = self.last_at else { return at };
        if at >= last {
            return at;
        }
        if last.as_ms() - at.as_ms() <= CLOCK_SLACK_MS {
            return last;
        }
        self.close_delta();
        self.segment = None;
        self.last_at = None;
        if self.paused.is_none() {
            self.ops.push(Op::Gap { began: at, ended: last, why: "clock" });
        }
        at
    }

    /// Whether nothing is to be encoded now. When a pause ends, what was missed becomes a gap and a
    /// keyframe says how the floor was.
    fn paused_at(&mut self, at: Timestamp) -> bool {
        let Some((since, why)) = self.paused else { return false };
        let waiting = why == "not written" && at >= since && at < since.plus(PAUSE);
        if waiting {
            return true;
        }
        self.paused = None;
        if let Some(began) = self.written_until.filter(|began| *began < at) {
            self.ops.push(Op::Gap { began, ended: at, why });
        }
        false
    }

    fn write(&mut self) -> Result<(), StoreError> {
        if self.identity.is_some() && identity(&self.path) != self.identity {
            return Err(StoreError::Vanished { path: self.path.clone() });
        }
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&self.path, &e);
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(sql)?;
        for op in &self.ops {
            match op {
                Op::Segment { id, at, revision, after, continues, keyframe } => tx
                    .prepare_cached("INSERT INTO segment VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                    .and_then(|mut s| {
                        s.execute(params![id, at.as_ms(), *revision as i64, after, continues, keyframe])
                    }),
                Op::Delta { id, segment, at, until, body } => tx
                    .prepare_cached("INSERT INTO delta VALUES (?1, ?2, ?3, ?4, ?5)")
                    .and_then(|mut s| s.execute(params![id, segment, at.as_ms(), until.as_ms(), body])),
                Op::GapOpened { source, at, why } => tx.execute(
                    "INSERT INTO gap (source, began, why) VALUES (?1, ?2, ?3)",
                    params![source.as_str(), at.as_ms(), why],
                ),
                Op::GapClosed { source, at } => tx.execute(
                    "UPDATE gap SET ended = ?2 WHERE source = ?1 AND ended IS NULL",
                    params![source.as_str(), at.as_ms()],
                ),
                Op::Gap { began, ended, why } => tx.execute(
                    "INSERT INTO gap (began, ended, why) VALUES (?1, ?2, ?3)",
                    params![began.as_ms(), ended.as_ms(), why],
                ),
            }
            .map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }
}

fn zigzag_ms(at: Timestamp, base: Timestamp) -> u64 {
    super::bytes::zigzag(at.as_ms().wrapping_sub(base.as_ms()))
}
