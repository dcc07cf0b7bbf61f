//! `cargo verify`: everything CI runs, cheap things first, stopping at the first failure.

mod counts;
mod steps;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::run::{Done, run_into, target_dir};
use counts::Counts;

/// One run of all steps.
struct Verify {
    logs: PathBuf,
    /// An empty home for everything that is started, so that nothing of this machine's user counts.
    home: PathBuf,
    step: usize,
    log: PathBuf,
    counts: Counts,
    skipped: Vec<String>,
}

/// Runs the steps; words are names of steps to run alone.
pub fn verify(words: &[String]) -> Done {
    let started = Instant::now();
    let folder = target_dir()?.join("verify");
    let (logs, home) = (folder.join("logs"), folder.join("home"));
    for new in [&logs, &home] {
        let _ = fs::remove_dir_all(new);
        fs::create_dir_all(new).map_err(|e| format!("{}: {e}", new.display()))?;
    }
    let mut verify =
        Verify { log: logs.clone(), logs, home, step: 0, counts: Counts::default(), skipped: Vec::new() };
    let all = steps::ALL;
    if let Some(unknown) = words.iter().find(|w| !all.iter().any(|(name, ..)| name == w)) {
        let names: Vec<_> = all.iter().map(|(name, ..)| *name).collect();
        return Err(format!("there is no step `{unknown}`; the steps are {}", names.join(", ")));
    }
    for (name, what, step) in
        all.iter().filter(|(name, ..)| words.is_empty() || words.iter().any(|w| w == name))
    {
        verify.step(name, what, *step)?;
    }
    verify.skipped.iter().for_each(|line| println!("skipped: {line}"));
    println!("{} steps, {}, in {}", verify.step, verify.counts, span(started.elapsed()));
    Ok(())
}

impl Verify {
    fn step(&mut self, name: &str, what: &str, step: fn(&mut Self) -> Done) -> Done {
        self.step += 1;
        self.log = self.logs.join(format!("{:02}-{name}.log", self.step));
        let started = Instant::now();
        let done = step(self);
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let word = if done.is_ok() { "ok" } else { "FAILED" };
        println!("{name:<10} {what:<62} {word:<6} {}", span(started.elapsed()));
        self.counts.add(&text);
        for line in counts::skips(&text) {
            if !self.skipped.contains(&line) {
                self.skipped.push(line);
            }
        }
        done.map_err(|sentence| {
            // What failed comes last: whoever sees only the end of this sees the reason.
            let failed = counts::failures(&text);
            let lines = if failed.is_empty() { text.lines().collect() } else { failed };
            let tail = lines[lines.len().saturating_sub(120)..].join("\n");
            format!(
                "{tail}\n\nverify failed at `{name}`: {sentence}\nthe whole output: {}",
                self.log.display()
            )
        })
    }

    /// Runs a command with its output in this step's log.
    fn run(&self, command: &mut Command) -> Done {
        run_into(command, &self.log)
    }

    /// The same with an empty home.
    fn run_homeless(&self, command: &mut Command) -> Done {
        let old = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            if std::env::var_os(name).is_none() {
                command.env(name, old.join(folder));
            }
        }
        for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env(name, self.home.join(name.to_ascii_lowercase()));
        }
        self.run(command.env("HOME", &self.home))
    }

    fn skip(&mut self, what: impl Into<String>) {
        self.skipped.push(what.into());
    }

    /// What tests left in the empty home: they may write only into temporary folders.
    fn home_is_empty(&self) -> Done {
        let left: Vec<_> = fs::read_dir(&self.home)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path().display().to_string())
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("tests wrote outside temporary folders: {}", left.join(", ")))
        }
    }
}

fn span(time: Duration) -> String {
    match time.as_secs() {
        s if s >= 60 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{:.1}s", time.as_secs_f32()),
    }
}
