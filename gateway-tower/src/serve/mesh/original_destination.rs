//! The original destination of a connection that the network led here.

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
    /// connected to. Every client that can connect is believed, so that nothing else may be able to. A destination that is an address of
    /// loopback is one of the machine, or the pod, that the mesh runs in: who tells of workloads elsewhere leaves out what they send to
    /// themselves.
    ProxyHeader,
    /// This tells.
    Resolver(Arc<dyn ResolveDestination>),
}

/// Tells where a connection was addressed to.
pub trait ResolveDestination: fmt::Debug + Send + Sync + 'static {
    /// Where the connection of this client was addressed to that came in at `local`. It is made from here: an address of loopback is one
    /// of the machine, or the pod, that the mesh runs in.
    ///
    /// # Errors
    /// When it is not known; the connection is reset.
    fn destination(&self, client: SocketAddr, local: SocketAddr) -> io::Result<SocketAddr>;
}

/// What the kernel knows.
#[cfg(target_os = "linux")]
pub(super) fn redirected(stream: &TcpStream) -> io::Result<SocketAddr> {
    let socket = socket2::SockRef::from(stream);
    let is_v4 = stream.local_addr()?.is_ipv4();
    let address = if is_v4 { socket.original_dst_v4() } else { socket.original_dst_v6() };
    let address = address.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("nothing has led the connection here, as a rule with `redirect` does: {error}"),
        )
    })?;
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn of_a_connection_that_nothing_has_redirected_it_is_said_what_is_missing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        // Where there are no rules at all, as there are none in most tests' networks, the kernel knows of no connection.
        let said = match redirected(&client) {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        };
        let itself = client.peer_addr().unwrap().to_string();
        assert!(said == itself || said.starts_with("nothing has led the connection here"), "{said}");
    }
}
