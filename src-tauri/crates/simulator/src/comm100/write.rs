//! Numbers, spans, rates and references as the dialect writes them.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Dialect, NoReference, Numbers, Rates};

/// Thirty-two zeros: "none" as a reference, Online as a status.
pub const ZERO: &str = "00000000-0000-0000-0000-000000000000";

impl Dialect {
    /// A whole number.
    pub fn int(&self, n: impl Into<i64>) -> Value {
        let n: i64 = n.into();
        match self.numbers {
            Numbers::Plain => json!(n),
            Numbers::PointZero => json!(n as f64),
            Numbers::Text => json!(n.to_string()),
        }
    }
    /// A number with a fraction; `null` when there is nothing to take it of.
    pub fn real(&self, n: Option<f64>) -> Value {
        match (n, self.numbers) {
            (None, _) => Value::Null,
            (Some(n), Numbers::Text) => json!(format!("{n}")),
            (Some(n), _) => json!(n),
        }
    }
    /// A ratio given as a fraction.
    pub fn rate(&self, fraction: Option<f64>) -> Value {
        let scaled = fraction.map(|f| match self.rates {
            Rates::Fraction => round(f, 4),
            Rates::Percent => round(f * 100.0, 2),
        });
        self.real(scaled)
    }
    /// Puts a reference, or its absence, under a key.
    pub fn reference(&self, row: &mut Map<String, Value>, key: &str, id: Option<String>) {
        let value = match (id, self.no_reference) {
            (Some(id), _) => json!(id),
            (None, NoReference::Null) => Value::Null,
            (None, NoReference::Zero) => json!(ZERO),
            (None, NoReference::Empty) => json!(""),
            (None, NoReference::Missing) => return,
        };
        row.insert(key.to_owned(), value);
    }
    /// The misspelt name or the corrected one.
    pub fn name(&self, misspelt: &'static str, corrected: &'static str) -> &'static str {
        if self.corrected_names { corrected } else { misspelt }
    }
}

/// A time span as .NET writes it: `[d.]hh:mm:ss[.fffffff]`.
pub fn span(of: Duration) -> String {
    let (seconds, ticks) = (of.as_secs(), of.subsec_nanos() / 100);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let mut text = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days > 0 {
        text = format!("{days}.{text}");
    }
    if ticks > 0 {
        text.push_str(&format!(".{ticks:07}"));
    }
    text
}

/// Rounded to so many decimals.
pub fn round(n: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (n * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_dotnets() {
        assert_eq!(span(Duration::from_millis(24_837_050)), "06:53:57.0500000");
        assert_eq!(span(Duration::ZERO), "00:00:00");
        assert_eq!(span(Duration::from_secs(90_061)), "1.01:01:01");
    }
}
