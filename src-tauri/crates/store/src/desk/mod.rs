//! What people did: acknowledgements, snoozes, notes, the alert log, the notification log.
//!
//! Every write is its own transaction and on the disk when the call returns: once the screen said
//! "saved", it survives the end of the process and a power cut. Each table owns its statements and its
//! steps of migration; [`schema`] puts the steps in order.

mod acknowledgements;
mod alerts;
mod backup;
mod journal;
mod notes;
mod notifications;
mod reader;
mod schema;
mod timers;
mod words;

use std::path::{Path, PathBuf};

pub use acknowledgements::Acknowledgement;
pub use journal::{Actor, Aside, JournalEntry, LogFilter, Told};
pub use notes::Note;
pub use notifications::{Decision, Reservation};
pub use reader::DeskReader;
use rusqlite::Connection;
pub use timers::{Ran, Timers};

use crate::{
    StoreError,
    open::{Sync, open_reader, open_writer, put_aside, user_version},
    port::WriteLock,
};

/// What opening the desk found.
#[derive(Debug)]
pub struct DeskOpened {
    /// One sentence for the user when a damaged file was replaced by its last good copy.
    pub notice: Option<String>,
}

/// `desk.db`, open for writing. One per data folder; owned by one thread.
pub struct Desk {
    path: PathBuf,
    db: Connection,
    _lock: WriteLock,
}

impl Desk {
    /// Opens the desk, brings an older one up to date (after a copy was made), or makes a new one. One
    /// that is damaged or gone is restored from its last good copy, and `notice` says so; the damaged
    /// file is kept beside it. Errors: [`StoreError::Newer`] (nothing is touched),
    /// [`StoreError::InUse`], [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::Open`].
    pub fn open(path: &Path) -> Result<(Self, DeskOpened), StoreError> {
        if let Some(dir) = path.parent() {
            crate::port::private_dir(dir).map_err(|e| StoreError::from_io(dir, &e))?;
        }
        let lock = WriteLock::take(path)?;
        let absent = std::fs::metadata(path).map_or(true, |m| m.len() == 0);
        let (db, notice) = match absent.then(|| backup::newest_good(path)).flatten() {
            Some(copy) => {
                (backup::restore(path, &copy)?, Some(backup::sentence(path, "was gone", None, Some(&copy))))
            }
            None => match Self::try_open(path) {
                Ok(db) => (db, None),
                Err(StoreError::Damaged { why, .. }) => {
                    let aside = put_aside(path, "corrupt")?;
                    let copy = backup::newest_good(path);
                    let story = format!("was damaged ({why})");
                    let notice = backup::sentence(path, &story, Some(&aside), copy.as_deref());
                    let db = match &copy {
                        Some(copy) => backup::restore(path, copy)?,
                        None => Self::try_open(path)?,
                    };
                    (db, Some(notice))
                }
                Err(other) => return Err(other),
            },
        };
        if let Some(notice) = &notice {
            tracing::warn!(%notice);
        }
        let desk = Self { path: path.to_owned(), db, _lock: lock };
        // A desk that opened well is worth keeping. Failing to copy it is no reason not to use it.
        if let Err(error) = desk.backup() {
            tracing::warn!(%error, "the copy of the desk could not be renewed");
        }
        Ok((desk, DeskOpened { notice }))
    }

    fn try_open(path: &Path) -> Result<Connection, StoreError> {
        // Looked at before anything is opened for writing: a newer one is not to change by a byte.
        if let Ok(db) = open_reader(path) {
            let (found, known) = (user_version(&db, path)?, schema::version(&schema::steps()));
            if found > known {
                return Err(StoreError::Newer { path: path.to_owned(), found, known });
            }
        }
        let mut db = open_writer(path, Sync::Full)?;
        schema::check(&db, path)?;
        schema::migrate(&mut db, path, schema::steps())?;
        Ok(db)
    }

    /// Copies the desk beside itself (`desk.db.bak`), whole or not at all. Done at every opening; the
    /// app does it once a day as well.
    pub fn backup(&self) -> Result<(), StoreError> {
        backup::renew(&self.db, &self.path)
    }

    /// Forgets journal, notifications and finished alerts older than `before`. Notes and what is still
    /// open stay.
    pub fn retain(&mut self, before: model::Timestamp) -> Result<(), StoreError> {
        let tx = self.db.transaction().map_err(|e| StoreError::from_sqlite(&self.path, &e))?;
        let all = [
            "DELETE FROM journal WHERE at < ?1 AND alert NOT IN (SELECT id FROM alert)",
            "DELETE FROM notification WHERE reserved_at < ?1 AND alert NOT IN (SELECT id FROM alert)",
            "DELETE FROM acknowledgement WHERE at < ?1 AND alert NOT IN (SELECT id FROM alert)",
        ];
        for statement in all {
            tx.execute(statement, [before.as_ms()]).map_err(|e| StoreError::from_sqlite(&self.path, &e))?;
        }
        tx.commit().map_err(|e| StoreError::from_sqlite(&self.path, &e))
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn sql(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }
}
