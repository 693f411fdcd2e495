//! The limits of a server.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "tls")]
use super::stream::TlsOptions;
use super::stream_options::{DatagramOptions, StreamOptions};
use super::stream_record::StreamObservers;
#[cfg(feature = "tls")]
use crate::client::BackendTlsOptions;
use crate::connect::Connector;
use crate::drain::Patience;
use crate::observe::{ObserveSockets, ObserveStreams};

/// The limits of a [`Server`](super::Server).
///
/// A request has at most 100 header lines over HTTP/1.1; more get 431. The reason for this number is that hyper keeps so
/// many without allocating.
///
/// Limits of time are looked at once a second. One that is zero ends what is quiet for that long; the longest, [`Duration::MAX`], is none.
///
/// # What an idle connection holds
/// Measured with jemalloc, in memory that is in use: 1.3 KiB before its first request. After one it is 8.7 KiB over HTTP/1.1, and 27 KiB over
/// HTTP/2 (14 before): the h2 library makes buffers of 16 KiB for what is written, 8 KiB for what is read and 4 KiB for what is decoded as
/// soon as a connection begins, keeps them to its end, and has no option for them. Where many clients of HTTP/2 are quiet,
/// a lower [`idle_timeout`](Self::idle_timeout) helps.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// What TLS is done with. Without it, ports on which connections begin with TLS are not bound, and
    /// [`Sockets`](super::Sockets) says so.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsOptions>,
    /// What TLS with the backends of streams is done with that are terminated here. Without it, those whose backend is spoken to
    /// within TLS are reset.
    #[cfg(feature = "tls")]
    pub backend_tls: Option<BackendTlsOptions>,
    /// The most connections on one socket, tunnels included. Those that come then wait in the backlog.
    pub max_connections: usize,
    /// The most connections and flows of datagrams on all sockets together, half of which may be flows: it takes no client to begin
    /// one, only a datagram under any address. Each takes a file descriptor, and so does one to a backend: well below what the
    /// process may open, or clients that do nothing keep the others from every backend.
    pub max_connections_in_all: usize,
    /// The most sockets that are bound; those of other ports are told as [not bound](super::Sockets). Each takes a file descriptor,
    /// and a tenant who may write Gateways can ask for any number: a namespace has no more of them than it leaves to others.
    pub max_sockets: usize,
    /// The connections that the kernel keeps waiting.
    pub backlog: u32,
    /// Whether other processes may bind the same port, and the kernel spreads connections among them.
    pub reuse_port: bool,
    /// From the first byte to the last of a TLS handshake, or of its ClientHello where TLS is passed through.
    pub handshake_timeout: Duration,
    /// Whether every connection has to begin with a header of the PROXY protocol, of either version, which says who the client
    /// is: another proxy stands before the gateway. Every client that can connect is believed, so that nothing else may be able to. The
    /// time for it is that of a [handshake](Self::handshake_timeout). Datagrams have none.
    pub accept_proxy_header: bool,
    /// The limits of connections that are passed on as they come.
    pub streams: StreamOptions,
    /// The limits of datagrams.
    pub datagrams: DatagramOptions,
    /// From the first byte of a request of HTTP/1.1 to the end of its head; over HTTP/2, which a handshake or the first bytes have
    /// told, to the end of the settings that a client has to send before anything else. `None` is no limit.
    pub head_timeout: Option<Duration>,
    /// How long a connection is kept without a request. Longer than what stands before the gateway keeps its own, or
    /// that one's requests run into connections that are just being closed. `None` is no limit.
    pub idle_timeout: Option<Duration>,
    /// How long a request may go on without a byte from or to the client. Over HTTP/2 it counts for each request, and only
    /// while it is the client's turn: to send more of the request, until the answer begins, or to take more of the answer.
    /// What it takes counts by pieces of up to 16 KiB there.
    /// `None` is no limit.
    pub stall_timeout: Option<Duration>,
    /// How long a client that has closed its side of a connection of HTTP/1.1 is waited for without a byte going to it: it may
    /// wait for its answer, or be gone.
    pub half_close_timeout: Duration,
    /// How long the connections of a port that is gone from the table have to finish.
    pub drain_timeout: Duration,
    /// The most bytes in the head of a request: over HTTP/1.1 as sent, over HTTP/2 as RFC 9113 section 6.5.2 counts them; at least 8 KiB
    /// are used.
    pub max_head_bytes: u32,
    /// The most bytes read ahead or not yet written on a connection of HTTP/1.1; at least the largest head is used. This and
    /// the buffers of the client behind are what a connection holds whose client does not read.
    pub buffer_bytes: usize,
    /// The most requests under way on a connection of HTTP/2; at least one.
    pub http2_streams: u32,
    /// The most bytes of a request over HTTP/2 that its backend has not taken yet. A connection has room for as many of each
    /// of its [requests](Self::http2_streams), so that a backend that does not read keeps no other request waiting. With a
    /// round trip to the client of 20 ms, 64 KiB let 3 MiB/s of an upload through. At least 65,535 are used, which a client sends that has
    /// not heard of another window yet.
    pub http2_window: u32,
    /// The bytes of an answer over HTTP/2 that wait to be written at which no more is taken from its backend; at least 1 KiB is used.
    pub http2_buffer_bytes: usize,
    /// How long a client of HTTP/2 may be silent until it is asked for a sign of life, 10 ms at least. `None` asks never; then a connection
    /// on which nothing moves for the [stall timeout](Self::stall_timeout) is closed.
    pub http2_ping_after: Option<Duration>,
    /// How long a client may take to give that sign; then the connection is closed.
    pub http2_ping_timeout: Duration,
    /// Who is told of connections and handshakes, for metrics.
    pub observer: Option<Arc<dyn ObserveSockets>>,
    /// Who is told of connections that are passed on as they come, and of flows of datagrams, for metrics and an access log.
    pub stream_observers: Arc<[Arc<dyn ObserveStreams>]>,
}

// === impl ServeOptions ===

impl ServeOptions {
    /// What connections to the backends of streams are made by.
    pub(super) fn connector(&self) -> Connector {
        #[cfg(feature = "tls")]
        return Connector::new(self.backend_tls.clone());
        #[cfg(not(feature = "tls"))]
        Connector
    }

    pub(super) fn patience(&self) -> Patience {
        Patience {
            idle: self.idle_timeout,
            head: self.head_timeout,
            stalled: self.stall_timeout,
            half_closed: self.half_close_timeout,
        }
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "tls")]
            backend_tls: None,
            max_connections: 65_536,
            max_connections_in_all: usize::MAX,
            max_sockets: usize::MAX,
            backlog: 1_024,
            reuse_port: false,
            handshake_timeout: Duration::from_secs(10),
            accept_proxy_header: false,
            streams: StreamOptions::default(),
            datagrams: DatagramOptions::default(),
            head_timeout: Some(Duration::from_secs(15)),
            idle_timeout: Some(Duration::from_secs(75)),
            stall_timeout: Some(Duration::from_secs(5 * 60)),
            half_close_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(30),
            max_head_bytes: 64 * 1024,
            buffer_bytes: 64 * 1024,
            http2_streams: 128,
            http2_window: 64 * 1024,
            http2_buffer_bytes: 16 * 1024,
            http2_ping_after: Some(Duration::from_secs(60)),
            http2_ping_timeout: Duration::from_secs(20),
            observer: None,
            stream_observers: StreamObservers::default(),
        }
    }
}
