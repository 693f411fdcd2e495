//! Connections of this process to its own sockets.
//!
//! The backend of a Route may be the gateway: an EndpointSlice has its address, or its own Service is named. What comes in goes out then
//! and comes in again, so that one request would take all the connections that there may be, from all clients. It cannot be told from
//! what is meant to pass through the gateway twice. So there are few such connections at a time, and what would need more of them
//! fails.
//!
//! The surprising case: the sockets are those of the process, since its servers and clients need not know of each other.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
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

/// Room for a connection to this address, where that needs some: it is a socket of this process. To be asked for before anything is sent
/// there: a connection that was made would come in and go on, and a loop that is full would never end.
///
/// # Errors
/// When there is no room.
pub(crate) fn enter(transport: Transport, to: SocketAddr) -> Result<Option<ToSelf>, Loops> {
    match is_own(transport, to) {
        true => ROOM.try_acquire().map(Some).map_err(|_| Loops),
        false => Ok(None),
    }
}

/// Whether this is the address of a socket of this process.
pub(crate) fn is_own(transport: Transport, address: SocketAddr) -> bool {
    let is_bound = |ip| {
        let bound = BOUND.read().unwrap_or_else(PoisonError::into_inner);
        bound.contains_key(&(transport, SocketAddr::new(ip, address.port())))
    };
    // What is bound to all addresses is bound to those of the machine.
    is_bound(address.ip()) || is_bound(unspecified(address.ip())) && is_of_machine(address)
}

/// Whether an address is one of this machine: a socket that sends there sends from there. Nothing is sent to find that out. The addresses of
/// loopback are all of it, and have one for all to send from.
pub(crate) fn is_of_machine(address: SocketAddr) -> bool {
    if address.ip().is_loopback() {
        return true;
    }
    let from = UdpSocket::bind((unspecified(address.ip()), 0)).and_then(|socket| {
        socket.connect(address)?;
        socket.local_addr()
    });
    from.is_ok_and(|from| from.ip() == address.ip())
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
        let sockets = ["192.0.2.1:9", "0.0.0.0:11", "192.0.2.1:9"].map(address);
        let mut sockets = sockets.map(|address| OwnSocket::new(Transport::Udp, address)).into_iter();
        for (text, own) in [
            ("192.0.2.1:9", true),
            ("192.0.2.2:9", false),
            ("127.0.0.2:11", true),
            // Of another machine.
            ("192.0.2.1:11", false),
            ("[::1]:11", false),
        ] {
            assert_eq!(is_own(Transport::Udp, address(text)), own, "{text}");
        }
        assert!(!is_own(Transport::Tcp, address("192.0.2.1:9")));
        drop(sockets.next());
        assert!(is_own(Transport::Udp, address("192.0.2.1:9")), "it is bound once more");
        drop(sockets);
        assert!(!is_own(Transport::Udp, address("192.0.2.1:9")));
    }
}
