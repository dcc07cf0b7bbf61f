//! What the rules may ask about the floor. The world answers; replayed worlds answer just as well.

use std::borrow::Cow;

use model::{Health, Id, Key, SubjectKind, Timestamp, Window};

use super::metrics::Measure;

/// What is known about one metric of one target at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A number: a count, seconds, a ratio 0–1 or a score, as the metric table says.
    Known {
        /// The number.
        value: f64,
        /// Sample size, where the metric has one.
        n: Option<u32>,
    },
    /// Seconds since an instant in *our* clock (a source's skew already taken out). Grows by itself, so
    /// that limits become exact deadlines. Somebody waiting, a presence, the age of data.
    CountingUp {
        /// Our clock.
        since: Timestamp,
    },
    /// At least the seconds since an instant in our clock: of part of what is asked about nothing is known.
    /// What that is past of for sure holds; nothing else is known. The longest wait over several queues.
    AtLeast {
        /// Our clock.
        since: Timestamp,
    },
    /// Seconds until an instant in our clock, zero once it has passed. An expected answer.
    CountingDown {
        /// Our clock.
        until: Timestamp,
    },
    /// A word: a presence, a health, a state, `true` or `false`.
    Word(Cow<'static, str>),
    /// More than any limit: people wait and nobody is there.
    Infinite {
        /// Why, as a part of a sentence: "3 wait and nobody is online".
        reason: String,
    },
    /// The source can tell, but not now (its link is not live, or the value is missing).
    Unknown,
    /// The source never tells this, or it has no meaning for this target.
    NotGiven,
}

impl Reading {
    /// `true` or `false`.
    pub fn flag(value: bool) -> Self {
        Reading::Word(Cow::Borrowed(if value { "true" } else { "false" }))
    }
    /// Whether it stands for another number with every moment.
    pub(crate) fn is_moving(&self) -> bool {
        matches!(self, Reading::CountingUp { .. } | Reading::AtLeast { .. } | Reading::CountingDown { .. })
    }
    /// Whether all of it is known.
    pub(crate) fn is_whole(&self) -> bool {
        !matches!(self, Reading::Unknown | Reading::NotGiven | Reading::AtLeast { .. })
    }
    /// A number without a sample size.
    pub fn number(value: f64) -> Self {
        Reading::Known { value, n: None }
    }
}

/// What is asked: a name of [`metrics::TABLE`](super::metrics::TABLE), with a window where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetricName {
    /// The name without subject and window.
    pub name: &'static str,
    /// The window of `abandoned@30m`.
    pub window: Option<Window>,
}

/// What rules ask of a target: a metric, with its name looked up once and for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The metric.
    pub metric: MetricName,
    /// The same for whoever answers for rows.
    pub(crate) measure: Measure,
}

impl Ask {
    /// Looks the name up.
    pub fn of(metric: MetricName) -> Self {
        Self { metric, measure: Measure::of(metric) }
    }
}

/// What the world answers. All instants in answers are in our clock.
///
/// `open_hours` is never asked: the rulebook answers it.
pub trait Facts {
    /// Keys of everything of this kind, in any order. Includes rows of sources that are not live.
    fn targets(&self, kind: SubjectKind) -> Vec<Key>;
    /// Its name; `None` when it is not there (any more). For `source` and `total` the source's name, for
    /// `floor` any text.
    fn name(&self, kind: SubjectKind, key: &Key) -> Option<String>;
    /// Ids of the queues it belongs to: a queue itself, an agent's queues, a conversation's queue.
    /// Empty for the other kinds and when not known.
    fn queues_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id>;
    /// Ids of the agents it belongs to: an agent itself, a conversation's agents. Empty otherwise.
    fn agents_of(&self, kind: SubjectKind, key: &Key) -> Vec<Id>;
    /// How a source's link is; `None` when it is not configured.
    fn health(&self, source: &Id) -> Option<Health>;
    /// The figure now. A target whose source is not live answers [`Reading::Unknown`] for all but
    /// `source.*`; the floor is unknown while a source that is on cannot be read, whether it ever could or
    /// not.
    fn read(&self, kind: SubjectKind, key: &Key, metric: MetricName, now: Timestamp) -> Reading;

    /// Several figures of one target at once, appended to `into` in the order asked. What is answered for
    /// `open_hours` is not looked at. Worth writing where finding the target costs more than reading it.
    fn read_all(&self, kind: SubjectKind, key: &Key, asks: &[Ask], now: Timestamp, into: &mut Vec<Reading>) {
        into.extend(asks.iter().map(|ask| match ask.measure {
            Measure::OpenHours => Reading::Unknown,
            _ => self.read(kind, key, ask.metric, now),
        }));
    }

    /// [`Facts::is_called`], and if so [`Facts::read_all`]. Worth writing where finding the target costs
    /// more than reading it.
    fn read_called(
        &self,
        kind: SubjectKind,
        key: &Key,
        known: &Called<'_>,
        asks: &[Ask],
        now: Timestamp,
        into: &mut Vec<Reading>,
    ) -> bool {
        let called = self.is_called(kind, key, known);
        if called {
            self.read_all(kind, key, asks, now, into);
        }
        called
    }

    /// Whether a target is there and still called what it was called when rules were laid over it. Asked
    /// with every touch, so that it is worth answering without copying a name.
    fn is_called(&self, kind: SubjectKind, key: &Key, known: &Called<'_>) -> bool {
        if self.name(kind, key).as_deref() != Some(known.name) {
            return false;
        }
        let same = |ids: Vec<Id>, of: SubjectKind, known: Names<'_>| {
            ids.len() == known.len()
                && ids.into_iter().zip(known).all(|(id, (known_id, known_name))| {
                    let key = Key { source: key.source.clone(), id };
                    key.id == *known_id && self.name(of, &key).unwrap_or_default() == *known_name
                })
        };
        known.who.is_none_or(|(queues, agents)| {
            (kind == SubjectKind::Queue || same(self.queues_of(kind, key), SubjectKind::Queue, queues))
                && (kind == SubjectKind::Agent || same(self.agents_of(kind, key), SubjectKind::Agent, agents))
        })
    }
}

/// What a target was called when rules were laid over it.
#[derive(Clone, Copy, Debug)]
pub struct Called<'a> {
    /// Its name.
    pub name: &'a str,
    /// Ids and names of the queues and of the agents that it belongs to; `None` when no rule asks for
    /// them. A queue is its own only queue, an agent its own only agent.
    pub who: Option<(Names<'a>, Names<'a>)>,
}

/// Ids and names.
pub type Names<'a> = &'a [(Id, String)];

/// What may read differently since the last evaluation.
///
/// "Touched" means: some reading of it may have changed other than by time passing. A queue that
/// changes touches itself, its agents (`agents_free_while_waiting`), its source's `total` and the floor;
/// an agent itself, its queues, `total`, the floor; a conversation itself, its queue, `total`, the floor.
/// A removed row is touched once more. A source whose health changed is [`Touched::Source`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// One target.
    One(SubjectKind, Key),
    /// One target of which only figures have changed: it is there, and called as before. Says less than
    /// [`Touched::One`], so that less has to be looked at.
    Figures(SubjectKind, Key),
    /// A source and everything of it.
    Source(Id),
    /// Everything: after `Configure` and `Restore`.
    All,
}

impl Touched {
    /// The target, where it is a single one.
    pub fn key(&self) -> Option<&Key> {
        match self {
            Touched::One(_, key) | Touched::Figures(_, key) => Some(key),
            Touched::Source(_) | Touched::All => None,
        }
    }
}

/// The key of the whole floor.
pub fn floor_key() -> Key {
    Key::new("floor", "floor")
}
/// The key of a source, as subject `source` and as subject `total`.
pub fn source_key(source: &Id) -> Key {
    Key { source: source.clone(), id: source.clone() }
}
