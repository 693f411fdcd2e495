//! Connecting to an endpoint.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::table::Transport;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::own_sockets::{Maker, enter};
use super::stream::Connected;
use crate::client::ConnectError;

/// After this time without a byte the kernel asks whether the other end is still there, so that a connection to a Pod that
/// went without a word does not stay open for ever.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// The time between two such questions; the connection is gone after three without an answer.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// See [`KEEPALIVE_EVERY`]. Linux counts the time instead, where that [is limited](UNACKNOWLEDGED).
#[cfg(not(target_os = "linux"))]
const KEEPALIVE_PROBES: u32 = 3;

/// How long what was sent may go without a word from the other end. The kernel asks nothing while it waits for that, and
/// would go on sending for a quarter of an hour, on a connection of HTTP/2 to the harm of all requests that come next.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

/// A connection to `endpoint`, made within `limit`. Small writes are sent at once.
///
/// # Errors
/// When it cannot be made, or [leads back](super::own_sockets) to the gateway once too often.
pub(crate) async fn tcp(
    maker: Maker,
    endpoint: SocketAddr,
    limit: Duration,
) -> Result<Connected, ConnectError> {
    #[cfg(feature = "fuzzing")]
    if let Some(connected) = in_place_of_sockets::connected(endpoint) {
        let connected = connected.map(|stream| Connected { stream, to_self: None });
        return connected.map_err(|error| ConnectError { endpoint, cause: error.into() });
    }
    let to_self = enter(maker, Transport::Tcp, endpoint);
    let to_self = to_self.map_err(|loops| ConnectError { endpoint, cause: loops.into() })?;
    let connected = timeout(limit, TcpStream::connect(endpoint)).await;
    let stream = connected
        .unwrap_or_else(|_| {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}")))
        })
        .map_err(|error| ConnectError { endpoint, cause: error.into() })?;
    // None of these can fail on a connected socket but for one that is closed again, which the first write will tell.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_EVERY);
    #[cfg(not(target_os = "linux"))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    Ok(Connected { stream, to_self })
}

/// Connections that a fuzz target makes by itself.
#[cfg(feature = "fuzzing")]
pub(crate) mod in_place_of_sockets {
    use std::cell::RefCell;

    use super::*;

    type Connect = Box<dyn FnMut(SocketAddr) -> io::Result<TcpStream>>;

    thread_local! {
        static CONNECT: RefCell<Option<Connect>> = const { RefCell::new(None) };
    }

    /// From now on, every client that is polled on this thread connects by this.
    pub fn connect_by(connect: impl FnMut(SocketAddr) -> io::Result<TcpStream> + 'static) {
        CONNECT.with_borrow_mut(|own| *own = Some(Box::new(connect)));
    }

    pub(super) fn connected(endpoint: SocketAddr) -> Option<io::Result<TcpStream>> {
        CONNECT.with_borrow_mut(|own| own.as_mut().map(|connect| connect(endpoint)))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_gives_up_on_a_backend_that_is_gone() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = tcp(Maker::Gateway, listener.local_addr().unwrap(), UNACKNOWLEDGED).await.unwrap();
        let socket = SockRef::from(&stream.stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        assert!(socket.keepalive().unwrap());
    }
}
