use std::time::Instant;

use model::{Timestamp, Vendor};
use serde_json::{Value, json};
use simulator::Options;

use crate::support::{Desk, row};

/// Fields that a client which only looks once cannot know as well as the floor does.
const OBSERVED: [&str; 2] = ["presence_since", "presence_since_kind"];

/// Holds a row against what is true: every field the same; less may be known, never something else. Figures
/// that run on may be off by the seconds of `slack`.
fn agrees(shown: &Value, truth: &Value, slack: f64, place: &str, wrong: &mut Vec<String>) {
    let instant = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    match (shown, truth) {
        (Value::Object(row), Value::Object(fields)) => {
            for (key, truth) in fields.iter().filter(|(key, _)| !OBSERVED.contains(&key.as_str())) {
                agrees(
                    row.get(key).unwrap_or(&json!("absent")),
                    truth,
                    slack,
                    &format!("{place} {key}"),
                    wrong,
                );
            }
        }
        (Value::Array(figures), Value::Array(truths)) if truths.iter().all(|t| t["metric"].is_string()) => {
            for truth in truths {
                let same = |f: &&Value| f["metric"] == truth["metric"] && f["window"] == truth["window"];
                let what = format!("{place} {}@{}", truth["metric"], truth["window"]);
                match figures.iter().find(same) {
                    Some(figure) => agrees(&figure["value"], &truth["value"], slack, &what, wrong),
                    None => wrong.push(format!("{what} is not there")),
                }
            }
        }
        (Value::Null, truth) if instant(truth).is_some() => {}
        (Value::Number(shown), Value::Number(truth)) => {
            let (shown, truth) = (shown.as_f64().unwrap_or(-1.0), truth.as_f64().unwrap_or(-2.0));
            let runs = truth > 60.0 || place.ends_with("_s") || place.contains("time");
            let slack = if runs { slack } else { 0.011 };
            if (shown - truth).abs() > slack {
                wrong.push(format!("{place}: {shown} is not {truth}"));
            }
        }
        _ => match (instant(shown), instant(truth)) {
            (Some(shown), Some(truth)) if shown.seconds_since(truth).abs() <= slack => {}
            _ if shown == truth => {}
            _ => wrong.push(format!("{place}: {shown} is not {truth}")),
        },
    }
}

/// Holds everything that a document shows of a vendor against the floor. `asked`: when the program was started.
fn compare(desk: &Desk, document: &Value, asked: Instant, vendor: Vendor, wrong: &mut Vec<String>) {
    // Durations run on from the answer in which they were told until the truth is looked at; instants made of
    // them are as good.
    let slack = 3.0 + asked.elapsed().as_secs_f64();
    let truth = serde_json::to_value(desk.centre.truth(vendor)).expect("the truth is JSON");
    for kind in ["queues", "agents", "conversations"] {
        let rows = document[kind].as_array().unwrap().iter().filter(|row| row["source"] == vendor.as_str());
        let shown: Vec<&Value> = rows.collect();
        let ids = |rows: &[&Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        let truths: Vec<&Value> = truth[kind].as_array().unwrap().iter().collect();
        if ids(&shown) != ids(&truths) {
            wrong.push(format!("{vendor:?} {kind}: {:?} are not {:?}", ids(&shown), ids(&truths)));
            continue;
        }
        for (shown, truth) in shown.iter().zip(truths) {
            agrees(shown, truth, slack, &format!("{vendor:?} {kind} {}", truth["id"]), wrong);
        }
    }
    let totals = document["totals"].as_array().unwrap().iter().find(|row| row["source"] == vendor.as_str());
    if let Some(truth) = truth["totals"].as_object() {
        let truth = json!({"source": vendor.as_str(), "windows": truth["windows"]});
        agrees(totals.unwrap_or(&Value::Null), &truth, slack, &format!("{vendor:?} totals"), wrong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_source_is_live_and_shows_the_true_floor() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let asked = Instant::now();
    let (code, document) = desk.snapshot(&[]).await;
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["contract"], 1);
    let mut wrong = Vec::new();
    for vendor in Vendor::ALL {
        let source = row(&document, "sources", vendor.as_str());
        assert_eq!((&source["health"], &source["gaps"]), (&json!("live"), &json!([])), "{source:#}");
        compare(&desk, &document, asked, vendor, &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_dialects_the_floor_is_the_true_one() {
    let mut wrong = Vec::new();
    for seed in 1..4 {
        let options = Options {
            beyondtrust: simulator::beyondtrust::Dialect::chaos(seed),
            comm100: simulator::comm100::Dialect::chaos(seed),
            giosg: simulator::giosg::Dialect::chaos(seed),
            liveperson: simulator::liveperson::Dialect::chaos(seed),
            pingstreams: simulator::pingstreams::Dialect::chaos(seed),
            ..Options::default()
        };
        let desk = Desk::open(options).await;
        desk.centre.control().pause();
        let asked = Instant::now();
        let (code, document) = desk.snapshot(&[]).await;
        for source in document["sources"].as_array().unwrap() {
            assert_eq!(source["health"], "live", "{seed}: {source:#}");
        }
        assert_eq!(code, 0, "{seed}");
        Vendor::ALL.into_iter().for_each(|vendor| compare(&desk, &document, asked, vendor, &mut wrong));
        assert!(wrong.is_empty(), "{seed}: {wrong:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_takes_one_source_and_a_lost_one_gives_exit_three() {
    let desk = Desk::open(Options::quiet(&[Vendor::Comm100, Vendor::Pingstreams])).await;
    desk.centre.control().down(Vendor::Comm100).unwrap();
    let (code, document) = desk.snapshot(&["--only", "pingstreams"]).await;
    assert_eq!(code, 0);
    assert_eq!(document["sources"].as_array().unwrap().len(), 1);
    let mut document = Value::Null;
    // The other one has the whole time; a machine with much else to do may need the longer one.
    for patience in ["3s", "60s"] {
        let code;
        (code, document) = desk.snapshot(&["--timeout", patience]).await;
        assert_eq!(code, 3);
        if row(&document, "sources", "pingstreams")["health"] == "live" {
            break;
        }
    }
    let lost = row(&document, "sources", "comm100");
    assert_ne!(lost["health"], "live");
    assert!(lost["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{lost:#}");
    assert_eq!(row(&document, "sources", "pingstreams")["health"], "live");
}
