//! When a queue is open and when a rule is active: weekdays and times in an IANA zone.

use jiff::{Span, civil, tz::TimeZone};
use model::Timestamp;

use super::language::{Fault, closest};

/// Opening hours. Times are wall-clock times of the zone: a day of 23 or 25 hours opens and closes when
/// its clocks say so. A time that a change of clocks skips is the moment after the gap; one that comes
/// twice is the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    zone: TimeZone,
    spans: Vec<DaySpan>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct DaySpan {
    /// Monday first.
    days: [bool; 7],
    from: i64,
    /// Minutes after the same midnight; more than a day's when the span ends the next day.
    until: i64,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: i64 = 24 * 60;

/// Finds a zone by its IANA name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Fault> {
    let found = (name.len() <= 64).then(|| TimeZone::get(name).ok()).flatten();
    found.ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        Fault::whole(name, format!("there is no time zone “{shown}”; write it like Europe/Helsinki"))
    })
}

impl Schedule {
    /// Reads hours as `open` in `[[hours]]` has them. The error is a sentence that names the fix.
    pub fn read(open: &[String], zone_name: &str) -> Result<Self, String> {
        let zone = zone(zone_name).map_err(|fault| fault.sentence)?;
        Self::compile(zone, open).map_err(|(_, fault)| fault.sentence)
    }

    /// Reads `mon-fri 08:00-20:00`; the place in the list goes along with a fault.
    pub(crate) fn compile(zone: TimeZone, open: &[String]) -> Result<Self, (usize, Fault)> {
        let spans = open
            .iter()
            .enumerate()
            .map(|(at, text)| parse_span(text).map_err(|fault| (at, fault)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { zone, spans })
    }

    /// Whether it is open at a moment, and until when that stays so as far as the next week tells.
    pub fn at(&self, now: Timestamp) -> (bool, Timestamp) {
        let horizon = now.plus_seconds(8.0 * 86_400.0);
        let Ok(at) = jiff::Timestamp::from_millisecond(now.as_ms()) else { return (false, horizon) };
        let today = at.to_zoned(self.zone.clone()).date();
        let mut intervals: Vec<(i64, i64)> = (-2..=9)
            .filter_map(|offset| today.checked_add(Span::new().days(offset)).ok())
            .flat_map(|date| self.intervals_of(date))
            .collect();
        intervals.sort_unstable();
        let mut until: Option<i64> = None;
        for (from, to) in intervals {
            match until {
                // Spans that touch are one: nothing changes between them.
                Some(end) if from <= end => until = Some(end.max(to)),
                Some(end) => return (true, Timestamp::from_ms(end)),
                None if from <= now.as_ms() && now.as_ms() < to => until = Some(to),
                None if from > now.as_ms() => return (false, Timestamp::from_ms(from)),
                None => {}
            }
        }
        until.map_or((false, horizon), |end| (true, Timestamp::from_ms(end)))
    }

    fn intervals_of(&self, date: civil::Date) -> impl Iterator<Item = (i64, i64)> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.spans.iter().filter(move |s| s.days[day]).filter_map(move |span| {
            let from = self.instant(date, span.from)?;
            let until = self.instant(date, span.until)?;
            (from < until).then_some((from, until))
        })
    }

    fn instant(&self, date: civil::Date, minutes: i64) -> Option<i64> {
        let date = date.checked_add(Span::new().days(minutes / DAY_MINUTES)).ok()?;
        let (hour, minute) = (minutes % DAY_MINUTES / 60, minutes % 60);
        let local = date.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
        Some(local.to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }
}

fn parse_span(text: &str) -> Result<DaySpan, Fault> {
    if text.len() > 120 {
        return Err(Fault::new(0..1, "these hours are too long; write them like mon-fri 08:00-20:00"));
    }
    let mut words = text.split_whitespace();
    let place = |word: &str| {
        let start = text.find(word).unwrap_or(0);
        start..start + word.len()
    };
    let form = "write hours like mon-fri 08:00-20:00";
    let (first, second, third) = (words.next(), words.next(), words.next());
    let (days, times) = match (first, second, third) {
        (Some(days), Some(times), None) => (parse_days(days).map_err(|s| Fault::new(place(days), s))?, times),
        (Some(times), None, None) if times.contains(':') => ([true; 7], times),
        (_, _, Some(extra)) => return Err(Fault::new(place(extra), format!("this is too much; {form}"))),
        _ => return Err(Fault::whole(text, form)),
    };
    let wrong = |s: String| Fault::new(place(times), s);
    let (from, until) = times.split_once('-').ok_or_else(|| wrong(form.to_string()))?;
    let (from, mut until) = (parse_time(from).map_err(wrong)?, parse_time(until).map_err(wrong)?);
    if from == DAY_MINUTES {
        return Err(wrong("a day ends at 24:00; begin the next one at 00:00".into()));
    }
    if from == until {
        return Err(wrong(
            "this opens and closes at the same time; for a whole day write 00:00-24:00".into(),
        ));
    }
    if until < from {
        // Past midnight: it belongs to the day it began.
        until += DAY_MINUTES;
    }
    Ok(DaySpan { days, from, until })
}

fn parse_days(text: &str) -> Result<[bool; 7], String> {
    let mut days = [false; 7];
    if matches!(text.to_ascii_lowercase().as_str(), "daily" | "every-day" | "*") {
        return Ok([true; 7]);
    }
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to) = (parse_day(from)?, parse_day(to)?);
        let mut day = from;
        loop {
            days[day] = true;
            if day == to {
                break;
            }
            day = (day + 1) % 7;
        }
    }
    Ok(days)
}

fn parse_day(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().position(|d| *d == lower).or_else(|| long.iter().position(|d| *d == lower)).ok_or_else(|| {
        let hint = closest(&lower, DAYS).map(|d| format!("; did you mean {d}?")).unwrap_or_default();
        format!("“{}” is no day of the week (mon tue wed thu fri sat sun){hint}", text.trim())
    })
}

fn parse_time(text: &str) -> Result<i64, String> {
    let wrong = || format!("“{}” is no time of day; write it like 08:00", text.trim());
    let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
    let digits = |t: &str| {
        let short = (1..=2).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit());
        short.then(|| t.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (digits(hour).ok_or_else(wrong)?, digits(minute).ok_or_else(wrong)?);
    let at = hour * 60 + minute;
    if minute > 59 || at > DAY_MINUTES { Err(wrong()) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helsinki(open: &[&str]) -> Schedule {
        let open: Vec<String> = open.iter().map(|s| s.to_string()).collect();
        Schedule::compile(zone("Europe/Helsinki").unwrap(), &open).unwrap()
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn weekdays_open_and_close_by_the_local_clock() {
        let s = helsinki(&["mon-fri 08:00-20:00", "sat 10:00-16:00"]);
        // Friday 2026-01-30, winter time is +02:00.
        assert_eq!(s.at(at("2026-01-30T07:59:59+02:00")), (false, at("2026-01-30T08:00:00+02:00")));
        assert_eq!(s.at(at("2026-01-30T08:00:00+02:00")), (true, at("2026-01-30T20:00:00+02:00")));
        assert_eq!(s.at(at("2026-01-30T20:00:00+02:00")), (false, at("2026-01-31T10:00:00+02:00")));
        assert_eq!(s.at(at("2026-01-31T16:00:00+02:00")), (false, at("2026-02-02T08:00:00+02:00")));
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_began() {
        let s = helsinki(&["fri 22:00-06:00"]);
        assert_eq!(s.at(at("2026-01-31T03:00:00+02:00")), (true, at("2026-01-31T06:00:00+02:00")));
        assert!(!s.at(at("2026-01-30T03:00:00+02:00")).0);
    }

    #[test]
    fn days_that_change_clocks_have_23_and_25_hours() {
        let s = helsinki(&["daily 00:00-24:00"]);
        let (open, until) = s.at(at("2026-03-29T00:00:00+02:00"));
        assert!(open && until > at("2026-03-31T00:00:00+03:00"), "touching days are one");
        let day = helsinki(&["sun 00:00-24:00"]);
        let hours = |from: &str| {
            let (open, until) = day.at(at(from));
            assert!(open);
            until.seconds_since(at(from)) / 3600.0
        };
        assert_eq!(hours("2026-03-29T00:00:00+02:00"), 23.0);
        assert_eq!(hours("2026-10-25T00:00:00+03:00"), 25.0);
        assert_eq!(hours("2026-06-07T00:00:00+03:00"), 24.0);
        // 03:30 does not exist on the day clocks go forward, and comes twice on the day they go back.
        let early = helsinki(&["sun 03:30-05:00"]);
        assert_eq!(early.at(at("2026-03-29T02:59:00+02:00")), (false, at("2026-03-29T04:30:00+03:00")));
        assert_eq!(early.at(at("2026-10-25T02:59:00+03:00")), (false, at("2026-10-25T03:30:00+03:00")));
        assert_eq!(early.at(at("2026-10-25T03:45:00+02:00")), (true, at("2026-10-25T05:00:00+02:00")));
    }

    #[test]
    fn slips_are_named() {
        let fault = |text: &str| {
            let Err((_, fault)) = Schedule::compile(TimeZone::UTC, &[text.to_string()]) else {
                panic!("{text} was read")
            };
            (fault.sentence, text[fault.span].to_string())
        };
        assert!(fault("mon-fry 08:00-20:00").0.contains("did you mean fri?"));
        assert_eq!(fault("mon 8-20").1, "8-20");
        assert!(fault("mon 25:00-26:00").0.contains("no time of day"));
        assert!(fault("mon 08:00-08:00").0.contains("same time"));
        assert!(fault("mon 08:00-09:00 x").0.contains("too much"));
        assert!(fault("").0.contains("write hours"));
        assert!(fault(&"m".repeat(1_000_000)).0.contains("too long"));
        assert!(zone("Mars/Olympus").unwrap_err().sentence.contains("Europe/Helsinki"));
    }

    #[test]
    fn a_schedule_without_spans_is_closed() {
        assert!(!helsinki(&[]).at(at("2026-01-30T08:00:00+02:00")).0);
    }
}
