use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Id, Timestamp};

/// The five systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Vendor {
    /// BeyondTrust Remote Support.
    Beyondtrust,
    /// Comm100 Live Chat.
    Comm100,
    /// giosg.
    Giosg,
    /// LivePerson.
    Liveperson,
    /// Pingstreams, a white label of Tiledesk.
    Pingstreams,
}

impl Vendor {
    /// All of them, in the order of their names.
    pub const ALL: [Vendor; 5] =
        [Vendor::Beyondtrust, Vendor::Comm100, Vendor::Giosg, Vendor::Liveperson, Vendor::Pingstreams];

    /// The name in configuration and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Vendor::Beyondtrust => "beyondtrust",
            Vendor::Comm100 => "comm100",
            Vendor::Giosg => "giosg",
            Vendor::Liveperson => "liveperson",
            Vendor::Pingstreams => "pingstreams",
        }
    }
    /// Whether its people are helped at their own screens: sessions are longer there than chats, and so are
    /// the waits that are taken for granted.
    pub fn is_remote_support(self) -> bool {
        self == Vendor::Beyondtrust
    }
    /// Reads the name in configuration and JSON.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }
}

/// How well the link to one source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Health {
    /// Turned off in the configuration.
    Disabled,
    /// On its way to a first complete state.
    Connecting,
    /// A complete first state has arrived and data is fresh.
    Live,
    /// Was live; data older than its limit.
    Stale,
    /// Connection lost, backing off.
    Retrying,
    /// The vendor told us to slow down.
    Throttled,
    /// Credentials or permission refused; retries are rare.
    Denied,
    /// Cannot work until the configuration changes.
    Misconfigured,
}

impl Health {
    /// Whether a one-shot command stops waiting for this source: it is live or has failed for good.
    pub fn is_settled(self) -> bool {
        matches!(self, Health::Live | Health::Denied | Health::Misconfigured | Health::Disabled)
    }
}

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Origin {
    /// The vendor said it.
    Reported,
    /// Computed from the vendor's current rows.
    Derived,
    /// Needs our own history; a start before we looked is a lower bound.
    Observed,
}

/// One configured connection to one vendor account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Source {
    /// From the configuration, `[a-z0-9-]{1,32}`.
    pub id: Id,
    /// Which system.
    pub vendor: Vendor,
    /// The user's name for it.
    pub name: String,
    /// How well the link is.
    pub health: Health,
    /// Since when it has this health.
    pub health_since: Timestamp,
    /// Last good answer or frame that carried state.
    pub last_data_at: Option<Timestamp>,
    /// One plain sentence for a person; never a secret, never a raw body.
    pub last_error: Option<String>,
    /// When the next try is due.
    pub retry_at: Option<Timestamp>,
    /// Server clock minus ours, seconds, where it can be learnt.
    pub clock_skew_s: Option<f64>,
    /// Parts that fail alone while the source is live, by endpoint name; sorted.
    pub gaps: Vec<String>,
    /// What this source can tell, e.g. `"queue.waiting": reported`, `"queue.abandoned@30m": reported`.
    pub provides: BTreeMap<String, Origin>,
}
