//! One source in a few figures, and the whole floor as their sum.
//!
//! Which of several sources of a figure counts is decided here, once: a vendor's own figure for the whole
//! account before sums over rows; sums of people over queues (a vendor that lists a person twice tells a
//! total as well); capacity over agents, never over rooms or queues, because those overlap.

use model::{Timestamp, Window};

use super::{
    Floor,
    tally::figure,
    trend::{Keep, Trend},
};

/// A figure and whether everything that belongs to it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figure {
    /// `None`: nobody told it.
    pub(crate) value: Option<f64>,
    /// No row kept silent about it.
    pub(crate) whole: bool,
}

impl Figure {
    fn told(value: f64) -> Self {
        Self { value: Some(value), whole: true }
    }
    /// The value, if nothing is missing from it.
    pub(crate) fn exact(self) -> Option<f64> {
        self.value.filter(|_| self.whole)
    }
}

/// One source in a few figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) waiting: Figure,
    /// Since when the person waits who waits longest; our clock.
    pub(crate) oldest: Option<Timestamp>,
    /// Whether nobody waits longer for sure.
    pub(crate) oldest_whole: bool,
    pub(crate) open: Figure,
    pub(crate) capacity: Figure,
    pub(crate) free: Figure,
    pub(crate) agents_open: Figure,
    pub(crate) online: Figure,
    pub(crate) available: Figure,
    pub(crate) agents: Figure,
    pub(crate) abandoned: Figure,
    pub(crate) offered: Figure,
    /// Share answered in time and the number it is the share of.
    pub(crate) level: Option<(f64, Option<f64>)>,
}

impl Floor {
    /// Adds up what the rows tell. Costs nothing that depends on their number.
    pub(crate) fn sum_up(&self) -> Summary {
        let tally = &self.tally;
        let told = |metric: &str, window| {
            let totals = self.totals.as_ref()?;
            figure(&totals.row.windows, metric, window)
        };
        let now = |metric: &str| told(metric, Window::Now).map(|(value, _)| Figure::told(value));
        let over_queues = |sum: &super::tally::Sum, name: &str| {
            if sum.rows == 0 {
                return self.nothing(name, "queue");
            }
            Figure { value: sum.value(), whole: sum.is_whole() }
        };
        let at_least = |figure: Figure, conversations: u32| match figure.value {
            Some(value) => Figure { value: Some(value.max(f64::from(conversations))), ..figure },
            None => figure,
        };
        let agents_known = tally.agents > 0 || self.nothing("agent.presence", "agents").value.is_some();
        let people = |count: u32| {
            if agents_known {
                Figure { value: Some(f64::from(count)), whole: tally.presence_unknown == 0 }
            } else {
                Figure::default()
            }
        };
        let over_agents = |sum: &super::tally::Sum, name: &str| {
            if sum.rows == 0 && agents_known && self.told.contains(name) {
                return Figure::told(0.0);
            }
            Figure { value: sum.value(), whole: sum.is_whole() && sum.rows > 0 }
        };
        let waiting = now("waiting").unwrap_or_else(|| {
            at_least(over_queues(&tally.waiting, "queue.waiting"), tally.conversations_waiting)
        });
        let oldest =
            [tally.oldest.earliest(), tally.conversations_oldest.earliest()].into_iter().flatten().min();
        Summary {
            waiting,
            oldest: oldest.map(|at| at.plus_seconds(-self.skew())),
            oldest_whole: waiting.whole
                && tally.waits_unknown == 0
                && (oldest.is_some() || waiting.value == Some(0.0)),
            open: now("open").unwrap_or_else(|| {
                at_least(over_queues(&tally.open, "queue.open"), tally.conversations_active)
            }),
            capacity: over_agents(&tally.capacity, "agent.capacity"),
            free: over_agents(&tally.free, "agent.free_capacity"),
            agents_open: over_agents(&tally.agents_open, "agent.open"),
            online: if agents_known {
                people(tally.online)
            } else {
                now("agents_online").unwrap_or_default()
            },
            available: people(tally.available),
            agents: people(tally.agents),
            abandoned: told("abandoned", Window::M30)
                .map(|(value, _)| Figure::told(value))
                .unwrap_or(Figure { value: tally.abandoned.value(), whole: tally.abandoned.is_whole() }),
            offered: told("offered", Window::M30)
                .map(|(value, _)| Figure::told(value))
                .unwrap_or(Figure { value: tally.offered.value(), whole: tally.offered.is_whole() }),
            level: told("service_level", Window::M30)
                .map(|(value, n)| (value, n.map(f64::from)))
                .or((tally.level_n >= 0.5)
                    .then(|| (tally.level_in_time / tally.level_n, Some(tally.level_n)))),
        }
    }

    /// No rows: that is zero only when a complete state without a gap said so.
    pub(crate) fn nothing(&self, provided: &str, gap: &str) -> Figure {
        let told = self.complete
            && self.told.contains(provided)
            && !self.source.gaps.iter().any(|name| name.starts_with(gap.trim_end_matches('s')));
        if told { Figure::told(0.0) } else { Figure::default() }
    }
}

/// A figure of the whole floor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Total {
    pub(crate) value: Option<f64>,
    /// Sources that tell it wholly.
    pub(crate) known: u32,
}

impl Total {
    fn add(&mut self, figure: Figure) {
        if let Some(value) = figure.value {
            *self.value.get_or_insert(0.0) += value;
            self.known += u32::from(figure.whole);
        }
    }
}

/// The floor added up over some of its sources.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FloorSum {
    pub(crate) sources: u32,
    pub(crate) waiting: Total,
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) oldest_known: u32,
    pub(crate) open: Total,
    pub(crate) capacity: Total,
    pub(crate) free: Total,
    pub(crate) agents_open: Total,
    pub(crate) online: Total,
    pub(crate) available: Total,
    pub(crate) agents: Total,
    pub(crate) abandoned: Total,
    pub(crate) offered: Total,
    pub(crate) level: Option<(f64, Option<f64>)>,
    pub(crate) level_known: u32,
}

impl FloorSum {
    pub(crate) fn over<'a>(parts: impl Iterator<Item = &'a Summary>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.sources += 1;
            sum.waiting.add(part.waiting);
            sum.oldest = [sum.oldest, part.oldest].into_iter().flatten().min();
            sum.oldest_known += u32::from(part.oldest_whole);
            sum.open.add(part.open);
            sum.capacity.add(part.capacity);
            sum.free.add(part.free);
            sum.agents_open.add(part.agents_open);
            sum.online.add(part.online);
            sum.available.add(part.available);
            sum.agents.add(part.agents);
            sum.abandoned.add(part.abandoned);
            sum.offered.add(part.offered);
            if let Some(level) = part.level {
                sum.add_level(level);
            }
        }
        sum
    }

    /// Shares are averaged by their sample sizes; one without a size stands only alone.
    fn add_level(&mut self, (ratio, n): (f64, Option<f64>)) {
        self.level = match (self.level, n) {
            (None, _) => {
                self.level_known = 1;
                Some((ratio, n))
            }
            (Some((old, Some(old_n))), Some(n)) if old_n + n > 0.0 => {
                self.level_known += 1;
                Some(((old * old_n + ratio * n) / (old_n + n), Some(old_n + n)))
            }
            (Some((_, None)), Some(_)) => Some((ratio, n)),
            (kept, _) => kept,
        };
    }
}

/// The floor's key figures over the last hour, from sources that were live.
#[derive(Debug)]
pub(crate) struct FloorFigures {
    last: FloorSum,
    pub(crate) waiting: Trend<f64>,
    pub(crate) longest: Trend<f64>,
    pub(crate) free: Trend<f64>,
    pub(crate) level: Trend<f64>,
    pub(crate) abandoned: Trend<f64>,
    pub(crate) online: Trend<f64>,
}

impl Default for FloorFigures {
    fn default() -> Self {
        Self {
            last: FloorSum::default(),
            waiting: Trend::new(Keep::Highest),
            longest: Trend::new(Keep::Highest),
            free: Trend::new(Keep::Lowest),
            level: Trend::new(Keep::Latest),
            abandoned: Trend::new(Keep::Latest),
            online: Trend::new(Keep::Latest),
        }
    }
}

impl FloorFigures {
    /// Since when the person waits who waits longest on the live floor; our clock.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.last.oldest
    }

    /// Takes the sum over the live sources. `minute`: a minute has passed, so that even the wait that
    /// nobody touched has grown.
    pub(crate) fn observe(&mut self, sum: FloorSum, minute: bool, now: Timestamp) {
        if sum == self.last && !minute {
            return;
        }
        // The wait that has just ended was at its longest now.
        if let Some(oldest) = self.last.oldest {
            self.longest.set(now, Some(now.seconds_since(oldest).max(0.0)));
        }
        self.last = sum;
        self.waiting.set(now, sum.waiting.value);
        self.longest.set(
            now,
            match sum.oldest {
                Some(oldest) => Some(now.seconds_since(oldest).max(0.0)),
                None => sum.waiting.value.filter(|waiting| *waiting == 0.0),
            },
        );
        self.free.set(now, sum.free.value);
        self.level.set(now, sum.level.map(|(ratio, _)| ratio));
        self.abandoned.set(now, sum.abandoned.value);
        self.online.set(now, sum.online.value);
    }
}
