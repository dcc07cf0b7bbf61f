//! Alerts that are not over, as they were last: what a restart begins with.

use model::{Alert, Id, Subject, Timestamp};
use rusqlite::{Connection, Row, params};

use super::{Desk, schema::Step, timers, words::Word};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[Step {
    version: 1,
    sql: "CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    state TEXT NOT NULL,
    overlays TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    limit_value REAL,
    unit TEXT NOT NULL,
    n INTEGER,
    pending_since INTEGER,
    fired_at INTEGER,
    resolved_at INTEGER,
    acked_at INTEGER,
    acked_until INTEGER,
    snoozed_until INTEGER,
    inhibited_by TEXT,
    flapping INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;",
}];

const COLUMNS: &str =
    "id, rule, severity, state, overlays, source, subject_kind, subject_id, subject_name, metric,
    value, limit_value, unit, n, pending_since, fired_at, resolved_at, acked_at, acked_until, snoozed_until,
    inhibited_by, flapping, reason";

pub(crate) fn time(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_ms)
}
fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_ms))
}
pub(crate) fn word<T: Word>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    T::read(row.get_ref(column)?).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
    })
}

/// Writes how an alert is now; one that is over is taken out.
pub(crate) fn put(db: &Connection, alert: &Alert) -> rusqlite::Result<()> {
    if alert.state == model::AlertState::Inactive {
        db.prepare_cached("DELETE FROM alert WHERE id = ?1")?.execute([alert.id.as_str()])?;
        return timers::drop_of(db, &alert.id);
    }
    let overlays: Vec<&str> = alert.overlays.iter().map(|o| o.word()).collect();
    db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO alert ({COLUMNS}) VALUES
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)"
    ))?
    .execute(params![
        alert.id.as_str(),
        alert.rule,
        alert.severity.word(),
        alert.state.word(),
        overlays.join(" "),
        alert.source.as_deref(),
        alert.subject.kind.word(),
        alert.subject.id.as_str(),
        alert.subject.name,
        alert.metric,
        alert.value,
        alert.limit,
        alert.unit,
        alert.n,
        time(alert.pending_since),
        time(alert.fired_at),
        time(alert.resolved_at),
        time(alert.acked_at),
        time(alert.acked_until),
        time(alert.snoozed_until),
        alert.inhibited_by.as_deref(),
        alert.flapping,
        alert.reason,
    ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Alert> {
    let overlays: String = row.get(4)?;
    let overlays = overlays
        .split_whitespace()
        .filter_map(|w| model::Overlay::ALL.iter().find(|(_, word)| *word == w).map(|(overlay, _)| *overlay));
    Ok(Alert {
        id: Id::from(row.get::<_, String>(0)?),
        rule: row.get(1)?,
        severity: word(row, 2)?,
        state: word(row, 3)?,
        overlays: overlays.collect(),
        source: row.get::<_, Option<String>>(5)?.map(Id::from),
        subject: Subject { kind: word(row, 6)?, id: Id::from(row.get::<_, String>(7)?), name: row.get(8)? },
        metric: row.get(9)?,
        value: row.get(10)?,
        limit: row.get(11)?,
        unit: row.get(12)?,
        n: row.get(13)?,
        pending_since: instant(row, 14)?,
        fired_at: instant(row, 15)?,
        resolved_at: instant(row, 16)?,
        acked_at: instant(row, 17)?,
        acked_until: instant(row, 18)?,
        snoozed_until: instant(row, 19)?,
        inhibited_by: row.get::<_, Option<String>>(20)?.map(Id::from),
        flapping: row.get(21)?,
        reason: row.get(22)?,
    })
}

pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Alert>> {
    let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM alert ORDER BY id"))?;
    let rows = query.query_map([], read)?;
    rows.collect()
}

impl Desk {
    /// Alerts that were not over when they were last written.
    pub fn open_alerts(&self) -> Result<Vec<Alert>, StoreError> {
        all(&self.db).map_err(|e| self.sql(&e))
    }
    /// Writes alerts without a transition (after the rules changed, say). Those not named stay.
    pub fn put_alerts(&mut self, alerts: &[Alert]) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&path, &e);
        let tx = self.db.transaction().map_err(sql)?;
        alerts.iter().try_for_each(|a| put(&tx, a)).map_err(sql)?;
        tx.commit().map_err(sql)
    }
    /// Takes out an alert that no rule speaks of any more.
    pub fn drop_alert(&mut self, id: &Id) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM alert WHERE id = ?1", [id.as_str()]).map_err(|e| self.sql(&e))?;
        timers::drop_of(&self.db, id).map_err(|e| self.sql(&e))
    }
}
