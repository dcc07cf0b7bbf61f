//! How long the conditions of alerts have held, so that a restart neither gives nor takes time.

use model::{Id, Timestamp};
use rusqlite::{Connection, params};

use super::{Desk, alerts::time, schema::Step};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[Step {
    version: 3,
    sql: "CREATE TABLE timer (
    alert TEXT PRIMARY KEY,
    held_ms INTEGER NOT NULL,
    held_since INTEGER,
    critical_ms INTEGER NOT NULL,
    critical_since INTEGER,
    quiet_ms INTEGER NOT NULL,
    quiet_since INTEGER,
    flap_holds INTEGER NOT NULL
) STRICT, WITHOUT ROWID;",
}];

/// Time that was collected, and since when it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Milliseconds.
    pub ms: i64,
    /// `None` while it stands.
    pub since: Option<Timestamp>,
}

/// The timers of one alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// Of `for` while it is pending, of `keep` while it recovers.
    pub held: Ran,
    /// How long the critical condition has held.
    pub critical: Ran,
    /// How long nothing has changed, while it flaps.
    pub quiet: Ran,
    /// While it flaps: whether the condition held last.
    pub flap_holds: bool,
}

/// Of an alert that is not there any more nothing is kept.
pub(crate) fn put(db: &Connection, alert: &Id, timers: &Timers) -> rusqlite::Result<()> {
    let Timers { held, critical, quiet, flap_holds } = timers;
    db.prepare_cached(
        "INSERT OR REPLACE INTO timer
             (alert, held_ms, held_since, critical_ms, critical_since, quiet_ms, quiet_since, flap_holds)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM alert WHERE id = ?1",
    )?
    .execute(params![
        alert.as_str(),
        held.ms,
        time(held.since),
        critical.ms,
        time(critical.since),
        quiet.ms,
        time(quiet.since),
        flap_holds,
    ])?;
    Ok(())
}

pub(crate) fn drop_of(db: &Connection, alert: &Id) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM timer WHERE alert = ?1")?.execute([alert.as_str()])?;
    Ok(())
}

fn all(db: &Connection) -> rusqlite::Result<Vec<(Id, Timers)>> {
    let mut query = db.prepare(
        "SELECT alert, held_ms, held_since, critical_ms, critical_since, quiet_ms, quiet_since, flap_holds
         FROM timer ORDER BY alert",
    )?;
    let rows = query.query_map([], |row| {
        let ran = |at: usize| {
            let since: Option<i64> = row.get(at + 1)?;
            Ok::<_, rusqlite::Error>(Ran { ms: row.get(at)?, since: since.map(Timestamp::from_ms) })
        };
        let timers = Timers { held: ran(1)?, critical: ran(3)?, quiet: ran(5)?, flap_holds: row.get(7)? };
        Ok((Id::from(row.get::<_, String>(0)?), timers))
    })?;
    rows.collect()
}

impl Desk {
    /// Timers of the alerts that are not over.
    pub fn timers(&self) -> Result<Vec<(Id, Timers)>, StoreError> {
        all(&self.db).map_err(|e| self.sql(&e))
    }

    /// A run begins: timers that still run are those of a run that did not end politely. They have run until
    /// it was last seen alive; `None`: nobody knows until when, and what they ran last is lost.
    pub fn stop_timers(&mut self, until: Option<Timestamp>) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&path, &e);
        let tx = self.db.transaction().map_err(sql)?;
        for name in ["held", "critical", "quiet"] {
            // The larger of two values, or NULL where one of them is.
            let statement = format!(
                "UPDATE timer SET {name}_ms = {name}_ms + coalesce(max(?1 - {name}_since, 0), 0), {name}_since = NULL
                 WHERE {name}_since IS NOT NULL"
            );
            tx.execute(&statement, [until.map(Timestamp::as_ms)]).map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }
}
