//! The desk for those who only look: `floorctl` never writes it.

use std::path::{Path, PathBuf};

use model::{Alert, Id, Severity, Timestamp};
use rusqlite::Connection;

use super::{
    Acknowledgement, JournalEntry, LogFilter, Note, acknowledgements, alerts, journal, notes, notifications,
    schema,
};
use crate::{
    StoreError,
    open::{open_reader, user_version},
};

/// `desk.db` open for reading only; any number of them, also while the app writes.
pub struct DeskReader {
    path: PathBuf,
    db: Connection,
}

impl DeskReader {
    /// Opens an existing desk. Errors: [`StoreError::Missing`] (also when it is older than this program
    /// and the app has not yet brought it up to date), [`StoreError::Newer`], [`StoreError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let db = open_reader(path)?;
        let (found, known) = (user_version(&db, path)?, schema::version(&schema::steps()));
        match found {
            n if n > known => Err(StoreError::Newer { path: path.to_owned(), found, known }),
            n if n < known => Err(StoreError::Missing { path: path.to_owned() }),
            _ => Ok(Self { path: path.to_owned(), db }),
        }
    }
    fn tell<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|e| StoreError::from_sqlite(&self.path, &e))
    }
    /// Another number than before means that somebody has written since, as far as this reader is concerned.
    pub fn version(&self) -> Result<i64, StoreError> {
        self.tell(self.db.query_row("PRAGMA data_version", [], |row| row.get(0)))
    }
    /// Acknowledgements and snoozes that hold, oldest first.
    pub fn acknowledgements(&self) -> Result<Vec<Acknowledgement>, StoreError> {
        self.tell(acknowledgements::all(&self.db))
    }
    /// Alerts that were not over when they were last written.
    pub fn open_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        self.tell(alerts::all(&self.db))
    }
    /// The alert log between two instants, oldest first.
    pub fn journal(&self, from: Timestamp, until: Timestamp) -> Result<Vec<JournalEntry>, StoreError> {
        self.tell(journal::between(&self.db, from, until))
    }
    /// A page of the alert log with the lines' numbers, newest first.
    pub fn log(&self, filter: &LogFilter) -> Result<Vec<(i64, JournalEntry)>, StoreError> {
        self.tell(journal::page(&self.db, filter))
    }
    /// Alerts that are over and of which a webhook (`webhook:NAME`) was told since then, but never that
    /// they are over: the program ended in between.
    pub fn ends_untold(&self, since: Timestamp) -> Result<Vec<(Id, String)>, StoreError> {
        self.tell(notifications::without_end(&self.db, since))
    }
    /// When alerts that are not over were told at this desk, and how bad they were then; what was handed
    /// over and never confirmed counts from the second time on.
    pub fn told(&self) -> Result<Vec<(Id, Timestamp, Severity)>, StoreError> {
        self.tell(notifications::told(&self.db))
    }
    /// Names of the rules that the alert log speaks of, sorted.
    pub fn log_rules(&self) -> Result<Vec<String>, StoreError> {
        self.tell(journal::rules(&self.db))
    }
    /// Notes on one alert, or all; oldest first.
    pub fn notes(&self, alert: Option<&Id>) -> Result<Vec<Note>, StoreError> {
        self.tell(notes::all(&self.db, alert))
    }
}
