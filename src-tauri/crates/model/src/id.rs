use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

/// An identifier as the vendor wrote it: opaque text, cheap to clone.
///
/// Never parsed back to a number: some vendors' ids exceed 2^53.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export, type = "string"))]
pub struct Id(Arc<str>);

impl Id {
    /// Takes the text as it is.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Id {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}
impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(Arc::from(text))
    }
}
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What names an entity in the whole floor: the source's id and the vendor's own id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
pub struct Key {
    /// Id of the configured source.
    pub source: Id,
    /// The vendor's own id.
    pub id: Id,
}

impl Key {
    /// Puts a key together.
    pub fn new(source: impl Into<Id>, id: impl Into<Id>) -> Self {
        Self { source: source.into(), id: id.into() }
    }
}
