//! Thirty sources at once: six accounts of each vendor. One is slow, one refuses, one sends rubbish; the
//! others live, show the true floor, and nobody's limit is passed.

use std::{collections::BTreeSet, time::Duration};

use model::Vendor;
use serde_json::{Value, json};
use simulator::{Fault, Options, Running};

use crate::support::{SECRET, Watching, floorctl, row};

const ACCOUNTS: usize = 6;
/// Calls that a polled vendor allows here in a minute: what giosg's connector promises to stay within, and
/// less than the others' own limits leave.
const CALLS: (u32, Duration) = (60, Duration::from_secs(60));

fn id(vendor: Vendor, account: usize) -> String {
    format!("{}-{account}", vendor.as_str())
}

fn equals_truth(document: &Value, centre: &Running, vendor: Vendor, id: &str) {
    let truth = centre.truth_as(vendor, id);
    let of = |kind: &str| -> Vec<&Value> {
        document[kind].as_array().unwrap().iter().filter(|r| r["source"] == id).collect()
    };
    let queues: Vec<Value> = of("queues").iter().map(|q| json!([q["id"], q["name"], q["waiting"]])).collect();
    let true_queues: Vec<Value> = truth.queues.iter().map(|q| json!([q.id, q.name, q.waiting])).collect();
    assert_eq!(queues, true_queues, "{id}: queues");
    let agents: Vec<Value> =
        of("agents").iter().map(|a| json!([a["id"], a["name"], a["presence"]])).collect();
    let true_agents: Vec<Value> = truth.agents.iter().map(|a| json!([a.id, a.name, a.presence])).collect();
    assert_eq!(agents, true_agents, "{id}: agents");
    let rows = of("conversations");
    let conversations: Vec<Value> = rows.iter().map(|c| json!([c["id"], c["state"]])).collect();
    let true_conversations: Vec<Value> = truth.conversations.iter().map(|c| json!([c.id, c.state])).collect();
    assert_eq!(conversations, true_conversations, "{id}: conversations");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_sources_and_three_bad_ones() {
    let mut centres = Vec::new();
    let mut config = String::new();
    for account in 0..ACCOUNTS {
        let options = Options { seed: account as u64 + 1, ..Options::default() };
        let centre = simulator::start(options).await.unwrap();
        centre.control().pause();
        for vendor in Vendor::ALL {
            config.push_str(&centre.source_toml(vendor, &id(vendor, account)));
            config.push('\n');
        }
        for vendor in [Vendor::Comm100, Vendor::Giosg, Vendor::Liveperson] {
            centre.control().limit(vendor, Some(CALLS)).unwrap();
        }
        centres.push(centre);
    }
    let bad = [(Vendor::Giosg, 1), (Vendor::Comm100, 2), (Vendor::Liveperson, 3)];
    centres[1].control().fault(Vendor::Giosg, "*", Fault::Slow(Duration::from_secs(12))).unwrap();
    centres[2].control().require_secret(Vendor::Comm100, Some("another-fake-secret")).unwrap();
    let rubbish = r#"{"skills":{"1":{"currentQueueSize":"many"}},"agent":[[]],"chat":3}"#;
    centres[3].control().fault(Vendor::Liveperson, "*", Fault::Body(rubbish.to_owned())).unwrap();

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("floorwalker.toml"), config).unwrap();
    let mut command = floorctl(folder.path());
    command.arg("--config").arg(folder.path().join("floorwalker.toml"));
    command.arg("--data").arg(folder.path().join("data"));
    command.args(["watch", "--json", "--timeout", "1s"]);
    for vendor in Vendor::ALL {
        command.env(simulator::secret_env(vendor), SECRET);
    }
    let mut watching = Watching::start(command);
    let bad_ones = bad.map(|(vendor, account)| id(vendor, account));
    let come = |source: &Value| match bad_ones.iter().any(|bad| source["id"] == **bad) {
        true => source["last_error"].is_string(),
        false => source["health"] == "live",
    };
    let mut yet = BTreeSet::new();
    let all = |line: &Value| {
        let first = line["sources"].as_array().into_iter().flatten();
        for source in first.chain([&line["source"]]).filter(|s| s.is_object()) {
            let id = source["id"].as_str().unwrap_or_default().to_owned();
            if come(source) {
                yet.remove(&id)
            } else {
                yet.insert(id)
            };
        }
        yet.is_empty()
    };
    watching.until("thirty sources live or with a word of why not", all).await;
    let document = watching.floor();
    watching.stop().await;
    assert_eq!(document["sources"].as_array().unwrap().len(), 30);

    for (account, centre) in centres.iter().enumerate() {
        for vendor in Vendor::ALL {
            let id = id(vendor, account);
            let source = row(&document, "sources", &id);
            if bad.contains(&(vendor, account)) {
                assert_ne!(source["health"], "live", "{source:#}");
                let said =
                    source["last_error"].as_str().is_some_and(|s| !s.is_empty() && !s.contains("many"));
                assert!(said, "{source:#}");
                // Unknown is never shown as zero: what could not be read is no row.
                let of_it =
                    document["queues"].as_array().unwrap().iter().filter(|q| q["source"] == id.as_str());
                assert_eq!(of_it.count(), 0);
            } else {
                assert_eq!(source["health"], "live", "{source:#}");
                assert_eq!(source["gaps"], json!([]), "{source:#}");
                equals_truth(&document, centre, vendor, &id);
            }
            let counters = centre.control().counters(vendor).unwrap();
            assert_eq!(counters.over_limit, 0, "{id}: {counters:?}");
        }
    }
    assert_eq!(row(&document, "sources", "comm100-2")["health"], "denied");
}
