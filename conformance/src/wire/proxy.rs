//! A gateway with sockets, as an engine.

use std::net::SocketAddr;
use std::time::Duration;

use gateway_core::api::{AnyObject, Kind};
use gateway_core::name::ObjectName;
use gateway_core::table::Transport;

use crate::backend::Backends;
use crate::case::{ObjectRef, Target, Way};
use crate::engine::{ControlPlane, Engine, EngineError, Infrastructure};
use crate::exchange::{Answer, Exchange, Failure};
use crate::wire::{MeshWay, TIME_LIMIT, limited, mesh};

/// A [`ControlPlane`] whose gateway listens on sockets: all that differs from one to another.
///
/// An embedder implements both, and [`Engines`](crate::engine::Engines) with `type Engine = Wire<MyProxy>`: its `start`
/// runs the [`Backends`] of the case, puts the endpoints of their pods where the gateway looks for them (a
/// [`Store`](crate::store::Store) makes EndpointSlices of them), starts the gateway, and hands both to [`Wire::new`].
/// [`engine::http`](crate::engine::http) is a complete example.
///
/// The functions of the control plane that change something return when the gateway has taken notice of it if its
/// [pace](crate::engine::Pace) is `Immediate`, and may return before that otherwise.
pub trait Proxy: ControlPlane {
    /// Where this port of a Gateway is bound for what comes by this transport; nothing if it is not bound.
    fn address(
        &self,
        gateway: &ObjectName,
        transport: Transport,
        port: u16,
    ) -> impl Future<Output = Result<Option<SocketAddr>, EngineError>> + Send;

    /// The way of a connection from a workload to a Service or a pod; nothing if the gateway carries out no mesh. A
    /// [`ClusterNetwork`](super::ClusterNetwork) makes one.
    fn mesh(&mut self, _way: &Way) -> impl Future<Output = Result<Option<MeshWay>, EngineError>> + Send {
        async { Ok(None) }
    }

    /// How long no copy of a request must arrive at a backend until those that came are all. Only a gateway whose pace is
    /// `Immediate` needs to say: with another, the runner waits by itself.
    fn quiet(&self) -> Duration {
        Duration::ZERO
    }
}

/// An engine made of a gateway with sockets, with clients before it and backends behind it.
#[derive(Debug)]
pub struct Wire<P> {
    proxy: P,
    backends: Backends,
}

// === impl Wire ===

impl<P: Proxy> Wire<P> {
    /// An engine of these two.
    pub fn new(proxy: P, backends: Backends) -> Self {
        Self { proxy, backends }
    }

    /// The gateway.
    pub fn proxy(&self) -> &P {
        &self.proxy
    }

    /// The backends.
    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// The port of a target: that of the Gateway's first listener if it names none.
    async fn port(&self, target: &Target) -> Result<u16, EngineError> {
        if let Some(port) = target.port {
            return Ok(port);
        }
        let name = ObjectRef::new(Kind::Gateway, target.gateway.0.clone());
        let first = match self.proxy.object(&name).await? {
            Some(AnyObject::Gateway(gateway)) => gateway.spec.listeners.first().map(|listener| listener.port),
            Some(_) | None => return Err(EngineError::failed(format!("there is no {name}"))),
        };
        let port = first.and_then(|port| u16::try_from(port).ok());
        port.ok_or_else(|| EngineError::failed(format!("{name} has no listener with a port; name one")))
    }
}

impl<P: Proxy> ControlPlane for Wire<P> {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.proxy.apply(objects).await
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.proxy.delete(object).await
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        self.proxy.object(object).await
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        self.proxy.infrastructure(gateway).await
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        self.proxy.explain(exchange)
    }
}

impl<P: Proxy> Engine for Wire<P> {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        if let Exchange::Mesh(way, request) = exchange
            && let Some(through) = self.proxy.mesh(way).await?
        {
            return limited(TIME_LIMIT, mesh::send(way, request, through)).await;
        }
        let Some(target) = exchange.target() else {
            return Err(EngineError::unsupported("the gateway is no mesh"));
        };
        let port = self.port(target).await?;
        let transport = match exchange {
            Exchange::Udp(_) => Transport::Udp,
            _ => Transport::Tcp,
        };
        match self.proxy.address(&target.gateway.0, transport, port).await? {
            Some(address) => super::send(exchange, address, port).await,
            None => {
                let failure = format!("port {port} of Gateway {} is not bound", target.gateway);
                Ok(Answer::Failed(Failure::Connect(failure)))
            }
        }
    }

    async fn received(&self, backend: &ObjectName, path: &str) -> Result<usize, EngineError> {
        // A copy may be on its way when the answer is already here.
        let quiet = self.proxy.quiet();
        let mut known = self.backends.received(backend, path);
        while !quiet.is_zero() {
            tokio::time::sleep(quiet).await;
            let now = self.backends.received(backend, path);
            if now == known {
                break;
            }
            known = now;
        }
        Ok(known)
    }
}
