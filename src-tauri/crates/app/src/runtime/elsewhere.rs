//! What people do in the app, for faces that only look at the same floor: their alerts are called the same,
//! and are acknowledged and quiet as they are there. Nothing is ever written from here.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use engine::DeskCommand;
use model::{Alert, Id, Overlay, Timestamp};
use store::{Acknowledgement, DeskReader, StoreError};
use tokio::sync::mpsc;

use super::floor::Command;

/// How often it is looked whether anything was written.
const EVERY: Duration = Duration::from_secs(1);

/// The file is opened again after so many looks: the app may have replaced it.
const LOOKS: u32 = 60;

/// What `desk.db` says now.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Alerts that are not over; from the second look on those that were not there before.
    pub alerts: Vec<Alert>,
    holds: Vec<Acknowledgement>,
}

impl Elsewhere {
    /// `None` where there is nothing to read.
    pub fn read(folder: &Path) -> Option<Self> {
        Self::of(&DeskReader::open(&folder.join("desk.db")).ok()?).ok()
    }

    fn of(desk: &DeskReader) -> Result<Self, StoreError> {
        Ok(Self { alerts: desk.open_alerts()?, holds: desk.acknowledgements()? })
    }

    /// Its alerts without these, which are known already.
    pub fn others(&self, known: &[Alert]) -> Vec<Alert> {
        self.alerts.iter().filter(|alert| !known.iter().any(|k| k.id == alert.id)).cloned().collect()
    }

    /// What to do with our alerts, so that they stand as those of the app do.
    pub fn commands(&self, ours: &[Alert], now: Timestamp) -> Vec<DeskCommand> {
        let mut commands = Vec::new();
        for ours in ours {
            let alert = ours.id.clone();
            match (self.held(ours, false, now), ours.acked_at) {
                (Some(held), None) => {
                    commands.push(DeskCommand::Acknowledge { alert: alert.clone(), until: held.until });
                }
                (None, Some(_)) => commands.push(DeskCommand::Unacknowledge { alert: alert.clone() }),
                _ => {}
            }
            let snoozed = ours.overlays.contains(&Overlay::Snoozed).then_some(ours.snoozed_until);
            match self.held(ours, true, now) {
                Some(held) if snoozed != Some(held.until) => {
                    commands.push(DeskCommand::Snooze { alert, until: held.until });
                }
                None if snoozed.is_some() => commands.push(DeskCommand::Unsnooze { alert }),
                _ => {}
            }
        }
        commands
    }

    /// What holds for an alert of ours. One that began here before the app's was known has another id; then
    /// what was done counts when it was done after that.
    fn held(&self, ours: &Alert, snooze: bool, now: Timestamp) -> Option<&Acknowledgement> {
        let since = ours.fired_at.or(ours.pending_since);
        self.holds.iter().filter(|held| held.snooze == snooze).find(|held| {
            let same = held.rule == ours.rule
                && held.source == ours.source
                && held.subject.kind == ours.subject.kind
                && held.subject.id == ours.subject.id;
            let own = held.alert == ours.id || (same && since.is_some_and(|since| held.at >= since));
            own && held.until.is_none_or(|until| until > now)
        })
    }
}

/// Looks at what is written there until the runtime ends.
pub(crate) async fn follow(folder: PathBuf, known: Vec<Alert>, commands: mpsc::WeakSender<Command>) {
    let file = folder.join("desk.db");
    let mut known: Vec<Id> = known.into_iter().map(|alert| alert.id).collect();
    let mut open: Open = None;
    for look in 0u32.. {
        tokio::time::sleep(EVERY).await;
        let Some(commands) = commands.upgrade() else { return };
        if look % LOOKS == LOOKS - 1 {
            open = None;
        }
        let (file, was) = (file.clone(), open.take());
        let Ok((now_open, seen)) = tokio::task::spawn_blocking(move || once(&file, was)).await else {
            return;
        };
        open = now_open;
        let Some(mut seen) = seen else { continue };
        let ids = seen.alerts.iter().map(|alert| alert.id.clone()).collect();
        seen.alerts.retain(|alert| !known.contains(&alert.id));
        known = ids;
        if commands.send(Command::Elsewhere(Box::new(seen))).await.is_err() {
            return;
        }
    }
}

/// The file, and its version when there was nothing in it that may still have to be done: an alert of ours
/// can begin later than what was done about it.
type Open = Option<(DeskReader, Option<i64>)>;

/// One look; gives what is there when that may matter. A file that is not there, or cannot be read at the
/// moment, is looked for again.
fn once(file: &Path, open: Open) -> (Open, Option<Elsewhere>) {
    let (desk, was) = match open {
        Some(open) => open,
        None if !file.exists() => return (None, None),
        None => match DeskReader::open(file) {
            Ok(desk) => (desk, None),
            Err(_) => return (None, None),
        },
    };
    let Ok(version) = desk.version() else { return (None, None) };
    if was == Some(version) {
        return (Some((desk, was)), None);
    }
    let Ok(seen) = Elsewhere::of(&desk) else { return (None, None) };
    let done = seen.holds.is_empty().then_some(version);
    (Some((desk, done)), Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{AlertState, Severity};
    use store::Actor;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(1_769_850_000_000 + seconds * 1000)
    }

    fn ours(id: &str) -> Alert {
        let alert = crate::runtime::alert_for_tests(id, Severity::Warning);
        Alert { state: AlertState::Firing, fired_at: Some(at(0)), ..alert }
    }

    fn held(id: &str, snooze: bool, since: i64, until: Option<i64>) -> Acknowledgement {
        let Alert { rule, source, subject, .. } = ours(id);
        let actor = Actor::Person("Ada".to_owned());
        Acknowledgement {
            alert: id.into(),
            snooze,
            rule,
            source,
            subject,
            at: at(since),
            until: until.map(at),
            actor,
        }
    }

    #[test]
    fn our_alerts_stand_as_those_of_the_app() {
        let seen = |holds| Elsewhere { alerts: Vec::new(), holds };
        let acked = Alert { acked_at: Some(at(5)), ..ours("a1") };
        let snoozed = Alert { overlays: vec![Overlay::Snoozed], snoozed_until: Some(at(300)), ..ours("a1") };
        let commands = |holds, ours: &Alert| seen(holds).commands(std::slice::from_ref(ours), at(10));
        let alert = || Id::from("a1");
        assert_eq!(commands(vec![], &ours("a1")), []);
        assert_eq!(
            commands(vec![held("a1", false, 4, None)], &ours("a1")),
            [DeskCommand::Acknowledge { alert: alert(), until: None }]
        );
        assert_eq!(commands(vec![held("a1", false, 4, None)], &acked), []);
        assert_eq!(commands(vec![], &acked), [DeskCommand::Unacknowledge { alert: alert() }]);
        let until = Some(at(300));
        assert_eq!(
            commands(vec![held("a1", true, 4, Some(300))], &ours("a1")),
            [DeskCommand::Snooze { alert: alert(), until }]
        );
        assert_eq!(commands(vec![held("a1", true, 4, Some(300))], &snoozed), []);
        assert_eq!(
            commands(vec![held("a1", true, 4, Some(900))], &snoozed),
            [DeskCommand::Snooze { alert: alert(), until: Some(at(900)) }]
        );
        assert_eq!(commands(vec![], &snoozed), [DeskCommand::Unsnooze { alert: alert() }]);
        // What has run out is not done once more.
        assert_eq!(commands(vec![held("a1", false, 4, Some(9))], &ours("a1")), []);
        // Ours began before the app's was known: it counts what was done since, not what is left of before.
        assert_eq!(
            commands(vec![held("b7", false, 4, None)], &ours("a1")),
            [DeskCommand::Acknowledge { alert: alert(), until: None }]
        );
        assert_eq!(commands(vec![held("b7", false, -4, None)], &ours("a1")), []);
    }
}
