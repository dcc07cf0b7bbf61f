//! Broken answers: each costs what it must and nothing else. The ids are those of the fault catalogue.

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use link::{
    Http, NetOptions, Secret, SystemClock,
    poll::{Ask, Floor as _, Rows, Share, Trouble},
};
use serde_json::{Value, json};

use super::golden::{at, floor_of, shown};
use crate::{
    Connector as _,
    drift::{Drift, Notes},
    giosg::{
        CALLS, CALLS_PER, LOOK_UPS, ROOMS, SPEC, USERS,
        config::Config,
        rest::{Answer, GiosgAsk},
    },
    loose,
    testing::{all_is_promised, answer, nothing_invented, serve_raw, spoiled},
};

const ORGANIZATION: &str = "d5516bd8-c5f7-4e8b-86c3-0cdcb21df559";

fn reference(name: &str) -> Vec<u8> {
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/src/giosg/fixtures/reference");
    std::fs::read(format!("{home}/{name}.json")).expect("a fixture")
}

/// The floor after these bodies, without the wire.
fn read(rooms: &[u8], users: &[u8]) -> Rows {
    let mut floor = floor_of(false);
    let page = Arc::new(loose::read(rooms).expect("a body of the right form"));
    let rooms = Answer::Rooms { pages: vec![page], at: Vec::new(), whole: true, oldest: BTreeMap::new() };
    floor.take(ROOMS, Some(rooms), at(0));
    let page = Arc::new(loose::read(users).expect("a body of the right form"));
    floor.take(USERS, Some(Answer::Users { pages: vec![page], whole: true }), at(0));
    floor.rows()
}

/// Asks a server that answers by this script; what it was asked is kept.
async fn asking(
    script: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    change: impl FnOnce(&mut Config),
) -> (GiosgAsk, Arc<Mutex<Vec<String>>>) {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let kept = paths.clone();
    let base = serve_raw(move |path| {
        kept.lock().unwrap().push(path.to_owned());
        script(path)
    })
    .await;
    let mut config = Config {
        base,
        scheme: "Token",
        timezone: Some("Europe/Helsinki".into()),
        include_shared: false,
        rooms: Vec::new(),
    };
    change(&mut config);
    let http = Http::new(&NetOptions::default(), Arc::new(SystemClock)).unwrap();
    let share = Arc::new(Share::alone(CALLS * 100, CALLS_PER));
    (GiosgAsk::new(http, config, Secret::new("fake-token"), share), paths)
}

fn good(path: &str) -> Vec<u8> {
    match path.split('?').next().unwrap_or_default() {
        "/api/v4/reporting/realtime/rooms" => answer(200, "", &reference("rooms")),
        "/api/v4/reporting/realtime/users" => answer(200, "", &reference("users")),
        _ => answer(404, "", br#"{"detail":"Not found."}"#),
    }
}

/// Asserts that the users alone have no data, and says why without repeating what came.
async fn users_fail(wire: Vec<u8>, what: &str) -> (String, Notes) {
    let script = move |path: &str| if path.contains("/users") { wire.clone() } else { good(path) };
    let (mut ask, _) = asking(script, |_| {}).await;
    let notes = Notes::default();
    ask.notes = notes.clone();
    assert!(ask.ask(ROOMS).await.is_ok(), "{what}");
    match ask.ask(USERS).await.map(drop) {
        Err(Trouble::Broken { sentence, .. }) => {
            assert!(!sentence.contains("canary"), "{sentence}");
            (sentence, notes)
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[tokio::test]
async fn p1_what_is_no_json_costs_one_endpoint_and_is_counted() {
    let right = reference("users");
    for (what, body) in [
        ("malformed", b"{\"results\":[{\"user_id\": }]}".to_vec()),
        ("a comma too many", b"{\"results\":[{\"user_id\":1},]}".to_vec()),
        ("truncated", right[..right.len() / 2].to_vec()),
        ("trailing bytes", [&right[..], b"canary"].concat()),
        ("NUL", b"{\"results\":[{\"email\":\"canary\0\"}]}".to_vec()),
        ("invalid UTF-8", b"{\"results\":[{\"email\":\"\xFF\xFE\"}]}".to_vec()),
        ("lone surrogate", br#"{"results":[{"email":"\ud800"}]}"#.to_vec()),
    ] {
        let (_, notes) = users_fail(answer(200, "", &body), what).await;
        assert!(notes.list().iter().any(|note| note.drift == Drift::Unreadable), "{what}");
    }
    let marked = answer(200, "", &[b"\xEF\xBB\xBF", &right[..]].concat());
    let script = move |path: &str| if path.contains("/users") { marked.clone() } else { good(path) };
    let (ask, _) = asking(script, |_| {}).await;
    assert!(ask.ask(USERS).await.is_ok(), "a byte-order mark is passed over");
}

#[tokio::test]
async fn p2_p3_a_million_rows_bottomless_nesting_and_zip_bombs_are_refused() {
    let rows = format!("{{\"results\":[{}{{}}]}}", "{},".repeat(1_000_000));
    users_fail(answer(200, "", rows.as_bytes()), "rows").await;
    users_fail(answer(200, "", "[".repeat(100_000).as_bytes()), "depth").await;
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zip.write_all(&vec![b' '; 17 * 1024 * 1024]).unwrap();
    let bomb = answer(200, "content-encoding: gzip\r\n", &zip.finish().unwrap());
    let (sentence, _) = users_fail(bomb, "bomb").await;
    assert!(sentence.contains("16 MiB"), "{sentence}");
}

#[test]
fn p5_fields_that_nobody_knows_keep_the_row() {
    let mut users: Value = serde_json::from_slice(&reference("users")).unwrap();
    users["results"][0]["mood"] = json!({"canary": [1]});
    let rows = read(&reference("rooms"), users.to_string().as_bytes());
    assert_eq!(shown(&rows), shown(&read(&reference("rooms"), &reference("users"))));
}

#[test]
fn p6_every_field_spoiled_in_every_way_is_unknown_at_worst() {
    let (rooms, users) = (reference("rooms"), reference("users"));
    let reference_rows = read(&rooms, &users);
    all_is_promised(&reference_rows, &SPEC);
    let right = shown(&reference_rows);
    for of_rooms in [true, false] {
        let body = if of_rooms { &rooms } else { &users };
        for (what, key, body) in spoiled(&serde_json::from_slice(body).unwrap()) {
            let now = if of_rooms { read(&body, &users) } else { read(&rooms, &body) };
            if key != "room_id" && key != "user_id" {
                assert_eq!(now.queues.len(), reference_rows.queues.len(), "{what}");
                assert_eq!(now.agents.len(), reference_rows.agents.len(), "{what}");
            }
            // Below nothing free is nothing free, and a flag may well be true: these are answers.
            let is_answer = key == "free_capacity" || (key.starts_with("is_") && what.ends_with("true"));
            if !is_answer {
                nothing_invented(&right, &shown(&now), &what);
            }
        }
    }
}

#[test]
fn p16_ids_are_text_and_empty_ones_are_no_rows() {
    let users = br#"[{"user_id":9007199254740993},{"user_id":-5},{"user_id":7.0},{"user_id":"7"},
        {"user_id":"6C85A961-C9FD-4EA2-8C91-36CD0EB49670"},{"user_id":"Op-A"},{"user_id":""},{}]"#;
    let rooms = br#"[{"room_id":"Room-A","waiting_chats":1},{"room_id":""},{"waiting_chats":3}]"#;
    let rows = read(rooms, users);
    let ids: Vec<&str> = rows.agents.keys().map(|id| &**id).collect();
    assert_eq!(ids, ["-5", "6c85a961-c9fd-4ea2-8c91-36cd0eb49670", "7", "9007199254740993", "Op-A"]);
    assert_eq!(rows.queues.keys().map(|id| &**id).collect::<Vec<_>>(), ["Room-A"]);
}

#[test]
fn p17_d5_numbers_beyond_all_bounds_are_unknown_and_long_waits_are_shown() {
    for (wait, since) in [
        ("NaN", None),
        ("1e400", None),
        ("1e30", None),
        ("-12", None),
        ("\"40.00\"", Some(-40)),
        ("172800", Some(-172_800)),
    ] {
        let body = format!(
            r#"[{{"room_id":"r","waiting_chats":2,"max_wait_time":{wait},"average_wait_time":{wait}}}]"#
        );
        let rows = read(body.as_bytes(), b"[]");
        let queue = &rows.queues["r"];
        assert_eq!(queue.waiting_since, since.map(|since| at(since).at), "{wait}");
        assert_eq!(queue.average_wait_s, since.map(|since| -since as f64), "{wait}");
    }
}

#[tokio::test]
async fn p18_instants_of_waiting_chats_in_every_form() {
    for (written, ms) in [
        ("2026-01-31T09:30:00.500Z", Some(500)),
        ("2026-01-31T09:30:00.500", Some(500)),
        ("2026-01-31T11:30:00.500+02:00", Some(500)),
        ("2026-01-31T09:30:00Z", Some(0)),
        ("2024-02-29T23:59:60Z", None),
        ("yesterday", None),
        ("", None),
    ] {
        let rooms = br#"{"results":[{"room_id":"r","waiting_chats":1}]}"#;
        let script = move |path: &str| match path.split('?').next().unwrap_or_default() {
            "/api/v5/users/me" => {
                answer(200, "", format!(r#"{{"organization_id":"{ORGANIZATION}"}}"#).as_bytes())
            }
            path if path.ends_with("/chats") => {
                let body =
                    format!(r#"{{"results":[{{"is_waiting":true,"waiting_started_at":"{written}"}}]}}"#);
                answer(200, "", body.as_bytes())
            }
            "/api/v4/reporting/realtime/rooms" => answer(200, "", rooms),
            _ => answer(200, "", br#"{"results":[]}"#),
        };
        let (ask, _) = asking(script, |_| {}).await;
        ask.ask(LOOK_UPS).await.unwrap();
        let Some(Answer::Rooms { oldest, .. }) = ask.ask(ROOMS).await.unwrap().answer else {
            panic!("rooms")
        };
        match (ms, oldest.get("r")) {
            (Some(ms), Some(at)) => assert_eq!(at.as_ms().rem_euclid(1000), ms, "{written}"),
            // A leap second may be read as the second before it.
            (None, at) => assert!(at.is_none() || written.ends_with(":60Z"), "{written}"),
            (Some(_), None) => panic!("{written} was not understood"),
        }
    }
}

#[tokio::test]
async fn p21_d8_every_answer_is_sorted_without_reading_its_words_to_people() {
    let said = Arc::new(Mutex::new((200, String::new())));
    let script = said.clone();
    let (ask, _) = asking(
        move |_| {
            let (status, body) = script.lock().unwrap().clone();
            answer(status, "", body.as_bytes())
        },
        |config| config.timezone = None,
    )
    .await;
    for (status, body, expected) in [
        (200, "", "broken"),
        (200, "{}", "broken"),
        (200, "{\"detail\":\"canary\"}", "broken"),
        (200, "<html>canary</html>", "broken for long"),
        (200, "{\"detail\":\"Rate limit exceeded\"}", "throttled"),
        (204, "", "broken for long"),
        (206, "[]", "broken for long"),
        (304, "", "broken for long"),
        (400, "{\"room_id\":[\"canary is not a valid UUID.\"]}", "broken for long"),
        (401, "{\"detail\":\"Invalid token.\"}", "credentials"),
        (401, "", "credentials"),
        (403, "{\"detail\":\"Authentication credentials were not provided.\"}", "credentials"),
        (403, "{\"detail\":\"Invalid token.\"}", "credentials"),
        (403, "{\"detail\":\"You do not have permission to perform this action.\"}", "refused"),
        (403, "{\"detail\":\"This token has no permission.\"}", "refused"),
        (403, "", "refused"),
        (403, "<html>canary</html>", "refused"),
        (405, "{\"detail\":\"Method not allowed.\"}", "broken for long"),
        (429, "{\"detail\":\"Request was throttled. Expected available in 31 seconds.\"}", "throttled"),
        (500, "", "broken"),
        (502, "<html>bad gateway</html>", "broken"),
        (503, "", "broken"),
        (504, "", "broken"),
    ] {
        *said.lock().unwrap() = (status, body.to_owned());
        for endpoint in [ROOMS, USERS] {
            let (kind, sentence) = match ask.ask(endpoint).await.err().expect("no data") {
                Trouble::Broken { soon: true, sentence } => ("broken", sentence),
                Trouble::Broken { soon: false, sentence } => ("broken for long", sentence),
                Trouble::Refused { credentials: true, sentence } => ("credentials", sentence),
                Trouble::Refused { credentials: false, sentence } => ("refused", sentence),
                Trouble::Throttled { sentence, after } => {
                    assert_eq!(after, (status == 429).then(|| Duration::from_secs(31)), "{body}");
                    ("throttled", sentence)
                }
                other => panic!("{status} {body}: {other:?}"),
            };
            assert_eq!(kind, expected, "{status} {body}");
            let leaks = sentence.contains("canary") || sentence.contains("fake-token");
            assert!(sentence.contains("giosg") && !leaks, "{sentence}");
        }
    }
}

#[test]
fn p25_strings_are_kept_as_they_came() {
    for name in ["x".repeat(1_000_000), "\u{202E}nimda".to_owned(), "кафе.рф\n\t\u{7}👩‍👩‍👧".to_owned()]
    {
        let body = json!([{"room_id": "r", "room_name": name}]).to_string();
        assert_eq!(read(body.as_bytes(), b"[]").queues["r"].name, name);
    }
}

#[tokio::test]
async fn p26_a_renamed_list_is_a_gap_that_says_that_the_format_changed() {
    let (sentence, _) = users_fail(answer(200, "", br#"{"people":[{"user_id":1}]}"#), "renamed").await;
    assert!(sentence.contains("changed its format"), "{sentence}");
}

#[tokio::test]
async fn what_is_asked_is_what_was_configured() {
    let rooms = |paths: &Mutex<Vec<String>>| {
        let paths = paths.lock().unwrap();
        paths.iter().find(|path| path.contains("realtime/rooms")).cloned().unwrap()
    };
    let (ask, paths) = asking(good, |_| {}).await;
    ask.ask(ROOMS).await.unwrap();
    assert_eq!(rooms(&paths), "/api/v4/reporting/realtime/rooms?timezone=Europe%2FHelsinki");
    let (ask, paths) = asking(good, |config| {
        config.timezone = None;
        config.include_shared = true;
        config.rooms = vec!["a-1".into(), "b-2".into()];
    })
    .await;
    ask.ask(ROOMS).await.unwrap();
    assert_eq!(rooms(&paths), "/api/v4/reporting/realtime/rooms?room_id=a-1%2Cb-2&include_shared=true");
    // D10: no channel, no socket, and nothing that would change who is present.
    ask.ask(USERS).await.unwrap();
    ask.ask(LOOK_UPS).await.unwrap();
    let asked = paths.lock().unwrap().clone();
    for never in ["messagerouter", "clients", "token="] {
        assert!(!asked.iter().any(|path| path.contains(never)), "{asked:?}");
    }
}

#[tokio::test]
async fn d13_only_a_zone_that_is_refused_with_400_is_left_out() {
    let script = |path: &str| match path.contains("timezone") {
        true => answer(404, "", b"{}"),
        false => good(path),
    };
    let (ask, paths) = asking(script, |_| {}).await;
    assert!(ask.ask(ROOMS).await.is_err());
    let rooms = |path: &&String| path.contains("realtime/rooms");
    assert_eq!(paths.lock().unwrap().iter().filter(rooms).count(), 1);
    assert!(ask.note(ROOMS).is_none());
    let (ask, _) = asking(good, |config| config.timezone = Some("Mars/Olympus".into())).await;
    assert!(ask.ask(ROOMS).await.is_ok());
    assert!(ask.note(ROOMS).unwrap().contains("`timezone`"));
}

#[test]
fn d13_what_is_said_of_the_zone_before_giosg_was_asked_is_a_wish() {
    let remark = |timezone: Option<&str>| {
        let config = Config {
            base: url::Url::parse("http://127.0.0.1:1/").unwrap(),
            scheme: "Token",
            timezone: timezone.map(str::to_owned),
            include_shared: false,
            rooms: Vec::new(),
        };
        let plans = crate::giosg::config::plans(None);
        crate::giosg::Giosg { config, plans, calls: CALLS, ca_file: None, proxy: None }.remarks()
    };
    assert_eq!(remark(Some("Europe/Nowhere")), ["asked to count today in Europe/Nowhere"]);
    assert_eq!(remark(None), ["today is counted in UTC"]);
}

/// Two pages of users under the pager that tells how many there are.
fn two_pages(path: &str, first: &str, second: &str, count: u32) -> Vec<u8> {
    let (rows, next) = match path.contains("page=2") {
        true => (second, "null".to_owned()),
        false => (first, "2".to_owned()),
    };
    let rows: Vec<String> = rows.chars().map(|id| format!(r#"{{"user_id":"{id}"}}"#)).collect();
    let body = format!(r#"{{"count":{count},"next_page":{next},"results":[{}]}}"#, rows.join(","));
    answer(200, "", body.as_bytes())
}

async fn users_of(ask: &GiosgAsk) -> (usize, bool, Option<String>) {
    let good = ask.ask(USERS).await.unwrap();
    let Some(Answer::Users { pages, whole }) = good.answer else { panic!("users were meant") };
    let rows = pages.iter().flat_map(|page| page.rows.iter().flatten());
    let ids: std::collections::BTreeSet<String> = rows.filter_map(|row| row.id.0.clone()).collect();
    (ids.len(), whole, good.partial)
}

#[tokio::test]
async fn p8_a_row_that_moves_between_pages_is_found_by_a_second_reading() {
    // First reading: `c` slips from page 2 to page 1 after page 1 was read.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let script = move |path: &str| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 | 1 => two_pages(path, "ab", "bd", 4),
        _ => two_pages(path, "ac", "bd", 4),
    };
    let (ask, _) = asking(script, |_| {}).await;
    assert_eq!(users_of(&ask).await, (4, true, None));
}

#[tokio::test]
async fn p7_fewer_rows_than_are_counted_are_partial_and_say_so() {
    let (ask, paths) = asking(|path| two_pages(path, "ab", "c", 5), |_| {}).await;
    let (have, whole, partial) = users_of(&ask).await;
    assert_eq!((have, whole, paths.lock().unwrap().len()), (3, false, 4));
    assert!(partial.unwrap().contains("3 of 5"));
    // More rows than are counted: the rows count.
    let (ask, _) = asking(|path| two_pages(path, "ab", "cd", 1), |_| {}).await;
    assert_eq!(users_of(&ask).await, (4, true, None));
}

#[tokio::test]
async fn p7_a_page_that_fails_twice_makes_the_poll_partial_and_one_that_fails_once_does_not() {
    for (fails, whole) in [(1, true), (2, false)] {
        let tries = std::sync::atomic::AtomicUsize::new(0);
        let script = move |path: &str| match path.contains("page=2") {
            true if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < fails => answer(502, "", b""),
            _ => two_pages(path, "ab", "c", 3),
        };
        let (ask, _) = asking(script, |_| {}).await;
        let (have, is_whole, partial) = users_of(&ask).await;
        assert_eq!((have, is_whole, partial.is_none()), (if whole { 3 } else { 2 }, whole, whole));
    }
}
