//! From the alerts' transitions to the desktop: what to say is the engine's, that it is said at most
//! twice and never not at all is ours.

use std::{sync::Arc, time::Duration};

use engine::{
    DeskCommand, World,
    alerts::{Budget, Notices, Spent, Telling, Timers, Tone, TrayCounts, TrayModel, Why, Wishes},
};
use link::Clock;
use model::{Alert, Health, Id, Severity, Timestamp, Transition};
use store::{Actor, Decision};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    desk::{Asides, DeskBook, Saved},
    floor::{Command, Undone},
    record::{Sentences, say},
};
use crate::{
    api::Preferences,
    ports::{self, Notifier, NotifyError, Speaker},
    settings::taste,
};

/// Notices on their way to the desktop. When it hangs, the newest state is in the window anyway.
const IN_FLIGHT: usize = 64;

/// The end of the program waits no longer for a notification that is under way.
const FAREWELL: Duration = Duration::from_secs(1);

/// While the desktop is not to be disturbed and something waits for that, it is asked this often.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// At most one notification in this time. The engine decides so; a desktop or a disk that was slow must not
/// bring them together again.
const PACE: Duration = Duration::from_secs(2);

/// At most one sound in this time, for the same reason.
const SOUND_PACE: Duration = Duration::from_secs(10);

/// A desktop that takes longer hangs. Its adapter gives up sooner; this is the second lock on the door.
const PATIENCE: Duration = Duration::from_secs(5);

enum Order {
    Show(engine::alerts::Notice),
    Close(Id),
}

/// The alerts' way out of the loop.
pub(crate) struct Teller {
    notices: Notices,
    book: DeskBook,
    budget: Budget,
    voice: watch::Sender<Voice>,
    /// `None`: this face tells nobody.
    orders: Option<mpsc::Sender<Order>>,
    delivering: Option<JoinHandle<()>>,
    back: mpsc::WeakSender<Command>,
}

impl Teller {
    /// `desktop`: `None` where this face tells nobody. `back`: the way to the loop that has this teller.
    pub fn new(book: DeskBook, desktop: Option<Desktop>, back: mpsc::WeakSender<Command>) -> Self {
        let (voice, heard) = watch::channel(Voice::of(&Preferences::default()));
        let (orders, delivering) = desktop
            .map(|desktop| {
                let (orders, queue) = mpsc::channel(IN_FLIGHT);
                (orders, tokio::spawn(deliver(queue, book.clone(), desktop, heard, back.clone())))
            })
            .unzip();
        Self { notices: Notices::default(), book, budget: Budget::default(), voice, orders, delivering, back }
    }

    /// Alerts of the last run, and what the notification log says of them: what was never told is told now,
    /// the rest not again before it is due.
    pub fn restore(
        &mut self,
        alerts: &[Alert],
        told: &[(Id, Timestamp, Severity)],
        world: &World,
        now: Timestamp,
    ) {
        let telling = self.notices.restore(alerts, told, world.rules(), now);
        self.carry_out(telling);
    }

    /// What fired in the last hour, of which an earlier run knows.
    pub fn remember(&mut self, fired: &[(Timestamp, String)]) {
        for (at, rule) in fired {
            self.budget.fired(*at, rule);
        }
    }

    /// Alerts that changed without a line: what is told later is told as it is then.
    pub fn quietly(&mut self, alerts: &[Alert]) {
        for alert in alerts {
            self.notices.changed_quietly(alert);
        }
    }

    /// What a person did is written before it is done: where it cannot be, nothing has happened, and it can
    /// be tried again. Once it is on the disk the loop is told to do it.
    pub fn deed(
        &self,
        world: &World,
        command: DeskCommand,
        rehearsed: (Transition, Alert),
        actor: Actor,
        now: Timestamp,
        reply: oneshot::Sender<Result<(), Undone>>,
    ) {
        let (saved, answer) = oneshot::channel();
        let line = [rehearsed];
        self.book.record(&line, actor, now, asides(world, &line, now), Some(saved));
        let back = self.back.clone();
        tokio::spawn(async move {
            match (answer.await, back.upgrade()) {
                (Ok(Ok(())), Some(back)) => {
                    let _ = back.send(Command::Written { command, reply }).await;
                }
                (Ok(Err(why)), _) => {
                    let _ = reply.send(Err(Undone::Unsaved(why)));
                }
                // The end of the program.
                _ => {}
            }
        });
    }

    /// What happened to alerts. `written`: what a person did to this one stands in the log already.
    pub fn on(
        &mut self,
        world: &World,
        transitions: &[(Transition, Alert)],
        written: Option<&Id>,
        now: Timestamp,
    ) {
        if transitions.is_empty() {
            return;
        }
        for (_, alert) in transitions.iter().filter(|(what, _)| *what == Transition::Firing) {
            self.budget.fired(now, &alert.rule);
        }
        let lines: Vec<_> =
            transitions.iter().filter(|(what, of)| !is_written(*what, of, written)).cloned().collect();
        if !lines.is_empty() {
            let asides = asides(world, &lines, now);
            self.book.record(&lines, Actor::Rules, now, asides, None);
        }
        let telling = self.notices.on(transitions, world.rules(), now);
        self.carry_out(telling);
    }

    /// What a restart has to know and no line tells: alerts that changed quietly, and timers.
    pub fn keep(&self, quiet: &[Alert], timers: &[(Id, Timers)], now: Timestamp) {
        if !(quiet.is_empty() && timers.is_empty()) {
            self.book.keep(quiet, timers, now);
        }
    }

    /// Writes a note down; `saved` hears whether it is on the disk.
    pub fn note(
        &self,
        alert: Option<Id>,
        text: String,
        actor: Actor,
        now: Timestamp,
        saved: oneshot::Sender<Saved>,
    ) {
        self.book.note(alert, text, actor, now, saved);
    }

    /// What the last hour was like, and how many alerts do-not-disturb of the desktop keeps waiting.
    pub fn spent(&mut self, now: Timestamp) -> (Spent, usize) {
        (self.budget.spent(now), self.notices.waiting())
    }

    /// What the user wants of notices and sounds.
    pub fn taste(&mut self, preferences: &Preferences, world: &World, now: Timestamp) {
        self.voice.send_replace(Voice::of(preferences));
        let sound = match preferences.sound.as_str() {
            "off" => None,
            "critical" => Some(Severity::Critical),
            _ => Some(Severity::Warning),
        };
        // The file's reader has refused what cannot be read.
        let mute = taste::mute(preferences).unwrap_or_default();
        let telling = self.notices.set_wishes(Wishes { mute, sound }, world.rules(), now);
        self.carry_out(telling);
    }

    /// A moment of [`Teller::next_deadline`] has come.
    pub fn due(&mut self, world: &World, now: Timestamp) {
        if self.next_deadline().is_some_and(|at| at <= now) {
            let telling = self.notices.due(world.rules(), now);
            self.carry_out(telling);
        }
    }

    /// The desktop may be disturbed again, or (`Some`) did not take these because it may not.
    pub fn heard(&mut self, withheld: Option<&[(Id, Why)]>, world: &World, now: Timestamp) {
        match withheld {
            Some(tells) => self.notices.withheld(tells),
            None => {
                let telling = self.notices.undisturbed(world.rules(), now);
                self.carry_out(telling);
            }
        }
    }

    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.notices.next_deadline()
    }

    /// What is being told is told, if that is quick, and everything that people did is on the disk.
    pub async fn finish(&mut self) {
        self.orders = None;
        if let Some(mut delivering) = self.delivering.take()
            && tokio::time::timeout(FAREWELL, &mut delivering).await.is_err()
        {
            // The log has what was not told to its end; the next run tells it.
            delivering.abort();
            let _ = delivering.await;
        }
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

/// What is known besides when lines are written.
fn asides(world: &World, transitions: &[(Transition, Alert)], now: Timestamp) -> Asides {
    let ages = world
        .sources()
        .filter_map(|s| Some((s.id.clone(), now.seconds_since(s.last_data_at?).max(0.0))))
        .collect();
    let mut versions: Vec<(String, String)> = Vec::new();
    for (_, alert) in transitions {
        if !versions.iter().any(|(rule, _)| *rule == alert.rule)
            && let Some(rule) = world.rules().rule(&alert.rule)
        {
            versions.push((alert.rule.clone(), rule.version()));
        }
    }
    Asides { ages, versions }
}

fn is_written(what: Transition, of: &Alert, written: Option<&Id>) -> bool {
    use Transition::{Acked, Snoozed, Unacked, Unsnoozed};
    written == Some(&of.id) && matches!(what, Acked | Unacked | Snoozed | Unsnoozed)
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

/// What reaches the person at this desk.
#[derive(Clone)]
pub(crate) struct Desktop {
    pub notifier: Arc<dyn Notifier>,
    pub speaker: Arc<dyn Speaker>,
    pub clock: Arc<dyn Clock>,
    pub sentences: Sentences,
}

/// How tones are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Voice {
    two_tones: bool,
    volume: u32,
}

impl Voice {
    fn of(preferences: &Preferences) -> Self {
        Self { two_tones: preferences.sound_tones != "one", volume: preferences.sound_volume.min(100) }
    }
    fn tone(self, tone: Tone) -> Tone {
        if self.two_tones { tone } else { Tone::One }
    }
}

async fn deliver(
    mut queue: mpsc::Receiver<Order>,
    book: DeskBook,
    desktop: Desktop,
    voice: watch::Receiver<Voice>,
    back: mpsc::WeakSender<Command>,
) {
    let mut complained = false;
    let mut withheld = false;
    let mut free_at = tokio::time::Instant::now();
    let tones = speak(desktop.speaker.clone(), voice);
    loop {
        let order = tokio::select! {
            order = queue.recv() => order,
            () = tokio::time::sleep(ASK_AGAIN), if withheld => {
                if !desktop.notifier.is_inhibited().await {
                    withheld = false;
                    report(&back, None).await;
                }
                continue;
            }
        };
        let notice = match order {
            Some(Order::Show(notice)) => notice,
            Some(Order::Close(alert)) => {
                let _ = tokio::time::timeout(PATIENCE, desktop.notifier.close(&alert)).await;
                continue;
            }
            None => return,
        };
        // Do-not-disturb holds back warnings. Nothing is written down: they count as not told.
        if notice.severity == Severity::Warning && desktop.notifier.is_inhibited().await {
            withheld = true;
            report(&back, Some(notice.tells)).await;
            continue;
        }
        let Some(reserved) = reserve(&desktop, &book, &notice).await else { continue };
        if let Some(tone) = notice.sound {
            // One that is still being played is enough.
            let _ = tones.try_send(tone);
        }
        let shown = if notice.desktop {
            tokio::time::sleep_until(free_at).await;
            let shown = show(&*desktop.notifier, notice).await;
            free_at = tokio::time::Instant::now() + PACE;
            shown
        } else {
            Ok(())
        };
        match shown {
            Ok(()) => {
                complained = false;
                book.delivered(reserved, desktop.clock.now());
            }
            Err(error) if !std::mem::replace(&mut complained, true) => {
                say(&desktop.sentences, format!("A notification did not reach the desktop: {error}."));
            }
            Err(error) => tracing::info!(%error, "A notification did not reach the desktop."),
        }
    }
}

/// Tells the loop what do-not-disturb held back, or that it is over. The loop never waits for us.
async fn report(back: &mpsc::WeakSender<Command>, withheld: Option<Vec<(Id, Why)>>) {
    if let Some(back) = back.upgrade() {
        let _ = back.send(Command::Disturb { withheld }).await;
    }
}

/// Writes down what is about to be told; `None`: all of it was told already.
async fn reserve(desktop: &Desktop, book: &DeskBook, notice: &engine::alerts::Notice) -> Option<Vec<i64>> {
    let channel = if notice.desktop { "desktop" } else { "sound" };
    let now = desktop.clock.now();
    let tells = notice.tells.iter().map(|(alert, why)| (alert.clone(), kind(*why, now))).collect();
    // Where nothing is kept it is told, and perhaps twice.
    let Some(decided) = book.reserve_all(tells, channel.to_owned(), now).await else {
        return Some(Vec::new());
    };
    let reserved: Vec<i64> = decided
        .into_iter()
        .filter_map(|decision| match decision {
            Decision::Send { id, .. } => Some(id),
            Decision::Done => None,
        })
        .collect();
    (!reserved.is_empty()).then_some(reserved)
}

async fn show(notifier: &dyn Notifier, notice: engine::alerts::Notice) -> Result<(), NotifyError> {
    let shown = ports::Notice {
        alert: notice.alert,
        severity: notice.severity,
        title: notice.title,
        body: notice.body,
    };
    let shown = tokio::time::timeout(PATIENCE, notifier.show(shown)).await;
    shown.unwrap_or(Err(NotifyError::TimedOut(PATIENCE)))
}

/// Sounds have a task of their own: a slow loudspeaker delays no notification.
fn speak(speaker: Arc<dyn Speaker>, voice: watch::Receiver<Voice>) -> mpsc::Sender<Tone> {
    let (tones, mut queue) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut complained = false;
        let mut free_at = tokio::time::Instant::now();
        while let Some(tone) = queue.recv().await {
            // As with notices: what was late must not come close to the next.
            tokio::time::sleep_until(free_at).await;
            let voice = *voice.borrow();
            if voice.volume == 0 {
                continue;
            }
            let played = speaker.play(voice.tone(tone), voice.volume).await;
            free_at = tokio::time::Instant::now() + SOUND_PACE;
            if let Err(error) = played
                && !std::mem::replace(&mut complained, true)
            {
                // Many machines have no sound, and the test in the settings says so.
                tracing::info!(%error, "An alert was not heard.");
            }
        }
    });
    tones
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
