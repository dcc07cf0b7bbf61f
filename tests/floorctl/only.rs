//! `--only` for the commands that read what was kept.

use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Options;

use crate::support::{Desk, PATIENCE, run};

async fn ask(desk: &Desk, args: &[&str]) -> (i32, String, String) {
    let output = run(desk.floorctl(args)).await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

async fn json(desk: &Desk, args: &[&str]) -> Value {
    let (code, out, err) = ask(desk, args).await;
    assert_eq!(code, 0, "{args:?}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}: {out}"))
}

/// Every source that a document names anywhere.
fn sources(of: &Value, into: &mut Vec<String>) {
    match of {
        Value::Array(all) => all.iter().for_each(|one| sources(one, into)),
        Value::Object(all) => {
            for (name, value) in all {
                match value.as_str() {
                    Some(id) if name == "source" && !into.iter().any(|known| known == id) => {
                        into.push(id.to_owned());
                    }
                    _ => sources(value, into),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_told_of_one_source_and_an_unknown_one_is_an_error() {
    let desk = Desk::open(Options::default()).await;
    let rule = "\n[[alert]]\nname = \"Always\"\nwhen = \"source.health == live\"\nfor = \"0s\"\n";
    let text = std::fs::read_to_string(desk.config()).unwrap();
    std::fs::write(desk.config(), format!("default_alerts = false\n{text}{rule}")).unwrap();
    let mut watching = desk.watch(&["--record"]);
    watching.first().await;
    let told = |document: &Value| {
        let mut told = Vec::new();
        sources(document, &mut told);
        told
    };
    let all_told = || async {
        let (code, out, _) = ask(&desk, &["alerts", "--json"]).await;
        code == 0 && told(&serde_json::from_str(&out).unwrap()).len() == 5
    };
    let started = Instant::now();
    // Until it is on the disk.
    let all = loop {
        let (code, out, err) = ask(&desk, &["history", "--json"]).await;
        let history: Value = if code == 0 { serde_json::from_str(&out).unwrap() } else { Value::Null };
        if history["counts"]["sources"] == 5
            && history["counts"]["queues"].as_u64() > Some(5)
            && all_told().await
        {
            break history;
        }
        assert!(started.elapsed() < PATIENCE, "{out} {err}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    watching.stop().await;
    let only = ["--only", "comm100"];
    let args = |more: &[&'static str]| -> Vec<&'static str> { [more, &only].concat() };

    let history = json(&desk, &args(&["history", "--json"])).await;
    assert_eq!(history["counts"]["sources"], 1, "{history:#}");
    assert!(history["counts"]["queues"].as_u64() < all["counts"]["queues"].as_u64(), "{history:#}");
    assert_eq!(told(&history), ["comm100"]);
    let alerts = json(&desk, &args(&["alerts", "--json"])).await;
    assert_eq!(told(&alerts), ["comm100"], "{alerts:#}");
    let trial = json(&desk, &args(&["rules", "test", "--json"])).await;
    assert_eq!(told(&trial), ["comm100"], "{trial:#}");

    let at = history["until"].as_str().unwrap();
    let file = desk.folder.path().join("one.json");
    let mut export = args(&["export"]);
    export.extend(["--at", at, "--out", file.to_str().unwrap()]);
    let (code, _, err) = ask(&desk, &export).await;
    assert_eq!(code, 0, "{err}");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(document["sources"].as_array().unwrap().len(), 1, "{document:#}");
    assert_eq!(told(&document), ["comm100"]);
    let mut replay = args(&["replay", "--json"]);
    replay.extend(["--at", at]);
    assert_eq!(json(&desk, &replay).await, document);
    let mut export = args(&["export"]);
    export.extend(["--from", history["from"].as_str().unwrap(), "--to", at, "--out", file.to_str().unwrap()]);
    assert_eq!(ask(&desk, &export).await.0, 0);
    let lines: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(told(&lines), ["comm100"]);

    let nowhere = desk.folder.path().join("nowhere.json");
    let nowhere = nowhere.to_str().unwrap();
    for command in [
        vec!["history"],
        vec!["alerts", "--json"],
        vec!["rules", "test"],
        vec!["rules", "list"],
        vec!["replay", "--at", at],
        vec!["export", "--at", at, "--out", nowhere],
        vec!["snapshot"],
    ] {
        let (code, out, err) = ask(&desk, &[&command[..], &["--only", "nope"]].concat()).await;
        assert_eq!((code, out.as_str()), (2, ""), "{command:?}");
        assert!(err.contains("has no source with the id `nope`; check --only"), "{command:?}: {err}");
    }
}
