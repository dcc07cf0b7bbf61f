use serde::{Deserialize, Serialize};

use crate::{Id, Timestamp};

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum ConversationState {
    /// In a queue.
    Waiting,
    /// A person has it.
    Active,
    /// Over; listed for 60 s and then removed.
    Ended,
}

/// The medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Channel {
    /// Live chat.
    Chat,
    /// Asynchronous message.
    Message,
    /// Desktop support session.
    Desktop,
    /// Mobile support session.
    Mobile,
    /// RDP.
    Rdp,
    /// VNC.
    Vnc,
    /// Shell.
    Shell,
    /// Intel vPro.
    Vpro,
    /// Web.
    Web,
    /// Anything else.
    Other,
}

/// How a conversation began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum StartedVia {
    /// A session key.
    SessionKey,
    /// An issue form.
    IssueForm,
    /// A list of agents.
    AgentList,
    /// Click to chat.
    ClickToChat,
    /// A button.
    Button,
    /// A jump client.
    Jump,
    /// A program.
    Api,
    /// An invitation.
    Invitation,
    /// Anything else.
    Other,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Outcome {
    /// A person handled it.
    Handled,
    /// The customer left.
    Abandoned,
    /// Nobody answered.
    Missed,
    /// The customer left a message instead.
    SwitchedToMessage,
    /// Not known.
    Unknown,
}

/// One support session or chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Conversation {
    /// Source id.
    pub source: Id,
    /// The vendor's id in the form fixed by the model.
    pub id: Id,
    /// Queue id.
    pub queue: Option<Id>,
    /// Ids of the people in it (bots are not agents); `[]` while it waits.
    pub agents: Option<Vec<Id>>,
    /// Where it stands.
    pub state: ConversationState,
    /// The medium.
    pub channel: Option<Channel>,
    /// How it began.
    pub started_via: Option<StartedVia>,
    /// The vendor's raw word for that.
    pub started_via_label: Option<String>,
    /// The customer's name.
    pub customer: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it last entered a queue; stays after the answer.
    pub waiting_since: Option<Timestamp>,
    /// First join of a person after that, as far as it was seen.
    pub answered_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it is expected to be served.
    pub expected_at: Option<Timestamp>,
    /// Last message of the customer.
    pub last_customer_message_at: Option<Timestamp>,
    /// Last message of an agent.
    pub last_agent_message_at: Option<Timestamp>,
    /// How it ended; only when ended.
    pub outcome: Option<Outcome>,
    /// Tags.
    pub tags: Option<Vec<String>>,
    /// Priority as the vendor says it.
    pub priority: Option<String>,
}
