//! A short memory of what changed, so that each view finds what is new since it last looked, however
//! many inputs were applied in between.

use std::collections::VecDeque;

use model::{Id, Key, Kind, SubjectKind};

/// Something that a view may show has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Touch {
    /// A row came, changed or went.
    Row(Kind, Key),
    /// Something on the source's own row changed (health, error, age …).
    Source(Id),
    /// Everything of a source looks different: it went live or not, its clock or its name changed.
    SourceRows(Id),
    /// An alert on this row changed: the row's kind and key, the alert's id.
    Alert(SubjectKind, Key, Id),
    /// A minute has passed: trends have moved on.
    Minute,
    /// The floor's longest wait crossed a limit of its card.
    Crossed,
    /// The configuration was read again.
    Everything,
}

const KEPT: usize = 16_384;

/// A bounded list of touches, numbered without holes.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    /// Number of the first touch kept.
    first: u64,
    kept: VecDeque<Touch>,
}

impl Journal {
    pub(crate) fn push(&mut self, touch: Touch) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.first += 1;
        }
        self.kept.push_back(touch);
    }
    /// Number that the next touch will have.
    pub(crate) fn head(&self) -> u64 {
        self.first + self.kept.len() as u64
    }
    /// Touches from number `from` on; `None` when some of them are forgotten.
    pub(crate) fn since(&self, from: u64) -> Option<impl Iterator<Item = &Touch>> {
        let skip = usize::try_from(from.checked_sub(self.first)?).ok()?;
        Some(self.kept.iter().skip(skip))
    }
}
