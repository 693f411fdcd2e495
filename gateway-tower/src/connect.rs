//! Connecting to an endpoint.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connect_error::ConnectError;

/// After this time without a byte the kernel asks whether the other end is still there, so that a connection to a Pod that
/// went without a word does not stay open for ever.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// The time between two such questions; the connection is gone after [`KEEPALIVE_PROBES`] without an answer.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// See [`KEEPALIVE_EVERY`].
const KEEPALIVE_PROBES: u32 = 3;

/// A connection to `endpoint`, made within `limit`. Small writes are sent at once.
pub(crate) async fn tcp(endpoint: SocketAddr, limit: Duration) -> Result<TcpStream, ConnectError> {
    let connected = timeout(limit, TcpStream::connect(endpoint)).await;
    let stream = connected
        .unwrap_or_else(|_| {
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}")))
        })
        .map_err(|error| ConnectError { endpoint, cause: error.into() })?;
    // Neither can fail on a connected socket but for one that is closed again, which the first write will tell.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_PROBES);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    Ok(stream)
}
