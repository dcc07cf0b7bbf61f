use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::Options;

use crate::support::{Desk, PATIENCE, floorctl, run};

async fn rules(text: &str, args: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("floorwalker.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = floorctl(home.path());
    command.arg("--config").arg(&file).arg("--data").arg(home.path().join("data")).args(args);
    let output = run(command).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn sound_rules_are_counted() {
    let own = "[[alert]]\nname = \"Long wait here\"\nwhen = \"queue.longest_wait > 90s\"\n";
    let (code, out, err) = rules(own, &["rules", "check"]).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("1 of your own"), "{out}");
}

#[tokio::test]
async fn each_wrong_rule_is_shown_with_its_place_and_the_others_stay() {
    let text = "[[alert]]\nname = \"Typo\"\nwhen = \"queue.longest_wiat > 60s\"\n\n[[alert]]\nname = \"Fine\"\nwhen = \"queue.waiting > 3\"\n\n[[alert]]\nname = \"Fine\"\nwhen = \"queue.waiting > 4\"\n\n[[alert]]\nname = \"Stranger\"\nwhen = \"queue.waiting > 5\"\nnotify = [\"desktop\", \"webhook:nobody\"]\n";
    let (code, _, err) = rules(text, &["rules", "check"]).await;
    assert_eq!(code, 2);
    for part in [
        "line 3, alert `Typo`, key `when`",
        "queue.longest_wiat > 60s\n      ^^^^^^^^^^^^",
        "line 10, alert `Fine`, key `name`",
        "line 16, alert `Stranger`, key `notify`",
        "webhook:nobody\n^^^^^^^^^^^^^^",
        "3 errors",
    ] {
        assert!(err.contains(part), "{part}: {err}");
    }
    let (code, out, _) = rules(text, &["rules", "list", "--json"]).await;
    assert_eq!(code, 0);
    let listed: Value = serde_json::from_str(&out).unwrap();
    let names: Vec<&str> =
        listed["rules"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names.iter().filter(|n| **n == "Fine").count(), 1);
    assert!(names.contains(&"Stranger") && !names.contains(&"Typo"), "{names:?}");
    assert!(names.len() > 5, "the default rules are listed too: {names:?}");
}

/// Each stands with a good rule before and one after it, which stay active.
#[tokio::test]
async fn every_slip_has_a_sentence_and_a_caret_and_nothing_else_stops() {
    let million = format!("when = \"queue.waiting > {}\"", "9".repeat(1_000_000));
    for (wrong, sentence) in [
        ("when = \"queue.longest_wait > 60\"", "is a duration"),
        ("when = \"queue.waiting > 5%\"", "not a percentage"),
        ("when = \"queue.waiting > 5\"\nclear = \"queue.waiting < 9\"", "clear value must lie below"),
        ("when = \"queue.waiting > 5\"\nfor = \"ever\"", "key `for`"),
        ("when = \"queue.waiting > 5\"\nfor = 5", "must be text in quotes"),
        ("when = 5", "must be text in quotes"),
        ("for = \"5s\"", "key `when`: is missing"),
        (
            "when = \"queue.waiting > 5\"\nactive = [\"mon-fri 08:00-20:00\"]\nzone = \"Mars/Olympus\"",
            "no time zone",
        ),
        (million.as_str(), "key `when`"),
    ] {
        let rule = |name: &str, rest: &str| format!("[[alert]]\nname = \"{name}\"\n{rest}\n");
        let good = "when = \"queue.waiting > 3\"";
        let text = [rule("Before", good), rule("Wrong", wrong), rule("After", good)].join("\n");
        let (code, out, err) = rules(&text, &["rules", "check"]).await;
        assert_eq!(code, 2, "{err}");
        let shown: String = wrong.chars().take(80).collect();
        assert!(err.contains("alert `Wrong`") && err.contains(sentence), "{shown}: {err}");
        assert!(err.contains('^') && err.contains("1 error") && err.len() < 1000, "{shown}: {err}");
        assert!(out.contains("2 of your own"), "{shown}: {out}");
    }
}

#[tokio::test]
async fn a_listed_rule_has_every_value_filled_in() {
    let text = "default_alerts = false\n[[alert]]\nname = \"Own\"\nwhen = \"queue.waiting > 3\"\ncritical = \"queue.waiting > 9\"\nfor = \"90s\"\nscope = { queue = [\"a:*\"] }\nnotify = [\"tray\"]\n";
    let (code, out, err) = rules(text, &["rules", "list", "--json"]).await;
    assert_eq!(code, 0, "{err}");
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        listed["rules"],
        serde_json::json!([{
            "name": "Own", "default": false, "only_overrides": false, "subject": "queue",
            "when": "queue.waiting > 3", "critical": "queue.waiting > 9",
            "for": "90s", "for_s": 90.0, "clear": null, "keep": "30s", "keep_s": 30.0,
            "repeat": "5m", "repeat_s": 300.0, "min_n": null, "severity": "warning", "notify": ["tray"],
            "scope": { "source": null, "queue": ["a:*"], "group": null, "agent": null },
            "active": null, "zone": null, "overrides": 0,
        }])
    );
}

#[tokio::test]
async fn without_databases_the_past_is_a_sentence_not_an_empty_list() {
    for command in [&["alerts", "--json"][..], &["rules", "test", "--json"]] {
        let (code, out, err) = rules("", command).await;
        assert_eq!((code, out.as_str()), (2, ""), "{command:?}");
        assert!(err.contains("does not exist") && err.contains("--data"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_floor_is_tried_and_its_alerts_are_told_while_the_app_runs() {
    let desk = Desk::open(Options { speed: 20.0, ..Options::default() }).await;
    let rules = "default_alerts = false\n[[alert]]\nname = \"Somebody waits\"\nwhen = \"source.data_age >= 0s\"\n\n[[alert]]\nname = \"Never\"\nwhen = \"queue.waiting > 100000\"\n";
    let config = std::fs::read_to_string(desk.config()).unwrap();
    std::fs::write(desk.config(), format!("{rules}\n{config}")).unwrap();
    let only = ["--only", "pingstreams"];
    let mut watching = desk.watch(&["--record", only[0], only[1]]);
    watching.first().await;
    // The databases are open for writing while they are read.
    let started = Instant::now();
    let book = loop {
        let output = run(desk.floorctl(&["alerts", "--json"])).await;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let book: Value = serde_json::from_slice(&output.stdout).unwrap();
        if !book["alerts"].as_array().unwrap().is_empty() {
            break book;
        }
        assert!(started.elapsed() < PATIENCE, "{book:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(book["alerts"][0]["rule"], "Somebody waits", "{book:#}");
    assert_eq!(book["log"][0]["actor"], Value::Null);
    assert!(book["log"].as_array().unwrap().iter().any(|l| l["transition"] == "firing"), "{book:#}");
    // So that it has fired for longer than a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    watching.stop().await;

    let output = run(desk.floorctl(&["rules", "test", "--json"])).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sum =
        |name: &str| report["rules"].as_array().unwrap().iter().find(|r| r["rule"] == name).cloned().unwrap();
    assert_eq!(sum("Somebody waits")["times"], 1, "{report:#}");
    assert_eq!(sum("Never")["times"], 0);
    assert!(sum("Somebody waits")["longest_s"].as_f64().unwrap() > 1.0, "{report:#}");
    let output = run(desk.floorctl(&["rules", "test", "--rule", "Nobody"])).await;
    assert_eq!(output.status.code(), Some(2));
}
