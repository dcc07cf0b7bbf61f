//! The rule editor's questions, and those about the alert log.

use std::path::PathBuf;

use engine::alerts::{Present, Spent, Tone};
use model::{Alert, Id, Severity, Timestamp};
use store::{DeskReader, LogFilter, StoreError};

use super::{
    Command, Floorwalker,
    ask::{gone, storage},
};
use crate::{
    api::{
        Budget, Code, Exported, Failure, HistoryFormat, HistoryLine, HistoryPage, HistoryQuery, NoisyRule,
        NoteRow, Preview, Reply, RuleCheck, RuleForm, RuleNames, RuleTrial,
    },
    past::{self, PastError},
    settings::{
        self, Settings,
        rule_edit::{self, Checked},
    },
};

/// A preview names at most so many.
const PREVIEWED: usize = 500;
/// Lines of a page of the log, at most and when nothing is said.
const PAGE: (u32, u32) = (1000, 200);
/// A note is a sentence or two.
const NOTE: usize = 4000;

impl Floorwalker {
    fn config(&self) -> PathBuf {
        self.inner.start.config.clone()
    }

    /// The file as it is now: what stands in it is what is edited.
    fn as_written(&self) -> Result<Settings, Failure> {
        settings::load(&self.inner.start.config).map_err(storage)
    }

    pub(super) async fn rules(&self) -> Result<Reply, Failure> {
        let _one_at_a_time = self.inner.settings.lock().await;
        Ok(Reply::Rules(rule_edit::entries(&self.config(), &self.as_written()?)?))
    }

    pub(super) async fn check_rule(
        &self,
        text: Option<String>,
        form: Option<RuleForm>,
        replaces: Option<String>,
    ) -> Result<Reply, Failure> {
        let text = match (text, form) {
            (Some(text), _) => text,
            (None, Some(form)) => rule_edit::write_form(&self.config(), &form, replaces.as_deref()),
            (None, None) => {
                return Err(Failure::new(Code::InvalidField, "Give the rule as text or as a form."));
            }
        };
        let checked = rule_edit::check(&self.as_written()?, text, replaces.as_deref());
        let mut check = RuleCheck::default();
        if !checked.alone.rules().is_empty() {
            let book = checked.alone.clone();
            let (present, standing) =
                self.command(|reply| Command::Preview { book, reply }).await.map_err(|_| gone())?;
            let rule = replaces.as_deref().unwrap_or(checked.name());
            fill(&mut check, present, &standing, rule);
        }
        let Checked { text, form, errors, .. } = checked;
        Ok(Reply::CheckRule(Box::new(RuleCheck { text, form, errors, ..check })))
    }

    pub(super) async fn save_rule(&self, text: String, replaces: Option<String>) -> Result<Reply, Failure> {
        {
            let _one_at_a_time = self.inner.settings.lock().await;
            let checked = rule_edit::check(&self.as_written()?, text, replaces.as_deref());
            if let Some(failure) = checked.failure() {
                return Err(failure);
            }
            let replaces = replaces.as_deref();
            rule_edit::write_rule(&self.inner.start.config, &checked.text, replaces).map_err(storage)?;
        }
        self.reload(Vec::new()).await
    }

    pub(super) async fn remove_rule(&self, name: &str) -> Result<Reply, Failure> {
        {
            let _one_at_a_time = self.inner.settings.lock().await;
            if !rule_edit::remove_rule(&self.inner.start.config, name).map_err(storage)? {
                let sentence = match self.is_default(name) {
                    true => "This rule came with Floorwalker; turn it off instead.",
                    false => "There is no rule of this name any more.",
                };
                return Err(Failure::new(Code::NotFound, sentence));
            }
        }
        self.reload(Vec::new()).await
    }

    pub(super) async fn set_rule_enabled(&self, name: &str, enabled: bool) -> Result<Reply, Failure> {
        {
            let _one_at_a_time = self.inner.settings.lock().await;
            let file = &self.inner.start.config;
            if !rule_edit::enable_rule(file, name, enabled).map_err(storage)? {
                let entries = rule_edit::entries(file, &self.as_written()?)?;
                let Some(entry) = entries.into_iter().find(|entry| entry.name == name) else {
                    return Err(Failure::new(Code::NotFound, "There is no rule of this name any more."));
                };
                // A default rule is turned off by one of the same name in the file.
                if entry.enabled != enabled {
                    let form = RuleForm { enabled, ..entry.form };
                    let text = rule_edit::write_form(file, &form, None);
                    rule_edit::write_rule(file, &text, None).map_err(storage)?;
                }
            }
        }
        self.reload(Vec::new()).await
    }

    fn is_default(&self, name: &str) -> bool {
        let standing = self.as_written().ok();
        standing.is_some_and(|s| s.rules.rule(name).is_some_and(engine::alerts::Rule::is_default))
    }

    /// Plays the past on a thread of its own; one trial at a time.
    pub(super) async fn try_rule(
        &self,
        text: String,
        replaces: Option<String>,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        editor: Option<String>,
    ) -> Result<Reply, Failure> {
        let settings = self.as_written()?;
        let checked = rule_edit::check(&settings, text, replaces.as_deref());
        let answer =
            |report, errors, stopped| Ok(Reply::TryRule(Box::new(RuleTrial { report, errors, stopped })));
        // From here on the editor's earlier trial ends, and this one when nobody waits for it.
        let waiting = self.inner.trials.begin(editor);
        if !checked.errors.is_empty() {
            return answer(None, checked.errors, false);
        }
        let (name, among) = (checked.name().to_owned(), checked.among(&settings, replaces.as_deref()));
        let _one_at_a_time = self.inner.trials.one.lock().await;
        let (data, watched) = (self.inner.start.data.clone(), waiting.watched.clone());
        let tried = tokio::task::spawn_blocking(move || {
            past::try_rules_watched(&data, None, &among, from, to, Some(&name), &watched)
        });
        match tried.await {
            Ok(Ok(report)) => answer(Some(report), Vec::new(), false),
            Ok(Err(PastError::Stopped)) => answer(None, Vec::new(), true),
            Ok(Err(error)) if error.is_usage() => {
                Err(Failure::new(Code::NotFound, format!("The rule cannot be tried: {error}.")))
            }
            Ok(Err(error)) => Err(storage(error)),
            Err(_) => Err(Failure::new(Code::Internal, "The trial broke off; this is a fault of ours.")),
        }
    }

    pub(super) fn rule_names(&self) -> Result<Reply, Failure> {
        let settings = self.as_written()?;
        Ok(Reply::RuleNames(RuleNames {
            webhooks: settings.webhooks.iter().map(|hook| hook.name.clone()).collect(),
            groups: settings.rule_text.groups.iter().map(|group| group.name.clone()).collect(),
        }))
    }

    pub(super) async fn export_history(
        &self,
        query: HistoryQuery,
        format: HistoryFormat,
    ) -> Result<Reply, Failure> {
        let data = self.inner.start.data.clone();
        let folder = settings::downloads_dir().unwrap_or_else(|| data.clone());
        let now = self.now();
        let written =
            tokio::task::spawn_blocking(move || past::export_alerts(&data, &query, format, &folder, now));
        match written.await {
            Ok(Ok((file, lines))) => Ok(Reply::ExportHistory(Exported {
                path: file.display().to_string(),
                lines: u32::try_from(lines).unwrap_or(u32::MAX),
            })),
            Ok(Err(PastError::Store(StoreError::Missing { .. }))) => Err(no_log()),
            Ok(Err(error)) => Err(storage(error)),
            Err(_) => Err(Failure::new(Code::Internal, "Nothing was written; this is a fault of ours.")),
        }
    }

    pub(super) async fn alert_history(&self, query: HistoryQuery) -> Result<Reply, Failure> {
        let desk = self.inner.start.data.join("desk.db");
        let page = tokio::task::spawn_blocking(move || read_log(&desk, &query)).await;
        match page {
            Ok(Ok(page)) => Ok(Reply::AlertHistory(page)),
            Ok(Err(StoreError::Missing { .. })) => Err(no_log()),
            Ok(Err(error)) => Err(storage(error)),
            Err(_) => {
                Err(Failure::new(Code::Internal, "The alert log was not read; this is a fault of ours."))
            }
        }
    }

    pub(super) async fn add_note(&self, alert: Option<Id>, text: String) -> Result<Reply, Failure> {
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > NOTE {
            let sentence = format!("A note has 1 to {NOTE} characters.");
            return Err(Failure { field: Some("text".into()), ..Failure::new(Code::InvalidField, sentence) });
        }
        match self.command(|reply| Command::Note { alert, text, reply }).await {
            Ok(Ok(())) => Ok(Reply::Done),
            Ok(Err(why)) => Err(Failure::new(Code::Storage, format!("The note was not saved: {why}."))),
            Err(_) => Err(gone()),
        }
    }

    pub(super) async fn budget(&self) -> Result<Reply, Failure> {
        let (spent, waiting) = self.command(|reply| Command::Budget { reply }).await.map_err(|_| gone())?;
        let quiet = settings::taste::mute(&self.inner.settings.lock().await.settings.preferences);
        // The file's reader has refused what cannot be read.
        let quiet_until = quiet.unwrap_or_default().and_then(|times| match times.at(self.now()) {
            (true, until) => Some(until),
            (false, _) => None,
        });
        let withheld = u32::try_from(waiting).unwrap_or(u32::MAX);
        Ok(Reply::Budget(Budget { quiet_until, withheld, ..budget(spent) }))
    }

    pub(super) async fn test_sound(&self, severity: Severity, volume: Option<u32>) -> Result<Reply, Failure> {
        let preferences = self.inner.settings.lock().await.settings.preferences.clone();
        let tone = match severity {
            Severity::Critical if preferences.sound_tones != "one" => Tone::Two,
            _ => Tone::One,
        };
        let volume = volume.unwrap_or(preferences.sound_volume).min(100);
        match self.inner.ports.speaker.play(tone, volume).await {
            Ok(()) => Ok(Reply::Done),
            Err(error) => Err(Failure::new(Code::NotHere, format!("Nothing was heard: {error}."))),
        }
    }

    /// The next end of a shift, for a snooze.
    pub(super) async fn shift_end(&self) -> Result<Timestamp, Failure> {
        let configured = self.inner.settings.lock().await;
        settings::taste::next_shift_end(&configured.settings.preferences, self.now()).ok_or_else(|| Failure {
            field: Some("shift_ends".into()),
            ..Failure::new(
                Code::InvalidField,
                "No end of a shift is set; add one under Settings, like 16:00.",
            )
        })
    }
}

fn no_log() -> Failure {
    Failure::new(Code::NotHere, "No alert log is kept here.")
}

fn budget(spent: Spent) -> Budget {
    let sentence = spent.noisiest.as_ref().map(|(rule, fired)| {
        format!(
            "{} alerts in the last hour are more than a person can follow; “{rule}” fired {fired} of them. \
             Raise its limit, or let it wait longer with `for`.",
            spent.fired
        )
    });
    Budget {
        last_hour: spent.fired,
        limit: engine::alerts::HOURLY,
        noisiest: spent.noisiest.map(|(rule, fired)| NoisyRule { rule, fired }),
        sentence,
        quiet_until: None,
        withheld: 0,
    }
}

fn fill(check: &mut RuleCheck, present: Present, standing: &[Alert], rule: &str) {
    let since = |alert: &Alert| {
        standing
            .iter()
            .find(|s| s.rule == rule && s.source == alert.source && s.subject.id == alert.subject.id)
            .and_then(|s| s.fired_at.or(s.pending_since))
    };
    let rows = |alerts: Vec<Alert>| {
        let alerts = alerts.into_iter().take(PREVIEWED);
        alerts
            .map(|alert| Preview {
                since: since(&alert),
                muted: alert.overlays.contains(&model::Overlay::Muted),
                subject: alert.subject,
                source: alert.source,
                severity: alert.severity,
                value: alert.value,
                unit: alert.unit,
                limit: alert.limit,
                reason: alert.reason,
            })
            .collect()
    };
    let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    check.targets = whole(present.targets);
    check.unknown = whole(present.unknown);
    check.fires_now = rows(present.fires);
    check.would_be_pending = rows(present.pending);
}

fn read_log(desk: &std::path::Path, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
    let reader = DeskReader::open(desk)?;
    let (most, usual) = PAGE;
    let limit = if query.limit == 0 { usual } else { query.limit.min(most) };
    let filter = LogFilter {
        from: query.from,
        until: query.to,
        rule: query.rule.clone(),
        source: query.source.clone(),
        alert: query.alert.clone(),
        before: query.before,
        limit: limit + 1,
    };
    let mut found = reader.log(&filter)?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let notes = reader.notes(query.alert.as_ref())?;
    let notes = notes
        .into_iter()
        .filter(|note| note.alert.as_ref().is_none_or(|id| found.iter().any(|(_, line)| line.alert == *id)));
    Ok(HistoryPage {
        notes: notes
            .map(|n| NoteRow { id: n.id, at: n.at, actor: n.actor, alert: n.alert, text: n.text })
            .collect(),
        lines: found.into_iter().map(|(id, line)| HistoryLine { id, line: line.into() }).collect(),
        more,
        rules: reader.log_rules()?,
    })
}
