//! A TCP connection to a name: all its addresses are tried, the next one a little later than the last,
//! so that a dead IPv6 route costs a quarter of a second and not a minute.

use std::{net::SocketAddr, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::{io, net::TcpStream};
use url::{Host, Url};

use crate::{
    origin::place,
    trouble::{NetError, Phase},
};

const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the address's host and port.
pub(crate) async fn connect(url: &Url) -> Result<TcpStream, NetError> {
    let fail = |phase| NetError::new(place(url), phase);
    let port = match (url.scheme(), url.port_or_known_default()) {
        (_, Some(port)) => port,
        _ => return Err(fail(Phase::Address)),
    };
    let mut addresses: Vec<SocketAddr> = match url.host() {
        Some(Host::Ipv4(ip)) => vec![(ip, port).into()],
        Some(Host::Ipv6(ip)) => vec![(ip, port).into()],
        Some(Host::Domain(name)) => {
            tokio::net::lookup_host((name, port)).await.map_err(|_| fail(Phase::Dns))?.collect()
        }
        None => return Err(fail(Phase::Address)),
    };
    if addresses.is_empty() {
        return Err(fail(Phase::Dns));
    }
    alternate(&mut addresses);
    race(&addresses)
        .await
        .map_err(|error| fail(Phase::Connect { refused: error.kind() == io::ErrorKind::ConnectionRefused }))
}

/// IPv6 and IPv4 in turn, the resolver's first choice first.
fn alternate(addresses: &mut Vec<SocketAddr>) {
    let six_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.drain(..).partition(|a| a.is_ipv6() == six_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let (a, b) = (first.next(), second.next());
        if a.is_none() && b.is_none() {
            return;
        }
        addresses.extend(a);
        addresses.extend(b);
    }
}

async fn race(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut running: FuturesUnordered<_> = addresses
        .iter()
        .enumerate()
        .map(|(n, address)| async move {
            tokio::time::sleep(STAGGER * u32::try_from(n).unwrap_or(u32::MAX)).await;
            TcpStream::connect(address).await
        })
        .collect();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    while let Some(outcome) = running.next().await {
        match outcome {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
