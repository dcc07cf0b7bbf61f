//! Measuring on a machine that others use: CPU time of this thread, both sides in turn, the median of the
//! pairs' ratios. Absolute figures are for orientation; the ratio is what counts.

use std::time::Duration;

use cpu_time::ThreadTime;
use serde_json::json;

/// Pairs per row, after one that warms up.
pub const PAIRS: usize = 15;

/// One line of the table.
pub struct Row {
    pub row: &'static str,
    pub what: String,
    pub ours: f64,
    pub peer: f64,
    pub unit: &'static str,
    pub ratio: f64,
    pub better: &'static str,
    pub gate: f64,
    pub target: f64,
}

impl Row {
    pub fn json(&self) -> String {
        json!({
            "row": self.row, "what": self.what, "ours": self.ours, "peer": self.peer, "unit": self.unit,
            "ratio": self.ratio, "better": self.better, "gate": self.gate, "target": self.target,
        })
        .to_string()
    }
}

/// CPU time of this thread for one piece of work.
pub fn cpu(mut work: impl FnMut()) -> Duration {
    let started = ThreadTime::now();
    work();
    started.elapsed()
}

/// Runs both sides in turn and gives the medians in seconds: ours, peer, ours ÷ peer.
pub fn in_turn(mut ours: impl FnMut() -> Duration, mut peer: impl FnMut() -> Duration) -> (f64, f64, f64) {
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=PAIRS {
        let (x, y) = (ours().as_secs_f64(), peer().as_secs_f64());
        if round > 0 {
            a.push(x);
            b.push(y);
            ratios.push(x / y);
        }
    }
    (median(&mut a), median(&mut b), median(&mut ratios))
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that this share of all values does not exceed.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}
