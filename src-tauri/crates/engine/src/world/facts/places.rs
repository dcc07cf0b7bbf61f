//! Readings of a whole source and of the whole floor.

use model::{Health, Unit, Window};

use super::{per_agent, rate, utilisation};
use crate::{
    alerts::{MetricName, Reading},
    world::{
        Figure, Floor, Summary, World, figure,
        summary::{FloorSum, Total},
    },
};

/// What both a source and the floor can be asked without a window.
struct Place {
    waiting: Option<f64>,
    oldest: Option<model::Timestamp>,
    /// Nobody waits longer than that for sure.
    oldest_whole: bool,
    open: Option<f64>,
    capacity: Option<f64>,
    free: Option<f64>,
    agents_open: Option<f64>,
    online: Option<f64>,
    available: Option<f64>,
}

impl Place {
    /// `told`: whether the source tells since when people wait; where it does not, what its
    /// conversations tell is all there is.
    fn of_source(sum: &Summary, told: bool) -> Self {
        let exact = Figure::exact;
        // Of an agent whose presence is not known nobody can say whether the slots count.
        let slots = |figure: Figure| exact(figure).filter(|_| sum.online.whole || sum.online.value.is_none());
        Self {
            waiting: exact(sum.waiting),
            oldest: sum.oldest,
            oldest_whole: sum.oldest_whole || !told,
            open: exact(sum.open),
            capacity: slots(sum.capacity),
            free: slots(sum.free),
            agents_open: slots(sum.agents_open),
            online: exact(sum.online),
            available: exact(sum.available),
        }
    }

    /// Over the live sources; what one of them never tells is left out, what it keeps silent about now
    /// makes the sum unknown.
    fn of_floor(sum: &FloorSum) -> Self {
        let told = |total: Total| total.value;
        Self {
            waiting: told(sum.waiting),
            oldest: sum.oldest,
            oldest_whole: true,
            open: told(sum.open),
            capacity: told(sum.capacity),
            free: told(sum.free),
            agents_open: told(sum.agents_open),
            online: told(sum.online),
            available: told(sum.available),
        }
    }

    fn read(&self, name: &str) -> Option<Reading> {
        let number = |value: Option<f64>| value.map(Reading::number);
        match name {
            "waiting" => number(self.waiting),
            "longest_wait" => match (self.oldest, self.waiting) {
                (Some(since), _) if self.oldest_whole => Some(Reading::CountingUp { since }),
                (Some(since), _) => Some(Reading::AtLeast { since }),
                (None, Some(0.0)) => Some(Reading::number(0.0)),
                _ => None,
            },
            "open" => number(self.open),
            "capacity" => number(self.capacity),
            "free_capacity" | "free_slots" => number(self.free),
            "agents_open" => number(self.agents_open),
            "agents_online" => number(self.online),
            "agents_available" => number(self.available),
            "waiting_per_agent" => per_agent(self.waiting, self.online),
            "slot_utilisation" => utilisation(self.agents_open, self.capacity),
            _ => None,
        }
    }
}

impl Floor {
    pub(super) fn read_total(&self, metric: MetricName) -> Reading {
        let Some(window) = metric.window else {
            let told = self.silent("queue.waiting_since") == Reading::Unknown;
            let place = Place::of_source(&self.summary, told);
            return place.read(metric.name).unwrap_or_else(|| self.silent_sum(&place, metric.name));
        };
        if window == Window::M30
            && let Some(reading) = rolled(
                metric.name,
                self.summary.abandoned.exact(),
                self.summary.offered.exact(),
                self.summary.level,
            )
        {
            return reading;
        }
        let windows = self.totals.as_ref().map_or(&[][..], |slot| &slot.row.windows);
        match self.windowed("totals", windows, metric.name, window) {
            // A sum over queues that keep silent now.
            Reading::NotGiven if window == Window::M30 && is_rolled(metric.name) => {
                self.windowed("queue", &[], metric.name, window)
            }
            reading => reading,
        }
    }

    /// Why a figure over the whole source is missing: what it is made of is silent now, or never told.
    fn silent_sum(&self, place: &Place, name: &str) -> Reading {
        let parts: &[&str] = match name {
            "waiting_per_agent" => &["waiting", "agents_online"],
            "slot_utilisation" => &["agents_open", "capacity"],
            _ => return self.silent(asked_of(name)),
        };
        let mut missing = parts.iter().filter(|part| place.read(part).is_none()).peekable();
        if missing.peek().is_none() {
            return self.silent(asked_of(name));
        }
        match missing.any(|part| self.silent(asked_of(part)) == Reading::NotGiven) {
            true => Reading::NotGiven,
            false => Reading::Unknown,
        }
    }
}

/// The name in `provides` that decides whether silence is "not now" or "never".
fn asked_of(name: &str) -> &'static str {
    match name {
        "waiting" => "queue.waiting",
        "longest_wait" => "queue.waiting_since",
        "open" => "queue.open",
        "agents_open" => "agent.open",
        "capacity" | "slot_utilisation" => "agent.capacity",
        "free_capacity" | "free_slots" => "agent.free_capacity",
        _ => "agent.presence",
    }
}

/// Whether a figure is one of those that [`rolled`] makes.
fn is_rolled(name: &str) -> bool {
    matches!(name, "abandoned" | "offered" | "abandonment_rate" | "service_level")
}

/// Half-hour figures that are kept as sums.
fn rolled(
    name: &str,
    abandoned: Option<f64>,
    offered: Option<f64>,
    level: Option<(f64, Option<f64>)>,
) -> Option<Reading> {
    match name {
        "abandoned" => abandoned.map(Reading::number),
        "offered" => offered.map(Reading::number),
        "abandonment_rate" => Some(rate(abandoned?, offered?)),
        "service_level" => {
            level.map(|(value, n)| Reading::Known { value, n: n.map(|n| n.round().max(0.0) as u32) })
        }
        _ => None,
    }
}

impl World {
    /// A source that is on and cannot be read makes the floor unknown: its people have not gone away, and
    /// whether one that was never heard has any, nobody can say.
    pub(super) fn read_whole_floor(&self, metric: MetricName) -> Reading {
        let blind = |floor: &Floor| !floor.is_live() && floor.source.health != Health::Disabled;
        if self.floors().any(blind) {
            return Reading::Unknown;
        }
        let live = || self.floors().filter(|floor| floor.is_live());
        let sum = FloorSum::over(live().map(|floor| &floor.summary));
        if sum.sources == 0 {
            return Reading::Unknown;
        }
        let asked = |name: &'static str| MetricName { name, ..metric };
        let any = |name: &'static str, is: fn(&Reading) -> bool| {
            live().any(|floor| is(&floor.read_total(asked(name))))
        };
        let silent = |name: &'static str| any(name, |reading| *reading == Reading::Unknown);
        // What a source can tell and does not tell now makes the sum unknown. A share that nobody was
        // offered in one source is told by the others.
        let unknown = match (metric.window, metric.name) {
            (_, "service_level" | "longest_wait") => false,
            (None, "waiting_per_agent") => silent("waiting") || silent("agents_online"),
            (None, "slot_utilisation") => silent("agents_open") || silent("capacity"),
            (_, name) => silent(name),
        };
        if unknown {
            return Reading::Unknown;
        }
        let Some(window) = metric.window else {
            let part = |reading: &Reading| matches!(reading, Reading::Unknown | Reading::AtLeast { .. });
            let mut place = Place::of_floor(&sum);
            place.oldest_whole = metric.name != "longest_wait" || !any("longest_wait", part);
            if !place.oldest_whole && place.oldest.is_none() {
                return Reading::Unknown;
            }
            return place.read(metric.name).unwrap_or(Reading::NotGiven);
        };
        if window == Window::M30
            && let Some(reading) = rolled(metric.name, sum.abandoned.value, sum.offered.value, sum.level)
        {
            return reading;
        }
        // Counts add up over sources; a mean of means or a sum of shares would mean nothing.
        if model::metric::find(metric.name).is_none_or(|m| m.unit != Unit::Count) {
            return Reading::NotGiven;
        }
        let mut value = None;
        for floor in live() {
            let windows = floor.totals.as_ref().map_or(&[][..], |slot| &slot.row.windows);
            if let Some((part, _)) = figure(windows, metric.name, window) {
                *value.get_or_insert(0.0) += part;
            }
        }
        value.map_or(Reading::NotGiven, Reading::number)
    }
}
