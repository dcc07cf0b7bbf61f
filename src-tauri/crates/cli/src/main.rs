//! `floorctl`: the headless face. Standard output holds only the result; everything else goes to
//! standard error. Exit codes: 0 all good, 1 internal, 2 usage or configuration, 3 a source is not live,
//! 130 interrupted.

mod alerts;
mod args;
mod check;
mod demo;
mod offline;
mod past;
mod rules;
mod secret;
mod serve;
mod session;
mod snapshot;
mod table;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;

use args::{Cli, Command};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Good,
    Internal,
    Usage,
    NotLive,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Good => 0,
            Exit::Internal => 1,
            Exit::Usage => 2,
            Exit::NotLive => 3,
            Exit::Interrupted => 130,
        })
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.global.log_level.as_str());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("floorctl: the runtime does not start ({error})");
            return Exit::Internal.into();
        }
    };
    let exit = runtime.block_on(async {
        let stop = CancellationToken::new();
        let asked = stop.clone();
        tokio::spawn(async move {
            interrupted().await;
            asked.cancel();
        });
        // Boxed: the commands' futures are large and of very different sizes.
        Box::pin(run(cli, stop)).await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    exit.into()
}

/// Every command watches `stop` and leaves politely: connectors sign out, the record is flushed.
async fn run(cli: Cli, stop: CancellationToken) -> Exit {
    let global = cli.global;
    match cli.command {
        Command::Check { timeout, taping } => check::run(&global, timeout, &taping, &stop).await,
        Command::Snapshot { timeout, json, taping } => {
            snapshot::run(&global, snapshot::Options { timeout, json, taping }, &stop).await
        }
        Command::Watch { lasting, timeout, json, record, taping } => {
            watch::run(&global, watch::Options { lasting, timeout, json, record, taping }, &stop).await
        }
        Command::Rules { command } => rules::run(&global, command),
        Command::Alerts { since, json, csv } => alerts::run(&global, since, json, csv),
        Command::History { json } => past::history(&global, json),
        Command::Replay { at, json } => past::replay(&global, &at, json),
        Command::Export { at, from, to, format, out } => {
            past::export(&global, &past::Wanted { at, from, to }, format, &out)
        }
        Command::Secret { command } => secret::run(command).await,
        Command::Serve { port, page, demo_mark, lasting } => {
            serve::run(&global, serve::Options { port, page, demo_mark, lasting }, &stop).await
        }
        Command::Demo { port, speed, seed } => demo::run(port, speed, seed, &stop).await,
    }
}

/// Control-C, or the system asking us to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn log_to_stderr(level: &str) {
    use tracing_subscriber::{EnvFilter, fmt};
    // Our own crates at the level asked for; the libraries only when something is wrong: their own
    // lines may hold addresses with tokens.
    let filter = format!(
        "off,model={level},engine={level},link={level},vendors={level},store={level},app={level},floorctl={level},simulator={level}"
    );
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = fmt()
        .with_ansi(colour)
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_target(false)
        .try_init();
}

/// Prints to standard output; a reader that has gone away ends the program quietly.
pub fn print(text: &str) -> bool {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_ok()
}
