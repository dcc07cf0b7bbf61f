//! Subscriptions: a snapshot and then patches, coalesced. A subscriber that reads slowly gets fewer and
//! larger patches, never a hole: a view is only brought up to date when its last message was taken.

use std::time::Duration;

use engine::{
    World,
    view::{View, ViewMessage, ViewSpec},
};
use model::Timestamp;
use tokio::{sync::mpsc, time::Instant};

/// The screen gets at most sixty messages a second, and its first one at once.
pub(crate) const FRAME: Duration = Duration::from_micros(16_667);

/// Messages on their way to one subscriber.
const IN_FLIGHT: usize = 4;

/// One subscriber's end.
pub struct Subscription {
    messages: mpsc::Receiver<ViewMessage>,
}

impl Subscription {
    /// The next message; `None` when the runtime has ended.
    pub async fn next(&mut self) -> Option<ViewMessage> {
        self.messages.recv().await
    }
}

struct Subscriber {
    view: View,
    out: mpsc::Sender<ViewMessage>,
}

/// All subscribers of one runtime.
#[derive(Default)]
pub(crate) struct Hub {
    subscribers: Vec<Subscriber>,
    last_flush: Option<Instant>,
    dirty: bool,
}

impl Hub {
    pub fn subscribe(&mut self, spec: ViewSpec, world: &World, now: Timestamp) -> Subscription {
        let (out, messages) = mpsc::channel(IN_FLIGHT);
        let (view, first) = View::open(spec, world, now);
        // The channel is empty: the first message always fits.
        let _ = out.try_send(first);
        self.subscribers.push(Subscriber { view, out });
        Subscription { messages }
    }

    /// Something changed.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// When the next flush is due; `None` when nothing changed.
    pub fn due(&self) -> Option<Instant> {
        if !self.dirty {
            return None;
        }
        Some(self.last_flush.map_or_else(Instant::now, |last| last + FRAME))
    }

    /// Brings every subscriber with room up to date.
    pub fn flush(&mut self, world: &World, now: Timestamp) {
        self.last_flush = Some(Instant::now());
        self.dirty = false;
        let mut behind = false;
        self.subscribers.retain_mut(|subscriber| {
            if subscriber.out.is_closed() {
                return false;
            }
            match subscriber.out.try_reserve() {
                Ok(room) => {
                    if let Some(message) = subscriber.view.update(world, now) {
                        room.send(message);
                    }
                    true
                }
                Err(mpsc::error::TrySendError::Full(())) => {
                    behind = true;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(())) => false,
            }
        });
        self.dirty = behind;
    }
}
