//! Newline framing: WebSocket messages are pieces of a stream of lines and may be cut anywhere.

/// One line is at most this long; a longer one is a protocol error.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// The line was longer than [`LONGEST`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Puts lines together.
#[derive(Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    /// Everything before here holds no newline.
    searched: usize,
}

impl Lines {
    /// Takes the bytes of one message and hands out every line that is whole now, without its end. Empty
    /// lines are left out.
    pub fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        self.pending.extend_from_slice(bytes);
        let mut lines = Vec::new();
        let mut start = 0;
        while let Some(found) = self.pending[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + found;
            let line = self.pending[start..end].trim_ascii();
            if line.len() > LONGEST {
                return Err(TooLong);
            }
            if !line.is_empty() {
                lines.push(line.to_vec());
            }
            start = end + 1;
            self.searched = start;
        }
        self.pending.drain(..start);
        self.searched = self.pending.len();
        if self.pending.len() > LONGEST { Err(TooLong) } else { Ok(lines) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_at_newlines_only() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"{\"a\":").unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(lines.take(b"1}\r\n\n{}\n{\"b\"").unwrap(), [b"{\"a\":1}".to_vec(), b"{}".to_vec()]);
        assert_eq!(lines.take(b":2}\n").unwrap(), [b"{\"b\":2}".to_vec()]);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(texts in prop::collection::vec("[a-zäö🎧{}]{1,20}", 1..20), cuts in prop::collection::vec(1usize..9, 1..50)) {
            let whole: Vec<u8> = texts.iter().flat_map(|t| format!("{t}\n").into_bytes()).collect();
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            let (mut rest, mut turn) = (&whole[..], 0);
            while !rest.is_empty() {
                let n = cuts[turn % cuts.len()].min(rest.len());
                seen.extend(lines.take(&rest[..n]).unwrap());
                (rest, turn) = (&rest[n..], turn + 1);
            }
            let expected: Vec<Vec<u8>> = texts.iter().map(|t| t.clone().into_bytes()).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
