//! Connecting to one of several endpoints.

use std::net::SocketAddr;

use gateway_core::rule::Endpoint;
use tokio::io::AsyncWriteExt;

use crate::client::ConnectError;
use crate::connect::{self, Application, BackendIo, Connector, Maker, Peer};
use crate::serve::destination::Destination;
use crate::serve::stream_options::StreamOptions;
use crate::span;

/// The address of any of the endpoints; there is one.
pub(super) fn any(endpoints: &[Endpoint]) -> SocketAddr {
    endpoints[fastrand::usize(..endpoints.len())].address()
}

/// Connects to any of the endpoints, or to those after it if that one cannot be reached: nothing of the client's has been sent
/// yet. What goes before everything else, TLS included, is `header`.
pub(super) async fn connect(
    destination: &mut Destination,
    header: &[u8],
    connector: &Connector,
    options: &StreamOptions,
) -> Result<BackendIo, ConnectError> {
    let Destination { endpoints, tls, maker, record } = destination;
    let start = fastrand::usize(..endpoints.len());
    let last = endpoints.len().min(options.connect_attempts.max(1) as usize) - 1;
    let mut attempt = 0;
    loop {
        let address = endpoints[(start + attempt) % endpoints.len()].address();
        record.tries(address);
        let peer = Peer { address, tls: tls.clone() };
        match reach(*maker, &peer, header, connector, options).await {
            Err(error) if attempt < last => tracing::debug!(%address, %error, "another endpoint is tried"),
            connected => return connected,
        }
        attempt += 1;
    }
}

async fn reach(
    maker: Maker,
    peer: &Peer,
    header: &[u8],
    connector: &Connector,
    options: &StreamOptions,
) -> Result<BackendIo, ConnectError> {
    let deadline = span::from_now(options.connect_timeout);
    let mut connected = connect::tcp(maker, peer.address, options.connect_timeout).await?;
    let failed = |error: std::io::Error| ConnectError { endpoint: peer.address, cause: error.into() };
    connected.stream.write_all(header).await.map_err(failed)?;
    connector.secure(peer, Application::Stream, deadline, connected).await
}
