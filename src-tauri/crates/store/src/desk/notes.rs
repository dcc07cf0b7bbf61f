//! What people wrote down.

use model::{Id, Timestamp};
use rusqlite::{Connection, params};

use super::{Desk, schema::Step};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[Step {
    version: 1,
    sql: "CREATE TABLE note (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    alert TEXT,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX note_alert ON note (alert);",
}];

/// A note.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub actor: String,
    /// The alert it is about; `None`: the floor as a whole (a hand-over).
    pub alert: Option<Id>,
    /// The text as it was written.
    pub text: String,
}

pub(crate) fn all(db: &Connection, alert: Option<&Id>) -> rusqlite::Result<Vec<Note>> {
    let mut query =
        db.prepare("SELECT id, at, actor, alert, text FROM note WHERE ?1 IS NULL OR alert = ?1 ORDER BY id")?;
    let rows = query.query_map([alert.map(|a| a.as_str())], |row| {
        Ok(Note {
            id: row.get(0)?,
            at: Timestamp::from_ms(row.get(1)?),
            actor: row.get(2)?,
            alert: row.get::<_, Option<String>>(3)?.map(Id::from),
            text: row.get(4)?,
        })
    })?;
    rows.collect()
}

impl Desk {
    /// Writes a note down; returns its number.
    pub fn add_note(
        &mut self,
        alert: Option<&Id>,
        actor: &str,
        text: &str,
        at: Timestamp,
    ) -> Result<i64, StoreError> {
        self.db
            .execute(
                "INSERT INTO note (at, actor, alert, text) VALUES (?1, ?2, ?3, ?4)",
                params![at.as_ms(), actor, alert.map(|a| a.as_str()), text],
            )
            .map_err(|e| self.sql(&e))?;
        Ok(self.db.last_insert_rowid())
    }
    /// Takes a note away. `false`: there was none.
    pub fn remove_note(&mut self, id: i64) -> Result<bool, StoreError> {
        let gone = self.db.execute("DELETE FROM note WHERE id = ?1", [id]).map_err(|e| self.sql(&e))?;
        Ok(gone > 0)
    }
    /// Notes on one alert, or all; oldest first.
    pub fn notes(&self, alert: Option<&Id>) -> Result<Vec<Note>, StoreError> {
        all(&self.db, alert).map_err(|e| self.sql(&e))
    }
}
