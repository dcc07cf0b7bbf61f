//! The floor in one object.

use model::{Health, Timestamp};

use super::{FloorMode, Need, Status, build::queue_row, cards::cards};
use crate::world::{Floor, FloorSum, World};

/// The head of the screen, the tray and the window's title, as they are at `now`.
pub fn status(world: &World, now: Timestamp) -> Status {
    let shown = Shown::of(world);
    let whole = |value: Option<f64>| value.map(|v| v.round().max(0.0) as u32);
    let (alerts_firing, critical_firing) = world.standing().loud();
    let len = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let needs = world.needs();
    Status {
        floor: mode(world),
        queues_late: needs.count(Need::Critical),
        queues_slow: needs.count(Need::Warning),
        sources_not_live: len(on(world).filter(|floor| !floor.is_live()).count()),
        alerts_firing,
        critical_firing,
        waiting: whole(shown.sum.waiting.value),
        agents_online: whole(shown.sum.online.value),
        agents: len(world.floors().map(|floor| floor.agents.len()).sum()),
        queues: len(needs.len()),
        worst_queue: needs.worst().and_then(|key| queue_row(world, key, now)),
        cards: cards(world, &shown, now),
        changes_per_minute: world.changes_per_minute(now),
        last_change_at: world.last_change_at().map(Timestamp::as_ms),
    }
}

/// Sources that are turned on.
fn on(world: &World) -> impl Iterator<Item = &Floor> {
    world.floors().filter(|floor| floor.source.health != Health::Disabled)
}

/// What the floor's figures are summed over: the live sources; when none is live, all that are on, and
/// then the figures are old. A sum never mixes the two.
pub(super) struct Shown {
    pub(super) live: bool,
    pub(super) sum: FloorSum,
    /// Sources that are on.
    pub(super) on: u32,
    /// None of them is missing from the sum.
    pub(super) whole: bool,
}

impl Shown {
    fn of(world: &World) -> Self {
        let live = world.floors().any(Floor::is_live);
        let parts = on(world).filter(|floor| !live || floor.is_live()).map(|floor| &floor.summary);
        let on = u32::try_from(on(world).count()).unwrap_or(u32::MAX);
        let whole = self::on(world).all(Floor::is_live);
        Self { live, sum: FloorSum::over(parts), on, whole }
    }
}

fn mode(world: &World) -> FloorMode {
    if world.floors().next().is_none() {
        return FloorMode::Empty;
    }
    if world.floors().any(Floor::is_live) {
        return FloorMode::Live;
    }
    let last_data_at = on(world).filter_map(|floor| floor.source.last_data_at).max();
    let known = last_data_at.is_some() || on(world).any(|floor| !floor.is_empty());
    let trying = on(world).any(|floor| floor.source.health == Health::Connecting);
    if !known && trying {
        return FloorMode::Connecting;
    }
    let since = on(world)
        .filter_map(|floor| floor.lost_at)
        .max()
        .or_else(|| world.floors().map(|floor| floor.source.health_since).max())
        .unwrap_or_default();
    FloorMode::Offline { since: since.as_ms(), last_data_at: last_data_at.map(Timestamp::as_ms) }
}
