//! Copies of the desk. A copy is made under another name, looked at, and only then takes the place of
//! the one before: there is always one good copy.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Desk, schema};
use crate::{StoreError, open::with_suffix, port};

/// Where the newest copy is.
pub(crate) fn place(path: &Path) -> PathBuf {
    with_suffix(path, ".bak")
}

/// Renews the copy.
pub(crate) fn renew(db: &Connection, path: &Path) -> Result<(), StoreError> {
    copy_to(db, path, &place(path))
}

/// The copy that stays when the tables change; one per version that was left behind.
pub(crate) fn before_migration(db: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    copy_to(db, path, &with_suffix(path, &format!(".v{version}.bak")))
}

fn copy_to(db: &Connection, path: &Path, to: &Path) -> Result<(), StoreError> {
    let new = with_suffix(to, ".new");
    let io = |e: std::io::Error| StoreError::from_io(&new, &e);
    match std::fs::remove_file(&new) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(e)),
        _ => {}
    }
    // SQLite fills an empty file, and so the copy is private from its first byte.
    let file = port::private_file(&new).map_err(io)?;
    let name = new
        .to_str()
        .ok_or_else(|| StoreError::Open { path: new.clone(), why: "its name is not text".into() })?;
    db.execute("VACUUM INTO ?1", [name]).map_err(|e| StoreError::from_sqlite(path, &e))?;
    file.sync_all().map_err(io)?;
    std::fs::rename(&new, to).map_err(io)?;
    port::sync_dir(to.parent().unwrap_or(Path::new("")));
    Ok(())
}

/// The newest copy that holds together.
pub(crate) fn newest_good(path: &Path) -> Option<PathBuf> {
    let copy = place(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&copy, flags).ok()?;
    schema::check(&db, &copy).ok()?;
    (crate::open::user_version(&db, &copy).ok()? > 0).then_some(copy)
}

/// Puts a copy in the place of the desk and opens it.
pub(crate) fn restore(path: &Path, copy: &Path) -> Result<Connection, StoreError> {
    let io = |e: std::io::Error| StoreError::from_io(path, &e);
    let new = with_suffix(path, ".new");
    let mut to = port::private_file(&new).map_err(io)?;
    to.set_len(0).map_err(io)?;
    std::io::copy(&mut std::fs::File::open(copy).map_err(io)?, &mut to).map_err(io)?;
    to.sync_all().map_err(io)?;
    for companion in ["-wal", "-shm", "-journal"] {
        // Left behind by the file that was here: they belong to no copy.
        let _ = std::fs::remove_file(with_suffix(path, companion));
    }
    std::fs::rename(&new, path).map_err(io)?;
    port::sync_dir(path.parent().unwrap_or(Path::new("")));
    Desk::try_open(path)
}

/// What the user reads.
pub(crate) fn sentence(path: &Path, story: &str, aside: Option<&Path>, copy: Option<&Path>) -> String {
    let kept = aside.map_or(String::new(), |a| format!(" It was put aside as {}.", a.display()));
    let then = match copy {
        Some(copy) => format!(
            " The last good copy {} was restored: acknowledgements, snoozes and notes made after that copy are missing.",
            copy.display()
        ),
        None => " There was no good copy of it: acknowledgements, snoozes and notes begin anew.".to_owned(),
    };
    format!("The desk {} {story}.{kept}{then}", path.display())
}
