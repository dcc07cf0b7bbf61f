//! Which rows belong to a view, in which order, and which of them a touch concerns.

use model::{AlertState, ConversationState, Id, Key, Kind, SubjectKind, Timestamp};

use super::{
    Row, ViewSpec,
    build::{agent_row, alert_row, conversation_row, need_of, queue_row, source_row},
};
use crate::world::{FastSet, Order, SortKey, Touch, World};

/// The source that floor-wide alerts are listed under.
fn alert_key(id: &Id) -> Key {
    Key { source: id.clone(), id: id.clone() }
}

fn source_key(id: &Id) -> Key {
    Key { source: id.clone(), id: id.clone() }
}

impl ViewSpec {
    /// Rows shown at most.
    pub(super) fn limit(&self) -> usize {
        match self {
            ViewSpec::Conversations { limit, .. } => usize::try_from(*limit).unwrap_or(usize::MAX),
            _ => usize::MAX,
        }
    }

    /// All keys that may belong to this view.
    pub(super) fn all(&self, world: &World) -> FastSet<Key> {
        let mut keys = FastSet::default();
        match self {
            ViewSpec::Status => {}
            ViewSpec::Alerts => keys.extend(world.standing().all().map(|alert| alert_key(&alert.id))),
            ViewSpec::Sources => keys.extend(world.sources().map(|source| source_key(&source.id))),
            _ => {
                for source in world.sources() {
                    self.all_of(world, &source.id, &mut keys);
                }
            }
        }
        keys
    }

    fn all_of(&self, world: &World, source: &Id, keys: &mut FastSet<Key>) {
        let Some(floor) = world.floor(source) else { return };
        let key = |id: &Id| Key { source: source.clone(), id: id.clone() };
        match self {
            ViewSpec::Queues => keys.extend(floor.queues.keys().map(key)),
            ViewSpec::Agents { queue: Some(queue) } => {
                if queue.source == *source
                    && let Some(members) = floor.members.get(&queue.id)
                {
                    keys.extend(members.iter().map(key));
                }
            }
            ViewSpec::Agents { queue: None } => keys.extend(floor.agents.keys().map(key)),
            ViewSpec::Conversations { queue, .. } => {
                if queue.as_ref().is_none_or(|queue| queue.source == *source) {
                    keys.extend(floor.conversations.keys().map(key));
                }
            }
            ViewSpec::Sources => drop(keys.insert(source_key(source))),
            ViewSpec::Alerts => keys.extend(
                world
                    .standing()
                    .all()
                    .filter(|alert| alert.source.as_ref() == Some(source))
                    .map(|alert| alert_key(&alert.id)),
            ),
            ViewSpec::Status => {}
        }
    }

    /// Adds the keys that a touch concerns. `shown` are the rows that the view has.
    pub(super) fn concerned(&self, touch: &Touch, world: &World, shown: &Order, keys: &mut FastSet<Key>) {
        let rows_of = |keys: &mut FastSet<Key>, source: &Id| {
            keys.extend(shown.keys_of(source).cloned());
            self.all_of(world, source, keys);
        };
        let (kind, subject) = match self {
            ViewSpec::Status => return,
            ViewSpec::Queues => (Some(Kind::Queue), Some(SubjectKind::Queue)),
            ViewSpec::Agents { .. } => (Some(Kind::Agent), Some(SubjectKind::Agent)),
            ViewSpec::Conversations { .. } => (Some(Kind::Conversation), Some(SubjectKind::Conversation)),
            ViewSpec::Alerts | ViewSpec::Sources => (None, None),
        };
        match (touch, self) {
            (Touch::Everything, _) => {
                keys.extend(shown.iter().map(|(_, key)| key.clone()));
                keys.extend(self.all(world));
            }
            (Touch::Row(touched, key), _) if kind == Some(*touched) => drop(keys.insert(key.clone())),
            (Touch::Row(_, key), ViewSpec::Sources) => drop(keys.insert(source_key(&key.source))),
            // The row under an alert changed: what the alert counts from may have changed with it.
            (Touch::Row(touched, key), ViewSpec::Alerts) => {
                let subjects: &[(SubjectKind, Key)] = &[
                    (subject_of(*touched), key.clone()),
                    (SubjectKind::Total, source_key(&key.source)),
                    (SubjectKind::Floor, crate::alerts::floor_key()),
                ];
                for (kind, key) in subjects {
                    keys.extend(world.standing().of(*kind, key).map(|alert| alert_key(&alert.id)));
                }
            }
            (Touch::Alert(kind, key, _), _) if subject == Some(*kind) => drop(keys.insert(key.clone())),
            (Touch::Alert(_, _, id), ViewSpec::Alerts) => drop(keys.insert(alert_key(id))),
            (Touch::Source(id), ViewSpec::Sources) => drop(keys.insert(source_key(id))),
            (Touch::Source(id), ViewSpec::Alerts) => {
                let subject = source_key(id);
                let of = world.standing().of(SubjectKind::Source, &subject);
                keys.extend(of.map(|alert| alert_key(&alert.id)));
            }
            (Touch::SourceRows(id), _) => rows_of(keys, id),
            (Touch::Minute, ViewSpec::Queues | ViewSpec::Sources) => {
                keys.extend(shown.iter().map(|(_, key)| key.clone()));
            }
            _ => {}
        }
    }

    /// Where a row belongs; `None` when it does not belong to this view (any more).
    pub(super) fn sort(&self, world: &World, key: &Key) -> Option<SortKey> {
        match self {
            ViewSpec::Status => None,
            ViewSpec::Queues => world.queue_sort(key),
            ViewSpec::Agents { queue } => {
                let agent = &world.floor(&key.source)?.agents.get(&key.id)?.row;
                if let Some(queue) = queue
                    && (queue.source != key.source
                        || !agent.queues.iter().flatten().any(|id| *id == queue.id))
                {
                    return None;
                }
                Some(SortKey { rank: 0, first: 0, second: 0, name: agent.name.to_lowercase().into() })
            }
            ViewSpec::Conversations { queue, .. } => {
                let floor = world.floor(&key.source)?;
                let c = &floor.conversations.get(&key.id)?.row;
                if let Some(queue) = queue
                    && (queue.source != key.source || c.queue.as_ref() != Some(&queue.id))
                {
                    return None;
                }
                let (rank, began) = match c.state {
                    ConversationState::Waiting => (0, c.waiting_since.or(c.created_at)),
                    ConversationState::Active => (1, c.answered_at.or(c.waiting_since).or(c.created_at)),
                    ConversationState::Ended => (2, c.ended_at),
                };
                let first = began.map_or(i64::MAX, |at| floor.shown(at));
                Some(SortKey { rank, first, second: 0, name: "".into() })
            }
            ViewSpec::Alerts => {
                let alert = world.standing().get(&key.id)?;
                if alert.state == AlertState::Inactive {
                    return None;
                }
                let since = alert.fired_at.or(alert.pending_since).map_or(i64::MAX, Timestamp::as_ms);
                let rank = need_of(alert.severity) as u8;
                Some(SortKey { rank, first: since, second: 0, name: "".into() })
            }
            ViewSpec::Sources => {
                let place = world.sources().position(|source| source.id == key.id)?;
                let first = i64::try_from(place).unwrap_or(i64::MAX);
                Some(SortKey { rank: 0, first, second: 0, name: "".into() })
            }
        }
    }

    /// The row as it is shown now.
    pub(super) fn row(&self, world: &World, key: &Key, now: Timestamp) -> Option<Row> {
        match self {
            ViewSpec::Status => None,
            ViewSpec::Queues => queue_row(world, key, now).map(Row::Queue),
            ViewSpec::Agents { .. } => agent_row(world, key).map(Row::Agent),
            ViewSpec::Conversations { .. } => conversation_row(world, key).map(Row::Conversation),
            ViewSpec::Alerts => {
                world.standing().get(&key.id).map(|alert| Row::Alert(alert_row(world, alert)))
            }
            ViewSpec::Sources => world.floor(&key.source).map(|floor| Row::Source(source_row(floor, now))),
        }
    }
}

fn subject_of(kind: Kind) -> SubjectKind {
    match kind {
        Kind::Queue => SubjectKind::Queue,
        Kind::Agent => SubjectKind::Agent,
        Kind::Conversation => SubjectKind::Conversation,
        Kind::Totals => SubjectKind::Total,
    }
}
