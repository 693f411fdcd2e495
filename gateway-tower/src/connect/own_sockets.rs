//! Connections of this process to its own sockets.
//!
//! The backend of a Route may be the gateway: an EndpointSlice has its address, or its own Service is named. What comes in goes out then
//! and comes in again, so that one request would take all the connections that there may be, from all clients. It cannot be told from
//! what is meant to pass through the gateway twice. So there are few such connections at a time, and what would need more of them
//! fails. What a mesh passes on to where a workload has dialled is the workload's: a Gateway is reached so by as many as there are.
//!
//! To the sockets of a mesh there are none at all. They are for workloads whose connections are led there, and believe what comes with one
//! about its client: a workload that had itself passed on to one could say anything.
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

/// The sockets that are bound.
static BOUND: LazyLock<RwLock<Bound>> = LazyLock::new(RwLock::default);

static ROOM: Semaphore = Semaphore::const_new(MOST);

type Bound = HashMap<(Transport, SocketAddr), Bindings, RandomState>;

/// How often a socket is bound, and what for.
#[derive(Debug)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
struct Bindings {
    times: usize,
    is_for: TakenFrom,
}

/// Whose connections a socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
pub(crate) enum TakenFrom {
    /// Everybody's, this process included.
    All,
    /// Those of workloads, which the network leads there.
    Workloads,
}

/// Who makes a connection, in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The gateway, to a backend of its choice.
    Gateway,
    /// A workload that has dialled this address, whose connection is passed on there by a mesh. There is one for each that it has made, so
    /// that none of these goes round without another that the gateway makes.
    #[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a mesh has workloads"))]
    Workload,
}

/// A socket of this process, as long as it is bound.
#[derive(Debug)]
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
pub(crate) struct OwnSocket(Transport, SocketAddr);

/// Room for a connection to a socket of this process.
pub(crate) type ToSelf = SemaphorePermit<'static>;

/// Why this process must not connect to a socket of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Loops {
    /// There are as many such connections as there may be.
    #[error(
        "it is a socket of the gateway itself, to which it has {MOST} connections; name a backend that leads elsewhere"
    )]
    NoRoom,
    /// It is for workloads.
    #[error(
        "it is a socket of the mesh, which only workloads are led to; name a backend that leads elsewhere"
    )]
    OfMesh,
}

/// Room for a connection to this address, where that needs some: it is a socket of this process. To be asked for before anything is sent
/// there: a connection that was made would come in and go on, and a loop that is full would never end.
///
/// # Errors
/// When there is no room, or the socket is for others.
pub(crate) fn enter(maker: Maker, transport: Transport, to: SocketAddr) -> Result<Option<ToSelf>, Loops> {
    match bound_at(transport, to) {
        Some(TakenFrom::All) if maker == Maker::Workload => Ok(None),
        Some(TakenFrom::All) => ROOM.try_acquire().map(Some).map_err(|_| Loops::NoRoom),
        Some(TakenFrom::Workloads) => Err(Loops::OfMesh),
        None => Ok(None),
    }
}

/// Whether this is the address of a socket of this process.
#[cfg_attr(not(feature = "server"), allow(dead_code, reason = "a server has sockets"))]
pub(crate) fn is_own(transport: Transport, address: SocketAddr) -> bool {
    bound_at(transport, address).is_some()
}

/// Whose connections the socket of this process at this address takes, if there is one.
fn bound_at(transport: Transport, address: SocketAddr) -> Option<TakenFrom> {
    // The kernel takes one for the other.
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let is_for = |ip| {
        let bound = BOUND.read().unwrap_or_else(PoisonError::into_inner);
        bound.get(&(transport, SocketAddr::new(ip, address.port()))).map(|bindings| bindings.is_for)
    };
    // What is bound to all addresses is bound to those of the machine.
    is_for(address.ip()).or_else(|| is_for(unspecified(address.ip())).filter(|_| is_of_machine(address)))
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
    pub(crate) fn new(transport: Transport, address: SocketAddr, is_for: TakenFrom) -> Self {
        let mut bound = BOUND.write().unwrap_or_else(PoisonError::into_inner);
        bound.entry((transport, address)).or_insert(Bindings { times: 0, is_for }).times += 1;
        Self(transport, address)
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let mut bound = BOUND.write().unwrap_or_else(PoisonError::into_inner);
        let socket = (self.0, self.1);
        if let Some(bindings) = bound.get_mut(&socket) {
            bindings.times -= 1;
            if bindings.times == 0 {
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
        let mut sockets =
            sockets.map(|address| OwnSocket::new(Transport::Udp, address, TakenFrom::All)).into_iter();
        for (text, own) in [
            ("192.0.2.1:9", true),
            ("192.0.2.2:9", false),
            ("127.0.0.2:11", true),
            ("[::ffff:192.0.2.1]:9", true),
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

    #[test]
    fn nothing_of_this_process_goes_to_a_socket_of_a_mesh() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let _socket = OwnSocket::new(Transport::Tcp, address("0.0.0.0:13"), TakenFrom::Workloads);
        for of_mesh in ["127.0.0.1:13", "[::ffff:127.0.0.1]:13"] {
            for maker in [Maker::Gateway, Maker::Workload] {
                let entered = enter(maker, Transport::Tcp, address(of_mesh));
                assert_eq!(entered.unwrap_err(), Loops::OfMesh, "{maker:?}: {of_mesh}");
            }
        }
        assert!(matches!(enter(Maker::Gateway, Transport::Tcp, address("127.0.0.1:14")), Ok(None)));
    }

    #[test]
    fn what_a_workload_has_dialled_takes_no_room_from_the_gateway() {
        let own: SocketAddr = "127.0.0.1:15".parse().unwrap();
        let _socket = OwnSocket::new(Transport::Tcp, own, TakenFrom::All);
        assert!(matches!(enter(Maker::Workload, Transport::Tcp, own), Ok(None)));
        assert!(matches!(enter(Maker::Gateway, Transport::Tcp, own), Ok(Some(_)) | Err(Loops::NoRoom)));
    }
}
