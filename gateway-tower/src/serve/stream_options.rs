//! The limits of streams and datagrams that are passed on as they come.

use std::time::Duration;

use crate::tunnel::TunnelOptions;

/// The limits of connections that TLSRoutes and TCPRoutes are about.
///
/// A connection holds up to 32 KiB in each direction that the other side does not take, and nothing while it is quiet; one
/// whose TLS is terminated here holds up to 48 KiB more within TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// How long a connection to an endpoint may take to be made. If it fails, others of the backend are tried.
    pub connect_timeout: Duration,
    /// How many endpoints are tried for a connection, at least one.
    pub connect_attempts: u32,
    /// How long a connection may be quiet. One whose client has closed its side waits for what the backend still has to say,
    /// and a query may take longer than that of a WebSocket.
    pub tunnel: TunnelOptions,
    /// The most bytes in which a ClientHello has to be complete, however it is divided: those of browsers with post-quantum keys and
    /// resumed sessions have 2 to 4 KiB. The time for it is that of a [handshake](super::ServeOptions::handshake_timeout).
    pub max_client_hello_bytes: usize,
    /// The header of the PROXY protocol that connections to backends begin with; none without. Every backend of TLSRoutes and
    /// TCPRoutes must understand it then.
    pub proxy_header: Option<ProxyHeaderVersion>,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeaderVersion {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// The limits of datagrams.
///
/// What a client sends from one port is a flow: it goes to one endpoint, from a port of the gateway's own, and what comes from
/// there goes back. A flow takes a file descriptor and about 2 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramOptions {
    /// How long a flow lasts without a datagram in either direction.
    pub idle_timeout: Duration,
    /// The most flows on one socket. When there are as many, a new one takes the place of the oldest whose client has never
    /// answered an answer, as none does that sends under addresses of others; without such, it is dropped. It is the same when all
    /// sockets have as many as [they may have together](super::ServeOptions::max_connections_in_all).
    pub max_flows: usize,
    /// The most flows of one address on one socket, of a /64 with IPv6.
    pub max_flows_per_client: usize,
    /// How long a flow whose socket is given up waits for an answer that is due.
    pub drain_timeout: Duration,
}

// === impl StreamOptions ===

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            connect_attempts: 3,
            tunnel: TunnelOptions { half_close_timeout: Duration::from_secs(60), ..TunnelOptions::default() },
            max_client_hello_bytes: 32 * 1024,
            proxy_header: None,
        }
    }
}

// === impl DatagramOptions ===

impl Default for DatagramOptions {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(60),
            max_flows: 16 * 1024,
            max_flows_per_client: 1024,
            drain_timeout: Duration::from_secs(1),
        }
    }
}
