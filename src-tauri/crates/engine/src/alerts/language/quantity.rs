//! Durations as people write them: `90s`, `2m30s`, `1h`, `500ms`.

/// Milliseconds of a duration, or a plain sentence why it is none.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let wrong = || {
        let shown: String = text.chars().take(40).collect();
        format!("“{shown}” is not a duration; write it like 90s, 2m30s or 1h")
    };
    if text.len() > 40 {
        return Err(wrong());
    }
    let mut rest = text.trim();
    let negative = rest.strip_prefix('-').inspect(|r| rest = r).is_some();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total = 0.0f64;
    let mut largest = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return Err(wrong()),
        };
        // Units fall, so that `30s2m` or `5m5m` is seen as the slip it is.
        if unit >= largest {
            return Err(wrong());
        }
        largest = unit;
        total += number * unit;
        rest = &rest[letters..];
    }
    // A year is more than any floor needs and keeps every later sum inside i64.
    if !total.is_finite() || total > 366.0 * 86_400_000.0 {
        return Err(format!("“{}” is longer than a year", text.trim()));
    }
    let ms = total.round() as i64;
    Ok(if negative { -ms } else { ms })
}

/// A duration for people: `0:45`, `2:04`, `1:02:03`.
pub(crate) fn duration_text(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let total = seconds.abs().floor() as u64;
    let (h, m, s) = (total / 3600, total / 60 % 60, total % 60);
    if h > 0 { format!("{sign}{h}:{m:02}:{s:02}") } else { format!("{sign}{m}:{s:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_written() {
        for (text, ms) in [
            ("90s", 90_000),
            ("2m30s", 150_000),
            ("1h", 3_600_000),
            ("0s", 0),
            ("500ms", 500),
            ("1.5m", 90_000),
            ("-5s", -5_000),
            ("1d2h", 93_600_000),
        ] {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
        for text in ["", "-", "60", "s", "5m5m", "30s2m", "1w", "1..5s", "٣s", "99999d", "1 s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert!(parse_duration(&"9".repeat(1_000_000)).is_err());
    }

    #[test]
    fn durations_are_shown_as_clocks() {
        assert_eq!(duration_text(0.0), "0:00");
        assert_eq!(duration_text(124.9), "2:04");
        assert_eq!(duration_text(3723.0), "1:02:03");
        assert_eq!(duration_text(-5.0), "-0:05");
    }
}
