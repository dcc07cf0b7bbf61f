//! Numbers, texts and instants as bytes.
//!
//! Counts are LEB128, signed ones zigzag, instants milliseconds from the block's own instant, and
//! everything that is named again and again (ids, words) is a number into the segment's table of names.

use foldhash::HashMap;
use model::{Id, Timestamp};

/// The bytes do not say what they should: damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn;

/// Names of one segment and their numbers. Grows until the next keyframe begins a new one.
#[derive(Default)]
pub(crate) struct Names {
    numbers: HashMap<Id, u32>,
    list: Vec<Id>,
    /// How many of `list` have been handed over to a block already.
    written: usize,
}

impl Names {
    pub(crate) fn number(&mut self, name: &Id) -> u32 {
        if let Some(n) = self.numbers.get(name) {
            return *n;
        }
        let n = self.list.len() as u32;
        self.list.push(name.clone());
        self.numbers.insert(name.clone(), n);
        n
    }
    /// Writes the names that no block has yet.
    pub(crate) fn put_new(&mut self, out: &mut Vec<u8>) {
        let new = &self.list[self.written..];
        put_varint(out, new.len() as u64);
        for name in new {
            put_varint(out, name.len() as u64);
            out.extend_from_slice(name.as_bytes());
        }
        self.written = self.list.len();
    }
}

/// Reads the names that a block adds.
pub(crate) fn get_names(from: &mut Bytes<'_>, names: &mut Vec<Id>) -> Result<(), Torn> {
    let count = from.count()?;
    names.reserve(count);
    for _ in 0..count {
        names.push(Id::new(from.str()?));
    }
    Ok(())
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Where a block's rows are written to.
pub(crate) struct Enc<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) names: &'a mut Names,
    /// Instants are written as the distance from this.
    pub(crate) base: i64,
}

impl Enc<'_> {
    pub(crate) fn byte(&mut self, value: u8) {
        self.out.push(value);
    }
    pub(crate) fn varint(&mut self, value: u64) {
        put_varint(self.out, value);
    }
    pub(crate) fn signed(&mut self, value: i64) {
        put_varint(self.out, zigzag(value));
    }
    pub(crate) fn instant(&mut self, at: Timestamp) {
        self.signed(at.as_ms().wrapping_sub(self.base));
    }
    pub(crate) fn name(&mut self, id: &Id) {
        let n = self.names.number(id);
        self.varint(u64::from(n));
    }
    pub(crate) fn str(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }
    /// Whole numbers in few bytes, everything else in eight. `-0.0` and what is not finite keep their bits.
    pub(crate) fn float(&mut self, value: f64) {
        let whole = value as i64;
        if (whole as f64).to_bits() == value.to_bits() && whole.unsigned_abs() < 1 << 48 {
            self.byte(1);
            self.signed(whole);
        } else {
            self.byte(2);
            self.out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Plain bytes being read. Every length is checked against what is left.
pub(crate) struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
    pub(crate) fn peek(&self) -> Result<u8, Torn> {
        self.rest.first().copied().ok_or(Torn)
    }
    pub(crate) fn byte(&mut self) -> Result<u8, Torn> {
        let (first, rest) = self.rest.split_first().ok_or(Torn)?;
        self.rest = rest;
        Ok(*first)
    }
    pub(crate) fn varint(&mut self) -> Result<u64, Torn> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Torn)
    }
    pub(crate) fn signed(&mut self) -> Result<i64, Torn> {
        Ok(unzigzag(self.varint()?))
    }
    /// How many items follow; each takes at least one byte, so more than are left is damage.
    pub(crate) fn count(&mut self) -> Result<usize, Torn> {
        let count = usize::try_from(self.varint()?).map_err(|_| Torn)?;
        if count > self.rest.len() { Err(Torn) } else { Ok(count) }
    }
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Torn> {
        if len > self.rest.len() {
            return Err(Torn);
        }
        let (head, rest) = self.rest.split_at(len);
        self.rest = rest;
        Ok(head)
    }
    pub(crate) fn str(&mut self) -> Result<&'a str, Torn> {
        let len = self.count()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| Torn)
    }
}

/// A block's rows being read.
pub(crate) struct Dec<'a> {
    pub(crate) bytes: Bytes<'a>,
    pub(crate) names: &'a [Id],
    pub(crate) base: i64,
}

impl Dec<'_> {
    pub(crate) fn instant(&mut self) -> Result<Timestamp, Torn> {
        Ok(Timestamp::from_ms(self.bytes.signed()?.wrapping_add(self.base)))
    }
    pub(crate) fn name(&mut self) -> Result<Id, Torn> {
        let n = usize::try_from(self.bytes.varint()?).map_err(|_| Torn)?;
        self.names.get(n).cloned().ok_or(Torn)
    }
    pub(crate) fn float(&mut self) -> Result<f64, Torn> {
        match self.bytes.byte()? {
            1 => Ok(self.bytes.signed()? as f64),
            2 => {
                let raw: [u8; 8] = self.bytes.take(8)?.try_into().map_err(|_| Torn)?;
                Ok(f64::from_le_bytes(raw))
            }
            _ => Err(Torn),
        }
    }
}

/// Wraps a body for the disk: one byte for how, the body (compressed when that helps), its checksum.
pub(crate) fn seal(body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(body.len() / 2 + 16);
    let packed = if body.len() > 512 { Some(lz4_flex::compress_prepend_size(body)) } else { None };
    match packed {
        Some(packed) if packed.len() < body.len() - body.len() / 16 => {
            sealed.push(1);
            sealed.extend_from_slice(&packed);
        }
        _ => {
            sealed.push(0);
            sealed.extend_from_slice(body);
        }
    }
    let sum = crc32fast::hash(&sealed);
    sealed.extend_from_slice(&sum.to_le_bytes());
    sealed
}

/// Undoes [`seal`]. Refuses what would unpack to more than a gigabyte.
pub(crate) fn unseal(sealed: &[u8]) -> Result<Vec<u8>, Torn> {
    let (head, sum) = sealed.split_last_chunk::<4>().ok_or(Torn)?;
    if crc32fast::hash(head) != u32::from_le_bytes(*sum) {
        return Err(Torn);
    }
    let (how, body) = head.split_first().ok_or(Torn)?;
    match how {
        0 => Ok(body.to_vec()),
        1 => {
            let size = body.first_chunk::<4>().map(|s| u32::from_le_bytes(*s)).ok_or(Torn)?;
            if size > 1 << 30 {
                return Err(Torn);
            }
            lz4_flex::decompress_size_prepended(body).map_err(|_| Torn)
        }
        _ => Err(Torn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_bits() {
        let mut names = Names::default();
        for value in
            [0.0, -0.0, 1.0, -17.0, 0.5, 1e300, f64::INFINITY, f64::MIN_POSITIVE, (1u64 << 50) as f64]
        {
            let mut out = Vec::new();
            Enc { out: &mut out, names: &mut names, base: 0 }.float(value);
            let back = Dec { bytes: Bytes::new(&out), names: &[], base: 0 }.float().unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{value}");
        }
    }

    #[test]
    fn a_flipped_bit_is_seen() {
        let body: Vec<u8> = (0..2000u32).flat_map(|n| (n / 9).to_le_bytes()).collect();
        let sealed = seal(&body);
        assert!(sealed.len() < body.len());
        assert_eq!(unseal(&sealed).unwrap(), body);
        for at in (0..sealed.len()).step_by(7) {
            let mut bent = sealed.clone();
            bent[at] ^= 0x10;
            assert_eq!(unseal(&bent), Err(Torn), "byte {at}");
        }
        assert_eq!(unseal(&[]), Err(Torn));
        assert_eq!(unseal(&sealed[..sealed.len() - 1]), Err(Torn));
    }
}
