//! One connection, from the moment it is accepted to its end.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use gateway_core::name::ObjectName;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::options::ServeOptions;
use super::preface::FirstBytes;
use super::service::{ConnectionService, PerConnection};
use super::stream::Stream;
use super::tls::Tls;
use crate::body::BoxError;
use crate::connection::Connection;
use crate::drain::{Member, Phase};

/// What all connections of one socket have in common.
#[derive(Clone, Debug)]
pub(super) struct Acceptance {
    pub(super) gateway: ObjectName,
    pub(super) port: u16,
    /// Where connections start with a handshake.
    pub(super) tls: Option<Tls>,
    pub(super) handshake_timeout: Duration,
    pub(super) protocols: Protocols,
}

/// How to speak the two versions of HTTP.
#[derive(Clone, Debug)]
pub(super) struct Protocols {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
}

// === impl Protocols ===

impl Protocols {
    pub(super) fn new(options: &ServeOptions) -> Self {
        let head = options.max_head_bytes.max(8 * 1024);
        let mut http1 = http1::Builder::new();
        http1
            // Timers of its own would cost each request; the sweep over all connections takes their place.
            .header_read_timeout(None)
            .max_header_size(head as usize)
            .max_buf_size(options.buffer_bytes.max(head as usize));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2.max_concurrent_streams(options.http2_streams).max_header_list_size(head);
        Self { http1, http2 }
    }
}

// === impl Acceptance ===

impl Acceptance {
    /// Serves a connection to its end.
    pub(super) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        member: Member,
        services: impl ConnectionService,
    ) {
        // Fails only on a socket that is closed again, which the first read will tell.
        let _ = stream.set_nodelay(true);
        let mut connection = Connection::new(self.gateway.clone(), self.port);
        connection.peer = Some(peer);
        connection.local = stream.local_addr().ok();
        let served = match &self.tls {
            Some(tls) => self.serve_secure(tls, stream, connection, &member, services).await,
            None => self.serve_plain(stream, connection, &member, services).await,
        };
        if let Err(error) = served {
            tracing::debug!(%peer, error = &*error, "a connection failed");
        }
    }

    async fn serve_plain(
        &self,
        mut stream: TcpStream,
        connection: Connection,
        member: &Member,
        services: impl ConnectionService,
    ) -> Result<(), BoxError> {
        let (first, http2) = tokio::select! {
            biased;
            // Nothing has come that would have to be finished.
            () = member.reached(Phase::Draining) => return Ok(()),
            read = FirstBytes::read(&mut stream) => read?,
        };
        self.speak(stream, first, http2, connection, member, services).await
    }

    async fn serve_secure(
        &self,
        tls: &Tls,
        stream: TcpStream,
        mut connection: Connection,
        member: &Member,
        services: impl ConnectionService,
    ) -> Result<(), BoxError> {
        let (stream, server_name) = tokio::select! {
            biased;
            () = member.reached(Phase::Closed) => return Ok(()),
            accepted = timeout(self.handshake_timeout, tls.accept(&self.gateway, self.port, stream)) => accepted??,
        };
        connection.secure = true;
        connection.server_name = server_name;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.speak(stream, FirstBytes::NONE, http2, connection, member, services).await
    }

    async fn speak<T>(
        &self,
        io: T,
        first: FirstBytes,
        http2: bool,
        connection: Connection,
        member: &Member,
        services: impl ConnectionService,
    ) -> Result<(), BoxError>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let service = PerConnection::new(services.for_connection(Arc::new(connection)), member.clone());
        let io = TokioIo::new(Stream::new(io, first, member.clone()));
        if http2 {
            member.set_multiplexed();
            let serving = self.protocols.http2.serve_connection(io, service);
            drive(serving, http2::Connection::graceful_shutdown, member).await
        } else {
            let serving = self.protocols.http1.serve_connection(io, service).with_upgrades();
            drive(serving, http1::UpgradeableConnection::graceful_shutdown, member).await
        }
    }
}

/// Polls a connection of hyper to its end, and tells it when it has to come to one.
///
/// The waker is registered once: this runs in one task from beginning to end.
async fn drive<C>(connection: C, shut_down: impl Fn(Pin<&mut C>), member: &Member) -> Result<(), BoxError>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = pin!(connection);
    let mut seen = None;
    poll_fn(|cx| {
        let mut phase = member.phase();
        if seen != Some(phase) {
            member.register(cx.waker());
            // It may have changed before there was a waker to wake.
            phase = member.phase();
            seen = Some(phase);
            match phase {
                Phase::Open => {}
                Phase::Draining => shut_down(connection.as_mut()),
                Phase::Closed => return Poll::Ready(Ok(())),
            }
        }
        connection.as_mut().poll(cx).map_err(Into::into)
    })
    .await
}
