//! A contact centre behind bad lines, a configuration for it, and the program run against both.

use std::{
    collections::BTreeMap,
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, TryRecvError, channel},
    time::{Duration, Instant},
};

use libtest_mimic::{Failed, Trial};
use model::Vendor;
use serde_json::Value;
use simulator::{Control, Options, Relay, Running};

/// What stands for every source's secret here, and must never be seen again. Obviously none.
pub const SECRET: &str = "fake-canary-77ab2e-secret";

/// How long anything may take on a machine with much else to do. No case waits it out: each waits for what it
/// wants to see, and the time is only there to end one that waits in vain. In what time a loss must show is held
/// by the tests of a line's signs of life in `link`, where no other program takes some of it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Seconds, since every case has some.
pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Whether the long forms were asked for.
pub fn long() -> bool {
    std::env::var_os("FLOORWALKER_LONG").is_some()
}

/// One case with a small runtime of its own.
pub fn case<F>(name: &'static str, play: fn() -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|e| Failed::from(e.to_string()))?;
        runtime.block_on(play());
        // What a case left running ends with it.
        runtime.shutdown_background();
        Ok(())
    })
}

/// Cases by the names of their functions.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => { vec![$($crate::stand::case(stringify!($name), $name)),*] };
}

/// A contact centre with a configuration file for it.
pub struct Stand {
    pub centre: Running,
    pub folder: tempfile::TempDir,
    relays: BTreeMap<Vendor, Relay>,
}

impl Stand {
    /// A quiet floor of these vendors: nothing happens but what the case does. Every vendor is reached
    /// through a relay.
    pub async fn quiet(vendors: &[Vendor]) -> Self {
        Self::open(Options::quiet(vendors)).await
    }
    pub async fn open(options: Options) -> Self {
        let centre = simulator::start(options).await.expect("the contact centre starts on free ports");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut relays = BTreeMap::new();
        for vendor in centre.control().vendors() {
            let to = centre.address(vendor).expect("it is served");
            relays.insert(vendor, Relay::open(to).await.expect("a free port"));
        }
        let stand = Self { centre, folder, relays };
        let text = stand.centre.config_toml();
        stand.configure(&stand.through_relays(text));
        stand
    }
    /// A configuration with the relays' addresses for the servers'.
    pub fn through_relays(&self, mut text: String) -> String {
        for (vendor, relay) in &self.relays {
            let to = self.centre.address(*vendor).expect("it is served");
            text = text.replace(&to.to_string(), &relay.address().to_string());
        }
        text
    }
    /// Writes the configuration; the demo's rules stay out, so that what is printed is of the sources.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.config(), format!("default_alerts = false\n\n{text}"))
            .expect("the configuration");
    }
    /// Adds keys to every source.
    pub fn with(self, lines: &str) -> Self {
        let text = self.through_relays(self.centre.config_toml());
        self.configure(&text.replace("[[source]]\n", &format!("[[source]]\n{lines}\n")));
        self
    }
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("floorwalker.toml")
    }
    pub fn control(&self) -> Control {
        self.centre.control()
    }
    pub fn relay(&self, vendor: Vendor) -> &Relay {
        &self.relays[&vendor]
    }
    /// The first queue of a vendor.
    pub fn queue(&self, vendor: Vendor) -> String {
        self.control().queues(vendor).expect("it is served")[0].0.to_string()
    }
    /// So many customers come to the vendor's first queue.
    pub fn arrivals(&self, vendor: Vendor, n: usize) {
        let queue = self.queue(vendor);
        for _ in 0..n {
            self.control().customer_arrives(vendor, &queue).expect("somebody comes");
        }
    }
    /// The program with the configuration, the secrets, and nothing of this machine.
    pub fn floorctl(&self, args: &[&str]) -> Command {
        let mut command = floorctl(&self.folder);
        command.arg("--config").arg(self.config()).arg("--data").arg(self.folder.path().join("data"));
        command.args(args);
        command
    }
    /// Watches until the case ends.
    pub fn watch(&self) -> Watch {
        self.watch_with(&[])
    }
    /// Watches sources that will not become live: the first document does not wait for them.
    pub fn watch_in_vain(&self) -> Watch {
        self.watch_with(&["--timeout", "1s"])
    }
    pub fn watch_with(&self, args: &[&str]) -> Watch {
        let mut all = vec!["watch", "--json", "--log-level", "debug"];
        all.extend_from_slice(args);
        Watch::start(self.floorctl(&all), self.folder.path().join("stderr.txt"))
    }
    /// One document and the exit code.
    pub async fn snapshot(&self, args: &[&str]) -> (i32, Value) {
        let mut all = vec!["snapshot", "--json", "--log-level", "debug"];
        all.extend_from_slice(args);
        document(run(self.floorctl(&all)).await)
    }
}

/// The program in an empty home, with the canary as every vendor's secret.
pub fn floorctl(home: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_floorctl"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    for vendor in Vendor::ALL {
        command.env(simulator::secret_env(vendor), SECRET);
    }
    command
}

/// Runs a program to its end without blocking the contact centre in this process.
pub async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("the program starts")).await.expect("it ran")
}

/// What a finished program printed; it neither broke nor told a secret.
pub fn document(output: Output) -> (i32, Value) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    tells_nothing(&out, "standard output");
    tells_nothing(&err, "standard error");
    let document = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}\n{err}"));
    (output.status.code().expect("it ended by itself"), document)
}

/// No secret, no token of a vendor, no panic.
pub fn tells_nothing(text: &str, place: &str) {
    assert!(!text.contains(SECRET), "the secret stands in {place}");
    assert!(!text.contains("eyJh"), "a token stands in {place}");
    assert!(!text.contains("panicked at"), "{place}: {text}");
}

/// The running program, its lines folded into the floor as it shows it.
pub struct Watch {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    /// The first document with all changes applied.
    pub floor: Value,
    /// Every line, in order.
    pub seen: Vec<Value>,
}

const KINDS: [&str; 4] = ["queues", "agents", "conversations", "totals"];

impl Watch {
    fn start(mut command: Command, log: PathBuf) -> Self {
        let err = std::fs::File::create(&log).expect("a log");
        let mut child = command.stdout(Stdio::piped()).stderr(err).spawn().expect("the program starts");
        let out = child.stdout.take().expect("a pipe");
        let (to, lines) = channel();
        std::thread::spawn(move || {
            use std::io::BufRead;
            for line in std::io::BufReader::new(out).lines().map_while(Result::ok) {
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, log, floor: Value::Null, seen: Vec::new() }
    }
    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
    /// The next line, if one is there; the program must still run.
    fn next(&mut self) -> Option<String> {
        match self.lines.try_recv() {
            Ok(line) => Some(line),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the program ended: {}", self.log()),
        }
    }
    /// Takes in what is there.
    pub fn catch_up(&mut self) {
        while let Some(line) = self.next() {
            self.take(&line);
        }
    }
    /// Reads on until this holds of the floor; fails with what was seen when it does not in time.
    pub async fn until(&mut self, limit: Duration, what: &str, holds: impl Fn(&Watch) -> bool) {
        let started = Instant::now();
        loop {
            while let Some(line) = self.next() {
                self.take(&line);
                if !self.floor.is_null() && holds(self) {
                    return;
                }
            }
            if !self.floor.is_null() && holds(self) {
                return;
            }
            assert!(started.elapsed() < limit, "not within {limit:?}: {what}; {}", self.story());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    /// The first document.
    pub async fn first(&mut self) {
        self.until(PATIENCE, "the first document", |_| true).await;
    }
    /// Until a source's health is one of these; the source then.
    pub async fn health(&mut self, source: &str, wanted: &[&str]) -> Value {
        let what = format!("{source} {wanted:?}");
        self.until(PATIENCE, &what, |w| wanted.contains(&w.source(source)["health"].as_str().unwrap_or("")))
            .await;
        self.source(source).clone()
    }
    /// Until a source has said one of these since so many lines were seen; the source as it was then. By now it
    /// may be well again.
    pub async fn said(&mut self, source: &str, since: usize, wanted: &[&str]) -> Value {
        let fits = |l: &&Value| {
            l["type"] == "health"
                && l["source"]["id"] == source
                && wanted.contains(&l["source"]["health"].as_str().unwrap_or(""))
        };
        let what = format!("{source} said {wanted:?}");
        self.until(PATIENCE, &what, |w| w.seen[since..].iter().any(|l| fits(&l))).await;
        self.seen[since..].iter().find(fits).map(|l| l["source"].clone()).unwrap_or_default()
    }
    /// Until a source that never became live says why, in words that hold this; the sentence.
    pub async fn refused(&mut self, source: &str, says: &str) -> String {
        let told = |w: &Watch| {
            assert_ne!(w.source(source)["health"], "live", "{source}");
            w.source(source)["last_error"].as_str().is_some_and(|e| e.contains(says))
        };
        self.until(PATIENCE, &format!("{source} says `{says}`"), told).await;
        self.source(source)["last_error"].as_str().unwrap_or_default().to_owned()
    }
    /// Until a source that was live is not; the source then. Says why in words.
    pub async fn lost(&mut self, vendor: Vendor) -> Value {
        let source = self.health(vendor.as_str(), &["stale", "retrying", "throttled"]).await;
        assert!(source["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{source:#}");
        source
    }
    /// The same of what was done when so many lines were seen, also when the source is back already.
    pub async fn was_lost(&mut self, vendor: Vendor, since: usize) -> Value {
        let source = self.said(vendor.as_str(), since, &["stale", "retrying", "throttled"]).await;
        assert!(source["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{source:#}");
        source
    }
    /// Until a source is live and its floor is the true one, field by field.
    pub async fn converges(&mut self, stand: &Stand, vendor: Vendor, limit: Duration) {
        let started = Instant::now();
        loop {
            self.catch_up();
            let wrong = if self.source(vendor.as_str())["health"] == "live" {
                crate::oracle::difference(&self.floor, vendor, &stand.centre.truth(vendor))
            } else {
                Some("not live".to_owned())
            };
            let Some(wrong) = wrong else { return };
            let id = vendor.as_str();
            assert!(started.elapsed() < limit, "{id} not true within {limit:?}: {wrong}; {}", self.story());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    /// A source as it stands.
    pub fn source(&self, id: &str) -> &Value {
        self.row("sources", id, id).unwrap_or(&Value::Null)
    }
    fn row(&self, kind: &str, source: &str, id: &str) -> Option<&Value> {
        self.floor[kind]
            .as_array()?
            .iter()
            .find(|r| (kind == "sources" || r["source"] == source) && (r["id"] == id || kind == "totals"))
    }
    /// Rows of a source.
    pub fn rows(&self, kind: &str, source: &str) -> Vec<&Value> {
        self.floor[kind].as_array().into_iter().flatten().filter(|r| r["source"] == source).collect()
    }
    /// How often a source said this health.
    pub fn times(&self, source: &str, health: &str) -> usize {
        let said = |l: &&Value| l["type"] == "health" && l["source"]["id"] == source;
        let mut last = "";
        let mut n = 0;
        for line in self.seen.iter().filter(said) {
            let now = line["source"]["health"].as_str().unwrap_or("");
            n += usize::from(now == health && last != health);
            last = now;
        }
        n
    }
    /// Whether no line since so many were seen is about this source: it was not touched.
    pub fn untouched(&self, vendor: Vendor, since: usize) {
        let id = vendor.as_str();
        let about = |l: &&Value| l["type"] == "health" && l["source"]["id"] == id;
        let lines: Vec<_> = self.seen[since..].iter().filter(about).collect();
        assert!(lines.is_empty(), "{id} was touched: {lines:#?}");
    }
    /// No row was taken away, none shown as ended: what a fault of the line must never do.
    pub fn nothing_ended(&self) {
        self.rows_went_only(|_| false);
    }
    /// The same of a line that was bad for so long that a part could fail alone for three of its intervals:
    /// its rows are then no longer shown, and the part is named as a gap.
    pub fn nothing_ended_but_for_gaps(&self) {
        self.rows_went_only(|source| source["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty()));
    }
    /// Rows went only of sources of which this held, and no conversation ended.
    fn rows_went_only(&self, may: impl Fn(&Value) -> bool) {
        let mut sources: BTreeMap<&str, &Value> = BTreeMap::new();
        for line in &self.seen {
            if line["type"] == "health" {
                sources.insert(line["source"]["id"].as_str().unwrap_or(""), &line["source"]);
            }
            let gone = line["removes"].as_object().into_iter().flatten();
            for row in gone.filter_map(|(_, rows)| rows.as_array()).flatten() {
                let source = sources.get(row["source"].as_str().unwrap_or(""));
                assert!(source.is_some_and(|s| may(s)), "a fault took rows away: {source:?} {line:#}");
            }
            let rows = line["upserts"]["conversations"].as_array();
            let ended = rows.into_iter().flatten().any(|c| c["state"] == "ended");
            assert!(!ended, "a fault ended a conversation: {line:#}");
        }
    }
    /// What went to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
    fn story(&self) -> String {
        let tail = |text: String, n: usize| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(n)..].join("\n")
        };
        let lines = self.seen[self.seen.len().saturating_sub(12)..].iter();
        let lines: Vec<String> = lines.map(|l| l.to_string().chars().take(600).collect()).collect();
        format!(
            "sources {:#}; last lines:\n{}\nlog:\n{}",
            self.floor["sources"],
            lines.join("\n"),
            tail(self.log(), 15)
        )
    }
    fn take(&mut self, line: &str) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        tells_nothing(&line.to_string(), "a line");
        match line["type"].as_str().unwrap_or("") {
            "snapshot" => self.floor = line.clone(),
            "health" => {
                let source = line["source"].clone();
                let id = source["id"].as_str().unwrap_or("").to_owned();
                self.put("sources", &id, &id, Some(source));
            }
            "change" => {
                for kind in KINDS {
                    for row in line["upserts"][kind].as_array().into_iter().flatten() {
                        let (source, id) =
                            (row["source"].as_str().unwrap_or(""), row["id"].as_str().unwrap_or(""));
                        self.put(kind, source, id, Some(row.clone()));
                    }
                    for row in line["removes"][kind].as_array().into_iter().flatten() {
                        let (source, id) =
                            (row["source"].as_str().unwrap_or(""), row["id"].as_str().unwrap_or(""));
                        self.put(kind, source, id, None);
                    }
                }
            }
            _ => {}
        }
        self.seen.push(line);
    }
    fn put(&mut self, kind: &str, source: &str, id: &str, row: Option<Value>) {
        let Some(rows) = self.floor[kind].as_array_mut() else { return };
        let place = rows.iter().position(|r| {
            (kind == "sources" || r["source"] == source) && (r["id"] == id || kind == "totals")
        });
        match (place, row) {
            (Some(place), Some(row)) => rows[place] = row,
            (Some(place), None) => drop(rows.remove(place)),
            (None, Some(row)) => rows.push(row),
            (None, None) => panic!("{kind} {id} was removed and never there"),
        }
    }
    /// Ends the program; it was still running, and what it wrote holds no secret.
    pub fn end(mut self) {
        assert!(matches!(self.child.try_wait(), Ok(None)), "the program ended: {}", self.log());
        let _ = self.child.kill();
        let _ = self.child.wait();
        tells_nothing(&self.log(), "the log");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server on loopback that hands each connection to `serve`; it ends with the case.
pub async fn listen<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(tokio::net::TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A WebSocket frame as a server sends it, with this first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..=125 => bytes.push(n as u8),
        n @ 126..=65_535 => {
            bytes.push(126);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(127);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}
