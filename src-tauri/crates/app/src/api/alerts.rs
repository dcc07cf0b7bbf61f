//! Questions about rules, and what is answered about rules and the alert log.

use model::{Id, Severity, Subject, SubjectKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::past::{LogLine, TrialReport};

/// A rule as the form holds it: the keys of `[[alert]]`, in the same words. `null` and an empty list mean
/// that the key is left out, and the default holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(default)]
#[allow(missing_docs)]
pub struct RuleForm {
    pub name: String,
    pub when: String,
    pub critical: Option<String>,
    pub scope: ScopeForm,
    /// As in the file: `30s`.
    #[serde(rename = "for")]
    pub hold: Option<String>,
    /// A condition, or the bare value of the metric in `when`.
    pub clear: Option<String>,
    pub keep: Option<String>,
    pub repeat: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub min_n: Option<i64>,
    /// As `open` in `[[hours]]`: `mon-fri 08:00-20:00`.
    pub active: Vec<String>,
    /// IANA zone of `active`.
    pub zone: Option<String>,
    pub severity: Option<Severity>,
    /// `desktop`, `sound`, `tray`, `webhook:NAME`; `null`: the first three.
    pub notify: Option<Vec<String>>,
    /// `true` where the key is left out.
    pub enabled: bool,
    pub overrides: Vec<OverrideForm>,
}

/// `scope = { … }`: globs; an empty list restricts nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct ScopeForm {
    pub source: Vec<String>,
    pub queue: Vec<String>,
    pub group: Vec<String>,
    pub agent: Vec<String>,
}

/// `[[alert.override]]`: globs of exactly one of `queue`, `group`, `source`; what is not `null` holds for
/// what they match, in place of the rule's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct OverrideForm {
    pub queue: Vec<String>,
    pub group: Vec<String>,
    pub source: Vec<String>,
    pub when: Option<String>,
    pub critical: Option<String>,
    #[serde(rename = "for")]
    pub hold: Option<String>,
    pub clear: Option<String>,
    pub keep: Option<String>,
    pub repeat: Option<String>,
    pub enabled: Option<bool>,
}

/// One rule of the list: yours in the order of the file, then the default ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct RuleEntry {
    /// Its name.
    pub name: String,
    /// Its `[[alert]]` as it stands in the file, comments included; of a default rule as it would stand.
    pub text: String,
    /// The same as a form.
    pub form: RuleForm,
    /// There is a default rule of this name.
    pub default: bool,
    /// It stands in the file. Both: yours replaces the default one, and removing it brings that back.
    pub own: bool,
    /// It is on.
    pub enabled: bool,
    /// What it is about; `None` when it cannot be read.
    pub subject: Option<SubjectKind>,
    /// Why it cannot be used. Lines are those of `text`.
    pub error: Option<RuleFault>,
}

/// What is wrong with a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct RuleFault {
    /// What is wrong and what to do.
    pub sentence: String,
    /// Line in the rule's text, from 1.
    pub line: u32,
    /// Column in that line, in characters from 1.
    pub column: u32,
    /// How many characters are meant, at least 1.
    pub length: u32,
    /// The form's field: `when`, `critical`, `scope.queue`, `override.1.when` (from 1) …; `None`: the text
    /// as a whole.
    pub field: Option<String>,
    /// Place in that field's own text, in characters from 0.
    pub field_at: u32,
    /// The clipped text and a second line with carets under the place; may be empty.
    pub caret: String,
}

/// What a rule says of the present floor.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Preview {
    /// What it is about.
    pub subject: Subject,
    /// Its source's id; `None` for the whole floor.
    pub source: Option<Id>,
    /// How bad.
    pub severity: Severity,
    /// The figure that decides; `None` when infinite (then `reason` says so).
    pub value: Option<f64>,
    /// `count`, `seconds`, `ratio`, `score` or `name`.
    pub unit: String,
    /// What it is held against.
    pub limit: Option<f64>,
    /// One plain sentence.
    pub reason: String,
    /// It would be quiet now: outside opening hours or the rule's own.
    pub muted: bool,
    /// Since when an alert of the saved rule stands there, when one does.
    pub since: Option<Timestamp>,
}

/// A rule looked at before it is saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct RuleCheck {
    /// The rule as text; of a form that was given, what would stand in the file.
    pub text: String,
    /// The rule as a form; `None` when the text is not understood that far.
    pub form: Option<RuleForm>,
    /// Empty: it can be saved.
    pub errors: Vec<RuleFault>,
    /// For whom it fires now (as if its `for` had passed where that is `0s`), the worst first.
    pub fires_now: Vec<Preview>,
    /// Where the condition holds and `for` would have to pass first.
    pub would_be_pending: Vec<Preview>,
    /// How many it looks at.
    pub targets: u32,
    /// Of how many of them nothing can be said now: a figure is not known.
    pub unknown: u32,
}

/// A rule tried on the stored past.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct RuleTrial {
    /// From when to when, and what fired; `None` when the rule has errors and nothing was tried.
    pub report: Option<TrialReport>,
    /// Errors of the rule.
    pub errors: Vec<RuleFault>,
    /// Nobody waited for it any more: `report` is `None`.
    pub stopped: bool,
}

/// How far a trial is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct TrialProgress {
    /// One is under way (or waits for another editor's to end).
    pub running: bool,
    /// How much of the time is played, 0–1.
    pub done: f64,
}

/// What a rule can name, as the file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct RuleNames {
    /// For `notify`, without `webhook:`.
    pub webhooks: Vec<String>,
    /// For `scope.group` and overrides.
    pub groups: Vec<String>,
}

/// What kind of file the alert log is written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub enum HistoryFormat {
    /// One row per line of the log and per note.
    Csv,
    /// The document of `floorctl alerts --json`.
    Json,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Exported {
    /// Where it is.
    pub path: String,
    /// Lines of the log in it.
    pub lines: u32,
}

/// What of the alert log is wanted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct HistoryQuery {
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub to: Option<Timestamp>,
    /// Of this rule only.
    pub rule: Option<String>,
    /// Of this source only.
    pub source: Option<Id>,
    /// Of this alert only.
    pub alert: Option<Id>,
    /// Only lines before this one: the `id` of the last line of the page before.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub before: Option<i64>,
    /// At most so many lines (1–1000; 0: 200).
    pub limit: u32,
}

/// A page of the alert log, newest line first.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct HistoryPage {
    /// The lines.
    pub lines: Vec<HistoryLine>,
    /// There are older ones.
    pub more: bool,
    /// Notes on the alerts of this page, oldest first.
    pub notes: Vec<NoteRow>,
    /// The rules that the log speaks of, for the filter.
    pub rules: Vec<String>,
}

/// A line of the alert log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct HistoryLine {
    /// Its number: later lines have larger ones.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: i64,
    /// What happened.
    #[serde(flatten)]
    pub line: LogLine,
}

/// A note on an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct NoteRow {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub id: i64,
    pub at: Timestamp,
    /// Who wrote it.
    pub actor: String,
    /// `None`: about the floor as a whole.
    pub alert: Option<Id>,
    pub text: String,
}

/// A metric that rules can look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct MetricRow {
    /// What has it.
    pub subject: SubjectKind,
    /// Name after the dot, without a window.
    pub name: String,
    /// `count`, `seconds`, `ratio`, `score`, `name` (one of `words`) or `text`.
    pub unit: String,
    /// The formula in one line.
    pub formula: String,
    /// `more` or `less` is worse, or `neutral`.
    pub direction: String,
    /// Written with one of these after an `@`; empty: written without.
    pub windows: Vec<String>,
    /// The words that it is compared with; empty for numbers and free text.
    pub words: Vec<String>,
}

/// How loud the rules are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Budget {
    /// Times that alerts fired in the last 60 minutes.
    pub last_hour: u32,
    /// More than that is too much for a person.
    pub limit: u32,
    /// Above the limit: the rule that fired most.
    pub noisiest: Option<NoisyRule>,
    /// Above the limit: one plain sentence.
    pub sentence: Option<String>,
    /// Until when this desk is told nothing by notification or sound, when a mute time holds now.
    pub quiet_until: Option<Timestamp>,
    /// So many warnings wait because the desktop is not to be disturbed; they are told when that ends.
    pub withheld: u32,
}

/// The rule that fired most in the last hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct NoisyRule {
    pub rule: String,
    pub fired: u32,
}
