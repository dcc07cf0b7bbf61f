//! Values that LivePerson writes in more ways than one.

use std::{collections::BTreeMap, marker::PhantomData};

use model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    drift::{Expected, Shape, Shaped, shape::Size},
    loose::{self, Loose, Scalar},
};

/// Any number of elements: a list, a lone one, or none (`null`, `""`, `{}`, absent).
#[derive(Clone, Debug, PartialEq)]
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Loose for Many<T> {
    fn is_known(&self) -> bool {
        !self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de> + Loose> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);
        fn lone<T: Loose>(element: T) -> Many<T> {
            Many(if element.is_known() { vec![element] } else { Vec::new() })
        }
        impl<'de, T: Deserialize<'de> + Loose> Visitor<'de> for Elements<T> {
            type Value = Many<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("elements")
            }
            fn visit_unit<E>(self) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            fn visit_bool<E>(self, _: bool) -> Result<Many<T>, E> {
                Ok(Many::default())
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Many<T>, E> {
                T::deserialize(value.into_deserializer()).map(lone)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Many<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(lone)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Many<T>, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = seq.next_element::<T>()? {
                    if element.is_known() {
                        elements.push(element);
                    }
                }
                Ok(Many(elements))
            }
        }
        deserializer.deserialize_any(Elements(PhantomData))
    }
}

impl<T: Shaped> Shaped for Many<T> {
    const SHAPE: Shape = Shape::Many(&T::SHAPE);
}

/// A map from ids; `None` when it is absent or no map.
#[derive(Clone, Debug, PartialEq)]
pub struct ById<T>(pub Option<BTreeMap<String, T>>);

impl<T> Default for ById<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Loose for ById<T> {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ById<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = ById<T>;
            crate::loose::nothing_but!(ById(None));
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ById<T>, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ById(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ById<T>, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((id, entry)) = map.next_entry::<String, T>()? {
                    entries.insert(id, entry);
                }
                Ok(ById(Some(entries)))
            }
        }
        deserializer.deserialize_any(Entries(PhantomData))
    }
}

impl<T: Shaped> Shaped for ById<T> {
    const SHAPE: Shape = Shape::ById(&T::SHAPE);
}

/// A whole number with a sign: what −1 means differs from field to field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole(pub Option<i64>);

impl Loose for Whole {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Int(value) => i64::try_from(value).ok(),
            Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => Some(value as i64),
            Scalar::Text(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| {
                    let value: f64 = text.parse().ok()?;
                    (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
                })
            }
            _ => None,
        }))
    }
}

impl Shaped for Whole {
    const SHAPE: Shape = crate::loose::Whole::SHAPE;
}

impl Whole {
    /// As a count: what is negative is no data.
    pub fn count(self) -> Option<u32> {
        u32::try_from(self.0?).ok()
    }
}

/// A span in whole milliseconds; −1 is no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Millis(pub Option<i64>);

impl Loose for Millis {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Whole::deserialize(deserializer).map(|whole| Self(whole.0))
    }
}

impl Shaped for Millis {
    const SHAPE: Shape = Shape::Value(Expected {
        what: "number",
        reads: |scalar| loose::Number::from(scalar).0.is_some_and(|ms| ms.fract() == 0.0),
        size: Size::Span,
    });
}

/// An instant: RFC 3339 with or without a fraction, `+0300` as well as `+03:00`, or milliseconds.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        let is_ms = Size::Millis.other_unit(ms as f64).is_none();
        return is_ms.then(|| Timestamp::from_ms(ms));
    }
    if let Ok(at) = text.replacen(' ', "T", 1).parse() {
        return Some(at);
    }
    let (head, zone) = text.split_at_checked(text.len().checked_sub(5)?)?;
    let hours = zone.get(..3)?;
    format!("{}{hours}:{}", head.replacen(' ', "T", 1), zone.get(3..)?).parse().ok()
}

/// The text of an [`instant`], as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When(pub Option<String>);

impl Loose for When {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose::Text::deserialize(deserializer).map(|text| Self(text.0))
    }
}

impl Shaped for When {
    const SHAPE: Shape = Shape::Value(Expected {
        what: "instant",
        reads: |scalar| match loose::Text::from(scalar).0 {
            // What is in another unit is noted as such.
            Some(text) => instant(&text).is_some() || text.trim().parse::<i64>().is_ok(),
            None => false,
        },
        size: Size::Millis,
    });
}

/// The server's clock: milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClockMs(pub Option<f64>);

impl Loose for ClockMs {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de> Deserialize<'de> for ClockMs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        loose::Number::deserialize(deserializer).map(|number| Self(number.0))
    }
}

impl Shaped for ClockMs {
    const SHAPE: Shape = Shape::Value(Expected {
        what: "number",
        reads: |scalar| loose::Number::from(scalar).0.is_some(),
        size: Size::Millis,
    });
}

/// Every state of an agent that is understood, as a number and as the words that other parts of the
/// vendor use for it.
pub const STATES: &[&str] =
    &["1", "2", "3", "4", "offline", "online", "occupied", "back soon", "back_soon", "back in 5", "away"];

/// An agent's state: a number in the list of agents, a word elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChatState {
    /// Not told.
    #[default]
    Unknown,
    /// Signed out.
    Offline,
    /// Takes chats.
    Online,
    /// Takes only chats that are handed over.
    Occupied,
    /// Will be back; the word of the newer parts for a short absence.
    BackSoon,
    /// Takes none.
    Away,
    /// Something else, as it was said.
    Other(String),
}

impl Loose for ChatState {
    fn is_known(&self) -> bool {
        *self != Self::Unknown
    }
}

impl Shaped for ChatState {
    const SHAPE: Shape = Shape::Value(crate::drift::shape::WORD);
}

impl<'de> Deserialize<'de> for ChatState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Scalar::deserialize(deserializer)? {
            Scalar::Int(n) => n.to_string(),
            Scalar::Float(n) if n.fract() == 0.0 => format!("{n:.0}"),
            Scalar::Text(text) => text.trim().to_owned(),
            _ => return Ok(Self::Unknown),
        };
        Ok(match text.to_ascii_lowercase().as_str() {
            "" => Self::Unknown,
            "1" | "offline" => Self::Offline,
            "2" | "online" => Self::Online,
            "3" | "occupied" => Self::Occupied,
            "4" | "away" => Self::Away,
            "back soon" | "back_soon" | "back in 5" => Self::BackSoon,
            _ => Self::Other(text),
        })
    }
}

/// Whether something stands there, whatever it is: only its presence is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anything(pub bool);

impl Loose for Anything {
    fn is_known(&self) -> bool {
        self.0
    }
}

impl Shaped for Anything {
    const SHAPE: Shape = Shape::Any;
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(!serde_json::Value::deserialize(deserializer)?.is_null()))
    }
}
