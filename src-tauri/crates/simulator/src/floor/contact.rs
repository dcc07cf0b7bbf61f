//! Contacts, seats, people and queues: what the floor consists of.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use model::{ConversationState, Outcome, Timestamp, Vendor};

use super::{
    event::{ContactNo, QueueNo, SeatNo},
    ledger::{Day, QueueHour},
};

/// One customer's request from arrival to end.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its number.
    pub no: ContactNo,
    /// Where it lives.
    pub vendor: Vendor,
    /// The queue it is in or was answered from.
    pub queue: QueueNo,
    /// Counts from 1 within the vendor.
    pub ticket: u64,
    /// The customer's name.
    pub customer: String,
    /// What it is about.
    pub subject: String,
    /// Where it stands.
    pub state: ConversationState,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last entered a queue.
    pub entered_at: Timestamp,
    /// Last join of a person.
    pub assigned_at: Option<Timestamp>,
    /// First join after it last entered a queue.
    pub answered_at: Option<Timestamp>,
    /// First answer ever.
    pub first_response_at: Option<Timestamp>,
    /// First answer since the last assignment by somebody else, measured from the arrival.
    pub response_time: Option<Duration>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Last change of anything that a vendor publishes.
    pub updated_at: Timestamp,
    /// Last message of the customer.
    pub customer_wrote_at: Timestamp,
    /// Last message of an agent.
    pub agent_wrote_at: Option<Timestamp>,
    /// Who has it, in order of joining.
    pub seats: Vec<SeatNo>,
    /// Tags.
    pub tags: Vec<String>,
    /// Priority in the vendor's word.
    pub priority: &'static str,
    /// Number of messages so far.
    pub messages: u32,
    /// Raised at each change of hands, so that plans made before are void.
    pub(crate) epoch: u32,
}

/// Whether a person takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// Takes work.
    Accepting,
    /// Signed in and away.
    Away,
    /// Not signed in.
    Offline,
}

/// One person's account at one vendor.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Its number.
    pub no: SeatNo,
    /// At which vendor.
    pub vendor: Vendor,
    /// Index of the person; two seats with the same index are one human being.
    pub person: usize,
    /// First name.
    pub first: String,
    /// Last name.
    pub last: String,
    /// Address.
    pub email: String,
    /// Queues served.
    pub queues: Vec<QueueNo>,
    /// How many contacts at once; `None`: no limit set.
    pub limit: Option<u32>,
    /// Whether work is taken.
    pub stance: Stance,
    /// The word for being away.
    pub label: Option<&'static str>,
    /// Since when.
    pub stance_since: Timestamp,
    /// Last sign-in.
    pub signed_in_at: Timestamp,
    /// Contacts in hand.
    pub open: BTreeSet<ContactNo>,
    /// Since when nothing new was taken: the longest free is served first.
    pub idle_since: Timestamp,
    /// Last change of anything that a vendor publishes.
    pub updated_at: Timestamp,
    /// Contacts ended today.
    pub handled_today: u32,
    /// Time with at least one contact, closed spans only.
    pub chat_time: Duration,
    /// Start of the running span with at least one contact.
    pub chatting_since: Option<Timestamp>,
    /// The account was taken away.
    pub disabled: bool,
}

impl Seat {
    /// First and last name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
    /// Whether the limit is reached.
    pub fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.open.len() >= limit as usize)
    }
    /// Whether new work can be given.
    pub fn takes_work(&self) -> bool {
        !self.disabled && self.stance == Stance::Accepting && !self.is_full()
    }
    /// Time with at least one contact, up to a moment.
    pub fn chat_time_at(&self, now: Timestamp) -> Duration {
        self.chat_time + self.chatting_since.map_or(Duration::ZERO, |since| now.since(since))
    }
}

/// A place where people wait.
#[derive(Clone, Debug)]
pub struct FloorQueue {
    /// Its number.
    pub no: QueueNo,
    /// Whose it is.
    pub vendor: Vendor,
    /// Its name.
    pub name: String,
    /// Arrivals per hour at the busiest time of the day.
    pub per_hour: f64,
    /// Mean handling time of somebody who has one contact only.
    pub handling: Duration,
    /// Mean patience.
    pub patience: Duration,
    /// Who serves it.
    pub seats: Vec<SeatNo>,
    /// Who waits, oldest first.
    pub waiting: VecDeque<ContactNo>,
    /// How many are being handled.
    pub open: u32,
    /// Factor on arrivals now.
    pub surge: f64,
    /// Everybody who serves it is in a meeting.
    pub meeting: bool,
    /// What happened here in the last hour.
    pub hour: QueueHour,
    /// What happened here since midnight UTC; read it with [`FloorQueue::day_at`].
    pub(crate) day: Day,
    pub(crate) arrivals: u32,
}

impl FloorQueue {
    /// Figures since midnight UTC.
    pub fn day_at(&self, now: Timestamp) -> Day {
        let mut day = self.day;
        day.turn(now);
        day
    }
}
