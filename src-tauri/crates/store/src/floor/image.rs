//! The floor in memory as the log sees it: numbered places for rows, and how keyframes and deltas change it.

use std::sync::Arc;

use model::{Id, Source, Timestamp};

use super::{
    bytes::{Bytes, Dec, Enc, Names, Torn, get_names, put_varint},
    records::Record,
    rows::{Entity, FloorAt, Logged, Step},
};

/// What stands in one numbered place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    Entity(Entity),
    Source(Arc<Source>),
}

const QUEUE: u8 = 1;
const AGENT: u8 = 2;
const CONVERSATION: u8 = 3;
const TOTALS: u8 = 4;
const SOURCE: u8 = 5;

impl Row {
    fn put(&self, out: &mut Enc<'_>) {
        match self {
            Row::Entity(Entity::Queue(r)) => put_as(QUEUE, &**r, out),
            Row::Entity(Entity::Agent(r)) => put_as(AGENT, &**r, out),
            Row::Entity(Entity::Conversation(r)) => put_as(CONVERSATION, &**r, out),
            Row::Entity(Entity::Totals(r)) => put_as(TOTALS, &**r, out),
            Row::Source(r) => put_as(SOURCE, &**r, out),
        }
    }
    fn get(from: &mut Dec<'_>) -> Result<Self, Torn> {
        Ok(match from.bytes.byte()? {
            QUEUE => Row::Entity(Entity::Queue(Arc::new(Record::get(from)?))),
            AGENT => Row::Entity(Entity::Agent(Arc::new(Record::get(from)?))),
            CONVERSATION => Row::Entity(Entity::Conversation(Arc::new(Record::get(from)?))),
            TOTALS => Row::Entity(Entity::Totals(Arc::new(Record::get(from)?))),
            SOURCE => Row::Source(Arc::new(Record::get(from)?)),
            _ => return Err(Torn),
        })
    }
    fn patch(&mut self, from: &mut Dec<'_>) -> Result<(), Torn> {
        match self {
            Row::Entity(Entity::Queue(r)) => Arc::make_mut(r).patch(from),
            Row::Entity(Entity::Agent(r)) => Arc::make_mut(r).patch(from),
            Row::Entity(Entity::Conversation(r)) => Arc::make_mut(r).patch(from),
            Row::Entity(Entity::Totals(r)) => Arc::make_mut(r).patch(from),
            Row::Source(r) => Arc::make_mut(r).patch(from),
        }
    }
    fn logged(&self) -> Logged {
        match self {
            Row::Entity(e) => Logged::Upsert(e.clone()),
            Row::Source(s) => Logged::Source(s.clone()),
        }
    }
}

fn put_as<R: Record>(kind: u8, row: &R, out: &mut Enc<'_>) {
    out.byte(kind);
    row.put(out);
}

// What happens to a place: the two low bits beside its number.
const PATCH: u64 = 0;
const REMOVE: u64 = 1;
const NEW: u64 = 2;

/// A new row at the next free place.
pub(crate) fn put_new(place: u32, row: &Row, out: &mut Enc<'_>) {
    out.varint(u64::from(place) << 2 | NEW);
    row.put(out);
}

/// The place is empty from now on.
pub(crate) fn put_remove(place: u32, out: &mut Enc<'_>) {
    out.varint(u64::from(place) << 2 | REMOVE);
}

/// What changed at a place. `false`: nothing did, and nothing was written.
pub(crate) fn put_patch(place: u32, new: &Row, old: &Row, out: &mut Enc<'_>) -> bool {
    fn over<R: Record>(place: u32, new: &R, old: &R, out: &mut Enc<'_>) -> bool {
        let mask = new.differs(old);
        if mask != 0 {
            out.varint(u64::from(place) << 2 | PATCH);
            new.put_over(old, mask, out);
        }
        mask != 0
    }
    match (new, old) {
        (Row::Entity(Entity::Queue(n)), Row::Entity(Entity::Queue(o))) => over(place, &**n, &**o, out),
        (Row::Entity(Entity::Agent(n)), Row::Entity(Entity::Agent(o))) => over(place, &**n, &**o, out),
        (Row::Entity(Entity::Conversation(n)), Row::Entity(Entity::Conversation(o))) => {
            over(place, &**n, &**o, out)
        }
        (Row::Entity(Entity::Totals(n)), Row::Entity(Entity::Totals(o))) => over(place, &**n, &**o, out),
        (Row::Source(n), Row::Source(o)) => over(place, &**n, &**o, out),
        // A place is found by kind and key; another kind cannot stand there.
        _ => false,
    }
}

/// A keyframe: all rows in the order of their places, empty ones left out, numbered anew from 0.
pub(crate) fn put_keyframe<'r>(
    rows: impl Iterator<Item = &'r Row>,
    names: &mut Names,
    at: Timestamp,
) -> Vec<u8> {
    let (mut table, mut body, mut count) = (Vec::new(), Vec::new(), 0u64);
    for row in rows {
        row.put(&mut Enc { out: &mut body, names, base: at.as_ms() });
        count += 1;
    }
    names.put_new(&mut table);
    put_varint(&mut table, count);
    table.append(&mut body);
    table
}

/// The floor being replayed.
#[derive(Default)]
pub(crate) struct Image {
    names: Vec<Id>,
    pub(crate) rows: Vec<Option<Row>>,
    pub(crate) at: Timestamp,
    pub(crate) revision: u64,
}

impl Image {
    pub(crate) fn keyframe(body: &[u8], at: Timestamp, revision: u64) -> Result<Self, Torn> {
        let mut bytes = Bytes::new(body);
        let mut names = Vec::new();
        get_names(&mut bytes, &mut names)?;
        let count = bytes.count()?;
        let mut from = Dec { bytes, names: &names, base: at.as_ms() };
        // What a damaged count promises is not believed.
        let mut rows = Vec::with_capacity(count.min(1 << 16));
        for _ in 0..count {
            rows.push(Some(Row::get(&mut from)?));
        }
        if !from.bytes.is_empty() {
            return Err(Torn);
        }
        Ok(Self { names, rows, at, revision })
    }

    /// Applies the groups of a delta that happened at or before `until`, telling each. `false`: a later
    /// group was met, and with it the end.
    pub(crate) fn apply(
        &mut self,
        body: &[u8],
        base: Timestamp,
        until: Timestamp,
        mut told: Option<&mut dyn FnMut(Step)>,
    ) -> Result<bool, Torn> {
        let mut bytes = Bytes::new(body);
        get_names(&mut bytes, &mut self.names)?;
        while !bytes.is_empty() {
            let at = Timestamp::from_ms(base.as_ms().wrapping_add(bytes.signed()?));
            if at > until {
                return Ok(false);
            }
            let revision = self.revision.wrapping_add(bytes.varint()?);
            let count = bytes.count()?;
            let mut from = Dec { bytes, names: &self.names, base: base.as_ms() };
            let mut changes = Vec::new();
            for _ in 0..count {
                changes.extend(change(&mut self.rows, &mut from, told.is_some())?);
            }
            bytes = from.bytes;
            self.at = at;
            self.revision = revision;
            if let Some(told) = told.as_deref_mut() {
                told(Step { at, revision, whole: false, changes });
            }
        }
        Ok(true)
    }

    pub(crate) fn whole(&self) -> Step {
        let changes = self.rows.iter().flatten().map(Row::logged).collect();
        Step { at: self.at, revision: self.revision, whole: true, changes }
    }

    pub(crate) fn floor(&self) -> FloorAt {
        let (mut sources, mut entities) = (Vec::new(), Vec::with_capacity(self.rows.len()));
        for row in self.rows.iter().flatten() {
            match row {
                Row::Entity(e) => entities.push(e.clone()),
                Row::Source(s) => sources.push(s.clone()),
            }
        }
        FloorAt { at: self.at, revision: self.revision, sources, entities }
    }
}

/// Applies one change; tells it as a row when `tell`.
fn change(rows: &mut Vec<Option<Row>>, from: &mut Dec<'_>, tell: bool) -> Result<Option<Logged>, Torn> {
    let head = from.bytes.varint()?;
    let place = usize::try_from(head >> 2).map_err(|_| Torn)?;
    match head & 3 {
        NEW => {
            if place != rows.len() {
                return Err(Torn);
            }
            let row = Row::get(from)?;
            let told = tell.then(|| row.logged());
            rows.push(Some(row));
            Ok(told)
        }
        PATCH => {
            let row = rows.get_mut(place).and_then(Option::as_mut).ok_or(Torn)?;
            row.patch(from)?;
            Ok(tell.then(|| row.logged()))
        }
        REMOVE => {
            let row = rows.get_mut(place).and_then(Option::take).ok_or(Torn)?;
            Ok(tell.then(|| match row {
                Row::Entity(e) => Logged::Remove(e.kind(), e.key()),
                Row::Source(s) => Logged::SourceGone(s.id.clone()),
            }))
        }
        _ => Err(Torn),
    }
}
