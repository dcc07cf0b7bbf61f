//! What a test, or a script, can do to the floor and to the wires.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{ConversationState, Id, Outcome, Vendor};

use crate::{
    floor::{Centre, ContactNo, QueueNo, Refused, SeatNo, Stance},
    server::{Again, Restart, VendorServer},
    stage::Stage,
    wire::{Counters, Fault, Half, Wire},
};

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The vendor is not served.
    #[error("{} is not served here", .0.as_str())]
    NotServed(Vendor),
    /// There is no such queue, agent or conversation.
    #[error("there is no {0} called `{1}`")]
    Unknown(&'static str, String),
    /// The floor said no.
    #[error(transparent)]
    Refused(#[from] Refused),
}

pub(crate) type Post = (Arc<Wire>, Arc<dyn VendorServer>);

/// The handle. Queues and agents go by id or by name, conversations by id, all as the model has them.
#[derive(Clone)]
pub struct Control {
    stage: Arc<Stage>,
    posts: Arc<BTreeMap<Vendor, Post>>,
}

impl Control {
    pub(crate) fn new(stage: Arc<Stage>, posts: Arc<BTreeMap<Vendor, Post>>) -> Self {
        Self { stage, posts }
    }
    fn post(&self, vendor: Vendor) -> Result<&Post, ControlError> {
        self.posts.get(&vendor).ok_or(ControlError::NotServed(vendor))
    }
    /// Which vendors are served.
    pub fn vendors(&self) -> Vec<Vendor> {
        self.posts.keys().copied().collect()
    }

    // --- the floor ---

    /// Nothing happens by itself any more.
    pub fn pause(&self) {
        self.stage.act(Centre::pause);
    }
    /// The floor lives again.
    pub fn resume(&self) {
        self.stage.act(Centre::resume);
    }
    /// Ids and names of a vendor's queues.
    pub fn queues(&self, vendor: Vendor) -> Result<Vec<(Id, String)>, ControlError> {
        let (_, server) = self.post(vendor)?;
        Ok(self.stage.look(|floor| {
            floor.queues_of(vendor).map(|q| (server.queue_id(floor, q.no), q.name.clone())).collect()
        }))
    }
    /// Ids and names of a vendor's agents.
    pub fn agents(&self, vendor: Vendor) -> Result<Vec<(Id, String)>, ControlError> {
        let (_, server) = self.post(vendor)?;
        Ok(self
            .stage
            .look(|floor| floor.seats_of(vendor).map(|s| (server.agent_id(floor, s.no), s.name())).collect()))
    }
    /// Ids of a vendor's conversations that are not over.
    pub fn conversations(&self, vendor: Vendor) -> Result<Vec<Id>, ControlError> {
        let (_, server) = self.post(vendor)?;
        Ok(self.stage.look(|floor| {
            floor.open_contacts_of(vendor).map(|c| server.conversation_id(floor, c.no)).collect()
        }))
    }
    /// A customer comes now.
    pub fn customer_arrives(&self, vendor: Vendor, queue: &str) -> Result<Id, ControlError> {
        self.customer_arrived(vendor, queue, Duration::ZERO, None)
    }
    /// A customer comes who has waited already, under a name.
    pub fn customer_arrived(
        &self,
        vendor: Vendor,
        queue: &str,
        ago: Duration,
        name: Option<&str>,
    ) -> Result<Id, ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let queue = find_queue(floor, server, queue)?;
            let contact = floor.arrive(queue, ago, name)?;
            Ok(server.conversation_id(floor, contact))
        })
    }
    /// An agent takes a waiting conversation, or joins an active one.
    pub fn agent_takes(&self, vendor: Vendor, conversation: &str, agent: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let (contact, seat) =
                (find_contact(floor, server, conversation)?, find_seat(floor, server, agent)?);
            Ok(floor.join(contact, seat)?)
        })
    }
    /// An agent leaves; the last one leaves it waiting again.
    pub fn agent_leaves(&self, vendor: Vendor, conversation: &str, agent: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let (contact, seat) =
                (find_contact(floor, server, conversation)?, find_seat(floor, server, agent)?);
            Ok(floor.leave(contact, seat)?)
        })
    }
    /// It goes to another queue and waits there.
    pub fn transfer(&self, vendor: Vendor, conversation: &str, queue: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let (contact, to) =
                (find_contact(floor, server, conversation)?, find_queue(floor, server, queue)?);
            Ok(floor.transfer(contact, to)?)
        })
    }
    /// The customer leaves: abandoned while waiting, handled otherwise.
    pub fn leaves(&self, vendor: Vendor, conversation: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let contact = find_contact(floor, server, conversation)?;
            let waits = floor.contact(contact).is_some_and(|c| c.state == ConversationState::Waiting);
            Ok(floor.end(contact, if waits { Outcome::Abandoned } else { Outcome::Handled })?)
        })
    }
    /// It ends in this way.
    pub fn ends(&self, vendor: Vendor, conversation: &str, outcome: Outcome) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let contact = find_contact(floor, server, conversation)?;
            Ok(floor.end(contact, outcome)?)
        })
    }
    /// An agent writes.
    pub fn agent_writes(&self, vendor: Vendor, conversation: &str, agent: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let (contact, seat) =
                (find_contact(floor, server, conversation)?, find_seat(floor, server, agent)?);
            Ok(floor.agent_writes(contact, seat)?)
        })
    }
    /// The customer writes.
    pub fn customer_writes(&self, vendor: Vendor, conversation: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let contact = find_contact(floor, server, conversation)?;
            Ok(floor.customer_writes(contact)?)
        })
    }
    /// Somebody tags it.
    pub fn tag(&self, vendor: Vendor, conversation: &str, tag: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let contact = find_contact(floor, server, conversation)?;
            Ok(floor.note(contact, Some(tag), None)?)
        })
    }
    /// An agent changes presence.
    pub fn agent_presence(
        &self,
        vendor: Vendor,
        agent: &str,
        stance: Stance,
        label: Option<&'static str>,
    ) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let seat = find_seat(floor, server, agent)?;
            Ok(floor.set_stance(seat, stance, label)?)
        })
    }
    /// How many conversations an agent may have at once.
    pub fn agent_limit(&self, vendor: Vendor, agent: &str, limit: Option<u32>) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let seat = find_seat(floor, server, agent)?;
            Ok(floor.set_limit(seat, limit)?)
        })
    }
    /// The agent's account is taken away.
    pub fn agent_removed(&self, vendor: Vendor, agent: &str) -> Result<(), ControlError> {
        let (_, server) = self.post(vendor)?;
        self.stage.act(|floor| {
            let seat = find_seat(floor, server, agent)?;
            Ok(floor.set_disabled(seat, true)?)
        })
    }

    // --- the wires ---

    /// The port is closed and everybody cut.
    pub fn down(&self, vendor: Vendor) -> Result<(), ControlError> {
        self.post(vendor)?.0.gate.close();
        Ok(())
    }
    /// The port is open again, the same one.
    pub fn up(&self, vendor: Vendor) -> Result<(), ControlError> {
        self.post(vendor)?.0.gate.open();
        Ok(())
    }
    /// Every connection ends without a closing word.
    pub fn cut(&self, vendor: Vendor) -> Result<(), ControlError> {
        self.post(vendor)?.0.gate.cut();
        Ok(())
    }
    /// Every connection ends with a TCP reset.
    pub fn reset(&self, vendor: Vendor) -> Result<(), ControlError> {
        self.post(vendor)?.0.gate.reset();
        Ok(())
    }
    /// Connections, new ones too, stay up and go silent, until [`Control::heal`].
    pub fn silence(&self, vendor: Vendor, half: Half) -> Result<(), ControlError> {
        self.post(vendor)?.0.gate.silence(half);
        Ok(())
    }
    /// A fault of one endpoint, `*` for all, until healed.
    pub fn fault(&self, vendor: Vendor, endpoint: &str, fault: Fault) -> Result<(), ControlError> {
        self.post(vendor)?.0.set_fault(endpoint, fault, None);
        Ok(())
    }
    /// A fault of the next so many requests to one endpoint.
    pub fn fault_times(
        &self,
        vendor: Vendor,
        endpoint: &str,
        fault: Fault,
        times: u32,
    ) -> Result<(), ControlError> {
        self.post(vendor)?.0.set_fault(endpoint, fault, Some(times));
        Ok(())
    }
    /// Faults, silence, closed port and skew are over. A secret that was set stays, and so does a limit.
    pub fn heal(&self, vendor: Vendor) -> Result<(), ControlError> {
        let (wire, _) = self.post(vendor)?;
        wire.clear_faults();
        wire.gate.unsilence();
        wire.gate.open();
        wire.set_skew_ms(0);
        Ok(())
    }
    /// Every token handed out so far is void.
    pub fn revoke_tokens(&self, vendor: Vendor) -> Result<(), ControlError> {
        let (wire, server) = self.post(vendor)?;
        wire.revoke_tokens();
        server.tokens_revoked();
        Ok(())
    }
    /// From now on only this secret is accepted; `None`: any.
    pub fn require_secret(&self, vendor: Vendor, secret: Option<&str>) -> Result<(), ControlError> {
        self.post(vendor)?.0.set_secret(secret.map(str::to_owned));
        Ok(())
    }
    /// Server clock minus ours, in seconds.
    pub fn clock_skew(&self, vendor: Vendor, seconds: f64) -> Result<(), ControlError> {
        self.post(vendor)?.0.set_skew_ms((seconds * 1000.0).round() as i64);
        Ok(())
    }
    /// How many calls in how much time; `None` lifts the vendor's limit.
    pub fn limit(&self, vendor: Vendor, limit: Option<(u32, Duration)>) -> Result<(), ControlError> {
        self.post(vendor)?.0.set_limit(limit);
        Ok(())
    }
    /// These bytes as a push frame to everybody.
    pub fn push_raw(&self, vendor: Vendor, text: &str) -> Result<(), ControlError> {
        self.post(vendor)?.1.push_raw(text);
        Ok(())
    }
    /// Push frames once more.
    pub fn push_again(&self, vendor: Vendor, how: Again) -> Result<(), ControlError> {
        self.post(vendor)?.1.push_again(how);
        Ok(())
    }
    /// The vendor's back end starts anew.
    pub fn restart(&self, vendor: Vendor, how: Restart) -> Result<(), ControlError> {
        self.post(vendor)?.1.restart(how);
        Ok(())
    }
    /// What was counted.
    pub fn counters(&self, vendor: Vendor) -> Result<Counters, ControlError> {
        Ok(self.post(vendor)?.0.counters())
    }
}

fn find_queue(floor: &Centre, server: &Arc<dyn VendorServer>, wanted: &str) -> Result<QueueNo, ControlError> {
    floor
        .queues_of(server.vendor())
        .find(|q| q.name == wanted || server.queue_id(floor, q.no).as_str() == wanted)
        .map(|q| q.no)
        .ok_or_else(|| ControlError::Unknown("queue", wanted.to_owned()))
}
fn find_seat(floor: &Centre, server: &Arc<dyn VendorServer>, wanted: &str) -> Result<SeatNo, ControlError> {
    floor
        .seats_of(server.vendor())
        .find(|s| s.name() == wanted || server.agent_id(floor, s.no).as_str() == wanted)
        .map(|s| s.no)
        .ok_or_else(|| ControlError::Unknown("agent", wanted.to_owned()))
}
fn find_contact(
    floor: &Centre,
    server: &Arc<dyn VendorServer>,
    wanted: &str,
) -> Result<ContactNo, ControlError> {
    floor
        .contacts_of(server.vendor())
        .find(|c| server.conversation_id(floor, c.no).as_str() == wanted)
        .map(|c| c.no)
        .ok_or_else(|| ControlError::Unknown("conversation", wanted.to_owned()))
}
