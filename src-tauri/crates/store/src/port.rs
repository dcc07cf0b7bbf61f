//! The little that depends on the operating system: permissions, the identity of a file, the lock.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::Timestamp;

use crate::StoreError;

/// Makes the folder (and those above it) for the owner's eyes only. One that exists keeps its permissions.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    let mut make = fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(dir)
}

/// Opens or makes a file that only the owner may read and write; one that was readable by others no
/// longer is. SQLite gives its companion files the permissions of the database.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

/// What tells one file from another at the same path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileIdentity(u64, u64);

/// The identity of the file at `path`; `None` where it is gone or the system has no such notion.
pub(crate) fn identity(path: &Path) -> Option<FileIdentity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|m| FileIdentity(m.dev(), m.ino()))
    }
    #[cfg(not(unix))]
    {
        // An open file cannot be deleted or replaced there.
        fs::metadata(path).ok().map(|_| FileIdentity(0, 0))
    }
}

/// Makes sure that a rename in this folder survives a power cut, where the system can promise it.
pub(crate) fn sync_dir(dir: &Path) {
    #[cfg(unix)]
    if let Ok(handle) = File::open(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }) {
        // A file system that cannot do it has no stronger promise to give.
        let _ = handle.sync_all();
    }
    #[cfg(not(unix))]
    let _ = dir;
}

/// How long a reader's look at the lock is waited for.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: u32 = 5;

/// Whether somebody has the database open for writing now. Where that cannot be known the answer is no:
/// better that a floor is called old than that an old one is called live.
pub(crate) fn is_being_written(database: &Path) -> bool {
    let Ok(file) = File::open(database.with_extension("lock")) else { return false };
    // Let go again with the file.
    matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock))
}

/// Held while a database is open for writing. The system lets go of it when the process ends, however
/// it ends: a stale lock cannot exist.
#[derive(Debug)]
pub(crate) struct WriteLock {
    file: File,
}

/// Nanoseconds within the millisecond that tell a time set by us from one that a copy of the file, or its
/// making, left behind: whoever carries a folder elsewhere must not make it look alive. A multiple of a
/// hundred, which is as fine as some systems keep it; one that keeps less has no sign of life.
const MARK_NS: u64 = 424_200;

/// Until when whoever wrote the database last was alive, as [`WriteLock::mark_alive`] left it.
pub(crate) fn alive_until(database: &Path) -> Option<Timestamp> {
    let modified = fs::metadata(database.with_extension("lock")).and_then(|m| m.modified()).ok()?;
    let ns = modified.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    if ns % 1_000_000 != u128::from(MARK_NS) {
        return None;
    }
    i64::try_from(ns / 1_000_000).ok().map(Timestamp::from_ms)
}

impl WriteLock {
    /// Takes the lock file beside a database: `floor.db` is guarded by `floor.lock`.
    pub(crate) fn take(database: &Path) -> Result<Self, StoreError> {
        let path: PathBuf = database.with_extension("lock");
        let file = private_file(&path).map_err(|e| StoreError::from_io(&path, &e))?;
        // A reader that looks whether somebody writes holds the lock for a moment.
        let mut taken = file.try_lock();
        for _ in 0..LOOKS {
            if !matches!(taken, Err(fs::TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(LOOK);
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => Ok(Self { file }),
            Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
            // A network file system without locks: going on alone beats not going on.
            Err(fs::TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => Ok(Self { file }),
            Err(fs::TryLockError::Error(e)) => Err(StoreError::from_io(&path, &e)),
        }
    }

    /// Leaves a sign of life: the lock file's time, not a byte of it.
    pub(crate) fn mark_alive(&self, at: Timestamp) -> io::Result<()> {
        let ms = u64::try_from(at.as_ms()).map_err(io::Error::other)?;
        let since = Duration::from_millis(ms).saturating_add(Duration::from_nanos(MARK_NS));
        let time = SystemTime::UNIX_EPOCH.checked_add(since).ok_or(io::ErrorKind::InvalidInput)?;
        self.file.set_modified(time)
    }
}
