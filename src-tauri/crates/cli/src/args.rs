//! The command line, as the contract has it.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The headless face of Floorwalker: checks, prints and watches the floor without a window.
#[derive(Debug, Parser)]
#[command(
    name = "floorctl",
    version,
    about = "Floorwalker without a window: the floor, its alerts and its past in a terminal",
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Before or after the command.
#[derive(Debug, Args)]
pub struct Global {
    /// Configuration file; default: floorwalker.toml in the configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the databases; default: the data folder
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Only this source
    #[arg(long, global = true, value_name = "SOURCE")]
    pub only: Option<String>,
    /// What goes to standard error
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log_level: Level,
}

/// Recording what goes between a source and its vendor, for a support case.
#[derive(Clone, Debug, Default, Args)]
pub struct Taping {
    /// Record the conversation with each source's vendor into this folder, without credentials
    #[arg(long, value_name = "DIR")]
    pub tape: Option<PathBuf>,
    /// What becomes of names and of text that people wrote
    #[arg(long, value_name = "HOW", default_value = "masked", requires = "tape")]
    pub tape_text: TapeText,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum TapeText {
    /// The same text becomes the same meaningless word
    #[default]
    Masked,
    /// It stays as it is: only with the consent of everybody on it
    Kept,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the configuration and connect to each source once
    Check {
        /// How long to wait for every source
        #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
        timeout: Duration,
        #[command(flatten)]
        taping: Taping,
    },
    /// Print the whole state once every source is live or has failed
    Snapshot {
        /// How long to wait for that
        #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
        timeout: Duration,
        /// As one JSON document
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        taping: Taping,
    },
    /// A live table; with --json one document per line
    Watch {
        /// End after this long, counted from the start of the program
        #[arg(long = "for", value_parser = duration, value_name = "TIME")]
        lasting: Option<Duration>,
        /// How long to wait for the first state
        #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
        timeout: Duration,
        /// One JSON document per line
        #[arg(long)]
        json: bool,
        /// Write the databases and deliver webhooks, as the app does
        #[arg(long)]
        record: bool,
        #[command(flatten)]
        taping: Taping,
    },
    /// Alert rules: check them, list them, try them on the past
    Rules {
        #[command(subcommand)]
        command: Rules,
    },
    /// Open alerts and their log, as the app keeps them
    Alerts {
        /// How far back the log goes
        #[arg(long, default_value = "24h", value_parser = duration, value_name = "TIME")]
        since: Duration,
        /// As one JSON document
        #[arg(long)]
        json: bool,
        /// The log and the notes as rows, without the open alerts
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// What the recorded history covers: its span, its gaps, how much
    History {
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print the floor as it was at an instant
    Replay {
        /// RFC 3339, or HH:MM[:SS] of today
        #[arg(long, value_name = "TIME")]
        at: String,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Write an instant or a span of the past to a file
    Export {
        /// One instant: RFC 3339, or HH:MM[:SS] of today
        #[arg(long, value_name = "TIME", required_unless_present_all = ["from", "to"], conflicts_with_all = ["from", "to"])]
        at: Option<String>,
        /// Beginning of a span
        #[arg(long, value_name = "TIME", requires = "to")]
        from: Option<String>,
        /// End of a span
        #[arg(long, value_name = "TIME", requires = "from")]
        to: Option<String>,
        /// What kind of file
        #[arg(long, default_value = "json", value_name = "FORMAT")]
        format: Format,
        /// The file; replaced only once the new one is whole
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put a secret into the keychain, or take it away
    Secret {
        #[command(subcommand)]
        command: Secret,
    },
    /// Serve the window's page to a browser on this machine
    Serve {
        /// Port on 127.0.0.1; 0: any free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Folder of the built page
        #[arg(long, value_name = "DIR")]
        page: Option<PathBuf>,
        /// Mark every screen as a demonstration
        #[arg(long, hide = true)]
        demo_mark: bool,
        /// End after this long
        #[arg(long = "for", value_parser = duration, value_name = "TIME")]
        lasting: Option<Duration>,
    },
    /// Serve the built-in simulated contact centre and print a configuration for it
    Demo {
        /// First of a row of ports on 127.0.0.1
        #[arg(long, default_value_t = 47110)]
        port: u16,
        /// How many times faster than life
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// The same seed gives the same centre
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// One document for an instant, an array of the lines of `watch --json` for a span
    Json,
    /// One row per entity and change
    Csv,
}

#[derive(Debug, Subcommand)]
pub enum Rules {
    /// Compile the rules; errors with file, line, rule, key and a caret under the place
    Check,
    /// Print every active rule, the default ones too
    List {
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Try the rules on the recorded past: how often, when, how long, for whom
    Test {
        /// RFC 3339, or HH:MM[:SS] of today; default: a day before the end
        #[arg(long, value_name = "WHEN")]
        from: Option<String>,
        /// RFC 3339, or HH:MM[:SS] of today; default: the end of the history
        #[arg(long, value_name = "WHEN")]
        to: Option<String>,
        /// Only tell about this one
        #[arg(long, value_name = "NAME")]
        rule: Option<String>,
        /// As one JSON document
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Secret {
    /// Read a secret from standard input, or ask for it without echo
    Set {
        /// Source id, or webhook:NAME
        source: String,
    },
    /// Forget a secret
    Delete {
        /// Source id, or webhook:NAME
        source: String,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    app::settings::parse_duration(text).ok_or_else(|| "not a duration; write it like 30s or 2m".to_owned())
}
