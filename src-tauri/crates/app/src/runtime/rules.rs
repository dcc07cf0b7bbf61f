//! The rule editor's questions, and those about the alert log.

use model::{Id, Severity, Timestamp};

use super::Floorwalker;
use crate::api::{Code, Failure, HistoryQuery, Reply, RuleForm};

fn later() -> Failure {
    Failure::new(Code::NotHere, "This face does not do that yet.")
}

impl Floorwalker {
    pub(super) async fn rules(&self) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn check_rule(
        &self,
        _text: Option<String>,
        _form: Option<RuleForm>,
        _replaces: Option<String>,
    ) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn save_rule(&self, _text: String, _replaces: Option<String>) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn remove_rule(&self, _name: &str) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn set_rule_enabled(&self, _name: &str, _enabled: bool) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn try_rule(
        &self,
        _text: String,
        _replaces: Option<String>,
        _from: Option<Timestamp>,
        _to: Option<Timestamp>,
    ) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn alert_history(&self, _query: HistoryQuery) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn add_note(&self, _alert: Option<Id>, _text: String) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn budget(&self) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn test_sound(
        &self,
        _severity: Severity,
        _volume: Option<u32>,
    ) -> Result<Reply, Failure> {
        Err(later())
    }
    pub(super) async fn shift_end(&self) -> Result<Timestamp, Failure> {
        Err(later())
    }
}
