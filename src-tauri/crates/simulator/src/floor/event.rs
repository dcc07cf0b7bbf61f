//! What happens on the floor.

use model::{Outcome, Timestamp};

/// Number of a queue on the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueNo(pub u32);

/// Number of a seat: one person's account at one vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeatNo(pub u32);

/// Number of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactNo(pub u64);

/// Something that happened. Whoever hears of it finds the state after it in the centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// A customer came.
    Arrived(ContactNo),
    /// A person joined the contact.
    Joined(ContactNo, SeatNo),
    /// The person left it and it waits again.
    Requeued(ContactNo, SeatNo),
    /// It was moved to another queue, where it waits.
    Moved(ContactNo, QueueNo),
    /// The person answered for the first time since joining.
    FirstReply(ContactNo, SeatNo),
    /// The person wrote.
    AgentWrote(ContactNo, SeatNo),
    /// The customer wrote.
    CustomerWrote(ContactNo),
    /// Subject, tag or priority changed.
    Noted(ContactNo),
    /// It is over.
    Ended(ContactNo, Outcome),
    /// A person changed presence.
    Stance(SeatNo),
    /// A person's number of open contacts changed.
    Load(SeatNo),
    /// An account came, went or changed its limit.
    Roster(SeatNo),
}
