//! How every database of ours is opened.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, port};

/// Before 3.51.3 two connections could damage a write-ahead log while it was being reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How much of a commit must have reached the disk before it counts.
#[derive(Clone, Copy)]
pub(crate) enum Sync {
    /// Survives the end of the process at once, a power cut with the next checkpoint.
    Normal,
    /// Survives a power cut at once.
    Full,
}

/// Opens (or makes) a database for writing. Nothing is read from it yet beyond what the pragmas need.
pub(crate) fn open_writer(path: &Path, sync: Sync) -> Result<Connection, StoreError> {
    require_sqlite()?;
    let dir = path.parent().unwrap_or(Path::new(""));
    port::private_dir(dir).map_err(|e| StoreError::from_io(dir, &e))?;
    drop(port::private_file(path).map_err(|e| StoreError::from_io(path, &e))?);
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    harden(&db).map_err(sql)?;
    // Only an empty file takes it; kept free pages are given back in small steps by `retain`.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(sql)?;
    // A file system without shared memory (some network shares) answers with another mode: then a
    // rollback journal serves, slower and just as safe.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(sql)?;
    db.pragma_update(
        None,
        "synchronous",
        match sync {
            Sync::Normal => "NORMAL",
            Sync::Full => "FULL",
        },
    )
    .map_err(sql)?;
    db.pragma_update(None, "journal_size_limit", 4 * 1024 * 1024).map_err(sql)?;
    Ok(db)
}

/// Opens a database for reading only, also while a writer has it.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    require_sqlite()?;
    if !path.exists() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    harden(&db).map_err(sql)?;
    match db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Ok(()) => Ok(db),
        // In a folder that we may not write, SQLite cannot make its companion files. Nobody else can
        // be writing there as us; the file may be read as it is.
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) => {
            let db = Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
                .map_err(sql)?;
            harden(&db).map_err(sql)?;
            Ok(db)
        }
        Err(e) => Err(sql(e)),
    }
}

fn require_sqlite() -> Result<(), StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::OldSqlite { found: rusqlite::version().to_owned() });
    }
    Ok(())
}

/// A database is a file that somebody else may have written: nothing in it may run.
fn harden(db: &Connection) -> rusqlite::Result<()> {
    use rusqlite::config::DbConfig;
    db.busy_timeout(Duration::from_secs(2))?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.pragma_update(None, "cell_size_check", true)
}

fn immutable_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => uri.push(*byte as char),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri + "?immutable=1"
}

/// `floor.db` → `floor.db.corrupt-1`, with its companion files, under the first free number.
/// Returns where it is now.
pub(crate) fn put_aside(path: &Path, as_what: &str) -> Result<PathBuf, StoreError> {
    let mut n = 1u32;
    let aside = loop {
        let candidate = with_suffix(path, &format!(".{as_what}-{n}"));
        if !candidate.exists() && !with_suffix(&candidate, "-wal").exists() {
            break candidate;
        }
        n += 1;
    };
    for companion in ["", "-wal", "-shm", "-journal"] {
        let from = with_suffix(path, companion);
        if !from.exists() {
            continue;
        }
        std::fs::rename(&from, with_suffix(&aside, companion)).map_err(|e| StoreError::from_io(&from, &e))?;
    }
    port::sync_dir(path.parent().unwrap_or(Path::new("")));
    Ok(aside)
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

/// The version in the file's head. 0 is a new file.
pub(crate) fn user_version(db: &Connection, path: &Path) -> Result<i64, StoreError> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| StoreError::from_sqlite(path, &e))
}

/// What the schema consists of, as it was written, sorted. Anything in it that we did not write (a
/// trigger, a view, another column) makes a difference.
pub(crate) fn statements(db: &Connection, path: &Path) -> Result<Vec<String>, StoreError> {
    let sql = |e: rusqlite::Error| StoreError::from_sqlite(path, &e);
    let mut query = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").map_err(sql)?;
    let rows = query.query_map([], |row| row.get::<_, String>(0)).map_err(sql)?;
    let mut all = rows.collect::<Result<Vec<_>, _>>().map_err(sql)?;
    all.sort();
    Ok(all)
}

/// The same from the text that makes it.
pub(crate) fn statements_of(schema: &str) -> Vec<String> {
    let mut all: Vec<String> =
        schema.split(';').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
    all.sort();
    all
}
