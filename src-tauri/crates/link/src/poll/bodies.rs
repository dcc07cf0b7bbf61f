//! The last body of every page, kept so that an unchanged one is neither parsed nor looked at again.

use std::{collections::HashMap, sync::Arc, sync::Mutex};

/// Parsed pages by a key of the vendor's choice (endpoint and page).
#[derive(Debug)]
pub struct Bodies<K, P> {
    last: Mutex<HashMap<K, (Vec<u8>, Arc<P>)>>,
}

impl<K, P> Default for Bodies<K, P> {
    fn default() -> Self {
        Self { last: Mutex::new(HashMap::new()) }
    }
}

/// What came of one body.
#[derive(Debug)]
pub struct Page<P> {
    /// The parsed page, shared with the memory of it.
    pub parsed: Arc<P>,
    /// Whether the body differs from the last one under the same key.
    pub changed: bool,
}

impl<K: Eq + std::hash::Hash, P> Bodies<K, P> {
    /// Parses a body unless it is the same as last time. A body that cannot be parsed is not kept.
    pub fn read<E>(
        &self,
        key: K,
        body: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<P, E>,
    ) -> Result<Page<P>, E> {
        // A poisoned lock means that a parser panicked: what is kept is whole all the same.
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((old, parsed)) = last.get(&key)
            && old == body
        {
            return Ok(Page { parsed: parsed.clone(), changed: false });
        }
        let parsed = Arc::new(parse(body)?);
        last.insert(key, (body.to_vec(), parsed.clone()));
        Ok(Page { parsed, changed: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_body_is_parsed_once() {
        let bodies: Bodies<u8, usize> = Bodies::default();
        let mut parses = 0;
        let mut read = |body: &[u8]| {
            bodies
                .read(1, body, |body| {
                    parses += 1;
                    if body == b"bad" { Err(()) } else { Ok(body.len()) }
                })
                .map(|page| (*page.parsed, page.changed))
        };
        assert_eq!(read(b"abc"), Ok((3, true)));
        assert_eq!(read(b"abc"), Ok((3, false)));
        assert_eq!(read(b"bad"), Err(()));
        assert_eq!(read(b"abc"), Ok((3, false)));
        assert_eq!(read(b"abcd"), Ok((4, true)));
        assert_eq!(parses, 3);
    }
}
