//! What the rules may ask, answered from the floor as it is. A source that is not live answers nothing
//! about its rows: the last figure known is no reason to fire, nor to clear.

mod places;
mod rows;
mod words;

use model::{Health, Id, Key, SubjectKind, Timestamp, Window};

use super::{Floor, World, figure};
use crate::alerts::{Facts, MetricName, Reading, floor_key, source_key};

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
            return Some("The floor".to_owned());
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
                Some(slot) => floor.read_queue(&slot.row, metric),
                None => Reading::NotGiven,
            },
            SubjectKind::Agent => match floor.agents.get(&key.id) {
                Some(slot) => floor.read_agent(&slot.row, metric),
                None => Reading::NotGiven,
            },
            SubjectKind::Conversation => match floor.conversations.get(&key.id) {
                Some(slot) => floor.read_conversation(&slot.row, metric, now),
                None => Reading::NotGiven,
            },
            SubjectKind::Total | SubjectKind::Source | SubjectKind::Floor => floor.read_total(metric),
        }
    }
}

/// What a conversation is called: its customer, else its subject, else the first characters of its id.
pub(crate) fn title(conversation: &model::Conversation) -> String {
    conversation
        .customer
        .clone()
        .or_else(|| conversation.subject.clone())
        .unwrap_or_else(|| conversation.id.chars().take(8).collect())
}

impl Floor {
    /// An instant of this source in our clock.
    pub(crate) fn ours(&self, at: Timestamp) -> Timestamp {
        at.plus_seconds(-self.skew())
    }

    /// Nothing was told: can the source tell it, or never?
    fn silent(&self, provided: &str) -> Reading {
        // Figures of a whole source are named by its row or by the rules' subject.
        let other = provided.strip_prefix("totals.").map(|name| format!("total.{name}"));
        let provides = &self.source.provides;
        if provides.contains_key(provided) || other.is_some_and(|name| provides.contains_key(&name)) {
            Reading::Unknown
        } else {
            Reading::NotGiven
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
                    _ => self.silent(&format!("{place}.offered@{}", window.as_str())),
                },
            };
        }
        match figure(windows, name, window) {
            Some((value, n)) => Reading::Known { value, n },
            None => self.silent(&format!("{place}.{name}@{}", window.as_str())),
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
