//! What the preferences mean: zones, mute times, ends of shifts.

use engine::alerts::Schedule;
use jiff::{ToSpan, civil::Time, tz::TimeZone};
use model::Timestamp;

use crate::api::Preferences;

/// IANA name of the zone that times are meant in: the user's choice, else the system's.
pub(crate) fn zone_name(preference: &str) -> String {
    match preference {
        "system" => TimeZone::system().iana_name().unwrap_or("UTC").to_owned(),
        named => named.to_owned(),
    }
}

/// The zone. The error is a sentence.
pub(crate) fn zone(preferences: &Preferences) -> Result<TimeZone, String> {
    let name = zone_name(&preferences.zone);
    TimeZone::get(&name).map_err(|_| {
        let shown: String = name.chars().take(40).collect();
        format!("is `{shown}`, which is no time zone; write `system`, or one like Europe/Helsinki")
    })
}

/// When this desk is told nothing; `None`: never.
pub(crate) fn mute(preferences: &Preferences) -> Result<Option<Schedule>, String> {
    if preferences.mute.is_empty() {
        return Ok(None);
    }
    Schedule::read(&preferences.mute, &zone_name(&preferences.zone)).map(Some)
}

/// The times of day at which shifts end.
pub(crate) fn shift_ends(preferences: &Preferences) -> Result<Vec<Time>, String> {
    let read = |text: &String| {
        let (hour, minute) = text.trim().split_once(':')?;
        let two = |t: &str| (t.len() <= 2).then(|| t.parse::<i8>().ok()).flatten();
        Time::new(two(hour)?, two(minute)?, 0, 0).ok()
    };
    let shown = |text: &String| text.chars().take(20).collect::<String>();
    preferences
        .shift_ends
        .iter()
        .map(|text| {
            read(text).ok_or_else(|| format!("has `{}`; write times of day like \"16:00\"", shown(text)))
        })
        .collect()
}

/// The next end of a shift after `now`, by the wall clock of the zone; `None` when no shift has an end.
pub(crate) fn next_shift_end(preferences: &Preferences, now: Timestamp) -> Option<Timestamp> {
    let (zone, ends) = (zone(preferences).ok()?, shift_ends(preferences).ok()?);
    let today = jiff::Timestamp::from_millisecond(now.as_ms()).ok()?.to_zoned(zone.clone()).date();
    (0..=2)
        .filter_map(|day| today.checked_add(day.days()).ok())
        .flat_map(|date| ends.iter().map(move |end| date.to_datetime(*end)))
        .filter_map(|end| end.to_zoned(zone.clone()).ok())
        .map(|end| Timestamp::from_ms(end.timestamp().as_millisecond()))
        .filter(|end| *end > now)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taste(ends: &[&str]) -> Preferences {
        let shift_ends = ends.iter().map(|e| (*e).to_owned()).collect();
        Preferences { zone: "Europe/Helsinki".into(), shift_ends, ..Preferences::default() }
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_next_end_of_a_shift_goes_by_the_wall_clock() {
        let taste = taste(&["06:00", "14:00", "22:00"]);
        let next = |now: &str| next_shift_end(&taste, at(now)).unwrap();
        assert_eq!(next("2026-01-30T13:59:00+02:00"), at("2026-01-30T14:00:00+02:00"));
        assert_eq!(next("2026-01-30T14:00:00+02:00"), at("2026-01-30T22:00:00+02:00"));
        assert_eq!(next("2026-01-30T23:00:00+02:00"), at("2026-01-31T06:00:00+02:00"));
        // Clocks go forward at 03:00: the night shift is an hour shorter.
        assert_eq!(next("2026-03-28T22:30:00+02:00"), at("2026-03-29T06:00:00+03:00"));
        assert_eq!(next_shift_end(&self::taste(&[]), at("2026-01-30T13:59:00+02:00")), None);
    }

    #[test]
    fn slips_are_named() {
        assert!(shift_ends(&taste(&["16:00", "25:00"])).unwrap_err().contains("`25:00`"));
        let wrong = Preferences { zone: "Mars/Olympus".into(), ..Preferences::default() };
        assert!(zone(&wrong).unwrap_err().contains("Mars/Olympus"));
        let mute = Preferences { mute: vec!["mon-fry 08:00-09:00".into()], ..Preferences::default() };
        assert!(super::mute(&mute).unwrap_err().contains("did you mean fri?"));
    }
}
