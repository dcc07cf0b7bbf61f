use model::Vendor;
use serde_json::json;
use simulator::Options;

use crate::support::{Desk, row};

#[tokio::test(flavor = "multi_thread")]
async fn every_source_is_live_and_shows_the_true_floor() {
    let desk = Desk::open(Options::default()).await;
    desk.centre.control().pause();
    let (code, document) = desk.snapshot(&[]).await;
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["contract"], 1);
    let sources = document["sources"].as_array().unwrap();
    assert!(sources.len() >= 2, "{document:#}");
    for vendor in Vendor::ALL.into_iter().filter(|v| sources.iter().any(|s| s["id"] == v.as_str())) {
        let source = row(&document, "sources", vendor.as_str());
        assert_eq!(source["health"], "live", "{source:#}");
        let truth = desk.centre.truth(vendor);
        let of = |kind: &str| -> Vec<String> {
            let rows = document[kind].as_array().unwrap();
            rows.iter()
                .filter(|r| r["source"] == vendor.as_str())
                .map(|r| r["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let ids = |ids: Vec<&model::Id>| -> Vec<String> { ids.iter().map(ToString::to_string).collect() };
        assert_eq!(of("queues"), ids(truth.queues.iter().map(|q| &q.id).collect()), "{vendor:?} queues");
        assert_eq!(of("agents"), ids(truth.agents.iter().map(|a| &a.id).collect()), "{vendor:?} agents");
        assert_eq!(
            of("conversations"),
            ids(truth.conversations.iter().map(|c| &c.id).collect()),
            "{vendor:?} conversations"
        );
        for queue in &truth.queues {
            let rows = document["queues"].as_array().unwrap();
            let shown = rows.iter().find(|r| r["source"] == vendor.as_str() && r["id"] == *queue.id).unwrap();
            assert_eq!(shown["name"], queue.name.as_str());
            assert_eq!(shown["waiting"], json!(queue.waiting), "{vendor:?} {shown:#}");
        }
        for agent in &truth.agents {
            let rows = document["agents"].as_array().unwrap();
            let shown = rows.iter().find(|r| r["source"] == vendor.as_str() && r["id"] == *agent.id).unwrap();
            assert_eq!(shown["presence"], json!(agent.presence), "{vendor:?} {shown:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_takes_one_source_and_a_lost_one_gives_exit_three() {
    let desk = Desk::open(Options::quiet(&[Vendor::Comm100, Vendor::Pingstreams])).await;
    desk.centre.control().down(Vendor::Comm100).unwrap();
    let (code, document) = desk.snapshot(&["--only", "pingstreams"]).await;
    assert_eq!(code, 0);
    assert_eq!(document["sources"].as_array().unwrap().len(), 1);
    let (code, document) = desk.snapshot(&["--timeout", "3s"]).await;
    assert_eq!(code, 3);
    let lost = row(&document, "sources", "comm100");
    assert_ne!(lost["health"], "live");
    assert!(lost["last_error"].as_str().is_some_and(|s| !s.is_empty()), "{lost:#}");
    assert_eq!(row(&document, "sources", "pingstreams")["health"], "live");
}
