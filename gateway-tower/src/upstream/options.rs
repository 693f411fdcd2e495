//! The limits of a client.

use std::time::Duration;

#[cfg(feature = "tls")]
use crate::client::BackendTlsOptions;
use crate::connect::Connector;
use crate::tunnel::TunnelOptions;

/// The limits of an [`Upstream`](super::Upstream).
#[derive(Clone, Debug)]
pub struct UpstreamOptions {
    /// What TLS is done with. Without it, nothing is sent to backends that are spoken to within TLS: their requests get 503.
    #[cfg(feature = "tls")]
    pub tls: Option<BackendTlsOptions>,
    /// The longest time to make a connection, with its TLS handshake; then the attempt counts as refused.
    pub connect_timeout: Duration,
    /// How long a connection is kept without a request; a quarter longer at most.
    pub idle_timeout: Duration,
    /// The most connections of HTTP/1.1 kept without a request, for each endpoint.
    pub max_idle_per_endpoint: usize,
    /// The largest piece of an answer over HTTP/1.1, and the largest head of one; at least 8 KiB are used. A client that does
    /// not read holds one piece, in a buffer that may be up to 32 KiB larger, and so does a connection that was busy and is
    /// kept. A client of HTTP/2, which holds two, and one that is still sending its request get pieces of 8 KiB.
    pub buffer_bytes: usize,
    /// The most header lines of an answer over HTTP/1.1. Up to 100 are read without memory of their own; with more, each answer
    /// takes 64 bytes for each line that it might have. No more than 16,384 are used.
    pub max_header_lines: usize,
    /// The most bytes in the head of an answer over HTTP/2, as RFC 9113 section 6.5.2 counts them; at least 8 KiB are used.
    pub max_head_bytes: u32,
    /// The most requests under way on a connection of HTTP/2, at least one; fewer where the backend allows no more. When all connections
    /// have that many, another is made.
    pub http2_streams: usize,
    /// The most connections of HTTP/2 to an endpoint, at least one. When all are [full](Self::http2_streams), requests wait for a place,
    /// each as long as for a [connection](Self::connect_timeout).
    pub http2_connections_per_endpoint: usize,
    /// The most bytes of an answer over HTTP/2 that its client has not read yet. A connection has room for as many of each of
    /// its [requests](Self::http2_streams), so that a client that does not read keeps no other from its answer. With a
    /// round trip to the backend of 1 ms, 44 KiB let 44 MiB/s of an answer through.
    pub http2_window: u32,
    /// How long a connection of HTTP/2 may be silent while answers are owed, until the backend is asked for a sign of life; 40 ms at least.
    /// It is asked again only after more of an answer has come, or five minutes: servers of gRPC allow no more. `None`
    /// asks never.
    pub http2_ping_after: Option<Duration>,
    /// How long a backend may take to give that sign; then the connection is closed, and its requests have failed.
    pub http2_ping_timeout: Duration,
    /// The limits of a [tunnel](crate::tunnel), into which an upgraded connection turns.
    pub tunnel: TunnelOptions,
}

// === impl UpstreamOptions ===

impl UpstreamOptions {
    /// What connections are made by.
    pub(super) fn connector(&self) -> Connector {
        #[cfg(feature = "tls")]
        return Connector::new(self.tls.clone());
        #[cfg(not(feature = "tls"))]
        Connector
    }
}

impl Default for UpstreamOptions {
    fn default() -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: None,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            max_idle_per_endpoint: 256,
            buffer_bytes: 48 * 1024,
            // More than other proxies take, and two blocks that every allocator has at hand.
            max_header_lines: 128,
            max_head_bytes: 64 * 1024,
            http2_streams: 100,
            http2_connections_per_endpoint: 100,
            http2_window: 44 * 1024,
            http2_ping_after: Some(Duration::from_secs(30)),
            http2_ping_timeout: Duration::from_secs(20),
            tunnel: TunnelOptions::default(),
        }
    }
}
