//! Where the operating system wants configuration and data.

use std::path::PathBuf;

use directories::ProjectDirs;

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
