//! What a body is expected to look like, as far as anything of it is read.
//!
//! Shapes are made by [`crate::loose::loose_struct!`] and the loose values themselves, so that what is
//! expected and what is read cannot drift apart. A wire that is read by other means declares its own.

use crate::loose::{List, Scalar};

/// The form of a value. Only what is read has one; everything else is [`Shape::Any`].
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Not looked into.
    Any,
    /// A single value.
    Value(Expected),
    /// A list of these; an object or value in its place is a wrong type.
    List(&'static Shape),
    /// A list of these, or a lone one without its list.
    Many(&'static Shape),
    /// A bare list of these, or an object that holds such a list under one of these keys (lower case).
    Enveloped(&'static Shape, &'static [&'static str]),
    /// An object whose keys are ids.
    ById(&'static Shape),
    /// An object with these fields. An id or `null` may stand in its place.
    Fields(&'static [Field]),
    /// An object with these fields and nothing else: an id in its place is a wrong type.
    Object(&'static [Field]),
}

/// One field of an object.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Every spelling of its key, in lower case.
    pub keys: &'static [&'static str],
    /// The form of its value.
    pub shape: Shape,
    /// Every word (in lower case) that is understood, where it is one of a few; empty: any.
    pub words: &'static [&'static str],
    /// Whether its absence says something.
    pub kept: Kept,
}

/// Whether the absence of a field says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Every object of its kind has it: one day without it is news.
    Always,
    /// It comes and goes with what it tells.
    Sometimes,
    /// The same, and so does everything below: objects that tell only what has changed.
    InParts,
}

impl Field {
    /// A field of any value.
    pub const fn of(keys: &'static [&'static str], shape: Shape) -> Self {
        Self { keys, shape, words: &[], kept: Kept::Always }
    }
    /// A field that holds one of a few words, compared in lower case; numbers as their digits.
    pub const fn word(keys: &'static [&'static str], words: &'static [&'static str]) -> Self {
        Self { keys, shape: Shape::Value(WORD), words, kept: Kept::Always }
    }
    /// The same, which is not always there.
    pub const fn sometimes(self) -> Self {
        Self { kept: Kept::Sometimes, ..self }
    }
    /// The same, which holds objects that tell only what has changed.
    pub const fn in_parts(self) -> Self {
        Self { kept: Kept::InParts, ..self }
    }
}

/// A single value: what it is, and whether one can be read as such.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// For people: `number`, `text`, `yes or no`.
    pub what: &'static str,
    /// Whether it can be read. Blank text and `null` are not asked about: they mean "none".
    pub reads: fn(&Scalar) -> bool,
    /// What its size tells.
    pub size: Size,
}

/// What a number measures, as far as its size can tell that its unit has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Nothing that its size could tell.
    Plain,
    /// A span of time.
    Span,
    /// A part of a whole, as a fraction or a percentage.
    Share,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
}

impl Size {
    /// What `value` is measured in, where that is not what it should be. Anything up to the year 2100 in
    /// seconds, from the year 1973 on in milliseconds.
    pub(crate) fn other_unit(self, value: f64) -> Option<&'static str> {
        match self {
            Size::Seconds if value > 4.2e9 => Some("no seconds since 1970"),
            Size::Millis if (4.2e8..1e11).contains(&value) => Some("no milliseconds since 1970"),
            _ => None,
        }
    }
}

/// One of a few words, also as a number.
pub const WORD: Expected = Expected {
    what: "word",
    reads: |scalar| matches!(scalar, Scalar::Text(_) | Scalar::Int(_)),
    size: Size::Plain,
};
/// Text, or the digits of a number.
pub const TEXT: Shape = Shape::Value(Expected { what: "text", ..WORD });
/// An instant as RFC 3339 text.
pub const INSTANT: Shape = Shape::Value(Expected {
    what: "instant",
    reads: |scalar| matches!(scalar, Scalar::Text(text) if text.trim().parse::<model::Timestamp>().is_ok()),
    size: Size::Plain,
});

/// A type that knows what it is read from.
pub trait Shaped {
    /// Its form.
    const SHAPE: Shape;
}

impl<T: Shaped> Shaped for List<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl Shaped for Scalar {
    const SHAPE: Shape = Shape::Any;
}
