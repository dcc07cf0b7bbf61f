//! The controls over HTTP, for scripts: `POST /<vendor>/<act>?name=value`, `GET /<vendor>/<what>`.
//!
//! Acts: `arrive` (queue, ago, name) · `take` `leave` `agent-writes` (conversation, agent) ·
//! `transfer` (conversation, queue) · `end` `customer-writes` (conversation) · `tag` (conversation, tag) ·
//! `presence` (agent, is = accepting, away or offline) · `down` `up` `cut` `reset` `silence` `heal`
//! `revoke` · `fault` (endpoint, status, times) · `hang` (endpoint) · `secret` (is) · `skew` (seconds) ·
//! `push` (text); `POST /floor/pause` and `/floor/resume`. To read: `truth` `counters` `queues` `agents`
//! `conversations`.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use model::Vendor;
use serde_json::{Value, json};

use crate::{Control, ControlError, Fault, Half, Truth, floor::Stance};

type Truths = Arc<dyn Fn(Vendor) -> Truth + Send + Sync>;
type Params = Vec<(String, String)>;
type Answer = (StatusCode, Json<Value>);

#[derive(Clone)]
struct Desk {
    control: Control,
    truth: Truths,
}

pub(crate) fn desk(control: Control, truth: Truths) -> Router {
    Router::new().route("/{vendor}/{act}", get(read).post(act)).with_state(Desk { control, truth })
}

fn sorry(code: StatusCode, sentence: impl ToString) -> Answer {
    (code, Json(json!({"ok": false, "error": sentence.to_string()})))
}

async fn read(State(desk): State<Desk>, Path((vendor, what)): Path<(String, String)>) -> Answer {
    let Some(vendor) = Vendor::parse(&vendor) else {
        return sorry(StatusCode::NOT_FOUND, "no such vendor");
    };
    let control = &desk.control;
    let named = |list: Result<Vec<(model::Id, String)>, ControlError>| {
        list.map(|l| json!(l.iter().map(|(id, name)| json!({"id": id, "name": name})).collect::<Vec<_>>()))
    };
    let found = match what.as_str() {
        "truth" => Ok(json!((desk.truth)(vendor))),
        "counters" => control.counters(vendor).map(|c| json!(c)),
        "queues" => named(control.queues(vendor)),
        "agents" => named(control.agents(vendor)),
        "conversations" => control.conversations(vendor).map(|c| json!(c)),
        _ => return sorry(StatusCode::NOT_FOUND, "nothing of that name to read"),
    };
    match found {
        Ok(value) => (StatusCode::OK, Json(value)),
        Err(error) => sorry(StatusCode::BAD_REQUEST, error),
    }
}

async fn act(
    State(desk): State<Desk>,
    Path((vendor, act)): Path<(String, String)>,
    Query(params): Query<Params>,
) -> Answer {
    let control = &desk.control;
    match (vendor.as_str(), act.as_str()) {
        ("floor", "pause") => control.pause(),
        ("floor", "resume") => control.resume(),
        _ => {
            let Some(vendor) = Vendor::parse(&vendor) else {
                return sorry(StatusCode::NOT_FOUND, "no such vendor");
            };
            return match play(control, vendor, &act, &params) {
                Some(Ok(id)) => (StatusCode::OK, Json(json!({"ok": true, "id": id}))),
                Some(Err(error)) => sorry(StatusCode::BAD_REQUEST, error),
                None => sorry(StatusCode::NOT_FOUND, "no act of that name"),
            };
        }
    }
    (StatusCode::OK, Json(json!({"ok": true})))
}

fn play(
    control: &Control,
    v: Vendor,
    act: &str,
    params: &Params,
) -> Option<Result<Option<String>, ControlError>> {
    let get = |name: &str| params.iter().find(|(k, _)| k == name).map(|(_, value)| value.as_str());
    let text = |name: &str| get(name).unwrap_or_default();
    let seconds = |name: &str| get(name).and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.0);
    let (conversation, agent, queue) = (text("conversation"), text("agent"), text("queue"));
    let endpoint = get("endpoint").unwrap_or("*");
    let done = match act {
        "arrive" => {
            let ago = Duration::from_secs_f64(seconds("ago").clamp(0.0, 86_400.0));
            let id = control.customer_arrived(v, queue, ago, get("name"));
            return Some(id.map(|id| Some(id.as_str().to_owned())));
        }
        "take" => control.agent_takes(v, conversation, agent),
        "leave" => control.agent_leaves(v, conversation, agent),
        "transfer" => control.transfer(v, conversation, queue),
        "end" => control.leaves(v, conversation),
        "agent-writes" => control.agent_writes(v, conversation, agent),
        "customer-writes" => control.customer_writes(v, conversation),
        "tag" => control.tag(v, conversation, text("tag")),
        "presence" => {
            let (stance, label) = match text("is") {
                "away" => (Stance::Away, Some("Break")),
                "offline" => (Stance::Offline, None),
                _ => (Stance::Accepting, None),
            };
            control.agent_presence(v, agent, stance, label)
        }
        "down" => control.down(v),
        "up" => control.up(v),
        "cut" => control.cut(v),
        "reset" => control.reset(v),
        "silence" => control.silence(v, Half::Both),
        "heal" => control.heal(v),
        "revoke" => control.revoke_tokens(v),
        "fault" => {
            let fault =
                Fault::status(seconds("status").clamp(100.0, 599.0) as u16, "{\"message\":\"simulated\"}");
            match get("times").and_then(|t| t.parse().ok()) {
                Some(times) => control.fault_times(v, endpoint, fault, times),
                None => control.fault(v, endpoint, fault),
            }
        }
        "hang" => control.fault(v, endpoint, Fault::Hang),
        "secret" => control.require_secret(v, get("is")),
        "skew" => control.clock_skew(v, seconds("seconds")),
        "push" => control.push_raw(v, text("text")),
        _ => return None,
    };
    Some(done.map(|()| None))
}
