//! The gateway of `gateway-tower` on sockets of the loopback interface, within this process.
//!
//! It is also the example of how a gateway with sockets becomes an engine: [`HttpProxy`] is all that had to be written. Layers of
//! one's own around or in the place of those of `gateway-tower` need not even that, but only a [`StackEngines`](super::stack).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gateway_core::api::AnyObject;
use gateway_core::infrastructure::GatewayService;
use gateway_core::name::ObjectName;
use gateway_core::table::{RouteTable, Transport};
use gateway_core::translate::{Translation, translate};
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{
    Addresses, ConnectionService, MeshOptions, MeshServer, NamespacesInTable, OriginalDestination,
    ServeOptions, Server, Sockets, TlsOptions,
};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use rustls::crypto::ring;

use super::{Abilities, CONTROLLER_NAME, ControlPlane, EngineError, Engines, Infrastructure, gateway_class};
use crate::backend::Backends;
use crate::case::{Case, ObjectRef, Way};
use crate::cluster::deployments;
use crate::store::Store;
use crate::wire::{ClusterNetwork, MeshWay, Proxy, Wire};

/// A copy of a request is sent when the request is; this is a hundred times what it needs.
const QUIET: Duration = Duration::from_millis(50);

/// Makes engines that are the whole gateway on sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpEngines;

/// A gateway of `gateway-tower`, and the objects that it serves.
///
/// Each port of each Gateway is bound to a free port of 127.0.0.1. In statuses every Gateway has an address of its own, as
/// it would have elsewhere; no socket listens there. Connections of workloads come in at a port of their own, with a header that says who
/// they are and where they go.
#[derive(Debug)]
pub struct HttpProxy {
    store: Store,
    addresses: super::Addresses,
    generation: u64,
    infrastructure: BTreeMap<ObjectName, GatewayService>,
    tables: TableHandle,
    server: Server,
    sockets: Sockets,
    mesh: MeshServer,
    network: ClusterNetwork,
}

// === impl HttpEngines ===

impl Engines for HttpEngines {
    type Engine = Wire<HttpProxy>;

    fn name(&self) -> &str {
        "http"
    }

    fn abilities(&self) -> Abilities {
        Abilities::of_the_core()
    }

    async fn start(&self, case: &Case) -> Result<Self::Engine, EngineError> {
        start(case, whole).await
    }
}

/// An engine whose connections are served by what `stack` makes of the tables.
pub(super) async fn start<S: ConnectionService>(
    case: &Case,
    stack: impl FnOnce(&TableHandle) -> S,
) -> Result<Wire<HttpProxy>, EngineError> {
    let backends = Backends::start(deployments(case)).await.map_err(EngineError::failed)?;
    let mut proxy = HttpProxy::serving(Store::new(backends.pods().to_vec()), stack).await;
    proxy.apply(vec![gateway_class(CONTROLLER_NAME)]).await?;
    Ok(Wire::new(proxy, backends))
}

/// The whole gateway.
fn whole(tables: &TableHandle) -> impl ConnectionService + use<> {
    let gateway = Gateway::new(tables.clone(), Upstream::new(options().1));
    move |connection: Arc<Connection>| gateway.clone().on(connection)
}

/// As a server that terminates TLS is started, and the client that speaks it with backends.
fn options() -> (ServeOptions, UpstreamOptions) {
    let provider = Arc::new(ring::default_provider());
    let tls = TlsOptions::new(Arc::clone(&provider)).expect("ring has all that TLS needs");
    let backend_tls = BackendTlsOptions::new(provider).expect("ring has all that TLS needs");
    let upstream = UpstreamOptions { tls: Some(backend_tls.clone()), ..UpstreamOptions::default() };
    (ServeOptions { tls: Some(tls), backend_tls: Some(backend_tls), ..ServeOptions::default() }, upstream)
}

// === impl HttpProxy ===

impl HttpProxy {
    /// A gateway that serves what will be in a store.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time.
    pub async fn new(store: Store) -> Self {
        Self::serving(store, whole).await
    }

    /// The same with the services that `stack` makes of the tables, in the place of the whole gateway.
    ///
    /// # Panics
    /// Outside of a tokio runtime with I/O and time.
    pub async fn serving<S: ConnectionService>(store: Store, stack: impl FnOnce(&TableHandle) -> S) -> Self {
        let tables = TableHandle::new(RouteTable::builder(0).build());
        let (options, _) = options();
        let services = stack(&tables);
        let server = Server::start(&tables, free_ports(), options.clone(), services.clone()).await;
        let server = server.expect("without listeners there is nothing to be bound");
        let mesh = MeshOptions {
            destination: OriginalDestination::ProxyHeader,
            clients: Arc::new(NamespacesInTable(tables.clone())),
            max_connections_of_client: usize::MAX,
        };
        let entrance = (Ipv4Addr::LOCALHOST, 0).into();
        let mesh = MeshServer::start(&tables, &[entrance], options, mesh, services);
        let mesh = mesh.expect("there is a free port");
        let (addresses, sockets) = (super::Addresses::default(), Sockets::default());
        let network = ClusterNetwork::default();
        let infrastructure = BTreeMap::new();
        Self { store, addresses, generation: 0, infrastructure, tables, server, sockets, mesh, network }
    }

    /// Serves what is stored now.
    async fn update(&mut self) {
        self.addresses.assign(self.store.resources().gateways.keys());
        self.network.follow(self.store.resources());
        self.generation += 1;
        let options = super::options(&self.addresses, self.generation);
        let translation = translate(self.store.resources(), &options);
        let Translation { table, statuses, infrastructure, .. } = translation;
        self.infrastructure = infrastructure;
        let stored = self.tables.store(table);
        self.store.write(&statuses, &options.controller_name);
        self.sockets = self.server.reached(stored).await;
    }
}

impl ControlPlane for HttpProxy {
    async fn apply(&mut self, mut objects: Vec<AnyObject>) -> Result<(), EngineError> {
        objects.iter_mut().for_each(|object| self.network.give_address(object));
        self.store.apply(objects);
        self.update().await;
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        if !self.store.delete(object) {
            return Err(EngineError::failed(format!("there is no {object} that could be deleted")));
        }
        self.update().await;
        Ok(())
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        Ok(self.store.get(object.kind, &object.key))
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        Ok(self.infrastructure.get(gateway).map(Infrastructure::from).into_iter().collect())
    }
}

impl Proxy for HttpProxy {
    async fn address(
        &self,
        gateway: &ObjectName,
        transport: Transport,
        port: u16,
    ) -> Result<Option<SocketAddr>, EngineError> {
        Ok(self.sockets.address_for(transport, gateway, port))
    }

    async fn mesh(&mut self, way: &Way) -> Result<Option<MeshWay>, EngineError> {
        self.network.way(way, self.store.pods(), self.mesh.addresses()[0]).await.map(Some)
    }

    fn quiet(&self) -> Duration {
        QUIET
    }
}

/// Every port of every Gateway on a free port of 127.0.0.1.
fn free_ports() -> Addresses {
    static FREE: LazyLock<Addresses> = LazyLock::new(|| {
        let mut addresses = Addresses::all_on(Ipv4Addr::LOCALHOST.into());
        addresses.assigned = false;
        // All of them: which ones a case will come to use is not known when the server starts.
        addresses.ports = (0..=u16::MAX).map(|port| (port, 0)).collect();
        addresses
    });
    FREE.clone()
}
