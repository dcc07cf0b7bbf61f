//! The reading end of the log: for `floorctl`, for the time machine and for rules tried on the past.

use std::path::{Path, PathBuf};

use model::{Id, Timestamp};
use rusqlite::Connection;

use super::{
    query::{Log, Read},
    rows::{FloorAt, Gap, Logged, Span, Step},
    schema,
};
use crate::{StoreError, open::open_reader, port::is_being_written};

/// `floor.db` open for reading only; any number of them, also while a [`crate::FloorLog`] writes.
pub struct FloorReader {
    path: PathBuf,
    db: Connection,
    only: Option<Id>,
}

impl FloorReader {
    /// Opens an existing log. Errors: [`StoreError::Missing`], [`StoreError::Newer`],
    /// [`StoreError::Damaged`], [`StoreError::Open`]. Nothing is ever put aside by a reader.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = open_reader(path)?;
        schema::verify_for_reading(&db, path)?;
        Ok(Self { path: path.to_owned(), db, only: None })
    }
    /// Reads as if this were the only source.
    pub fn only(self, source: Option<Id>) -> Self {
        Self { only: source, ..self }
    }
    fn wants(&self, source: &Id) -> bool {
        self.only.as_ref().is_none_or(|only| only == source)
    }
    fn is_wanted(&self, change: &Logged) -> bool {
        match change {
            Logged::Upsert(entity) => self.wants(entity.names().0),
            Logged::Remove(_, key) => self.wants(&key.source),
            Logged::Source(source) => self.wants(&source.id),
            Logged::SourceGone(id) => self.wants(id),
        }
    }
    fn log(&self) -> Log<'_> {
        Log { db: &self.db, path: &self.path }
    }
    /// The floor at an instant; `None` when history begins later.
    pub fn floor_at(&self, at: Timestamp) -> Result<Option<FloorAt>, StoreError> {
        match self.log().read(at)? {
            None => Ok(None),
            Some(Read { damage: Some(damage), .. }) => Err(damage),
            Some(read) => {
                let mut floor = read.image.floor();
                floor.sources.retain(|source| self.wants(&source.id));
                floor.entities.retain(|entity| self.wants(entity.names().0));
                Ok(Some(floor))
            }
        }
    }
    /// Tells the floor at `from` (or where history begins, when that is later) as a whole, then every
    /// step until `until`, in the order they were written.
    pub fn replay(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut told: impl FnMut(Step),
    ) -> Result<(), StoreError> {
        self.replay_while(from, until, |step| {
            told(step);
            true
        })
    }
    /// The same as long as `told` wants more: behind a `false` nothing is told.
    pub fn replay_while(
        &self,
        from: Timestamp,
        until: Timestamp,
        mut told: impl FnMut(Step) -> bool,
    ) -> Result<(), StoreError> {
        self.log().replay(from, until, &mut |mut step| {
            step.changes.retain(|change| self.is_wanted(change));
            told(step)
        })
    }
    /// From when to when there is history; `None` when there is none.
    pub fn span(&self) -> Result<Option<Span>, StoreError> {
        self.log().span()
    }
    /// When the history between two instants does not know the truth. Behind the last record of a log that
    /// nobody writes nothing is known: a crash leaves no mark, so that silence alone is no sign of life.
    pub fn gaps(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Gap>, StoreError> {
        // Looked at before reading: who starts to write in between closes the gap, nobody opens one.
        let written = is_being_written(&self.path);
        let mut gaps = self.log().gaps(from, until)?;
        gaps.retain(|gap| gap.source.as_ref().is_none_or(|source| self.wants(source)));
        if let (false, Some(began)) = (written, self.log().ends()?)
            && began <= until
        {
            gaps.push(Gap { source: None, began, ended: None, why: "not running".to_owned() });
        }
        Ok(gaps)
    }
    /// Reads the whole file for damage that no block has shown yet. Slow on a big one: for a background
    /// thread, never before the first picture.
    pub fn check(&self) -> Result<(), StoreError> {
        let word: String = self
            .db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|e| StoreError::from_sqlite(&self.path, &e))?;
        if word == "ok" {
            Ok(())
        } else {
            Err(StoreError::damaged(&self.path, "its pages contradict each other"))
        }
    }
}
