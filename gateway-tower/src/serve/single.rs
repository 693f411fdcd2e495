//! One connection without the socket that would have accepted it.

use std::net::{Ipv4Addr, SocketAddr};
#[cfg(feature = "tls")]
use std::sync::Arc;

use gateway_core::name::ObjectName;
#[cfg(feature = "tls")]
use gateway_core::table::RouteTable;
use tokio::net::TcpStream;

use super::http::{Acceptance, ConnectionService, Http, Protocols};
use super::options::ServeOptions;
#[cfg(feature = "tls")]
use super::relay::Relay;
use super::sockets::Accept;
use crate::drain::Connections;
#[cfg(feature = "tls")]
use crate::handle::TableHandle;

/// Serves one connection without TLS to its end, as a [`Server`](super::Server) would that accepted it at this port. Limits of
/// time are not kept: that is the work of the server, over all its connections.
pub async fn serve_one(
    stream: TcpStream,
    (gateway, port): (ObjectName, u16),
    options: &ServeOptions,
    services: impl ConnectionService,
) {
    let acceptance = Acceptance {
        #[cfg(feature = "tls")]
        relay: Relay {
            gateway: gateway.clone(),
            port,
            tables: TableHandle::new(RouteTable::default()),
            options: options.streams,
            connector: Arc::new(options.connector()),
            proxy_headers: None,
            observers: Arc::clone(&options.stream_observers),
        },
        gateway,
        port,
        tls: None,
        proxy_headers: None,
        #[cfg(feature = "tls")]
        handshake_timeout: options.handshake_timeout,
        protocols: Protocols::new(options),
        #[cfg(feature = "tls")]
        observer: None,
    };
    let member = Connections::default().join(Vec::new());
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
    Http::new(acceptance, services).serve(stream, peer, member).await;
}
