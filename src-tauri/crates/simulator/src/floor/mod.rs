//! The contact centre itself: one seeded discrete-event floor that all vendors' servers look at.
//!
//! Pure: time comes in through [`Centre::advance`], what happened comes out as [`Event`]s, and the
//! same seed with the same calls gives the same floor, whatever the size of the steps. Speed
//! compresses durations; instants stay wall time, so a client needs no skew to follow a fast floor.

mod act;
mod contact;
mod dice;
mod event;
mod ledger;
mod names;
mod plan;
mod run;

pub use act::Refused;
pub use contact::{Contact, FloorQueue, Seat, Stance};
pub use dice::Dice;
pub use event::{ContactNo, Event, QueueNo, SeatNo, What};
pub use ledger::{Day, QueueHour, WaitEnd, mean};
pub use plan::Scenario;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use model::{ConversationState, Timestamp, Vendor};

use run::{Planned, Task};

/// The floor.
pub struct Centre {
    now: Timestamp,
    opened_at: Timestamp,
    speed: f64,
    dice: Dice,
    agenda: BinaryHeap<Reverse<Planned>>,
    planned: u64,
    paused_at: Option<Timestamp>,
    routing: bool,
    queues: Vec<FloorQueue>,
    seats: Vec<Seat>,
    /// Seats of each person.
    people: Vec<Vec<SeatNo>>,
    contacts: BTreeMap<ContactNo, Contact>,
    days: BTreeMap<Vendor, Day>,
    tickets: BTreeMap<Vendor, u64>,
    next_contact: u64,
    out: Vec<Event>,
}

impl Centre {
    /// A floor that opens at `now` and looks as if it had been running: a pre-warmed one has an hour of
    /// simulated life behind it. `vendors` says which vendors have queues and people on it.
    pub fn open(seed: u64, speed: f64, scenario: &Scenario, vendors: &[Vendor], now: Timestamp) -> Self {
        plan::open(seed, speed, scenario, vendors, now)
    }

    /// Lets everything happen that is due up to `to`, in order of time.
    pub fn advance(&mut self, to: Timestamp) -> Vec<Event> {
        while let Some(at) = self.next_due().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            if let Some(Reverse(next)) = self.agenda.pop() {
                self.happen(next.task);
            }
        }
        self.now = self.now.max(to);
        self.take_events()
    }

    /// When the next thing happens by itself; `None` while paused or when nothing is planned.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.paused_at.is_some() {
            return None;
        }
        self.agenda.peek().map(|Reverse(next)| next.at)
    }

    /// What has happened and was not taken yet.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.out)
    }

    /// Stops all that happens by itself, routing included; what a script does still happens.
    pub fn pause(&mut self) {
        self.paused_at.get_or_insert(self.now);
        self.routing = false;
    }

    /// Goes on where it was paused.
    pub fn resume(&mut self) {
        if let Some(since) = self.paused_at.take() {
            let gap = self.now.since(since);
            let shifted = std::mem::take(&mut self.agenda).into_iter().map(|Reverse(mut next)| {
                next.at = next.at.plus(gap);
                Reverse(next)
            });
            self.agenda = shifted.collect();
        }
        self.routing = true;
        for seat in 0..self.seats.len() {
            self.seek_work(SeatNo(seat as u32));
        }
    }

    /// The floor's time.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// The end of rolling windows: now, and the moment of the pause while it is paused, so that nothing
    /// falls out of a window on a floor that stands still.
    pub fn windows_end(&self) -> Timestamp {
        self.paused_at.unwrap_or(self.now)
    }
    /// When it opened.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }
    /// Every queue.
    pub fn queues(&self) -> &[FloorQueue] {
        &self.queues
    }
    /// Every seat.
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }
    /// One vendor's queues.
    pub fn queues_of(&self, vendor: Vendor) -> impl Iterator<Item = &FloorQueue> {
        self.queues.iter().filter(move |q| q.vendor == vendor)
    }
    /// One vendor's seats, those taken away left out.
    pub fn seats_of(&self, vendor: Vendor) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(move |s| s.vendor == vendor && !s.disabled)
    }
    /// One vendor's contacts, those that ended less than ten minutes ago included.
    pub fn contacts_of(&self, vendor: Vendor) -> impl Iterator<Item = &Contact> {
        self.contacts.values().filter(move |c| c.vendor == vendor)
    }
    /// One vendor's contacts that are not over.
    pub fn open_contacts_of(&self, vendor: Vendor) -> impl Iterator<Item = &Contact> {
        self.contacts_of(vendor).filter(|c| c.state != ConversationState::Ended)
    }
    /// One queue.
    pub fn queue(&self, no: QueueNo) -> Option<&FloorQueue> {
        self.queues.get(no.0 as usize)
    }
    /// One seat.
    pub fn seat(&self, no: SeatNo) -> Option<&Seat> {
        self.seats.get(no.0 as usize)
    }
    /// One contact.
    pub fn contact(&self, no: ContactNo) -> Option<&Contact> {
        self.contacts.get(&no)
    }
    /// One vendor's figures since midnight UTC.
    pub fn day(&self, vendor: Vendor) -> Day {
        let mut day = self.days.get(&vendor).copied().unwrap_or_default();
        day.turn(self.now);
        day
    }

    fn emit(&mut self, what: What) {
        self.out.push(Event { at: self.now, what });
    }
    fn plan(&mut self, after: Duration, task: Task) {
        self.planned += 1;
        let at = self.now.plus(after);
        self.agenda.push(Reverse(Planned { at, order: self.planned, task }));
    }
    /// A simulated duration in wall time.
    fn wall(&self, simulated: Duration) -> Duration {
        simulated.div_f64(self.speed)
    }
    fn day_mut(&mut self, vendor: Vendor) -> &mut Day {
        let now = self.now;
        let day = self.days.entry(vendor).or_default();
        day.turn(now);
        day
    }
}
