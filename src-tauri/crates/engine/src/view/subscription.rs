//! One subscriber's view: a snapshot, then patches that hold only what changed.

use std::collections::HashMap;

use model::{Key, Kind, Timestamp};

use super::{Row, Status, ViewMessage, ViewSpec, build::row_key, status::status};
use crate::world::{FastSet, Order, Touch, World};

/// What one subscriber sees. It remembers the world's last touch that it has shown, so that any number
/// of inputs may be applied between two updates.
#[derive(Debug)]
pub struct View {
    spec: ViewSpec,
    /// Number of the last message.
    seq: u64,
    /// Number of the first touch not yet shown.
    seen: u64,
    /// Every row that belongs to the view, also those beyond the limit.
    order: Order,
    /// The rows that the subscriber has, and their keys in order.
    rows: HashMap<Key, Row>,
    listed: Vec<Key>,
    total: u32,
    status: Option<Status>,
}

impl View {
    /// Begins a subscription: the view and its first message.
    pub fn open(spec: ViewSpec, world: &World, now: Timestamp) -> (Self, ViewMessage) {
        let mut order = Order::default();
        for key in spec.all(world) {
            order.place(&key, spec.sort(world, &key));
        }
        let limit = spec.limit();
        let mut rows = HashMap::new();
        let mut listed = Vec::new();
        for (_, key) in order.iter().take(limit) {
            if let Some(row) = spec.row(world, key, now) {
                listed.push(key.clone());
                rows.insert(key.clone(), row);
            }
        }
        let status = (spec == ViewSpec::Status).then(|| status(world, now));
        let total = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let message = ViewMessage::Snapshot {
            seq: 1,
            now: now.as_ms(),
            status: status.clone().map(Box::new),
            rows: listed.iter().filter_map(|key| rows.get(key).cloned()).collect(),
            total,
        };
        let seen = world.journal().head();
        (Self { spec, seq: 1, seen, order, rows, listed, total, status }, message)
    }

    /// What has changed since the last message; `None` when the subscriber would see no difference.
    /// May be called after every input or after many.
    pub fn update(&mut self, world: &World, now: Timestamp) -> Option<ViewMessage> {
        let head = world.journal().head();
        if head == self.seen {
            return None;
        }
        let keys = self.concerned(world);
        self.seen = head;
        let moved = keys.iter().fold(false, |moved, key| {
            let sort = self.spec.sort(world, key);
            self.order.place(key, sort) || moved
        });
        let mut removes = Vec::new();
        let mut again: FastSet<Key> = keys.into_iter().filter(|key| self.rows.contains_key(key)).collect();
        let relisted = moved && self.relist(&mut again, &mut removes);
        let mut again: Vec<Key> = again.into_iter().collect();
        again.sort_unstable();
        let mut upserts = Vec::new();
        for key in again {
            let Some(row) = self.spec.row(world, &key, now) else { continue };
            if self.rows.get(&key) != Some(&row) {
                upserts.push(row.clone());
                self.rows.insert(key, row);
            }
        }
        let total = u32::try_from(self.order.len()).unwrap_or(u32::MAX);
        let counted = total != std::mem::replace(&mut self.total, total);
        let order = relisted.then(|| self.listed.iter().map(|key| self.name(key)).collect());
        let status = self.new_status(world, now);
        if upserts.is_empty() && removes.is_empty() && order.is_none() && status.is_none() && !counted {
            return None;
        }
        self.seq += 1;
        Some(ViewMessage::Patch { seq: self.seq, now: now.as_ms(), status, upserts, removes, order, total })
    }

    /// Keys of rows that may look different, or may have come or gone, since the last message.
    fn concerned(&self, world: &World) -> FastSet<Key> {
        let mut keys = FastSet::default();
        let everything = Touch::Everything;
        let Some(touches) = world.journal().since(self.seen) else {
            // The subscriber lags behind what is remembered: look at everything once.
            self.spec.concerned(&everything, world, &self.order, &mut keys);
            return keys;
        };
        // Conversations show the names of their queue and agents.
        let shows_names = matches!(self.spec, ViewSpec::Conversations { .. });
        let mut named: FastSet<(Kind, &Key)> = FastSet::default();
        for touch in touches {
            self.spec.concerned(touch, world, &self.order, &mut keys);
            if let Touch::Row(kind @ (Kind::Queue | Kind::Agent), key) = touch
                && shows_names
            {
                named.insert((*kind, key));
            }
        }
        if !named.is_empty() {
            keys.extend(self.listed.iter().filter(|key| names_one_of(world, key, &named)).cloned());
        }
        keys
    }

    /// Lists the rows anew. Adds rows that came into view to `again`, drops those that left it into
    /// `removes`, and tells whether the list is another one.
    fn relist(&mut self, again: &mut FastSet<Key>, removes: &mut Vec<String>) -> bool {
        let listed: Vec<Key> =
            self.order.iter().take(self.spec.limit()).map(|(_, key)| key.clone()).collect();
        if listed == self.listed {
            return false;
        }
        let kept: FastSet<&Key> = listed.iter().collect();
        for key in &self.listed {
            if !kept.contains(key) {
                removes.push(self.name(key));
                self.rows.remove(key);
                again.remove(key);
            }
        }
        again.extend(listed.iter().filter(|key| !self.rows.contains_key(*key)).cloned());
        self.listed = listed;
        true
    }

    fn name(&self, key: &Key) -> String {
        match self.spec {
            ViewSpec::Alerts | ViewSpec::Sources => key.id.as_str().to_owned(),
            _ => row_key(key),
        }
    }

    fn new_status(&mut self, world: &World, now: Timestamp) -> Option<Box<Status>> {
        let old = self.status.as_ref()?;
        let new = status(world, now);
        if *old == new {
            return None;
        }
        self.status = Some(new.clone());
        Some(Box::new(new))
    }
}

/// Whether a conversation's row shows the name of one of these queues and agents.
fn names_one_of(world: &World, key: &Key, named: &FastSet<(Kind, &Key)>) -> bool {
    let Some(slot) = world.floor(&key.source).and_then(|floor| floor.conversations.get(&key.id)) else {
        return false;
    };
    let of = |kind: Kind, id: &model::Id| {
        named.contains(&(kind, &Key { source: key.source.clone(), id: id.clone() }))
    };
    slot.row.queue.iter().any(|id| of(Kind::Queue, id))
        || slot.row.agents.iter().flatten().any(|id| of(Kind::Agent, id))
}
