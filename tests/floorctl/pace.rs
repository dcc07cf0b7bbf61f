//! How often a vendor is asked in the end: `check` prints what results, not what was wished for.

use model::Vendor;
use simulator::Options;

use crate::support::{Desk, run};

async fn check(desk: &Desk, only: &[&str]) -> String {
    let mut all = vec!["check", "--timeout", "120s"];
    all.extend_from_slice(only);
    let output = run(desk.floorctl(&all)).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_prints_the_intervals_that_result_when_sources_share_a_limit() {
    let desk = Desk::open(Options::quiet(&[Vendor::Comm100])).await;
    let two = ["north", "south"].map(|id| desk.centre.source_toml(Vendor::Comm100, id)).join("\n");
    std::fs::write(desk.config(), two).unwrap();

    let alone = check(&desk, &["--only", "north"]).await;
    assert!(alone.contains("\tpolls rightnow 15s, queue 15s, agents 30s, today 2m, lookups 15m"), "{alone}");
    assert!(!alone.contains("share"), "{alone}");

    let both = check(&desk, &[]).await;
    assert_eq!(both.lines().count(), 2, "one line a source: {both}");
    for line in both.lines() {
        assert!(line.contains("(2 sources share 100 requests in 5m, so intervals are 1."), "{both}");
        assert!(!line.contains("rightnow 15s") && line.contains("\tpolls rightnow 1"), "{both}");
    }
}
