//! Every field of the samples replaced by every odd value: nothing falls over, no row goes but the one
//! that has lost its name, and no number is invented.

use std::collections::BTreeMap;

use link::poll::Floor;
use serde_json::{Value, json};

use super::golden::{floor_of, shown};
use crate::{
    drift::Drift,
    liveperson::wire::{AgentsAnswer, ManyChats, QueueState, instant},
};

const ODD: [&str; 16] = [
    "null",
    "true",
    "\"\"",
    "\"x\"",
    "-1",
    "-7",
    "3.5",
    "[]",
    "{}",
    "[1,[2]]",
    "{\"a\":{}}",
    "1e400",
    "NaN",
    "1e30",
    "\"9007199254740993\"",
    "\"0001-01-01T00:00:00Z\"",
];

fn sample(case: &str) -> BTreeMap<&'static str, Value> {
    ["queuestate", "queuehealth", "agents", "chats"]
        .into_iter()
        .map(|name| {
            let path = format!("{}/src/liveperson/fixtures/{case}/{name}.json", env!("CARGO_MANIFEST_DIR"));
            (name, serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        })
        .collect()
}

/// Paths to everything in a document that is no container.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(key, inner)| leaves(inner, &format!("{at}/{}", key.replace('/', "~1")), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| leaves(inner, &format!("{at}/{n}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// Every number in what is shown, by its place.
fn numbers(value: &Value, at: &str, found: &mut BTreeMap<String, f64>) {
    match value {
        Value::Object(fields) => {
            // Lists are told apart by the ids in them, not by their order.
            fields.iter().for_each(|(key, inner)| numbers(inner, &format!("{at}/{key}"), found));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(n, inner)| {
            let name = inner.get("id").or(inner.get("metric")).and_then(Value::as_str);
            numbers(inner, &format!("{at}/{}", name.map_or_else(|| n.to_string(), str::to_owned)), found);
        }),
        Value::Number(number) => {
            found.insert(at.to_owned(), number.as_f64().unwrap());
        }
        _ => {}
    }
}

#[test]
fn p6_p16_p17_p18_odd_values_cost_their_own_field_and_invent_nothing() {
    for case in ["page", "engine"] {
        let bodies = sample(case);
        let texts: BTreeMap<&str, String> =
            bodies.iter().map(|(name, body)| (*name, body.to_string())).collect();
        let whole = shown(&floor_of(&texts).rows());
        let mut known = BTreeMap::new();
        numbers(&whole, "", &mut known);
        for (name, body) in &bodies {
            let mut places = Vec::new();
            leaves(body, "", &mut places);
            assert!(places.len() > 8, "{name}");
            for place in places {
                // The other case is the same in another dialect: a part of the values is enough.
                for odd in ODD.iter().copied().step_by(if case == "page" { 1 } else { 4 }) {
                    let mut changed = body.clone();
                    *changed.pointer_mut(&place).unwrap() = json!("\u{1}odd\u{1}");
                    let mut texts = texts.clone();
                    texts.insert(name, changed.to_string().replace("\"\\u0001odd\\u0001\"", odd));
                    let rows = floor_of(&texts).rows();
                    let key = place.rsplit('/').next().unwrap_or_default();
                    let is_name = matches!(key, "id" | "@id" | "chatSessionKey" | "href");
                    let lists = [
                        ("queues", rows.queues.len()),
                        ("agents", rows.agents.len()),
                        ("conversations", rows.conversations.len()),
                    ];
                    for (list, now) in lists {
                        let before = whole[list].as_array().unwrap().len();
                        // A skill that only an agent names goes with that agent's word for it.
                        let may_go = is_name || place.contains("/skill");
                        assert!(
                            may_go || now >= before,
                            "{case} {name}{place} {odd}: {list} {now} of {before}"
                        );
                    }
                    let mut after = BTreeMap::new();
                    numbers(&shown(&rows), "", &mut after);
                    for (at, value) in after {
                        assert!(value.is_finite() && value >= 0.0, "{name}{place} {odd}: {at} {value}");
                        // Who is counted depends on who is known; everything else is as it was, or null.
                        let counts = ["agents_online", "agents_available", "capacity", "open"];
                        let is_count = counts.iter().any(|count| at.ends_with(count));
                        let was = known.get(&at).copied();
                        let said: Option<f64> = odd.trim_matches('"').parse().ok();
                        assert!(
                            is_count
                                || is_name
                                || was == Some(value)
                                || said == Some(value)
                                || (said < Some(0.0) && value == 0.0),
                            "{case} {name}{place} {odd}: {at} was {was:?}, is {value}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn p5_p25_words_to_come_and_strange_text_are_shown_as_they_are() {
    let mut texts: BTreeMap<&str, String> =
        sample("page").iter().map(|(name, body)| (*name, body.to_string())).collect();
    let strange = "\u{202e}Ann\u{200b} 👩‍👩‍👧 \"<b>\" \n\t=1+1";
    let mut agents = sample("page")["agents"].clone();
    let first = &mut agents["availableAgents"]["agents"]["agent"][0];
    first["nickname"] = json!(strange);
    first["@chatState"] = json!("7");
    first["more"] = json!({"a": [1]});
    texts.insert("agents", agents.to_string());
    let row = floor_of(&texts).rows().agents["25025413"].clone();
    assert_eq!(row.name, strange);
    assert_eq!((row.presence, row.presence_label.as_deref()), (model::Presence::Unknown, Some("7")));
    assert_eq!(row.presence_since, None);
    for (word, presence) in [
        ("Online", model::Presence::Available),
        ("Occupied", model::Presence::Busy),
        ("Back Soon", model::Presence::Away),
        ("BACK_SOON", model::Presence::Away),
        ("Away", model::Presence::Away),
        ("Offline", model::Presence::Offline),
    ] {
        let mut agents = sample("page")["agents"].clone();
        agents["availableAgents"]["agents"]["agent"][0]["@chatState"] = json!(word);
        texts.insert("agents", agents.to_string());
        assert_eq!(floor_of(&texts).rows().agents["25025413"].presence, presence, "{word}");
    }
}

#[test]
fn p26_what_has_changed_in_the_format_is_noted_by_its_name() {
    let notes = crate::drift::Notes::default();
    let read = |slots: &str| {
        let body = format!(r#"{{"skills":{{"4":{{"{slots}":2,"currentQueueSize":0}}}},"totals":{{}}}}"#);
        notes.read::<QueueState>("queuestate", body.as_bytes()).unwrap()
    };
    for _ in 0..3 {
        read("currentAvailableSlots");
    }
    assert!(notes.list().is_empty(), "{notes:?}");
    read("slotsNow");
    let list = notes.list();
    assert!(list.iter().any(|note| note.field.ends_with("currentavailableslots")), "{list:?}");
    // −1 is one of the vendor's words, not a change; a state that is on no list is.
    let sample = &sample("page")["agents"];
    let notes = crate::drift::Notes::default();
    notes.read::<AgentsAnswer>("agents", sample.to_string().as_bytes()).unwrap();
    assert!(notes.list().is_empty(), "{notes:?}");
    let odd = sample.to_string().replace(r#""@chatState":"2""#, r#""@chatState":"9""#);
    notes.read::<AgentsAnswer>("agents", odd.as_bytes()).unwrap();
    assert!(notes.list().iter().any(|note| note.field.ends_with("chatstate")), "{notes:?}");
}

#[test]
fn p26_a_change_of_unit_is_noted_and_an_instant_in_seconds_is_unknown() {
    let notes = crate::drift::Notes::default();
    let chat = |time: &str| {
        let event = format!(r#"{{"id":0,"type":"state","state":"waiting","time":{time}}}"#);
        let body = format!(r#"{{"chats":{{"chat":[{{"events":{{"event":[{event}]}}}}]}}}}"#);
        let answer: ManyChats = notes.read("chats", body.as_bytes()).unwrap();
        answer.list.chats.0[0].events.list.0[0].time.0.as_deref().and_then(instant)
    };
    let at = chat(r#""2015-08-30T15:06:02Z""#);
    assert!(at.is_some() && chat(r#""1440947162000""#) == at && notes.list().is_empty(), "{notes:?}");
    assert_eq!(chat(r#""1440947162""#), None);
    let list = notes.list();
    assert!(list.iter().all(|note| note.drift == Drift::Unit) && list.len() == 1, "{list:?}");

    let notes = crate::drift::Notes::default();
    let read = |wait: i64| {
        let skill = format!(r#"{{"currentQueueSize":1,"currentMaxWaitTimeInQueue":{wait}}}"#);
        let body = format!(r#"{{"skills":{{"4":{skill}}},"totals":{{}}}}"#);
        notes.read::<QueueState>("queuestate", body.as_bytes()).unwrap();
    };
    (0..20).for_each(|n| read(60_000 + n * 10_000));
    // Milliseconds become seconds.
    (0..12).for_each(|n| read(10 + n));
    let list = notes.list();
    assert!(list.len() == 1 && list[0].drift == Drift::Unit, "{list:?}");
    assert!(list[0].field.ends_with("currentmaxwaittimeinqueue"), "{list:?}");
}

/// What the model says of skills, capacity and agents.
#[test]
fn the_readings_of_the_model() {
    let texts = |agents: Value, skill: Value| -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("agents", json!({"availableAgents": {"agents": {"agent": agents}}}).to_string()),
            ("queuestate", json!({"skills": {"4": skill}, "totals": {}}).to_string()),
            ("queuehealth", json!({"metricsTotals": {"enteredQEng": 1}}).to_string()),
            ("chats", "{}".to_owned()),
        ])
    };
    let agent = |id: &str, state: i64, most: i64, chats: Value, skills: Value| json!({"@id": id, "@chatState": state.to_string(), "@maxChats": most.to_string(), "chats": chats, "skills": {"skill": skills}});
    let skill = |slots: i64| json!({"currentAvailableSlots": slots, "currentQueueSize": 0, "currentMaxWaitTimeInQueue": -1});
    let queue = |agents: Value, slots: i64| floor_of(&texts(agents, skill(slots))).rows().queues["4"].clone();
    // Chats are summed where every agent serves this skill alone and says how many it has.
    let both = json!([agent("1", 2, 4, json!("2"), json!("4")), agent("2", 4, 3, json!("1"), json!(["4"]))]);
    let row = queue(both, 2);
    assert_eq!((row.open, row.capacity, row.free_capacity), (Some(3), Some(4), Some(2)));
    assert_eq!((row.agents_online, row.agents_available, row.waiting), (Some(2), Some(1), Some(0)));
    let several =
        json!([agent("1", 2, 4, json!("2"), json!(["4", "5"])), agent("2", 2, 3, json!("1"), json!("4"))]);
    assert_eq!(queue(several, 2).open, None);
    let untold = json!([agent("1", 2, 4, Value::Null, json!("4"))]);
    assert_eq!(queue(untold, 2).open, None);
    // One without a limit; overbooked; no data.
    let unlimited =
        json!([agent("1", 2, -1, json!("2"), json!("4")), agent("2", 2, 3, json!("1"), json!("4"))]);
    let row = queue(unlimited, 1);
    assert_eq!((row.capacity, row.free_capacity), (None, None));
    let one = || json!([agent("1", 2, 1, json!("2"), json!("4"))]);
    assert_eq!(queue(one(), -2).free_capacity, Some(0), "nobody is free");
    assert_eq!(queue(one(), -1).free_capacity, None, "no data");
    // At its limit, over it, and one who takes only what is handed over.
    let row = floor_of(&texts(
        json!([agent("1", 2, 1, json!("2"), json!("4")), agent("2", 3, 5, json!("0"), json!("4"))]),
        skill(0),
    ))
    .rows();
    assert_eq!((row.agents["1"].presence, row.agents["1"].free_capacity), (model::Presence::Busy, Some(0)));
    assert_eq!(row.agents["2"].presence, model::Presence::Busy);
    // Our own user is away, and counted so.
    let own = json!([agent("26663513", 2, 5, json!("0"), json!("4"))]);
    let row = floor_of(&texts(own, skill(0))).rows();
    assert_eq!(row.agents["26663513"].presence, model::Presence::Away);
    assert_eq!((row.queues["4"].agents_available, row.queues["4"].capacity), (Some(0), Some(0)));
}
