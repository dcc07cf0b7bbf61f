//! What one input has touched, with what was there before, so that only true changes leave the world.

use std::collections::HashSet;

use model::{Id, Kind};

use crate::effects::Entity;

/// A row touched by the present input.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) source: Id,
    pub(crate) kind: Kind,
    pub(crate) id: Id,
    /// The row before the input; `None` when there was none.
    pub(crate) row: Option<Entity>,
}

/// Rows touched by the present input, each once, in the order of first touch.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    rows: Vec<Before>,
    /// Filled only once a batch is large; small ones are scanned.
    seen: HashSet<(Kind, Id, Id)>,
}

const SCAN: usize = 16;

impl Touched {
    /// Keeps the row as it was before the first touch.
    pub(crate) fn remember(&mut self, source: &Id, kind: Kind, id: &Id, row: Option<Entity>) {
        if self.rows.len() < SCAN {
            if self.rows.iter().any(|b| b.kind == kind && b.id == *id && b.source == *source) {
                return;
            }
        } else {
            if self.seen.is_empty() {
                self.seen.extend(self.rows.iter().map(|b| (b.kind, b.source.clone(), b.id.clone())));
            }
            if !self.seen.insert((kind, source.clone(), id.clone())) {
                return;
            }
        }
        self.rows.push(Before { source: source.clone(), kind, id: id.clone(), row });
    }

    pub(crate) fn into_rows(self) -> Vec<Before> {
        self.rows
    }
}
