//! e1: bytes that a change costs on disk, write-ahead log and checkpoints included.

use std::time::Duration;

use rusqlite::{Connection, params};
use store::{FloorLog, Logged};

use crate::{
    apply::stored,
    floor::{conversation, now, world},
    measure::Row,
};

const ROWS: usize = 50_000;
const TRANSACTIONS: usize = 200;
const CHANGES: usize = 500;

pub fn e1() -> Row {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ours = log(folder.path());
    let peer = rows(folder.path());
    Row {
        row: "e1",
        what: "bytes written per change: plain row upsert ÷ our log".into(),
        ours,
        peer,
        unit: "B",
        ratio: peer / ours,
        better: "higher",
        gate: 50.0,
        target: 200.0,
    }
}

fn log(folder: &std::path::Path) -> f64 {
    let (mut log, _) = FloorLog::open(&folder.join("floor.db")).expect("the log opens");
    let world = world(ROWS);
    let entities: Vec<_> = world.entities().map(|e| stored(&e)).collect();
    log.keyframe(&[], &entities, now(), 1);
    log.commit().expect("a commit");
    let before = written();
    let mut step = 0usize;
    for tx in 0..TRANSACTIONS {
        let at = now().plus(Duration::from_millis(250 * tx as u64));
        let changes: Vec<Logged> = (0..CHANGES)
            .map(|_| {
                step += 1;
                let row = conversation(step.wrapping_mul(7919) % ROWS, step);
                Logged::Upsert(store::Entity::Conversation(row.into()))
            })
            .collect();
        log.append(&changes, at, 2 + tx as u64);
        log.commit().expect("a commit");
    }
    log.close(now().plus(Duration::from_secs(3600))).expect("it closes");
    (written() - before) as f64 / (TRANSACTIONS * CHANGES) as f64
}

fn rows(folder: &std::path::Path) -> f64 {
    let mut db = Connection::open(folder.join("rows.db")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
         CREATE TABLE conversation (id TEXT PRIMARY KEY, queue TEXT, state TEXT, customer TEXT, subject TEXT,
           created INTEGER, waiting INTEGER, answered INTEGER, last_message INTEGER, priority TEXT) WITHOUT ROWID;
         CREATE INDEX by_queue ON conversation (queue, last_message);",
    )
    .expect("a schema");
    let sql = "INSERT OR REPLACE INTO conversation VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)";
    let put = |tx: &rusqlite::Transaction<'_>, n: usize, step: usize| {
        let c = conversation(n, step);
        tx.prepare_cached(sql)
            .and_then(|mut s| {
                s.execute(params![
                    c.id.as_str(),
                    c.queue.as_deref(),
                    format!("{:?}", c.state),
                    c.customer,
                    c.subject,
                    c.created_at.map(model::Timestamp::as_ms),
                    c.waiting_since.map(model::Timestamp::as_ms),
                    c.answered_at.map(model::Timestamp::as_ms),
                    c.last_customer_message_at.map(model::Timestamp::as_ms),
                    c.priority,
                ])
            })
            .expect("a row");
    };
    let tx = db.transaction().expect("a transaction");
    (0..ROWS).for_each(|n| put(&tx, n, 0));
    tx.commit().expect("a commit");
    let before = written();
    let mut step = 0usize;
    for _ in 0..TRANSACTIONS {
        let tx = db.transaction().expect("a transaction");
        for _ in 0..CHANGES {
            step += 1;
            put(&tx, step.wrapping_mul(7919) % ROWS, step);
        }
        tx.commit().expect("a commit");
    }
    drop(db);
    (written() - before) as f64 / (TRANSACTIONS * CHANGES) as f64
}

/// Bytes that this process has handed to the system for writing.
fn written() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").expect("this row is measured on Linux");
    text.lines().find_map(|l| l.strip_prefix("wchar: ")).and_then(|n| n.trim().parse().ok()).expect("a count")
}
