//! Connecting to one of several endpoints.

use std::net::SocketAddr;

use gateway_core::rule::Endpoint;
use tokio::net::TcpStream;

use crate::client::ConnectError;
use crate::connect;
use crate::serve::stream_options::StreamOptions;

/// The address of any of the endpoints; there is one.
pub(super) fn any(endpoints: &[Endpoint]) -> SocketAddr {
    endpoints[fastrand::usize(..endpoints.len())].address()
}

/// Connects to any of the endpoints, or to those after it if that one cannot be reached: nothing has been sent yet.
pub(super) async fn connect(
    endpoints: &[Endpoint],
    options: &StreamOptions,
) -> Result<TcpStream, ConnectError> {
    let start = fastrand::usize(..endpoints.len());
    let last = endpoints.len().min(options.connect_attempts.max(1) as usize) - 1;
    let mut attempt = 0;
    loop {
        let endpoint = endpoints[(start + attempt) % endpoints.len()].address();
        match connect::tcp(endpoint, options.connect_timeout).await {
            Err(error) if attempt < last => tracing::debug!(%endpoint, %error, "another endpoint is tried"),
            connected => return connected,
        }
        attempt += 1;
    }
}
