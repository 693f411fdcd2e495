//! A connection of a workload, from the moment it is accepted to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway_core::name::ObjectName;
use gateway_core::rule::Endpoint;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};
use tokio::net::TcpStream;

use super::client_room::ClientRoom;
use super::options::MeshOptions;
use super::original_destination::{OriginalDestination, redirected};
use crate::body::BoxError;
use crate::connect::{Connector, Maker, TakenFrom};
use crate::connection::Connection;
use crate::drain::{Member, Phase};
use crate::handle::TableHandle;
use crate::serve::destination::Destination;
use crate::serve::http::{ConnectionService, Protocols, Speaking, read_proxy_header};
use crate::serve::options::ServeOptions;
use crate::serve::relay::{ProxyHeaders, carry, reset};
use crate::serve::sockets::Accept;
use crate::serve::stream::FirstBytes;
use crate::serve::stream_options::StreamOptions;
use crate::serve::stream_record::StreamRecord;

/// The connections of one socket.
#[derive(Debug)]
pub(super) struct MeshConnections<M> {
    shared: Arc<Shared>,
    /// Makes the service of each that some Route is for.
    services: M,
}

#[derive(Debug)]
struct Shared {
    tables: TableHandle,
    mesh: MeshOptions,
    room: Arc<ClientRoom>,
    protocols: Protocols,
    /// How connections are passed on.
    streams: StreamOptions,
    connector: Connector,
    /// What connections begin with, where that tells where they were addressed to.
    proxy_headers: ProxyHeaders,
    /// Whether it was said that a connection was led here by nothing.
    said: AtomicBool,
}

/// A port of a Service as a client sees it.
#[derive(Debug, PartialEq, Eq)]
struct Dialled {
    service: ObjectName,
    client_namespace: Arc<str>,
    port: u16,
}

// === impl MeshConnections ===

impl<M> MeshConnections<M> {
    /// `room` is for the connections of all sockets.
    pub(super) fn new(
        tables: TableHandle,
        mesh: MeshOptions,
        room: Arc<ClientRoom>,
        options: &ServeOptions,
        services: M,
    ) -> Self {
        // That is for backends which know it; what is passed on here is as if there were nothing between.
        let streams = StreamOptions { proxy_header: None, ..options.streams };
        let (protocols, connector) = (Protocols::new(options), options.connector());
        let proxy_headers = ProxyHeaders::new(options.handshake_timeout);
        let said = AtomicBool::new(false);
        let shared = Shared { tables, mesh, room, protocols, streams, connector, proxy_headers, said };
        Self { shared: Arc::new(shared), services }
    }
}

impl<M: ConnectionService> Accept for MeshConnections<M> {
    const TAKEN_FROM: TakenFrom = TakenFrom::Workloads;

    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        member: Member,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (shared, services) = (Arc::clone(&self.shared), self.services.clone());
        async move {
            if let Err(error) = shared.serve(stream, peer, member, services).await {
                tracing::debug!(%peer, error = &*error, "a connection failed");
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    async fn serve(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        member: Member,
        services: impl ConnectionService,
    ) -> Result<(), BoxError> {
        let let_in = async {
            let (peer, addressed) = self.addresses(&stream, peer, &member).await?;
            member.hold(self.room.take(peer.ip())?);
            Ok((peer, addressed))
        };
        let (peer, addressed) = match let_in.await {
            Ok(addresses) => addresses,
            Err(error) => {
                reset(&stream);
                return Err(error);
            }
        };
        let Some(dialled) = self.dialled(peer, addressed) else {
            // MSH-08
            let endpoints = [Endpoint::new(addressed)].into();
            // It follows no Route.
            let record = StreamRecord::default();
            let to = Destination { endpoints, tls: None, maker: Maker::Workload, record };
            return carry(stream, &[], to, None, (&self.streams, &self.connector), &member).await;
        };
        let read = tokio::select! {
            biased;
            // Nothing has come that would have to be finished.
            () = member.reached(Phase::Draining) => return Ok(()),
            read = FirstBytes::read(&mut stream, &member) => read,
        };
        let (first, http2) = read?;
        let Dialled { service, client_namespace, port } = &dialled;
        let mut connection = Connection::in_mesh(service.clone(), Arc::clone(client_namespace), *port);
        connection.peer = Some(peer);
        connection.local = Some(addressed);
        let speaking = self.protocols.speak(stream, first, http2, connection, member.clone(), services);
        let still = || self.dialled(peer, addressed).as_ref() == Some(&dialled);
        self.until_decided_otherwise(speaking, still, &member).await
    }

    /// What was dialled, if some Route is for it now.
    fn dialled(&self, peer: SocketAddr, addressed: SocketAddr) -> Option<Dialled> {
        Dialled::new(&self.tables.load(), addressed, self.mesh.clients.namespace(peer.ip()))
    }

    /// The client, and where it connected to.
    async fn addresses(
        &self,
        stream: &TcpStream,
        peer: SocketAddr,
        member: &Member,
    ) -> Result<(SocketAddr, SocketAddr), BoxError> {
        let local = stream.local_addr()?;
        let (peer, addressed) = match &self.mesh.destination {
            OriginalDestination::Redirected => match redirected(stream) {
                Ok(addressed) => (peer, addressed),
                Err(error) => {
                    // Loudly once: in most cases nothing leads any connection here.
                    if !self.said.swap(true, Ordering::Relaxed) {
                        tracing::warn!(%peer, %local, %error, "connections to the mesh are reset");
                    }
                    return Err(error.into());
                }
            },
            OriginalDestination::ProxyHeader => {
                let header = read_proxy_header(stream, &self.proxy_headers, member).await?;
                let header = header.ok_or("the PROXY header names no addresses")?;
                (header.peer, header.local)
            }
            OriginalDestination::Resolver(resolver) => (peer, resolver.destination(peer, local)?),
        };
        let [peer, addressed] = [peer, addressed].map(of_its_own_family);
        if addressed == local {
            return Err("the connection was made to the mesh itself, which would pass it on to itself".into());
        }
        Ok((peer, addressed))
    }

    /// Carries a connection to its end, which is near once it is not `still` dialled what it dialled: no Route is for that any more, the
    /// address is another Service's, or the client is known to be of another namespace.
    ///
    /// # Spec
    /// MSH-02, MSH-05, MSH-08.
    async fn until_decided_otherwise(
        &self,
        mut speaking: Speaking,
        still: impl Fn() -> bool,
        member: &Member,
    ) -> Result<(), BoxError> {
        let mut tables = self.tables.subscribe();
        // What was stored since it was looked at counts too.
        tables.mark_changed();
        let otherwise = async {
            while tables.changed().await.is_ok() {
                if !still() {
                    return;
                }
            }
            // There will be no other table.
            std::future::pending().await
        };
        tokio::select! {
            biased;
            spoken = &mut speaking => return spoken,
            () = otherwise => member.advance(Phase::Draining),
        }
        speaking.await
    }
}

/// An address of IPv4 as one, where it is written in IPv6: so the table knows it.
fn of_its_own_family(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

// === impl Dialled ===

impl Dialled {
    /// What was dialled, if some Route is for it.
    ///
    /// # Spec
    /// MSH-01, MSH-02, MSH-05, MSH-06, MSH-08.
    fn new(table: &RouteTable, addressed: SocketAddr, client_namespace: Option<Arc<str>>) -> Option<Self> {
        let dialled = Self {
            service: table.service_at(addressed.ip())?.clone(),
            // No namespace is called so, and no Route is for it alone.
            client_namespace: client_namespace.unwrap_or_default(),
            port: addressed.port(),
        };
        let owner = FrontendOwner::ServiceFor(&dialled.service, &*dialled.client_namespace);
        table.frontend_for(owner, Transport::Tcp, dialled.port)?;
        Some(dialled)
    }
}
