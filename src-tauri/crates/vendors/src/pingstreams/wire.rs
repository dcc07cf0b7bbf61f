//! Names on the wire, nowhere else. Only fields that are used are read; everything is optional.

use serde::Deserialize;

use super::lax::{Obj, Texts, Val};

/// One frame from the server.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Frame {
    pub action: Val,
    pub payload: Obj<Payload>,
}

/// What a frame carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    pub topic: Val,
    /// `CREATE` or `UPDATE`. Only the server can set it: a frame without it was forged by a client.
    pub method: Val,
    /// An array, an object or `null`.
    pub message: Obj<Row>,
}

/// A conversation, a member, or a message: the topic says which. Their fields share one struct because
/// the topic may stand behind the message in a frame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Row {
    #[serde(rename = "updatedAt")]
    pub updated_at: Val,
    #[serde(rename = "createdAt")]
    pub created_at: Val,
    /// A number for conversations and messages, a word for members.
    pub status: Val,

    // conversation
    pub request_id: Val,
    pub preflight: Val,
    pub draft: Val,
    pub participants: Texts,
    #[serde(rename = "participantsAgents")]
    pub participants_agents: Texts,
    pub lead: Obj<Party>,
    pub department: Obj<Party>,
    pub snapshot: Obj<Snapshot>,
    pub subject: Val,
    pub priority: Val,
    pub channel: Obj<Party>,
    pub assigned_at: Val,
    pub first_response_at: Val,
    pub closed_at: Val,
    pub tags: Obj<Tag>,

    // member
    #[serde(rename = "_id")]
    pub own_id: Val,
    pub id_user: Obj<Party>,
    pub role: Val,
    #[serde(rename = "roleType")]
    pub role_type: Val,
    pub user_available: Val,
    #[serde(rename = "profileStatus")]
    pub profile_status: Val,
    pub number_assigned_requests: Val,
    pub max_assigned_chat: Val,
    #[serde(rename = "isBusy")]
    pub is_busy: Val,
    pub trashed: Val,
    pub permissions: Texts,

    // message
    pub sender: Val,
    pub recipient: Val,
    pub text: Val,
}

/// Copies at creation time; most shapes carry only a part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Snapshot {
    pub lead: Obj<Party>,
    pub department: Obj<Party>,
}

/// Somebody or something that is referred to by its id alone or by an object with names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Party {
    #[serde(rename = "_id")]
    pub own_id: Val,
    pub id: Val,
    pub fullname: Val,
    pub name: Val,
    pub firstname: Val,
    pub lastname: Val,
    pub email: Val,
}

impl Obj<Party> {
    /// The id, whichever way it is told.
    pub fn id(&self) -> Option<&str> {
        match self {
            Obj::Scalar(id) => id.text(),
            Obj::Is(party) => party.own_id.text().or_else(|| party.id.text()),
            _ => None,
        }
    }
}

/// A tag; older ones are bare text.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Tag {
    pub tag: Val,
}

/// A page of `GET /P/requests`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Page {
    pub requests: Obj<Row>,
    pub count: Val,
    #[serde(rename = "perPage")]
    pub per_page: Val,
}

/// A department of `GET /P/departments`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Department {
    #[serde(rename = "_id")]
    pub own_id: Val,
    pub name: Val,
    pub id_group: Val,
    pub groups: Obj<GroupShare>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GroupShare {
    pub group_id: Val,
}

/// A group of `GET /P/groups`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    #[serde(rename = "_id")]
    pub own_id: Val,
    pub members: Texts,
    pub enabled: Val,
}

/// `GET /projects/P`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Project {
    pub settings: Obj<Settings>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub max_agent_assigned_chat: Val,
}

/// The answer of `POST /auth/signin`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SignedIn {
    pub success: Val,
    pub token: Val,
}

/// An error's own words: `{"success":false,"msg":"…"}`, `{"error":"…"}`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Complaint {
    pub msg: Val,
    pub error: Val,
}

/// What a client may say. There is no way to write a `publish`: we never send one.
pub(super) fn subscribe(topic: &str) -> String {
    serde_json::json!({"action": "subscribe", "payload": {"topic": topic}}).to_string()
}
pub(super) fn unsubscribe(topic: &str) -> String {
    serde_json::json!({"action": "unsubscribe", "payload": {"topic": topic}}).to_string()
}
pub(super) const PING: &str = r#"{"action":"heartbeat","payload":{"message":{"text":"ping"}}}"#;
pub(super) const PONG: &str = r#"{"action":"heartbeat","payload":{"message":{"text":"pong"}}}"#;
