//! A connection that is about to become a WebSocket. Reverse proxies answer with
//! `Connection: upgrade, keep-alive`, which is as good as `Connection: Upgrade`, but the WebSocket library
//! compares the header as a whole. So the head of the answer is read here first and its `Connection` put
//! plainly; everything behind it, and every other header, passes as it came.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A head longer than this is passed on as it is: the library refuses it.
const LONGEST_HEAD: usize = 64 * 1024;

/// The stream below a WebSocket.
pub(crate) struct Upgraded<S> {
    inner: S,
    head: Head,
}

enum Head {
    /// The head has not come to its end yet.
    Coming(Vec<u8>),
    /// It has; so much of what was read is still to be handed on.
    Come(Bytes),
}

impl<S> Upgraded<S> {
    pub fn new(inner: S) -> Self {
        Self { inner, head: Head::Coming(Vec::new()) }
    }
}

/// The head with one plain `Connection: Upgrade`, where the answer's own headers say that among others.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return bytes.to_vec() };
    let (head, rest) = bytes.split_at(end);
    let Ok(head) = std::str::from_utf8(head) else { return bytes.to_vec() };
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("connection").then(|| value.to_ascii_lowercase())
    };
    let upgrades =
        head.split("\r\n").filter_map(value).any(|v| v.split(',').any(|word| word.trim() == "upgrade"));
    if !upgrades {
        return bytes.to_vec();
    }
    let mut told: String =
        head.split("\r\n").filter(|line| value(line).is_none()).collect::<Vec<_>>().join("\r\n");
    told.push_str("\r\nConnection: Upgrade");
    [told.as_bytes(), rest].concat()
}

impl<S: AsyncRead + Unpin> AsyncRead for Upgraded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.head {
                Head::Come(rest) if rest.is_empty() => return Pin::new(&mut this.inner).poll_read(cx, out),
                Head::Come(rest) => {
                    let n = rest.len().min(out.remaining());
                    out.put_slice(&rest[..n]);
                    rest.advance(n);
                    return Poll::Ready(Ok(()));
                }
                Head::Coming(head) => {
                    let mut space = [0; 4096];
                    let mut part = ReadBuf::new(&mut space);
                    ready!(Pin::new(&mut this.inner).poll_read(cx, &mut part))?;
                    // The end may lie across two parts.
                    let from = head.len().saturating_sub(3);
                    head.extend_from_slice(part.filled());
                    let whole = head[from..].windows(4).any(|w| w == b"\r\n\r\n");
                    if whole || part.filled().is_empty() || head.len() > LONGEST_HEAD {
                        let head = Bytes::from(plain(head));
                        let over = head.is_empty();
                        this.head = Head::Come(head);
                        if over {
                            return Poll::Ready(Ok(()));
                        }
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Upgraded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_is_put_plainly_and_nothing_else_is_touched() {
        let told = |connection: &str| {
            let head = format!("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n{connection}\r\nX: y\r\n\r\nrest");
            String::from_utf8(plain(head.as_bytes())).unwrap_or_default()
        };
        for connection in [
            "Connection: Upgrade",
            "connection: upgrade, keep-alive",
            "CONNECTION:keep-alive,Upgrade",
            "Connection: keep-alive\r\nConnection: upgrade",
        ] {
            assert_eq!(
                plain(
                    format!("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n{connection}\r\nX: y\r\n\r\nrest")
                        .as_bytes()
                ),
                b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nX: y\r\nConnection: Upgrade\r\n\r\nrest",
                "{connection}"
            );
        }
        for connection in ["Connection: close", "Connection: upgraded", "Y: upgrade"] {
            assert!(!told(connection).contains("Connection: Upgrade"), "{connection}");
        }
        assert_eq!(plain(b"HTTP/1.1 101"), b"HTTP/1.1 101");
    }
}
