//! The limits of a client.

use std::time::Duration;

/// The limits of an [`Upstream`](super::Upstream).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamOptions {
    /// The longest time to make a connection; then the attempt counts as refused.
    pub connect_timeout: Duration,
    /// How long a connection is kept without a request; a quarter longer at most.
    pub idle_timeout: Duration,
    /// The most connections of HTTP/1.1 kept without a request, for each endpoint.
    pub max_idle_per_endpoint: usize,
    /// The most bytes read ahead of the client on a connection of HTTP/1.1, and the largest head of an answer; at least 8 KiB
    /// are used. A client that does not read holds as much three times: once that the server has taken over, and once or
    /// twice on the way there.
    pub buffer_bytes: usize,
    /// The requests under way on a connection of HTTP/2 at which another connection is made.
    pub http2_streams: usize,
    /// The most connections of HTTP/2 to an endpoint. When all are [full](Self::http2_streams), requests are spread evenly
    /// and wait for the backend to take them.
    pub http2_connections_per_endpoint: usize,
    /// How long a tunnel, into which an upgraded connection turns, may go without a byte in either direction. `None` is
    /// no limit.
    pub tunnel_idle: Option<Duration>,
}

// === impl UpstreamOptions ===

impl Default for UpstreamOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(60),
            max_idle_per_endpoint: 256,
            buffer_bytes: 24 * 1024,
            http2_streams: 100,
            http2_connections_per_endpoint: 8,
            tunnel_idle: Some(Duration::from_secs(60 * 60)),
        }
    }
}
