//! The steps that make and change the tables, in order. A released step is never edited: a change is a
//! new step in the module of its table, and a frozen file of the version before under `tests/frozen`.

use std::path::Path;

use rusqlite::Connection;

use super::{acknowledgements, alerts, backup, journal, notes, notifications, timers};
use crate::{StoreError, open::user_version};

/// One change of one table.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// The version of the file that this step belongs to, from 1.
    pub(crate) version: i64,
    pub(crate) sql: &'static str,
}

/// All steps of all tables in order.
pub(crate) fn steps() -> Vec<Step> {
    let tables = [
        alerts::STEPS,
        journal::STEPS,
        acknowledgements::STEPS,
        notes::STEPS,
        notifications::STEPS,
        timers::STEPS,
    ];
    let mut steps: Vec<Step> = tables.into_iter().flatten().copied().collect();
    steps.sort_by_key(|s| s.version);
    steps
}

/// The version that this program writes.
pub(crate) fn version(steps: &[Step]) -> i64 {
    steps.iter().map(|s| s.version).max().unwrap_or(0)
}

/// Looks whether the file holds together and nothing in it would act by itself. The desk is small: the
/// whole of it is read.
pub(crate) fn check(db: &Connection, path: &Path) -> Result<(), StoreError> {
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    let word: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sql)?;
    if word != "ok" {
        return Err(StoreError::damaged(path, "its pages contradict each other"));
    }
    let strange: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view')", [], |row| {
            row.get(0)
        })
        .map_err(sql)?;
    if strange != 0 {
        return Err(StoreError::damaged(path, "it holds triggers or views, which Floorwalker never makes"));
    }
    Ok(())
}

/// Brings the file to the newest version in one transaction, after a copy of the old one was made. A file
/// that is newer is refused untouched.
pub(crate) fn migrate(db: &mut Connection, path: &Path, steps: Vec<Step>) -> Result<(), StoreError> {
    let known = version(&steps);
    let found = user_version(db, path)?;
    if found == known {
        return Ok(());
    }
    if found > known || found < 0 {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    if found > 0 {
        backup::before_migration(db, path, found)?;
    }
    let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(sql)?;
    for step in steps.iter().filter(|s| s.version > found) {
        tx.execute_batch(step.sql).map_err(sql)?;
    }
    tx.pragma_update(None, "user_version", known).map_err(sql)?;
    tx.commit().map_err(sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Sync, open_writer, statements, with_suffix};

    fn frozen(path: &Path) -> Connection {
        made_by(include_str!("../../tests/frozen/desk-v1.sql"), path)
    }
    fn made_by(script: &str, path: &Path) -> Connection {
        let db = open_writer(path, Sync::Full).unwrap();
        db.execute_batch(script).unwrap();
        db
    }

    /// Every version ever released must come out like a new file.
    #[test]
    fn an_old_desk_becomes_like_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let scripts =
            [include_str!("../../tests/frozen/desk-v1.sql"), include_str!("../../tests/frozen/desk-v2.sql")];
        for (script, made) in scripts.into_iter().zip(1..) {
            let (old, new) =
                (dir.path().join(format!("old-{made}.db")), dir.path().join(format!("{made}.db")));
            let mut upgraded = made_by(script, &old);
            assert_eq!(user_version(&upgraded, &old).unwrap(), made);
            migrate(&mut upgraded, &old, steps()).unwrap();
            let mut fresh = open_writer(&new, Sync::Full).unwrap();
            migrate(&mut fresh, &new, steps()).unwrap();
            assert_eq!(statements(&upgraded, &old).unwrap(), statements(&fresh, &new).unwrap());
            assert_eq!(user_version(&upgraded, &old).unwrap(), user_version(&fresh, &new).unwrap());
            let note: String = upgraded.query_row("SELECT text FROM note", [], |row| row.get(0)).unwrap();
            assert_eq!(note, "called the vendor");
        }
    }

    #[test]
    fn a_later_step_is_applied_once_and_the_old_file_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.db");
        let mut db = frozen(&path);
        let later = || {
            let mut all = steps();
            all.push(Step {
                version: 2,
                sql: "ALTER TABLE note ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;",
            });
            all
        };
        migrate(&mut db, &path, later()).unwrap();
        migrate(&mut db, &path, later()).unwrap();
        let pinned: i64 = db.query_row("SELECT pinned FROM note", [], |row| row.get(0)).unwrap();
        assert_eq!(pinned, 0);
        let copy = Connection::open(with_suffix(&path, ".v1.bak")).unwrap();
        assert_eq!(user_version(&copy, &path).unwrap(), 1);
        assert_eq!(copy.query_row("SELECT count(*) FROM note", [], |r| r.get::<_, i64>(0)).unwrap(), 1);
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.db");
        let mut db = frozen(&path);
        let before = statements(&db, &path).unwrap();
        let mut broken = steps();
        broken.push(Step {
            version: 2,
            sql: "CREATE TABLE half (a INTEGER) STRICT; CREATE TABLE note (b INTEGER);",
        });
        assert!(migrate(&mut db, &path, broken).is_err());
        assert_eq!(statements(&db, &path).unwrap(), before);
        assert_eq!(user_version(&db, &path).unwrap(), 1);
    }
}
