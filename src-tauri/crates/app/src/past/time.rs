//! Instants as people type them.

use jiff::{Timestamp as Instant, civil::Time, tz::TimeZone};
use model::Timestamp;

/// The zone that times of day are meant in: the configured one, else the system's.
pub fn zone(preference: &str) -> TimeZone {
    match preference {
        "system" => TimeZone::system(),
        named => TimeZone::get(named).unwrap_or_else(|_| TimeZone::system()),
    }
}

/// RFC 3339, or `HH:MM[:SS]` of the present day in a zone. `None` when it is neither.
pub fn instant(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    if !text.bytes().all(|b| b.is_ascii_digit() || b == b':') || !(4..=8).contains(&text.len()) {
        return None;
    }
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    let time: Time = match padded.len() {
        5 => format!("{padded}:00").parse().ok()?,
        8 => padded.parse().ok()?,
        _ => return None,
    };
    let today = Instant::from_millisecond(now.as_ms()).ok()?.to_zoned(zone.clone()).date();
    let at = today.to_datetime(time).to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_ms(at.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_instants_and_times_of_the_day_in_the_zone() {
        let now: Timestamp = "2026-01-31T23:30:00Z".parse().unwrap();
        // Already the first of February there.
        let helsinki = zone("Europe/Helsinki");
        let at = |text| instant(text, &helsinki, now).map(|t| t.to_string());
        assert_eq!(at("2026-01-31T10:00:00+02:00").as_deref(), Some("2026-01-31T08:00:00.000Z"));
        assert_eq!(at("09:15").as_deref(), Some("2026-02-01T07:15:00.000Z"));
        assert_eq!(at("9:15").as_deref(), Some("2026-02-01T07:15:00.000Z"));
        assert_eq!(at("09:15:30").as_deref(), Some("2026-02-01T07:15:30.000Z"));
        for text in ["", "noon", "25:00", "09:60", "0915", "2026-01-31", "9", "12:3"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
