//! What is gathered between two commits: segments with their keyframes, deltas, and the gaps of sources.

use std::collections::BTreeMap;

use model::{Health, Id, Timestamp};

use super::{FloorLog, Op, OpenSegment, SEGMENT_AGE, SEGMENT_BYTES};
use crate::floor::{
    bytes::{Enc, Names, seal},
    image::{Row, put_keyframe, put_new, put_patch, put_remove},
    rows::Logged,
};

impl FloorLog {
    pub(super) fn segment_is_full(&self, at: Timestamp) -> bool {
        let Some(open) = &self.segment else { return true };
        let limit = (2 * open.keyframe_bytes).clamp(SEGMENT_BYTES.0, SEGMENT_BYTES.1);
        open.delta_bytes + self.body.len() > limit || at.since(open.began) > SEGMENT_AGE
    }

    pub(super) fn begin_segment(&mut self, at: Timestamp, continues: bool) {
        self.close_delta();
        self.mirror.compact();
        self.names = Names::default();
        let keyframe = seal(&put_keyframe(self.mirror.rows(), &mut self.names, at));
        let id = self.next_segment;
        self.next_segment += 1;
        // The first segment of a run stands alone: nobody saw what happened before it.
        let continues = continues && self.segment.is_some();
        self.segment = Some(OpenSegment { id, began: at, keyframe_bytes: keyframe.len(), delta_bytes: 0 });
        let after = self.next_delta - 1;
        self.ops.push(Op::Segment { id, at, revision: self.revision, after, continues, keyframe });
        self.last_at = Some(at);
        if !continues {
            self.gather_gaps(at);
        }
    }

    /// Closes the delta being gathered.
    pub(super) fn close_delta(&mut self) {
        let groups = std::mem::take(&mut self.body);
        let (Some(open), false) = (&mut self.segment, groups.is_empty()) else { return };
        let mut whole = Vec::with_capacity(groups.len() + 64);
        self.names.put_new(&mut whole);
        whole.extend_from_slice(&groups);
        let body = seal(&whole);
        open.delta_bytes += body.len();
        let id = self.next_delta;
        self.next_delta += 1;
        let until = self.last_at.unwrap_or(self.base);
        self.ops.push(Op::Delta { id, segment: open.id, at: self.base, until, body });
    }

    /// Encodes one change against the mirror; returns how many changes were written.
    pub(super) fn encode(&mut self, change: &Logged, base: Timestamp, group: &mut Vec<u8>) -> u64 {
        let out = &mut Enc { out: group, names: &mut self.names, base: base.as_ms() };
        let row = match change {
            Logged::Upsert(entity) => Row::Entity(entity.clone()),
            Logged::Source(source) => Row::Source(source.clone()),
            Logged::Remove(kind, key) => {
                let Some(place) = self.mirror.remove(*kind, &key.source, &key.id) else { return 0 };
                put_remove(place, out);
                return 1;
            }
            Logged::SourceGone(source) => {
                let places = self.mirror.remove_source(source);
                for place in &places {
                    put_remove(*place, out);
                }
                return places.len() as u64;
            }
        };
        match self.mirror.find(&row) {
            Some(place) => {
                let wrote = self.mirror.row(place).is_some_and(|old| put_patch(place, &row, old, out));
                self.mirror.replace(place, row);
                u64::from(wrote)
            }
            None => {
                let place = self.mirror.put(row);
                if let Some(row) = self.mirror.row(place) {
                    put_new(place, row, out);
                }
                1
            }
        }
    }

    pub(super) fn reflect(&mut self, change: &Logged) {
        match change {
            Logged::Upsert(entity) => {
                self.mirror.put(Row::Entity(entity.clone()));
            }
            Logged::Source(source) => {
                self.mirror.put(Row::Source(source.clone()));
            }
            Logged::Remove(kind, key) => {
                self.mirror.remove(*kind, &key.source, &key.id);
            }
            Logged::SourceGone(source) => {
                self.mirror.remove_source(source);
            }
        }
    }

    /// Opens and closes the gaps of sources as their health is in the mirror.
    pub(super) fn gather_gaps(&mut self, at: Timestamp) {
        let not_live: BTreeMap<Id, Health> = self
            .mirror
            .sources()
            .filter(|s| s.health != Health::Live)
            .map(|s| (s.id.clone(), s.health))
            .collect();
        for source in self.gaps.keys().filter(|id| !not_live.contains_key(*id)) {
            self.ops.push(Op::GapClosed { source: source.clone(), at });
        }
        for (source, health) in not_live.iter().filter(|(id, _)| !self.gaps.contains_key(*id)) {
            self.ops.push(Op::GapOpened { source: source.clone(), at, why: health_word(*health).to_owned() });
        }
        self.gaps = not_live;
    }
}

fn health_word(health: Health) -> &'static str {
    match health {
        Health::Disabled => "disabled",
        Health::Connecting => "connecting",
        Health::Live => "live",
        Health::Stale => "stale",
        Health::Retrying => "retrying",
        Health::Throttled => "throttled",
        Health::Denied => "denied",
        Health::Misconfigured => "misconfigured",
    }
}
