//! The function surface of every face: window, bridge and `floorctl` ask these questions and get these
//! answers. Types here cross to TypeScript by generation only (`cargo gen`).

mod alerts;
mod diagnostics;

use std::collections::BTreeMap;

pub use alerts::*;
pub use diagnostics::*;
use model::{Health, Id, Key, Vendor};
use serde::{Deserialize, Serialize};
use vendors::VendorSpec;

/// A value in a source's form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum FormValue {
    Bool(bool),
    Int(#[cfg_attr(feature = "ts", ts(type = "number"))] i64),
    Text(String),
    List(Vec<String>),
}

/// A source as the add or edit form holds it. Never a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct SourceForm {
    pub id: String,
    pub name: String,
    pub vendor: Vendor,
    pub enabled: bool,
    pub url: Option<String>,
    pub ca_file: Option<String>,
    pub proxy: Option<String>,
    /// As in the file: `5s`.
    pub poll: Option<String>,
    pub secret_env: Option<String>,
    pub console_url: Option<String>,
    /// The vendor's own keys.
    pub keys: BTreeMap<String, FormValue>,
}

/// Where a source's secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum SecretPlace {
    /// In the keychain.
    Keychain,
    /// In the environment variable that the configuration names.
    Environment,
    /// Nowhere.
    Missing,
    /// The keychain is locked or there is none.
    Unreadable,
}

/// One configured source.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct ConfiguredSource {
    pub form: SourceForm,
    pub secret: SecretPlace,
}

/// How a trial connection went.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct TestReport {
    pub health: Health,
    /// One plain sentence: what works, or what is missing and what to do.
    pub sentence: String,
    pub queues: u32,
    pub agents: u32,
    pub conversations: u32,
    pub gaps: Vec<String>,
    pub took_ms: u32,
}

/// What a face is told first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct Hello {
    pub version: String,
    /// The floor is simulated: every screen says DEMO.
    pub demo: bool,
    pub config_path: String,
    /// A configuration that cannot be read: the sentence. No source runs.
    pub config_error: Option<String>,
    /// Other things the user must know (a damaged store was put aside, no keychain …).
    pub notices: Vec<String>,
    pub preferences: Preferences,
    /// IANA name of the zone that times are shown in.
    pub zone: String,
}

/// The user's taste.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct Preferences {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// `compact`, `normal` or `roomy`.
    pub density: String,
    /// `system`, or a language code that the catalogue has.
    pub language: String,
    /// `system`, or an IANA zone.
    pub zone: String,
    /// Which alerts sound: `off`, `critical` or `all`.
    pub sound: String,
    /// `one`: one tone for all; `two`: a critical has two.
    pub sound_tones: String,
    /// 0–100.
    pub sound_volume: u32,
    /// When this desk is told nothing by notification or sound, as `open` in `[[hours]]`, in `zone`:
    /// `mon-fri 18:00-08:00`. The window and the tray go on.
    pub mute: Vec<String>,
    /// When shifts end, for a snooze until then: `16:00`, in `zone`.
    pub shift_ends: Vec<String>,
    /// Closing the window leaves the app in the tray, when there is one.
    pub close_to_tray: bool,
    /// Days of history kept.
    pub retention_days: u32,
    /// Personal queues in which nobody waits are left out of the floor's table, and counted there.
    pub hide_empty_personal: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: "system".into(),
            density: "normal".into(),
            language: "system".into(),
            zone: "system".into(),
            sound: "all".into(),
            sound_tones: "two".into(),
            sound_volume: 70,
            mute: Vec::new(),
            shift_ends: Vec::new(),
            close_to_tray: true,
            retention_days: 90,
            hide_empty_personal: false,
        }
    }
}

/// A question of a face. The answer to each is the [`Reply`] of the same name, or `done`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum Ask {
    Hello,
    Vendors,
    Sources,
    /// Connects once with what is in the form, writes nothing. `secret` absent: the stored one.
    TestSource {
        form: SourceForm,
        secret: Option<String>,
    },
    /// Writes the configuration, puts the secret into the keychain, starts the source anew.
    /// `replaces`: the id before, when editing.
    SaveSource {
        form: SourceForm,
        secret: Option<String>,
        replaces: Option<Id>,
    },
    RemoveSource {
        id: Id,
    },
    SetSecret {
        id: Id,
        secret: String,
    },
    /// How a source is asked, how it answers and what of its format is odd: `Diagnostics`.
    Diagnostics {
        id: Id,
    },
    /// Tries a source at once that waits for its next try.
    Retry {
        id: Id,
    },
    Acknowledge {
        alert: Id,
    },
    Unacknowledge {
        alert: Id,
    },
    /// `minutes` absent: until clear. With `shift_end` until the next of the preference `shift_ends`;
    /// `InvalidField` where there is none.
    Snooze {
        alert: Id,
        minutes: Option<u32>,
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
        shift_end: bool,
    },
    Unsnooze {
        alert: Id,
    },
    SetPreferences {
        preferences: Preferences,
    },
    /// All rules: `Rules`.
    Rules,
    /// A rule before it is saved: `CheckRule`. Either `text` (one `[[alert]]`) or `form`; the answer has
    /// both. `replaces`: the name before, when editing.
    CheckRule {
        text: Option<String>,
        form: Option<RuleForm>,
        replaces: Option<String>,
    },
    /// Writes the rule into the file: in place of the one named `replaces`, else at the end.
    SaveRule {
        text: String,
        replaces: Option<String>,
    },
    /// Takes it out of the file; a default rule of that name is in force again.
    RemoveRule {
        name: String,
    },
    /// On or off; a default rule gets an entry in the file for it.
    SetRuleEnabled {
        name: String,
        enabled: bool,
    },
    /// The rule on the stored past: `TryRule`. Without `from`: the last day before `to`; without `to`: up
    /// to now. `editor` is any name that a page gives its editor: a second trial of the same one ends the
    /// first.
    TryRule {
        text: String,
        replaces: Option<String>,
        from: Option<model::Timestamp>,
        to: Option<model::Timestamp>,
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional = nullable))]
        editor: Option<String>,
    },
    /// Ends the editor's trial, which then answers with `stopped`.
    StopTrial {
        editor: String,
    },
    /// How far the editor's trial is: `TrialProgress`.
    TrialProgress {
        editor: String,
    },
    /// What a rule can name: `RuleNames`.
    RuleNames,
    /// The alert log, newest first: `AlertHistory`.
    AlertHistory {
        query: HistoryQuery,
    },
    /// Writes what of the alert log is wanted, oldest first and without a limit, into a file of the folder
    /// for downloads: `ExportHistory`. The columns are those of `floorctl alerts`.
    ExportHistory {
        query: HistoryQuery,
        format: HistoryFormat,
    },
    /// Writes a note on an alert (or, without one, on the floor).
    AddNote {
        alert: Option<Id>,
        text: String,
    },
    /// Everything that rules can look at: `Metrics`.
    Metrics,
    /// How often alerts fired lately: `Budget`.
    Budget,
    /// Plays the tone of a severity once, at the volume given or else the stored one. `NotHere` with a
    /// sentence where nothing can be heard.
    TestSound {
        severity: model::Severity,
        volume: Option<u32>,
    },
    /// Opens the vendor's console for a queue in the browser; only addresses made from `console_url`.
    OpenConsole {
        queue: Key,
    },
    /// The page has something for the log: `error` for its own faults.
    Log {
        level: String,
        message: String,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reply", content = "value", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub enum Reply {
    Hello(Box<Hello>),
    Vendors(Vec<ReplyVendor>),
    Sources(Vec<ConfiguredSource>),
    TestSource(TestReport),
    Diagnostics(Box<Diagnostics>),
    Rules(Vec<RuleEntry>),
    CheckRule(Box<RuleCheck>),
    TryRule(Box<RuleTrial>),
    TrialProgress(TrialProgress),
    RuleNames(RuleNames),
    AlertHistory(HistoryPage),
    ExportHistory(Exported),
    Metrics(Vec<MetricRow>),
    Budget(Budget),
    Done,
}

/// A vendor's description, comparable for tests.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, type = "VendorSpec"))]
pub struct ReplyVendor(pub &'static VendorSpec);

impl PartialEq for ReplyVendor {
    fn eq(&self, other: &Self) -> bool {
        self.0.vendor == other.0.vendor
    }
}

/// Why a question was not answered. The screen branches on `code` only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum Code {
    /// A field of a form is wrong; `field` names it.
    InvalidField,
    /// The thing asked about is not there (any more).
    NotFound,
    /// The keychain is locked, missing or refused.
    Keychain,
    /// The file or database could not be written.
    Storage,
    /// Not possible in this face (the bridge, the demo).
    NotHere,
    /// Our own fault.
    Internal,
}

/// A failure in one plain sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{sentence}")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Failure {
    /// What kind.
    pub code: Code,
    /// What, where, what to do. Never a secret.
    pub sentence: String,
    /// The form's field, where there is one.
    pub field: Option<String>,
}

impl Failure {
    /// Without a field.
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), field: None }
    }
}
