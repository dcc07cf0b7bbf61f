//! Windowed figures from a vendor's own numbers.

use model::{Figure, Origin, Window, metric};

/// A figure that the vendor said, or did not say. `name` must stand in the metric table.
pub fn reported(name: &'static str, window: Window, value: Option<f64>) -> Figure {
    figure(name, window, value, Origin::Reported)
}

/// A figure made of the vendor's current rows.
pub fn derived(name: &'static str, window: Window, value: Option<f64>) -> Figure {
    figure(name, window, value, Origin::Derived)
}

fn figure(name: &'static str, window: Window, value: Option<f64>, origin: Origin) -> Figure {
    let unit = metric::find(name).map_or(model::Unit::Count, |metric| metric.unit);
    debug_assert!(metric::find(name).is_some(), "{name} is not in the metric table");
    // Minus nothing is nothing.
    let value = value.filter(|v| v.is_finite()).map(|v| v + 0.0);
    Figure { metric: name.into(), window, value, unit, origin, n: None }
}

/// In the order in which an entity keeps them.
pub fn sorted(mut figures: Vec<Figure>) -> Vec<Figure> {
    figures.sort_by(|a, b| (&a.metric, a.window).cmp(&(&b.metric, b.window)));
    figures
}

/// A count as a figure's value.
pub fn count(value: Option<u32>) -> Option<f64> {
    value.map(f64::from)
}
