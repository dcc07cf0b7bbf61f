//! Answers as they stand on the wire, and the floor that comes of them. A bug is first a new folder in
//! `fixtures`.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use link::poll::{Floor, Moment, Rows, Share};
use model::{Presence, Timestamp};
use serde::de::DeserializeOwned;

use crate::{
    giosg::{
        CALLS, CALLS_PER, ROOMS, SPEC, USERS,
        floor::{GiosgFloor, Pace},
        rest::Answer,
        wire::{Page, RoomRow, UserRow},
    },
    loose,
    testing::all_is_promised,
};

const LOOKUPS: usize = 2;

pub(super) fn at(seconds: i64) -> Moment {
    let at = Timestamp::from_ms(1_800_000_000_000 + seconds * 1000);
    Moment { at, vendor: at, uncertainty: Duration::from_secs(6) }
}

fn fixture<T: DeserializeOwned>(case: &str, name: &str) -> Option<T> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/giosg/fixtures/{case}/{name}.json"));
    let body = std::fs::read(path).ok()?;
    Some(loose::read(&body).expect("a fixture is JSON"))
}

pub(super) fn floor_of(with_shared: bool) -> GiosgFloor {
    let usual = [10, 15, 600].map(Duration::from_secs);
    let share = Arc::new(Share::alone(CALLS, CALLS_PER));
    GiosgFloor::new("rooms".into(), with_shared, Pace { usual, share, calls: (50, CALLS_PER) })
}

fn empty() -> GiosgFloor {
    floor_of(false)
}

fn rooms(page: Page<RoomRow>, whole: bool) -> Option<Answer> {
    Some(Answer::Rooms { pages: vec![Arc::new(page)], at: Vec::new(), whole, oldest: BTreeMap::new() })
}

fn users(page: Page<UserRow>, whole: bool) -> Option<Answer> {
    Some(Answer::Users { pages: vec![Arc::new(page)], whole })
}

fn played(case: &str) -> GiosgFloor {
    let mut floor = empty();
    floor.take(ROOMS, rooms(fixture(case, "rooms").unwrap(), true), at(0));
    floor.take(USERS, users(fixture(case, "users").unwrap(), true), at(0));
    let people = fixture(case, "people").map(|page| vec![page]);
    let names = fixture(case, "room_names").map(|page| vec![page]);
    floor.take(LOOKUPS, Some(Answer::LookUps { people, rooms: names }), at(0));
    floor
}

pub(super) fn shown(rows: &Rows) -> serde_json::Value {
    serde_json::json!({
        "queues": rows.queues.values().collect::<Vec<_>>(),
        "agents": rows.agents.values().collect::<Vec<_>>(),
        "conversations": rows.conversations.values().collect::<Vec<_>>(),
        "totals": rows.totals,
    })
}

#[test]
fn every_case_gives_its_floor() {
    for case in ["page", "reference", "lookups"] {
        let rows = played(case).rows();
        all_is_promised(&rows, &SPEC);
        insta::with_settings!({
            snapshot_path => format!("../fixtures/{case}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_json_snapshot!("expected", shown(&rows));
        });
    }
}

#[test]
fn another_spelling_of_everything_gives_the_same_floor() {
    // D2, D4: a bare array, keys and ids in other case, numbers as text, 0.0 for no wait, `is_logged_in`.
    assert_eq!(shown(&played("dialect").rows()), shown(&played("reference").rows()));
}

fn room_of(waiting: u32, longest: f64) -> Page<RoomRow> {
    let body = format!(r#"[{{"room_id":"r","waiting_chats":{waiting},"max_wait_time":{longest}}}]"#);
    loose::read(body.as_bytes()).unwrap()
}

fn since(floor: &GiosgFloor) -> Option<i64> {
    floor.rows().queues["r"].waiting_since.map(|at| (at.as_ms() - 1_800_000_000_000) / 1000)
}

#[test]
fn waiting_since_stays_put_moves_with_the_oldest_and_goes_with_the_last() {
    let mut floor = empty();
    for (seconds, waiting, longest, expected) in [
        (0, 2, 24.0, Some(-24)),
        (10, 2, 32.5, Some(-24)),
        (20, 3, 46.0, Some(-24)),
        // The oldest was taken: another one is the oldest now.
        (30, 2, 12.0, Some(18)),
        (40, 0, 0.0, None),
    ] {
        floor.take(ROOMS, rooms(room_of(waiting, longest), true), at(seconds));
        assert_eq!(since(&floor), expected, "{seconds}");
    }
    assert_eq!(floor.rows().queues["r"].waiting, Some(0));
}

#[test]
fn an_instant_that_is_told_stands_over_the_duration() {
    let mut floor = empty();
    let oldest = BTreeMap::from([("r".to_owned(), at(-25).at)]);
    let pages = vec![Arc::new(room_of(1, 20.0))];
    floor.take(ROOMS, Some(Answer::Rooms { pages, at: Vec::new(), whole: true, oldest }), at(0));
    assert_eq!(since(&floor), Some(-25));
}

#[test]
fn d3_a_user_who_is_absent_is_unknown_after_three_polls_and_offline_where_the_roster_says_so() {
    let nobody = || users(loose::read(b"[]").unwrap(), true);
    let mut floor = played("reference");
    for _ in 0..2 {
        floor.take(USERS, nobody(), at(15));
        assert_eq!(floor.rows().agents["1"].presence, Presence::Available);
    }
    floor.take(USERS, nobody(), at(45));
    let agent = floor.rows().agents["1"].clone();
    assert_eq!((agent.presence, agent.open, agent.capacity), (Presence::Unknown, None, None));
    assert_eq!(floor.rows().agents.len(), 6, "nobody is deleted silently");
    let roster = br#"[{"id":"x","email":"ana@example.com","is_present":false},{"id":"y","email":"ben@example.com","is_deleted":true}]"#;
    let people = Some(vec![loose::read(roster).unwrap()]);
    floor.take(LOOKUPS, Some(Answer::LookUps { people, rooms: None }), at(60));
    assert_eq!(floor.rows().agents["1"].presence, Presence::Offline);
    assert!(!floor.rows().agents.contains_key("2"), "the organization says that this one is gone");
    // Back again.
    floor.take(USERS, users(fixture("reference", "users").unwrap(), true), at(75));
    assert_eq!(floor.rows().agents["1"].presence, Presence::Available);
}

#[test]
fn partial_pages_never_remove_rows_and_give_no_sums() {
    let mut floor = played("reference");
    floor.take(ROOMS, rooms(room_of(1, 3.0), false), at(10));
    floor.take(USERS, users(loose::read(b"[]").unwrap(), false), at(10));
    let rows = floor.rows();
    assert_eq!((rows.queues.len(), rows.agents.len()), (4, 6));
    assert!(rows.totals.unwrap().windows.iter().all(|figure| figure.value.is_none()));
    assert!(rows.queues.values().all(|queue| queue.agents_online.is_none()));
}

#[test]
fn figures_that_are_too_old_become_unknown_and_rows_stay() {
    let mut floor = played("reference");
    let before = floor.rows();
    floor.outdated(ROOMS);
    floor.outdated(USERS);
    let old = floor.rows();
    assert_eq!((old.queues.len(), old.agents.len()), (3, 6));
    assert!(old.queues.values().all(|queue| queue.waiting.is_none() && queue.waiting_since.is_none()));
    assert!(old.agents.values().all(|agent| agent.presence == Presence::Unknown && agent.open.is_none()));
    floor.take(ROOMS, None, at(10));
    floor.take(USERS, users(fixture("reference", "users").unwrap(), true), at(10));
    assert_eq!(shown(&floor.rows()), shown(&before));
}

#[test]
fn d11_who_serves_a_shared_room_is_not_known() {
    let mut floor = floor_of(true);
    floor.take(ROOMS, rooms(fixture("reference", "rooms").unwrap(), true), at(0));
    floor.take(USERS, users(fixture("reference", "users").unwrap(), true), at(0));
    assert!(floor.rows().queues.values().all(|queue| queue.agents_online.is_none()));
}

#[test]
fn several_pages_are_asked_less_often() {
    let mut floor = empty();
    let page = || Arc::new(room_of(0, 0.0));
    floor.take(
        ROOMS,
        Some(Answer::Rooms {
            pages: vec![page(), page()],
            at: Vec::new(),
            whole: true,
            oldest: BTreeMap::new(),
        }),
        at(0),
    );
    assert_eq!(floor.every(ROOMS), Some(Duration::from_secs(15)));
}

#[test]
fn many_pages_are_asked_so_seldom_that_the_ceiling_holds() {
    // Two hundred rooms and five hundred users, twenty-five a page.
    let mut floor = empty();
    let page = || Arc::new(room_of(0, 0.0));
    let pages = (0..8).map(|_| page()).collect();
    floor.take(
        ROOMS,
        Some(Answer::Rooms { pages, at: Vec::new(), whole: true, oldest: BTreeMap::new() }),
        at(0),
    );
    let page: Arc<Page<UserRow>> = Arc::new(loose::read(b"[]").unwrap());
    floor.take(USERS, Some(Answer::Users { pages: vec![page; 20], whole: true }), at(0));
    let a_minute = |endpoint, pages: f64| pages * 60.0 / floor.every(endpoint).unwrap().as_secs_f64();
    let all = a_minute(ROOMS, 8.0) + a_minute(USERS, 20.0) + a_minute(LOOKUPS, 1.0);
    assert!((45.0..=50.1).contains(&all), "{all}");
}

#[test]
fn t6_a_new_day_is_told_as_it_is_and_never_below_nought() {
    let mut floor = empty();
    let body = |missed: i32, real: i32| -> Page<RoomRow> {
        let text = format!(r#"[{{"room_id":"r","missed_chats":{missed},"real_chats":{real}}}]"#);
        loose::read(text.as_bytes()).unwrap()
    };
    let day = |floor: &GiosgFloor| -> Vec<Option<f64>> {
        let queue = floor.rows().queues["r"].clone();
        let of = |name: &str| queue.windows.iter().find(|f| &*f.metric == name).unwrap().value;
        let totals = floor.rows().totals.unwrap();
        let sum = totals.windows.iter().find(|f| &*f.metric == "handled").unwrap().value;
        vec![of("missed"), of("handled"), sum]
    };
    floor.take(ROOMS, rooms(body(7, 76), true), at(0));
    assert_eq!(day(&floor), [Some(7.0), Some(76.0), Some(76.0)]);
    floor.take(ROOMS, rooms(body(0, 1), true), at(10));
    assert_eq!(day(&floor), [Some(0.0), Some(1.0), Some(1.0)]);
}

#[test]
fn a_wait_is_measured_from_when_its_page_was_there() {
    let page = |rooms: &str| -> Arc<Page<RoomRow>> { Arc::new(loose::read(rooms.as_bytes()).unwrap()) };
    let pages = vec![
        page(r#"[{"room_id":"a","waiting_chats":1,"max_wait_time":30}]"#),
        page(r#"[{"room_id":"b","waiting_chats":1,"max_wait_time":5}]"#),
    ];
    let since = |floor: &GiosgFloor, room: &str| {
        floor.rows().queues[room].waiting_since.map(|since| since.seconds_since(at(0).at))
    };
    let mut floor = empty();
    // The second page took twenty seconds.
    let told = Answer::Rooms { pages, at: vec![at(-20).at, at(0).at], whole: true, oldest: BTreeMap::new() };
    floor.take(ROOMS, Some(told), at(0));
    assert_eq!((since(&floor, "a"), since(&floor, "b")), (Some(-50.0), Some(-5.0)));
    // The second page did not come: whoever is on it goes on waiting as long as before.
    let pages = vec![page(r#"[{"room_id":"a","waiting_chats":1,"max_wait_time":70}]"#)];
    let told = Answer::Rooms { pages, at: vec![at(20).at], whole: false, oldest: BTreeMap::new() };
    floor.take(ROOMS, Some(told), at(25));
    assert_eq!((since(&floor, "a"), since(&floor, "b")), (Some(-50.0), Some(-5.0)));
}

#[test]
fn an_instant_that_speaks_of_somebody_else_does_not_bend_the_room_s_own_figure() {
    let mut floor = empty();
    let oldest = BTreeMap::from([("r".to_owned(), at(-90_000).at)]);
    let pages = vec![Arc::new(room_of(1, 20.0))];
    floor.take(ROOMS, Some(Answer::Rooms { pages, at: Vec::new(), whole: true, oldest }), at(0));
    assert_eq!(since(&floor), Some(-20));
}

#[test]
fn where_nobody_s_presence_is_known_the_heads_are_not_known() {
    let mut floor = empty();
    let list = br#"[{"user_id":1,"rooms":[{"room_id":"r"}]}]"#;
    floor.take(ROOMS, rooms(room_of(1, 3.0), true), at(0));
    floor.take(USERS, users(loose::read(list).unwrap(), true), at(0));
    assert_eq!(floor.rows().queues["r"].agents_online, None);
    let heads = floor.rows().totals.unwrap();
    assert!(heads.windows.iter().any(|f| &*f.metric == "agents_online" && f.value.is_none()));
}

#[test]
fn rooms_and_users_on_pages_that_do_not_come_are_unknown_after_three_intervals() {
    let mut floor = played("reference");
    let before = floor.rows();
    let nothing = || loose::read(b"[]").unwrap();
    let pass = |floor: &mut GiosgFloor, second: i64| {
        floor.take(ROOMS, rooms(room_of(1, 3.0), false), at(second));
        floor.take(USERS, users(nothing(), false), at(second));
        floor.rows()
    };
    let told = |rows: &Rows| {
        let queues =
            rows.queues.iter().filter(|(id, q)| &***id != "r" && (q.waiting.is_some() || q.open.is_some()));
        let agents = rows.agents.values().filter(|a| a.presence != Presence::Unknown || a.open.is_some());
        (queues.count(), agents.count())
    };
    // The longer of the two intervals is fifteen seconds.
    let soon = pass(&mut floor, 29);
    assert_eq!(told(&soon), told(&before));
    let late = pass(&mut floor, 45);
    assert_eq!((late.queues.len(), late.agents.len()), (before.queues.len() + 1, before.agents.len()));
    assert_eq!(told(&late), (0, 0));
    assert_eq!(late.queues["r"].waiting, Some(1), "what comes is shown");
    floor.take(ROOMS, rooms(fixture("reference", "rooms").unwrap(), true), at(60));
    floor.take(USERS, users(fixture("reference", "users").unwrap(), true), at(60));
    assert_eq!(told(&floor.rows()), told(&before));
}
