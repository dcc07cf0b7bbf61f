//! What can be done to the floor: by chance, by the demo's script, or by a test that steers.

use std::time::Duration;

use model::{ConversationState, Outcome};

use super::{
    Centre, Contact, ContactNo, QueueNo, SeatNo, Stance, WaitEnd, event::What, ledger::Day, run::Task,
};

/// How long an ended contact can still be read.
const KEPT: Duration = Duration::from_secs(600);

/// Why an act could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such queue, seat or contact (any more).
    #[error("there is no such thing on the floor")]
    Unknown,
    /// It stands otherwise: over already, not waiting, not in hand.
    #[error("it does not stand so that this could be done")]
    WrongState,
}

impl Centre {
    /// A customer comes; `waited` back-dates the arrival. Nobody gives up by chance when steered so.
    pub fn arrive(
        &mut self,
        queue: QueueNo,
        waited: Duration,
        name: Option<&str>,
    ) -> Result<ContactNo, Refused> {
        self.queue(queue).ok_or(Refused::Unknown)?;
        Ok(self.new_contact(queue, waited, name))
    }
    /// A person joins: takes a waiting contact or helps with an active one.
    pub fn join(&mut self, contact: ContactNo, seat: SeatNo) -> Result<(), Refused> {
        self.seat(seat).ok_or(Refused::Unknown)?;
        let c = self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        if c.state == ConversationState::Ended || c.seats.contains(&seat) {
            return Err(Refused::WrongState);
        }
        self.join_now(contact, seat);
        Ok(())
    }
    /// A person leaves; when it was the last one the contact waits again.
    pub fn leave(&mut self, contact: ContactNo, seat: SeatNo) -> Result<(), Refused> {
        let c = self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        if c.state != ConversationState::Active || !c.seats.contains(&seat) {
            return Err(Refused::WrongState);
        }
        self.leave_now(contact, seat);
        Ok(())
    }
    /// It goes to another queue and waits there.
    pub fn transfer(&mut self, contact: ContactNo, to: QueueNo) -> Result<(), Refused> {
        self.queue(to).ok_or(Refused::Unknown)?;
        let c = self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        if c.state == ConversationState::Ended {
            return Err(Refused::WrongState);
        }
        self.move_now(contact, to);
        Ok(())
    }
    /// It ends.
    pub fn end(&mut self, contact: ContactNo, outcome: Outcome) -> Result<(), Refused> {
        let c = self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        if c.state == ConversationState::Ended {
            return Err(Refused::WrongState);
        }
        let end = match outcome {
            Outcome::Abandoned | Outcome::Unknown => WaitEnd::Abandoned,
            Outcome::Missed => WaitEnd::Missed,
            Outcome::SwitchedToMessage => WaitEnd::Switched,
            Outcome::Handled => WaitEnd::Answered,
        };
        self.end_now(contact, outcome, end);
        Ok(())
    }
    /// A person who has it writes.
    pub fn agent_writes(&mut self, contact: ContactNo, seat: SeatNo) -> Result<(), Refused> {
        let c = self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        if !c.seats.contains(&seat) {
            return Err(Refused::WrongState);
        }
        self.agent_wrote_now(contact, seat);
        Ok(())
    }
    /// The customer writes.
    pub fn customer_writes(&mut self, contact: ContactNo) -> Result<(), Refused> {
        self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        self.customer_wrote_now(contact);
        Ok(())
    }
    /// Somebody tags it or changes its priority.
    pub fn note(
        &mut self,
        contact: ContactNo,
        tag: Option<&str>,
        priority: Option<&'static str>,
    ) -> Result<(), Refused> {
        self.contacts.get(&contact).ok_or(Refused::Unknown)?;
        self.note_now(contact, tag, priority);
        Ok(())
    }
    /// A person changes presence.
    pub fn set_stance(
        &mut self,
        seat: SeatNo,
        stance: Stance,
        label: Option<&'static str>,
    ) -> Result<(), Refused> {
        self.seat(seat).ok_or(Refused::Unknown)?;
        self.set_stance_now(seat, stance, label);
        Ok(())
    }
    /// How many contacts a person may have at once.
    pub fn set_limit(&mut self, seat: SeatNo, limit: Option<u32>) -> Result<(), Refused> {
        let now = self.now;
        let s = self.seats.get_mut(seat.0 as usize).ok_or(Refused::Unknown)?;
        s.limit = limit;
        s.updated_at = now;
        self.emit(What::Roster(seat));
        self.seek_work(seat);
        Ok(())
    }
    /// The account is taken away, or given back. What it has in hand goes back to the queue.
    pub fn set_disabled(&mut self, seat: SeatNo, disabled: bool) -> Result<(), Refused> {
        let now = self.now;
        let s = self.seats.get_mut(seat.0 as usize).ok_or(Refused::Unknown)?;
        s.disabled = disabled;
        s.updated_at = now;
        let open: Vec<ContactNo> = s.open.iter().copied().collect();
        if disabled {
            for contact in open {
                self.leave_now(contact, seat);
            }
        }
        self.emit(What::Roster(seat));
        Ok(())
    }

    pub(crate) fn new_contact(&mut self, queue: QueueNo, waited: Duration, name: Option<&str>) -> ContactNo {
        let (customer, subject) = self.random_customer();
        let vendor = self.queues[queue.0 as usize].vendor;
        let ticket = self.tickets.entry(vendor).or_default();
        *ticket += 1;
        let ticket = *ticket;
        self.next_contact += 1;
        let no = ContactNo(self.next_contact);
        let created = self.now.minus(waited);
        let priority = if self.dice.happens(0.1) { "high" } else { "medium" };
        let contact = Contact {
            no,
            vendor,
            queue,
            ticket,
            customer: name.map_or(customer, str::to_owned),
            subject,
            state: ConversationState::Waiting,
            created_at: created,
            entered_at: created,
            assigned_at: None,
            answered_at: None,
            first_response_at: None,
            response_time: None,
            ended_at: None,
            outcome: None,
            updated_at: self.now,
            customer_wrote_at: created,
            agent_wrote_at: None,
            seats: Vec::new(),
            tags: Vec::new(),
            priority,
            messages: 1,
            epoch: 0,
        };
        self.contacts.insert(no, contact);
        self.enqueue(no);
        self.emit(What::Arrived(no));
        no
    }

    fn enqueue(&mut self, contact: ContactNo) {
        let Some(c) = self.contacts.get(&contact) else { return };
        let key = (c.entered_at, c.no);
        let queue = c.queue.0 as usize;
        let contacts = &self.contacts;
        let waiting = &self.queues[queue].waiting;
        // Nearly always the end; only a back-dated arrival goes further ahead.
        let place = waiting
            .iter()
            .rposition(|n| contacts.get(n).is_some_and(|o| (o.entered_at, o.no) < key))
            .map_or(0, |i| i + 1);
        self.queues[queue].waiting.insert(place, contact);
    }

    pub(crate) fn join_now(&mut self, contact: ContactNo, seat: SeatNo) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        let first = c.state == ConversationState::Waiting;
        let (vendor, queue, waited) = (c.vendor, c.queue, now.since(c.entered_at));
        c.state = ConversationState::Active;
        c.seats.push(seat);
        c.assigned_at = Some(now);
        c.updated_at = now;
        if first {
            c.answered_at = Some(now);
            c.epoch += 1;
        }
        if first {
            let q = &mut self.queues[queue.0 as usize];
            q.waiting.retain(|n| *n != contact);
            q.open += 1;
            q.hour.note(now, WaitEnd::Answered, waited);
            q.day.turn(now);
            q.day.wait_ended(WaitEnd::Answered, waited);
            self.day_mut(vendor).wait_ended(WaitEnd::Answered, waited);
        }
        let s = &mut self.seats[seat.0 as usize];
        s.open.insert(contact);
        s.idle_since = now;
        s.updated_at = now;
        s.chatting_since.get_or_insert(now);
        let load = s.open.len();
        self.emit(What::Joined(contact, seat));
        self.emit(What::Load(seat));
        if first {
            self.plan_handling(contact, load);
        }
    }

    fn release(&mut self, contact: ContactNo, seat: SeatNo) {
        let now = self.now;
        let s = &mut self.seats[seat.0 as usize];
        s.open.remove(&contact);
        s.idle_since = now;
        s.updated_at = now;
        if s.open.is_empty()
            && let Some(since) = s.chatting_since.take()
        {
            s.chat_time += now.since(since);
        }
        self.emit(What::Load(seat));
    }

    fn leave_now(&mut self, contact: ContactNo, seat: SeatNo) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        c.seats.retain(|s| *s != seat);
        c.updated_at = now;
        let (queue, vendor) = (c.queue, c.vendor);
        let last = c.seats.is_empty();
        if last {
            c.state = ConversationState::Waiting;
            c.entered_at = now;
            c.answered_at = None;
            c.epoch += 1;
            self.queues[queue.0 as usize].open -= 1;
            self.enqueue(contact);
        }
        self.day_mut(vendor).transferred += 1;
        self.emit(What::Requeued(contact, seat));
        self.release(contact, seat);
        self.seek_work(seat);
    }

    pub(crate) fn move_now(&mut self, contact: ContactNo, to: QueueNo) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        let (from, vendor) = (c.queue, c.vendor);
        let was_active = c.state == ConversationState::Active;
        let seats = std::mem::take(&mut c.seats);
        c.queue = to;
        c.state = ConversationState::Waiting;
        c.entered_at = now;
        c.assigned_at = None;
        c.answered_at = None;
        c.response_time = None;
        c.updated_at = now;
        c.epoch += 1;
        let q = &mut self.queues[from.0 as usize];
        if was_active {
            q.open -= 1;
        } else {
            q.waiting.retain(|n| *n != contact);
        }
        self.enqueue(contact);
        let day = self.day_mut(vendor);
        day.transferred += 1;
        day.moved += 1;
        self.emit(What::Moved(contact, from));
        for seat in &seats {
            self.release(contact, *seat);
        }
        for seat in seats {
            self.seek_work(seat);
        }
    }

    pub(crate) fn end_now(&mut self, contact: ContactNo, outcome: Outcome, end: WaitEnd) {
        let now = self.now;
        let rating = self.dice.happens(0.4).then(|| 3 + self.dice.below(3) as u32);
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        let (vendor, queue, waited) = (c.vendor, c.queue, now.since(c.entered_at));
        let was_waiting = c.state == ConversationState::Waiting;
        let handling = c.answered_at.map(|at| now.since(at));
        let seats = c.seats.clone();
        c.state = ConversationState::Ended;
        c.outcome = Some(outcome);
        c.ended_at = Some(now);
        c.updated_at = now;
        c.epoch += 1;
        let q = &mut self.queues[queue.0 as usize];
        if was_waiting {
            // Whoever is ended while waiting was never answered, whatever the caller calls it.
            let end = if end == WaitEnd::Answered { WaitEnd::Abandoned } else { end };
            q.waiting.retain(|n| *n != contact);
            q.hour.note(now, end, waited);
            q.day.turn(now);
            q.day.wait_ended(end, waited);
            self.day_mut(vendor).wait_ended(end, waited);
        } else {
            q.open -= 1;
            let day: &mut Day = self.day_mut(vendor);
            day.handled += 1;
            day.handling_s += handling.unwrap_or_default().as_secs_f64();
            if let Some(rating) = rating {
                day.rated += 1;
                day.score += rating;
            }
        }
        self.emit(What::Ended(contact, outcome));
        for seat in &seats {
            self.seats[seat.0 as usize].handled_today += 1;
            self.release(contact, *seat);
        }
        self.plan(KEPT, Task::Forget(contact));
        for seat in seats {
            self.seek_work(seat);
        }
    }

    pub(crate) fn agent_wrote_now(&mut self, contact: ContactNo, seat: SeatNo) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        c.agent_wrote_at = Some(now);
        c.messages += 1;
        let vendor = c.vendor;
        let after = now.since(c.assigned_at.unwrap_or(c.created_at));
        let first = c.response_time.is_none();
        if first {
            c.response_time = Some(now.since(c.created_at));
            c.first_response_at.get_or_insert(now);
            c.updated_at = now;
            let day = self.day_mut(vendor);
            day.replies += 1;
            day.reply_s += after.as_secs_f64();
            self.emit(What::FirstReply(contact, seat));
        }
        self.emit(What::AgentWrote(contact, seat));
    }

    pub(crate) fn customer_wrote_now(&mut self, contact: ContactNo) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        c.customer_wrote_at = now;
        c.messages += 1;
        self.emit(What::CustomerWrote(contact));
    }

    pub(crate) fn note_now(&mut self, contact: ContactNo, tag: Option<&str>, priority: Option<&'static str>) {
        let now = self.now;
        let Some(c) = self.contacts.get_mut(&contact) else { return };
        if let Some(tag) = tag
            && !c.tags.iter().any(|t| t == tag)
        {
            c.tags.push(tag.to_owned());
        }
        if let Some(priority) = priority {
            c.priority = priority;
        }
        c.updated_at = now;
        self.emit(What::Noted(contact));
    }

    pub(crate) fn set_stance_now(&mut self, seat: SeatNo, stance: Stance, label: Option<&'static str>) {
        let now = self.now;
        let Some(s) = self.seats.get_mut(seat.0 as usize) else { return };
        if s.stance == stance && s.label == label {
            return;
        }
        if s.stance == Stance::Offline {
            s.signed_in_at = now;
        }
        s.stance = stance;
        s.label = label;
        s.stance_since = now;
        s.updated_at = now;
        self.emit(What::Stance(seat));
        self.seek_work(seat);
    }
}
