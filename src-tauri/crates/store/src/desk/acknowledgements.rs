//! Who has seen which alert, and which are quiet until when. Named by rule and subject as well as by the
//! episode, so that another face with its own eyes (`floorctl`) finds them.

use model::{Alert, Id, Subject, Timestamp, Transition};
use rusqlite::{Connection, params};

use super::{Desk, alerts, alerts::word, journal::Actor, schema::Step, words::Word};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[Step {
    version: 1,
    sql: "CREATE TABLE acknowledgement (
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    rule TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    until INTEGER,
    actor TEXT NOT NULL,
    PRIMARY KEY (alert, kind)
) STRICT, WITHOUT ROWID;",
}];

const ACK: &str = "ack";
const SNOOZE: &str = "snooze";

/// An acknowledgement or a snooze that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Acknowledgement {
    /// Id of the alert (one per episode).
    pub alert: Id,
    /// It is a snooze: quiet, not seen.
    pub snooze: bool,
    /// Name of the rule.
    pub rule: String,
    /// Source id; `None` for the whole floor.
    pub source: Option<Id>,
    /// What the alert is about.
    pub subject: Subject,
    /// Since when.
    pub at: Timestamp,
    /// Until when; `None`: until clear.
    pub until: Option<Timestamp>,
    /// Who.
    pub actor: Actor,
}

/// Keeps the table in step with what happens to an alert.
pub(crate) fn follow(
    db: &Connection,
    at: Timestamp,
    transition: Transition,
    alert: &Alert,
    actor: &Actor,
) -> rusqlite::Result<()> {
    let (kind, until) = match transition {
        Transition::Acked => (ACK, alert.acked_until),
        Transition::Snoozed => (SNOOZE, alert.snoozed_until),
        // What gets worse is nobody's yet, whoever has taken the milder one.
        Transition::Unacked | Transition::Escalated => return forget(db, alert, Some(ACK)),
        Transition::Unsnoozed => return forget(db, alert, Some(SNOOZE)),
        Transition::Resolved => return forget(db, alert, None),
        _ => return Ok(()),
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO acknowledgement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        alert.id.as_str(),
        kind,
        alert.rule,
        alert.source.as_deref(),
        alert.subject.kind.word(),
        alert.subject.id.as_str(),
        alert.subject.name,
        at.as_ms(),
        alerts::time(until),
        actor.as_text(),
    ])?;
    Ok(())
}

fn forget(db: &Connection, alert: &Alert, kind: Option<&str>) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM acknowledgement WHERE alert = ?1 AND (?2 IS NULL OR kind = ?2)")?
        .execute(params![alert.id.as_str(), kind])?;
    Ok(())
}

pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<Acknowledgement>> {
    let mut query = db.prepare(
        "SELECT alert, kind, rule, source, subject_kind, subject_id, subject_name, at, until, actor
         FROM acknowledgement ORDER BY at, alert, kind",
    )?;
    let rows = query.query_map([], |row| {
        let actor: String = row.get(9)?;
        Ok(Acknowledgement {
            alert: Id::from(row.get::<_, String>(0)?),
            snooze: row.get::<_, String>(1)? == SNOOZE,
            rule: row.get(2)?,
            source: row.get::<_, Option<String>>(3)?.map(Id::from),
            subject: Subject {
                kind: word(row, 4)?,
                id: Id::from(row.get::<_, String>(5)?),
                name: row.get(6)?,
            },
            at: Timestamp::from_ms(row.get(7)?),
            until: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_ms),
            actor: if actor.is_empty() { Actor::Rules } else { Actor::Person(actor) },
        })
    })?;
    rows.collect()
}

impl Desk {
    /// Acknowledgements and snoozes that hold, oldest first.
    pub fn acknowledgements(&self) -> Result<Vec<Acknowledgement>, StoreError> {
        all(&self.db).map_err(|e| self.sql(&e))
    }
}
