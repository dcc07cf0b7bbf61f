//! What one input has touched, with what was there before, so that only true changes leave the world.

use model::{Id, Kind};

use super::FastMap;
use crate::effects::Entity;

/// A row touched by the present input.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) source: Id,
    pub(crate) kind: Kind,
    pub(crate) id: Id,
    /// The row before the input; `None` when there was none.
    pub(crate) before: Option<Entity>,
    /// The row as it is now.
    pub(crate) after: Option<Entity>,
    /// More than one step touched it, so that it may be again what it was.
    again: bool,
}

impl Moved {
    /// Whether it is another row than before. A single step is only told when it changes something.
    pub(crate) fn is_change(&self) -> bool {
        !self.again || self.before != self.after
    }
}

/// Rows touched by the present input, each once, in the order of first touch.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    rows: Vec<Moved>,
    /// Filled only once a batch is large; small ones are scanned.
    seen: FastMap<(Kind, Id, Id), usize>,
}

const SCAN: usize = 16;

impl Touched {
    /// Keeps the row as it was before the first touch and as it is after the last. `before` and `after`
    /// differ.
    pub(crate) fn remember(
        &mut self,
        source: &Id,
        kind: Kind,
        id: &Id,
        before: Option<Entity>,
        after: Option<Entity>,
    ) {
        let at = self.rows.len();
        let known = if at < SCAN {
            self.rows.iter().position(|row| row.kind == kind && row.id == *id && row.source == *source)
        } else {
            if self.seen.is_empty() {
                let places = self.rows.iter().enumerate();
                self.seen.extend(places.map(|(at, r)| ((r.kind, r.source.clone(), r.id.clone()), at)));
            }
            let place = *self.seen.entry((kind, source.clone(), id.clone())).or_insert(at);
            (place < at).then_some(place)
        };
        match known.and_then(|at| self.rows.get_mut(at)) {
            Some(row) => {
                row.after = after;
                row.again = true;
            }
            None => {
                let (source, id) = (source.clone(), id.clone());
                self.rows.push(Moved { source, kind, id, before, after, again: false });
            }
        }
    }

    pub(crate) fn into_rows(self) -> Vec<Moved> {
        self.rows
    }
}
