//! A conversation with a vendor is recorded, holds no secret, and played back it ends in the same state.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use model::Vendor;
use serde_json::{Value, json};
use simulator::{Options, Replay, Running};

use crate::support::{Desk, PATIENCE, SECRET, Watching, floorctl, run};

/// The tape of a source, which must be the only file of its folder.
fn tape(folder: &Path, source: &str) -> String {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(files, [format!("{source}.tape.jsonl").as_str()]);
    fs::read_to_string(folder.join(&files[0])).unwrap()
}

/// The configuration of a source with every address of the contact centre replaced.
fn elsewhere(centre: &Running, vendor: Vendor, replay: &Replay) -> String {
    let here = centre.address(vendor).unwrap().to_string();
    centre.source_toml(vendor, vendor.as_str()).replace(&here, &replay.address().to_string())
}

/// What of a document must be the same: all but the moment of printing and what is counted from it.
fn state(document: &Value) -> Value {
    let mut kept = json!({});
    for kind in ["queues", "agents", "conversations", "totals"] {
        kept[kind] = without_moments(&document[kind]);
    }
    kept["sources"] = document["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| json!([s["id"], s["health"], s["gaps"]]))
        .collect();
    kept
}

fn without_moments(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !["longest_wait_s", "wait_s", "estimated_wait_s"].contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), without_moments(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_moments).collect(),
        other => other.clone(),
    }
}

/// The first place where two states differ; instants may differ by what a poll can be off.
fn difference(a: &Value, b: &Value, at: &str) -> Option<String> {
    let differ = || Some(format!("{at}: {a} / {b}"));
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            if x.keys().ne(y.keys()) {
                return differ();
            }
            x.iter().find_map(|(key, value)| difference(value, &y[key], &format!("{at}.{key}")))
        }
        (Value::Array(x), Value::Array(y)) => {
            if x.len() != y.len() {
                let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Value>();
                return Some(format!("{at}: {} / {}", ids(x), ids(y)));
            }
            x.iter().zip(y).enumerate().find_map(|(n, (x, y))| difference(x, y, &format!("{at}[{n}]")))
        }
        (Value::String(x), Value::String(y)) => match (x.parse::<model::Timestamp>(), y.parse()) {
            (Ok(x), Ok(y)) if x.since(y).max(y.since(x)).as_secs() <= 10 => None,
            _ if x == y => None,
            _ => differ(),
        },
        (Value::Number(x), Value::Number(y)) if at.ends_with("_s") => {
            let apart = x.as_f64().zip(y.as_f64()).is_some_and(|(x, y)| (x - y).abs() > 10.0);
            if apart { differ() } else { None }
        }
        _ if a == b => None,
        _ => differ(),
    }
}

/// The program that hears a tape in place of the vendor; the folder is its home.
fn hearing(centre: &Running, vendor: Vendor, replay: &Replay, folder: &Path, args: &[&str]) -> Command {
    let config = folder.join("floorwalker.toml");
    fs::write(&config, elsewhere(centre, vendor, replay)).unwrap();
    let mut command = floorctl(folder);
    // Any secret does: what the tape's client said is not on it.
    command.args(args).args(["--timeout", "120s"]);
    command.arg("--config").arg(&config).arg("--data").arg(folder.join("data"));
    command.env(simulator::secret_env(vendor), "another-fake-secret");
    command
}

fn document(output: &std::process::Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

async fn a_taped_snapshot_replayed_is_the_same(vendor: Vendor) {
    let desk = Desk::open(Options { vendors: vec![vendor], ..Options::default() }).await;
    desk.centre.control().pause();
    let folder = desk.folder.path().join("tapes");
    let folder_text = folder.display().to_string();
    let (code, first) = desk.snapshot(&["--tape", &folder_text, "--tape-text", "kept"]).await;
    assert_eq!(code, 0, "{first:#}");
    let tape = tape(&folder, vendor.as_str());
    assert!(!tape.contains(SECRET) && !tape.contains("canary"), "a secret is on the tape");
    assert!(tape.lines().count() > 2, "{tape}");
    let (replay, folder) = (Replay::start(&tape).await.unwrap(), tempfile::tempdir().unwrap());
    let output = run(hearing(&desk.centre, vendor, &replay, folder.path(), &["snapshot", "--json"])).await;
    let second = document(&output);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{:#} {}",
        second["sources"],
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!first["agents"].as_array().unwrap().is_empty());
    assert_eq!(difference(&state(&first), &state(&second), ""), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyondtrust_is_played_back() {
    a_taped_snapshot_replayed_is_the_same(Vendor::Beyondtrust).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn comm100_is_played_back() {
    a_taped_snapshot_replayed_is_the_same(Vendor::Comm100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn giosg_is_played_back() {
    a_taped_snapshot_replayed_is_the_same(Vendor::Giosg).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn liveperson_is_played_back() {
    a_taped_snapshot_replayed_is_the_same(Vendor::Liveperson).await;
}

/// The document after all changes, with its lists as maps.
fn folded(lines: &[Value]) -> Value {
    let mut rows: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    let key = |row: &Value| format!("{}", row["id"]);
    for line in lines {
        if line["type"] == "snapshot" {
            for kind in ["queues", "agents", "conversations"] {
                let of = line[kind].as_array().unwrap().iter().map(|row| (key(row), row.clone())).collect();
                rows.insert(kind.to_owned(), of);
            }
        }
        for (kind, upserts) in line["upserts"].as_object().into_iter().flatten() {
            let of = rows.entry(kind.clone()).or_default();
            for row in upserts.as_array().unwrap() {
                of.insert(key(row), row.clone());
            }
        }
        for (kind, removes) in line["removes"].as_object().into_iter().flatten() {
            for row in removes.as_array().unwrap() {
                rows.entry(kind.clone()).or_default().remove(&key(row));
            }
        }
    }
    rows.remove("totals");
    // One that is over is listed for a minute by our own clock.
    if let Some(conversations) = rows.get_mut("conversations") {
        conversations.retain(|_, row| row["state"] != "ended");
    }
    let lists = rows.into_iter().map(|(kind, of)| (kind, of.into_values().collect::<Value>()));
    without_moments(&lists.collect())
}

/// The floor moves while the tape is made, and the tape is masked, as it is by default.
async fn a_moving_floor_ends_in_the_same_state(vendor: Vendor) {
    let desk = Desk::open(Options { vendors: vec![vendor], ..Options::default() }).await;
    let control = desk.centre.control();
    control.pause();
    let folder = desk.folder.path().join("tapes");
    let folder_text = folder.display().to_string();
    let mut watching = desk.watch(&["--tape", &folder_text]);
    watching.first().await;
    let queue = control.queues(vendor).unwrap().swap_remove(0).0;
    let gone = control.conversations(vendor).unwrap().swap_remove(0);
    let came = control.customer_arrives(vendor, &queue).unwrap();
    control.ends(vendor, &gone, model::Outcome::Handled).unwrap();
    let (mut is_there, mut is_over) = (false, false);
    let both = |line: &Value| {
        for row in line["upserts"]["conversations"].as_array().into_iter().flatten() {
            is_there |= row["id"] == *came;
            is_over |= row["id"] == *gone && row["state"] == "ended";
        }
        is_over |= line["removes"]["conversations"].to_string().contains(&*gone);
        is_there && is_over
    };
    watching.until("one who came and one who went", both).await;
    // What the vendor tells of it besides.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let first = folded(&watching.stop().await);
    let tape = tape(&folder, vendor.as_str());
    assert!(!tape.contains(SECRET) && !tape.contains("canary"), "a secret is on the tape");
    // Names are other words there; everything that is counted, who is where and since when is the same.
    // A mean of waits that still run is of the moment when the last message came: it grows with the run.
    let bare = |state: &Value| {
        let words = [
            "name",
            "customer",
            "subject",
            "email",
            "channel",
            "started_via_label",
            "tags",
            "average_wait_s",
        ];
        without(state, &words)
    };
    let (replay, folder) = (Replay::start(&tape).await.unwrap(), tempfile::tempdir().unwrap());
    let hearing = hearing(&desk.centre, vendor, &replay, folder.path(), &["watch", "--json"]);
    let mut watching = Watching::start(hearing);
    watching.first().await;
    let started = Instant::now();
    // Until the whole tape was heard.
    while let Some(difference) = difference(&bare(&first), &bare(&folded(&watching.seen)), "") {
        assert!(started.elapsed() < PATIENCE, "{difference}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        watching.news();
    }
    let name = first["agents"][0]["name"].as_str().unwrap();
    assert!(name.len() > 2 && !tape.contains(name), "{name} is on the tape");
}

fn without(value: &Value, keys: &[&str]) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| !keys.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), without(value, keys)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| without(item, keys)).collect(),
        other => other.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moving_floor_is_played_back_beyondtrust() {
    a_moving_floor_ends_in_the_same_state(Vendor::Beyondtrust).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moving_floor_is_played_back_pingstreams() {
    a_moving_floor_ends_in_the_same_state(Vendor::Pingstreams).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_is_said_before_anything_starts() {
    let desk = Desk::open(Options::quiet(&[Vendor::Giosg])).await;
    let file = desk.config().join("x").display().to_string();
    let output = run(desk.floorctl(&["snapshot", "--tape", &file])).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--tape"));
    let output = run(desk.floorctl(&["snapshot", "--tape-text", "kept"])).await;
    assert_eq!(output.status.code(), Some(2), "text without a tape makes no sense");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_and_no_secret_of_any_vendor_is_on_a_tape() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let folder = desk.folder.path().join("tapes");
    let output =
        run(desk.floorctl(&["check", "--timeout", "120s", "--tape", &folder.display().to_string()])).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    for vendor in Vendor::ALL {
        let tape = fs::read_to_string(folder.join(format!("{}.tape.jsonl", vendor.as_str()))).unwrap();
        assert!(tape.lines().count() > 2, "{vendor:?}");
        assert!(!tape.contains(SECRET) && !tape.contains("canary"), "{vendor:?}: a secret is on the tape");
        let truth = desk.centre.truth(vendor);
        let people = truth.agents.iter().flat_map(|a| [Some(a.name.clone()), a.email.clone()]);
        let customers = truth.conversations.iter().flat_map(|c| [c.customer.clone(), c.subject.clone()]);
        for text in people.chain(customers).flatten().filter(|text| text.len() > 3) {
            assert!(!tape.contains(&text), "{vendor:?}: {text} is on the tape");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let file = fs::metadata(folder.join(format!("{}.tape.jsonl", vendor.as_str()))).unwrap();
            assert_eq!(file.permissions().mode() & 0o077, 0, "only its owner reads a tape");
        }
    }
}
