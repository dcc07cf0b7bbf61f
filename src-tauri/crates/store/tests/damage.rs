//! D1–D13 on real files: whatever is on the disk, opening never panics, never hangs, never loses silently.
#![allow(clippy::unwrap_used)]

mod floor;

use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
};

use floor::{T0, at, conversation, queue};
use model::Id;
use store::{Desk, DeskReader, FloorLog, FloorReader, Logged, StoreError};

/// A log with a few segments, closed.
fn filled(path: &Path) {
    let (mut log, _) = FloorLog::open(path).unwrap();
    for n in 0..40i64 {
        let rows: Vec<_> =
            (0..20).map(|c| Logged::Upsert(conversation("shop", &format!("c{c}"), n + c))).collect();
        log.append(&rows, at(T0 + n * 250), n as u64);
        log.commit().unwrap();
    }
    log.close(at(T0 + 20_000)).unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let mut all: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

fn flip(path: &Path, offset: u64) {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(&[byte[0] ^ 0xff]).unwrap();
}

/// After opening whatever was there, the log works.
fn works(path: &Path) -> Option<String> {
    let (mut log, opened) = FloorLog::open(path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "after", 1))], at(T0 + 100_000), 99);
    log.commit().unwrap();
    let floor = log.floor_at(at(T0 + 100_000)).unwrap().unwrap();
    assert!(floor.entities.iter().any(|e| e.key().id == Id::new("after")));
    opened.notice
}

#[test]
fn d3_a_flipped_byte_anywhere_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.db");
    filled(&good);
    let truth = {
        let reader = FloorReader::open(&good).unwrap();
        reader.floor_at(at(T0 + 20_000)).unwrap().unwrap()
    };
    let bytes = fs::read(&good).unwrap();
    let mut aside = 0;
    for (n, offset) in (0..bytes.len()).step_by(331).enumerate() {
        let home = dir.path().join(format!("flip-{n}"));
        fs::create_dir(&home).unwrap();
        let path = home.join("floor.db");
        fs::write(&path, &bytes).unwrap();
        flip(&path, offset as u64);
        // What is shown is either the truth or known to be damaged; never a wrong number.
        if let Ok(Ok(Some(floor))) = FloorReader::open(&path).map(|r| r.floor_at(at(T0 + 20_000)))
            && floor.at == truth.at
        {
            assert_eq!(floor.entities, truth.entities, "byte {offset}");
        }
        if let Some(notice) = works(&path) {
            aside += 1;
            assert!(
                names(&home).contains(&"floor.db.corrupt-1".to_owned()) || notice.contains("newer"),
                "{notice}"
            );
        }
        fs::remove_dir_all(&home).unwrap();
    }
    assert!(aside > 0);
}

#[test]
fn d3_not_a_database_truncated_empty_headless() {
    for (what, make) in [
        (
            "text",
            (|b: Vec<u8>| b"hello, this is not a database at all".repeat(b.len() / 30))
                as fn(Vec<u8>) -> Vec<u8>,
        ),
        ("half", |b| b[..b.len() / 2].to_vec()),
        ("odd", |b| b[..b.len() - 100].to_vec()),
        ("tiny", |b| b[..17].to_vec()),
        ("no head", |mut b| {
            b[..100].fill(0);
            b
        }),
        ("zeros", |b| vec![0; b.len()]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("floor.db");
        filled(&path);
        fs::write(&path, make(fs::read(&path).unwrap())).unwrap();
        let notice = works(&path).unwrap_or_else(|| panic!("{what}: nothing was said"));
        assert!(notice.contains("put aside as") && notice.contains("floor.db.corrupt-1"), "{what}: {notice}");
        // And once more: the next one gets the next number.
        fs::write(&path, b"bent again, bent again, bent again, bent again").unwrap();
        assert!(works(&path).unwrap().contains("corrupt-2"), "{what}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    fs::write(&path, b"").unwrap();
    assert_eq!(works(&path), None, "an empty file is a new database");
}

#[test]
fn d3_a_damaged_block_still_shows_the_last_floor_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    filled(&path);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE delta SET body = x'00010203040506' WHERE id = (SELECT max(id) FROM delta)", [])
        .unwrap();
    drop(db);
    assert!(matches!(
        FloorReader::open(&path).unwrap().floor_at(at(T0 + 99_000)),
        Err(StoreError::Damaged { .. })
    ));
    let (_, opened) = FloorLog::open(&path).unwrap();
    assert!(opened.notice.unwrap().contains("could still be read"));
    let last = opened.last.unwrap();
    assert_eq!(last.at, at(T0 + 38 * 250));
    assert_eq!(last.entities.len(), 20);
}

#[test]
fn d3_a_log_of_another_database_and_a_missing_index_are_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("floor.db"), dir.path().join("other.db"));
    filled(&path);
    let (mut log, _) = FloorLog::open(&other).unwrap();
    log.append(&[Logged::Upsert(queue("other", "x", 9))], at(T0), 1);
    log.commit().unwrap();
    fs::copy(dir.path().join("other.db-wal"), dir.path().join("floor.db-wal")).unwrap();
    works(&path);
    drop(log);
}

#[test]
fn d5_a_history_from_the_future_is_put_aside_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    filled(&path);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 77).unwrap();
    assert!(matches!(FloorReader::open(&path), Err(StoreError::Newer { found: 77, .. })));
    let notice = works(&path).unwrap();
    assert!(notice.contains("newer Floorwalker") && notice.contains("floor.db.newer-1"), "{notice}");
    let kept = rusqlite::Connection::open(dir.path().join("floor.db.newer-1")).unwrap();
    let version: i64 = kept.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
    assert_eq!(version, 77);
}

#[test]
fn s20_tables_with_something_in_them_that_acts_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    filled(&path);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TRIGGER t AFTER INSERT ON delta BEGIN DELETE FROM delta; END")
        .unwrap();
    assert!(works(&path).unwrap().contains("not the ones"));
}

#[cfg(unix)]
#[test]
fn d2_a_folder_that_may_not_be_written_is_said_and_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    let path = home.join("floor.db");
    filled(&path);
    let set = |mode| fs::set_permissions(&home, fs::Permissions::from_mode(mode)).unwrap();
    set(0o500);
    let may_write_anyway = fs::write(home.join("probe"), b"").is_ok();
    if may_write_anyway {
        println!("skipped: this user may write everywhere");
    } else {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        let error = FloorLog::open(&path).err().unwrap();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
        assert_eq!(
            FloorReader::open(&path).unwrap().floor_at(at(T0 + 20_000)).unwrap().unwrap().entities.len(),
            20
        );
    }
    set(0o700);
}

#[test]
fn d2_a_path_that_cannot_be_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    for path in [dir.path().join("file/floor.db"), dir.path().to_owned()] {
        let error = FloorLog::open(&path).err().unwrap().to_string();
        assert!(error.contains("check") && error.contains(dir.path().to_str().unwrap()), "{error}");
    }
    let missing = FloorReader::open(&dir.path().join("none.db")).err().unwrap();
    assert!(matches!(missing, StoreError::Missing { .. }));
}

#[test]
fn d1_a_full_disk_stops_nothing_and_writing_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "1", 1))], at(T0), 1);
    log.commit().unwrap();
    log.limit_pages_for_test(Some(12));
    let (mut failed, mut n) = (None, 1i64);
    while failed.is_none() && n < 5000 {
        n += 1;
        let rows: Vec<_> = (0..50)
            .map(|c| Logged::Upsert(conversation("shop", &format!("row number {n} {}", c * n), n + c)))
            .collect();
        log.append(&rows, at(T0 + n * 250), n as u64);
        failed = log.commit().err().map(|e| (e, n));
    }
    let (error, stopped) = failed.expect("the disk fills up");
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("the disk is full"));
    // What was written before is whole, what happens meanwhile is in memory.
    log.append(&[Logged::Upsert(queue("shop", "meanwhile", 5))], at(T0 + (stopped + 1) * 250), 6000);
    log.commit().unwrap();
    assert!(!log.is_writing(), "nothing was tried, so nothing is known to work again");
    log.limit_pages_for_test(None);
    let later = T0 + (stopped + 100) * 250;
    log.append(&[Logged::Upsert(queue("shop", "1", 7))], at(later), 6001);
    log.commit().unwrap();
    assert!(log.is_writing());
    let floor = log.floor_at(at(later)).unwrap().unwrap();
    assert!(floor.entities.contains(&queue("shop", "1", 7)));
    assert!(floor.entities.contains(&queue("shop", "meanwhile", 5)));
    assert!(log.gaps(at(0), at(later)).unwrap().iter().any(|g| g.why == "not written"));
    let before = log.floor_at(at(T0 + (stopped - 1) * 250)).unwrap().unwrap();
    assert_eq!(before.at, at(T0 + (stopped - 1) * 250));
}

#[cfg(unix)]
#[test]
fn d12_a_history_deleted_under_us_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("floor.db");
    let (mut log, _) = FloorLog::open(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "1", 1))], at(T0), 1);
    log.commit().unwrap();
    fs::remove_file(&path).unwrap();
    log.append(&[Logged::Upsert(queue("shop", "1", 2))], at(T0 + 250), 2);
    assert!(matches!(log.commit(), Err(StoreError::Vanished { .. })));
    drop(log);
    works(&path);
}

#[test]
fn d3_a_damaged_desk_comes_back_from_its_copy_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let (mut desk, opened) = Desk::open(&path).unwrap();
    assert!(opened.notice.is_none());
    desk.add_note(None, "Ada", "hand-over", at(T0)).unwrap();
    desk.backup().unwrap();
    drop(desk);
    let size = fs::metadata(&path).unwrap().len();
    for (first_page, name) in [(0, "desk.db.corrupt-1"), (1, "desk.db.corrupt-2")] {
        for page in first_page..size / 4096 {
            (page * 4096..page * 4096 + 50).for_each(|byte| flip(&path, byte));
        }
        let (desk, opened) = Desk::open(&path).unwrap();
        let notice = opened.notice.expect("it is said");
        assert!(notice.contains(name) && notice.contains("was restored"), "{notice}");
        assert_eq!(desk.notes(None).unwrap()[0].text, "hand-over");
    }
    fs::remove_file(&path).unwrap();
    let (desk, opened) = Desk::open(&path).unwrap();
    assert!(opened.notice.unwrap().contains("was gone"));
    assert_eq!(desk.notes(None).unwrap().len(), 1);
    drop(desk);
    // Without any copy it begins anew, and says that as well.
    fs::remove_file(dir.path().join("desk.db.bak")).unwrap();
    fs::write(&path, b"no database, no database, no database, no database").unwrap();
    let (desk, opened) = Desk::open(&path).unwrap();
    assert!(opened.notice.unwrap().contains("begin anew"));
    assert!(desk.notes(None).unwrap().is_empty());
}

#[test]
fn d5_a_desk_from_the_future_is_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    drop(Desk::open(&path).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let before = fs::read(&path).unwrap();
    let error = Desk::open(&path).err().unwrap();
    assert!(
        matches!(error, StoreError::Newer { found: 9, .. })
            && error.to_string().contains("install the newer")
    );
    assert!(fs::read(&path).unwrap() == before, "not one byte of it changes");
    assert!(matches!(DeskReader::open(&path), Err(StoreError::Newer { .. })));
    assert!(!names(dir.path()).iter().any(|n| n.contains("newer-") || n.contains("corrupt-")));
}

#[test]
fn d6_a_second_desk_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desk.db");
    let (desk, _) = Desk::open(&path).unwrap();
    let error = Desk::open(&path).err().unwrap();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    drop(desk);
    Desk::open(&path).unwrap();
}
