//! The vendor's own samples as they stand on its pages, and the floor that comes of them. A bug is first
//! a new folder in `fixtures`.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use link::poll::{Floor, Moment, Rows};
use model::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    liveperson::{
        AGENTS, CONVERSATIONS, QUEUEHEALTH, QUEUESTATE,
        chats::Chat,
        floor::LivePersonFloor,
        rest::Answer,
        wire::{ManyChats, key_of},
    },
    loose,
};

pub fn at(seconds: i64) -> Moment {
    let at = Timestamp::from_ms(1_800_000_000_000 + seconds * 1000);
    Moment { at, vendor: at, uncertainty: Duration::from_secs(6) }
}

fn texts(case: &str) -> BTreeMap<&'static str, String> {
    let texts = ["queuestate", "queuehealth", "agents", "chats"].map(|name| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("src/liveperson/fixtures/{case}/{name}.json"));
        (name, std::fs::read_to_string(path).expect("a fixture is there"))
    });
    texts.into()
}

fn played(case: &str) -> LivePersonFloor {
    floor_of(&texts(case))
}

fn body<T: DeserializeOwned>(texts: &BTreeMap<&'static str, String>, name: &str) -> T {
    loose::read(texts[name].as_bytes()).expect("JSON")
}

/// The floor that comes of four answers.
pub fn floor_of(texts: &BTreeMap<&'static str, String>) -> LivePersonFloor {
    let mut floor = LivePersonFloor::new("lp".into(), Vec::new(), "floor".into());
    floor.take(QUEUESTATE, Some(Answer::State(Arc::new(body(texts, "queuestate")))), at(0));
    floor.take(QUEUEHEALTH, Some(Answer::Health(Arc::new(body(texts, "queuehealth")))), at(0));
    let agents = Answer::Agents { answer: Arc::new(body(texts, "agents")), own: Some("26663513".into()) };
    floor.take(AGENTS, Some(agents), at(0));
    let said: ManyChats = body(texts, "chats");
    let mut chats = BTreeMap::new();
    for row in said.list.chats.0.iter().chain((said.lone.seen > 0).then_some(&said.lone)) {
        let Some(key) = key_of(&row.info.key, &row.link) else { continue };
        let mut chat = Chat::default();
        chat.fold(&row.events.list.0);
        chat.set_info(&row.info);
        chats.insert(key, chat);
    }
    floor.take(CONVERSATIONS, Some(Answer::Chats(chats)), at(0));
    floor
}

pub fn shown(rows: &Rows) -> serde_json::Value {
    serde_json::json!({
        "queues": rows.queues.values().collect::<Vec<_>>(),
        "agents": rows.agents.values().collect::<Vec<_>>(),
        "conversations": rows.conversations.values().collect::<Vec<_>>(),
        "totals": rows.totals,
    })
}

#[test]
fn every_case_gives_its_floor() {
    for case in ["page", "engine"] {
        insta::with_settings!({
            snapshot_path => format!("../fixtures/{case}"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_json_snapshot!("expected", shown(&played(case).rows()));
        });
    }
}

#[test]
fn both_mappers_tell_the_same_agents_and_skills() {
    let (page, engine) = (shown(&played("page").rows()), shown(&played("engine").rows()));
    for part in ["agents", "queues", "totals"] {
        assert_eq!(page[part], engine[part], "{part}");
    }
}

#[test]
fn a_wait_stays_put_unless_it_truly_moves() {
    let mut floor = LivePersonFloor::new("lp".into(), Vec::new(), "floor".into());
    let mut since = |size: i64, ms: i64, second: i64| {
        let body = format!(
            "{{\"skills\":{{\"1\":{{\"currentQueueSize\":{size},\"currentMaxWaitTimeInQueue\":{ms}}}}},\"totals\":{{}}}}"
        );
        floor.take(
            QUEUESTATE,
            Some(Answer::State(Arc::new(loose::read(body.as_bytes()).unwrap()))),
            at(second),
        );
        let queue = floor.rows().queues["1"].clone();
        (queue.waiting, queue.waiting_since.map(|w| (w.as_ms() - 1_800_000_000_000) / 1000))
    };
    assert_eq!(since(2, 15_000, 0), (Some(2), Some(-15)));
    assert_eq!(since(2, 22_000, 10), (Some(2), Some(-15)), "three seconds off is the poll's own doubt");
    assert_eq!(since(1, 3_000, 20), (Some(1), Some(17)), "the oldest has left");
    assert_eq!(since(1, -1, 30), (Some(1), Some(17)), "not told this time");
    assert_eq!(since(0, -1, 40), (Some(0), None));
    assert_eq!(since(-1, -1, 50), (None, None), "minus one is no data, not nobody");
}

/// The vendor renews its figures every few seconds only: the same words again are no news, and nobody's wait
/// jumps back. A figure that was put aside as old is shown again as it was.
#[test]
fn the_same_answer_again_moves_no_instant() {
    let case = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/liveperson/fixtures"))
        .unwrap()
        .map(|case| case.unwrap().file_name().into_string().unwrap())
        .find(|case| {
            let rows = played(case).rows();
            rows.queues.values().any(|queue| queue.waiting_since.is_some())
        })
        .expect("somebody waits in a fixture");
    let mut floor = played(&case);
    let before = shown(&floor.rows());
    for again in [QUEUESTATE, QUEUEHEALTH, AGENTS] {
        floor.take(again, None, at(10));
    }
    assert_eq!(shown(&floor.rows()), before);
    // Nor do rows that stand still in an answer that is new for another reason.
    let texts = texts(&case);
    floor.take(QUEUESTATE, Some(Answer::State(Arc::new(body(&texts, "queuestate")))), at(20));
    let agents = Answer::Agents { answer: Arc::new(body(&texts, "agents")), own: Some("26663513".into()) };
    floor.take(AGENTS, Some(agents), at(20));
    assert_eq!(shown(&floor.rows()), before);
    floor.outdated(QUEUESTATE);
    assert_ne!(shown(&floor.rows()), before);
    floor.take(QUEUESTATE, None, at(40));
    assert_eq!(shown(&floor.rows()), before);
}
