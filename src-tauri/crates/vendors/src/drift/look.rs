//! The walk over a body beside its shape.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::shape::{Field, Shape, Size};
use crate::loose::{Key, Scalar};

/// JSON's types as bits, so that a set of them is a number.
pub(super) mod kind {
    pub const BOOL: u8 = 1;
    pub const NUMBER: u8 = 2;
    pub const TEXT: u8 = 4;
    pub const LIST: u8 = 8;
    pub const OBJECT: u8 = 16;

    /// For people.
    pub fn name(bits: u8) -> &'static str {
        match bits {
            BOOL => "yes or no",
            NUMBER => "a number",
            TEXT => "text",
            LIST => "a list",
            OBJECT => "an object",
            _ => "different types",
        }
    }
}

/// What one look saw at one place of a shape. Cheap: no text but that of an odd word.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Types seen here, `null` not counted.
    pub types: u8,
    /// How often the place was filled, `null` counted.
    pub filled: u32,
    /// Objects of this shape, for shapes with fields.
    pub objects: u32,
    /// Values that could not be read, and the types of those.
    pub wrong: u32,
    pub wrong_types: u8,
    /// Words that are not known.
    pub odd: u32,
    pub odd_word: Option<String>,
    /// Values whose size says that they are in another unit, and what they are not.
    pub off: u32,
    pub off_unit: &'static str,
    /// Smallest and largest span or share above zero, and how many there were.
    pub least: f64,
    pub most: f64,
    pub spans: u32,
    /// One for each field, in the shape's order; made when first needed.
    pub fields: Vec<Seen>,
    /// Elements of a list or map.
    pub inner: Option<Box<Seen>>,
}

impl Seen {
    fn wrong(&mut self, bits: u8) {
        self.wrong += 1;
        self.wrong_types |= bits;
    }
    fn inner(&mut self) -> &mut Seen {
        self.inner.get_or_insert_with(Box::default)
    }
}

/// Walks one value.
pub(super) struct Look<'a> {
    pub shape: &'a Shape,
    pub words: &'a [&'a str],
    pub seen: &'a mut Seen,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.shape {
            Shape::Any => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => {
                self.seen.filled += 1;
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl Look<'_> {
    fn value(self, bits: u8, scalar: impl FnOnce() -> Scalar) {
        let seen = self.seen;
        seen.types |= bits;
        let expected = match self.shape {
            Shape::Value(expected) => expected,
            // A lone element without its list.
            Shape::Many(inner) => {
                return Look { shape: inner, words: &[], seen: seen.inner() }.value(bits, scalar);
            }
            // Blank text stands for "none" everywhere, a bare id for its object in more than one dialect.
            Shape::Fields(_) if bits == kind::TEXT || bits == kind::NUMBER => return,
            Shape::List(_) | Shape::ById(_) | Shape::Object(_) if bits == kind::TEXT => {
                if !is_blank(&scalar()) {
                    seen.wrong(bits);
                }
                return;
            }
            Shape::Any => return,
            _ => return seen.wrong(bits),
        };
        let scalar = scalar();
        if is_blank(&scalar) {
            return;
        }
        if !(expected.reads)(&scalar) {
            // Below zero is some vendors' "none".
            if !matches!(scalar, Scalar::Int(..0)) && !matches!(scalar, Scalar::Float(v) if v < 0.0) {
                seen.wrong(bits);
            }
            return;
        }
        if expected.size != Size::Plain
            && let Some(size) = scalar.span().filter(|size| *size > 0.0)
        {
            if let Some(unit) = expected.size.other_unit(size) {
                (seen.off, seen.off_unit) = (seen.off + 1, unit);
            }
            seen.least = if seen.spans == 0 { size } else { seen.least.min(size) };
            seen.most = seen.most.max(size);
            seen.spans += 1;
        }
        if !self.words.is_empty() {
            let word = match scalar {
                Scalar::Text(text) => text.trim().to_ascii_lowercase(),
                Scalar::Int(value) => value.to_string(),
                _ => return,
            };
            if !self.words.contains(&word.as_str()) {
                seen.odd += 1;
                seen.odd_word = Some(word);
            }
        }
    }
}

fn is_blank(scalar: &Scalar) -> bool {
    matches!(scalar, Scalar::Text(text) if text.trim().is_empty())
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.value(kind::BOOL, || Scalar::Bool(value));
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.value(kind::NUMBER, || Scalar::Int(value.into()));
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.value(kind::NUMBER, || Scalar::Int(value.into()));
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.value(kind::NUMBER, || Scalar::Float(value));
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.value(kind::TEXT, || Scalar::Text(value.to_owned()));
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.seen.types |= kind::LIST;
        let inner = match self.shape {
            Shape::List(inner) | Shape::Many(inner) | Shape::Enveloped(inner, _) => *inner,
            _ => {
                self.seen.wrong(kind::LIST);
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        };
        let seen = self.seen.inner();
        while seq.next_element_seed(Look { shape: inner, words: &[], seen })?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.seen.types |= kind::OBJECT;
        match self.shape {
            Shape::Fields(fields) | Shape::Object(fields) => fields_of(fields, self.seen, map),
            Shape::Many(inner) => Look { shape: inner, words: &[], seen: self.seen.inner() }.visit_map(map),
            Shape::Enveloped(inner, keys) => {
                while let Some(Key(key)) = map.next_key()? {
                    if keys.contains(&key.as_str()) {
                        let list = Shape::List(inner);
                        // The list's own place: its elements are ours.
                        let mut place = Seen { inner: self.seen.inner.take(), ..Seen::default() };
                        map.next_value_seed(Look { shape: &list, words: &[], seen: &mut place })?;
                        self.seen.inner = place.inner;
                        self.seen.wrong += place.wrong;
                        self.seen.wrong_types |= place.wrong_types;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(())
            }
            Shape::ById(inner) => {
                while map.next_key::<IgnoredAny>()?.is_some() {
                    map.next_value_seed(Look { shape: inner, words: &[], seen: self.seen.inner() })?;
                }
                Ok(())
            }
            _ => {
                self.seen.wrong(kind::OBJECT);
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(())
            }
        }
    }
}

fn fields_of<'de, A: MapAccess<'de>>(
    fields: &'static [Field],
    seen: &mut Seen,
    mut map: A,
) -> Result<(), A::Error> {
    if seen.fields.is_empty() {
        seen.fields.resize_with(fields.len(), Seen::default);
    }
    seen.objects += 1;
    while let Some(Key(key)) = map.next_key()? {
        match fields.iter().position(|field| field.keys.contains(&key.as_str())) {
            Some(at) => map.next_value_seed(Look {
                shape: &fields[at].shape,
                words: fields[at].words,
                seen: &mut seen.fields[at],
            })?,
            None => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    Ok(())
}
