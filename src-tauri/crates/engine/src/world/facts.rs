//! What the rules may ask, answered from the floor as it is. A source that is not live answers nothing
//! about its rows: the last figure known is no reason to fire, nor to clear.

mod places;
mod rows;
mod words;

use model::{Health, Id, Key, SubjectKind, Timestamp, Window};

use super::{
    FastSet, Floor, World, figure,
    slot::{AgentSlot, ConversationSlot, QueueSlot},
};
use crate::alerts::{Ask, Called, Facts, Measure, MetricName, Reading, floor_key, source_key};

/// What the floor as a whole is called.
const WHOLE: &str = "The floor";

impl Facts for World {
    fn targets(&self, kind: SubjectKind) -> Vec<Key> {
        let keys = |pick: fn(&Floor) -> Vec<Id>| {
            self.floors()
                .flat_map(|floor| {
                    let source = floor.source.id.clone();
                    pick(floor).into_iter().map(move |id| Key { source: source.clone(), id })
                })
                .collect()
        };
        match kind {
            SubjectKind::Queue => keys(|floor| floor.queues.keys().cloned().collect()),
            SubjectKind::Agent => keys(|floor| floor.agents.keys().cloned().collect()),
            SubjectKind::Conversation => keys(|floor| floor.conversations.keys().cloned().collect()),
            SubjectKind::Source | SubjectKind::Total => {
                self.floors().map(|floor| source_key(&floor.source.id)).collect()
            }
            SubjectKind::Floor => vec![floor_key()],
        }
    }

    fn name(&self, kind: SubjectKind, key: &Key) -> Option<String> {
        if kind == SubjectKind::Floor {
            return Some(WHOLE.to_owned());
        }
        let floor = self.floor(&key.source)?;
        match kind {
            SubjectKind::Queue => floor.queues.get(&key.id).map(|slot| slot.row.name.clone()),
            SubjectKind::Agent => floor.agents.get(&key.id).map(|slot| slot.row.name.clone()),
            SubjectKind::Conversation => floor.conversations.get(&key.id).map(|slot| title(&slot.row)),
            SubjectKind::Source | SubjectKind::Total | SubjectKind::Floor => Some(floor.source.name.clone()),
        }
    }

    fn queues_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id> {
        let Some(floor) = self.floor(&key.source) else { return Vec::new() };
        match kind {
            SubjectKind::Queue => vec![key.id.clone()],
            SubjectKind::Agent => {
                floor.agents.get(&key.id).and_then(|slot| slot.row.queues.clone()).unwrap_or_default()
            }
            SubjectKind::Conversation => {
                floor.conversations.get(&key.id).and_then(|slot| slot.row.queue.clone()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn agents_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id> {
        let Some(floor) = self.floor(&key.source) else { return Vec::new() };
        match kind {
            SubjectKind::Agent => vec![key.id.clone()],
            SubjectKind::Conversation => {
                floor.conversations.get(&key.id).and_then(|slot| slot.row.agents.clone()).unwrap_or_default()
            }
            _ => Vec::new(),
        }
    }

    fn health(&self, source: &Id) -> Option<Health> {
        self.source(source).map(|source| source.health)
    }

    fn read(&self, kind: SubjectKind, key: &Key, metric: MetricName, now: Timestamp) -> Reading {
        if kind == SubjectKind::Floor {
            return self.read_whole_floor(metric);
        }
        let Some(floor) = self.floor(&key.source) else { return Reading::NotGiven };
        if kind == SubjectKind::Source {
            return floor.read_source(metric);
        }
        if !floor.is_live() {
            return Reading::Unknown;
        }
        match kind {
            SubjectKind::Queue => match floor.queues.get(&key.id) {
                Some(slot) => floor.read_queue(&slot.row, &Ask::of(metric)),
                None => Reading::NotGiven,
            },
            SubjectKind::Agent => match floor.agents.get(&key.id) {
                Some(slot) => floor.read_agent(&slot.row, &Ask::of(metric)),
                None => Reading::NotGiven,
            },
            SubjectKind::Conversation => match floor.conversations.get(&key.id) {
                Some(slot) => floor.read_conversation(&slot.row, Measure::of(metric), now),
                None => Reading::NotGiven,
            },
            SubjectKind::Total | SubjectKind::Source | SubjectKind::Floor => floor.read_total(metric),
        }
    }

    fn read_all(&self, kind: SubjectKind, key: &Key, asks: &[Ask], now: Timestamp, into: &mut Vec<Reading>) {
        let floor = self.floor(&key.source);
        let row = floor.and_then(|floor| floor.row(kind, &key.id));
        self.read_row((floor, row), (kind, key), asks, now, into);
    }

    fn read_called(
        &self,
        kind: SubjectKind,
        key: &Key,
        known: &Called<'_>,
        asks: &[Ask],
        now: Timestamp,
        into: &mut Vec<Reading>,
    ) -> bool {
        let floor = self.floor(&key.source);
        let row = floor.and_then(|floor| floor.row(kind, &key.id));
        let called = is_called((floor, row), kind, known);
        if called {
            self.read_row((floor, row), (kind, key), asks, now, into);
        }
        called
    }

    fn is_called(&self, kind: SubjectKind, key: &Key, known: &Called<'_>) -> bool {
        let floor = self.floor(&key.source);
        is_called((floor, floor.and_then(|floor| floor.row(kind, &key.id))), kind, known)
    }
}

impl World {
    /// Figures of a row that was found already, or of what is no row.
    fn read_row(
        &self,
        (floor, row): (Option<&Floor>, Option<Row<'_>>),
        (kind, key): (SubjectKind, &Key),
        asks: &[Ask],
        now: Timestamp,
        into: &mut Vec<Reading>,
    ) {
        let live = floor.filter(|floor| floor.is_live());
        match (live, row) {
            (Some(floor), Some(Row::Queue(slot))) => {
                into.extend(asks.iter().map(|ask| floor.read_queue(&slot.row, ask)));
            }
            (Some(floor), Some(Row::Agent(slot))) => {
                into.extend(asks.iter().map(|ask| floor.read_agent(&slot.row, ask)));
            }
            (Some(floor), Some(Row::Conversation(slot))) => {
                into.extend(asks.iter().map(|ask| floor.read_conversation(&slot.row, ask.measure, now)));
            }
            _ => into.extend(asks.iter().map(|ask| self.read(kind, key, ask.metric, now))),
        }
    }
}

/// Whether what was found is still called what was known of it.
fn is_called((floor, row): (Option<&Floor>, Option<Row<'_>>), kind: SubjectKind, known: &Called<'_>) -> bool {
    let own = |name: &str| name == known.name;
    if kind == SubjectKind::Floor {
        return own(WHOLE);
    }
    let Some(floor) = floor else { return false };
    match (kind, row) {
        (_, Some(Row::Queue(slot))) => own(&slot.row.name),
        (_, Some(Row::Agent(slot))) => {
            let queues = slot.row.queues.as_deref().unwrap_or_default();
            own(&slot.row.name) && known.who.is_none_or(|(known, _)| floor.queues_are(queues, known))
        }
        (_, Some(Row::Conversation(slot))) => {
            let c = &slot.row;
            let same_name = match c.customer.as_ref().or(c.subject.as_ref()) {
                Some(name) => own(name),
                None => own(&title(c)),
            };
            same_name
                && known.who.is_none_or(|(queues, agents)| {
                    floor.queues_are(c.queue.as_slice(), queues)
                        && floor.agents_are(c.agents.as_deref().unwrap_or_default(), agents)
                })
        }
        (SubjectKind::Queue | SubjectKind::Agent | SubjectKind::Conversation, None) => false,
        (SubjectKind::Source | SubjectKind::Total | SubjectKind::Floor, None) => own(&floor.source.name),
    }
}

/// A row that rules look at.
#[derive(Clone, Copy)]
enum Row<'a> {
    Queue(&'a QueueSlot),
    Agent(&'a AgentSlot),
    Conversation(&'a ConversationSlot),
}

/// What a conversation is called: its customer, else its subject, else the first characters of its id.
pub(crate) fn title(conversation: &model::Conversation) -> String {
    conversation
        .customer
        .clone()
        .or_else(|| conversation.subject.clone())
        .unwrap_or_else(|| conversation.id.chars().take(8).collect())
}

/// The figures that a source can tell, by their names here. Rules ask with every change what a source
/// keeps silent about, so it is not looked for in the source's own, ordered list.
pub(super) fn told(source: &model::Source) -> FastSet<Box<str>> {
    // Figures of a whole source are named by its row or by the rules' subject.
    let of_total = source.provides.keys().filter_map(|name| name.strip_prefix("total."));
    let named = of_total.map(|name| format!("totals.{name}").into());
    source.provides.keys().map(|name| name.as_str().into()).chain(named).collect()
}

impl Floor {
    fn row(&self, kind: SubjectKind, id: &Id) -> Option<Row<'_>> {
        match kind {
            SubjectKind::Queue => self.queues.get(id).map(Row::Queue),
            SubjectKind::Agent => self.agents.get(id).map(Row::Agent),
            SubjectKind::Conversation => self.conversations.get(id).map(Row::Conversation),
            SubjectKind::Source | SubjectKind::Total | SubjectKind::Floor => None,
        }
    }
    /// Whether these are the queues that are known, under the same names.
    fn queues_are(&self, ids: &[Id], known: &[(Id, String)]) -> bool {
        let name = |id: &Id| self.queues.get(id).map_or("", |slot| slot.row.name.as_str());
        ids.len() == known.len()
            && ids.iter().zip(known).all(|(id, (old, called))| id == old && name(id) == called)
    }
    fn agents_are(&self, ids: &[Id], known: &[(Id, String)]) -> bool {
        let name = |id: &Id| self.agents.get(id).map_or("", |slot| slot.row.name.as_str());
        ids.len() == known.len()
            && ids.iter().zip(known).all(|(id, (old, called))| id == old && name(id) == called)
    }

    /// An instant of this source in our clock.
    pub(crate) fn ours(&self, at: Timestamp) -> Timestamp {
        match self.skew() {
            // Most sources tell no skew, and this is asked with every touch.
            0.0 => at,
            skew => at.plus_seconds(-skew),
        }
    }

    /// Nothing was told: can the source tell it, or never?
    fn silent(&self, provided: &str) -> Reading {
        if self.told.contains(provided) { Reading::Unknown } else { Reading::NotGiven }
    }

    /// As [`Floor::silent`] for a figure made of two: never told where one of them never is.
    fn silent_of(&self, parts: &[(&str, Option<u32>); 2]) -> Reading {
        let mut missing = parts.iter().filter(|(_, value)| value.is_none()).peekable();
        if missing.peek().is_none() {
            // Both are told and make no figure: nothing is there to divide by.
            return self.silent(parts[1].0);
        }
        match missing.any(|(provided, _)| self.silent(provided) == Reading::NotGiven) {
            true => Reading::NotGiven,
            false => Reading::Unknown,
        }
    }

    fn number(&self, provided: &str, value: Option<f64>) -> Reading {
        value.map_or_else(|| self.silent(provided), Reading::number)
    }

    fn count(&self, provided: &str, value: Option<u32>) -> Reading {
        self.number(provided, value.map(f64::from))
    }

    fn counting_up(&self, provided: &str, since: Option<Timestamp>) -> Reading {
        match since {
            Some(since) => Reading::CountingUp { since: self.ours(since) },
            None => self.silent(provided),
        }
    }

    fn windowed(&self, place: &str, windows: &[model::Figure], name: &str, window: Window) -> Reading {
        if name == "abandonment_rate" {
            let abandoned = figure(windows, "abandoned", window);
            let offered = figure(windows, "offered", window);
            return match (abandoned, offered) {
                (Some((abandoned, _)), Some((offered, _))) => rate(abandoned, offered),
                _ => match self.windowed(place, windows, "abandoned", window) {
                    Reading::NotGiven => Reading::NotGiven,
                    _ => self.silent_over(place, "offered", window),
                },
            };
        }
        match figure(windows, name, window) {
            Some((value, n)) => Reading::Known { value, n },
            None => self.silent_over(place, name, window),
        }
    }

    /// As [`Floor::silent`] for a windowed figure. Most vendors tell none of them and rules ask with every
    /// touch, so the name is put together without the heap.
    fn silent_over(&self, place: &str, name: &str, window: Window) -> Reading {
        let mut text = [0u8; 64];
        let mut len = 0;
        for part in [place, ".", name, "@", window.as_str()] {
            let Some(room) = text.get_mut(len..len + part.len()) else {
                return self.silent(&format!("{place}.{name}@{}", window.as_str()));
            };
            room.copy_from_slice(part.as_bytes());
            len += part.len();
        }
        match std::str::from_utf8(&text[..len]) {
            Ok(provided) => self.silent(provided),
            Err(_) => Reading::Unknown,
        }
    }
}

/// A share with its sample size. Nobody offered is nobody lost, on a sample of none.
fn rate(part: f64, whole: f64) -> Reading {
    let value = if whole > 0.0 { part / whole } else { 0.0 };
    Reading::Known { value, n: Some(whole.max(0.0) as u32) }
}

/// Waiting per agent online.
fn per_agent(waiting: Option<f64>, online: Option<f64>) -> Option<Reading> {
    let (waiting, online) = (waiting?, online?);
    Some(if online > 0.0 {
        Reading::number(waiting / online)
    } else if waiting > 0.0 {
        Reading::Infinite { reason: format!("{waiting} waiting and nobody is online") }
    } else {
        Reading::number(0.0)
    })
}

/// Share of slots in use; without a slot there is no share.
fn utilisation(open: Option<f64>, capacity: Option<f64>) -> Option<Reading> {
    let (open, capacity) = (open?, capacity?);
    (capacity > 0.0).then(|| Reading::number(open / capacity))
}
