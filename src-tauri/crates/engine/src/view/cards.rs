//! The six key figures of the floor.

use model::Timestamp;

use super::{Card, CardKind, Cell, Need, build::sum_certainty, status::Shown};
use crate::world::{Total, World};

/// A share under this sample size is shown, not judged.
const MIN_ANSWERED: f64 = 10.0;
/// The same for abandons.
const MIN_OFFERED: f64 = 20.0;

/// The cards in their order.
pub(super) fn cards(world: &World, shown: &Shown, now: Timestamp) -> Vec<Card> {
    let targets = world.rules().targets();
    let (sum, figures) = (&shown.sum, world.figures());
    let maker = Maker { world, shown };
    let people = sum.waiting.value.is_some_and(|waiting| waiting > 0.0);
    // Whether anybody is there to help, only the whole floor can tell.
    let nobody = |count: f64| count <= 0.0 && people && shown.whole;
    let wait = sum.oldest.map(|since| now.seconds_since(since).max(0.0));
    let rate = match (sum.abandoned.value, sum.offered.value) {
        (Some(abandoned), Some(offered)) if offered >= MIN_OFFERED => Some(abandoned / offered),
        _ => None,
    };
    let level = sum.level.filter(|(_, n)| n.is_none_or(|n| n >= MIN_ANSWERED)).map(|(level, _)| level);
    let target_level = targets.service_level.target;
    let target_waiting = f64::from(targets.waiting);

    let mut waiting = maker.card(
        CardKind::Waiting,
        "queue.waiting",
        sum.waiting,
        "people waiting now, summed over the sources",
    );
    waiting.target = Some(target_waiting);
    waiting.need = maker.above(sum.waiting.value, target_waiting, target_waiting * 2.0);
    waiting.trend = figures.waiting.series(now);

    // The value is the instant: what it has grown to is the screen's to count.
    let empty = sum.waiting.value == Some(0.0);
    let told = Total { value: (sum.oldest.is_none() && empty).then_some(0.0), known: sum.oldest_known };
    let mut longest = maker.card(
        CardKind::Longest,
        "queue.waiting_since",
        told,
        "now - the earliest entry into a queue of anybody still waiting",
    );
    longest.since = sum.oldest.map(Timestamp::as_ms);
    if sum.oldest.is_some() {
        longest.cell.certainty = sum_certainty(true, shown.live, true);
    }
    longest.target = Some(targets.longest_wait_s);
    longest.need = maker.above(wait, targets.longest_wait_s / 2.0, targets.longest_wait_s);
    longest.trend = figures.longest.series(now);

    let mut free = maker.card(
        CardKind::FreeSlots,
        "agent.free_capacity",
        sum.free,
        "conversations that agents who take work can take now, summed over agents",
    );
    free.of = sum.capacity.value;
    free.need = maker.judged(sum.free.value, |free| if nobody(free) { Need::Critical } else { Need::Normal });
    free.trend = figures.free.series(now);

    let share = Total { value: sum.level.map(|(level, _)| level), known: sum.level_known };
    let mut service =
        maker.card(CardKind::ServiceLevel, "queue.service_level@30m", share, level_formula(targets));
    service.cell.n = sum.level.and_then(|(_, n)| n).map(|n| n.round().max(0.0) as u32);
    service.target = Some(target_level);
    service.need = maker.judged(level, |level| match level {
        _ if level < target_level - 0.1 => Need::Critical,
        _ if level < target_level => Need::Warning,
        _ => Need::Normal,
    });
    service.trend = figures.level.series(now);

    let mut abandoned = maker.card(
        CardKind::Abandoned,
        "queue.abandoned@30m",
        sum.abandoned,
        "people who left waiting in the last 30 minutes",
    );
    abandoned.of = sum.offered.value;
    abandoned.need = maker.above(rate, 0.05, 0.10);
    abandoned.trend = figures.abandoned.series(now);

    let mut online =
        maker.card(CardKind::Online, "agent.presence", sum.online, "agents neither offline nor unknown");
    online.of = sum.agents.value;
    online.need =
        maker.judged(sum.online.value, |online| if nobody(online) { Need::Critical } else { Need::Normal });
    online.trend = figures.online.series(now);

    vec![waiting, longest, free, service, abandoned, online]
}

fn level_formula(targets: &crate::alerts::Targets) -> &'static str {
    use crate::alerts::SlFormula::{F1, F2, F3, F4, F5};
    match targets.service_level.formula {
        F1 => "(answered in time + abandoned in time) / offered, last 30 minutes (F1)",
        F2 => "answered in time / answered, last 30 minutes (F2)",
        F3 => "answered in time / offered, last 30 minutes (F3)",
        F4 => "answered in time / (offered - short abandons), last 30 minutes (F4)",
        F5 => "(answered in time + short abandons) / offered, last 30 minutes (F5)",
    }
}

struct Maker<'a> {
    world: &'a World,
    shown: &'a Shown,
}

impl Maker<'_> {
    fn card(&self, kind: CardKind, provided: &str, total: Total, formula: &str) -> Card {
        let origin = self.world.sources().find_map(|source| {
            let of = |place: &str| {
                let name = provided.strip_prefix("queue.")?;
                source.provides.get(&format!("{place}.{name}"))
            };
            source.provides.get(provided).or_else(|| of("totals")).or_else(|| of("total")).copied()
        });
        Card {
            kind,
            cell: Cell {
                value: total.value,
                certainty: sum_certainty(total.value.is_some(), self.shown.live, origin.is_some()),
                origin,
                n: None,
            },
            since: None,
            of: None,
            target: None,
            need: Need::Normal,
            sources_known: total.known,
            sources_all: self.shown.on,
            trend: Vec::new(),
            formula: formula.to_owned(),
        }
    }

    /// More is worse.
    fn above(&self, value: Option<f64>, warning: f64, critical: f64) -> Need {
        self.judged(value, |value| match value {
            _ if value > critical => Need::Critical,
            _ if value > warning => Need::Warning,
            _ => Need::Normal,
        })
    }

    /// What is old is not judged; what is not known is not either.
    fn judged(&self, value: Option<f64>, judge: impl Fn(f64) -> Need) -> Need {
        if !self.shown.live {
            return Need::Stale;
        }
        value.map_or(Need::Normal, judge)
    }
}
