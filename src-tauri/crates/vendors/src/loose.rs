//! Reading JSON from vendors whose documentation and wire disagree.
//!
//! Keys match whatever their case, unknown ones are passed over, and a value of the wrong type is
//! *unknown*, never an error and never zero: one odd field must not cost a row. Only a body that is no
//! JSON at all is an error.

mod scalar;
mod tidy;

pub use scalar::{Count, Flag, Key, Number, Reference, Scalar, Seconds, Share, Stamp, Text, Whole};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// The body is no JSON, or not of the expected shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the expected JSON")]
pub struct Unreadable;

/// Parses a body. `NaN`, `Infinity` and numbers beyond all bounds are read as `null`; a byte-order mark is
/// skipped.
pub fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Unreadable> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(_) => tidy::tidied(body).and_then(|body| serde_json::from_slice(&body).ok()).ok_or(Unreadable),
    }
}

/// What every field type of [`loose_struct!`] can say of itself.
pub trait Loose: Default {
    /// Whether it holds anything.
    fn is_known(&self) -> bool;
}

/// Keeps a new value unless it would put out a known one: of two spellings of one key the filled one wins.
pub fn keep<T: Loose>(old: &mut T, new: T) {
    if new.is_known() || !old.is_known() {
        *old = new;
    }
}

/// More rows than this in one list are no floor that people work on but an attempt on our memory.
const MOST_ROWS: usize = 100_000;

/// Takes one more row; one too many makes the body unreadable.
pub fn one_more<T, E: serde::de::Error>(rows: &mut Vec<T>, row: T) -> Result<(), E> {
    if rows.len() >= MOST_ROWS {
        return Err(E::custom("too many rows"));
    }
    rows.push(row);
    Ok(())
}

/// A list; `None` when the vendor gave none. Members that are no objects are passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T>(pub Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Loose for List<T> {
    fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rows<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Rows<T> {
            type Value = List<T>;
            crate::loose::nothing_but!(List(None));
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    crate::loose::one_more(&mut rows, row)?;
                }
                Ok(List(Some(rows)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(List(None))
            }
        }
        deserializer.deserialize_any(Rows(std::marker::PhantomData))
    }
}

/// The visitor methods of a type that takes no scalar: each gives this value.
macro_rules! nothing_but {
    ($nothing:expr) => {
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("anything")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
}
pub(crate) use nothing_but;

/// A struct whose JSON keys match in any case, with all spellings listed in lower case:
/// `open: Count = "ongoingchats"`, and where the value is one of a closed list, the list in lower case:
/// `state: Text = "state" in &["waiting", "ended"]` (others are noted as drift). Its `seen` counts the keys that were recognised, so that an error
/// body is told from an empty answer.
macro_rules! loose_struct {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$field_meta:meta])* $field:ident : $kind:ty = $($key:literal)|+ $(in $words:expr)? ,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* pub $field: $kind,)*
            /// How many keys were recognised.
            pub seen: usize,
        }
        impl $crate::loose::Loose for $name {
            fn is_known(&self) -> bool {
                self.seen > 0
            }
        }
        impl $crate::drift::Shaped for $name {
            const SHAPE: $crate::drift::Shape = $crate::drift::Shape::Fields(&[$(
                $crate::drift::Field {
                    keys: &[$($key),+],
                    shape: <$kind as $crate::drift::Shaped>::SHAPE,
                    words: $crate::loose::words!($($words)?),
                    kept: $crate::drift::shape::Kept::Always,
                },
            )*]);
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;
                    $crate::loose::nothing_but!($name::default());
                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        Ok($name::default())
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut row = $name::default();
                        while let Some(key) = map.next_key::<$crate::loose::Key>()? {
                            match key.0.as_str() {
                                $($($key)|+ => {
                                    row.seen += 1;
                                    $crate::loose::keep(&mut row.$field, map.next_value()?);
                                })*
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok(row)
                    }
                }
                deserializer.deserialize_any(Fields)
            }
        }
    };
}
pub(crate) use loose_struct;

/// The words of a field; any, where none are given.
macro_rules! words {
    () => {
        &[]
    };
    ($words:expr) => {
        $words
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    loose_struct! {
        struct Row {
            id: Reference = "id",
            open: Count = "ongoingchats" | "open",
            inner: Inner = "inner",
            names: List<Inner> = "names",
        }
    }
    loose_struct! {
        struct Inner {
            name: Text = "name",
        }
    }

    #[test]
    fn p6_every_wrong_type_is_unknown_and_keeps_the_row() {
        for odd in [
            "null",
            "true",
            "\"\"",
            "\"x\"",
            "-1",
            "3.5",
            "[]",
            "{}",
            "[1,[2]]",
            "{\"a\":{}}",
            "1e400",
            "NaN",
        ] {
            let body =
                format!(r#"{{"ID":"A","onGoingChats":{odd},"inner":{odd},"names":{odd},"more":{odd}}}"#);
            let row: Row = read(body.as_bytes()).unwrap();
            assert_eq!((row.id.0.as_deref(), row.open.0, row.inner.name.0), (Some("A"), None, None), "{odd}");
        }
    }

    #[test]
    fn keys_match_in_any_case_and_the_filled_spelling_wins() {
        let row: Row =
            read(br#"{"OPEN":4,"ongoingChats":null,"Inner":{"NAME":"n"},"names":[{"name":"a"},3]}"#).unwrap();
        assert_eq!((row.open.0, row.inner.name.0.as_deref()), (Some(4), Some("n")));
        assert_eq!(row.names.0.unwrap().len(), 2);
        assert_eq!(row.seen, 4);
    }

    #[test]
    fn p1_p2_what_is_no_json_is_an_error_and_never_a_crash() {
        let deep = "[".repeat(100_000);
        for bad in ["", "{", "{\"a\":1}x", "<html>", "\u{0}", deep.as_str(), "{\"id\":\"\\ud800\"}"] {
            assert_eq!(read::<Row>(bad.as_bytes()), Err(Unreadable));
        }
        assert_eq!(read::<Row>(b"{\"id\":\"\xFF\"}"), Err(Unreadable));
        assert!(read::<Row>(b"\xEF\xBB\xBF{\"id\":1}").is_ok());
    }
}
