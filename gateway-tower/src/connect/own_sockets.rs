//! Connections of this process to its own sockets.
//!
//! The backend of a Route may be the gateway: an EndpointSlice has its address, or its own Service is named. What comes in goes out then
//! and comes in again, so that one request would take all the connections that there may be, from everybody. It cannot be told from
//! what is meant to pass through the gateway twice. So there are few such connections at a time, and what would need more of them
//! fails.
//!
//! The surprising case: the sockets are those of the process, since its servers and clients need not know of each other.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{LazyLock, PoisonError, RwLock};

use foldhash::fast::RandomState;
use gateway_core::table::Transport;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most connections, and flows of datagrams, of this process to its own sockets.
const MOST: usize = 256;

/// How often each socket is bound.
static BOUND: LazyLock<RwLock<Bound>> = LazyLock::new(RwLock::default);

static ROOM: Semaphore = Semaphore::const_new(MOST);

type Bound = HashMap<(Transport, SocketAddr), usize, RandomState>;

/// A socket of this process, as long as it is bound.
#[derive(Debug)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
pub(crate) struct OwnSocket(Transport, SocketAddr);

/// Room for a connection to a socket of this process.
pub(crate) type ToSelf = SemaphorePermit<'static>;

/// There are as many connections of this process to its own sockets as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is a socket of the gateway itself, to which it has {MOST} connections; name a backend that leads elsewhere"
)]
pub(crate) struct Loops;

/// Room for a connection from the one address to the other, where that needs some: it is a socket of this process.
///
/// # Errors
/// When there is no room.
pub(crate) fn enter(
    transport: Transport,
    from: io::Result<SocketAddr>,
    to: SocketAddr,
) -> Result<Option<ToSelf>, Loops> {
    let bound = BOUND.read().unwrap_or_else(PoisonError::into_inner);
    let is_bound = |ip| bound.contains_key(&(transport, SocketAddr::new(ip, to.port())));
    // What is bound to all addresses is bound to this one, where this is one of the machine.
    let any = || from.is_ok_and(|from| from.ip() == to.ip()) && is_bound(unspecified(to.ip()));
    match is_bound(to.ip()) || any() {
        true => ROOM.try_acquire().map(Some).map_err(|_| Loops),
        false => Ok(None),
    }
}

fn unspecified(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

// === impl OwnSocket ===

#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
impl OwnSocket {
    /// The socket that is bound to this address.
    pub(crate) fn new(transport: Transport, address: SocketAddr) -> Self {
        let mut bound = BOUND.write().unwrap_or_else(PoisonError::into_inner);
        *bound.entry((transport, address)).or_default() += 1;
        Self(transport, address)
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let mut bound = BOUND.write().unwrap_or_else(PoisonError::into_inner);
        let socket = (self.0, self.1);
        if let Some(times) = bound.get_mut(&socket) {
            *times -= 1;
            if *times == 0 {
                bound.remove(&socket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_bound_here_is_the_process_itself() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let enters = |from: &str, to: &str| enter(Transport::Tcp, Ok(address(from)), address(to)).unwrap();
        let (one, all) = (address("192.0.2.1:80"), address("0.0.0.0:81"));
        let sockets = [(Transport::Tcp, one), (Transport::Tcp, all), (Transport::Tcp, one)];
        let mut sockets = sockets.map(|(transport, address)| OwnSocket::new(transport, address)).into_iter();
        for (from, to, is_own) in [
            ("192.0.2.1:5000", "192.0.2.1:80", true),
            ("192.0.2.7:5000", "192.0.2.1:80", true),
            ("192.0.2.1:5000", "192.0.2.2:80", false),
            ("192.0.2.1:5000", "192.0.2.1:81", true),
            // Of another machine.
            ("192.0.2.1:5000", "192.0.2.7:81", false),
            ("[2001:db8::1]:5000", "[2001:db8::1]:81", false),
        ] {
            assert_eq!(enters(from, to).is_some(), is_own, "{from} {to}");
        }
        assert!(enter(Transport::Udp, Ok(one), one).unwrap().is_none());
        drop(sockets.next());
        assert!(enters("192.0.2.1:5000", "192.0.2.1:80").is_some(), "it is bound once more");
        drop(sockets);
        assert!(enters("192.0.2.1:5000", "192.0.2.1:80").is_none());
    }
}
