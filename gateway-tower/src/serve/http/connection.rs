//! One connection, from the moment it is accepted to its end.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
#[cfg(feature = "tls")]
use std::time::{Duration, Instant};

use gateway_core::name::ObjectName;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio::time::timeout;

use super::service::{ConnectionService, PerConnection};
use super::stream_clock::Streams;
use super::turn_clock::TurnClock;
use crate::body::BoxError;
use crate::connect::Blocks;
use crate::connection::Connection;
use crate::drain::{Member, Phase};
#[cfg(feature = "tls")]
use crate::observe::{Handshake, ObserveConnections};
use crate::serve::options::ServeOptions;
use crate::serve::relay::{ProxyHeader, ProxyHeaders};
#[cfg(feature = "tls")]
use crate::serve::relay::{Relay, reject};
use crate::serve::sockets::Accept;
#[cfg(feature = "tls")]
use crate::serve::stream::{Accepted, HandshakeError, Secure};
use crate::serve::stream::{FirstBytes, Stream, Tls};
use crate::span::{FOREVER, MOMENT};

/// The smallest window of HTTP/2: as much as a client sends that has not heard of another yet. Of a smaller one it would have sent so much
/// more that a request which its backend does not take keeps all others on the connection waiting.
///
/// # Spec
/// RFC 9113 sections 6.5.2 and 6.9.2.
const SMALLEST_WINDOW: u32 = (1 << 16) - 1;

/// The largest window of HTTP/2.
///
/// # Spec
/// RFC 9113 section 6.9.1.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// The least that may wait to be written over HTTP/2. Smaller frames make a client end the connection that has not read a hundred of them.
const SMALLEST_BUFFER: usize = 1024;

/// HTTP on the connections of one socket.
#[derive(Debug)]
pub(in crate::serve) struct Http<M> {
    shared: Arc<Acceptance>,
    /// Makes the service of each.
    services: M,
}

/// What all connections of one socket have in common.
#[derive(Debug)]
pub(in crate::serve) struct Acceptance {
    pub(in crate::serve) gateway: ObjectName,
    pub(in crate::serve) port: u16,
    /// Where connections start with a handshake.
    pub(in crate::serve) tls: Option<Tls>,
    /// Passes on what is not for requests, where listeners for both share the port.
    #[cfg(feature = "tls")]
    pub(in crate::serve) relay: Relay,
    /// The headers of the PROXY protocol that connections begin with; they begin with none without.
    pub(in crate::serve) proxy_headers: Option<ProxyHeaders>,
    #[cfg(feature = "tls")]
    pub(in crate::serve) handshake_timeout: Duration,
    pub(in crate::serve) protocols: Protocols,
    /// Who is told of handshakes.
    #[cfg(feature = "tls")]
    pub(in crate::serve) observer: Option<Arc<dyn ObserveConnections>>,
}

/// How to speak the two versions of HTTP.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Protocols {
    http1: http1::Builder,
    options: Arc<ServeOptions>,
}

/// A connection that speaks one of them, to its end.
pub(in crate::serve) type Speaking = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

pin_project! {
    /// Polls a connection of hyper to its end, and tells it when it has to come to one.
    ///
    /// The waker is registered once: this runs in one task from beginning to end. Written out, since an `async fn` would
    /// keep the connection twice.
    struct Driven<C> {
        #[pin]
        connection: C,
        // The phase from which on it takes no more requests, and how it is told.
        last: Phase,
        shut_down: fn(Pin<&mut C>),
        member: Member,
        seen: Option<Phase>,
    }
}

pin_project! {
    /// A connection of HTTP/2, and sending what it has written each time it was polled.
    struct Sending<C, T> {
        #[pin]
        connection: C,
        stream: Blocks<T>,
        clock: TurnClock,
    }
}

// === impl Protocols ===

impl Protocols {
    pub(in crate::serve) fn new(options: &ServeOptions) -> Self {
        let head = head_limit(options);
        let mut http1 = http1::Builder::new();
        http1
            // Timers of its own would cost each request; the sweep over all connections takes their place.
            .header_read_timeout(None)
            .max_header_size(head as usize)
            .max_buf_size(options.buffer_bytes.max(head as usize));
        Self { http1, options: Arc::new(options.clone()) }
    }

    /// How to speak HTTP/2 on one connection.
    fn http2(&self, streams: Streams, clock: TurnClock) -> http2::Builder<Streams> {
        let options = &self.options;
        let window = options.http2_window.clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        let most = options.http2_streams.max(1);
        let mut http2 = http2::Builder::new(streams);
        http2
            .timer(clock)
            .max_concurrent_streams(most)
            .initial_stream_window_size(window)
            // A backend that does not take a request must not keep others from theirs.
            .initial_connection_window_size(window.saturating_mul(most).min(LARGEST_WINDOW))
            .max_send_buf_size(options.http2_buffer_bytes.clamp(SMALLEST_BUFFER, LARGEST_WINDOW as usize))
            .max_header_list_size(head_limit(options))
            .keep_alive_interval(options.http2_ping_after.map(|after| after.clamp(MOMENT, FOREVER)))
            .keep_alive_timeout(options.http2_ping_timeout.min(FOREVER));
        http2
    }

    /// Speaks HTTP on a stream to its end; `first` was read of it, which told the version.
    pub(in crate::serve) fn speak<T>(
        &self,
        io: T,
        first: FirstBytes,
        http2: bool,
        mut connection: Connection,
        member: Member,
        services: impl ConnectionService,
    ) -> Speaking
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let io = Stream::new(io, first, member.clone(), connection.secure, http2);
        connection.multiplexed = http2;
        let secure = connection.secure;
        let service = services.for_connection(Arc::new(connection));
        if http2 {
            member.set_multiplexed();
            let streams = Streams::new(self.options.stall_timeout);
            let service = PerConnection::new(service, member.clone(), Some(streams));
            let (stream, clock) = (Blocks::new(io, secure), TurnClock::new());
            let http2 = self.http2(streams, clock.clone());
            let connection = http2.serve_connection(TokioIo::new(stream.clone()), service);
            let serving = Sending { connection, stream, clock };
            // Its client is told which requests are still served, so that it can go elsewhere at any time.
            let shut_down = |serving: Pin<&mut Sending<_, _>>| {
                http2::Connection::graceful_shutdown(serving.project().connection);
            };
            Box::pin(Driven::new(serving, Phase::WindingDown, shut_down, member))
        } else {
            let service = PerConnection::new(service, member.clone(), None);
            let serving = self.http1.serve_connection(TokioIo::new(io), service).with_upgrades();
            let shut_down = http1::UpgradeableConnection::graceful_shutdown;
            Box::pin(Driven::new(serving, Phase::Draining, shut_down, member))
        }
    }
}

fn head_limit(options: &ServeOptions) -> u32 {
    options.max_head_bytes.max(8 * 1024)
}

// === impl Http ===

impl<M> Http<M> {
    pub(in crate::serve) fn new(acceptance: Acceptance, services: M) -> Self {
        Self { shared: Arc::new(acceptance), services }
    }
}

impl<M: ConnectionService> Accept for Http<M> {
    /// The task of a connection is as large as all that it ever waits for, and there is one for each connection: what only
    /// some wait for, a handshake or HTTP/2, and what begins with the first bytes, is in a box of its own. A block rather
    /// than an `async fn`, which would keep its arguments twice.
    fn serve(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        member: Member,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (shared, services) = (Arc::clone(&self.shared), self.services.clone());
        async move {
            let addresses = match &shared.proxy_headers {
                None => None,
                Some(headers) => match Box::pin(read_proxy_header(&stream, headers, &member)).await {
                    Ok(addresses) => addresses,
                    Err(error) => return tracing::debug!(%peer, error = &*error, "a connection failed"),
                },
            };
            let speaking = match &shared.tls {
                None => {
                    let read = tokio::select! {
                        biased;
                        // Nothing has come that would have to be finished.
                        () = member.reached(Phase::Draining) => return,
                        read = FirstBytes::read(&mut stream, &member) => read,
                    };
                    read.map_err(Into::into).map(|(first, http2)| {
                        let connection = shared.connection(&stream, peer, addresses);
                        Some(shared.protocols.speak(stream, first, http2, connection, member, services))
                    })
                }
                #[cfg(feature = "tls")]
                Some(tls) => Box::pin(shared.secure(tls, stream, (peer, addresses), member, services)).await,
                #[cfg(not(feature = "tls"))]
                Some(tls) => match *tls {},
            };
            let served = match speaking {
                Ok(Some(speaking)) => speaking.await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = served {
                tracing::debug!(%peer, error = &*error, "a connection failed");
            }
        }
    }
}

// === impl Acceptance ===

impl Acceptance {
    /// A connection that begins with a handshake; `None` if it need not be served any more.
    #[cfg(feature = "tls")]
    async fn secure(
        &self,
        tls: &Tls,
        stream: TcpStream,
        (peer, addresses): (SocketAddr, Option<ProxyHeader>),
        member: Member,
        services: impl ConnectionService,
    ) -> Result<Option<Speaking>, BoxError> {
        let longest = self.relay.options.max_client_hello_bytes;
        let start = Instant::now();
        let record = || self.relay.record(peer, addresses, start);
        let accepting = tls.accept(&self.gateway, self.port, longest, stream, record);
        let accepted = tokio::select! {
            biased;
            () = member.reached(Phase::Closed) => return Ok(None),
            accepted = timeout(self.handshake_timeout, accepting) => accepted,
        };
        let handshake = match &accepted {
            Ok(Ok(Accepted::Requests { .. } | Accepted::Terminated(..))) => Some(Handshake::Completed),
            // That is between the client and the backend.
            Ok(Ok(Accepted::Passed(..))) => None,
            Ok(Ok(Accepted::Rejected { .. }) | Err(HandshakeError::NoListener { .. })) => {
                Some(Handshake::NoListener)
            }
            Ok(Err(HandshakeError::Failed(_))) => Some(Handshake::Failed),
            Err(_) => Some(Handshake::TimedOut),
        };
        if let (Some(observer), Some(handshake)) = (&self.observer, handshake) {
            observer.handshake(handshake);
        }
        let relay = self.relay.clone();
        let (stream, server_name) = match accepted?? {
            Accepted::Requests { stream, server_name } => (stream, server_name),
            Accepted::Terminated(stream, destination) => {
                return Ok(Some(Box::pin(async move {
                    relay.carry(stream, &[], destination, addresses, &member).await
                })));
            }
            Accepted::Passed(stream, first, destination) => {
                return Ok(Some(Box::pin(async move {
                    relay.carry(stream, &first, destination, addresses, &member).await
                })));
            }
            Accepted::Rejected { stream, server_name, why } => {
                reject(&stream, peer, server_name.as_deref(), &why);
                return Ok(None);
            }
        };
        let mut connection = self.connection(stream.get_ref().0, peer, addresses);
        connection.secure = true;
        connection.server_name = server_name;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = Secure::new(stream);
        Ok(Some(self.protocols.speak(stream, FirstBytes::default(), http2, connection, member, services)))
    }

    fn connection(&self, stream: &TcpStream, peer: SocketAddr, addresses: Option<ProxyHeader>) -> Connection {
        let mut connection = Connection::new(self.gateway.clone(), self.port);
        connection.peer = Some(addresses.map_or(peer, |addresses| addresses.peer));
        connection.local = match addresses {
            Some(addresses) => Some(addresses.local),
            None => stream.local_addr().ok(),
        };
        connection
    }
}

/// Reads the header of the PROXY protocol, unless the connection is to be closed before.
pub(in crate::serve) async fn read_proxy_header(
    stream: &TcpStream,
    headers: &ProxyHeaders,
    member: &Member,
) -> Result<Option<ProxyHeader>, BoxError> {
    tokio::select! {
        biased;
        () = member.reached(Phase::Draining) => Err("the listener goes".into()),
        read = headers.read(stream) => read,
    }
}

// === impl Driven ===

impl<C> Driven<C> {
    fn new(connection: C, last: Phase, shut_down: fn(Pin<&mut C>), member: Member) -> Self {
        Self { connection, last, shut_down, member, seen: None }
    }
}

impl<C> Future for Driven<C>
where
    C: Future<Output = hyper::Result<()>>,
{
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut phase = this.member.phase();
        if *this.seen != Some(phase) {
            this.member.register(cx.waker());
            // It may have changed before there was a waker to wake.
            phase = this.member.phase();
            *this.seen = Some(phase);
            match phase {
                Phase::Closed => return Poll::Ready(Ok(())),
                phase if phase >= *this.last => (this.shut_down)(this.connection.as_mut()),
                Phase::Open | Phase::WindingDown | Phase::Draining => {}
            }
        }
        this.member.turn().poll(cx, |cx| this.connection.poll(cx)).map_err(Into::into)
    }
}

// === impl Sending ===

impl<C: Future, T: AsyncWrite + Unpin> Future for Sending<C, T> {
    type Output = C::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let this = self.project();
        this.clock.begin_turn();
        let ended = this.connection.poll(cx);
        this.stream.poll_send(cx);
        ended
    }
}
