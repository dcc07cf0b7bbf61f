//! Tolerant reading: a value of a wrong type spoils its own field and nothing else.

use std::{borrow::Cow, fmt, marker::PhantomData};

use model::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Text as it is kept while it is read: a frame is looked at and let go, so its text is lent; an answer's
/// body is gone when its rows are looked at, so they hold their own.
pub(super) trait Take<'de>: AsRef<str> + Default {
    /// Text that lives as long as what is read.
    fn lent(text: &'de str) -> Self;
    /// Text that does not: it had to be unescaped.
    fn copied(text: &str) -> Self;
}
impl Take<'_> for String {
    fn lent(text: &str) -> Self {
        text.to_owned()
    }
    fn copied(text: &str) -> Self {
        text.to_owned()
    }
}
impl<'de: 'a, 'a> Take<'de> for Cow<'a, str> {
    fn lent(text: &'de str) -> Self {
        Cow::Borrowed(text)
    }
    fn copied(text: &str) -> Self {
        Cow::Owned(text.to_owned())
    }
}

/// A scalar as it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Val<S = String> {
    /// The field was not there, or `null`.
    #[default]
    Absent,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(S),
    /// An array or object where a scalar belongs.
    Odd,
}

impl<S: AsRef<str>> Val<S> {
    /// Text that says something; empty text is no text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Val::Text(text) => Some(text.as_ref()).filter(|text| !text.trim().is_empty()),
            _ => None,
        }
    }
    /// A whole number, also written `3.0` or `"3"`.
    pub fn int(&self) -> Option<i64> {
        match self {
            Val::Int(n) => Some(*n),
            Val::Float(x) if x.fract() == 0.0 && x.abs() < 9e15 => Some(*x as i64),
            Val::Text(text) => text.as_ref().trim().parse().ok(),
            _ => None,
        }
    }
    /// Yes or no, also written as text.
    pub fn bool(&self) -> Option<bool> {
        match self {
            Val::Bool(b) => Some(*b),
            Val::Text(text) => text.as_ref().trim().parse().ok(),
            _ => None,
        }
    }
    /// An instant with its zone.
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Val::Text(text) => text.as_ref().trim().parse().ok(),
            _ => None,
        }
    }
}

struct ValVisitor<S>(PhantomData<S>);

impl<'de, S: Take<'de>> Visitor<'de> for ValVisitor<S> {
    type Value = Val<S>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Val<S>, E> {
        Ok(Val::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Val<S>, E> {
        Ok(Val::Int(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Val<S>, E> {
        Ok(i64::try_from(v).map_or(Val::Odd, Val::Int))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Val<S>, E> {
        Ok(Val::Float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Val<S>, E> {
        Ok(Val::Text(S::copied(v)))
    }
    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Val<S>, E> {
        Ok(Val::Text(S::lent(v)))
    }
    fn visit_unit<E>(self) -> Result<Val<S>, E> {
        Ok(Val::Absent)
    }
    fn visit_none<E>(self) -> Result<Val<S>, E> {
        Ok(Val::Absent)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Val<S>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Val::Odd)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Val<S>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Val::Odd)
    }
}

impl<'de, S: Take<'de>> Deserialize<'de> for Val<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValVisitor(PhantomData))
    }
}

/// An object, or anything else in its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Obj<T> {
    /// Not there, or `null`.
    #[default]
    Absent,
    Is(T),
    /// A scalar in place of the object: ids stand so.
    Scalar(Val),
    /// A list in place of the object.
    List(Vec<T>),
}

impl<T> Obj<T> {
    pub fn object(&self) -> Option<&T> {
        match self {
            Obj::Is(object) => Some(object),
            _ => None,
        }
    }
}

/// `LISTS`: whether lists are looked into. Not within lists: what is nested without end must not use up the stack.
struct ObjVisitor<T, const LISTS: bool>(PhantomData<T>);

/// An element of a list of objects.
struct Element<T>(Obj<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjVisitor::<T, false>(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>, const LISTS: bool> Visitor<'de> for ObjVisitor<T, LISTS> {
    type Value = Obj<T>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Obj<T>, E> {
        Ok(Obj::Scalar(Val::Bool(v)))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Obj<T>, E> {
        Ok(Obj::Scalar(Val::Int(v)))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Obj<T>, E> {
        Ok(Obj::Scalar(i64::try_from(v).map_or(Val::Odd, Val::Int)))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Obj<T>, E> {
        Ok(Obj::Scalar(Val::Float(v)))
    }
    fn visit_str<E>(self, v: &str) -> Result<Obj<T>, E> {
        Ok(Obj::Scalar(Val::Text(v.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Obj<T>, E> {
        Ok(Obj::Absent)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Obj<T>, A::Error> {
        let mut list = Vec::new();
        if !LISTS {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Obj::List(list));
        }
        while let Some(Element(element)) = seq.next_element::<Element<T>>()? {
            // What is not an object in a list of objects is skipped.
            if let Obj::Is(object) = element {
                list.push(object);
            }
        }
        Ok(Obj::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Obj<T>, A::Error> {
        T::deserialize(de::value::MapAccessDeserializer::new(map)).map(Obj::Is)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Obj<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjVisitor::<T, true>(PhantomData))
    }
}

/// A list of texts; `None` when it is absent or no list. Elements that are no text are skipped.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts<S = String>(pub Option<Vec<S>>);

impl<'de, S: Take<'de>> Deserialize<'de> for Texts<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<S>(PhantomData<S>);
        impl<'de, S: Take<'de>> Visitor<'de> for V<S> {
            type Value = Texts<S>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts<S>, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element::<Val<S>>()? {
                    if let Val::Text(text) = value {
                        list.push(text);
                    }
                }
                Ok(Texts(Some(list)))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Texts<S>, A::Error> {
                ValVisitor::<S>(PhantomData).visit_map(map).map(|_| Texts(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
            fn visit_str<E>(self, _: &str) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
            fn visit_unit<E>(self) -> Result<Texts<S>, E> {
                Ok(Texts(None))
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}
