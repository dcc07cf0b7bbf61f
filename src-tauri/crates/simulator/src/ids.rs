//! Identifiers in the vendors' shapes, made from numbers of the floor so that they can be read back.
//!
//! Queues and people keep theirs across restarts; contacts carry the floor's opening second, so a
//! floor that was started anew never re-uses the id of an old conversation.

use model::Timestamp;

/// What an identifier belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IdKind {
    Queue = 1,
    Seat = 2,
    User = 3,
    Contact = 4,
    Project = 5,
    Customer = 6,
    Group = 7,
    Message = 8,
    Status = 9,
}

/// 24 hexadecimal digits.
pub fn oid(kind: IdKind, salt: Option<Timestamp>, n: u64) -> String {
    format!("{:08x}{:04x}{n:012x}", salt_of(salt), 0x82e0 + kind as u32)
}

/// A GUID in lower case with hyphens.
pub fn guid(kind: IdKind, salt: Option<Timestamp>, n: u64) -> String {
    format!("{:08x}-5a1{:x}-4b0e-9c3d-{n:012x}", salt_of(salt), kind as u32)
}

fn salt_of(salt: Option<Timestamp>) -> u32 {
    // Any fixed number does where there is no salt.
    salt.map_or(0x6b02_501f, |at| (at.as_ms().div_euclid(1000) & 0xffff_ffff) as u32)
}

/// The number at the end of either shape; `None` when it is not one of ours.
pub fn number(id: &str) -> Option<u64> {
    let digits = id.get(id.len().checked_sub(12)?..)?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        assert_eq!(oid(IdKind::User, None, 17).len(), 24);
        assert_eq!(number(&oid(IdKind::User, None, 17)), Some(17));
        assert_eq!(number(&guid(IdKind::Queue, None, 3)), Some(3));
        assert_eq!(number("short"), None);
        assert_eq!(number("ääääääää"), None);
    }
}
