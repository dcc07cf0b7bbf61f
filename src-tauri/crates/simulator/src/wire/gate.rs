//! The socket gate: a listener that can be closed and opened again on the same port, and connections
//! that can be cut, reset, or go silent in either direction while TCP stays up.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::lock;

/// Which direction of a connection goes silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Nothing passes: the peer has vanished without a word.
    Both,
    /// What the client sends is not heard.
    FromClient,
    /// What the server sends does not arrive.
    ToClient,
}

const DEAF: u8 = 1;
const MUTE: u8 = 2;
const CUT: u8 = 4;
const RESET: u8 = 8;

impl Half {
    fn bits(self) -> u8 {
        match self {
            Half::Both => DEAF | MUTE,
            Half::FromClient => DEAF,
            Half::ToClient => MUTE,
        }
    }
}

#[derive(Default)]
struct Line {
    bits: AtomicU8,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Line {
    fn set(&self, bits: u8) {
        self.bits.fetch_or(bits, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
    }
}

pub(crate) struct Gate {
    open: watch::Sender<bool>,
    /// Bits that a new connection begins with.
    fresh: AtomicU8,
    lines: Mutex<Vec<Weak<Line>>>,
    ever: AtomicU64,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(true),
            fresh: AtomicU8::new(0),
            lines: Mutex::default(),
            ever: AtomicU64::new(0),
        }
    }
}

impl Gate {
    /// Closes the port: nobody gets in, everybody inside is cut.
    pub fn close(&self) {
        self.open.send_replace(false);
        self.cut();
    }
    pub fn open(&self) {
        self.open.send_replace(true);
    }
    /// Ends every connection without a closing word.
    pub fn cut(&self) {
        self.each(CUT);
    }
    /// Ends every connection with a TCP reset.
    pub fn reset(&self) {
        self.each(RESET | CUT);
    }
    /// Lets every connection, and every one to come, go silent.
    pub fn silence(&self, half: Half) {
        self.fresh.store(half.bits(), Ordering::SeqCst);
        self.each(half.bits());
    }
    /// Ends the silence. What was silent has lost bytes and is cut.
    pub fn unsilence(&self) {
        self.fresh.store(0, Ordering::SeqCst);
        for line in self.lines() {
            if line.bits.load(Ordering::SeqCst) & (DEAF | MUTE) != 0 {
                line.set(CUT);
            }
        }
    }
    pub fn connections(&self) -> (u64, u64) {
        (self.lines().len() as u64, self.ever.load(Ordering::Relaxed))
    }
    fn each(&self, bits: u8) {
        for line in self.lines() {
            line.set(bits);
        }
    }
    fn lines(&self) -> Vec<Arc<Line>> {
        let mut lines = lock(&self.lines);
        lines.retain(|line| line.strong_count() > 0);
        lines.iter().filter_map(Weak::upgrade).collect()
    }
    fn admit(&self, stream: TcpStream) -> GatedStream {
        let line = Arc::new(Line::default());
        line.bits.store(self.fresh.load(Ordering::SeqCst), Ordering::SeqCst);
        lock(&self.lines).push(Arc::downgrade(&line));
        self.ever.fetch_add(1, Ordering::Relaxed);
        let _ = stream.set_nodelay(true);
        GatedStream { inner: Some(stream), line }
    }
}

pub(crate) struct GatedListener {
    wire: Arc<super::Wire>,
    inner: Option<TcpListener>,
    address: SocketAddr,
}

impl GatedListener {
    /// Binds to loopback; port 0 takes any free one.
    pub async fn bind(wire: Arc<super::Wire>, port: u16) -> io::Result<Self> {
        let inner = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await?;
        let address = inner.local_addr()?;
        Ok(Self { wire, inner: Some(inner), address })
    }
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl axum::serve::Listener for GatedListener {
    type Io = GatedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GatedStream, SocketAddr) {
        let mut open = self.wire.gate.open.subscribe();
        loop {
            if !*open.borrow_and_update() {
                self.inner = None;
                if open.wait_for(|open| *open).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            let Some(listener) = &self.inner else {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => self.inner = Some(listener),
                    // Somebody else has the port for a moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => return (self.wire.gate.admit(stream), peer),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                _ = open.changed() => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

pub(crate) struct GatedStream {
    inner: Option<TcpStream>,
    line: Arc<Line>,
}

impl GatedStream {
    /// Closes at once when the line was cut; says whether it is still up.
    fn is_up(&mut self) -> bool {
        let bits = self.line.bits.load(Ordering::SeqCst);
        if bits & CUT != 0
            && let Some(stream) = self.inner.take()
            && bits & RESET != 0
        {
            let _ = stream.set_zero_linger();
        }
        self.inner.is_some()
    }
    fn has(&self, bit: u8) -> bool {
        self.line.bits.load(Ordering::SeqCst) & bit != 0
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the line was cut")
}

impl AsyncRead for GatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line.reader.register(cx.waker());
        if !self.is_up() {
            return Poll::Ready(Err(cut()));
        }
        if self.has(DEAF) {
            return Poll::Pending;
        }
        match &mut self.inner {
            Some(stream) => Pin::new(stream).poll_read(cx, buf),
            None => Poll::Ready(Err(cut())),
        }
    }
}

impl AsyncWrite for GatedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.writer.register(cx.waker());
        if !self.is_up() {
            return Poll::Ready(Err(cut()));
        }
        if self.has(MUTE) {
            return Poll::Ready(Ok(bytes.len()));
        }
        match &mut self.inner {
            Some(stream) => Pin::new(stream).poll_write(cx, bytes),
            None => Poll::Ready(Err(cut())),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_up() {
            return Poll::Ready(Err(cut()));
        }
        match &mut self.inner {
            Some(stream) => Pin::new(stream).poll_flush(cx),
            None => Poll::Ready(Err(cut())),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has(MUTE) {
            return Poll::Pending;
        }
        match &mut self.inner {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
