//! What happens by itself: people come, wait, are answered, give up, write, end; agents take breaks;
//! the demo's script makes sure that a supervisor sees trouble and recovery.

use std::{cmp::Ordering, time::Duration};

use model::{ConversationState, Outcome, Timestamp};

use super::{
    Centre, ContactNo, QueueNo, SeatNo, Stance, WaitEnd,
    names::{AWAY, CUSTOMERS, SUBJECTS},
};

/// A step of the demo's script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Everybody of a queue goes into a meeting.
    Meeting(QueueNo),
    /// And comes back.
    MeetingOver(QueueNo),
    /// Arrivals of a queue are multiplied.
    Surge(QueueNo, f64),
    /// Somebody comes who will not give up.
    Patient(QueueNo),
}

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Task {
    Arrive(QueueNo, u32),
    GiveUp(ContactNo, u32),
    Reply(ContactNo, u32),
    Talk(ContactNo, u32),
    Finish(ContactNo, u32),
    Break(usize),
    Back(usize),
    SignOn(usize),
    SignOff(usize),
    Script { step: Step, every: Option<Duration> },
    Forget(ContactNo),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Planned {
    pub at: Timestamp,
    pub order: u64,
    pub task: Task,
}
impl Eq for Planned {}
impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Share of the busiest hour's arrivals, hour by hour, with straight lines between.
const DAY: [f64; 24] = [
    0.08, 0.06, 0.05, 0.05, 0.06, 0.10, 0.22, 0.45, 0.72, 0.92, 1.0, 0.98, 0.86, 0.80, 0.88, 0.90, 0.82,
    0.70, 0.60, 0.52, 0.42, 0.30, 0.20, 0.12,
];
/// The floor's own clock shows ten in the morning when it opens, wherever and whenever that is: a demo
/// at midnight must not be an empty room.
const OPENS_AT_HOUR: f64 = 10.0;
const MEETING: &str = "Team meeting";
/// How much longer everything takes for each further contact in hand.
const SLOWER_PER_CONTACT: f64 = 0.22;

impl Centre {
    fn profile(&self) -> f64 {
        let signed = self.now.seconds_since(self.opened_at) * self.speed / 3600.0;
        let hour = (OPENS_AT_HOUR + signed).rem_euclid(24.0);
        let (from, part) = (hour.floor() as usize % 24, hour.fract());
        DAY[from] * (1.0 - part) + DAY[(from + 1) % 24] * part
    }

    pub(crate) fn happen(&mut self, task: Task) {
        match task {
            Task::Arrive(queue, arrivals) => self.maybe_arrive(queue, arrivals),
            Task::GiveUp(contact, epoch) => self.give_up(contact, epoch),
            Task::Reply(contact, epoch) if self.is_current(contact, epoch) => self.reply(contact),
            Task::Talk(contact, epoch) if self.is_current(contact, epoch) => self.talk(contact),
            Task::Finish(contact, epoch) if self.is_current(contact, epoch) => self.finish(contact),
            Task::Break(person) => {
                let label = self.dice.pick(AWAY).copied();
                self.person_stance(person, Stance::Away, label);
                let away = self.dice.between(Duration::from_secs(240), Duration::from_secs(900));
                self.plan(self.wall(away), Task::Back(person));
            }
            Task::Back(person) => {
                self.person_stance(person, Stance::Accepting, None);
                let work = self.dice.between(Duration::from_secs(1_500), Duration::from_secs(5_400));
                self.plan(self.wall(work), Task::Break(person));
            }
            Task::SignOn(person) => {
                self.person_stance(person, Stance::Accepting, None);
                self.plan(self.wall(Duration::from_secs(8 * 3600)), Task::SignOff(person));
            }
            Task::SignOff(person) => {
                self.person_stance(person, Stance::Offline, None);
                self.plan(self.wall(Duration::from_secs(16 * 3600)), Task::SignOn(person));
            }
            Task::Script { step, every } => {
                self.follow(step);
                if let Some(every) = every {
                    self.plan(every, Task::Script { step, every: Some(every) });
                }
            }
            Task::Forget(contact) => {
                self.contacts.remove(&contact);
            }
            Task::Reply(..) | Task::Talk(..) | Task::Finish(..) => {}
        }
    }

    fn is_current(&self, contact: ContactNo, epoch: u32) -> bool {
        self.contacts.get(&contact).is_some_and(|c| c.epoch == epoch && c.state != ConversationState::Ended)
    }

    fn person_stance(&mut self, person: usize, stance: Stance, label: Option<&'static str>) {
        for seat in self.people.get(person).cloned().unwrap_or_default() {
            let s = &self.seats[seat.0 as usize];
            // Somebody signed out takes no break.
            if s.stance == Stance::Offline && stance == Stance::Away {
                continue;
            }
            let in_meeting = s.queues.iter().any(|q| self.queues[q.0 as usize].meeting);
            if in_meeting && stance == Stance::Accepting {
                self.set_stance_now(seat, Stance::Away, Some(MEETING));
            } else {
                self.set_stance_now(seat, stance, label);
            }
        }
    }

    /// Begins the arrivals of a queue, or begins them anew at another rate (they have no memory).
    pub(crate) fn start_arrivals(&mut self, queue: QueueNo) {
        let Some(q) = self.queues.get_mut(queue.0 as usize) else { return };
        q.arrivals += 1;
        let (rate, generation) = (q.per_hour * q.surge, q.arrivals);
        if rate > 0.0 {
            let gap = self.dice.exponential(Duration::from_secs_f64(3600.0 / rate));
            self.plan(self.wall(gap), Task::Arrive(queue, generation));
        }
    }

    fn maybe_arrive(&mut self, queue: QueueNo, generation: u32) {
        let Some(q) = self.queues.get(queue.0 as usize) else { return };
        if q.arrivals != generation {
            return;
        }
        // Thinning: candidates come at the day's highest rate, the hour decides who is real.
        let share = self.profile();
        if self.dice.happens(share) {
            let contact = self.new_contact(queue, Duration::ZERO, None);
            self.count_on(contact);
        }
        self.start_arrivals(queue);
    }

    pub(crate) fn random_customer(&mut self) -> (String, String) {
        let customer = self.dice.pick(CUSTOMERS).copied().unwrap_or("Guest").to_owned();
        let subject = self.dice.pick(SUBJECTS).copied().unwrap_or_default().to_owned();
        (customer, subject)
    }

    /// Plans the patience of somebody who has just entered a queue, and looks for an agent.
    pub(crate) fn count_on(&mut self, contact: ContactNo) {
        let Some(c) = self.contacts.get(&contact) else { return };
        let (queue, epoch) = (c.queue, c.epoch);
        let patience = self.dice.exponential(self.queues[queue.0 as usize].patience);
        self.plan(self.wall(patience), Task::GiveUp(contact, epoch));
        self.route(contact);
    }

    fn give_up(&mut self, contact: ContactNo, epoch: u32) {
        let waits = self
            .contacts
            .get(&contact)
            .is_some_and(|c| c.epoch == epoch && c.state == ConversationState::Waiting);
        if waits {
            let (outcome, end) = match self.dice.unit() {
                u if u < 0.70 => (Outcome::Abandoned, WaitEnd::Abandoned),
                u if u < 0.88 => (Outcome::SwitchedToMessage, WaitEnd::Switched),
                _ => (Outcome::Missed, WaitEnd::Missed),
            };
            self.end_now(contact, outcome, end);
        }
    }

    /// Gives a waiting contact to whoever of its queue has the smallest load, then is free longest.
    fn route(&mut self, contact: ContactNo) {
        if !self.routing {
            return;
        }
        let Some(queue) = self.contacts.get(&contact).map(|c| c.queue) else { return };
        let seat = self.queues[queue.0 as usize]
            .seats
            .iter()
            .map(|no| &self.seats[no.0 as usize])
            .filter(|s| s.takes_work() && s.open.len() < 6)
            .min_by_key(|s| (s.open.len(), s.idle_since, s.no))
            .map(|s| s.no);
        if let Some(seat) = seat {
            self.join_now(contact, seat);
        }
    }

    /// Fills a seat that has room with those who have waited longest in its queues.
    pub(crate) fn seek_work(&mut self, seat: SeatNo) {
        while self.routing
            && self.seats[seat.0 as usize].takes_work()
            && self.seats[seat.0 as usize].open.len() < 6
        {
            let next = self.seats[seat.0 as usize]
                .queues
                .iter()
                .filter_map(|q| self.queues[q.0 as usize].waiting.front())
                .filter_map(|c| self.contacts.get(c))
                .min_by_key(|c| (c.entered_at, c.no))
                .map(|c| c.no);
            match next {
                Some(contact) => self.join_now(contact, seat),
                None => return,
            }
        }
    }

    /// Plans what a person does with a contact just joined.
    pub(crate) fn plan_handling(&mut self, contact: ContactNo, load: usize) {
        let Some(c) = self.contacts.get(&contact) else { return };
        let (queue, epoch) = (c.queue, c.epoch);
        let slower = 1.0 + SLOWER_PER_CONTACT * (load.saturating_sub(1)) as f64;
        let mean = self.queues[queue.0 as usize].handling.mul_f64(slower);
        let handling = self.dice.lognormal(mean, 0.8).max(Duration::from_secs(20));
        let reply = self.dice.lognormal(Duration::from_secs(14), 0.7).min(handling / 2);
        let talk = self.dice.exponential(Duration::from_secs(45));
        self.plan(self.wall(reply), Task::Reply(contact, epoch));
        self.plan(self.wall(reply + talk), Task::Talk(contact, epoch));
        self.plan(self.wall(handling), Task::Finish(contact, epoch));
    }

    fn reply(&mut self, contact: ContactNo) {
        if let Some(seat) = self.contacts.get(&contact).and_then(|c| c.seats.first().copied()) {
            self.agent_wrote_now(contact, seat);
        }
    }

    fn talk(&mut self, contact: ContactNo) {
        let Some(c) = self.contacts.get(&contact) else { return };
        let (epoch, seat) = (c.epoch, c.seats.first().copied());
        match seat {
            Some(seat) if self.dice.happens(0.5) => self.agent_wrote_now(contact, seat),
            _ => self.customer_wrote_now(contact),
        }
        if self.dice.happens(0.04) {
            self.note_now(contact, Some("follow-up"), None);
        }
        let talk = self.dice.exponential(Duration::from_secs(45));
        self.plan(self.wall(talk), Task::Talk(contact, epoch));
    }

    fn finish(&mut self, contact: ContactNo) {
        let Some(c) = self.contacts.get(&contact) else { return };
        let (vendor, queue) = (c.vendor, c.queue);
        if self.dice.happens(0.06) {
            let others: Vec<QueueNo> = self.queues_of(vendor).map(|q| q.no).filter(|q| *q != queue).collect();
            if let Some(to) = self.dice.pick(&others).copied() {
                self.move_now(contact, to);
                self.count_on(contact);
                return;
            }
        }
        self.end_now(contact, Outcome::Handled, WaitEnd::Answered);
    }

    fn follow(&mut self, step: Step) {
        match step {
            Step::Meeting(queue) | Step::MeetingOver(queue) => {
                self.queues[queue.0 as usize].meeting = matches!(step, Step::Meeting(_));
                for seat in self.queues[queue.0 as usize].seats.clone() {
                    let was = self.seats[seat.0 as usize].stance;
                    match step {
                        Step::Meeting(_) if was != Stance::Offline => {
                            self.set_stance_now(seat, Stance::Away, Some(MEETING));
                        }
                        Step::MeetingOver(_) if was == Stance::Away => {
                            self.set_stance_now(seat, Stance::Accepting, None);
                        }
                        _ => {}
                    }
                }
            }
            Step::Surge(queue, factor) => {
                self.queues[queue.0 as usize].surge = factor;
                self.start_arrivals(queue);
            }
            Step::Patient(queue) => {
                let contact = self.new_contact(queue, Duration::ZERO, None);
                self.route(contact);
            }
        }
    }
}
