//! Resources that the vendor has beside those of a floor: the session's own, the account's people, and
//! figures of days.

use std::time::Duration;

use axum::response::Response;
use model::Vendor;
use serde_json::{Map, Value, json};

use super::{Call, LivePersonServer, agent_number, answer, problem, skill_number};
use crate::{
    floor::{Centre, Stance, WaitEnd},
    wire::lock,
};

/// Bounds of the service level's buckets where none are asked for, seconds.
const HISTOGRAM: [u64; 7] = [0, 15, 30, 45, 60, 90, 120];

impl LivePersonServer {
    pub(super) fn session_links(&self, sid: u64) -> Value {
        let (style, base) = (self.dialect.xml(), self.session_path(sid));
        let rels =
            [("info", "info"), ("availability", "availability"), ("availableAgents", "available-agents")];
        let links: Vec<Value> =
            rels.iter().map(|(path, rel)| style.link(&format!("{base}/{path}"), rel)).collect();
        json!({"agentSessionId": {"link": links}})
    }

    pub(super) fn session_info(&self, floor: &Centre, sid: u64) -> Value {
        let style = self.dialect.xml();
        let seat = self.own_seat(floor).and_then(|no| floor.seat(no));
        let chat = lock(&self.desk).sessions.get(&sid).map_or("Offline", |s| s.chat);
        let mut info = Map::new();
        let link = style.link(&format!("{}/info", self.session_path(sid)), "self");
        style.put(&mut info, "link", vec![link]);
        info.insert("agentName".to_owned(), json!(seat.map_or_else(|| "Floor".to_owned(), |s| s.name())));
        info.insert("loginName".to_owned(), json!(super::LOGIN));
        info.insert("id".to_owned(), style.number(seat.map_or(super::MANAGER, |s| agent_number(s.no))));
        let most = seat.map_or(0, |s| s.limit.map_or(-1, i64::from));
        info.insert("maxChats".to_owned(), style.number(most));
        info.insert("availability".to_owned(), json!({"chat": chat, "voice": "Offline"}));
        let skills = seat.into_iter().flat_map(|s| s.queues.iter()).filter_map(|q| floor.queue(*q));
        let skills = skills.map(|q| json!({"id": style.number(skill_number(q.no)), "name": q.name}));
        style.boxed(&mut info, "skillsInfo", "skillInfo", skills.collect());
        json!({"info": info})
    }

    /// Skills with somebody Online.
    pub(super) fn transfer_targets(&self, floor: &Centre, key: &str) -> Response {
        if self.find_chat(floor, key).is_none_or(|no| !self.may_read(floor, no)) {
            return problem(404, 12, "Chat not found");
        }
        let online = |q: &crate::floor::FloorQueue| {
            let seats = q.seats.iter().filter_map(|s| floor.seat(*s));
            seats.filter(|s| !s.disabled && s.stance == Stance::Accepting).count()
        };
        let skills: Vec<Value> = floor
            .queues_of(Vendor::Liveperson)
            .filter(|q| online(q) > 0)
            .map(|q| {
                json!({"id": skill_number(q.no).to_string(), "name": q.name, "onlineAgents": online(q).to_string()})
            })
            .collect();
        answer(200, &json!({"transfer": {"skill": skills}}))
    }

    pub(super) fn configuration(&self, floor: &Centre, what: &str) -> Response {
        let users = floor.seats_of(Vendor::Liveperson).map(|s| {
            json!({"id": agent_number(s.no), "loginName": s.email, "fullName": s.name(), "nickname": s.name(),
                   "maxChats": s.limit.map_or(-1, i64::from), "isEnabled": !s.disabled, "email": s.email,
                   "skillIds": s.queues.iter().map(|q| skill_number(*q)).collect::<Vec<_>>(),
                   "memberOf": {"agentGroupId": -1}})
        });
        match what {
            "users" => answer(200, &Value::Array(users.collect())),
            "agentGroups" => answer(200, &json!([{"id": -1, "name": "Main Group", "deleted": false}])),
            _ => problem(404, 12, "Not found"),
        }
    }

    /// `sla`, `engactivity` and `agentactivity`: from the same history as everything else.
    pub(super) fn more_figures(
        &self,
        floor: &Centre,
        call: &Call,
        resource: &str,
        window: Duration,
    ) -> Result<Value, Response> {
        let answered =
            |q: &crate::floor::FloorQueue| q.hour.count(floor.windows_end(), window, WaitEnd::Answered);
        let all: u32 = floor.queues_of(Vendor::Liveperson).map(answered).sum();
        match resource {
            "sla" => {
                let bounds: Vec<u64> = match call.param("histogram") {
                    None => HISTOGRAM.to_vec(),
                    Some(text) => text.split(',').filter_map(|n| n.parse().ok()).collect(),
                };
                if bounds.iter().any(|n| n % 5 != 0) {
                    return Err(problem(400, 33, "histogram must hold multiples of 5"));
                }
                // All of them stand in the bucket of the mean wait: enough for sums that fit.
                let mean = floor
                    .queues_of(Vendor::Liveperson)
                    .filter_map(|q| q.hour.average_wait_s(floor.windows_end(), window))
                    .fold(0.0, f64::max);
                let home = bounds.iter().rposition(|n| *n as f64 <= mean).unwrap_or(0);
                let buckets = bounds.iter().enumerate().map(|(place, bound)| {
                    let part = if place == home && all > 0 { 1.0 } else { 0.0 };
                    let sum = if place >= home && all > 0 { 1.0 } else { 0.0 };
                    let chats = if place == home { all } else { 0 };
                    let row = json!({"accumulated": sum, "percentageFromTotal": part, "chats": chats});
                    (bound.to_string(), row)
                });
                Ok(json!({"slaDataRange": buckets.collect::<Map<_, _>>()}))
            }
            "engactivity" => Ok(json!({"metricsTotals": {
                "totalInteractiveChats": all, "totalNonInteractiveChats": 0, "totalHandlingTime": 0,
                "nonInteractiveTotalHandlingTime": 0, "connectedEngagements": all}})),
            _ if call.param("agentIds").is_none() => Err(problem(400, 33, "agentIds is required")),
            _ => {
                let agents = floor.seats_of(Vendor::Liveperson).map(|s| {
                    let spent = floor.now().since(s.stance_since).min(window).as_secs();
                    let value = json!({"total": spent, "chatting": 0, "notChatting": spent, "chattingInMaxConcurrency": 0});
                    let (id, name) = match s.stance {
                        Stance::Offline => return (agent_number(s.no).to_string(), json!([])),
                        Stance::Accepting => (2, "Online"),
                        Stance::Away => (4, "Away"),
                    };
                    let rows = json!([{"id": id, "name": name, "value": value}, {"id": -1, "name": "Logged in", "value": value}]);
                    (agent_number(s.no).to_string(), rows)
                });
                Ok(
                    json!({"agentsMetrics": {"metricsPerAgent": agents.collect::<Map<_, _>>()}, "metricsTotals": []}),
                )
            }
        }
    }
}
