//! The only place in this crate that asks the system for the time.

use model::Timestamp;

/// Wall time now.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The value of an HTTP `Date` header.
pub(crate) fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = at.to_string();
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1))).copied();
    let weekday = DAYS[at.as_ms().div_euclid(86_400_000).rem_euclid(7) as usize];
    format!("{weekday}, {} {} {} {} GMT", part(8, 10), month.unwrap_or("Jan"), part(0, 4), part(11, 19))
}

#[cfg(test)]
mod tests {
    #[test]
    fn prints_the_date_of_the_standard() {
        let at = "1994-11-06T08:49:37Z".parse().unwrap();
        assert_eq!(super::http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
