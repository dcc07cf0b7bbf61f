//! Rows e1, e2 and e5 of the performance ladder: what a change costs on the way to the disk, and how
//! long the last floor takes to come back, each against the plain way in the same run.
//!
//! Prints one JSON object a row for `cargo ladder`.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path, sync::Arc, time::Instant};

use model::{Channel, Conversation, ConversationState, Id, Timestamp};
use rusqlite::{Connection, params};
use store::{Entity, FloorLog, Logged};

const ROWS: usize = 50_000;
const PER_COMMIT: usize = 500;
const COMMITS: usize = 200;
const T0: i64 = 1_769_851_800_000;

fn row(n: usize) -> Conversation {
    let at = Timestamp::from_ms(T0 - n as i64 * 37);
    Conversation {
        source: Id::new("shop"),
        id: Id::new(format!("support-group-{:024x}", n as u128 * 0x9e37_79b9_7f4a_7c15)),
        queue: Some(Id::new(format!("q{}", n % 500))),
        agents: Some(vec![Id::new(format!("agent-{}", n % 5000))]),
        state: ConversationState::Active,
        channel: Some(Channel::Chat),
        started_via: None,
        started_via_label: None,
        customer: Some(format!("Customer number {n}")),
        subject: Some(format!("Order {} has not arrived", n * 7919 % 100_000)),
        created_at: Some(at),
        waiting_since: Some(at),
        answered_at: Some(at),
        ended_at: None,
        expected_at: None,
        last_customer_message_at: Some(at),
        last_agent_message_at: None,
        outcome: None,
        tags: Some(vec!["vip".into()]),
        priority: None,
    }
}

/// Bytes this process has handed to the system for writing; `None` where the system does not count them.
fn written() -> Option<u64> {
    let io = fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|l| l.strip_prefix("wchar: ")?.parse().ok())
}
/// Processor time of this thread in nanoseconds.
fn cpu() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

struct Cost {
    bytes: f64,
    cpu_ns: f64,
}

fn measure(mut work: impl FnMut()) -> Option<Cost> {
    let (bytes, time) = (written()?, cpu()?);
    work();
    let changes = (PER_COMMIT * COMMITS) as f64;
    Some(Cost { bytes: (written()? - bytes) as f64 / changes, cpu_ns: (cpu()? - time) as f64 / changes })
}

/// A cheap, repeatable choice of rows.
fn pick(step: &mut u64) -> usize {
    *step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*step >> 33) as usize % ROWS
}

fn log(path: &Path, rows: &mut [Arc<Conversation>], every_field: bool) -> Option<Cost> {
    let (mut log, _) = FloorLog::open(path).unwrap();
    let entities: Vec<Entity> = rows.iter().cloned().map(Entity::Conversation).collect();
    log.keyframe(&[], &entities, Timestamp::from_ms(T0), 0);
    log.commit().unwrap();
    drop(entities);
    let mut step = 1;
    // What the world would have made anyway is made outside the measured time.
    let mut work: Vec<Vec<Logged>> = Vec::new();
    for commit in 0..COMMITS {
        let changes = (0..PER_COMMIT).map(|_| {
            let n = pick(&mut step);
            let mut next = (*rows[n]).clone();
            let at = Timestamp::from_ms(T0 + commit as i64 * 250);
            next.last_customer_message_at = Some(at);
            if every_field {
                next.state = ConversationState::Waiting;
                next.queue = Some(Id::new(format!("q{}", pick(&mut step) % 500)));
                next.waiting_since = Some(at);
                next.agents = Some(vec![Id::new(format!("agent-{}", pick(&mut step) % 5000))]);
            }
            rows[n] = Arc::new(next);
            Logged::Upsert(Entity::Conversation(rows[n].clone()))
        });
        work.push(changes.collect());
    }
    let cost = measure(|| {
        for (commit, changes) in work.iter().enumerate() {
            log.append(changes, Timestamp::from_ms(T0 + commit as i64 * 250), commit as u64);
            log.commit().unwrap();
        }
    });
    drop(log);
    cost
}

fn plain(path: &Path, rows: &[Arc<Conversation>]) -> Option<Cost> {
    let db = Connection::open(path).unwrap();
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    db.pragma_update(None, "synchronous", "NORMAL").unwrap();
    db.execute_batch(
        "CREATE TABLE conversation (source TEXT, id TEXT, queue TEXT, agent TEXT, state TEXT, customer TEXT,
         subject TEXT, created INTEGER, waiting INTEGER, answered INTEGER, last INTEGER,
         PRIMARY KEY (source, id)) WITHOUT ROWID;
         CREATE INDEX by_last ON conversation (queue, last);",
    )
    .unwrap();
    let upsert = |c: &Conversation, at: i64| {
        db.prepare_cached("INSERT OR REPLACE INTO conversation VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")
            .unwrap()
            .execute(params![
                c.source.as_str(),
                c.id.as_str(),
                c.queue.as_deref(),
                c.agents.as_ref().and_then(|a| a.first()).map(|a| a.as_str()),
                "active",
                c.customer,
                c.subject,
                c.created_at.map(Timestamp::as_ms),
                c.waiting_since.map(Timestamp::as_ms),
                c.answered_at.map(Timestamp::as_ms),
                at
            ])
            .unwrap();
    };
    let transaction = |work: &mut dyn FnMut()| {
        db.execute_batch("BEGIN").unwrap();
        work();
        db.execute_batch("COMMIT").unwrap();
    };
    transaction(&mut || rows.iter().for_each(|c| upsert(c, T0)));
    let mut step = 1;
    measure(|| {
        for commit in 0..COMMITS {
            transaction(&mut || {
                (0..PER_COMMIT).for_each(|_| upsert(&rows[pick(&mut step)], T0 + commit as i64))
            });
        }
    })
}

/// Milliseconds to read every row, as a program that keeps rows in a table would.
fn load_plain(path: &Path) -> f64 {
    let start = Instant::now();
    let db = Connection::open(path).unwrap();
    let mut query = db.prepare("SELECT * FROM conversation").unwrap();
    let mut found = query.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(r) = found.next().unwrap() {
        let text = |column| r.get::<_, Option<String>>(column).unwrap();
        rows.push(([0, 1, 2, 3, 4, 5, 6].map(text), r.get::<_, i64>(10).unwrap()));
    }
    assert_eq!(rows.len(), ROWS);
    start.elapsed().as_secs_f64() * 1e3
}

fn load_log(path: &Path) -> f64 {
    let start = Instant::now();
    let (_log, opened) = FloorLog::open(path).unwrap();
    let took = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(opened.last.unwrap().entities.len(), ROWS);
    took
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// A start is a fresh process with a fresh heap: so is its measuring.
fn in_fresh_process(what: &str, path: &Path) -> f64 {
    let out =
        std::process::Command::new(std::env::current_exe().unwrap()).arg(what).arg(path).output().unwrap();
    String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
}

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if let [what, path] = arguments.as_slice()
        && (what == "plain" || what == "log")
    {
        println!("{}", if what == "plain" { load_plain(path.as_ref()) } else { load_log(path.as_ref()) });
        return;
    }
    let words: Vec<_> = arguments.iter().filter(|a| !a.to_string_lossy().starts_with('-')).collect();
    if !words.is_empty() && !words.iter().any(|w| ["e1", "e2", "e5"].iter().any(|row| *w == row)) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut rows: Vec<Arc<Conversation>> = (0..ROWS).map(|n| Arc::new(row(n))).collect();
    let table = dir.path().join("plain.db");
    let costs = (
        plain(&table, &rows),
        log(&dir.path().join("floor.db"), &mut rows, false),
        log(&dir.path().join("wide.db"), &mut rows, true),
    );
    let per = |ours: f64, peer: f64| peer / ours;
    if let (Some(plain), Some(log), Some(wide)) = costs {
        let what = "bytes per change: row upsert with index ÷ log";
        say("e1", what, "B", [log.bytes, plain.bytes, per(log.bytes, plain.bytes), 50.0, 200.0]);
        let what = "CPU per change: row upsert with index ÷ log";
        let (ours, peer) = (log.cpu_ns / 1e3, plain.cpu_ns / 1e3);
        say("e2", what, "µs", [ours, peer, per(ours, peer), 20.0, 80.0]);
        eprintln!("e1 with five fields changed: {:.0} B", wide.bytes);
    } else {
        eprintln!("e1, e2 skipped: this system does not count written bytes");
    }
    let floor = dir.path().join("floor.db");
    // A clean end leaves one keyframe and nothing behind it.
    let (log, opened) = FloorLog::open(&floor).unwrap();
    let mut log = log;
    let last = opened.last.unwrap();
    log.keyframe(&last.sources, &last.entities, Timestamp::from_ms(T0 + 99_000_000), 1);
    log.commit().unwrap();
    drop((log, last));
    let pairs: Vec<(f64, f64)> =
        (0..15).map(|_| (in_fresh_process("plain", &table), in_fresh_process("log", &floor))).collect();
    let (ours, peer) =
        (median(pairs.iter().map(|p| p.1).collect()), median(pairs.iter().map(|p| p.0).collect()));
    let ratio = median(pairs.iter().map(|p| p.0 / p.1).collect());
    say("e5", "last floor of 50,000 rows: row by row ÷ log", "ms", [ours, peer, ratio, 1.3, 2.0]);
}

/// One line of the table: ours, peer, ratio (more is better), gate, target.
fn say(row: &str, what: &str, unit: &str, [ours, peer, ratio, gate, target]: [f64; 5]) {
    println!(
        r#"{{"row":"{row}","what":"{what}","ours":{ours},"peer":{peer},"unit":"{unit}","ratio":{ratio},"better":"higher","gate":{gate},"target":{target}}}"#
    );
}
