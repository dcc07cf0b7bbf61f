//! Rules tried on the stored past: the floor is played again through a world of its own, at the pace of
//! its own clock, and what the rules would have said is counted.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use engine::{
    Input, World,
    alerts::{Rulebook, Trial},
};
use model::{Batch, Change, Health, HealthReport, Id, Severity, Source, Subject, Timestamp};
use serde::Serialize;
use store::{Gap, Logged, Step};

use super::{PastError, floor};
use crate::runtime::restored;

/// What rules would have done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct TrialReport {
    pub contract: u32,
    pub from: Timestamp,
    pub until: Timestamp,
    pub rules: Vec<RuleFires>,
    /// Every time, in the order of firing.
    pub fired: Vec<FiredRow>,
    /// How many more there were than are listed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub left_out: u64,
    /// Seconds in which nobody looked: no rule fires there and no time counts.
    pub not_seen_s: f64,
}

/// One rule, summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct RuleFires {
    pub rule: String,
    pub times: usize,
    /// Seconds, over all times.
    pub total_s: f64,
    pub longest_s: f64,
    /// For whom: names, each once.
    pub subjects: Vec<String>,
}

/// One time that a rule would have fired.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[allow(missing_docs)]
pub struct FiredRow {
    pub rule: String,
    pub severity: Severity,
    pub source: Option<Id>,
    pub subject: Subject,
    pub from: Timestamp,
    /// `None`: it would still stand at the end.
    pub until: Option<Timestamp>,
    pub lasted_s: f64,
    pub reason: String,
}

/// A trial under way, as others see it: how far it is, and that nobody waits for it any more.
#[derive(Debug, Default)]
pub struct Watched {
    stop: AtomicBool,
    /// Thousandths.
    done: AtomicU32,
}

impl Watched {
    /// Nobody waits for it any more.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
    /// How much of the time is played, 0–1.
    pub fn done(&self) -> f64 {
        f64::from(self.done.load(Ordering::Relaxed)) / 1000.0
    }
    fn reached(&self, at: Timestamp, from: Timestamp, until: Timestamp) {
        let all = until.seconds_since(from);
        let share = if all > 0.0 { at.seconds_since(from) / all } else { 1.0 };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.done.store((share.clamp(0.0, 1.0) * 1000.0) as u32, Ordering::Relaxed);
    }
}

/// Plays the floor from `from` (default: a day before the end) to `until` (default: the end of history).
/// All rules run together, as they would have; `rule` names the one to tell about. `only`: as if this
/// source were the whole floor.
pub fn try_rules(
    data: &Path,
    only: Option<&Id>,
    book: &Arc<Rulebook>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    rule: Option<&str>,
) -> Result<TrialReport, PastError> {
    try_rules_watched(data, only, book, from, until, rule, &Watched::default())
}

/// The same while somebody watches; [`PastError::Stopped`] when they stopped it.
pub fn try_rules_watched(
    data: &Path,
    only: Option<&Id>,
    book: &Arc<Rulebook>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    rule: Option<&str>,
    watched: &Watched,
) -> Result<TrialReport, PastError> {
    if let Some(name) = rule
        && book.rule(name).is_none()
    {
        return Err(PastError::NoSuchRule(name.to_owned()));
    }
    let reader = floor(data, only)?;
    let span = reader.span()?.ok_or(PastError::Empty)?;
    let until = until.unwrap_or(span.until).min(span.until);
    let from = from.unwrap_or_else(|| until.minus(std::time::Duration::from_secs(86_400))).max(span.from);
    if from > until {
        return Err(PastError::Backwards { from, until });
    }
    let mut play = Play::new(book.clone(), unseen(reader.gaps(from, until)?, from, until));
    reader.replay_while(from, until, |step| {
        if watched.is_stopped() {
            return false;
        }
        watched.reached(step.at, from, until);
        play.step(step, watched);
        true
    })?;
    play.wait(until, watched);
    if watched.is_stopped() {
        return Err(PastError::Stopped);
    }
    // History may go on after its last change.
    watched.reached(until, from, until);
    Ok(play.report(book, rule, from, until))
}

/// Times in which Floorwalker itself was not there.
fn unseen(gaps: Vec<Gap>, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    gaps.into_iter()
        .filter(|gap| gap.source.is_none())
        .map(|gap| (gap.began.max(from), gap.ended.unwrap_or(until).min(until)))
        .filter(|(began, ended)| began < ended)
        .collect()
}

struct Play {
    world: World,
    book: Arc<Rulebook>,
    trial: Trial,
    unseen: Vec<(Timestamp, Timestamp)>,
    /// In the order of the configuration of that time.
    sources: Vec<Arc<Source>>,
    wake_at: Option<Timestamp>,
    now: Timestamp,
}

impl Play {
    fn new(book: Arc<Rulebook>, unseen: Vec<(Timestamp, Timestamp)>) -> Self {
        Self {
            world: World::new(),
            book,
            // The world holds the rules; the trial only counts what it says.
            trial: Trial::new(Arc::default()),
            unseen,
            sources: Vec::new(),
            wake_at: None,
            now: Timestamp::from_ms(i64::MIN),
        }
    }

    /// Lets time pass on an unchanged floor. Nothing falls due while nobody looked: the world then finds
    /// its deadlines late, as it does after a sleep of the machine.
    fn wait(&mut self, until: Timestamp, watched: &Watched) {
        while let Some(due) = self.wake_at.filter(|due| *due <= until && !watched.is_stopped()) {
            let asleep = self.unseen.iter().find(|(began, ended)| *began < due && due < *ended);
            let due = asleep.map_or(due, |(_, ended)| *ended);
            if due > until {
                return;
            }
            self.apply(Input::Wake, due.max(self.now));
        }
    }

    fn apply(&mut self, input: Input, now: Timestamp) {
        let effects = self.world.apply(input, now);
        self.now = now;
        // A deadline that does not move on would be met for ever.
        self.wake_at = effects.wake_at.map(|at| at.max(Timestamp::from_ms(now.as_ms() + 1)));
        self.trial.hear(effects.alerts);
    }

    fn step(&mut self, step: Step, watched: &Watched) {
        // A clock that was set back does not run the floor backwards.
        let at = step.at.max(self.now);
        self.wait(at, watched);
        self.configure(&step, at);
        let mut batches: BTreeMap<Id, Vec<Change>> = BTreeMap::new();
        if step.whole {
            batches.extend(self.sources.iter().map(|s| (s.id.clone(), vec![Change::Reset])));
        }
        for change in step.changes {
            match change {
                Logged::Upsert(entity) => {
                    let entity = restored(entity);
                    let key = entity.key();
                    batches.entry(key.source).or_default().push(change_of(entity));
                }
                Logged::Remove(kind, key) => {
                    batches.entry(key.source).or_default().push(Change::Remove(kind, key.id));
                }
                Logged::Source(source) => {
                    let report = Change::Health(report_of(&source));
                    batches.entry(source.id.clone()).or_default().push(report);
                }
                Logged::SourceGone(_) => {}
            }
        }
        for (source, mut changes) in batches {
            if step.whole {
                changes.push(Change::Complete);
            }
            self.apply(Input::Batch(Batch { source, at, changes }), at);
        }
    }

    /// Follows the configuration of that time: sources come, go, are turned on and off.
    fn configure(&mut self, step: &Step, at: Timestamp) {
        let mut sources = if step.whole { Vec::new() } else { self.sources.clone() };
        for change in &step.changes {
            match change {
                Logged::Source(new) => match sources.iter_mut().find(|s| s.id == new.id) {
                    Some(old) => *old = new.clone(),
                    None => sources.push(new.clone()),
                },
                Logged::SourceGone(id) => sources.retain(|s| s.id != *id),
                _ => {}
            }
        }
        let same = sources.len() == self.sources.len()
            && sources.iter().zip(&self.sources).all(|(new, old)| is_same_configuration(new, old));
        self.sources = sources;
        if same && self.wake_at.is_some() {
            return;
        }
        let sources = self.sources.iter().map(|source| {
            let off = matches!(source.health, Health::Disabled);
            Source {
                health: if off { Health::Disabled } else { Health::Connecting },
                ..Source::clone(source)
            }
        });
        let input = Input::Configure { sources: sources.collect(), rules: self.book.clone() };
        self.apply(input, at);
    }

    fn report(self, book: &Rulebook, rule: Option<&str>, from: Timestamp, until: Timestamp) -> TrialReport {
        let fired: Vec<FiredRow> = self
            .trial
            .fired()
            .filter(|f| rule.is_none_or(|name| f.rule == name))
            .map(|f| FiredRow {
                rule: f.rule.clone(),
                severity: f.severity,
                source: f.source.clone(),
                subject: f.subject.clone(),
                from: f.from,
                until: f.until,
                lasted_s: f.until.unwrap_or(until).seconds_since(f.from).max(0.0),
                reason: f.reason.clone(),
            })
            .collect();
        let rules = book.rules().iter().filter(|r| rule.is_none_or(|name| r.name() == name)).map(|r| {
            let mut sum = RuleFires {
                rule: r.name().to_owned(),
                times: 0,
                total_s: 0.0,
                longest_s: 0.0,
                subjects: Vec::new(),
            };
            for row in fired.iter().filter(|f| f.rule == r.name()) {
                sum.times += 1;
                sum.total_s += row.lasted_s;
                sum.longest_s = sum.longest_s.max(row.lasted_s);
                if !sum.subjects.contains(&row.subject.name) {
                    sum.subjects.push(row.subject.name.clone());
                }
            }
            sum
        });
        TrialReport {
            contract: engine::document::CONTRACT,
            from,
            until,
            rules: rules.collect(),
            left_out: self.trial.left_out(),
            not_seen_s: self.unseen.iter().map(|(began, ended)| ended.seconds_since(*began)).sum(),
            fired,
        }
    }
}

fn is_same_configuration(a: &Source, b: &Source) -> bool {
    a.id == b.id
        && a.vendor == b.vendor
        && a.name == b.name
        && a.provides == b.provides
        && (a.health == Health::Disabled) == (b.health == Health::Disabled)
}

fn change_of(entity: engine::Entity) -> Change {
    match entity {
        engine::Entity::Queue(row) => Change::Queue(Arc::unwrap_or_clone(row)),
        engine::Entity::Agent(row) => Change::Agent(Arc::unwrap_or_clone(row)),
        engine::Entity::Conversation(row) => Change::Conversation(Arc::unwrap_or_clone(row)),
        engine::Entity::Totals(row) => Change::Totals(Arc::unwrap_or_clone(row)),
    }
}

fn report_of(source: &Source) -> HealthReport {
    HealthReport {
        health: source.health,
        last_data_at: source.last_data_at,
        error: source.last_error.clone(),
        retry_at: source.retry_at,
        clock_skew_s: source.clock_skew_s,
        gaps: source.gaps.clone(),
    }
}
