//! Alerts and their log, from `desk.db`.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use model::{Alert, AlertState, Id, Overlay, Severity, Subject, Timestamp, Transition};
use serde::Serialize;
use store::{Actor, DeskReader, JournalEntry};

use super::PastError;
use crate::api::{HistoryQuery, NoteRow};

/// Open alerts, and what happened to all of them.
#[derive(Clone, Debug, Serialize)]
pub struct AlertBook {
    /// Contract number.
    pub contract: u32,
    /// Where the log begins.
    pub since: Timestamp,
    /// Those that are not inactive, sorted by source and id.
    pub alerts: Vec<Alert>,
    /// Every transition since then, oldest first.
    pub log: Vec<LogLine>,
    /// What people wrote about the alerts of the log, and about the floor since then; oldest first.
    pub notes: Vec<NoteRow>,
}

/// One line of the alert log.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct LogLine {
    pub at: Timestamp,
    pub transition: Transition,
    /// Id of the alert.
    pub alert: Id,
    pub rule: String,
    pub severity: Severity,
    pub source: Option<Id>,
    pub subject: Subject,
    pub metric: String,
    pub value: Option<f64>,
    pub limit: Option<f64>,
    pub unit: String,
    pub n: Option<u32>,
    /// The person who did it; `None`: the rules.
    pub actor: Option<String>,
    /// How old the source's data was.
    pub source_age_s: Option<f64>,
    pub reason: String,
    /// Which wording of the rule it was: another one after each change of the rule.
    #[cfg_attr(feature = "ts", ts(optional = nullable))]
    pub rule_version: Option<String>,
}

impl From<JournalEntry> for LogLine {
    fn from(e: JournalEntry) -> Self {
        Self {
            at: e.at,
            transition: e.transition,
            alert: e.alert,
            rule: e.rule,
            severity: e.severity,
            source: e.source,
            subject: e.subject,
            metric: e.metric,
            value: e.value,
            limit: e.limit,
            unit: e.unit,
            n: e.n,
            actor: match e.actor {
                Actor::Rules => None,
                Actor::Person(name) => Some(name),
            },
            source_age_s: e.source_age_s,
            reason: e.reason,
            rule_version: e.rule_version,
        }
    }
}

/// The open alerts and the log since a moment; `only`: of this source, without what is about the floor.
pub fn alerts(
    data: &Path,
    only: Option<&Id>,
    since: Timestamp,
    now: Timestamp,
) -> Result<AlertBook, PastError> {
    let desk = DeskReader::open(&data.join("desk.db"))?;
    let mut alerts = desk.open_alerts()?;
    alerts.retain(|a| a.state != AlertState::Inactive);
    alerts.sort_by(|a, b| (&a.source, &a.id).cmp(&(&b.source, &b.id)));
    // A clock that was set back leaves lines of the future; they belong to the log all the same.
    let until = now.plus(std::time::Duration::from_secs(86_400));
    let mut log: Vec<LogLine> = desk.journal(since, until)?.into_iter().map(LogLine::from).collect();
    let wanted = |source: &Option<Id>| only.is_none() || source.as_ref() == only;
    alerts.retain(|alert| wanted(&alert.source));
    log.retain(|line| wanted(&line.source));
    let mut notes = notes(&desk, &log, since, until)?;
    notes.retain(|note| only.is_none() || note.alert.is_some());
    Ok(AlertBook { contract: engine::document::CONTRACT, since, alerts, log, notes })
}

/// What of the log a page asks for, as a book: oldest first and without a limit.
pub(super) fn of(data: &Path, query: &HistoryQuery, now: Timestamp) -> Result<AlertBook, PastError> {
    let since = query.from.unwrap_or(Timestamp::from_ms(0));
    let wanted = |rule: &str, source: &Option<Id>, alert: &Id| {
        query.rule.as_ref().is_none_or(|wanted| wanted == rule)
            && query.source.as_ref().is_none_or(|wanted| source.as_ref() == Some(wanted))
            && query.alert.as_ref().is_none_or(|wanted| wanted == alert)
    };
    let mut book = alerts(data, None, since, now)?;
    book.alerts.retain(|a| wanted(&a.rule, &a.source, &a.id));
    book.log.retain(|line| {
        query.to.is_none_or(|to| line.at <= to) && wanted(&line.rule, &line.source, &line.alert)
    });
    let whole = query.rule.is_none() && query.source.is_none() && query.alert.is_none();
    book.notes.retain(|note| match &note.alert {
        Some(id) => book.log.iter().any(|line| line.alert == *id),
        None => whole && query.to.is_none_or(|to| note.at <= to),
    });
    Ok(book)
}

fn notes(
    desk: &DeskReader,
    log: &[LogLine],
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<NoteRow>, PastError> {
    let told: HashSet<&Id> = log.iter().map(|line| &line.alert).collect();
    let notes = desk.notes(None)?.into_iter().filter(|note| match &note.alert {
        Some(id) => told.contains(id),
        None => note.at >= since && note.at <= until,
    });
    Ok(notes.map(|n| NoteRow { id: n.id, at: n.at, actor: n.actor, alert: n.alert, text: n.text }).collect())
}

/// How far back an alert's first line is looked for.
const LONGEST_EPISODE: std::time::Duration = std::time::Duration::from_secs(7 * 86_400);

/// The alerts that stood at an instant, from the log. A relapse out of recovering has no line, so such
/// an alert may still show as recovering.
pub(super) fn standing_at(data: &Path, at: Timestamp) -> Result<Vec<Alert>, PastError> {
    let desk = DeskReader::open(&data.join("desk.db"))?;
    let mut standing: BTreeMap<Id, Alert> = BTreeMap::new();
    for entry in desk.journal(at.minus(LONGEST_EPISODE), at)? {
        if entry.transition == Transition::Resolved {
            standing.remove(&entry.alert);
            continue;
        }
        let alert = standing.entry(entry.alert.clone()).or_insert_with(|| blank(&entry));
        follow(alert, entry);
    }
    Ok(standing.into_values().collect())
}

/// What a new run has to know of what the log says of the last one.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// Alerts that are over, and the webhook that was told of them but not of their end.
    pub ends: Vec<(String, Alert)>,
    /// When which rule fired in the last hour.
    pub fired: Vec<(Timestamp, String)>,
    /// When alerts that still stand were told at this desk, and how bad they were then.
    pub told: Vec<(Id, Timestamp, Severity)>,
}

/// Reads it; a log that is not there or cannot be read says nothing.
pub(crate) fn earlier(data: &Path, now: Timestamp) -> Earlier {
    let read = || -> Result<Earlier, store::StoreError> {
        let desk = DeskReader::open(&data.join("desk.db"))?;
        let hour = store::LogFilter {
            from: Some(now.minus(std::time::Duration::from_secs(3600))),
            limit: 100_000,
            ..store::LogFilter::default()
        };
        let lines = desk.log(&hour)?.into_iter().rev();
        let fired = lines.filter(|(_, line)| line.transition == Transition::Firing);
        let fired = fired.map(|(_, line)| (line.at, line.rule)).collect();
        let mut ends = Vec::new();
        for (alert, channel) in desk.ends_untold(now.minus(LATE_END))? {
            let filter = store::LogFilter { alert: Some(alert), limit: 1000, ..store::LogFilter::default() };
            let hook = channel.strip_prefix("webhook:").unwrap_or(&channel).to_owned();
            ends.extend(ended(desk.log(&filter)?).map(|alert| (hook, alert)));
        }
        Ok(Earlier { ends, fired, told: desk.told()? })
    };
    read().unwrap_or_default()
}

/// An end that is older than this is no news any more.
const LATE_END: std::time::Duration = std::time::Duration::from_secs(86_400);

/// An alert as its lines (newest first) leave it, when the last one is its end.
fn ended(lines: Vec<(i64, JournalEntry)>) -> Option<Alert> {
    let (_, last) = lines.first()?;
    if last.transition != Transition::Resolved {
        return None;
    }
    let resolved_at = Some(last.at);
    let mut alert = blank(&lines.last()?.1);
    for (_, line) in lines.into_iter().rev() {
        follow(&mut alert, line);
    }
    Some(Alert { state: AlertState::Inactive, resolved_at, overlays: Vec::new(), ..alert })
}

fn blank(entry: &JournalEntry) -> Alert {
    Alert {
        id: entry.alert.clone(),
        rule: entry.rule.clone(),
        severity: entry.severity,
        state: AlertState::Pending,
        overlays: Vec::new(),
        source: entry.source.clone(),
        subject: entry.subject.clone(),
        metric: entry.metric.clone(),
        value: None,
        limit: None,
        unit: entry.unit.clone(),
        n: None,
        pending_since: None,
        fired_at: None,
        resolved_at: None,
        acked_at: None,
        acked_until: None,
        snoozed_until: None,
        inhibited_by: None,
        flapping: false,
        reason: String::new(),
    }
}

fn follow(alert: &mut Alert, entry: JournalEntry) {
    let at = entry.at;
    let mut lay = |overlay: Overlay, on: bool| {
        alert.overlays.retain(|o| *o != overlay);
        if on {
            alert.overlays.push(overlay);
            alert.overlays.sort_unstable();
        }
    };
    match entry.transition {
        Transition::Pending => {
            alert.state = AlertState::Pending;
            alert.pending_since = Some(at);
        }
        Transition::Firing => {
            alert.state = AlertState::Firing;
            alert.fired_at.get_or_insert(at);
        }
        Transition::Acked => {
            alert.state = AlertState::Acked;
            alert.acked_at = Some(at);
        }
        Transition::Unacked => {
            alert.state = AlertState::Firing;
            alert.acked_at = None;
        }
        Transition::Recovering => alert.state = AlertState::Recovering,
        Transition::Flapping => alert.flapping = true,
        Transition::Snoozed => lay(Overlay::Snoozed, true),
        Transition::Unsnoozed => lay(Overlay::Snoozed, false),
        Transition::Inhibited => lay(Overlay::Inhibited, true),
        Transition::Uninhibited => lay(Overlay::Inhibited, false),
        Transition::Muted => lay(Overlay::Muted, true),
        Transition::Unmuted => lay(Overlay::Muted, false),
        Transition::Unknown => lay(Overlay::Unknown, true),
        Transition::Known => lay(Overlay::Unknown, false),
        Transition::Escalated | Transition::Resolved => {}
    }
    alert.severity = entry.severity;
    alert.value = entry.value;
    alert.limit = entry.limit;
    alert.n = entry.n;
    alert.reason = entry.reason;
    alert.metric = entry.metric;
    alert.unit = entry.unit;
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{Decision, Desk};

    /// The program ended after it had written down that an alert is over, and before a webhook heard.
    #[test]
    fn an_end_that_no_webhook_heard_of_is_told_by_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let at = |seconds: i64| Timestamp::from_ms(1_769_850_000_000 + seconds * 1000);
        let mut alert = crate::runtime::alert_for_tests("a1", Severity::Warning);
        alert.fired_at = Some(at(0));
        let (mut desk, _) = Desk::open(&folder.path().join("desk.db")).unwrap();
        let line = |desk: &mut Desk, transition, alert: &Alert, seconds| {
            desk.record(&[(transition, alert.clone())], &Actor::Rules, at(seconds), |_| None).unwrap();
        };
        line(&mut desk, Transition::Firing, &alert, 0);
        let send = |desk: &mut Desk, kind: &str| match desk.reserve(&alert.id, kind, "webhook:floor", at(1)) {
            Ok(Decision::Send { id, .. }) => Some(id),
            _ => None,
        };
        let told = send(&mut desk, "firing").unwrap();
        assert!(earlier(folder.path(), at(2)).ends.is_empty(), "it still stands");
        let over = Alert { state: AlertState::Inactive, resolved_at: Some(at(9)), ..alert.clone() };
        line(&mut desk, Transition::Resolved, &over, 9);
        assert!(earlier(folder.path(), at(10)).ends.is_empty(), "the hook never took the beginning");
        desk.delivered(told, at(1)).unwrap();
        for _ in 0..2 {
            // Also when it ended between writing it down and sending: at most twice.
            let found = earlier(folder.path(), at(10));
            assert_eq!(found.fired, [(at(0), "Long wait".to_owned())]);
            let [(hook, end)] = &found.ends[..] else { panic!("{found:?}") };
            assert_eq!(
                (hook.as_str(), end.state, end.resolved_at),
                ("floor", AlertState::Inactive, Some(at(9)))
            );
            assert_eq!((end.fired_at, &end.subject), (Some(at(0)), &alert.subject));
            send(&mut desk, "resolved").unwrap();
        }
        assert!(earlier(folder.path(), at(10)).ends.is_empty());
        assert!(earlier(folder.path(), at(200_000)).ends.is_empty(), "no news any more");
    }
}
