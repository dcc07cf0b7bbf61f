//! The tables of `floor.db`.
//!
//! A segment is a keyframe and the deltas behind it. `after` is the greatest delta id when it began, so
//! that its deltas are a range of ids and need no index; a kill between two statements cannot pair a
//! keyframe with another segment's deltas.

use std::path::Path;

use rusqlite::Connection;

use crate::{StoreError, open::user_version};

/// Format of the file: tables and blocks.
pub(crate) const FORMAT: i64 = 1;
/// Marks the file as ours ("FLOR").
const APPLICATION: i32 = 0x464c_4f52;

const TABLES: &str = "
CREATE TABLE segment (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    after INTEGER NOT NULL,
    continues INTEGER NOT NULL,
    keyframe BLOB NOT NULL
) STRICT;
CREATE TABLE delta (
    id INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    source TEXT,
    began INTEGER NOT NULL,
    ended INTEGER,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE closed (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
";

/// Makes the tables of a new file, refuses one from the future, and one whose tables are not ours.
pub(crate) fn prepare(db: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    match user_version(db, path)? {
        0 => {
            let tables: i64 =
                db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
            if tables != 0 {
                return Err(StoreError::damaged(path, "it holds tables of another program"));
            }
            let tx = db.transaction().map_err(sql)?;
            tx.execute_batch(TABLES).map_err(sql)?;
            tx.pragma_update(None, "application_id", APPLICATION).map_err(sql)?;
            tx.pragma_update(None, "user_version", FORMAT).map_err(sql)?;
            tx.commit().map_err(sql)
        }
        FORMAT => verify(db, path),
        found => Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT }),
    }
}

/// The same for a reader, which makes nothing.
pub(crate) fn verify_for_reading(db: &Connection, path: &Path) -> Result<(), StoreError> {
    match user_version(db, path)? {
        FORMAT => verify(db, path),
        0 => Err(StoreError::Missing { path: path.to_owned() }),
        found => Err(StoreError::Newer { path: path.to_owned(), found, known: FORMAT }),
    }
}

fn verify(db: &Connection, path: &Path) -> Result<(), StoreError> {
    if crate::open::statements(db, path)? == crate::open::statements_of(TABLES) {
        Ok(())
    } else {
        Err(StoreError::damaged(path, "its tables are not the ones Floorwalker makes"))
    }
}
