//! Where the operating system wants configuration and data.

use std::path::PathBuf;

use directories::{ProjectDirs, UserDirs};

fn dirs() -> Option<ProjectDirs> {
    ProjectDirs::from("org", "floorwalker", "floorwalker")
}

/// `floorwalker.toml` in the configuration folder; in the working folder where the system names none.
pub fn config_path() -> PathBuf {
    dirs().map_or_else(PathBuf::new, |d| d.config_dir().to_owned()).join("floorwalker.toml")
}

/// The folder of `floor.db` and `desk.db`.
pub fn data_dir() -> PathBuf {
    dirs().map_or_else(|| PathBuf::from("floorwalker-data"), |d| d.data_dir().to_owned())
}

/// Where a person looks for a file that a program made for them; `None` where the system names no such
/// folder.
pub(crate) fn downloads_dir() -> Option<PathBuf> {
    let dirs = UserDirs::new()?;
    let downloads = dirs.download_dir().filter(|folder| folder.is_dir());
    Some(downloads.unwrap_or_else(|| dirs.home_dir()).to_owned())
}
