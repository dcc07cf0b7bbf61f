//! The floor with its audience: whoever changes it, every vendor's server hears of it under the lock.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use model::Timestamp;
use tokio::sync::Notify;

use crate::{clock, floor::Centre, server::VendorServer, wire::lock};

/// The floor, shared.
pub struct Stage {
    centre: Mutex<Centre>,
    servers: OnceLock<Vec<Arc<dyn VendorServer>>>,
    changed: Notify,
}

impl Stage {
    pub(crate) fn new(centre: Centre) -> Arc<Self> {
        Arc::new(Self { centre: Mutex::new(centre), servers: OnceLock::new(), changed: Notify::new() })
    }
    pub(crate) fn set_servers(&self, servers: Vec<Arc<dyn VendorServer>>) {
        // Set once, at the start; a second call would change nothing.
        let _ = self.servers.set(servers);
    }
    /// Looks at the floor as it is now.
    pub fn look<R>(&self, look: impl FnOnce(&Centre) -> R) -> R {
        let mut centre = lock(&self.centre);
        self.step(&mut centre, clock::now());
        look(&centre)
    }
    /// Does something on the floor; everybody hears of it before this returns.
    pub fn act<R>(&self, act: impl FnOnce(&mut Centre) -> R) -> R {
        let mut centre = lock(&self.centre);
        self.step(&mut centre, clock::now());
        let result = act(&mut centre);
        self.tell(&mut centre);
        drop(centre);
        self.changed.notify_one();
        result
    }
    /// One thing at a time, so that every event is heard with the state that it made.
    fn step(&self, centre: &mut Centre, now: Timestamp) {
        while let Some(due) = centre.next_due().filter(|due| *due <= now) {
            let events = centre.advance(due);
            self.pass_on(centre, &events);
        }
        let events = centre.advance(now);
        self.pass_on(centre, &events);
    }
    fn tell(&self, centre: &mut Centre) {
        let events = centre.take_events();
        self.pass_on(centre, &events);
    }
    fn pass_on(&self, centre: &Centre, events: &[crate::floor::Event]) {
        if !events.is_empty() {
            for server in self.servers.get().into_iter().flatten() {
                server.floor_moved(centre, events);
            }
        }
    }
    /// Lets the floor live until the task is dropped.
    pub(crate) async fn live(self: Arc<Self>) {
        loop {
            let due = self.look(Centre::next_due);
            let wait = due.map_or(Duration::from_secs(1), |due| due.since(clock::now()));
            tokio::select! {
                () = tokio::time::sleep(wait.clamp(Duration::from_millis(5), Duration::from_secs(1))) => {}
                () = self.changed.notified() => {}
            }
        }
    }
}
