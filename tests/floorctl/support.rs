//! A contact centre, a configuration for it, and the program run against it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, TryRecvError},
    time::{Duration, Instant},
};

use model::Vendor;
use serde_json::Value;
use simulator::{Options, Running};

/// The canary: what is accepted as every source's secret here, and must never be seen again.
pub const SECRET: &str = "fake-canary-4f1d9c-secret";

/// How long anything may take on a machine with much else to do. No test waits it out: each waits for what it
/// wants to see, and the time is only there to end one that waits in vain.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The same for the program, which waits this long for its sources.
const PATIENT: [&str; 2] = ["--timeout", "120s"];

/// A contact centre with a configuration file for it.
pub struct Desk {
    pub centre: Running,
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub async fn open(options: Options) -> Self {
        let centre = simulator::start(options).await.expect("the contact centre starts on free ports");
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("floorwalker.toml"), centre.config_toml())
            .expect("the configuration");
        Self { centre, folder }
    }
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("floorwalker.toml")
    }
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
    /// The program with the configuration, the secrets, and nothing of this machine.
    pub fn floorctl(&self, args: &[&str]) -> Command {
        let mut command = floorctl(self.folder.path());
        command.arg("--config").arg(self.config()).arg("--data").arg(self.data()).args(args);
        for vendor in Vendor::ALL {
            command.env(simulator::secret_env(vendor), SECRET);
        }
        command
    }
    /// Runs it to its end and reads the document. Waits for all sources unless another time is given.
    pub async fn snapshot(&self, args: &[&str]) -> (i32, Value) {
        let mut all = vec!["snapshot", "--json"];
        if !args.contains(&"--timeout") {
            all.extend(PATIENT);
        }
        all.extend_from_slice(args);
        let output = run(self.floorctl(&all)).await;
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let document = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
        (output.status.code().expect("it ended by itself"), document)
    }
    /// Watches until the test ends it.
    pub fn watch(&self, args: &[&str]) -> Watching {
        let mut all = vec!["watch", "--json"];
        all.extend(PATIENT);
        all.extend_from_slice(args);
        Watching::start(self.floorctl(&all))
    }
}

/// The program with an empty home.
pub fn floorctl(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floorctl"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end without blocking the contact centre in this process.
pub async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("the program starts")).await.expect("it ran")
}

/// A running program whose lines of JSON are read as they come.
pub struct Watching {
    child: Child,
    lines: Receiver<Value>,
    pub seen: Vec<Value>,
}

impl Watching {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let out = child.stdout.take().expect("a pipe");
        let (to, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            use std::io::BufRead;
            for line in std::io::BufReader::new(out).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
                if to.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }
    /// Waits until a line fits; fails with what was seen when none does in time.
    pub async fn until(&mut self, what: &str, mut fits: impl FnMut(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            match self.lines.try_recv() {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                    continue;
                }
                Err(TryRecvError::Disconnected) => panic!("it ended before {what}; seen {:#?}", self.seen),
                Err(TryRecvError::Empty) => {}
            }
            assert!(started.elapsed() < PATIENCE, "no line in {PATIENCE:?}: {what}; seen {:#?}", self.seen);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    /// The first document.
    pub async fn first(&mut self) -> Value {
        self.until("the first document", |line| line["type"] == "snapshot").await
    }
    /// The first document with everything that was said after it.
    pub fn floor(&self) -> Value {
        let mut floor = Value::Null;
        let put = |rows: &mut Value, row: &Value| {
            let rows = rows.as_array_mut().expect("a list");
            let same = |r: &Value| r["source"] == row["source"] && r["id"] == row["id"];
            match rows.iter().position(same) {
                Some(at) => rows[at] = row.clone(),
                None => rows.push(row.clone()),
            }
        };
        for line in &self.seen {
            if line["type"] == "snapshot" {
                floor = line.clone();
            }
            for (kind, rows) in line["upserts"].as_object().into_iter().flatten() {
                rows.as_array().expect("a list").iter().for_each(|row| put(&mut floor[kind], row));
            }
            for (kind, gone) in line["removes"].as_object().into_iter().flatten() {
                let gone = |r: &Value| {
                    let same = |g: &Value| g["source"] == r["source"] && g["id"] == r["id"];
                    gone.as_array().is_some_and(|gone| gone.iter().any(same))
                };
                floor[kind].as_array_mut().expect("a list").retain(|row| !gone(row));
            }
            if line["type"] == "health" {
                put(&mut floor["sources"], &line["source"]);
            }
        }
        for kind in ["queues", "agents", "conversations"] {
            let place = |r: &Value| (r["source"].to_string(), r["id"].to_string());
            if let Some(rows) = floor[kind].as_array_mut() {
                rows.sort_by_key(place);
            }
        }
        floor
    }
    /// Lines that have come since the last look.
    pub fn news(&mut self) -> Vec<Value> {
        let news: Vec<Value> = self.lines.try_iter().collect();
        self.seen.extend_from_slice(&news);
        news
    }
    /// Asks it to end, as a person at the terminal does; gives all lines.
    pub async fn stop(self) -> Vec<Value> {
        // The shell's own word, since a machine may lack the program of that name.
        let words = format!("kill -TERM {}", self.child.id());
        let asked = Command::new("sh").args(["-c", &words]).status().expect("a shell");
        assert!(asked.success(), "it still runs");
        let (code, lines) = self.finish().await;
        assert_eq!(code, 130, "it left politely");
        lines
    }
    /// Ends when the program does; gives its exit code and all lines.
    pub async fn finish(mut self) -> (i32, Vec<Value>) {
        let status = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().expect("it ends");
            while let Ok(line) = self.lines.recv() {
                self.seen.push(line);
            }
            (status.code().unwrap_or(-1), std::mem::take(&mut self.seen))
        });
        status.await.expect("it ended")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The row with an id.
pub fn row<'a>(document: &'a Value, kind: &str, id: &str) -> &'a Value {
    let rows = document[kind].as_array().unwrap_or_else(|| panic!("{kind} is a list"));
    rows.iter().find(|r| r["id"] == id).unwrap_or_else(|| panic!("{kind} has {id}: {rows:#?}"))
}
