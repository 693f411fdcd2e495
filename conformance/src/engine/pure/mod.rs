//! Engines without a network: a decider says what becomes of a request, and the rest is played.
//!
//! A [`Decider`] gets the resources after each change. What it says about a request is carried out in virtual time:
//! timeouts expire and attempts are repeated without anybody waiting. The backends are those of [`backend`](crate::backend),
//! at addresses that exist in the resources only. TLS is played too, down to the choice of the listener by the server
//! name; nobody looks at a certificate. A WebSocket whose handshake reaches a backend gets back what it sends.
//!
//! All that is random comes from a seeded generator, so a case has the same course every time.

mod deciders;
mod forward;

use std::sync::Arc;

use fastrand::Rng;
use gateway_core::api::{AnyObject, ObjectKey, Resources};
use gateway_core::status::Statuses;

pub use self::deciders::{CoreDecider, CoreEngines, ReferenceDecider, ReferenceEngines};

use super::arrival::{self, Place};
use super::{
    Addresses, Arrival, CONTROLLER_NAME, Effect, Engine, EngineError, Entrance, Outcome, gateway_class,
};
use crate::backend::{HttpBackends, Received};
use crate::case::{Case, GrpcCall, HttpRequest, ObjectRef, Target, WebSocketConversation};
use crate::cluster::virtual_pods;
use crate::exchange::{Answer, Exchange, HttpAnswer};
use crate::store::Store;

/// Where the random numbers of every engine start.
const SEED: u64 = 1731;

/// What decides about requests in an engine without a network.
pub trait Decider: Send + Sync {
    /// Takes the resources as they are now. Gives the statuses, if it has any.
    fn update(&mut self, resources: &Arc<Resources>, addresses: &Addresses) -> Option<Statuses>;

    /// What a connection to a port of a Gateway meets.
    fn entrance(&self, gateway: &ObjectKey, port: u16, server_name: Option<&str>) -> Entrance;

    /// What becomes of a request.
    fn answer(&self, arrival: &Arrival) -> Outcome;

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
    backends: HttpBackends,
    received: Received,
    random: Rng,
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
            backends: HttpBackends::new(&pods, &received),
            store: Store::new(pods),
            received,
            random: Rng::with_seed(SEED),
        };
        engine.store.apply(vec![gateway_class(CONTROLLER_NAME)]);
        engine.update();
        engine
    }

    fn update(&mut self) {
        self.addresses.assign(self.store.resources().gateways.keys());
        let statuses = self.decider.update(self.store.resources(), &self.addresses);
        if let Some(statuses) = statuses {
            self.store.write(&statuses, CONTROLLER_NAME);
        }
    }

    fn http(&mut self, target: &Target, request: &HttpRequest) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        let server_name = request.tls.as_ref().map(|tls| tls.server_name.as_str());
        let entrance = self.decider.entrance(&at.gateway, at.port, server_name);
        if let Err(failure) = entrance.admit(server_name) {
            return Ok(Answer::Failed(failure));
        }
        let arrival = arrival::of_request(&at, request, self.randoms())?;
        Ok(Answer::Http(self.carry_out(arrival)))
    }

    /// What the client gets; a backend has been asked where the decider says so.
    fn carry_out(&mut self, arrival: Arrival) -> HttpAnswer {
        match self.decider.answer(&arrival).effect {
            Effect::Answered(reply) => arrival::http_answer(&reply, None),
            Effect::Forwarded(forwarded) => {
                let first = self.random.u32(..);
                forward::forward(&self.decider, &self.backends, arrival, *forwarded, first)
            }
        }
    }

    fn web_socket(
        &mut self,
        target: &Target,
        conversation: &WebSocketConversation,
    ) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        let arrival = arrival::of_web_socket(&at, conversation, self.randoms())?;
        match self.decider.answer(&arrival).effect {
            Effect::Answered(reply) => Ok(Answer::Http(arrival::http_answer(&reply, None))),
            Effect::Forwarded(_) => Ok(Answer::WebSocket(conversation.messages.clone())),
        }
    }

    fn grpc(&mut self, _target: &Target, _call: &GrpcCall) -> Result<Answer, EngineError> {
        Err(EngineError::unsupported("the engine decides about no gRPC calls"))
    }

    fn place(&self, target: &Target) -> Result<Place, EngineError> {
        Place::find(target, &self.store, &self.addresses)
    }

    fn randoms(&mut self) -> Vec<u64> {
        // More than any rule draws.
        (0..64).map(|_| self.random.u64(..)).collect()
    }
}

impl<D: Decider> Engine for Pure<D> {
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

    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        match exchange {
            Exchange::Http(target, request) => self.http(target, request),
            Exchange::Grpc(target, call) => self.grpc(target, call),
            Exchange::WebSocket(target, conversation) => self.web_socket(target, conversation),
            Exchange::Tcp(..) => Err(EngineError::unsupported("the engine decides about no TCP connections")),
            Exchange::Udp(_) | Exchange::Dns(..) => {
                Err(EngineError::unsupported("the engine decides about no datagrams"))
            }
            Exchange::Mesh(..) => Err(EngineError::unsupported("the engine decides about no mesh")),
        }
    }

    async fn received(&self, backend: &ObjectKey, path: &str) -> Result<usize, EngineError> {
        Ok(self.received.of(backend, path))
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        let arrival = arrival::of_exchange(exchange, &self.store, &self.addresses)?;
        self.decider.explain(&arrival)
    }
}
