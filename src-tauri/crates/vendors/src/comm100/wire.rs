//! What stands on Comm100's wire, as it stands there. Field names and spellings: `README.md`.
//!
//! An agent inside a queue row may carry an API key, an e-mail address and a telephone number. The types
//! here have no place for them, so they are never read.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::drift::{Expected, Shape, Shaped, shape::Size};
use crate::loose::{
    Count, Flag, Key, List, Loose, Number, Reference, Scalar, Seconds, Share, Text, loose_struct,
    nothing_but, one_more,
};

/// The GUID that means "none" as a reference and "Online" as a status.
pub const ZERO: &str = "00000000-0000-0000-0000-000000000000";

loose_struct! {
    /// A row of `realTime/Agents`.
    pub struct AgentRow {
        agent: Reference = "agentid" | "id",
        name: Text = "displayname",
        status: Reference = "currentstatusid",
        open: Count = "ongoingchats",
        capacity: Count = "maxconcurrentchats",
        handled: Count = "intradaychats" | "todaychats",
        chat_time: Seconds = "intradaylinearchattime" | "todaylinearchattime",
    }
}

loose_struct! {
    /// A row of `realTime/Queue`: one target that people are routed to.
    pub struct QueueRow {
        department_id: Guid = "routetodepartmentid",
        department: Inner<Target> = "routetodepartment",
        agent_id: Guid = "routetoagentid",
        agent: Inner<Target> = "routetoagent",
        open: Count = "ongoingchats",
        capacity: Count = "maxconcurrentchats",
        waiting: Told = "currentqueuelength",
        wait_30: Seconds = "avgwaittimeinlast30mins",
        wait_60: Seconds = "avgwaittimeinlast60mins",
        abandoned_30: Count = "abandonedchatsinlast30mins" | "abandondedchatsinlast30mins",
        switched_30: Count = "switchedtomessagesinlast30mins" | "switchedtomessageinlast30mins",
        visitors: List<Waiting> = "visitors" | "queue",
    }
}

loose_struct! {
    /// A department or an agent inside a queue row.
    pub struct Target {
        id: Reference = "id",
        name: Text = "name" | "displayname",
        deleted: Flag = "isdeleted",
    }
}

loose_struct! {
    /// Someone who waits.
    pub struct Waiting {
        id: Reference = "visitorid",
        wait: Seconds = "waittime",
    }
}

loose_struct! {
    /// `realTime/Today`.
    pub struct Today {
        requests: Count = "chatrequests",
        chats: Count = "chats",
        total: Count = "totalchats",
        missed: Count = "missedchats",
        abandoned: Count = "abandondedchats" | "abandonedchats",
        switched: Count = "switchedtomessagechats" | "switchtomessages" | "switchedtomessages",
        invitations: Count = "acceptedinvitations",
        department_transferred: Count = "departmenttransferredchats" | "departmenttransferchats",
        transferred: Count = "totaltransferredchats" | "totaltransferchats",
        acceptance: Share = "chatacceptancerate",
        unique: Share = "uniquechatrate",
        accessibility: Share = "serviceaccessibilityrate",
        utilisation: Share = "agentutilization",
        score: Number = "avgscore",
        wait: Seconds = "avgwaitingtime" | "avgwaittime",
        chat_time: Seconds = "avgchattime",
        response_time: Seconds = "agentavgresponsetime" | "avgresponsetime",
    }
}

loose_struct! {
    /// `realTime/RightNow`.
    pub struct RightNow {
        logged_in: Count = "loggedinagents",
        in_chat: Count = "agentsinchat",
        open: Count = "ongoingchats",
        open_with_agent: Count = "ongoingchatswithagent" | "ongoingchatswithagents",
        open_with_bot: Count = "ongoingchatswithbot" | "ongoingchatswithchatbot",
        waiting: Count = "currentqueuelength",
        visitors: Count = "visitoronsite" | "visitorsonsite",
        utilisation: Share = "chatutilization",
    }
}

loose_struct! {
    /// An agent of the look-up `livechat/agents`, whose status is a name.
    pub struct NamedStatus {
        agent: Reference = "id" | "agentid",
        status: Text = "status",
    }
}

loose_struct! {
    /// A row of `global/agentAwayStatuses`.
    pub struct AwayStatus {
        id: Reference = "id",
        name: Text = "name",
    }
}

loose_struct! {
    /// A row of `global/departments`.
    pub struct Department {
        id: Reference = "id",
        name: Text = "name",
        agents: List<Reference> = "agentids",
        deleted: Flag = "isdeleted",
    }
}

loose_struct! {
    /// A row of `global/agents`, of which only the membership is read.
    pub struct Person {
        agent: Reference = "id",
        departments: List<Reference> = "departmentids",
    }
}

loose_struct! {
    /// `livechat/autoDistributionConfig`.
    pub struct Distribution {
        enabled: Flag = "isenabled",
        limited: Flag = "iflimitmaxconcurrentchatsforallagents",
        for_all: Count = "maxconcurrentchatsforallagents",
        agents: List<AgentLimit> = "agentautodistributionconfigs",
    }
}

loose_struct! {
    /// One agent's limit in it.
    pub struct AgentLimit {
        agent: Reference = "agentid",
        capacity: Count = "maxconcurrentchats",
    }
}

/// A count as it stands on the wire, so that one below zero is told from one that cannot be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told(pub Scalar);

impl Loose for Told {
    fn is_known(&self) -> bool {
        self.0.is_known()
    }
}

impl Shaped for Told {
    const SHAPE: Shape = Count::SHAPE;
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Scalar::deserialize(deserializer).map(Self)
    }
}

/// A reference that is text on this wire. A number is read all the same and counted as drift.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guid(pub Reference);

impl Loose for Guid {
    fn is_known(&self) -> bool {
        self.0.is_known()
    }
}

impl Shaped for Guid {
    const SHAPE: Shape = Shape::Value(Expected {
        what: "id",
        reads: |scalar| matches!(scalar, Scalar::Text(_)),
        size: Size::Plain,
    });
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Reference::deserialize(deserializer).map(Self)
    }
}

/// An object that is one whenever it is there; anything else in its place is counted as drift.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inner<T>(pub T);

impl<T: Loose> Loose for Inner<T> {
    fn is_known(&self) -> bool {
        self.0.is_known()
    }
}

impl<T: Shaped> Shaped for Inner<T> {
    const SHAPE: Shape = match T::SHAPE {
        Shape::Fields(fields) => Shape::Object(fields),
        other => other,
    };
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Inner<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}

/// Every key that a list was seen or documented under.
const LISTS: &[&str] =
    &["list", "agents", "data", "items", "results", "departments", "agentawaystatuses", "queues", "queue"];

/// A list in any of its envelopes: a bare array, `{"list":[…],"total":…}`, `{"agents":[…]}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// The rows; `None` when there was no list at all.
    pub rows: Option<Vec<T>>,
    /// How many there are on all pages.
    pub total: Option<u32>,
    /// How many pages there are.
    pub pages: Option<u32>,
    /// Which page this is, from 1.
    pub page: Option<u32>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { rows: None, total: None, pages: None, page: None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Listed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Envelope<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Envelope<T> {
            type Value = Listed<T>;
            nothing_but!(Listed::default());
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    one_more(&mut rows, row)?;
                }
                Ok(Listed { rows: Some(rows), ..Listed::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut listed = Listed::default();
                while let Some(Key(key)) = map.next_key()? {
                    match key.as_str() {
                        "total" | "count" => listed.total = map.next_value::<Count>()?.0,
                        "pagecount" => listed.pages = map.next_value::<Count>()?.0,
                        "pageindex" => listed.page = map.next_value::<Count>()?.0,
                        key if LISTS.contains(&key) => {
                            let rows: List<T> = map.next_value()?;
                            if rows.is_known() && listed.rows.is_none() {
                                listed.rows = rows.0;
                            }
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(listed)
            }
        }
        deserializer.deserialize_any(Envelope(std::marker::PhantomData))
    }
}

impl<T: Shaped> Shaped for Listed<T> {
    const SHAPE: Shape = Shape::Enveloped(&T::SHAPE, LISTS);
}

/// A reference that names something: neither absent nor the zero GUID.
pub fn named(reference: &Reference) -> Option<&str> {
    reference.0.as_deref().filter(|id| *id != ZERO)
}
