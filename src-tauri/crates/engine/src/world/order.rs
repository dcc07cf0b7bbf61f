//! Rows in an order that is kept, not made anew.

use std::{collections::BTreeSet, sync::Arc};

use model::Key;

use super::FastMap;

/// What a row is sorted by: the rank, then two numbers, then the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortKey {
    pub(crate) rank: u8,
    pub(crate) first: i64,
    pub(crate) second: i64,
    pub(crate) name: Arc<str>,
}

/// Keys in the order of their sort keys, ties by source and id.
#[derive(Debug, Default)]
pub(crate) struct Order {
    by_key: FastMap<Key, SortKey>,
    sorted: BTreeSet<(SortKey, Key)>,
}

impl Order {
    /// Puts a row into its place, or takes it out; tells whether anything moved.
    pub(crate) fn place(&mut self, key: &Key, sort: Option<SortKey>) -> bool {
        match (self.by_key.get_mut(key), sort) {
            (Some(old), Some(sort)) => {
                if *old == sort {
                    return false;
                }
                let mut entry = (std::mem::replace(old, sort.clone()), key.clone());
                self.sorted.remove(&entry);
                entry.0 = sort;
                self.sorted.insert(entry);
            }
            (Some(_), None) => {
                if let Some(old) = self.by_key.remove(key) {
                    self.sorted.remove(&(old, key.clone()));
                }
            }
            (None, Some(sort)) => {
                self.by_key.insert(key.clone(), sort.clone());
                self.sorted.insert((sort, key.clone()));
            }
            (None, None) => return false,
        }
        true
    }
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(SortKey, Key)> {
        self.sorted.iter()
    }
    pub(crate) fn keys_of<'a>(&'a self, source: &'a model::Id) -> impl Iterator<Item = &'a Key> {
        self.by_key.keys().filter(move |key| key.source == *source)
    }
    pub(crate) fn rank_of(&self, key: &Key) -> Option<u8> {
        self.by_key.get(key).map(|sort| sort.rank)
    }
}
