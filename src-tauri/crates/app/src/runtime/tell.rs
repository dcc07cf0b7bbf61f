//! From the alerts' transitions to the desktop: what to say is the engine's, that it is said at most
//! twice and never not at all is ours.

use std::sync::Arc;

use engine::{
    World,
    alerts::{Notices, Telling, TrayCounts, TrayModel, Why},
};
use link::Clock;
use model::{Alert, Health, Id, Timestamp, Transition};
use store::{Actor, Decision};
use tokio::sync::{mpsc, oneshot};

use super::{
    desk::DeskBook,
    record::{Sentences, say},
};
use crate::ports::{self, Notifier};

/// Notices on their way to the desktop. When it hangs, the newest state is in the window anyway.
const IN_FLIGHT: usize = 64;

enum Order {
    Show(engine::alerts::Notice),
    Close(Id),
}

/// The alerts' way out of the loop.
pub(crate) struct Teller {
    notices: Notices,
    book: DeskBook,
    /// `None`: this face tells nobody.
    orders: Option<mpsc::Sender<Order>>,
}

impl Teller {
    pub fn new(
        book: DeskBook,
        notifier: Option<Arc<dyn Notifier>>,
        clock: Arc<dyn Clock>,
        sentences: Sentences,
    ) -> Self {
        let orders = notifier.map(|notifier| {
            let (orders, queue) = mpsc::channel(IN_FLIGHT);
            tokio::spawn(deliver(queue, book.clone(), notifier, clock, sentences));
            orders
        });
        Self { notices: Notices::default(), book, orders }
    }

    /// Alerts of the last run: those that were never told are told now, the others are not told again.
    pub fn restore(&mut self, alerts: &[Alert], world: &World, now: Timestamp) {
        let telling = self.notices.restore(alerts, &[], world.rules(), now);
        self.carry_out(telling);
    }

    /// Alerts that changed without a line: what is told later is told as it is then.
    pub fn quietly(&mut self, alerts: &[Alert]) {
        for alert in alerts {
            self.notices.changed_quietly(alert);
        }
    }

    /// What happened to alerts; `actor` and `saved` when a person did it.
    pub fn on(
        &mut self,
        world: &World,
        transitions: &[(Transition, Alert)],
        actor: Actor,
        saved: Option<oneshot::Sender<bool>>,
        now: Timestamp,
    ) {
        if transitions.is_empty() {
            if let Some(saved) = saved {
                let _ = saved.send(true);
            }
            return;
        }
        let ages = world
            .sources()
            .filter_map(|s| Some((s.id.clone(), now.seconds_since(s.last_data_at?).max(0.0))))
            .collect();
        self.book.record(transitions, actor, now, ages, saved);
        let telling = self.notices.on(transitions, world.rules(), now);
        self.carry_out(telling);
    }

    /// A moment of [`Teller::next_deadline`] has come.
    pub fn due(&mut self, world: &World, now: Timestamp) {
        if self.next_deadline().is_some_and(|at| at <= now) {
            let telling = self.notices.due(world.rules(), now);
            self.carry_out(telling);
        }
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.notices.next_deadline()
    }

    /// Everything that people did is on the disk.
    pub async fn finish(&self) {
        self.book.finish().await;
    }

    fn carry_out(&mut self, telling: Telling) {
        let Some(orders) = &self.orders else { return };
        let closes = telling.close.into_iter().map(Order::Close);
        for order in closes.chain(telling.show.into_iter().map(Order::Show)) {
            if orders.try_send(order).is_err() {
                tracing::warn!("The desktop does not keep up; a notice is left out.");
            }
        }
    }
}

/// What the tray shows of this world.
pub(crate) fn tray(world: &World, waiting: Option<u32>) -> TrayModel {
    let on: Vec<Health> = world.sources().map(|s| s.health).filter(|h| *h != Health::Disabled).collect();
    let number =
        |wanted: Health| u32::try_from(on.iter().filter(|h| **h == wanted).count()).unwrap_or(u32::MAX);
    let counts = TrayCounts {
        waiting,
        sources: u32::try_from(on.len()).unwrap_or(u32::MAX),
        live: number(Health::Live),
        connecting: number(Health::Connecting),
    };
    TrayModel::of(&world.alerts(), counts)
}

async fn deliver(
    mut queue: mpsc::Receiver<Order>,
    book: DeskBook,
    notifier: Arc<dyn Notifier>,
    clock: Arc<dyn Clock>,
    sentences: Sentences,
) {
    let mut complained = false;
    while let Some(order) = queue.recv().await {
        let notice = match order {
            Order::Close(alert) => {
                notifier.close(&alert).await;
                continue;
            }
            Order::Show(notice) if notice.desktop => notice,
            Order::Show(_) => continue,
        };
        let mut reserved = Vec::new();
        let mut wanted = false;
        for (alert, why) in &notice.tells {
            let kind = kind(*why, clock.now());
            match book.reserve(alert.clone(), kind, "desktop".to_owned(), clock.now()).await {
                Some(Decision::Send { id, .. }) => {
                    reserved.push(id);
                    wanted = true;
                }
                Some(Decision::Done) => {}
                // Nothing is kept: it is told, and perhaps twice.
                None => wanted = true,
            }
        }
        if !wanted {
            continue;
        }
        let shown = notifier
            .show(ports::Notice {
                alert: notice.alert,
                severity: notice.severity,
                title: notice.title,
                body: notice.body,
            })
            .await;
        match shown {
            Ok(()) => {
                complained = false;
                for id in reserved {
                    book.delivered(id, clock.now());
                }
            }
            Err(error) if !complained => {
                complained = true;
                say(&sentences, format!("A notification did not reach the desktop: {error}."));
            }
            Err(error) => tracing::info!(%error, "A notification did not reach the desktop."),
        }
    }
}

/// The log keeps one line per alert and kind; a repeat is a new kind each time.
fn kind(why: Why, now: Timestamp) -> String {
    match why {
        Why::First | Why::Freed => "firing".to_owned(),
        Why::Escalated => "escalated".to_owned(),
        Why::Flapping => "flapping".to_owned(),
        Why::Repeat => format!("repeat-{}", now.as_ms()),
        Why::AckEnded => format!("unacked-{}", now.as_ms()),
        Why::SnoozeEnded => format!("unsnoozed-{}", now.as_ms()),
    }
}
