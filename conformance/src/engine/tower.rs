//! The tower stack as an engine: `gateway_tower::Gateway` as it is, between a client and backends in the same process.
//!
//! Requests go through every layer as they do in a server, in real time. There are no sockets: TLS is played down to the
//! choice of the listener, a connection to an address that no pod has is refused, and a WebSocket whose handshake comes
//! back with 101 gets back what it sends. What is passed on as it comes passes no layer, and neither does what no Route of a mesh is for:
//! it is played as in the engine `core`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use gateway_core::api::AnyObject;
use gateway_core::name::ObjectName;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};
use gateway_tower::client::{ConnectError, UpstreamTarget};
use gateway_tower::tunnel::Joined;
use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Collected, Full};
use tower::{Service, ServiceExt};

use super::arrival::{self, http_answer};
use super::mesh;
use super::pure::{CoreDecider, Pure, with_backend};
use super::{
    Abilities, CONTROLLER_NAME, ControlPlane, Engine, EngineError, Engines, Infrastructure, gateway_class,
};
use crate::backend::{GrpcBackend, VirtualBackends, read_echo};
use crate::case::{Case, GrpcCall, HttpRequest, MeshProtocol, ObjectRef, Target, Way};
use crate::decision::core::{Core, backend_tls};
use crate::decision::{Arrival, Entrance, Reply, headers};
use crate::exchange::{Answer, Exchange, Failure, HttpAnswer};
use crate::store::Store;
use crate::wire::grpc;

/// How long copies of requests may take to arrive.
const MIRRORS_ARRIVE_WITHIN: Duration = Duration::from_millis(20);

/// Makes engines that run the tower stack.
#[derive(Clone, Copy, Debug, Default)]
pub struct TowerEngines;

/// The tower stack between a client and backends in the same process.
#[derive(Debug)]
pub struct Tower {
    /// The same without the stack: who keeps the objects, decides, and knows the backends.
    pure: Pure<CoreDecider>,
    tables: TableHandle,
    gateway: Gateway<Client>,
    /// The objects as the backends see them.
    store: Arc<Mutex<Store>>,
}

/// The client of the gateway: it asks the backends of the case.
#[derive(Clone, Debug)]
struct Client {
    backends: VirtualBackends,
    /// Where the certificates of the backends are.
    store: Arc<Mutex<Store>>,
}

// === impl TowerEngines ===

impl Engines for TowerEngines {
    type Engine = Tower;

    fn name(&self) -> &str {
        "tower"
    }

    fn abilities(&self) -> Abilities {
        Abilities::of_the_core()
    }

    async fn start(&self, case: &Case) -> Result<Tower, EngineError> {
        let tables = TableHandle::new(RouteTable::default());
        let pure = Pure::start(CoreDecider::default(), case);
        let store = Arc::new(Mutex::new(pure.store().clone()));
        let client = Client { backends: pure.backends().clone(), store: Arc::clone(&store) };
        let gateway = Gateway::new(tables.clone(), client);
        let mut engine = Tower { pure, tables, gateway, store };
        engine.apply(vec![gateway_class(CONTROLLER_NAME)]).await?;
        Ok(engine)
    }
}

// === impl Tower ===

impl Tower {
    fn update(&mut self) {
        *self.store.lock().unwrap_or_else(PoisonError::into_inner) = self.pure.store().clone();
        self.tables.store(self.core().table().clone());
    }

    fn core(&self) -> &Core {
        self.pure.decider().core()
    }

    /// The connection of a client that got in.
    fn connection(arrival: &Arrival) -> Arc<Connection> {
        let server_name = arrival.server_name.as_deref();
        let mut connection = Connection::new(arrival.gateway.clone(), arrival.port);
        connection.server_name = server_name.map(Into::into);
        connection.secure = server_name.is_some();
        connection.peer = Some(([198, 51, 100, 1], 50_000).into());
        Arc::new(connection)
    }

    /// Takes a call through the stack.
    async fn call(&self, target: &Target, call: &GrpcCall) -> Result<Answer, EngineError> {
        let at = self.pure.place(target)?;
        let arrival = arrival::of_call(&at, call, Vec::new())?;
        if let Err(failure) = self.pure.admit(&at, call.tls.as_ref()) {
            return Ok(Answer::Failed(failure));
        }
        let connection = Self::connection(&arrival);
        let authority = arrival.request.uri().authority().map(ToString::to_string).unwrap_or_default();
        grpc::call_by(self.gateway.clone().on(connection), call, &authority).await
    }

    /// The connection of a workload, if some Route is for what it dials.
    fn in_mesh(&self, way: &Way) -> Option<Arc<Connection>> {
        let (service, namespace) = (&way.to.0, &way.from.0.namespace);
        let owner = FrontendOwner::ServiceFor(service, &**namespace);
        let is_routed = self.core().table().frontend_for(owner, Transport::Tcp, way.port).is_some();
        (is_routed && !way.pod).then(|| {
            let mut connection = Connection::in_mesh(service.clone(), namespace.clone(), way.port);
            connection.peer = Some(([198, 51, 100, 1], 50_000).into());
            Arc::new(connection)
        })
    }

    /// Takes a request or a call of a workload through the stack.
    async fn mesh(
        &self,
        way: &Way,
        request: &HttpRequest,
        connection: Arc<Connection>,
    ) -> Result<Answer, EngineError> {
        if way.speak == MeshProtocol::Grpc {
            let service = self.gateway.clone().on(connection);
            let host = mesh::host(way, request);
            return Ok(match grpc::call_by(service, &mesh::call(request), &host).await? {
                Answer::Grpc(end) => Answer::Http(mesh::of_call(end)),
                other => other,
            });
        }
        let body = Bytes::from(request.body.clone().unwrap_or_default());
        Ok(match self.carry_out_on(connection, mesh::head(way, request)?, body).await {
            Ok((reply, body)) => Answer::Http(http_answer(&reply, read_echo(&body))),
            Err(failure) => Answer::Failed(failure),
        })
    }

    /// Takes a request through the stack.
    async fn carry_out(&self, arrival: Arrival, body: Bytes) -> Result<(Reply, Bytes), Failure> {
        let connection = Self::connection(&arrival);
        self.carry_out_on(connection, arrival.request, body).await
    }

    /// Takes a request of this connection through the stack.
    async fn carry_out_on(
        &self,
        connection: Arc<Connection>,
        request: Request<()>,
        body: Bytes,
    ) -> Result<(Reply, Bytes), Failure> {
        let request = request.map(|()| Full::new(body));
        let Ok(response) = self.gateway.clone().on(connection).oneshot(request).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| Failure::Closed(error.to_string()))?;
        Ok((Reply { status: head.status, headers: headers(&head.headers) }, body.to_bytes()))
    }
}

impl ControlPlane for Tower {
    async fn apply(&mut self, objects: Vec<AnyObject>) -> Result<(), EngineError> {
        self.pure.apply(objects).await?;
        self.update();
        Ok(())
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        self.pure.delete(object).await?;
        self.update();
        Ok(())
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        self.pure.object(object).await
    }

    async fn infrastructure(&self, gateway: &ObjectName) -> Result<Vec<Infrastructure>, EngineError> {
        self.pure.infrastructure(gateway).await
    }

    fn explain(&self, exchange: &Exchange) -> Option<String> {
        self.pure.explain(exchange)
    }
}

impl Engine for Tower {
    async fn send(&mut self, exchange: &Exchange) -> Result<Answer, EngineError> {
        match exchange {
            Exchange::Http(target, request) => {
                let at = self.pure.place(target)?;
                let arrival = arrival::of_request(&at, request, Vec::new())?;
                let server_name = arrival.server_name.as_deref();
                let entrance = self.core().entrance(&arrival.gateway, arrival.port, server_name);
                if entrance == Entrance::Stream {
                    return self.pure.send(exchange).await;
                }
                let certificate_requested = match self.pure.admit(&at, request.tls.as_ref()) {
                    Ok(requested) => requested,
                    Err(failure) => return Ok(Answer::Failed(failure)),
                };
                let body = Bytes::from(request.body.clone().unwrap_or_default());
                Ok(match self.carry_out(arrival, body).await {
                    Ok((reply, body)) => Answer::Http(HttpAnswer {
                        certificate_requested,
                        ..http_answer(&reply, read_echo(&body))
                    }),
                    Err(failure) => Answer::Failed(failure),
                })
            }
            Exchange::WebSocket(target, conversation) => {
                let at = self.pure.place(target)?;
                let arrival = arrival::of_web_socket(&at, conversation, Vec::new())?;
                if let Err(failure) = self.pure.admit(&at, None) {
                    return Ok(Answer::Failed(failure));
                }
                Ok(match self.carry_out(arrival, Bytes::new()).await {
                    Ok((reply, _)) if reply.status == StatusCode::SWITCHING_PROTOCOLS => {
                        Answer::WebSocket(conversation.messages.clone())
                    }
                    Ok((reply, body)) => Answer::Http(http_answer(&reply, read_echo(&body))),
                    Err(failure) => Answer::Failed(failure),
                })
            }
            Exchange::Grpc(target, call) => self.call(target, call).await,
            Exchange::Tcp(..) | Exchange::Udp(_) => self.pure.send(exchange).await,
            Exchange::Bytes(..) => Err(EngineError::unsupported("the engine has no wire")),
            Exchange::Mesh(way, request) => match self.in_mesh(way) {
                Some(connection) => self.mesh(way, request, connection).await,
                None => self.pure.send(exchange).await,
            },
        }
    }

    async fn received(&self, backend: &ObjectName, path: &str) -> Result<usize, EngineError> {
        // Copies are sent beside the request, and not waited for.
        tokio::time::sleep(MIRRORS_ARRIVE_WITHIN).await;
        self.pure.received(backend, path).await
    }
}

// === impl Client ===

impl<B> Service<Request<RequestBody<B>>> for Client
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Collected<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Collected<Bytes>>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody<B>>) -> Self::Future {
        let Self { backends, store } = self.clone();
        Box::pin(async move {
            let (mut head, body) = request.into_parts();
            let body = body.collect().await?;
            let target = UpstreamTarget::from_extensions(&head.extensions)
                .ok_or("the gateway has chosen no endpoint")?;
            let endpoint = target.endpoint().address();
            let backend = backends
                .at(endpoint)
                .ok_or_else(|| ConnectError { endpoint, cause: "no pod has this address".into() })?;
            // On the wire the authority of the target is that of the connection, and the host is in the Host header.
            head.uri =
                head.uri.path_and_query().map_or_else(Default::default, |target| target.clone().into());
            let seen = match &target.backend().tls {
                Some(tls) => {
                    let tls = backend_tls(tls, target.client_certificate());
                    let store = store.lock().unwrap_or_else(PoisonError::into_inner);
                    Some(
                        with_backend(&tls, backend, &store)
                            .ok_or("one of the two does not trust the other")?,
                    )
                }
                None => None,
            };
            if backend.is_tls() != seen.is_some() {
                return Err("one of the two speaks TLS, and the other does not".into());
            }
            if backend.is_grpc() {
                // Over HTTP/2 the host is the authority.
                let response = GrpcBackend::of_port(backend)
                    .answer(Request::from_parts(head, body), seen.as_ref())
                    .await;
                let (head, body) = response.into_parts();
                return Ok(Response::from_parts(head, body.collect().await?));
            }
            if !backend.is_http() {
                return Err("the backend does not understand HTTP".into());
            }
            if head.headers.get(header::UPGRADE).is_some_and(|protocol| protocol == "websocket") {
                return collected(handshake()).await;
            }
            let served = backend.http.serve(&head, seen.as_ref());
            tokio::time::sleep(served.after).await;
            let response = served.response.ok_or("the backend has broken the connection")?;
            collected(response).await
        })
    }
}

async fn collected(response: Response<Bytes>) -> Result<Response<Collected<Bytes>>, BoxError> {
    let (head, body) = response.into_parts();
    Ok(Response::from_parts(head, Full::new(body).collect().await?))
}

/// The answer of a backend to the handshake of a WebSocket.
fn handshake() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let fields = [(header::CONNECTION, "Upgrade"), (header::UPGRADE, "websocket")];
    response.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
    // With whom, the engine knows when it gets this back.
    response.extensions_mut().insert(Joined);
    response
}
