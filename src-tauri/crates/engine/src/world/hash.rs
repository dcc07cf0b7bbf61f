//! A fast hash for maps that are looked up with every update.
//!
//! Ids come from the vendors that the user has chosen, not from strangers, and the number of rows of one
//! source is bounded by what the vendor sends: the flooding that the standard hasher guards against is
//! not worth a third of the time of an update.

use std::hash::{BuildHasherDefault, Hasher};

/// A map with the fast hash.
pub(crate) type FastMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<FastHash>>;

/// A set with the fast hash.
pub(crate) type FastSet<K> = std::collections::HashSet<K, BuildHasherDefault<FastHash>>;

/// Multiplies and rotates, eight bytes at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FastHash(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl FastHash {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(ODD);
        self.0 = (product as u64) ^ ((product >> 64) as u64).rotate_left(23);
    }
}

impl Hasher for FastHash {
    fn write(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            // The length tells `a` from `a\0`.
            self.mix(u64::from_le_bytes(word) ^ ((rest.len() as u64) << 56));
        }
    }
    fn write_u8(&mut self, n: u8) {
        self.mix(u64::from(n) | 0x100);
    }
    fn write_u64(&mut self, n: u64) {
        self.mix(n);
    }
    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }
    fn write_isize(&mut self, n: isize) {
        self.mix(n as u64);
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        hash::{BuildHasher, BuildHasherDefault},
    };

    use model::Key;

    use super::FastHash;

    #[test]
    fn ids_that_look_alike_hash_apart() {
        let build = BuildHasherDefault::<FastHash>::default();
        let hashes: HashSet<u64> = (0..50_000)
            .map(|n| build.hash_one(Key::new("shop", format!("support-group-{n:024x}"))))
            .collect();
        assert_eq!(hashes.len(), 50_000);
        // Tables use the low bits for the place and the high ones for the tag: both must spread.
        let low: HashSet<u64> = hashes.iter().map(|h| h & 0xffff).collect();
        let high: HashSet<u64> = hashes.iter().map(|h| h >> 57).collect();
        assert!(low.len() > 30_000, "{}", low.len());
        assert_eq!(high.len(), 128);
        assert_ne!(build.hash_one("a"), build.hash_one("a\0"));
    }
}
