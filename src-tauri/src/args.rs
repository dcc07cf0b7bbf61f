//! The few words the app understands on its command line.

use std::path::PathBuf;

/// What the app was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Args {
    /// The configuration; the operating system's place when it is not named.
    pub config: PathBuf,
    /// The folder of the databases; likewise.
    pub data: PathBuf,
    /// Whether `data` was named: such an app is one of its own beside the usual one.
    pub own_data: bool,
    /// The floor is simulated: every screen says DEMO.
    pub demo_mark: bool,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub log_level: String,
}

/// How reading the command line ended, when not with [`Args`].
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Print this and end well.
    Say(String),
    /// Print this and end with 2.
    Wrong(String),
}

const USAGE: &str = "\
Floorwalker, a live floor for contact-centre supervisors

Usage: floorwalker [--config FILE] [--data DIR] [--log-level LEVEL]

  --config FILE      the configuration (default: the system's configuration folder)
  --data DIR         the folder of the databases (default: the system's data folder)
  --log-level LEVEL  error, warn, info, debug or trace; to standard error (default: warn)
  --demo-mark        marks every screen as a demo
  --version          prints the version
  --help             prints this";

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

impl Args {
    /// Reads the words after the program's name.
    pub fn read(words: impl IntoIterator<Item = String>) -> Result<Self, Stop> {
        let (mut config, mut data) = (None, None);
        let mut demo_mark = false;
        let mut log_level = "warn".to_owned();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, mut given) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (word, None),
            };
            let mut value =
                || {
                    given.take().or_else(|| words.next()).filter(|v| !v.is_empty()).ok_or_else(|| {
                        Stop::Wrong(format!("`{name}` needs a value; see `floorwalker --help`"))
                    })
                };
            match name.as_str() {
                "--config" => config = Some(PathBuf::from(value()?)),
                "--data" => data = Some(PathBuf::from(value()?)),
                "--log-level" => {
                    log_level = value()?;
                    if !LEVELS.contains(&log_level.as_str()) {
                        return Err(Stop::Wrong(format!(
                            "`{log_level}` is no log level; use one of {}",
                            LEVELS.join(", ")
                        )));
                    }
                }
                "--demo-mark" => demo_mark = true,
                "--help" | "-h" => return Err(Stop::Say(USAGE.to_owned())),
                "--version" | "-V" => {
                    return Err(Stop::Say(format!("floorwalker {}", env!("CARGO_PKG_VERSION"))));
                }
                _ => return Err(Stop::Wrong(format!("`{name}` is not known; see `floorwalker --help`"))),
            }
        }
        Ok(Self {
            config: config.unwrap_or_else(app::settings::config_path),
            own_data: data.is_some(),
            data: data.unwrap_or_else(app::settings::data_dir),
            demo_mark,
            log_level,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Args, Stop> {
        Args::read(words.iter().map(|w| (*w).to_owned()))
    }

    #[test]
    fn takes_values_behind_a_space_or_an_equals_sign() {
        let args = read(&["--config", "a b.toml", "--data=d", "--demo-mark"]).unwrap();
        assert_eq!(args.config, PathBuf::from("a b.toml"));
        assert_eq!(args.data, PathBuf::from("d"));
        assert!(args.own_data && args.demo_mark);
        assert_eq!(args.log_level, "warn");
    }

    #[test]
    fn without_words_the_system_decides() {
        let args = read(&[]).unwrap();
        assert!(!args.own_data && !args.demo_mark);
        assert!(args.config.ends_with("floorwalker.toml"));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(matches!(read(&["--confg", "x"]), Err(Stop::Wrong(s)) if s.contains("--confg")));
        assert!(matches!(read(&["--config"]), Err(Stop::Wrong(s)) if s.contains("needs a value")));
        assert!(matches!(read(&["--log-level", "loud"]), Err(Stop::Wrong(s)) if s.contains("loud")));
        assert!(matches!(read(&["--help"]), Err(Stop::Say(s)) if s.contains("--data DIR")));
    }
}
