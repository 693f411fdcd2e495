//! Engines without a network: a decider says what becomes of a request, and the rest is played.
//!
//! A [`Decider`] gets the resources after each change. What it says about a request is carried out in virtual time:
//! timeouts expire and attempts are repeated without anybody waiting. The backends are those of [`backend`](crate::backend),
//! at addresses that exist in the resources only. TLS is played too, down to the choice of the listener by the server
//! name; nobody looks at a certificate. A WebSocket whose handshake reaches a backend gets back what it sends.
//!
//! All that is random comes from a seeded generator, so a case has the same course every time.

mod addresses;
mod arrival;
mod backends;
mod deciders;
mod forward;

use std::sync::Arc;

use fastrand::Rng;
use gateway_core::api::{AnyObject, GatewayClass, GatewayClassSpec, Kind, ObjectKey, ObjectMeta, Resources};
use gateway_core::status::Statuses;

pub use self::addresses::{Addresses, STATIC_ADDRESSES, options};
pub use self::deciders::{CoreDecider, CoreEngines, ReferenceDecider, ReferenceEngines};

use self::backends::Backends;
use super::{Arrival, Effect, Engine, EngineError, Entrance, Outcome};
use crate::backend::Received;
use crate::case::{Case, GrpcCall, HttpRequest, ObjectRef, Target, WebSocketConversation};
use crate::cluster::virtual_pods;
use crate::exchange::{Answer, Exchange, Failure, HttpAnswer};
use crate::store::Store;

/// The name of the controller of every engine in this process.
pub const CONTROLLER_NAME: &str = "conformance.gateway-api.rs/controller";

/// The GatewayClass of every Gateway in cases.
pub const GATEWAY_CLASS: &str = "gateway-conformance";

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
    backends: Backends,
    received: Received,
    random: Rng,
}

/// The GatewayClass that engines start with.
pub fn gateway_class(controller_name: &str) -> AnyObject {
    let metadata = ObjectMeta { name: GATEWAY_CLASS.to_owned(), ..ObjectMeta::default() };
    let spec = GatewayClassSpec {
        controller_name: controller_name.to_owned(),
        parameters_ref: None,
        description: None,
    };
    GatewayClass { metadata, spec, status: Default::default() }.into()
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
            backends: Backends::new(&pods, &received),
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
        match (self.decider.entrance(&at.gateway, at.port, server_name), server_name) {
            (Entrance::Closed, _) => {
                return Ok(Answer::Failed(Failure::Connect("nobody listens there".to_owned())));
            }
            (Entrance::Http, Some(_)) => {
                return Ok(Answer::Failed(Failure::Malformed("the port does not speak TLS".to_owned())));
            }
            (Entrance::Https(_), None) => {
                return Ok(Answer::Failed(Failure::Closed("the port speaks TLS".to_owned())));
            }
            (Entrance::Https(None), Some(_)) => {
                return Ok(Answer::Failed(Failure::Tls("no listener has the server name".to_owned())));
            }
            (Entrance::Http, None) | (Entrance::Https(Some(_)), Some(_)) => {}
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

    /// The port that is meant, and the address of the Gateway.
    fn place(&self, target: &Target) -> Result<arrival::Place, EngineError> {
        let key = &target.gateway.0;
        let Some(AnyObject::Gateway(gateway)) = self.store.get(Kind::Gateway, key) else {
            return Err(EngineError::failed(format!("there is no Gateway {key}")));
        };
        let first = gateway.spec.listeners.first().and_then(|listener| u16::try_from(listener.port).ok());
        let port = target.port.or(first);
        let port = port.ok_or_else(|| EngineError::failed(format!("Gateway {key} has no listeners")))?;
        let address = self.addresses.of(key);
        let address = address.ok_or_else(|| EngineError::failed(format!("Gateway {key} has no address")))?;
        Ok(arrival::Place { gateway: key.clone(), port, address })
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
        let arrival = match exchange {
            Exchange::Http(target, request) => {
                arrival::of_request(&self.place(target).ok()?, request, Vec::new()).ok()?
            }
            Exchange::WebSocket(target, conversation) => {
                arrival::of_web_socket(&self.place(target).ok()?, conversation, Vec::new()).ok()?
            }
            Exchange::Grpc(..)
            | Exchange::Tcp(..)
            | Exchange::Udp(_)
            | Exchange::Dns(..)
            | Exchange::Mesh(..) => return None,
        };
        self.decider.explain(&arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::case::{base, read};
    use crate::engine::Engines;

    /// A case with one rule under each path.
    fn case() -> Case {
        let rules = [
            ("/slow", "timeouts: {request: 500ms}"),
            ("/retry", "retry: {codes: [503], attempts: 2}"),
            ("/short", "retry: {attempts: 1}, timeouts: {backendRequest: 200ms}"),
            (
                "/copied",
                "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: infra-backend-v2, port: 8080}}}]",
            ),
        ];
        let rule = |(path, fields): (&str, &str)| {
            format!(
                "  - {{matches: [{{path: {{value: {path}}}}}], {fields}, \
                 backendRefs: [{{name: infra-backend-v3, port: 8080}}]}}\n"
            )
        };
        let rules: String = rules.map(rule).concat();
        let text = format!(
            "
apiVersion: conformance.gateway-api.rs/v1
kind: Case
name: Example
summary: Nothing.
features: [Gateway]
steps:
- accepted: [HTTPRoute route]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: route, namespace: gateway-conformance-infra}}
spec:
  parentRefs: [{{name: same-namespace}}]
  rules:
{rules}"
        );
        read(&text, "example.yaml").unwrap()
    }

    async fn start<E: Engines>(engines: &E) -> E::Engine {
        let case = case();
        let mut engine = engines.start(&case).await.unwrap();
        engine.apply(base().objects.clone()).await.unwrap();
        engine.apply(case.objects).await.unwrap();
        engine
    }

    async fn ask(engine: &mut impl Engine, path: &str) -> HttpAnswer {
        let target = Target { gateway: "same-namespace".into(), port: None };
        let request = HttpRequest { path: path.to_owned(), ..HttpRequest::default() };
        match engine.send(&Exchange::Http(target, request)).await.unwrap() {
            Answer::Http(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    async fn check(engines: &impl Engines) {
        let mut engine = start(engines).await;
        let statuses = [
            ("/slow", 200),
            ("/slow?delay=1s", 504),
            ("/nowhere", 404),
            ("/retry?responseCode=503&succeedAfter=2&uuid=a", 200),
            ("/retry?responseCode=503&succeedAfter=3&uuid=b", 503),
            ("/retry?responseCode=500&succeedAfter=1&uuid=c", 500),
            ("/retry?succeedAfter=2&uuid=d", 200),
            ("/retry?succeedAfter=3&uuid=e", 502),
            ("/short?delay=100ms", 200),
            ("/short?delay=300ms", 504),
        ];
        for (path, status) in statuses {
            let answer = ask(&mut engine, path).await;
            assert_eq!(answer.status, status, "{} {path}", engines.name());
            if status == 200 {
                let echo = answer.echo.expect("a backend answers");
                assert_eq!((echo.path.as_str(), echo.host.as_str()), (path, "198.18.0.3"));
                assert_eq!(echo.pod.deployment(), "infra-backend-v3");
            }
        }
        ask(&mut engine, "/copied?id=1").await;
        let received = async |name: &str, path: &str| {
            let backend = ObjectKey::new("gateway-conformance-infra", name);
            engine.received(&backend, path).await.unwrap()
        };
        assert_eq!(received("infra-backend-v2", "/copied?id=1").await, 1);
        assert_eq!(received("infra-backend-v3", "/copied?id=1").await, 1);
        assert_eq!(received("infra-backend-v3", "/short?delay=300ms").await, 2);
    }

    #[tokio::test]
    async fn requests_are_carried_out_in_virtual_time() {
        let began = std::time::Instant::now();
        check(&CoreEngines).await;
        check(&ReferenceEngines).await;
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "nobody waits");
    }

    #[tokio::test]
    async fn the_core_writes_statuses() {
        let engine = start(&CoreEngines).await;
        let gateway =
            ObjectRef::new(Kind::Gateway, ObjectKey::new("gateway-conformance-infra", "same-namespace"));
        let Some(AnyObject::Gateway(gateway)) = engine.object(&gateway).await.unwrap() else {
            panic!("it was applied")
        };
        assert_eq!(gateway.status.addresses[0].value, "198.18.0.3");
        assert_eq!(gateway.status.listeners[0].attached_routes, 1);
    }

    #[tokio::test]
    async fn the_core_says_why() {
        let engine = start(&CoreEngines).await;
        let target = Target { gateway: "same-namespace".into(), port: None };
        let request = HttpRequest { path: "/slow/x".to_owned(), ..HttpRequest::default() };
        let text = engine.explain(&Exchange::Http(target, request)).unwrap();
        assert_eq!(
            text,
            "listener gateway-conformance-infra/same-namespace/http\n\
             gateway-conformance-infra/route/0 matches[0], * PathPrefix /slow: chosen"
        );
    }
}
