//! The rows as they were last logged: what a change is compared with. Rows are shared with the world, so
//! that the mirror costs a pointer a row.

use std::sync::Arc;

use foldhash::HashMap;
use model::{Id, Kind, Source};

use super::{image::Row, rows::Entity};

#[derive(Default)]
struct Places {
    source: Option<u32>,
    totals: Option<u32>,
    queues: HashMap<Id, u32>,
    agents: HashMap<Id, u32>,
    conversations: HashMap<Id, u32>,
}

impl Places {
    fn all(&self) -> impl Iterator<Item = u32> + '_ {
        let many = [&self.queues, &self.agents, &self.conversations];
        many.into_iter().flat_map(|m| m.values().copied()).chain(self.totals).chain(self.source)
    }
}

#[derive(Default)]
pub(crate) struct Mirror {
    rows: Vec<Option<Row>>,
    places: HashMap<Id, Places>,
}

impl Mirror {
    /// Rows in the order of their places. Of two of the same key the later one counts.
    pub(crate) fn of(rows: impl IntoIterator<Item = Row>) -> Self {
        let mut mirror = Self::default();
        for row in rows {
            mirror.put(row);
        }
        mirror
    }
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
    /// Numbers the rows anew without holes, as a keyframe does.
    pub(crate) fn compact(&mut self) {
        *self = Self::of(std::mem::take(&mut self.rows).into_iter().flatten());
    }
    pub(crate) fn row(&self, place: u32) -> Option<&Row> {
        self.rows.get(place as usize)?.as_ref()
    }
    pub(crate) fn replace(&mut self, place: u32, row: Row) {
        if let Some(slot) = self.rows.get_mut(place as usize) {
            *slot = Some(row);
        }
    }
    /// Where the row stands; `None`: nowhere yet.
    pub(crate) fn find(&self, row: &Row) -> Option<u32> {
        match row {
            Row::Source(s) => self.places.get(&s.id)?.source,
            Row::Entity(e) => {
                let (source, id) = e.names();
                self.find_entity(e.kind(), source, id)
            }
        }
    }
    fn find_entity(&self, kind: Kind, source: &Id, id: &Id) -> Option<u32> {
        let places = self.places.get(source)?;
        match kind {
            Kind::Queue => places.queues.get(id).copied(),
            Kind::Agent => places.agents.get(id).copied(),
            Kind::Conversation => places.conversations.get(id).copied(),
            Kind::Totals => places.totals,
        }
    }
    /// Adds a row that stands nowhere yet, or replaces the one of the same key. Returns its place.
    pub(crate) fn put(&mut self, row: Row) -> u32 {
        if let Some(place) = self.find(&row) {
            self.replace(place, row);
            return place;
        }
        let place = self.rows.len() as u32;
        match &row {
            Row::Source(s) => self.places.entry(s.id.clone()).or_default().source = Some(place),
            Row::Entity(e) => {
                let (source, id) = e.names();
                let places = self.places.entry(source.clone()).or_default();
                match e {
                    Entity::Queue(_) => places.queues.insert(id.clone(), place),
                    Entity::Agent(_) => places.agents.insert(id.clone(), place),
                    Entity::Conversation(_) => places.conversations.insert(id.clone(), place),
                    Entity::Totals(_) => places.totals.replace(place),
                };
            }
        }
        self.rows.push(Some(row));
        place
    }
    /// Takes a row away. Returns the place that is empty now.
    pub(crate) fn remove(&mut self, kind: Kind, source: &Id, id: &Id) -> Option<u32> {
        let places = self.places.get_mut(source)?;
        let place = match kind {
            Kind::Queue => places.queues.remove(id),
            Kind::Agent => places.agents.remove(id),
            Kind::Conversation => places.conversations.remove(id),
            Kind::Totals => places.totals.take(),
        }?;
        self.rows[place as usize] = None;
        Some(place)
    }
    /// Takes a source and all its rows away. Returns the places that are empty now, in order.
    pub(crate) fn remove_source(&mut self, source: &Id) -> Vec<u32> {
        let Some(places) = self.places.remove(source) else { return Vec::new() };
        let mut empty: Vec<u32> = places.all().collect();
        empty.sort_unstable();
        for place in &empty {
            self.rows[*place as usize] = None;
        }
        empty
    }
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.places.values().filter_map(|p| match self.row(p.source?) {
            Some(Row::Source(s)) => Some(s),
            _ => None,
        })
    }
}
