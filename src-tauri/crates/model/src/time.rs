use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An instant in UTC with millisecond precision.
///
/// In text formats it is RFC 3339 with exactly three decimals (`2026-01-31T09:30:00.000Z`);
/// in binary formats it is the count of milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, type = "string"))]
pub struct Timestamp(i64);

/// The earliest and the latest instant that is kept: year 0001 to the last whole day of 9999.
const MIN_MS: i64 = -62_135_596_800_000;
const MAX_MS: i64 = 253_402_207_200_000;

/// The text is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTimestampError;

impl fmt::Display for ParseTimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 instant")
    }
}
impl std::error::Error for ParseTimestampError {}

impl Timestamp {
    /// From milliseconds since the epoch, clamped to the years 0001–9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(MIN_MS, MAX_MS))
    }
    /// Milliseconds since the epoch.
    pub fn as_ms(self) -> i64 {
        self.0
    }
    /// Seconds from `earlier` to `self`, negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        (self.0 - earlier.0) as f64 / 1000.0
    }
    /// Time from `earlier` to `self`, zero when `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
    /// Later by a duration, clamped.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_ms(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
    /// Earlier by a duration, clamped.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self::from_ms(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }
    /// Moved by signed seconds (a clock skew), clamped. A value that is not finite moves nothing.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        if !seconds.is_finite() {
            return self;
        }
        Self::from_ms(self.0.saturating_add((seconds * 1000.0).round() as i64))
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;
    /// Reads an instant with a zone (`Z` or an offset); anything finer than milliseconds is cut.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at: jiff::Timestamp = text.parse().map_err(|_| ParseTimestampError)?;
        Ok(Self::from_ms(at.as_millisecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => f.write_str("0001-01-01T00:00:00.000Z"),
        }
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self::from_ms)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_three_decimals_and_reads_offsets() {
        let at: Timestamp = "2026-01-31T11:30:00.0009+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-31T09:30:00.000Z");
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2026-01-31T09:30:00.000Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"2026-01-31T09:30:00Z\"").unwrap(), at);
        assert!("2026-01-31".parse::<Timestamp>().is_err());
    }

    #[test]
    fn never_leaves_the_years_it_can_print() {
        for ms in [i64::MIN, i64::MAX, MIN_MS, MAX_MS] {
            let text = Timestamp::from_ms(ms).to_string();
            assert_eq!(text.parse::<Timestamp>().unwrap(), Timestamp::from_ms(ms), "{text}");
        }
    }
}
