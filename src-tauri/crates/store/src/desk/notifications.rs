//! The notification log: written before the operating system is called, confirmed after. A crash in
//! between is seen at the next start, and the notification is sent once more: at most twice, never not
//! at all.

use model::{Id, Severity, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Desk, alerts::word, schema::Step};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[Step {
    version: 1,
    sql: "CREATE TABLE notification (
    id INTEGER PRIMARY KEY,
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    tries INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    delivered_at INTEGER,
    UNIQUE (alert, kind, channel)
) STRICT;",
}];

/// Whether to call the operating system (or the webhook).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Call it, then tell [`Desk::delivered`] with this number.
    Send {
        /// Number of the reservation.
        id: i64,
        /// The second time, after a call whose end nobody saw.
        again: bool,
    },
    /// It has been called for this; do not.
    Done,
}

/// A notification that was about to be sent and never confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Id of the alert (one per episode).
    pub alert: Id,
    /// What it was to say: `firing`, `escalated`, `resolved`, `flapping`, `repeat-3` …
    pub kind: String,
    /// Where: `desktop`, `webhook:NAME` …
    pub channel: String,
    /// When it was reserved.
    pub reserved_at: Timestamp,
}

pub(crate) fn unconfirmed(db: &Connection) -> rusqlite::Result<Vec<Reservation>> {
    let mut query = db.prepare(
        "SELECT alert, kind, channel, reserved_at FROM notification WHERE delivered_at IS NULL AND tries < 2 ORDER BY id",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Reservation {
            alert: Id::from(row.get::<_, String>(0)?),
            kind: row.get(1)?,
            channel: row.get(2)?,
            reserved_at: Timestamp::from_ms(row.get(3)?),
        })
    })?;
    rows.collect()
}

/// When alerts that are not over were told at this desk, and how bad they were then.
pub(crate) fn told(db: &Connection) -> rusqlite::Result<Vec<(Id, Timestamp, Severity)>> {
    let mut query = db.prepare(
        "SELECT n.alert, n.reserved_at, coalesce((SELECT j.severity FROM journal j
           WHERE j.alert = n.alert AND j.at <= n.reserved_at ORDER BY j.id DESC LIMIT 1), 'warning')
         FROM notification n
         WHERE n.channel IN ('desktop', 'sound') AND (n.delivered_at IS NOT NULL OR n.tries >= 2)
           AND n.alert IN (SELECT id FROM alert)
         ORDER BY n.id",
    )?;
    let rows = query.query_map([], |row| {
        Ok((Id::from(row.get::<_, String>(0)?), Timestamp::from_ms(row.get(1)?), word(row, 2)?))
    })?;
    rows.collect()
}

/// Webhooks that were told of an alert and, for all the log knows, never of its end: alert and channel.
pub(crate) fn without_end(db: &Connection, since: Timestamp) -> rusqlite::Result<Vec<(Id, String)>> {
    let mut query = db.prepare(
        "SELECT DISTINCT told.alert, told.channel FROM notification told
         WHERE told.kind IN ('firing', 'escalated') AND told.channel LIKE 'webhook:%'
           AND told.delivered_at >= ?1 AND told.alert NOT IN (SELECT id FROM alert)
           AND NOT EXISTS (SELECT 1 FROM notification over WHERE over.alert = told.alert
             AND over.channel = told.channel AND over.kind = 'resolved'
             AND (over.delivered_at IS NOT NULL OR over.tries >= 2))
         ORDER BY told.id",
    )?;
    let rows =
        query.query_map([since.as_ms()], |row| Ok((Id::from(row.get::<_, String>(0)?), row.get(1)?)))?;
    rows.collect()
}

fn reserve(
    db: &Connection,
    alert: &Id,
    kind: &str,
    channel: &str,
    at: Timestamp,
) -> rusqlite::Result<Decision> {
    let before: Option<(i64, i64, Option<i64>)> = db
        .prepare_cached(
            "SELECT id, tries, delivered_at FROM notification WHERE alert = ?1 AND kind = ?2 AND channel = ?3",
        )?
        .query_row(params![alert.as_str(), kind, channel], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(match before {
        None => {
            db.prepare_cached(
                "INSERT INTO notification (alert, kind, channel, tries, reserved_at) VALUES (?1, ?2, ?3, 1, ?4)",
            )?
            .execute(params![alert.as_str(), kind, channel, at.as_ms()])?;
            Decision::Send { id: db.last_insert_rowid(), again: false }
        }
        Some((id, 1, None)) => {
            db.prepare_cached("UPDATE notification SET tries = 2 WHERE id = ?1")?.execute([id])?;
            Decision::Send { id, again: true }
        }
        Some(_) => Decision::Done,
    })
}

impl Desk {
    /// Asks whether a notification may be sent, and writes down that it is about to be. Per alert, kind
    /// and channel the answer is [`Decision::Send`] once, and once more when the first was never
    /// confirmed. On the disk when it returns.
    pub fn reserve(
        &mut self,
        alert: &Id,
        kind: &str,
        channel: &str,
        at: Timestamp,
    ) -> Result<Decision, StoreError> {
        let decided = self.reserve_all(&[(alert.clone(), kind.to_owned())], channel, at)?;
        Ok(decided.first().copied().unwrap_or(Decision::Done))
    }
    /// The same for all alerts (with their kinds) that one notification tells, all or none.
    pub fn reserve_all(
        &mut self,
        tells: &[(Id, String)],
        channel: &str,
        at: Timestamp,
    ) -> Result<Vec<Decision>, StoreError> {
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&path, &e);
        let tx = self.db.transaction().map_err(sql)?;
        let decided = tells.iter().map(|(alert, kind)| reserve(&tx, alert, kind, channel, at));
        let decided = decided.collect::<rusqlite::Result<Vec<_>>>().map_err(sql)?;
        tx.commit().map_err(sql)?;
        Ok(decided)
    }
    /// The operating system took it.
    pub fn delivered(&mut self, id: i64, at: Timestamp) -> Result<(), StoreError> {
        self.delivered_all(&[id], at)
    }
    /// The operating system took the one notification that these were reserved for.
    pub fn delivered_all(&mut self, ids: &[i64], at: Timestamp) -> Result<(), StoreError> {
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&path, &e);
        let tx = self.db.transaction().map_err(sql)?;
        for id in ids {
            tx.prepare_cached("UPDATE notification SET delivered_at = ?2 WHERE id = ?1")
                .and_then(|mut update| update.execute(params![id, at.as_ms()]))
                .map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }
    /// What was reserved and never confirmed: to be sent again after a start, if the alert still stands.
    pub fn unconfirmed(&self) -> Result<Vec<Reservation>, StoreError> {
        unconfirmed(&self.db).map_err(|e| self.sql(&e))
    }
}
