//! The alert log: every transition, with the value, the sample size, who did it and how old the source's
//! data was. Written together with the alert itself, so that the two never disagree.

use model::{Alert, Id, Subject, Timestamp, Transition};
use rusqlite::{Connection, Row, params};

use super::{
    Desk, acknowledgements, alerts,
    alerts::word,
    schema::Step,
    timers::{self, Timers},
    words::Word,
};
use crate::StoreError;

pub(crate) const STEPS: &[Step] = &[
    Step {
        version: 1,
        sql: "CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    alert TEXT NOT NULL,
    transition TEXT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    source TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    metric TEXT NOT NULL,
    value REAL,
    limit_value REAL,
    unit TEXT NOT NULL,
    n INTEGER,
    actor TEXT NOT NULL,
    source_age_s REAL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX journal_at ON journal (at);
CREATE INDEX journal_alert ON journal (alert);",
    },
    Step { version: 2, sql: "ALTER TABLE journal ADD COLUMN rule_version TEXT;" },
];

/// Who made a transition happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The rules.
    Rules,
    /// A person, by the name they sign in with.
    Person(String),
}

impl Actor {
    pub(crate) fn as_text(&self) -> &str {
        match self {
            Actor::Rules => "",
            Actor::Person(name) => name,
        }
    }
}

/// One line of the alert log.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// Id of the alert (one per episode).
    pub alert: Id,
    /// What happened.
    pub transition: Transition,
    /// Name of the rule.
    pub rule: String,
    /// How bad it was then.
    pub severity: model::Severity,
    /// Source id; `None` for the whole floor.
    pub source: Option<Id>,
    /// What it was about.
    pub subject: Subject,
    /// Metric that decided.
    pub metric: String,
    /// Its value then.
    pub value: Option<f64>,
    /// The limit then.
    pub limit: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// Sample size, where there is one.
    pub n: Option<u32>,
    /// Who.
    pub actor: Actor,
    /// How old the source's data was, seconds; `None` when it never told anything.
    pub source_age_s: Option<f64>,
    /// One plain sentence.
    pub reason: String,
    /// Which wording of the rule it was; `None` where nobody knew it.
    pub rule_version: Option<String>,
}

/// What is known besides the alert itself when a line is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aside {
    /// How old the source's data is, seconds.
    pub source_age_s: Option<f64>,
    /// Which wording of the rule is in force.
    pub rule_version: Option<String>,
}

/// What happened to alerts at one time, by one hand.
pub struct Told<'a> {
    /// In order.
    pub transitions: &'a [(Transition, Alert)],
    /// Who.
    pub actor: &'a Actor,
    /// When.
    pub at: Timestamp,
    /// What is known besides.
    pub aside: &'a dyn Fn(&Alert) -> Aside,
    /// Alerts that changed without a line.
    pub quiet: &'a [Alert],
    /// Timers that were started, stopped or set back. Those of alerts that are over are left out.
    pub timers: &'a [(Id, Timers)],
}

pub(crate) fn put(
    db: &Connection,
    at: Timestamp,
    transition: Transition,
    alert: &Alert,
    actor: &Actor,
    aside: &Aside,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO journal (at, alert, transition, rule, severity, source, subject_kind, subject_id, subject_name,
         metric, value, limit_value, unit, n, actor, source_age_s, reason, rule_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        at.as_ms(),
        alert.id.as_str(),
        transition.word(),
        alert.rule,
        alert.severity.word(),
        alert.source.as_deref(),
        alert.subject.kind.word(),
        alert.subject.id.as_str(),
        alert.subject.name,
        alert.metric,
        alert.value,
        alert.limit,
        alert.unit,
        alert.n,
        actor.as_text(),
        aside.source_age_s,
        alert.reason,
        aside.rule_version,
    ])?;
    Ok(())
}

const COLUMNS: &str =
    "at, alert, transition, rule, severity, source, subject_kind, subject_id, subject_name, metric,
     value, limit_value, unit, n, actor, source_age_s, reason, id, rule_version";

fn read(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let actor: String = row.get(14)?;
    Ok(JournalEntry {
        at: Timestamp::from_ms(row.get(0)?),
        alert: Id::from(row.get::<_, String>(1)?),
        transition: word(row, 2)?,
        rule: row.get(3)?,
        severity: word(row, 4)?,
        source: row.get::<_, Option<String>>(5)?.map(Id::from),
        subject: Subject { kind: word(row, 6)?, id: Id::from(row.get::<_, String>(7)?), name: row.get(8)? },
        metric: row.get(9)?,
        value: row.get(10)?,
        limit: row.get(11)?,
        unit: row.get(12)?,
        n: row.get(13)?,
        actor: if actor.is_empty() { Actor::Rules } else { Actor::Person(actor) },
        source_age_s: row.get(15)?,
        reason: row.get(16)?,
        rule_version: row.get(18)?,
    })
}

pub(crate) fn between(
    db: &Connection,
    from: Timestamp,
    until: Timestamp,
) -> rusqlite::Result<Vec<JournalEntry>> {
    let mut query =
        db.prepare(&format!("SELECT {COLUMNS} FROM journal WHERE at >= ?1 AND at <= ?2 ORDER BY id"))?;
    query.query_map([from.as_ms(), until.as_ms()], read)?.collect()
}

/// What of the log is wanted; `None` restricts nothing.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub until: Option<Timestamp>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this source.
    pub source: Option<Id>,
    /// Of this alert.
    pub alert: Option<Id>,
    /// Lines with a smaller number than this.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Lines with their numbers, newest first.
pub(crate) fn page(db: &Connection, filter: &LogFilter) -> rusqlite::Result<Vec<(i64, JournalEntry)>> {
    let mut query = db.prepare(&format!(
        "SELECT {COLUMNS} FROM journal
         WHERE (?1 IS NULL OR at >= ?1) AND (?2 IS NULL OR at <= ?2) AND (?3 IS NULL OR rule = ?3)
           AND (?4 IS NULL OR source = ?4) AND (?5 IS NULL OR alert = ?5) AND (?6 IS NULL OR id < ?6)
         ORDER BY id DESC LIMIT ?7"
    ))?;
    let rows = query.query_map(
        params![
            filter.from.map(Timestamp::as_ms),
            filter.until.map(Timestamp::as_ms),
            filter.rule,
            filter.source.as_deref(),
            filter.alert.as_deref(),
            filter.before,
            filter.limit,
        ],
        |row| Ok((row.get(17)?, read(row)?)),
    )?;
    rows.collect()
}

/// Names of the rules that the log speaks of.
pub(crate) fn rules(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = db.prepare("SELECT DISTINCT rule FROM journal ORDER BY rule")?;
    query.query_map([], |row| row.get(0))?.collect()
}

impl Desk {
    /// Writes transitions and the alerts as they are after them, all or none. `source_age_s` tells how
    /// old an alert's source's data is. An acknowledgement or its end is kept for `floorctl` as well.
    pub fn record(
        &mut self,
        transitions: &[(Transition, Alert)],
        actor: &Actor,
        at: Timestamp,
        source_age_s: impl Fn(&Alert) -> Option<f64>,
    ) -> Result<(), StoreError> {
        self.record_with(transitions, actor, at, |alert| Aside {
            source_age_s: source_age_s(alert),
            rule_version: None,
        })
    }
    /// The same with all that is known besides.
    pub fn record_with(
        &mut self,
        transitions: &[(Transition, Alert)],
        actor: &Actor,
        at: Timestamp,
        aside: impl Fn(&Alert) -> Aside,
    ) -> Result<(), StoreError> {
        self.record_all(&[Told { transitions, actor, at, aside: &aside, quiet: &[], timers: &[] }])
    }
    /// Several of them, in order, all or none: what comes fast goes to the disk together.
    pub fn record_all(&mut self, all: &[Told<'_>]) -> Result<(), StoreError> {
        if all.iter().all(|t| t.transitions.is_empty() && t.quiet.is_empty() && t.timers.is_empty()) {
            return Ok(());
        }
        let path = self.path.clone();
        let sql = |e: rusqlite::Error| StoreError::from_sqlite(&path, &e);
        let tx = self.db.transaction().map_err(sql)?;
        for Told { transitions, actor, at, aside, quiet, timers } in all {
            for (transition, alert) in *transitions {
                put(&tx, *at, *transition, alert, actor, &aside(alert))
                    .and_then(|()| alerts::put(&tx, alert))
                    .and_then(|()| acknowledgements::follow(&tx, *at, *transition, alert, actor))
                    .map_err(sql)?;
            }
            quiet.iter().try_for_each(|alert| alerts::put(&tx, alert)).map_err(sql)?;
            timers.iter().try_for_each(|(alert, timers)| timers::put(&tx, alert, timers)).map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }
    /// The alert log between two instants, oldest first.
    pub fn journal(&self, from: Timestamp, until: Timestamp) -> Result<Vec<JournalEntry>, StoreError> {
        between(&self.db, from, until).map_err(|e| self.sql(&e))
    }
}
