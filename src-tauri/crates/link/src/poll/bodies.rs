//! The last bodies of one endpoint, kept so that an unchanged one is neither parsed nor looked at again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
};

/// Parsed pages of one endpoint.
#[derive(Debug)]
pub struct Bodies<P> {
    kept: Mutex<Kept<P>>,
}

#[derive(Debug)]
struct Kept<P> {
    pages: HashMap<usize, (Vec<u8>, Arc<P>)>,
    told: Vec<Arc<P>>,
}

impl<P> Default for Bodies<P> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { pages: HashMap::new(), told: Vec::new() }) }
    }
}

impl<P> Bodies<P> {
    /// Parses a page's body unless it is the same as last time. One that cannot be parsed is not kept.
    pub fn read<E>(
        &self,
        page: usize,
        body: &[u8],
        parse: impl FnOnce(&[u8]) -> Result<P, E>,
    ) -> Result<Arc<P>, E> {
        let mut kept = self.lock();
        if let Some((old, parsed)) = kept.pages.get(&page)
            && old == body
        {
            return Ok(parsed.clone());
        }
        let parsed = Arc::new(parse(body)?);
        kept.pages.insert(page, (body.to_vec(), parsed.clone()));
        Ok(parsed)
    }

    /// Whether these pages, as [`Bodies::read`] gave them, are not the very ones told last; they are
    /// taken as told from now on.
    pub fn is_news(&self, pages: &[Arc<P>]) -> bool {
        let mut kept = self.lock();
        let same =
            kept.told.len() == pages.len() && kept.told.iter().zip(pages).all(|(a, b)| Arc::ptr_eq(a, b));
        kept.told = pages.to_vec();
        !same
    }

    fn lock(&self) -> MutexGuard<'_, Kept<P>> {
        // A poisoned lock means that a parser panicked: what is kept is whole all the same.
        self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_body_is_parsed_once_and_told_once() {
        let bodies: Bodies<usize> = Bodies::default();
        let mut parses = 0;
        let mut read = |page: usize, body: &[u8]| {
            bodies.read(page, body, |body| {
                parses += 1;
                if body == b"bad" { Err(()) } else { Ok(body.len()) }
            })
        };
        let one = read(1, b"abc").unwrap();
        assert!(bodies.is_news(std::slice::from_ref(&one)));
        let same = read(1, b"abc").unwrap();
        assert!(!bodies.is_news(&[same]));
        assert_eq!(read(1, b"bad"), Err(()));
        let two = read(2, b"abc").unwrap();
        assert!(bodies.is_news(&[one.clone(), two]));
        assert!(bodies.is_news(&[one]));
        assert_eq!(parses, 3);
    }
}
