//! Starts both programs in turn and stamps the moment they say that they painted.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Health, Id, Source, Timestamp, Vendor};
use serde_json::json;
use store::{Entity, FloorLog};

use crate::rows::{agent, conversation, queue};

/// Pairs, after one that warms the disk's cache.
const PAIRS: usize = 7;
const QUEUES: usize = 500;
const AGENTS: usize = 5_000;
const CONVERSATIONS: usize = 50_000;

/// What the app's page writes to the log once the first rows stand on the screen.
const PAINTED: &str = "first rows painted";

pub fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let (mut display, name) = display(folder.path());
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=PAIRS {
        let home = folder.path().join(format!("home{round}"));
        fs::create_dir_all(home.join("run")).unwrap();
        remember(&home.join("data"));
        // Nobody answers there: what is painted is what was remembered.
        let config = home.join("floorwalker.toml");
        fs::write(&config, CONFIG).unwrap();
        let mut app = Command::new(env!("CARGO_BIN_EXE_floorwalker"));
        app.args(["--log-level", "info", "--config"]).arg(&config).arg("--data").arg(home.join("data"));
        let app = painted(at_home(&mut app, &home, &name), PAINTED);
        let mut window = Command::new(std::env::current_exe().unwrap());
        let window = painted(at_home(window.arg("bare"), &home, &name), "painted");
        if round > 0 {
            ours.push(app.as_secs_f64());
            bare.push(window.as_secs_f64());
            ratios.push(app.as_secs_f64() / window.as_secs_f64());
        }
    }
    let _ = display.kill();
    let _ = display.wait();
    let row = json!({
        "row": "f1", "what": "cold start to the remembered floor on the screen, 50k conversations",
        "ours": median(&mut ours) * 1000.0, "peer": median(&mut bare) * 1000.0, "unit": "ms",
        "ratio": median(&mut ratios), "better": "lower", "gate": 1.6, "target": 1.25,
    });
    println!("{row}");
}

const CONFIG: &str = r#"[[source]]
id = "shop"
name = "Shop"
vendor = "comm100"
url = "http://127.0.0.1:9/v4"
site_id = 10000
email = "supervisor@example.com"
secret_env = "LADDER_SECRET"
"#;

fn at_home<'a>(command: &'a mut Command, home: &Path, display: &str) -> &'a mut Command {
    for (name, place) in
        [("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "share"), ("XDG_CACHE_HOME", "cache")]
    {
        command.env(name, home.join(place));
    }
    // The same web view for both, as the app would choose it: a plain renderer without a GPU.
    command.env("XDG_RUNTIME_DIR", home.join("run")).env("DISPLAY", display).env("LANG", "en_US.UTF-8");
    command.env("WEBKIT_DISABLE_DMABUF_RENDERER", "1").env("LADDER_SECRET", "fake-secret");
    command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:").env_remove("WAYLAND_DISPLAY").current_dir(home)
}

/// From the start of a program to the line that says it painted; then it is ended.
fn painted(command: &mut Command, word: &str) -> Duration {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let started = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer).spawn().unwrap();
    // The command holds its own copies of the pipe; without them the pipe ends with the program.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = BufReader::new(reader.by_ref()).lines();
    let found = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains(word)));
    let took = started.elapsed();
    let _ = child.kill();
    let _ = child.wait();
    assert!(found.is_some(), "{:?} ended without painting", command.get_program());
    took
}

fn display(folder: &Path) -> (Child, String) {
    let mut server = Command::new("Xvfb");
    server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    let noise = File::create(folder.join("display.log")).unwrap();
    let mut server = server.stdout(Stdio::piped()).stderr(noise).spawn().unwrap();
    let mut number = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut number).unwrap();
    (server, format!(":{}", number.trim()))
}

/// Writes the last floor of an earlier run.
fn remember(data: &Path) {
    fs::create_dir_all(data).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp::from_ms(now.as_millis() as i64 - 60_000);
    let shop = Id::new("shop");
    let source = Arc::new(Source {
        id: shop.clone(),
        vendor: Vendor::Comm100,
        name: "Shop".into(),
        health: Health::Live,
        health_since: now,
        last_data_at: Some(now),
        last_error: None,
        retry_at: None,
        clock_skew_s: None,
        gaps: Vec::new(),
        provides: Default::default(),
    });
    let queues = (0..QUEUES).map(|n| Entity::Queue(Arc::new(queue(&shop, n, now))));
    let agents = (0..AGENTS).map(|n| Entity::Agent(Arc::new(agent(&shop, n, now))));
    let conversations =
        (0..CONVERSATIONS).map(|n| Entity::Conversation(Arc::new(conversation(&shop, n, now))));
    let entities: Vec<Entity> = queues.chain(agents).chain(conversations).collect();
    let (mut log, _) = FloorLog::open(&data.join("floor.db")).unwrap();
    log.keyframe(&[source], &entities, now, 1);
    log.close(now).unwrap();
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
