//! Values with how sure they are.

use model::{Figure, Window};

use super::{Cell, Certainty};
use crate::world::Floor;

/// A value of a row. `provided` is its name in the source's `provides`.
pub(super) fn cell(floor: &Floor, provided: &str, value: Option<f64>) -> Cell {
    let origin = floor.source.provides.get(provided).copied();
    Cell { value, certainty: certainty(floor, origin.is_some(), value.is_some()), origin, n: None }
}

/// A count of a row.
pub(super) fn count(floor: &Floor, provided: &str, value: Option<u32>) -> Cell {
    cell(floor, provided, value.map(f64::from))
}

/// A windowed figure of a row.
pub(super) fn windowed(floor: &Floor, place: &str, windows: &[Figure], metric: &str, window: Window) -> Cell {
    let figure = windows.iter().find(|f| f.window == window && f.metric.as_str() == metric);
    let provided = format!("{place}.{metric}@{}", window.as_str());
    let value = figure.and_then(|f| f.value);
    let mut cell = cell(floor, &provided, value);
    if let Some(figure) = figure.filter(|_| value.is_some()) {
        cell.origin = Some(figure.origin);
        cell.n = figure.n;
    }
    cell
}

/// How sure a value is: known or old when it is there; otherwise missing now, or never given.
pub(super) fn certainty(floor: &Floor, provided: bool, there: bool) -> Certainty {
    match (there, provided) {
        (true, _) if floor.is_live() => Certainty::Known,
        (true, _) => Certainty::Stale,
        (false, true) => Certainty::Unknown,
        (false, false) => Certainty::NotGiven,
    }
}
