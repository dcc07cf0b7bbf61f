//! What memory makes of rows that go: who gave up, who was served, and since when somebody waits.

use std::collections::BTreeMap;

use model::{Change, Conversation, ConversationState, Outcome, Timestamp};

use crate::{
    beyondtrust::{floor::Floor, wire::Line},
    loose,
};

const COPY: &str = r#"{"insert":{"queue":{"7":{"name":"Desk","type":"team","support_team_id":2},"40":{"name":"Ana","type":"rep"}},"representative":{"41":{"user_id":5,"queue_id":40}},"representative_support_session":{"530":{"representative_id":41,"support_session_id":812,"created_timestamp":1010}},"support_session":{"812":{"lsid":"s","queue_id":40,"queue_entry_timestamp":1000,"created_timestamp":990}}}}"#;
const LEAVES: &str = r#"{"delete":{"representative_support_session":["530"]}}"#;
const GONE: &str = r#"{"delete":{"support_session":["812"]}}"#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(seconds * 1000)
}
fn read(line: &str) -> Line {
    loose::read(line.as_bytes()).unwrap()
}

/// How the session is shown after each of these lines, heard at these times.
fn told(lines: &[(i64, &str)]) -> Vec<Conversation> {
    let mut floor = Floor::new("help".into());
    floor.apply(read(COPY));
    floor.whole(at(1100));
    let mut told = Vec::new();
    for (time, line) in lines {
        floor.apply(read(line));
        for change in floor.changes(at(*time)) {
            if let Change::Conversation(row) = change {
                told.push(row);
            }
        }
    }
    told
}

#[test]
fn one_that_was_put_back_into_a_queue_and_goes_was_given_up() {
    let moves = r#"{"update":{"support_session":{"812":{"queue_id":7,"queue_entry_timestamp":1200}}}}"#;
    let both = r#"{"update":{"support_session":{"812":{"queue_id":7,"queue_entry_timestamp":1200}}},"delete":{"representative_support_session":["530"]}}"#;
    for steps in [&[both][..], &[LEAVES, moves], &[moves, LEAVES]] {
        for after in [1, 4, 9] {
            let mut lines: Vec<(i64, &str)> = steps.iter().map(|line| (1200, *line)).collect();
            lines.push((1200 + after, GONE));
            let over = told(&lines).pop().unwrap();
            assert_eq!(
                (over.state, over.outcome, over.queue.as_deref(), over.agents.as_deref()),
                (ConversationState::Ended, Some(Outcome::Abandoned), Some("team:2"), Some(&[][..])),
                "{steps:?} {after}"
            );
            assert_eq!((over.waiting_since, over.answered_at), (Some(at(1200)), None), "{steps:?}");
        }
    }
}

#[test]
fn a_close_that_comes_in_two_lines_is_no_giving_up() {
    let told = told(&[(1200, LEAVES), (1203, GONE)]);
    // In between it waits, since when the feed says that it entered its queue.
    assert_eq!((told[0].state, told[0].waiting_since), (ConversationState::Waiting, Some(at(1000))));
    let over = &told[1];
    assert_eq!((over.state, over.outcome), (ConversationState::Ended, Some(Outcome::Handled)));
    assert_eq!((over.answered_at, over.agents.as_deref()), (Some(at(1010)), Some(&["5".into()][..])));
}

#[test]
fn what_is_not_told_any_more_takes_nobody_away_and_absurd_times_are_none() {
    let told = told(&[
        (1200, r#"{"update":{"support_session":{"812":{"lsid":null,"customer_name":"Bo"}}}}"#),
        (1201, r#"{"update":{"support_session":{"812":{"lsid":"","created_timestamp":1e18}}}}"#),
        (1202, r#"{"update":{"representative":{"41":{"user_id":null,"routing_busy":1}}}}"#),
    ]);
    assert!(told.iter().all(|row| row.state == ConversationState::Active), "{told:?}");
    assert_eq!((told[0].customer.as_deref(), told[0].created_at), (Some("Bo"), Some(at(990))));
    assert_eq!((told[1].created_at, told.len()), (None, 2));
}

/// A queue that nothing names is still a place where people wait.
#[test]
fn d9_a_queue_without_a_code_name_keeps_its_people() {
    let mut floor = Floor::new("help".into());
    let mut queues = BTreeMap::new();
    let mut seats = BTreeMap::new();
    let mut hear = |line: &str| {
        floor.apply(read(line));
        for change in floor.changes(at(1100)) {
            match change {
                Change::Queue(row) => drop(queues.insert(row.id.to_string(), (row.name, row.waiting))),
                Change::Remove(_, id) => drop(queues.remove(id.as_str())),
                Change::Conversation(row) => {
                    drop(seats.insert(row.id.to_string(), row.queue.map(|q| q.to_string())))
                }
                _ => {}
            }
        }
        (queues.clone(), seats.clone())
    };
    let session = |row: u32, queue: u32| {
        format!(
            r#"{{"insert":{{"support_session":{{"{row}":{{"lsid":"s{row}","queue_id":{queue},"queue_entry_timestamp":1000}}}}}}}}"#
        )
    };
    hear(
        r#"{"insert":{"queue":{"9":{"type":"vip","code_name":"","name":"VIP"},"40":{"type":"rep","code_name":"","name":"Ana"},"41":{}}}}"#,
    );
    let (shown, _) = hear(&session(1, 9));
    assert_eq!(shown, BTreeMap::from([("vip:".to_owned(), ("VIP".to_owned(), Some(1)))]));
    // Somebody waits for a person who is not there.
    let (shown, seats) = hear(&session(2, 40));
    assert_eq!((shown["rep:"].clone(), seats["s2"].as_deref()), (("Ana".to_owned(), Some(1)), Some("rep:")));
    // A second one of the type is told apart, and the first stays what it is.
    hear(r#"{"insert":{"queue":{"10":{"type":"vip","name":"VIP gold"}}}}"#);
    let (shown, seats) = hear(&session(3, 10));
    assert_eq!(
        (&shown["vip:"], &shown["vip:#10"]),
        (&("VIP".to_owned(), Some(1)), &("VIP gold".to_owned(), Some(1)))
    );
    assert_eq!((seats["s1"].as_deref(), seats["s3"].as_deref()), (Some("vip:"), Some("vip:#10")));
    // The person comes: it is the personal queue, and all of it goes over.
    let (shown, seats) = hear(r#"{"insert":{"representative":{"5":{"user_id":7,"queue_id":40}}}}"#);
    assert!(!shown.contains_key("rep:"), "{shown:?}");
    assert_eq!((shown["rep:7"].1, seats["s2"].as_deref()), (Some(1), Some("rep:7")));
    // The first goes, with everybody in it.
    let (shown, seats) = hear(r#"{"delete":{"queue":["9"],"support_session":["1"]}}"#);
    assert_eq!(
        (shown.get("vip:#10"), shown["vip:"].1, seats["s3"].as_deref()),
        (None, Some(1), Some("vip:"))
    );
}
