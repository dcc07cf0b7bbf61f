use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Options;

use crate::support::{Desk, PATIENCE, SECRET, row, run};

async fn ask(desk: &Desk, args: &[&str]) -> (i32, String, String) {
    let output = run(desk.floorctl(args)).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_what_was_seen_then_also_while_it_is_being_written() {
    let desk = Desk::open(Options { speed: 10.0, ..Options::default() }).await;
    let mut watching = desk.watch(&["--record", "--only", "pingstreams"]);
    let first = watching.first().await;
    let change = watching.until("a change of a queue", |l| !l["upserts"]["queues"].is_null()).await;
    let at = change["at"].as_str().unwrap();
    written(&desk, at, change["revision"].as_u64().unwrap()).await;

    let (code, out, err) = ask(&desk, &["history", "--json"]).await;
    assert_eq!(code, 0, "{err}");
    let history = json(&out);
    assert_eq!(history["counts"]["sources"], 1, "{history:#}");
    assert!(history["counts"]["queues"].as_u64().unwrap() > 0, "{history:#}");
    let from = history["from"].as_str().unwrap().to_owned();
    assert!(from.as_str() <= first["taken_at"].as_str().unwrap());

    let (code, out, err) = ask(&desk, &["replay", "--at", at, "--json"]).await;
    assert_eq!(code, 0, "{err}");
    let then = json(&out);
    assert_eq!((&then["contract"], then["taken_at"].as_str()), (&Value::from(1), Some(at)));
    // Two changes may bear the same instant; the floor then has both.
    let (shown, told) = (then["revision"].as_u64().unwrap(), change["revision"].as_u64().unwrap());
    assert!(shown >= told, "{shown} {told}");
    assert_eq!(then["sources"][0]["health"], "live");
    for queue in change["upserts"]["queues"].as_array().unwrap().iter().filter(|_| shown == told) {
        assert_eq!(row(&then, "queues", queue["id"].as_str().unwrap()), queue);
    }
    let mut keys: Vec<&String> = then.as_object().unwrap().keys().collect();
    keys.sort();
    let mut wanted: Vec<&String> = first.as_object().unwrap().keys().filter(|k| *k != "type").collect();
    wanted.sort();
    assert_eq!(keys, wanted);

    for (when, part) in [
        ("2020-01-01T00:00:00Z", "begins at"),
        ("2200-01-01T00:00:00Z", "has not come"),
        ("yesterday", "not an instant"),
    ] {
        let (code, out, err) = ask(&desk, &["replay", "--at", when, "--json"]).await;
        assert_eq!((code, out.as_str()), (2, ""), "{when}");
        assert!(err.contains(part), "{when}: {err}");
    }
    watching.stop().await;
    export(&desk, at, &from).await;
}

/// Until a change is on the disk.
async fn written(desk: &Desk, at: &str, revision: u64) {
    let started = Instant::now();
    loop {
        let (code, out, err) = ask(desk, &["replay", "--at", at, "--json"]).await;
        if code == 0 && json(&out)["revision"].as_u64() >= Some(revision) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{revision} at {at} is not written: {out} {err}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn export(desk: &Desk, at: &str, from: &str) {
    let out = desk.folder.path().join("then.json");
    let path = out.to_str().unwrap();
    let (code, stdout, err) = ask(desk, &["export", "--at", at, "--out", path]).await;
    assert_eq!((code, stdout.as_str()), (0, ""), "{err}");
    let (_, then, _) = ask(desk, &["replay", "--at", at, "--json"]).await;
    assert_eq!(json(&std::fs::read_to_string(&out).unwrap()), json(&then));

    let (code, _, err) = ask(desk, &["export", "--from", from, "--to", at, "--out", path]).await;
    assert_eq!(code, 0, "{err}");
    let lines = json(&std::fs::read_to_string(&out).unwrap());
    let types: Vec<&str> = lines.as_array().unwrap().iter().map(|l| l["type"].as_str().unwrap()).collect();
    assert_eq!(types[0], "snapshot");
    assert!(types.contains(&"change") && types.contains(&"health"), "{types:?}");

    let (code, _, err) =
        ask(desk, &["export", "--from", from, "--to", at, "--format", "csv", "--out", path]).await;
    assert_eq!(code, 0, "{err}");
    let csv = std::fs::read_to_string(&out).unwrap();
    assert!(csv.starts_with("at,change,entity,source,id,name,"), "{csv}");
    assert!(csv.contains(",is,queue,pingstreams,"), "{csv}");
    assert!(!csv.contains(SECRET));

    // Nothing is left beside it, and a place that cannot be written is a sentence.
    let left: Vec<_> = std::fs::read_dir(desk.folder.path())
        .unwrap()
        .filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().ends_with(".part"))
        .collect();
    assert!(left.is_empty());
    let (code, _, err) = ask(desk, &["export", "--at", at, "--out", "nowhere/at/all.json"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("cannot be written"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nobody_looked_nothing_is_shown_as_live() {
    let desk = Desk::open(Options::default()).await;
    for pause in [Duration::from_secs(2), Duration::ZERO] {
        let mut watching = desk.watch(&["--record", "--only", "pingstreams"]);
        let first = watching.first().await;
        assert_eq!(first["sources"][0]["health"], "live", "{first:#}");
        watching.stop().await;
        tokio::time::sleep(pause).await;
    }
    let (_, out, _) = ask(&desk, &["history", "--json"]).await;
    let history = json(&out);
    let gap = history["gaps"].as_array().unwrap().iter().find(|g| g["source"].is_null()).unwrap().clone();
    let ended: model::Timestamp = gap["ended"].as_str().unwrap().parse().unwrap();
    let inside = ended.minus(Duration::from_millis(500)).to_string();
    let (code, out, err) = ask(&desk, &["replay", "--at", &inside, "--json"]).await;
    assert_eq!(code, 0);
    assert_eq!(json(&out)["sources"][0]["health"], "stale", "{history:#}");
    assert!(err.contains("was not running"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_the_last_floor_is_not_shown_as_live() {
    let desk = Desk::open(Options::default()).await;
    let mut watching = desk.watch(&["--record", "--only", "pingstreams"]);
    watching.first().await;
    // Until it is on the disk, and while somebody writes, it is live.
    let health = || async {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = model::Timestamp::from_ms(now.as_millis() as i64).to_string();
        let (code, out, err) = ask(&desk, &["replay", "--at", &now, "--json"]).await;
        let health = (code == 0).then(|| json(&out)["sources"][0]["health"].clone());
        (health, err)
    };
    let started = Instant::now();
    while health().await.0 != Some(Value::from("live")) {
        assert!(started.elapsed() < PATIENCE, "{:?}", health().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Killed, without a chance to say so.
    drop(watching);
    let started = Instant::now();
    let err = loop {
        match health().await {
            (Some(health), err) if health == "stale" => break err,
            other => assert!(started.elapsed() < PATIENCE, "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(err.contains("recorded nothing since"), "{err}");
}
