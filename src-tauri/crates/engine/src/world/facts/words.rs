//! The model's words as rules write them.

use model::{Channel, ConversationState, Health, Outcome, Presence, QueueKind, StartedVia};

pub(super) fn queue_kind(kind: QueueKind) -> &'static str {
    match kind {
        QueueKind::Team => "team",
        QueueKind::Department => "department",
        QueueKind::Room => "room",
        QueueKind::Skill => "skill",
        QueueKind::Project => "project",
        QueueKind::Personal => "personal",
        QueueKind::Site => "site",
        QueueKind::Other => "other",
    }
}

pub(super) fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Available => "available",
        Presence::Busy => "busy",
        Presence::Idle => "idle",
        Presence::Away => "away",
        Presence::Offline => "offline",
        Presence::Unknown => "unknown",
    }
}

pub(super) fn state(state: ConversationState) -> &'static str {
    match state {
        ConversationState::Waiting => "waiting",
        ConversationState::Active => "active",
        ConversationState::Ended => "ended",
    }
}

pub(super) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "chat",
        Channel::Message => "message",
        Channel::Desktop => "desktop",
        Channel::Mobile => "mobile",
        Channel::Rdp => "rdp",
        Channel::Vnc => "vnc",
        Channel::Shell => "shell",
        Channel::Vpro => "vpro",
        Channel::Web => "web",
        Channel::Other => "other",
    }
}

pub(super) fn started_via(via: StartedVia) -> &'static str {
    match via {
        StartedVia::SessionKey => "session_key",
        StartedVia::IssueForm => "issue_form",
        StartedVia::AgentList => "agent_list",
        StartedVia::ClickToChat => "click_to_chat",
        StartedVia::Button => "button",
        StartedVia::Jump => "jump",
        StartedVia::Api => "api",
        StartedVia::Invitation => "invitation",
        StartedVia::Other => "other",
    }
}

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Handled => "handled",
        Outcome::Abandoned => "abandoned",
        Outcome::Missed => "missed",
        Outcome::SwitchedToMessage => "switched_to_message",
        Outcome::Unknown => "unknown",
    }
}

pub(super) fn health(health: Health) -> &'static str {
    match health {
        Health::Disabled => "disabled",
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Stale => "stale",
        Health::Retrying => "retrying",
        Health::Throttled => "throttled",
        Health::Denied => "denied",
        Health::Misconfigured => "misconfigured",
    }
}
