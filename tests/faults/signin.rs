//! Group A: tokens and secrets that are refused, lost, mixed up or malformed.

use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;
use model::Vendor;
use simulator::{Fault, Options, Secrets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    cases,
    stand::{PATIENCE, SECRET, Stand, document, listen, run, secs},
};

/// Vendors that sell tokens for the secret.
const BUYERS: [Vendor; 3] = [Vendor::Beyondtrust, Vendor::Liveperson, Vendor::Pingstreams];

pub fn trials() -> Vec<Trial> {
    cases![
        a1_a3_tokens_refused_in_mid_life_are_bought_anew_once,
        a4_a_token_desk_that_fails_is_backed_off_from,
        a5_a7_a_secret_that_is_refused_is_tried_at_most_three_times_and_the_floor_stays,
        a6_one_part_refused_is_a_gap_and_the_rest_stays_live,
        a8_a_crash_between_two_tokens_leaves_nothing_and_signs_in_anew,
        a9_the_token_of_another_account_opens_nothing,
        a10_a_secret_cannot_write_headers,
        a10_a_token_of_four_kilobytes_is_carried,
    ]
}

fn requests(stand: &Stand, vendor: Vendor) -> u64 {
    stand.control().counters(vendor).unwrap().requests.values().sum()
}

async fn a1_a3_tokens_refused_in_mid_life_are_bought_anew_once() {
    let stand = Stand::quiet(&BUYERS).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in BUYERS {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    for vendor in BUYERS {
        let before = stand.control().counters(vendor).unwrap().tokens;
        stand.control().revoke_tokens(vendor).unwrap();
        // A push connection that is open goes on with what it was opened with: it must come anew.
        stand.relay(vendor).reset();
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
        let bought = stand.control().counters(vendor).unwrap().tokens - before;
        assert_eq!(bought, 1, "{vendor:?} bought {bought} tokens for one refusal");
    }
    watch.nothing_ended();
    watch.end();
}

async fn a4_a_token_desk_that_fails_is_backed_off_from() {
    for fault in [Fault::status(500, "{}"), Fault::Malformed] {
        let stand = Stand::quiet(&[Vendor::Beyondtrust]).await;
        stand.control().fault(Vendor::Beyondtrust, "token", fault).unwrap();
        let started = std::time::Instant::now();
        let mut watch = stand.watch_with(&["--timeout", "4s"]);
        watch.first().await;
        watch.refused("beyondtrust", "").await;
        let tries = stand.control().counters(Vendor::Beyondtrust).unwrap().of("token");
        let passed = started.elapsed();
        assert!((1..=11 + passed.as_secs()).contains(&tries), "{tries} tries in {passed:?}");
        stand.control().heal(Vendor::Beyondtrust).unwrap();
        watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
        watch.end();
    }
}

async fn a5_a7_a_secret_that_is_refused_is_tried_at_most_three_times_and_the_floor_stays() {
    let stand = Stand::quiet(&Vendor::ALL).await.with("poll = \"2s\"");
    let mut watch = stand.watch();
    for vendor in Vendor::ALL {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let rows = watch.floor["agents"].as_array().unwrap().len();
    for vendor in Vendor::ALL {
        // Regenerated: every token is void, and the old secret buys no new one.
        stand.control().require_secret(vendor, Some("fake-another-secret")).unwrap();
        stand.control().revoke_tokens(vendor).unwrap();
        stand.relay(vendor).reset();
    }
    for vendor in Vendor::ALL {
        let source = watch.health(vendor.as_str(), &["denied"]).await;
        assert!(source["last_error"].as_str().is_some_and(|e| !e.contains("fake-")), "{source:#}");
    }
    let before = Vendor::ALL.map(|v| requests(&stand, v));
    tokio::time::sleep(secs(5)).await;
    for (vendor, before) in Vendor::ALL.iter().zip(before) {
        let more = requests(&stand, *vendor) - before;
        assert!(more <= 3, "{vendor:?} went on knocking: {more} requests in 5 s");
    }
    assert_eq!(watch.floor["agents"].as_array().unwrap().len(), rows, "the old floor stays readable");
    watch.nothing_ended();
    watch.end();
}

async fn a6_one_part_refused_is_a_gap_and_the_rest_stays_live() {
    let vendors = [(Vendor::Comm100, "queue"), (Vendor::Giosg, "users"), (Vendor::Liveperson, "queuehealth")];
    let stand = Stand::quiet(&vendors.map(|(v, _)| v)).await;
    for (vendor, part) in vendors {
        stand.control().fault(vendor, part, Fault::status(403, "{\"detail\":\"no permission\"}")).unwrap();
    }
    let mut watch = stand.watch();
    for (vendor, part) in vendors {
        let source = watch.health(vendor.as_str(), &["live"]).await;
        assert!(source["gaps"].as_array().unwrap().iter().any(|g| g == part), "{source:#}");
        assert!(source["last_error"].is_string(), "{source:#}");
    }
    for (vendor, part) in vendors {
        let asked = stand.control().counters(vendor).unwrap().of(part);
        assert!(asked <= 2, "{vendor:?} asked {asked} times for what it may not see");
    }
    watch.end();
}

async fn a8_a_crash_between_two_tokens_leaves_nothing_and_signs_in_anew() {
    let stand = Stand::quiet(&BUYERS).await;
    for round in 1..=2 {
        let mut watch = stand.watch_with(&["--record"]);
        for vendor in BUYERS {
            watch.converges(&stand, vendor, PATIENCE).await;
            let tokens = stand.control().counters(vendor).unwrap().tokens;
            assert_eq!(tokens, round, "{vendor:?}: one sign-in for each start");
        }
        // Killed, not ended.
        watch.end();
    }
    let mut folders = vec![stand.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            for word in [SECRET.as_bytes(), b"eyJh"] {
                let found = bytes.windows(word.len()).any(|w| w == word);
                assert!(!found, "a secret or a token is left in {}", entry.path().display());
            }
        }
    }
}

async fn a9_the_token_of_another_account_opens_nothing() {
    let mut options = Options::quiet(&[Vendor::Comm100, Vendor::Giosg]);
    let right = [Vendor::Comm100, Vendor::Giosg].map(|v| (v, SECRET.to_owned()));
    options.secrets = Secrets::Exact(right.into());
    let stand = Stand::open(options).await;
    let mut text = stand.through_relays(stand.centre.config_toml());
    for vendor in [Vendor::Comm100, Vendor::Giosg] {
        let other = stand.centre.source_toml(vendor, &format!("other-{}", vendor.as_str()));
        text += &other.replace(&simulator::secret_env(vendor), "OTHER_ACCOUNT");
    }
    stand.configure(&text);
    let mut command = stand.floorctl(&["snapshot", "--json", "--timeout", "120s"]);
    command.env("OTHER_ACCOUNT", "fake-token-of-another-account");
    let (code, document) = document(run(command).await);
    assert_eq!(code, 3);
    for source in document["sources"].as_array().unwrap() {
        let id = source["id"].as_str().unwrap();
        let wanted = if id.starts_with("other-") { "denied" } else { "live" };
        assert_eq!(source["health"], wanted, "{source:#}");
    }
    for kind in ["queues", "agents", "conversations"] {
        let rows = document[kind].as_array().unwrap();
        let strange = rows.iter().find(|r| r["source"].as_str().unwrap().starts_with("other-"));
        assert!(strange.is_none(), "rows of an account that was refused: {strange:#?}");
    }
}

async fn a10_a_secret_cannot_write_headers() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let address = listen({
        let heard = heard.clone();
        move |mut stream| {
            let heard = heard.clone();
            async move {
                let mut bytes = [0; 4096];
                while let Ok(n @ 1..) = stream.read(&mut bytes).await {
                    heard.lock().unwrap().extend_from_slice(&bytes[..n]);
                    let answer = "HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n";
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        }
    })
    .await;
    let stand = Stand::quiet(&Vendor::ALL).await;
    let mut text = stand.centre.config_toml();
    for vendor in Vendor::ALL {
        text = text.replace(&stand.centre.address(vendor).unwrap().to_string(), &address.to_string());
        text = text.replace(&simulator::secret_env(vendor), "BROKEN_SECRET");
    }
    stand.configure(&text);
    let mut command = stand.floorctl(&["snapshot", "--json", "--timeout", "15s"]);
    command.env("BROKEN_SECRET", "fake-broken\r\nX-Evil: 1\r\n\r\nGET /evil HTTP/1.1");
    let output = run(command).await;
    assert!(!String::from_utf8_lossy(&output.stdout).contains("fake-broken"));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("fake-broken"));
    let (code, document) = document(output);
    assert_eq!(code, 3);
    for source in document["sources"].as_array().unwrap() {
        let error = source["last_error"].as_str().unwrap_or("");
        assert!(source["health"] != "live" && !error.is_empty(), "{source:#}");
    }
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()).into_owned();
    for line in heard.lines() {
        assert!(!line.starts_with("X-Evil") && !line.starts_with("GET /evil"), "{heard}");
    }
}

async fn a10_a_token_of_four_kilobytes_is_carried() {
    let stand = Stand::quiet(&[Vendor::Giosg, Vendor::Comm100]).await;
    let mut command = stand.floorctl(&["snapshot", "--json", "--timeout", "120s"]);
    let long = "fake".repeat(1024);
    for vendor in [Vendor::Giosg, Vendor::Comm100] {
        command.env(simulator::secret_env(vendor), &long);
    }
    let output = run(command).await;
    assert!(!String::from_utf8_lossy(&output.stdout).contains("fakefake"));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("fakefake"));
    let (code, document) = document(output);
    assert_eq!(code, 0, "{:#}", document["sources"]);
}
