//! A line between a client and a server that can be made bad: slow, narrow, cut into slivers, held in one
//! direction, reset in the middle of a frame, or with bytes on it that nobody sent.
//!
//! Knows TCP and nothing above it. Listens on loopback, ends with the value that opened it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{floor::Dice, wire::lock};

/// How the line is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weather {
    /// Each way takes so much longer.
    pub delay: Duration,
    /// Up to so much more or less.
    pub jitter: Duration,
    /// Bytes arrive in slivers of this size.
    pub slice: Option<usize>,
    /// At most so many bytes a second towards the client.
    pub bytes_per_second: Option<u32>,
    /// What the client sends stays here.
    pub holds_up: bool,
    /// What the server sends stays here.
    pub holds_down: bool,
    /// A connection in so many is reset at its first answer.
    pub resets_one_in: Option<u32>,
    /// Connections are taken and end at once.
    pub turns_away: bool,
}

/// What can be done to the connections that are open.
#[derive(Clone)]
enum Order {
    /// These bytes go to the client as if the server had sent them.
    Inject(Arc<[u8]>),
    /// TCP reset.
    Reset,
    /// The server's side ends, without a closing word.
    Finish,
}

/// At most so many pieces wait on a line; beyond it the sender waits, as on any line.
const PIECES: usize = 64;
/// At most so many connections at once; more are turned away.
const CONNECTIONS: usize = 512;

struct Shared {
    weather: watch::Sender<Weather>,
    lines: Mutex<Vec<mpsc::Sender<Order>>>,
    ever: AtomicU64,
    dice: Mutex<Dice>,
}

/// A relay that runs until it is dropped.
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Opens one in front of a server, on any free port.
    ///
    /// # Errors
    /// As the system says it.
    pub async fn open(to: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            weather: watch::Sender::new(Weather::default()),
            lines: Mutex::default(),
            ever: AtomicU64::new(0),
            dice: Mutex::new(Dice::new(u64::from(address.port()))),
        });
        let task = tokio::spawn(accept(listener, to, shared.clone()));
        Ok(Self { address, shared, task })
    }
    /// Where clients go.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Makes the line so, for connections old and new.
    pub fn weather(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
    }
    /// Puts bytes on every open connection, towards the client.
    pub fn inject(&self, bytes: &[u8]) {
        self.order(&Order::Inject(bytes.into()));
    }
    /// Resets every open connection, after what was injected.
    pub fn reset(&self) {
        self.order(&Order::Reset);
    }
    /// Ends every open connection in order, but without a word of the protocol above.
    pub fn finish(&self) {
        self.order(&Order::Finish);
    }
    /// Connections open now, and ever.
    pub fn connections(&self) -> (u64, u64) {
        let mut lines = lock(&self.shared.lines);
        lines.retain(|line| !line.is_closed());
        (lines.len() as u64, self.shared.ever.load(Ordering::Relaxed))
    }
    fn order(&self, order: &Order) {
        for line in lock(&self.shared.lines).iter() {
            // A line that has ended, or is busy with sixteen orders, needs no more.
            let _ = line.try_send(order.clone());
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        self.order(&Order::Finish);
    }
}

async fn accept(listener: TcpListener, to: SocketAddr, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        shared.ever.fetch_add(1, Ordering::Relaxed);
        let weather = shared.weather.borrow().clone();
        let (orders, heard) = mpsc::channel(16);
        {
            let mut lines = lock(&shared.lines);
            lines.retain(|line| !line.is_closed());
            if weather.turns_away || lines.len() >= CONNECTIONS {
                continue;
            }
            lines.push(orders);
        }
        let doomed = weather.resets_one_in.is_some_and(|n| lock(&shared.dice).below(n.max(1) as usize) == 0);
        tokio::spawn(carry(client, to, shared.clone(), heard, doomed));
    }
}

/// One connection, both ways.
async fn carry(
    client: TcpStream,
    to: SocketAddr,
    shared: Arc<Shared>,
    heard: mpsc::Receiver<Order>,
    doomed: bool,
) {
    let Ok(server) = TcpStream::connect(to).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let (up, up_out) = mpsc::channel(PIECES);
    let (down, down_out) = mpsc::channel(PIECES);
    let weather = || shared.weather.subscribe();
    let upwards = async {
        tokio::join!(
            take(from_client, up, shared.clone(), Way::Up),
            give(to_server, up_out, None, weather(), Way::Up)
        );
    };
    let downwards = async {
        tokio::join!(
            take(from_server, down, shared.clone(), Way::Down { doomed }),
            give(to_client, down_out, Some(heard), weather(), Way::Down { doomed })
        );
    };
    // Either way's end is the end of both: nothing here half-closes.
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Up,
    Down { doomed: bool },
}

type Piece = (Instant, Vec<u8>);

/// Reads, and says when each piece is due on the other side.
async fn take(mut from: OwnedReadHalf, out: mpsc::Sender<Piece>, shared: Arc<Shared>, way: Way) {
    let mut last = Instant::now();
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let n = match from.read(&mut bytes).await {
            Ok(n) if n > 0 => n,
            _ => return,
        };
        if way == (Way::Down { doomed: true }) {
            // Half of the first answer; of the closed channel the other half makes a reset.
            let _ = out.send((Instant::now(), bytes[..n / 2].to_vec())).await;
            return;
        }
        let weather = shared.weather.borrow().clone();
        let jitter = weather.jitter.as_millis() as usize;
        let moved =
            if jitter == 0 { 0 } else { lock(&shared.dice).below(2 * jitter + 1) as i64 - jitter as i64 };
        let delay = weather.delay.as_millis() as i64 + moved;
        // In the order of sending: a line reorders nothing.
        last = last.max(Instant::now() + Duration::from_millis(delay.max(0) as u64));
        if out.send((last, bytes[..n].to_vec())).await.is_err() {
            return;
        }
    }
}

/// Writes what is due, and obeys orders.
async fn give(
    mut to: OwnedWriteHalf,
    mut pieces: mpsc::Receiver<Piece>,
    mut orders: Option<mpsc::Receiver<Order>>,
    mut weather: watch::Receiver<Weather>,
    way: Way,
) {
    loop {
        let held = {
            let weather = weather.borrow_and_update();
            if way == Way::Up { weather.holds_up } else { weather.holds_down }
        };
        tokio::select! {
            biased;
            order = heard(&mut orders) => match order {
                Some(Order::Inject(bytes)) => {
                    if to.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Some(Order::Finish) => {
                    let _ = to.shutdown().await;
                    return;
                }
                // A socket that may not linger ends with a reset.
                Some(Order::Reset) | None => {
                    let _ = to.as_ref().set_zero_linger();
                    return;
                }
            },
            changed = weather.changed() => if changed.is_err() { return },
            piece = pieces.recv(), if !held => {
                let Some((due, bytes)) = piece else {
                    if way == (Way::Down { doomed: true }) {
                        let _ = to.as_ref().set_zero_linger();
                    } else {
                        // The sender has said its last: so do we, in order.
                        let _ = to.shutdown().await;
                    }
                    return;
                };
                tokio::time::sleep_until(due).await;
                let (slice, pace) = {
                    let weather = weather.borrow();
                    let pace = weather.bytes_per_second.filter(|_| way != Way::Up);
                    (weather.slice.unwrap_or(usize::MAX).max(1), pace)
                };
                let slice = if pace.is_some() { slice.min(1) } else { slice };
                for sliver in bytes.chunks(slice) {
                    if to.write_all(sliver).await.is_err() {
                        return;
                    }
                    match pace {
                        Some(pace) => tokio::time::sleep(Duration::from_secs_f64(1.0 / f64::from(pace.max(1)))).await,
                        // So that each is a segment of its own.
                        None if slice < bytes.len() => tokio::task::yield_now().await,
                        None => {}
                    }
                }
            }
        }
    }
}

/// The next order; none ever on a way that takes none.
async fn heard(orders: &mut Option<mpsc::Receiver<Order>>) -> Option<Order> {
    match orders {
        Some(orders) => orders.recv().await,
        None => std::future::pending().await,
    }
}
