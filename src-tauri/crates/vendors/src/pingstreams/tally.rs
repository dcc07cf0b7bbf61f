//! What a department's row is made of, kept up to date by what changes.

use model::{Agent, Id, Presence, Queue, QueueKind, Timestamp};

use crate::load::Load;

/// Members of one department.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Staff {
    online: u32,
    available: u32,
    unlimited: u32,
    uncounted: u32,
    capacity: u32,
    free: u32,
}

impl Staff {
    pub fn add(&mut self, a: &Agent) {
        self.shift(a, u32::saturating_add);
    }
    pub fn take(&mut self, a: &Agent) {
        self.shift(a, u32::saturating_sub);
    }
    fn shift(&mut self, a: &Agent, by: fn(u32, u32) -> u32) {
        // Who has opted out keeps a limit, and has nothing free.
        let on_duty = a.presence != Presence::Away;
        self.online = by(self.online, u32::from(a.presence.is_online()));
        self.available = by(self.available, u32::from(a.presence == Presence::Available));
        self.unlimited = by(self.unlimited, u32::from(a.capacity.is_none()));
        self.uncounted = by(self.uncounted, u32::from(on_duty && a.free_capacity.is_none()));
        self.capacity = by(self.capacity, a.capacity.unwrap_or(0));
        if on_duty {
            self.free = by(self.free, a.free_capacity.unwrap_or(0));
        }
    }
}

/// The row. `load` is `None` when only a part of the conversations is visible, `staff` when nobody knows
/// who serves the department: then the figures are unknown, not zero.
pub(super) fn queue(
    source: &Id,
    id: &Id,
    name: &str,
    load: Option<&Load>,
    staff: Option<&Staff>,
    seen: Timestamp,
) -> Queue {
    let limited = staff.filter(|s| s.unlimited == 0);
    Queue {
        source: source.clone(),
        id: id.clone(),
        name: name.to_owned(),
        kind: QueueKind::Department,
        waiting: load.map(Load::waiting),
        waiting_since: load.and_then(Load::oldest),
        average_wait_s: load.and_then(|l| l.average_wait_s(seen)),
        open: load.map(Load::active),
        capacity: limited.map(|s| s.capacity),
        free_capacity: limited.filter(|s| s.uncounted == 0).map(|s| s.free),
        agents_online: staff.map(|s| s.online),
        agents_available: staff.map(|s| s.available),
        expected_at: None,
        windows: Vec::new(),
    }
}
