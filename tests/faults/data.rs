//! Group P: frames and bodies that are broken, too large, too old, half, or strange.

use libtest_mimic::Trial;
use model::Vendor;
use serde_json::json;
use simulator::{Again, Fault, Options, beyondtrust, pingstreams};

use crate::{
    cases,
    stand::{PATIENCE, Stand, Watch, frame, long, secs},
};

const PUSH: [Vendor; 2] = [Vendor::Beyondtrust, Vendor::Pingstreams];
/// Polled vendors whose interval is a few seconds.
const SWIFT: [Vendor; 2] = [Vendor::Giosg, Vendor::Liveperson];

const POLLED: [Vendor; 3] = [Vendor::Liveperson, Vendor::Giosg, Vendor::Comm100];

pub fn trials() -> Vec<Trial> {
    cases![
        p1_broken_text_on_a_live_connection_changes_nothing,
        p1_bodies_that_are_no_json_are_no_data,
        p2_messages_and_bodies_beyond_the_limit_are_refused_unread,
        p2_depth_is_no_crash,
        p4_frames_against_the_protocol_end_the_connection_and_it_comes_back,
        p4_a_message_in_thousands_of_fragments_with_pings_between_is_one_message,
        p5_unknown_fields_tables_and_events_change_nothing,
        p9_p10_frames_twice_late_and_at_the_same_instant_end_in_the_same_floor,
        p12_a_reset_that_never_completes_keeps_the_old_floor_and_asks_anew,
        p13_changes_of_rows_that_nobody_knows_show_nothing,
        p14_children_before_their_parents_are_joined,
        p15_two_accounts_with_the_same_ids_never_mix,
        p21_answers_that_are_no_answers_change_nothing,
        p25_strange_text_passes_as_it_is,
        p26_a_renamed_field_is_unknown_and_never_zero,
    ]
}

async fn live(options: Options) -> (Stand, Watch) {
    let vendors = options.vendors.clone();
    let stand = Stand::open(options).await.with("poll = \"2s\"");
    for vendor in &vendors {
        stand.arrivals(*vendor, 2);
    }
    let mut watch = stand.watch();
    for vendor in &vendors {
        watch.converges(&stand, *vendor, PATIENCE).await;
    }
    (stand, watch)
}

/// A line of the model's feed as the appliance frames it.
fn line(text: &str) -> Vec<u8> {
    frame(0x82, format!("{text}\n").as_bytes())
}

fn never_lost(watch: &Watch, from: usize) {
    let lost = watch.seen[from..].iter().find(|l| l["type"] == "health" && l["source"]["health"] != "live");
    assert!(lost.is_none(), "it was taken for a lost line: {lost:#?}");
}

async fn p1_broken_text_on_a_live_connection_changes_nothing() {
    let (stand, mut watch) = live(Options::quiet(&PUSH)).await;
    let from = watch.seen.len();
    let (bt, ps) = (stand.relay(Vendor::Beyondtrust), stand.relay(Vendor::Pingstreams));
    // Twice each: the third within a minute asks for everything anew.
    bt.inject(&line("{\"type\":\"update_model\",\"insert\":{\"support_session\":{"));
    bt.inject(&frame(0x82, b"{\"type\":\"\xff\xfe\"}\n"));
    ps.inject(&frame(0x81, b"{\"action\":\"publish\",\"payload\":"));
    ps.inject(&frame(0x81, b"{\"action\":\"publish\"}\0trailing"));
    for vendor in PUSH {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    never_lost(&watch, from);
    // Text that is none ends a WebSocket by its own law; it comes back.
    ps.inject(&frame(0x81, &[0xff, 0xfe, 0xfd]));
    watch.lost(Vendor::Pingstreams).await;
    watch.converges(&stand, Vendor::Pingstreams, PATIENCE).await;
    watch.nothing_ended();
    watch.end();
}

async fn p1_bodies_that_are_no_json_are_no_data() {
    let (stand, mut watch) = live(Options::quiet(&SWIFT)).await;
    // One to each of the next requests; more of them only make the pauses longer.
    let bodies = ["", "{\"results\":[\0]}", "[\"\\ud800\"]]"];
    for vendor in SWIFT {
        for body in bodies {
            stand.control().fault_times(vendor, "*", Fault::Body(body.to_owned()), 1).unwrap();
        }
        stand.control().fault_times(vendor, "*", Fault::Truncated, 1).unwrap();
    }
    for vendor in SWIFT {
        let (before, control) = (stand.control().counters(vendor).unwrap(), stand.control());
        let total = move |c: &simulator::Counters| c.requests.values().sum::<u64>();
        let most = total(&before) + bodies.len() as u64 + 1;
        watch.until(PATIENCE, "all of them", |_| total(&control.counters(vendor).unwrap()) >= most).await;
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.nothing_ended();
    watch.end();
}

/// Resident memory of a process in KiB, where the system tells.
fn resident(id: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    text.lines().find_map(|l| l.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

async fn p2_messages_and_bodies_beyond_the_limit_are_refused_unread() {
    let (stand, mut watch) = live(Options::quiet(&[PUSH[0], PUSH[1], SWIFT[0], SWIFT[1]])).await;
    let (before, since) = (resident(watch.id()), watch.seen.len());
    // Announced only: nobody may wait for, or make room for, the rest.
    for (vendor, first) in [(Vendor::Beyondtrust, 0x82), (Vendor::Pingstreams, 0x81)] {
        let mut head = vec![first, 127];
        head.extend((100u64 << 20).to_be_bytes());
        stand.relay(vendor).inject(&head);
    }
    for vendor in SWIFT {
        stand.control().fault(vendor, "*", Fault::Huge(20 << 20)).unwrap();
    }
    for (vendor, limit) in [(Vendor::Beyondtrust, "MiB in one message"), (Vendor::Pingstreams, "16 MiB")] {
        let source = watch.was_lost(vendor, since).await;
        let error = source["last_error"].as_str().unwrap();
        assert!(error.contains(limit), "{error}");
    }
    for vendor in SWIFT {
        watch
            .until(PATIENCE, "a body that is too large", |w| {
                w.source(vendor.as_str())["last_error"].as_str().is_some_and(|e| e.contains("16 MiB"))
            })
            .await;
        stand.control().heal(vendor).unwrap();
    }
    for vendor in [PUSH[0], PUSH[1], SWIFT[0], SWIFT[1]] {
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    if let (Some(before), Some(after)) = (before, resident(watch.id())) {
        assert!(after < before + 100 * 1024, "{before} KiB became {after} KiB");
    }
    watch.nothing_ended();
    watch.end();
}

async fn p2_depth_is_no_crash() {
    let (stand, mut watch) = live(Options::quiet(&Vendor::ALL)).await;
    let from = watch.seen.len();
    for deep in ["[".repeat(100_000), "{\"payload\":".repeat(100_000)] {
        let bt = line(&format!("{{\"type\":\"update_model\",\"insert\":{deep}"));
        stand.relay(Vendor::Beyondtrust).inject(&bt);
        stand.relay(Vendor::Pingstreams).inject(&frame(0x81, deep.as_bytes()));
    }
    for polled in POLLED {
        stand.control().fault(polled, "*", Fault::Body("[".repeat(100_000))).unwrap();
    }
    for vendor in PUSH {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    let lost = watch.seen[from..]
        .iter()
        .find(|l| PUSH.iter().any(|v| l["source"]["id"] == v.as_str()) && l["source"]["health"] != "live");
    assert!(lost.is_none(), "it was taken for a lost line: {lost:#?}");
    for polled in POLLED {
        let name = polled.as_str();
        watch.until(PATIENCE, "its word about it", |w| w.source(name)["last_error"].is_string()).await;
        stand.control().heal(polled).unwrap();
        stand.arrivals(polled, 1);
        watch.converges(&stand, polled, PATIENCE).await;
    }
    watch.end();
}

async fn p4_frames_against_the_protocol_end_the_connection_and_it_comes_back() {
    // Masked, reserved bits, a reserved opcode, a fragmented ping, a continuation of nothing.
    let bad: [&[u8]; 5] = [
        &[0x81, 0x84, 1, 2, 3, 4, 5, 6, 7, 8],
        &[0xF1, 0x01, b'a'],
        &[0x83, 0x01, b'a'],
        &[0x09, 0x01, b'a'],
        &[0x80, 0x01, b'a'],
    ];
    let stand = Stand::quiet(&PUSH).await;
    let (mut relays, mut text) = (Vec::new(), String::new());
    for (n, bytes) in bad.iter().enumerate() {
        let vendor = PUSH[n % 2];
        let to = stand.centre.address(vendor).unwrap();
        let relay = simulator::Relay::open(to).await.unwrap();
        let id = format!("bad-{n}");
        text += &stand.centre.source_toml(vendor, &id).replace(&to.to_string(), &relay.address().to_string());
        relays.push((id, *bytes, relay));
    }
    stand.configure(&text);
    let mut watch = stand.watch();
    for (id, ..) in &relays {
        watch.health(id, &["live"]).await;
    }
    let since = watch.seen.len();
    for (_, bytes, relay) in &relays {
        relay.inject(bytes);
    }
    for (id, ..) in &relays {
        let source = watch.said(id, since, &["retrying"]).await;
        assert!(source["last_error"].is_string(), "{source:#}");
    }
    for (id, ..) in &relays {
        watch.health(id, &["live"]).await;
    }
    watch.nothing_ended();
    watch.end();
}

async fn p4_a_message_in_thousands_of_fragments_with_pings_between_is_one_message() {
    let (stand, mut watch) = live(Options::quiet(&PUSH)).await;
    let from = watch.seen.len();
    for (vendor, first, text) in [
        (Vendor::Beyondtrust, 0x02, format!("{{\"type\":\"{}\"}}\n", "x".repeat(10_000))),
        (Vendor::Pingstreams, 0x01, format!("{{\"action\":\"{}\"}}", "x".repeat(10_000))),
    ] {
        let (mut bytes, last) = (Vec::new(), text.len() - 1);
        for (n, byte) in text.bytes().enumerate() {
            bytes.extend(frame(if n == 0 { first } else { u8::from(n == last) << 7 }, &[byte]));
            if n % 100 == 0 {
                bytes.extend(frame(0x89, b"ping"));
            }
        }
        stand.relay(vendor).inject(&bytes);
    }
    for vendor in PUSH {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    never_lost(&watch, from);
    watch.end();
}

async fn p5_unknown_fields_tables_and_events_change_nothing() {
    let mut options = Options::quiet(&PUSH);
    options.beyondtrust.unknowns = true;
    options.pingstreams.extra_fields = true;
    let (stand, mut watch) = live(options).await;
    let from = watch.seen.len();
    stand
        .relay(Vendor::Beyondtrust)
        .inject(&line("{\"type\":\"update_model\",\"insert\":{\"galaxy\":{\"1\":{\"x\":1}}},\"merge\":7}"));
    for text in [
        "{\"action\":\"wave\",\"payload\":{}}",
        "[]",
        "7",
        "{\"action\":\"publish\",\"payload\":{\"topic\":\"/moon\",\"method\":\"SPIN\",\"message\":{}}}",
    ] {
        stand.relay(Vendor::Pingstreams).inject(&frame(0x81, text.as_bytes()));
    }
    for vendor in PUSH {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    never_lost(&watch, from);
    watch.end();
}

async fn p9_p10_frames_twice_late_and_at_the_same_instant_end_in_the_same_floor() {
    let mut options = Options::quiet(&[Vendor::Pingstreams]);
    options.pingstreams = pingstreams::Dialect { doubled_frames: true, ..pingstreams::Dialect::default() };
    let (stand, mut watch) = live(options).await;
    let (control, ps) = (stand.control(), Vendor::Pingstreams);
    let agents = control.agents(ps).unwrap();
    let queues = control.queues(ps).unwrap();
    for round in 0..if long() { 200 } else { 6 } {
        let id = control.customer_arrives(ps, &queues[0].0).unwrap();
        // All within one instant of the server's clock.
        control.agent_takes(ps, &id, &agents[0].0).unwrap();
        control.agent_takes(ps, &id, &agents[1].0).unwrap();
        control.agent_leaves(ps, &id, &agents[0].0).unwrap();
        control.tag(ps, &id, &format!("round-{round}")).unwrap();
        control.push_again(ps, Again::Duplicate).unwrap();
        control.push_again(ps, Again::Old).unwrap();
        if round % 2 == 0 {
            control.leaves(ps, &id).unwrap();
            control.push_again(ps, Again::Old).unwrap();
        }
    }
    watch.converges(&stand, ps, PATIENCE).await;
    // And it stays so: nothing that was late comes into its own later.
    tokio::time::sleep(secs(2)).await;
    watch.converges(&stand, ps, PATIENCE).await;
    watch.end();
}

async fn p12_a_reset_that_never_completes_keeps_the_old_floor_and_asks_anew() {
    let (stand, mut watch) = live(Options::quiet(&[Vendor::Beyondtrust])).await;
    let rows = watch.rows("agents", "beyondtrust").len();
    stand.relay(Vendor::Beyondtrust).inject(&line("{\"type\":\"truncate_model\"}"));
    watch.health("beyondtrust", &["stale"]).await;
    // Half of it comes anew, and then the line breaks.
    stand.relay(Vendor::Beyondtrust).inject(&line(
        "{\"type\":\"update_model\",\"insert\":{\"queue\":{\"1\":{\"name\":\"Half\",\"type\":\"team\",\"type_id\":\"9\"}}}}",
    ));
    tokio::time::sleep(secs(1)).await;
    stand.relay(Vendor::Beyondtrust).reset();
    watch.health("beyondtrust", &["retrying"]).await;
    assert_eq!(watch.rows("agents", "beyondtrust").len(), rows, "the old floor stays readable");
    assert!(
        watch.rows("queues", "beyondtrust").iter().all(|q| q["name"] != "Half"),
        "half a floor was shown"
    );
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    // Emptied, and nothing follows at all: asked for on a new connection half a minute later.
    let connections = stand.relay(Vendor::Beyondtrust).connections().1;
    stand.relay(Vendor::Beyondtrust).inject(&line("{\"type\":\"truncate_model\"}"));
    watch.health("beyondtrust", &["stale"]).await;
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    assert!(stand.relay(Vendor::Beyondtrust).connections().1 > connections);
    watch.nothing_ended();
    watch.end();
}

async fn p13_changes_of_rows_that_nobody_knows_show_nothing() {
    let (stand, mut watch) = live(Options::quiet(&[Vendor::Beyondtrust])).await;
    let from = watch.seen.len();
    for text in [
        "{\"type\":\"update_model\",\"update\":{\"support_session\":{\"990001\":{\"queue_id\":1}}}}",
        "{\"type\":\"update_model\",\"delete\":{\"support_session\":[990002],\"representative\":[990003]}}",
        "{\"type\":\"update_model\",\"update\":{\"representative\":{\"990004\":{\"enabled\":1}}}}",
        "{\"type\":\"update_model\",\"insert\":{\"representative_support_session\":{\"990005\":{\"support_session_id\":990006,\"representative_id\":990007}}}}",
    ] {
        stand.relay(Vendor::Beyondtrust).inject(&line(text));
    }
    tokio::time::sleep(secs(1)).await;
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    stand.arrivals(Vendor::Beyondtrust, 1);
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    never_lost(&watch, from);
    watch.nothing_ended();
    watch.end();
}

async fn p14_children_before_their_parents_are_joined() {
    let mut options = Options::quiet(&[Vendor::Beyondtrust]);
    options.beyondtrust =
        beyondtrust::Dialect { snapshot: beyondtrust::Snapshot::Chunked, ..beyondtrust::Dialect::default() };
    let (stand, mut watch) = live(options).await;
    let control = stand.control();
    let agents = control.agents(Vendor::Beyondtrust).unwrap();
    let id = control.conversations(Vendor::Beyondtrust).unwrap().remove(0);
    control.agent_takes(Vendor::Beyondtrust, &id, &agents[0].0).unwrap();
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    stand.relay(Vendor::Beyondtrust).reset();
    watch.lost(Vendor::Beyondtrust).await;
    watch.converges(&stand, Vendor::Beyondtrust, PATIENCE).await;
    watch.end();
}

async fn p15_two_accounts_with_the_same_ids_never_mix() {
    let stand = Stand::quiet(&[Vendor::Pingstreams, Vendor::Giosg]).await;
    let mut text = stand.through_relays(stand.centre.config_toml());
    // Twins: the same servers, reached past the relays.
    for vendor in [Vendor::Pingstreams, Vendor::Giosg] {
        text += &stand.centre.source_toml(vendor, &format!("twin-{}", vendor.as_str()));
    }
    stand.configure(&text.replace("[[source]]\n", "[[source]]\npoll = \"2s\"\n"));
    for vendor in [Vendor::Pingstreams, Vendor::Giosg] {
        stand.arrivals(vendor, 2);
    }
    let mut watch = stand.watch();
    let ids = ["pingstreams", "giosg", "twin-pingstreams", "twin-giosg"];
    for id in ids {
        watch.health(id, &["live"]).await;
    }
    let rows = |w: &Watch, id: &str| (w.rows("agents", id).len(), w.rows("queues", id).len());
    let before = ids.map(|id| rows(&watch, id));
    assert_eq!((before[0], before[1]), (before[2], before[3]));
    for vendor in [Vendor::Pingstreams, Vendor::Giosg] {
        stand.relay(vendor).weather(simulator::Weather { turns_away: true, ..Default::default() });
        stand.relay(vendor).reset();
        watch.lost(vendor).await;
    }
    assert_eq!(ids.map(|id| rows(&watch, id)), before);
    for id in ["twin-pingstreams", "twin-giosg"] {
        assert_eq!(watch.source(id)["health"], "live", "a twin was touched");
    }
    watch.end();
}

async fn p21_answers_that_are_no_answers_change_nothing() {
    let (stand, mut watch) = live(Options::quiet(&SWIFT)).await;
    let rows = |w: &Watch| SWIFT.map(|v| w.rows("agents", v.as_str()).len());
    let before = rows(&watch);
    let answers = [
        Fault::status(200, "{\"error\":{\"code\":500,\"message\":\"internal\"}}"),
        Fault::Html,
        Fault::status(204, ""),
        Fault::status(206, "[]"),
        Fault::status(304, ""),
    ];
    for answer in answers {
        for vendor in SWIFT {
            let seen = stand.control().counters(vendor).unwrap().requests.values().sum::<u64>();
            stand.control().fault_times(vendor, "*", answer.clone(), 1).unwrap();
            let control = stand.control();
            watch
                .until(PATIENCE, "such an answer", |_| {
                    control.counters(vendor).unwrap().requests.values().sum::<u64>() > seen
                })
                .await;
        }
        // A part that is silent for three of its intervals is no longer shown; then it is named.
        for (n, vendor) in SWIFT.iter().enumerate() {
            let named = watch.source(vendor.as_str())["last_error"].is_string();
            assert!(named || rows(&watch)[n] == before[n], "{vendor:?}: {answer:?} was taken for data");
        }
    }
    for vendor in SWIFT {
        stand.arrivals(vendor, 1);
        watch.converges(&stand, vendor, PATIENCE).await;
    }
    watch.end();
}

async fn p25_strange_text_passes_as_it_is() {
    let stand = Stand::quiet(&[Vendor::Pingstreams, Vendor::Beyondtrust]).await;
    let names = [
        "\u{202e}gnp.exe\u{202c}",
        "\u{200b}a\u{200d}b\u{feff}",
        "👩‍👩‍👧‍👦 \u{1F1EB}\u{1F1EE}",
        "a\u{300}\u{301}\u{302}\u{303}\u{304}",
        "line\nbreak\tand\u{7}bell",
        "<img src=x onerror=alert(1)>",
        "\"'; DROP TABLE agents; --",
    ];
    for vendor in PUSH {
        for name in names {
            let queue = stand.queue(vendor);
            stand.control().customer_arrived(vendor, &queue, secs(1), Some(name)).unwrap();
        }
    }
    let huge = "ü".repeat(500_000);
    let queue = stand.queue(Vendor::Pingstreams);
    stand.control().customer_arrived(Vendor::Pingstreams, &queue, secs(1), Some(&huge)).unwrap();
    let mut watch = stand.watch();
    for vendor in PUSH {
        watch.converges(&stand, vendor, PATIENCE).await;
        let shown: Vec<String> = watch
            .rows("conversations", vendor.as_str())
            .iter()
            .filter_map(|c| c["customer"].as_str().map(str::to_owned))
            .collect();
        for name in names {
            assert!(shown.iter().any(|s| s == name), "{vendor:?}: {name:?} in {shown:.200?}");
        }
    }
    watch.end();
}

async fn p26_a_renamed_field_is_unknown_and_never_zero() {
    let (stand, mut watch) = live(Options::quiet(&[Vendor::Giosg])).await;
    let renamed = json!({"results": [{
        "room_ident": "6b02501f-5a11-4b0e-9c3d-000000000006", "label": "Sales", "waiting_total": 4
    }]});
    stand.control().fault(Vendor::Giosg, "rooms", Fault::Body(renamed.to_string())).unwrap();
    watch
        .until(PATIENCE, "that the figures are not known", |w| {
            w.source("giosg")["health"] != "live"
                || w.source("giosg")["last_error"].is_string()
                || w.rows("queues", "giosg").iter().all(|q| q["waiting"].is_null())
        })
        .await;
    for queue in watch.rows("queues", "giosg") {
        assert_ne!(queue["waiting"], 4, "{queue:#}");
        let first = queue["id"] == stand.queue(Vendor::Giosg).as_str();
        assert!(!first || queue["waiting"] != 0, "zero was invented: {queue:#}");
    }
    stand.control().heal(Vendor::Giosg).unwrap();
    watch.converges(&stand, Vendor::Giosg, PATIENCE).await;
    watch.end();
}
