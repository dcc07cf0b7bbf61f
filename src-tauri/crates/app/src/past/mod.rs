//! What was seen and done before, read from the databases without ever writing them; also while the app
//! has them open.

mod desk;
mod export;
mod log_file;
mod rules;
mod then;
mod time;

use std::path::Path;

use model::{Id, Timestamp};
use store::{DeskReader, FloorReader, LogFilter, StoreError};

pub use desk::{AlertBook, LogLine, alerts};
pub(crate) use desk::{Earlier, earlier};
pub use export::{Format, Stretch, export};
pub use log_file::{alerts_csv, export_alerts};
pub use rules::{FiredRow, RuleFires, TrialReport, Watched, try_rules, try_rules_watched};
pub use then::{Counts, GapRow, History, Then, floor_then, history};
pub use time::{instant, zone};

/// Why the past cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// A database cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Nothing has been recorded yet.
    #[error("no history is recorded yet; let the app, or `floorctl watch --record`, run for a while")]
    Empty,
    /// Asked about a time before the first record.
    #[error("the history begins at {from}; nothing is known of {at}")]
    TooEarly {
        /// What was asked for.
        at: Timestamp,
        /// Where it begins.
        from: Timestamp,
    },
    /// Asked about a time that has not come.
    #[error("{at} has not come yet")]
    Future {
        /// What was asked for.
        at: Timestamp,
    },
    /// The end lies before the beginning.
    #[error("the time from {from} to {until} is empty; check --from and --to")]
    Backwards {
        /// Beginning.
        from: Timestamp,
        /// End.
        until: Timestamp,
    },
    /// No rule has this name.
    #[error("no active rule is named `{0}`; `floorctl rules list` prints them")]
    NoSuchRule(String),
    /// Nobody waits for it any more.
    #[error("it was stopped")]
    Stopped,
    /// A file could not be written.
    #[error("{file} cannot be written ({cause}); check the folder's permissions and free space")]
    Write {
        /// The file.
        file: String,
        /// The system's word.
        cause: std::io::Error,
    },
}

impl PastError {
    /// Whether the one who asked can mend it (another folder, another time), not we.
    pub fn is_usage(&self) -> bool {
        match self {
            PastError::Store(error) => {
                matches!(error, StoreError::Missing { .. } | StoreError::Newer { .. })
            }
            PastError::Empty
            | PastError::TooEarly { .. }
            | PastError::Future { .. }
            | PastError::Backwards { .. }
            | PastError::NoSuchRule(_) => true,
            PastError::Write { .. } | PastError::Stopped => true,
        }
    }
}

fn floor(data: &Path, only: Option<&Id>) -> Result<FloorReader, StoreError> {
    Ok(FloorReader::open(&data.join("floor.db"))?.only(only.cloned()))
}

/// Whether anything is kept of a source, also when it is no longer configured. Databases that are not there
/// keep nothing.
pub fn knows(data: &Path, source: &Id) -> bool {
    let seen = || -> Result<bool, StoreError> {
        let floor = floor(data, Some(source))?;
        let last = floor.floor_at(Timestamp::from_ms(i64::MAX))?;
        let gaps = || floor.gaps(Timestamp::from_ms(i64::MIN), Timestamp::from_ms(i64::MAX));
        Ok(last.is_some_and(|floor| !floor.sources.is_empty()) || gaps()?.iter().any(|g| g.source.is_some()))
    };
    let told = || -> Result<bool, StoreError> {
        let lines = LogFilter { source: Some(source.clone()), limit: 1, ..LogFilter::default() };
        Ok(!DeskReader::open(&data.join("desk.db"))?.log(&lines)?.is_empty())
    };
    seen().unwrap_or(false) || told().unwrap_or(false)
}
