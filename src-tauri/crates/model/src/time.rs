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
        if let Some(ms) = plain(text.as_bytes()) {
            return Ok(Self::from_ms(ms));
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| ParseTimestampError)?;
        Ok(Self::from_ms(at.as_millisecond()))
    }
}

/// Milliseconds of the one form that most vendors write, `2026-01-31T09:30:00.000Z`: they write it in
/// every row, and the general reader takes several times as long. `None`: not this form, or not sure.
fn plain(text: &[u8]) -> Option<i64> {
    let text: &[u8; 24] = text.try_into().ok()?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .try_fold(0i64, |n, digit| digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Leap days and leap seconds are left to the general reader.
    let last = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let sure = (1..=9998).contains(&year)
        && (1..=12).contains(&month)
        && (1..=last).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !sure {
        return None;
    }
    // Days since 1970, with years that begin in March so that the leap day comes last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + number(20, 23)?)
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
    fn the_short_way_reads_what_the_long_one_reads() {
        for day in 0..150_000i64 {
            let ms = (day - 60_000) * 86_400_000 + day * 7919 % 86_400_000;
            let text = Timestamp::from_ms(ms).to_string();
            if let Some(short) = plain(text.as_bytes()) {
                assert_eq!(short, ms, "{text}");
            }
            assert_eq!(text.parse::<Timestamp>().unwrap().as_ms(), ms, "{text}");
        }
        assert!(plain(b"2026-01-31T09:30:00.123Z").is_some());
        for odd in [
            "2026-02-29T09:30:00.000Z",
            "2026-04-31T09:30:00.000Z",
            "2026-13-01T09:30:00.000Z",
            "2026-01-01T24:30:00.000Z",
        ] {
            assert!(odd.parse::<Timestamp>().is_err(), "{odd}");
        }
        for odd in ["2026-01-0:T09:30:00.000Z", "2026-01-31t09:30:00.000z", "+026-01-31T09:30:00.000Z"] {
            assert_eq!(plain(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn never_leaves_the_years_it_can_print() {
        for ms in [i64::MIN, i64::MAX, MIN_MS, MAX_MS] {
            let text = Timestamp::from_ms(ms).to_string();
            assert_eq!(text.parse::<Timestamp>().unwrap(), Timestamp::from_ms(ms), "{text}");
        }
    }
}
