//! The twelve questions that the Real-Time State API's own page says it can answer, answered from the unified
//! state as a script would ask them; and the four that it says it cannot, answered from what was recorded.

use std::{collections::BTreeSet, sync::OnceLock, time::Duration};

use model::{Id, Timestamp, Vendor};
use serde_json::Value;
use simulator::{Control, Options, floor::Stance};

use crate::support::{Desk, row, run};

const V: Vendor = Vendor::Beyondtrust;

/// One floor, asked twelve questions.
struct Asked {
    document: Value,
    queue: String,
    rep: String,
    /// Who has stopped taking sessions: one by going idle, one by opting out.
    stopped: [String; 2],
    /// In the order of their coming, one a minute apart, the newest first.
    sessions: Vec<Id>,
}

fn customers(control: &Control, queue: &str) -> Vec<Id> {
    let come = |n: u64| control.customer_arrived(V, queue, Duration::from_secs(60 * n), None).unwrap();
    (0..6).map(come).collect()
}

/// Six sessions in one queue; a representative has two of them; another is idle, a third has opted out.
fn asked() -> &'static Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    ASKED.get_or_init(|| {
        let play = || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let desk = Desk::open(Options::quiet(&[V])).await;
                let control = desk.centre.control();
                let (queue, name) = control.queues(V).unwrap()[0].clone();
                let agents = control.agents(V).unwrap();
                let sessions = customers(&control, &name);
                control.agent_takes(V, &sessions[0], &agents[0].0).unwrap();
                control.agent_takes(V, &sessions[1], &agents[0].0).unwrap();
                control.agent_presence(V, &agents[1].0, Stance::Away, None).unwrap();
                control.agent_presence(V, &agents[2].0, Stance::Away, None).unwrap();
                let (code, document) = desk.snapshot(&[]).await;
                assert_eq!(code, 0, "{document:#}");
                let [rep, idle, away] = [0, 1, 2].map(|n: usize| agents[n].0.to_string());
                Asked { document, queue: queue.to_string(), rep, stopped: [idle, away], sessions }
            })
        };
        // A runtime cannot be made inside one.
        std::thread::spawn(play).join().unwrap()
    })
}

impl Asked {
    fn list(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.document[kind].as_array().unwrap().iter()
    }
    fn conversations(&self) -> impl Iterator<Item = &Value> {
        self.list("conversations")
    }
    fn now(&self) -> Timestamp {
        instant(&self.document["taken_at"])
    }
    fn ids<'a>(&self, rows: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
        rows.map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    }
    fn expected(&self, numbers: &[usize]) -> BTreeSet<String> {
        numbers.iter().map(|n| self.sessions[*n].to_string()).collect()
    }
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().unwrap_or_else(|| panic!("{value} is an instant")).parse().unwrap()
}
fn has(list: &Value, word: &str) -> bool {
    list.as_array().unwrap().iter().any(|w| w == word)
}

#[test]
fn q01_what_sessions_are_waiting_in_a_queue() {
    let asked = asked();
    let waiting: Vec<&Value> =
        asked.conversations().filter(|c| c["queue"] == *asked.queue && c["state"] == "waiting").collect();
    assert_eq!(asked.ids(waiting.iter().copied()), asked.expected(&[2, 3, 4, 5]));
    let queue = row(&asked.document, "queues", &asked.queue);
    assert_eq!(queue["waiting"], 4);
    // And for how long.
    let longest = waiting.iter().map(|c| c["wait_s"].as_f64().unwrap()).fold(0.0, f64::max);
    assert_eq!(queue["longest_wait_s"].as_f64(), Some(longest));
    assert!((299.0..400.0).contains(&longest), "{longest}");
}

#[test]
fn q02_what_sessions_have_a_representative_in_them() {
    let asked = asked();
    let with = asked.conversations().filter(|c| !c["agents"].as_array().unwrap().is_empty());
    assert_eq!(asked.ids(with), asked.expected(&[0, 1]));
}

#[test]
fn q03_what_sessions_have_been_in_the_system_for_longer_than_x_minutes() {
    let asked = asked();
    let longer =
        asked.conversations().filter(|c| asked.now().seconds_since(instant(&c["created_at"])) > 2.5 * 60.0);
    assert_eq!(asked.ids(longer), asked.expected(&[3, 4, 5]));
}

#[test]
fn q04_what_is_the_estimated_wait_time_for_a_session() {
    let asked = asked();
    let mut told = 0;
    for c in asked.conversations().filter(|c| c["state"] == "waiting") {
        match &c["expected_at"] {
            Value::Null => assert!(c["estimated_wait_s"].is_null(), "no estimate is none, not zero: {c}"),
            at => {
                let left = instant(at).seconds_since(asked.now()).max(0.0);
                let shown = c["estimated_wait_s"].as_f64().unwrap();
                assert!((shown - left).abs() < 1.5, "{shown} {left}");
                told += 1;
            }
        }
    }
    assert!((1..4).contains(&told), "{told}");
}

fn in_progress_by(channel: &str) -> usize {
    asked().conversations().filter(|c| c["channel"] == channel && c["state"] != "ended").count()
}

#[test]
fn q05_how_many_chat_support_sessions_are_in_progress() {
    assert_eq!(in_progress_by("chat"), 2);
}

#[test]
fn q06_how_many_rdp_sessions_are_in_progress() {
    assert_eq!(in_progress_by("rdp"), 1);
}

#[test]
fn q07_how_many_sessions_started_from_a_session_key_or_the_issue_submission_form_are_in_progress() {
    let asked = asked();
    let by = |via: &str| asked.conversations().filter(|c| c["started_via"] == via).count();
    assert_eq!((by("session_key"), by("issue_form")), (1, 1));
    let labels: BTreeSet<&str> =
        asked.conversations().map(|c| c["started_via_label"].as_str().unwrap()).collect();
    assert!(labels.contains("session_key") && labels.contains("issue_submission"), "{labels:?}");
}

#[test]
fn q08_which_representatives_are_logged_in() {
    let asked = asked();
    let truth = 5;
    assert_eq!(asked.list("agents").count(), truth);
    assert!(asked.list("agents").all(|a| !a["name"].as_str().unwrap().is_empty()));
}

#[test]
fn q09_which_representatives_are_available_to_accept_sessions_from_a_specific_queue() {
    let asked = asked();
    let serve = |a: &&Value| has(&a["queues"], &asked.queue);
    let available: Vec<&Value> =
        asked.list("agents").filter(serve).filter(|a| a["presence"] == "available").collect();
    let queue = row(&asked.document, "queues", &asked.queue);
    assert_eq!(queue["agents_available"], available.len());
    assert_eq!(queue["agents_online"], asked.list("agents").filter(serve).count());
    assert!(available.iter().any(|a| a["id"] == *asked.rep), "two sessions are not the most");
}

#[test]
fn q10_in_which_sessions_is_a_representative_participating() {
    let asked = asked();
    let mine = asked.conversations().filter(|c| has(&c["agents"], &asked.rep));
    assert_eq!(asked.ids(mine), asked.expected(&[0, 1]));
    assert_eq!(row(&asked.document, "agents", &asked.rep)["open"], 2);
}

#[test]
fn q11_how_long_has_a_representative_been_logged_in() {
    let asked = asked();
    for agent in asked.list("agents") {
        let logged_in = asked.now().seconds_since(instant(&agent["logged_in_at"]));
        // The feed has whole seconds.
        assert!((-1.0..120.0).contains(&logged_in), "{agent:#}");
    }
}

#[test]
fn q12_which_representatives_are_idle_are_busy_or_have_automatic_session_assignment_disabled() {
    let asked = asked();
    let with = |flag: &str| asked.ids(asked.list("agents").filter(|a| has(&a["flags"], flag)));
    let of = |presence: &str| asked.ids(asked.list("agents").filter(|a| a["presence"] == presence));
    let [one, other] = &asked.stopped;
    let (idle, away) = if with("idle").contains(one) { (one, other) } else { (other, one) };
    assert!(with("idle").contains(idle) && !with("idle").contains(away), "{:?}", with("idle"));
    assert!(with("not_accepting").contains(away) && !with("not_accepting").contains(idle));
    assert_eq!((with("idle"), with("not_accepting"), with("busy")), (of("idle"), of("away"), of("busy")));
    assert!(of("available").contains(&asked.rep));
}

/// What was recorded of one representative: how the row was, and from when to when.
struct Spell {
    seconds: f64,
    row: Value,
}

fn spells(lines: &[Value], id: &str, until: Timestamp) -> Vec<Spell> {
    let rows = |line: &Value| -> Vec<Value> {
        let rows = if line["type"] == "snapshot" { &line["agents"] } else { &line["upserts"]["agents"] };
        rows.as_array().cloned().unwrap_or_default()
    };
    let mut told: Vec<(Timestamp, Value)> = Vec::new();
    for line in lines {
        let at = if line["type"] == "snapshot" { &line["taken_at"] } else { &line["at"] };
        let row = rows(line).into_iter().find(|r| r["id"] == id);
        told.extend(row.map(|row| (instant(at), row)));
    }
    let ends: Vec<Timestamp> = told.iter().skip(1).map(|(at, _)| *at).chain([until]).collect();
    told.into_iter()
        .zip(ends)
        .map(|((at, row), end)| Spell { seconds: end.seconds_since(at).max(0.0), row })
        .collect()
}

/// The four questions about the past: what the API cannot say, the record can.
#[tokio::test(flavor = "multi_thread")]
async fn the_four_historical_questions_are_answered_from_our_own_record() {
    let desk = Desk::open(Options::quiet(&[V])).await;
    let control = desk.centre.control();
    let name = control.queues(V).unwrap()[0].1.clone();
    let rep = control
        .agents(V)
        .unwrap()
        .into_iter()
        .map(|(id, _)| id)
        .find(|id| goes_idle(&desk, &control, id))
        .unwrap();
    let sessions = customers(&control, &name);
    let mut watching = desk.watch(&["--record"]);
    watching.first().await;
    let agent_is = |line: &Value, holds: &dyn Fn(&Value) -> bool| {
        line["upserts"]["agents"].as_array().is_some_and(|a| a.iter().any(|a| a["id"] == *rep && holds(a)))
    };
    let clock = std::time::Instant::now();
    let now = || clock.elapsed().as_secs_f64();

    // Two sessions at once for a while, then one, then none; then idle for a while.
    control.agent_takes(V, &sessions[0], &rep).unwrap();
    let two_earliest = now();
    control.agent_takes(V, &sessions[1], &rep).unwrap();
    watching.until("two sessions", |l| agent_is(l, &|a| a["open"] == 2)).await;
    let two_latest = now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let two = (now() - two_latest, two_earliest);
    control.leaves(V, &sessions[0]).unwrap();
    watching.until("one session", |l| agent_is(l, &|a| a["open"] == 1)).await;
    let two = (two.0, now() - two.1);
    control.leaves(V, &sessions[1]).unwrap();
    watching.until("no session", |l| agent_is(l, &|a| a["open"] == 0)).await;
    let idle_earliest = now();
    control.agent_presence(V, &rep, Stance::Away, None).unwrap();
    watching.until("idle", |l| agent_is(l, &|a| a["presence"] == "idle")).await;
    let idle_latest = now();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle_least = now() - idle_latest;
    control.agent_presence(V, &rep, Stance::Accepting, None).unwrap();
    let back = watching.until("available", |l| agent_is(l, &|a| a["presence"] == "available")).await;
    let idle_most = now() - idle_earliest;
    let until = instant(&back["at"]);
    // Until it is on the disk.
    let path = desk.folder.path().join("past.json");
    let lines = loop {
        let output = run(desk.floorctl(&[
            "export",
            "--from",
            &until.minus(Duration::from_secs(120)).to_string(),
            "--to",
            &until.to_string(),
            "--out",
            path.to_str().unwrap(),
        ]))
        .await;
        assert!(now() < 180.0, "{}", String::from_utf8_lossy(&output.stderr));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if output.status.success() && text.contains(&until.to_string()) {
            break serde_json::from_str::<Vec<Value>>(&text).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let spells = spells(&lines, &rep, until);
    let total = |holds: &dyn Fn(&Value) -> bool| -> f64 {
        spells.iter().filter(|s| holds(&s.row)).map(|s| s.seconds).sum()
    };

    // How many sessions has a representative participated in during the last X hours?
    let rows = |line: &Value| -> Vec<Value> {
        let rows = if line["type"] == "snapshot" {
            &line["conversations"]
        } else {
            &line["upserts"]["conversations"]
        };
        rows.as_array().cloned().unwrap_or_default()
    };
    let mine: BTreeSet<String> = lines
        .iter()
        .flat_map(rows)
        .filter(|c| has(&c["agents"], &rep))
        .map(|c| c["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(mine, [sessions[0].to_string(), sessions[1].to_string()].into());
    // What is the total amount of time a representative has been idle during the last X hours?
    let idle = total(&|a| has(&a["flags"], "idle"));
    assert!((idle_least - 0.2..=idle_most + 0.2).contains(&idle), "{idle_least} {idle} {idle_most}");
    // What is the total amount of time a representative was participating in at least Y sessions?
    let busy = total(&|a| a["open"].as_u64() >= Some(2));
    assert!((two.0 - 0.2..=two.1 + 0.2).contains(&busy), "{two:?} {busy}");
    // How long has a representative been idle, busy, or available?
    let last = spells.iter().rev().find(|s| s.row["presence"] == "idle").unwrap();
    assert_eq!(last.row["presence_since_kind"], "observed");
    let since = instant(&last.row["presence_since"]);
    let shown = until.seconds_since(since);
    assert!((idle_least - 0.2..=idle_most + 0.2).contains(&shown), "{shown}");
}

/// Half of those who stop are idle, the others have opted out.
fn goes_idle(desk: &Desk, control: &Control, id: &Id) -> bool {
    control.agent_presence(V, id, Stance::Away, None).unwrap();
    let truth = desk.centre.truth(V);
    let idle = truth.agents.iter().any(|a| a.id == *id && a.presence == model::Presence::Idle);
    control.agent_presence(V, id, Stance::Accepting, None).unwrap();
    idle
}
