//! From the alerts' transitions to webhooks: which hook hears of what. Grouping, signing and sending are
//! a task per hook; the loop never waits for any of them.

mod body;
mod deliver;
mod group;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use engine::{World, alerts::Channel};
use link::Clock;
use model::{Alert, AlertState, Id, Overlay, Transition};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    desk::DeskBook,
    record::{Sentences, say},
};
use crate::{ports::Vault, settings::Webhook};
use body::Told;
use deliver::Delivery;

/// Alerts on their way to a hook's task, which takes them at once.
const IN_FLIGHT: usize = 1024;
/// How long the end of the program waits for what is still to be told.
const FAREWELL: Duration = Duration::from_secs(3);

/// What a hook's task is told.
enum Order {
    Tell(Told),
    /// An alert of the last run that still stands: told unless the log says that it was.
    Again(Alert),
    /// Send what waits, once, and end.
    Finish(oneshot::Sender<()>),
}

struct Hook {
    settings: Webhook,
    to: mpsc::Sender<Order>,
    task: JoinHandle<()>,
    /// Alerts it has been told of and not yet of their end.
    told: HashSet<Id>,
    complained: bool,
}

/// All hooks of this configuration.
pub(crate) struct Hooks {
    /// `None`: this face tells nobody.
    means: Option<Means>,
    hooks: HashMap<String, Hook>,
    sentences: Sentences,
}

/// What delivering needs.
#[derive(Clone)]
pub(crate) struct Means {
    pub book: DeskBook,
    pub vault: Arc<dyn Vault>,
    pub clock: Arc<dyn Clock>,
    pub sentences: Sentences,
}

impl Hooks {
    pub fn new(means: Option<Means>, sentences: Sentences) -> Self {
        Self { means, hooks: HashMap::new(), sentences }
    }

    /// Makes the running hooks match the settings; unchanged ones go on undisturbed.
    pub fn configure(&mut self, wanted: &[Webhook]) {
        let Some(means) = &self.means else { return };
        self.hooks.retain(|_, hook| {
            let stays = wanted.contains(&hook.settings);
            if !stays {
                // What it was told already is still sent; its task ends when its queue is empty.
                let (done, _) = oneshot::channel();
                let _ = hook.to.try_send(Order::Finish(done));
            }
            stays
        });
        for settings in wanted {
            if self.hooks.contains_key(&settings.name) {
                continue;
            }
            let (to, from) = mpsc::channel(IN_FLIGHT);
            let task = tokio::spawn(Delivery::new(settings.clone(), means.clone()).run(from));
            let hook = Hook { settings: settings.clone(), to, task, told: HashSet::new(), complained: false };
            self.hooks.insert(settings.name.clone(), hook);
        }
    }

    /// Alerts of the last run.
    pub fn restore(&mut self, alerts: &[Alert], world: &World) {
        for alert in alerts {
            let fired = alert.fired_at.is_some() && alert.state != AlertState::Inactive;
            for name in names(world, alert).filter(|_| fired) {
                let Some(hook) = self.hooks.get_mut(&name) else { continue };
                hook.told.insert(alert.id.clone());
                if !is_quiet(alert) && alert.state == AlertState::Firing {
                    hook.give(Order::Again(alert.clone()), &self.sentences);
                }
            }
        }
    }

    /// Alerts whose end nobody was told of: the program ended first.
    pub fn restore_ends(&mut self, ends: Vec<(String, Alert)>) {
        for (name, alert) in ends {
            let Some(hook) = self.hooks.get_mut(&name) else { continue };
            hook.give(Order::Tell(Told { transition: Transition::Resolved, alert }), &self.sentences);
        }
    }

    /// What happened to alerts, in order.
    pub fn on(&mut self, world: &World, transitions: &[(Transition, Alert)]) {
        if self.hooks.is_empty() {
            return;
        }
        for (transition, alert) in transitions {
            if *transition == Transition::Resolved {
                // Also where the rule is gone or names other hooks by now.
                for hook in self.hooks.values_mut() {
                    if hook.told.remove(&alert.id) && alert.fired_at.is_some() {
                        let told = Told { transition: *transition, alert: alert.clone() };
                        hook.give(Order::Tell(told), &self.sentences);
                    }
                }
                continue;
            }
            if alert.fired_at.is_none() || is_quiet(alert) {
                continue;
            }
            for name in names(world, alert) {
                let Some(hook) = self.hooks.get_mut(&name) else { continue };
                let is_new = !hook.told.contains(&alert.id);
                let transition = match transition {
                    Transition::Firing | Transition::Escalated | Transition::Flapping => *transition,
                    // It fired while something kept it quiet, and that is over.
                    Transition::Uninhibited
                    | Transition::Unmuted
                    | Transition::Unsnoozed
                    | Transition::Unacked
                        if is_new && alert.state == AlertState::Firing =>
                    {
                        Transition::Firing
                    }
                    _ => continue,
                };
                hook.told.insert(alert.id.clone());
                hook.give(Order::Tell(Told { transition, alert: alert.clone() }), &self.sentences);
            }
        }
    }

    /// Sends what waits, once, and gives up after a moment.
    pub async fn finish(&mut self) {
        let mut waiting = Vec::new();
        for (_, hook) in self.hooks.drain() {
            let (done, finished) = oneshot::channel();
            let _ = hook.to.try_send(Order::Finish(done));
            waiting.push((finished, hook.task.abort_handle()));
        }
        let deadline = tokio::time::Instant::now() + FAREWELL;
        for (finished, task) in waiting {
            if tokio::time::timeout_at(deadline, finished).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Hook {
    fn give(&mut self, order: Order, sentences: &Sentences) {
        match self.to.try_send(order) {
            Ok(()) => self.complained = false,
            Err(_) if !self.complained => {
                self.complained = true;
                let name = &self.settings.name;
                say(sentences, format!("The webhook {name} does not keep up; alerts are left out."));
            }
            Err(_) => {}
        }
    }
}

/// The hooks that an alert's rule names.
fn names(world: &World, alert: &Alert) -> impl Iterator<Item = String> {
    let channels = world.rules().rule(&alert.rule).map(|rule| rule.notify().to_vec()).unwrap_or_default();
    channels.into_iter().filter_map(|channel| match channel {
        Channel::Webhook(name) => Some(name),
        _ => None,
    })
}

/// Somebody is on it, or it is not to be heard of now.
fn is_quiet(alert: &Alert) -> bool {
    let lies_over = |o: &Overlay| matches!(o, Overlay::Snoozed | Overlay::Muted | Overlay::Inhibited);
    alert.state == AlertState::Acked || alert.overlays.iter().any(lies_over)
}

#[cfg(test)]
pub(crate) mod tests {
    use model::{Severity, Subject, SubjectKind, Timestamp};

    use super::*;

    pub fn alert(id: &str, severity: Severity) -> Alert {
        Alert {
            id: Id::from(id),
            rule: "Long wait".to_owned(),
            severity,
            state: AlertState::Firing,
            overlays: Vec::new(),
            source: Some(Id::from("desk")),
            subject: Subject { kind: SubjectKind::Queue, id: Id::from("1"), name: "Billing".to_owned() },
            metric: "queue.longest_wait".to_owned(),
            value: Some(61.0),
            limit: Some(60.0),
            unit: "seconds".to_owned(),
            n: None,
            pending_since: Some(Timestamp::from_ms(0)),
            fired_at: Some(Timestamp::from_ms(0)),
            resolved_at: None,
            acked_at: None,
            acked_until: None,
            snoozed_until: None,
            inhibited_by: None,
            flapping: false,
            reason: "Billing has waited 1m 1s".to_owned(),
        }
    }
}
