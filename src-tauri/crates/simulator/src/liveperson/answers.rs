//! The resources behind a login: agents, own chats, operational figures, configuration.

use std::time::Duration;

use model::{ConversationState, Vendor};
use serde_json::{Map, Value, json};

use super::{LivePersonServer, MANAGER, agent_number, desk::Seance, skill_number};
use crate::{
    floor::{Centre, Contact, FloorQueue, Seat, Stance, WaitEnd},
    wire::lock,
};

const HALF_HOUR: Duration = Duration::from_secs(1800);

/// The vendor's number for a stance.
fn state_number(stance: Stance) -> i64 {
    match stance {
        Stance::Offline => 1,
        Stance::Accepting => 2,
        Stance::Away => 4,
    }
}

/// Free slots of a skill as the vendor counts them: with somebody unlimited always 1.
pub(super) fn slots(floor: &Centre, q: &FloorQueue) -> i64 {
    let online = || {
        q.seats.iter().filter_map(|s| floor.seat(*s)).filter(|s| !s.disabled && s.stance == Stance::Accepting)
    };
    if online().any(|s| s.limit.is_none()) {
        return 1;
    }
    online().map(|s| i64::from(s.limit.unwrap_or(0)).saturating_sub(s.open.len() as i64).max(0)).sum()
}

impl LivePersonServer {
    pub(super) fn available_agents(&self, floor: &Centre, seance: &Seance, sid: u64) -> Value {
        let style = self.dialect.xml();
        let mut agents: Vec<Value> = floor
            .seats_of(Vendor::Liveperson)
            .map(|seat| self.agent_row(floor, seat, self.own_seat(floor) == Some(seat.no), seance))
            .collect();
        if self.dialect.own.is_none() {
            let state = if seance.chat == "Online" { 2 } else { 4 };
            let mut row = Map::new();
            row.insert(style.name("id"), style.number(MANAGER));
            row.insert(style.name("chatState"), style.number(state));
            row.insert(style.name("voiceState"), style.number(1));
            row.insert(style.name("maxChats"), style.number(0));
            row.insert("userName".to_owned(), json!(super::LOGIN));
            row.insert("nickname".to_owned(), json!("Floor"));
            row.insert("email".to_owned(), json!("floor@example.test"));
            style.boxed(&mut row, "skills", "skill", Vec::new());
            style.boxed(&mut row, "skillsInfo", "skillInfo", Vec::new());
            row.insert("chats".to_owned(), style.number(0));
            let span = floor.now().since(seance.since).as_millis();
            row.insert("elapsedTimeInState".to_owned(), style.number(i64::try_from(span).unwrap_or(0)));
            agents.push(Value::Object(row));
        }
        if self.dialect.nobody_listed {
            agents.clear();
        }
        let mut list = Map::new();
        style.put(&mut list, "agent", agents);
        let base =
            format!("{}/availableAgents?timeStamp={}", self.session_path(sid), self.wire.now().as_ms());
        json!({"availableAgents": {"agents": list, "link": style.link(&base, "next")}})
    }

    fn agent_row(&self, floor: &Centre, seat: &Seat, own: bool, seance: &Seance) -> Value {
        let style = self.dialect.xml();
        let mut row = Map::new();
        let state = match (own, seance.chat) {
            (true, "Online") => 2,
            (true, _) => 4,
            _ => state_number(seat.stance),
        };
        row.insert(style.name("id"), style.number(agent_number(seat.no)));
        row.insert(style.name("chatState"), style.number(state));
        row.insert(style.name("voiceState"), style.number(1));
        row.insert(style.name("maxChats"), style.number(seat.limit.map_or(-1, i64::from)));
        row.insert("userName".to_owned(), if own { json!(super::LOGIN) } else { json!(seat.email) });
        row.insert("nickname".to_owned(), json!(seat.name()));
        row.insert("email".to_owned(), json!(seat.email));
        row.insert("privilegeGroup".to_owned(), json!("agents"));
        let ids = seat.queues.iter().map(|q| style.number(skill_number(*q))).collect();
        style.boxed(&mut row, "skills", "skill", ids);
        let infos = seat
            .queues
            .iter()
            .filter_map(|q| floor.queue(*q))
            .map(|q| json!({"id": style.number(skill_number(q.no)), "name": q.name}));
        style.boxed(&mut row, "skillsInfo", "skillInfo", infos.collect());
        if state != 1 || self.dialect.chats_always {
            row.insert("chats".to_owned(), style.number(seat.open.len() as i64));
        }
        row.insert("agentGroupName".to_owned(), json!("Main Group"));
        row.insert("agentGroupId".to_owned(), json!("-1"));
        let span = if state == 1 { 0 } else { floor.now().since(seat.stance_since).as_millis() };
        row.insert("elapsedTimeInState".to_owned(), style.number(i64::try_from(span).unwrap_or(0)));
        Value::Object(row)
    }

    pub(super) fn chat_sessions(&self, floor: &Centre, sid: u64) -> Value {
        let style = self.dialect.plain();
        let own = self.own_seat(floor);
        let ended = |c: &&Contact| {
            self.dialect.lists_ended
                && c.state == ConversationState::Ended
                && own.is_some_and(|seat| lock(&self.log).is_of(c, seat))
        };
        let chats = floor
            .contacts_of(Vendor::Liveperson)
            .filter(|c| {
                let active = c.state == ConversationState::Active;
                (active && own.is_some_and(|seat| c.seats.contains(&seat))) || ended(c)
            })
            .map(|c| {
                let key = self.chat_key(floor, c.no);
                let mut row = Map::new();
                row.insert(
                    "link".to_owned(),
                    style.link(&format!("{}/chat/{key}", self.session_path(sid)), "chat-session"),
                );
                row.insert("chatSessionKey".to_owned(), json!(key));
                row.insert("startTime".to_owned(), json!(self.wire.shifted(c.created_at).as_ms()));
                Value::Object(row)
            })
            .collect();
        let mut answer = Map::new();
        style.boxed(&mut answer, "chatSessions", "chatSession", chats);
        if answer.is_empty() && !self.dialect.bare_none {
            answer.insert("chatSessions".to_owned(), json!({}));
        }
        Value::Object(answer)
    }

    pub(super) fn queue_state(
        &self,
        floor: &Centre,
        wanted: &dyn Fn(i64) -> bool,
        with_waits: bool,
    ) -> Value {
        let mut skills = Map::new();
        let (mut all_slots, mut all_size, mut longest) = (0, 0, -1);
        for q in floor.queues_of(Vendor::Liveperson).filter(|q| wanted(skill_number(q.no))) {
            let oldest = q.waiting.iter().filter_map(|c| floor.contact(*c)).map(|c| c.entered_at).min();
            let wait = oldest.map_or(-1, |at| i64::try_from(floor.now().since(at).as_millis()).unwrap_or(-1));
            let mut row = Map::new();
            row.insert("currentAvailableSlots".to_owned(), json!(slots(floor, q)));
            row.insert("currentQueueSize".to_owned(), json!(q.waiting.len()));
            if with_waits {
                row.insert("currentMaxWaitTimeInQueue".to_owned(), json!(wait));
            }
            all_slots += slots(floor, q);
            all_size += q.waiting.len() as i64;
            longest = longest.max(wait);
            skills.insert(skill_number(q.no).to_string(), Value::Object(row));
        }
        json!({"skills": skills, "totals": {
            "currentAvailableSlots": all_slots, "currentQueueSize": all_size, "currentMaxWaitTimeInQueue": longest
        }})
    }

    pub(super) fn queue_health(
        &self,
        floor: &Centre,
        wanted: Option<&dyn Fn(i64) -> bool>,
        window: Duration,
    ) -> Value {
        let size_name = if self.dialect.other_size_name { "currentQueueState" } else { "currentQueueSize" };
        let row = |connected: u32, abandoned: u32, waited: f64, size: usize, slots: i64| {
            let ended = f64::from(connected + abandoned);
            json!({
                "enteredQEng": connected as usize + abandoned as usize + size,
                "connectedEng": connected,
                "abandonedEng": abandoned,
                "abandonmentRate": if ended > 0.0 { f64::from(abandoned) / ended } else { 0.0 },
                "totalTimeToAnswer": waited,
                "avgTimeToAnswer": if connected > 0 { waited / f64::from(connected) } else { 0.0 },
                "totalTimeToAbandon": 0,
                "avgTimeToAbandon": 0,
                size_name: size,
                "currentAvailableSlots": slots,
            })
        };
        let mut skills = Map::new();
        let mut sum = (0, 0, 0.0, 0, 0);
        for q in floor.queues_of(Vendor::Liveperson) {
            let connected = q.hour.count(floor.windows_end(), window, WaitEnd::Answered);
            let abandoned = abandoned(floor, q, window);
            let waited =
                q.hour.average_wait_s(floor.windows_end(), window).unwrap_or(0.0) * f64::from(connected);
            let (size, slots) = (q.waiting.len(), slots(floor, q));
            sum = (sum.0 + connected, sum.1 + abandoned, sum.2 + waited, sum.3 + size, sum.4 + slots);
            let quiet = connected == 0 && abandoned == 0 && size == 0;
            if wanted.is_some_and(|wanted| wanted(skill_number(q.no))) && !quiet {
                skills.insert(skill_number(q.no).to_string(), row(connected, abandoned, waited, size, slots));
            }
        }
        let mut answer = Map::new();
        if wanted.is_some() {
            answer.insert("skillsMetrics".to_owned(), Value::Object(skills));
        }
        answer.insert("metricsTotals".to_owned(), row(sum.0, sum.1, sum.2, sum.3, sum.4));
        Value::Object(answer)
    }

    pub(super) fn skill_list(&self, floor: &Centre) -> Value {
        let rows = floor.queues_of(Vendor::Liveperson).map(|q| {
            json!({"id": skill_number(q.no), "name": q.name, "description": "", "maxWaitTime": 120, "deleted": false})
        });
        Value::Array(rows.chain([json!({"id": -1, "name": "Unassigned", "deleted": false})]).collect())
    }
}

/// Everybody whose wait in a skill ended without a person.
pub(super) fn abandoned(floor: &Centre, q: &FloorQueue, window: Duration) -> u32 {
    let count = |end| q.hour.count(floor.windows_end(), window, end);
    count(WaitEnd::Abandoned) + count(WaitEnd::Missed) + count(WaitEnd::Switched)
}

/// The window that the truth speaks of.
pub(super) const WINDOW: Duration = HALF_HOUR;
