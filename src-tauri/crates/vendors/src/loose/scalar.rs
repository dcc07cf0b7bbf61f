//! Single values, whatever type they arrive as.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::Loose;
use crate::drift::{Expected, Shape, Shaped, shape::Size};

/// A key in lower case.
pub struct Key(pub String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// Any single value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar {
    /// Absent, `null`, a list or an object.
    #[default]
    Nothing,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Int(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Int(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(value.to_owned()))
            }
            fn visit_string<E>(self, value: String) -> Result<Scalar, E> {
                Ok(Scalar::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Loose for Scalar {
    fn is_known(&self) -> bool {
        *self != Scalar::Nothing
    }
}

impl Scalar {
    /// As a span in seconds: a number, or the `d.hh:mm:ss.fffffff` of .NET.
    pub(crate) fn span(&self) -> Option<f64> {
        self.number().or_else(|| match self {
            Scalar::Text(text) => time_span(text.trim()),
            _ => None,
        })
    }

    /// As a number, from a number or from the text of one; finite.
    pub fn number(&self) -> Option<f64> {
        let value = match self {
            Scalar::Int(value) => *value as f64,
            Scalar::Float(value) => *value,
            // Words that Rust reads as numbers are none on the wire.
            Scalar::Text(text) => {
                let text = text.trim();
                if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'))
                {
                    return None;
                }
                text.parse().ok()?
            }
            _ => return None,
        };
        value.is_finite().then_some(value)
    }
}

macro_rules! loose_scalar {
    ($(#[$meta:meta])* $name:ident($inner:ty), $what:literal, $from:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name(pub Option<$inner>);

        impl Loose for $name {
            fn is_known(&self) -> bool {
                self.0.is_some()
            }
        }

        impl Shaped for $name {
            const SHAPE: Shape = Shape::Value(Expected {
                what: $what,
                reads: |scalar| Self::from(scalar).0.is_some(),
                // Its unit may change, so its size is remembered.
                size: match $what.as_bytes() {
                    b"span" => Size::Span,
                    b"share" => Size::Share,
                    _ => Size::Plain,
                },
            });
        }

        impl From<&Scalar> for $name {
            fn from(scalar: &Scalar) -> Self {
                let from: fn(&Scalar) -> Option<$inner> = $from;
                Self(from(scalar))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Scalar::deserialize(deserializer).map(|scalar| Self::from(&scalar))
            }
        }
    };
}

loose_scalar! {
    /// A count: `3`, `3.0` or `"3"`. Negative or fractional is unknown.
    Count(u32), "number", |scalar| {
        scalar.number().filter(|v| v.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(v)).map(|v| v as u32)
    }
}

loose_scalar! {
    /// A whole number that may be negative.
    Whole(i64), "number", |scalar| {
        scalar.number().filter(|v| v.fract() == 0.0 && v.abs() <= f64::from(u32::MAX)).map(|v| v as i64)
    }
}

loose_scalar! {
    /// A number that cannot be negative.
    Number(f64), "number", |scalar| scalar.number().filter(|v| *v >= 0.0)
}

loose_scalar! {
    /// A part of a whole, told as a fraction or as a percentage; not negative.
    Share(f64), "share", |scalar| scalar.number().filter(|v| *v >= 0.0)
}

loose_scalar! {
    /// The text of an instant, as sent. A number is none: nobody knows its unit.
    Stamp(String), "instant", |scalar| match scalar {
        Scalar::Text(text) if is_dated(text.trim()) => Some(text.clone()),
        _ => None,
    }
}

loose_scalar! {
    /// A span in seconds: a number, or the `d.hh:mm:ss.fffffff` of .NET.
    Seconds(f64), "span", |scalar| {
        scalar.span().filter(|v| (0.0..=CENTURY_S).contains(v))
    }
}

loose_scalar! {
    /// Yes or no, also as `"true"`, `1`, `"0"`.
    Flag(bool), "yes or no", |scalar| match scalar {
        Scalar::Bool(value) => Some(*value),
        Scalar::Int(0) => Some(false),
        Scalar::Int(1) => Some(true),
        Scalar::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

loose_scalar! {
    /// Text as sent; blank is none. A number is taken as its digits.
    Text(String), "text", |scalar| match scalar {
        Scalar::Text(text) if !text.trim().is_empty() => Some(text.clone()),
        Scalar::Int(value) => Some(value.to_string()),
        _ => None,
    }
}

loose_scalar! {
    /// An id as the vendor writes it, a GUID in lower case, or the digits of a whole number. Blank is none.
    Reference(String), "id", |scalar| match scalar {
        Scalar::Text(text) => match text.trim() {
            "" => None,
            id if is_guid(id) => Some(id.to_ascii_lowercase()),
            id => Some(id.to_owned()),
        },
        Scalar::Int(value) => Some(value.to_string()),
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(format!("{value:.0}")),
        _ => None,
    }
}

/// Begins with a date: `2026-01-31`.
fn is_dated(text: &str) -> bool {
    let fits =
        |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() >= 10 && text.bytes().take(10).enumerate().all(fits)
}

/// No span that people measure is longer, seconds.
const CENTURY_S: f64 = 3.2e9;

/// Thirty-two hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Reads `-?(d.)?hh:mm:ss(.fffffff)?`; seconds.
fn time_span(text: &str) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let digits = |part: &str, most: usize| -> Option<f64> {
        let fits = !part.is_empty() && part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| part.parse().ok()).flatten()
    };
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || minutes.len() != 2 {
        return None;
    }
    let (days, hours) = match hours.split_once('.') {
        Some((days, hours)) => (digits(days, 8)?, hours),
        None => (0.0, hours),
    };
    let (seconds, fraction) = match seconds.split_once('.') {
        Some((seconds, fraction)) => (seconds, digits(fraction, 7)? / 10f64.powi(fraction.len() as i32)),
        None => (seconds, 0.0),
    };
    if seconds.len() != 2 {
        return None;
    }
    let whole =
        days * 86_400.0 + digits(hours, 2)? * 3600.0 + digits(minutes, 2)? * 60.0 + digits(seconds, 2)?;
    Some(sign * (whole + fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(json: &str) -> Scalar {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn p6_counts() {
        for (json, count) in [
            ("3", Some(3)),
            ("3.0", Some(3)),
            ("\"3\"", Some(3)),
            ("\" 3.0 \"", Some(3)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-1", None),
            ("3.5", None),
            ("\"\"", None),
            ("\"inf\"", None),
            ("true", None),
            ("4294967296", None),
            ("[3]", None),
            ("{}", None),
            ("null", None),
        ] {
            assert_eq!(Count::from(&scalar(json)).0, count, "{json}");
        }
    }

    #[test]
    fn p18_spans() {
        for (json, span) in [
            ("\"06:53:57.0500000\"", Some(24837.05)),
            ("\"00:20:38.2649999\"", Some(1238.2649999)),
            ("\"00:00:00\"", Some(0.0)),
            ("\"1.02:00:00\"", Some(93600.0)),
            ("356.0", Some(356.0)),
            ("\"40.00\"", Some(40.0)),
            ("\"-00:00:05\"", None),
            ("\"1:2:3\"", None),
            ("\"10:00\"", None),
            ("\"00:00:00.12345678\"", None),
            ("\"x\"", None),
            ("-3", None),
            ("3.1e9", Some(3.1e9)),
            ("1e30", None),
        ] {
            assert_eq!(Seconds::from(&scalar(json)).0, span, "{json}");
        }
    }

    #[test]
    fn p16_references_are_text_as_written_and_guids_in_lower_case() {
        for (json, id) in [
            ("\"51F36E1A-D521-43BF-A0A8-20CBADE284E4\"", Some("51f36e1a-d521-43bf-a0a8-20cbade284e4")),
            ("\" Room-A \"", Some("Room-A")),
            ("\"ABCDEF\"", Some("ABCDEF")),
            ("-7", Some("-7")),
            ("9007199254740993", Some("9007199254740993")),
            ("1.0", Some("1")),
            ("\" \"", None),
            ("null", None),
        ] {
            assert_eq!(Reference::from(&scalar(json)).0.as_deref(), id, "{json}");
        }
    }

    #[test]
    fn flags() {
        for (json, flag) in [("true", Some(true)), ("\"False\"", Some(false)), ("1", Some(true)), ("2", None)]
        {
            assert_eq!(Flag::from(&scalar(json)).0, flag, "{json}");
        }
    }
}
