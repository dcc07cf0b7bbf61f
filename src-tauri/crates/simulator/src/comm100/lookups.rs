//! The look-ups beside the real-time resources.

use axum::response::Response;
use model::{Timestamp, Vendor};
use serde_json::{Value, json};

use super::{
    Comm100Server, SITE_ID, problem,
    realtime::{agent_object, custom_status, status_name},
};
use crate::{
    floor::{Centre, Seat},
    ids::{IdKind, number},
};

pub(super) fn answer(
    server: &Comm100Server,
    floor: &Centre,
    resource: &str,
    now: Timestamp,
) -> Result<Value, Response> {
    let dialect = &server.dialect;
    let seats = || floor.seats_of(Vendor::Comm100);
    let id = |s: &Seat| server.guid(IdKind::Seat, u64::from(s.no.0));
    let status = |s: &Seat| json!({"id": id(s), "status": status_name(s), "ongoingChats": dialect.int(s.open.len() as i64)});
    Ok(match resource {
        "livechat/agents" => seats().map(status).collect(),
        "livechat/autodistributionconfig" => json!({
            "isEnabled": true,
            "autoDistributionMethod": "loadBalancing",
            "ifLimitMaxConcurrentChatsForAllAgents": false,
            "maxConcurrentChatsForAllAgents": 3,
            "agentAutoDistributionConfigs": seats()
                .filter_map(|s| Some(json!({
                    "agentId": id(s), "maxConcurrentChats": s.limit?, "ifAutoAcceptChat": true,
                })))
                .collect::<Vec<_>>(),
            "departmentAutoDistributionConfigs": [],
        }),
        "global/departments" => floor
            .queues_of(Vendor::Comm100)
            .map(|q| {
                json!({
                    "id": server.guid(IdKind::Queue, u64::from(q.no.0)),
                    "name": q.name,
                    "description": "",
                    "isAvailableInLiveChat": true,
                    "isAvailableInTicketingAndMessaging": true,
                    "offlineMessageMailTo": "allAgents",
                    "offlineMessageEmailAddresses": "",
                    "agentIds": q.seats.iter()
                        .filter(|s| floor.seat(**s).is_some_and(|s| !s.disabled))
                        .map(|s| server.guid(IdKind::Seat, u64::from(s.0)))
                        .collect::<Vec<_>>(),
                    "isDeleted": false,
                })
            })
            .collect(),
        "global/agents" => seats().map(|s| agent_object(server, s)).collect(),
        "global/agentawaystatuses" => {
            let mut labels = vec!["Break", "Lunch", "Coaching", "Обед", "Team meeting"];
            labels.extend(seats().filter_map(|s| s.label));
            labels.sort_unstable();
            labels.dedup();
            let custom = labels.iter().enumerate().map(|(order, label)| {
                json!({"id": custom_status(label), "name": label, "order": order + 1, "isSystem": false})
            });
            let away = json!({
                "id": "00000000-0000-0000-0000-000000000001", "name": "Away", "order": 0, "isSystem": true,
            });
            std::iter::once(away).chain(custom).collect()
        }
        "global/agentawaystatusconfig" => json!({"isEnabled": true}),
        "global/site" => json!({
            "siteId": SITE_ID,
            "company": "Example Shop",
            "timeZone": "UTC",
            "status": 0,
            "createdTime": now.to_string(),
        }),
        other => match other.strip_prefix("livechat/agents/").and_then(number) {
            Some(n) => seats()
                .find(|s| u64::from(s.no.0) == n)
                .map(status)
                .ok_or_else(|| problem(404, 404_000, "Not found."))?,
            None => return Err(problem(404, 404_000, "Not found.")),
        },
    })
}
