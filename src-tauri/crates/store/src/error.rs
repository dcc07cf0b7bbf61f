use std::path::{Path, PathBuf};

/// What went wrong with a database of ours. The text is one sentence for a person.
///
/// None of these is a reason to stop: the caller goes on in memory, shows the sentence and tries again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another Floorwalker has it.
    #[error("{} is in use by another Floorwalker; close that one, or name another folder with --data", path.display())]
    InUse {
        /// The lock that is held.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("{} cannot be written: the disk is full; free some space, nothing else is needed", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The file or its folder may not be written.
    #[error("{} cannot be written: the file or its folder is read-only; check who owns it and its permissions", path.display())]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// It cannot be opened or made.
    #[error("{} cannot be opened ({why}); check the path and its permissions", path.display())]
    Open {
        /// The database or its folder.
        path: PathBuf,
        /// The operating system's or SQLite's short reason.
        why: String,
    },
    /// What is in it contradicts itself.
    #[error("{} is damaged ({why}); it is put aside and a new one is started when Floorwalker opens it again", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Where the contradiction is.
        why: String,
    },
    /// A later Floorwalker wrote it.
    #[error("{} was written by a newer Floorwalker (format {found}, this one knows {known}); install the newer version, or name another folder with --data", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version reads.
        known: i64,
    },
    /// Somebody deleted or replaced the file while it was open.
    #[error("{} was deleted or replaced while Floorwalker was writing it; it is made anew", path.display())]
    Vanished {
        /// The database.
        path: PathBuf,
    },
    /// The SQLite in this program is one that can corrupt a write-ahead log.
    #[error(
        "this program was built with SQLite {found}, which can damage databases; it must be 3.51.3 or later"
    )]
    OldSqlite {
        /// Its version.
        found: String,
    },
    /// Nothing is there to read.
    #[error("{} does not exist; start the app once, or name the right folder with --data", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The disk does not do what it is asked.
    #[error("{} cannot be read or written: the disk reports an error; check that it has free space and is connected", path.display())]
    Disk {
        /// The database.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error("{} failed: {why}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// SQLite's short reason.
        why: String,
    },
}

impl StoreError {
    /// Whether the file itself is bad, so that opening it again puts it aside.
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreError::Damaged { .. })
    }

    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        StoreError::Damaged { path: path.to_owned(), why: why.into() }
    }

    /// Sorts SQLite's word into ours. Parameters and statements never enter the text.
    pub(crate) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as C;
        let path = path.to_owned();
        let why = match error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
            other => other.to_string(),
        };
        // The room for the index of the write-ahead log is made first of all: on a full disk that fails.
        if error.sqlite_error().map(|e| e.extended_code) == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return StoreError::Full { path };
        }
        match error.sqlite_error_code() {
            Some(C::SystemIoFailure) => StoreError::Disk { path },
            Some(C::DatabaseCorrupt) => StoreError::Damaged { path, why },
            Some(C::NotADatabase) => StoreError::Damaged { path, why: "it is not a database".into() },
            Some(C::DiskFull) => StoreError::Full { path },
            Some(C::ReadOnly | C::PermissionDenied) => StoreError::ReadOnly { path },
            Some(C::CannotOpen) => StoreError::Open { path, why },
            Some(C::DatabaseBusy | C::DatabaseLocked) => StoreError::InUse { path },
            _ => match error {
                // A column of another type than the schema says is damage, not a fault of the program.
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::Utf8Error(..) => StoreError::Damaged { path, why },
                _ => StoreError::Sqlite { path, why },
            },
        }
    }

    pub(crate) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as K;
        let path = path.to_owned();
        match error.kind() {
            K::PermissionDenied | K::ReadOnlyFilesystem => StoreError::ReadOnly { path },
            K::StorageFull | K::QuotaExceeded => StoreError::Full { path },
            _ => StoreError::Open { path, why: error.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_says_is_told_in_plain_words() {
        let told = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            StoreError::from_sqlite(Path::new("desk.db"), &error).to_string()
        };
        let full = "desk.db cannot be written: the disk is full; free some space, nothing else is needed";
        assert_eq!(told(rusqlite::ffi::SQLITE_FULL), full);
        assert_eq!(told(rusqlite::ffi::SQLITE_IOERR_SHMSIZE), full);
        assert!(told(rusqlite::ffi::SQLITE_IOERR_WRITE).contains("the disk reports an error"));
    }
}
