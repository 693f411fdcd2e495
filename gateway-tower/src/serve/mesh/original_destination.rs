//! Where a connection was addressed to that the network led here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use tokio::net::TcpStream;

/// How a connection tells where it was addressed to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OriginalDestination {
    /// The kernel knows: it changed the destination, as rules with `redirect` or `dnat` do. On Linux.
    Redirected,
    /// The connection begins with a header of the PROXY protocol, of either version, which says who the client is and where it
    /// connected to. Whoever can connect is believed, so that nothing else may be able to.
    ProxyHeader,
    /// This tells.
    Resolver(Arc<dyn ResolveDestination>),
}

/// Tells where a connection was addressed to.
pub trait ResolveDestination: fmt::Debug + Send + Sync + 'static {
    /// Where the connection of this client was addressed to that came in at `local`.
    ///
    /// # Errors
    /// When it is not known; the connection is reset.
    fn destination(&self, client: SocketAddr, local: SocketAddr) -> io::Result<SocketAddr>;
}

/// What the kernel knows.
#[cfg(target_os = "linux")]
pub(super) fn redirected(stream: &TcpStream) -> io::Result<SocketAddr> {
    let socket = socket2::SockRef::from(stream);
    let address =
        if stream.local_addr()?.is_ipv4() { socket.original_dst_v4()? } else { socket.original_dst_v6()? };
    address.as_socket().ok_or_else(|| io::Error::other("the connection was addressed to no socket"))
}

/// Nothing: no such question is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn redirected(_: &TcpStream) -> io::Result<SocketAddr> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "only Linux tells where a redirected connection was addressed to",
    ))
}
