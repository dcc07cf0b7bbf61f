//! Names on the wire, nowhere else. Only fields that are used are read; everything is optional.

use serde::Deserialize;

use super::lax::{Obj, Take, Texts, Val};

/// One frame from the server. `S` is how its text is kept: see [`Take`].
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Frame<S = String> {
    pub action: Val<S>,
    pub payload: Obj<Payload<S>>,
}

/// What a frame carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Payload<S = String> {
    pub topic: Val<S>,
    /// `CREATE` or `UPDATE`. Only the server can set it: a frame without it was forged by a client.
    pub method: Val<S>,
    /// An array, an object or `null`. Boxed: a row is large, and is handed up through every level of a
    /// frame while it is read.
    pub message: Obj<Box<Row<S>>>,
}

/// A conversation, a member, or a message: the topic says which. Their fields share one struct because
/// the topic may stand behind the message in a frame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Row<S = String> {
    #[serde(rename = "updatedAt")]
    pub updated_at: Val<S>,
    #[serde(rename = "createdAt")]
    pub created_at: Val<S>,
    /// A number for conversations and messages, a word for members.
    pub status: Val<S>,

    // conversation
    pub request_id: Val<S>,
    pub preflight: Val<S>,
    pub draft: Val<S>,
    pub participants: Texts<S>,
    #[serde(rename = "participantsAgents")]
    pub participants_agents: Texts<S>,
    pub lead: Obj<Party<S>>,
    pub department: Obj<Party<S>>,
    pub snapshot: Obj<Box<Snapshot<S>>>,
    pub subject: Val<S>,
    pub priority: Val<S>,
    pub channel: Obj<Party<S>>,
    pub assigned_at: Val<S>,
    pub first_response_at: Val<S>,
    pub closed_at: Val<S>,
    pub tags: Obj<Tag<S>>,

    // member
    #[serde(rename = "_id")]
    pub own_id: Val<S>,
    pub id_user: Obj<Party<S>>,
    pub role: Val<S>,
    #[serde(rename = "roleType")]
    pub role_type: Val<S>,
    pub user_available: Val<S>,
    #[serde(rename = "profileStatus")]
    pub profile_status: Val<S>,
    pub number_assigned_requests: Val<S>,
    pub max_assigned_chat: Val<S>,
    #[serde(rename = "isBusy")]
    pub is_busy: Val<S>,
    pub trashed: Val<S>,
    pub permissions: Texts<S>,

    // message
    pub sender: Val<S>,
    pub recipient: Val<S>,
    pub text: Val<S>,
    pub attributes: Obj<Attributes<S>>,
}

/// Free fields of a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Attributes<S = String> {
    /// `info` of the system, `private` for a note among teammates.
    pub subtype: Val<S>,
}

/// Copies at creation time; most shapes carry only a part.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Snapshot<S = String> {
    pub lead: Obj<Party<S>>,
    pub department: Obj<Party<S>>,
}

/// Somebody or something that is referred to by its id alone or by an object with names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Party<S = String> {
    #[serde(rename = "_id")]
    pub own_id: Val<S>,
    pub id: Val<S>,
    pub fullname: Val<S>,
    pub name: Val<S>,
    pub firstname: Val<S>,
    pub lastname: Val<S>,
    pub email: Val<S>,
}

impl<S: AsRef<str>> Obj<Party<S>> {
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
#[serde(default, bound(deserialize = "S: Take<'de>"))]
pub(super) struct Tag<S = String> {
    pub tag: Val<S>,
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

impl Department {
    /// Ids of its groups; none: every teammate serves it.
    pub fn group_ids(&self) -> Vec<String> {
        let shares = match &self.groups {
            Obj::List(list) => list.iter().filter_map(|g| g.group_id.text()).collect(),
            _ => Vec::new(),
        };
        self.id_group.text().into_iter().chain(shares).map(str::to_owned).collect()
    }
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
