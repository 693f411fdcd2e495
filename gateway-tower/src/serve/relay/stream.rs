//! A connection that is passed on, from the decision to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway_core::name::ObjectName;
use gateway_core::table::{FrontendOwner, NoStream, Transport};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::endpoint;
use super::proxy_header::{ProxyHeader, ProxyHeaders};
use crate::body::BoxError;
use crate::connect::{Connector, Maker};
use crate::drain::{Member, Phase};
use crate::handle::TableHandle;
use crate::outcome::StreamEnd;
use crate::serve::destination::Destination;
use crate::serve::sockets::Accept;
use crate::serve::stream_options::StreamOptions;
use crate::serve::stream_record::{StreamObservers, StreamRecord};
use crate::tunnel::{Ended, Side, copy};

/// Passes on the connections of one socket.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Relay {
    pub(in crate::serve) gateway: ObjectName,
    pub(in crate::serve) port: u16,
    pub(in crate::serve) tables: TableHandle,
    pub(in crate::serve) options: StreamOptions,
    /// Makes connections to backends.
    pub(in crate::serve) connector: Arc<Connector>,
    /// The headers of the PROXY protocol that connections begin with; they begin with none without.
    pub(in crate::serve) proxy_headers: Option<ProxyHeaders>,
    /// Who is told of them.
    pub(in crate::serve) observers: StreamObservers,
}

/// The client's side of a connection.
pub(in crate::serve) trait Client: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The connection underneath.
    fn socket(&self) -> &TcpStream;
}

// === impl Relay ===

impl Accept for Relay {
    /// # Spec
    /// [TCR-03](gateway_core::spec#TCR-03), [TCR-06](gateway_core::spec#TCR-06), [TCR-07](gateway_core::spec#TCR-07).
    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        member: Member,
    ) -> impl Future<Output = ()> + Send + 'static {
        let relay = self.clone();
        async move {
            let start = Instant::now();
            let carried = async {
                let addresses = match &relay.proxy_headers {
                    Some(headers) => headers.read(&stream).await?,
                    None => None,
                };
                match relay.decide(relay.record(peer, addresses, start)) {
                    Ok(destination) => {
                        relay.carry(stream, &[], destination, addresses, &member).await?;
                    }
                    Err(no_stream) => reject(&stream, peer, None, &no_stream),
                }
                Ok::<(), BoxError>(())
            };
            let carried = tokio::select! {
                biased;
                () = member.reached(Phase::Closed) => Ok(()),
                carried = carried => carried,
            };
            if let Err(error) = carried {
                tracing::debug!(%peer, error = &*error, "a connection failed");
            }
        }
    }
}

impl Relay {
    /// Where a connection goes.
    ///
    /// # Spec
    /// BTP-21: what a TCPRoute is about is passed on as it comes.
    fn decide(&self, mut record: StreamRecord) -> Result<Destination, NoStream> {
        let table = self.tables.load();
        let owner = FrontendOwner::Gateway(&self.gateway);
        // Gone since the connection was accepted.
        let frontend = table.frontend(owner, Transport::Tcp, self.port).ok_or(NoStream::NoListener);
        let found = frontend.and_then(|frontend| {
            let matched = table.find_stream(frontend, None)?;
            record.matched(&table, matched);
            table.stream_backend(matched, fastrand::u64(..))
        });
        match found {
            Ok(backend) => {
                let backend = table.backend(backend);
                record.falls_to(backend);
                Ok(Destination {
                    endpoints: Arc::clone(&backend.endpoints),
                    tls: None,
                    maker: Maker::Gateway,
                    record,
                })
            }
            Err(why) => Err(record.refused(why, &table)),
        }
    }

    /// What is known of a connection that came at `start`.
    pub(in crate::serve) fn record(
        &self,
        peer: SocketAddr,
        addresses: Option<ProxyHeader>,
        start: Instant,
    ) -> StreamRecord {
        let peer = addresses.map_or(peer, |addresses| addresses.peer);
        StreamRecord::new(&self.observers, &self.gateway, (Transport::Tcp, self.port), peer, start)
    }

    /// Passes a connection [on](carry) until its end.
    ///
    /// # Errors
    /// When no endpoint can be reached, or one side is reset.
    pub(in crate::serve) async fn carry<C: Client>(
        &self,
        client: C,
        first: &[u8],
        destination: Destination,
        addresses: Option<ProxyHeader>,
        member: &Member,
    ) -> Result<(), BoxError> {
        carry(client, first, destination, addresses, (&self.options, &self.connector), member).await
    }
}

/// Passes a connection on until its end: `first` and then what comes goes to one of the endpoints, and what comes back to
/// the client. When one side is reset, so is the other.
///
/// # Errors
/// When no endpoint can be reached, or one side is reset.
pub(in crate::serve) async fn carry<C: Client>(
    client: C,
    first: &[u8],
    destination: Destination,
    addresses: Option<ProxyHeader>,
    how: (&StreamOptions, &Connector),
    member: &Member,
) -> Result<(), BoxError> {
    // The limits of requests are none of its.
    member.set_tunnel();
    tokio::select! {
        biased;
        () = member.reached(Phase::Closed) => Ok(()),
        passed = pass(client, first, destination, addresses, how) => passed,
    }
}

async fn pass<C: Client>(
    mut client: C,
    first: &[u8],
    mut destination: Destination,
    addresses: Option<ProxyHeader>,
    (options, connector): (&StreamOptions, &Connector),
) -> Result<(), BoxError> {
    let header = match options.proxy_header {
        Some(version) => {
            let socket = client.socket();
            let addresses = match addresses {
                Some(addresses) => addresses,
                None => ProxyHeader { peer: socket.peer_addr()?, local: socket.local_addr()? },
            };
            addresses.written(version)
        }
        None => Vec::new(),
    };
    let mut backend = match endpoint::connect(&mut destination, &header, connector, options).await {
        Ok(backend) => backend,
        Err(error) => {
            reset(client.socket());
            let error = Arc::new(error);
            destination.record.set_end(StreamEnd::Unreachable(Arc::clone(&error)));
            return Err(error.into());
        }
    };
    let Destination { mut record, .. } = destination;
    if let Err(error) = backend.write_all(first).await {
        record.set_end(StreamEnd::ResetByBackend);
        return Err(error.into());
    }
    record.passed().up = first.len() as u64;
    match copy(&mut client, &mut backend, options.tunnel, record.passed()).await {
        Ended::Closed(side) => record.set_end(match side {
            Side::Client => StreamEnd::ClosedByClient,
            Side::Backend => StreamEnd::ClosedByBackend,
        }),
        Ended::Quiet => {
            tracing::debug!("a connection was closed: nothing more was sent");
            record.set_end(StreamEnd::Idle);
        }
        Ended::Reset(side, error) => {
            reset(client.socket());
            reset(backend.socket());
            record.set_end(match side {
                Side::Client => StreamEnd::ResetByClient,
                Side::Backend => StreamEnd::ResetByBackend,
            });
            return Err(error.into());
        }
    }
    Ok(())
}

/// Rejects a connection.
///
/// # Spec
/// TLR-06, TLR-07, TCR-06.
pub(in crate::serve) fn reject(
    stream: &TcpStream,
    peer: SocketAddr,
    server_name: Option<&str>,
    why: &NoStream,
) {
    tracing::debug!(%peer, server_name, %why, "a connection is rejected");
    reset(stream);
}

/// Has the connection reset when it is dropped: what was sent is not taken for all there is.
pub(in crate::serve) fn reset(stream: &TcpStream) {
    // Fails only on a socket that is closed again.
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

// === impl Client ===

impl Client for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

#[cfg(feature = "tls")]
impl Client for Box<tokio_rustls::server::TlsStream<TcpStream>> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}
