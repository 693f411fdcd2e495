//! Engines without a network: a decider says what becomes of a request, and the rest is played.
//!
//! A [`Decider`] gets the resources after each change. What it says about a request is carried out in virtual time:
//! timeouts expire and attempts are repeated without a wait. The backends are those of [`backend`](crate::backend),
//! at addresses that exist in the resources only. TLS is played too: the server name picks the listener, and certificates
//! are looked at where the decider says which are shown and who must have signed them. A WebSocket whose handshake reaches a backend gets back what it sends.
//!
//! All that is random comes from a seeded generator, so a case has the same course every time.

mod budgets;
mod deciders;
mod forward;
mod grpc;
mod http;
mod mesh;
mod stream;
mod tls;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use gateway_core::api::{AnyObject, Resources};
use gateway_core::name::ObjectName;
use gateway_core::status::Statuses;

pub use self::deciders::{CoreDecider, CoreEngines, CoreStatusEngines, ReferenceDecider, ReferenceEngines};
pub(super) use self::tls::with_backend;

use self::budgets::Budgets;
use super::arrival::{self, Place};
use super::{Addresses, CONTROLLER_NAME, ControlPlane, Engine, EngineError, Infrastructure, gateway_class};
use crate::backend::{Received, VirtualBackends};
use crate::case::{Case, ClientTls, ObjectRef, Target};
use crate::cluster::virtual_pods;
use crate::decision::{
    Arrival, Effect, Entrance, Handshake, MeshArrival, Outcome, StreamArrival, StreamOutcome,
};
use crate::exchange::{Answer, Exchange, Failure};
use crate::store::Store;

/// Where the random numbers of every engine start.
const SEED: u64 = 1731;

/// What decides about requests in an engine without a network.
pub trait Decider: Send + Sync {
    /// Takes the resources as they are now. Gives the statuses, if it has any.
    fn update(&mut self, resources: &Arc<Resources>, addresses: &Addresses) -> Option<Statuses>;

    /// What a connection to a port of a Gateway meets.
    fn entrance(&self, gateway: &ObjectName, port: u16, server_name: Option<&str>) -> Entrance;

    /// What a TLS connection to a port meets; nothing if the decider does not say, and then no certificate is looked at.
    fn handshake(&self, _gateway: &ObjectName, _port: u16, _server_name: Option<&str>) -> Option<Handshake> {
        None
    }

    /// What becomes of a request.
    fn answer(&self, arrival: &Arrival) -> Outcome;

    /// What becomes of a connection or a datagram.
    ///
    /// # Errors
    /// When it decides about none.
    fn stream(&self, _arrival: &StreamArrival) -> Result<StreamOutcome, EngineError> {
        Err(EngineError::unsupported("the engine decides about no connections or datagrams"))
    }

    /// What becomes of a request within a mesh; nothing if there is no such Service or port.
    ///
    /// # Errors
    /// When it decides about none.
    fn mesh(&self, _arrival: &MeshArrival) -> Result<Option<Effect>, EngineError> {
        Err(EngineError::unsupported("the engine decides about no mesh"))
    }

    /// What is to be made for a Gateway.
    ///
    /// # Errors
    /// When it decides about no such thing.
    fn infrastructure(&self, _gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        Err(EngineError::unsupported("the engine decides about no infrastructure"))
    }

    /// Why it becomes of it, if the decider can tell.
    fn explain(&self, _arrival: &Arrival) -> Option<String> {
        None
    }
}

/// An engine without a network.
#[derive(Debug)]
pub struct Pure<D> {
    decider: D,
    store: Store,
    addresses: Addresses,
    backends: VirtualBackends,
    received: Received,
    random: Rng,
    now: SystemTime,
    budgets: Budgets,
}

// === impl Pure ===

impl<D: Decider> Pure<D> {
    /// An engine for a case, with the GatewayClass and nothing else.
    pub fn start(decider: D, case: &Case) -> Self {
        let pods = virtual_pods(case);
        let received = Received::default();
        let mut engine = Self {
            decider,
            addresses: Addresses::default(),
            backends: VirtualBackends::new(case, &pods, &received),
            store: Store::new(pods),
            received,
            random: Rng::with_seed(SEED),
            now: Arrival::some_time(),
            budgets: Budgets::default(),
        };
        engine.store.apply(vec![gateway_class(CONTROLLER_NAME)]);
        engine.update();
        engine
    }

    /// What decides.
    pub(in crate::engine) fn decider(&self) -> &D {
        &self.decider
    }

    /// The backends, for an engine that sends them requests by itself.
    pub(in crate::engine) fn backends(&self) -> &VirtualBackends {
        &self.backends
    }

    /// The objects.
    pub(in crate::engine) fn store(&self) -> &Store {
        &self.store
    }

    fn update(&mut self) {
        self.addresses.assign(self.store.resources().gateways.keys());
        let statuses = self.decider.update(self.store.resources(), &self.addresses);
        if let Some(statuses) = statuses {
            self.store.write(&statuses, CONTROLLER_NAME);
        }
    }

    pub(in crate::engine) fn place(&self, target: &Target) -> Result<Place, EngineError> {
        Place::find(target, &self.store, &self.addresses)
    }

    /// Lets a client in, with TLS or without. Gives whether it was asked for a certificate.
    pub(in crate::engine) fn admit(&self, at: &Place, tls: Option<&ClientTls>) -> Result<bool, Failure> {
        let server_name = tls.map(|tls| tls.server_name.as_str());
        arrival::admit(&self.decider.entrance(&at.gateway, at.port, server_name), server_name)?;
        let Some(tls) = tls else { return Ok(false) };
        match self.decider.handshake(&at.gateway, at.port, server_name) {
            Some(handshake) => tls::with_client(&handshake, tls, &self.store),
            None => Ok(false),
        }
    }

    /// When the next request comes in: one after the other, and all of them are quick.
    fn now(&mut self) -> SystemTime {
        self.now += Duration::from_millis(10);
        self.now
    }

    fn randoms(&mut self) -> Vec<u64> {
        // More than any rule draws.
        (0..64).map(|_| self.random.u64(..)).collect()
    }
}

impl<D: Decider> ControlPlane for Pure<D> {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.store.apply(objects);
        self.update();
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.store.delete(object);
        self.update();
        Ok(())
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        Ok(self.store.get(object.kind, &object.key))
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        self.decider.infrastructure(gateway)
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        let arrival = arrival::of_exchange(exchange, &self.store, &self.addresses)?;
        self.decider.explain(&arrival)
    }
}

impl<D: Decider> Engine for Pure<D> {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        match exchange {
            Exchange::Http(target, request) => self.http(target, request),
            Exchange::Grpc(target, call) => self.grpc(target, call),
            Exchange::WebSocket(target, conversation) => self.web_socket(target, conversation),
            Exchange::Tcp(target, tls) => self.tcp(target, tls.as_ref()),
            Exchange::Udp(target) => self.udp(target),
            Exchange::Bytes(..) => Err(EngineError::unsupported("the engine has no wire")),
            Exchange::Mesh(way, request) => self.mesh(way, request),
        }
    }

    async fn received(&self, backend: &ObjectName, path: &str) -> Result<usize, EngineError> {
        Ok(self.received.requests(backend, path))
    }
}
