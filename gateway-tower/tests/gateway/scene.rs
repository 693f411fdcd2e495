//! A gateway with one listener and one rule, for tests to set up as they need.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use gateway_core::filter::{HttpFilter, ListenerFilter};
use gateway_core::matching::HttpMatch;
use gateway_core::name::{Age, BackendId, ObjectName, OwnKind, RouteKey, RouteKind};
use gateway_core::rule::{
    Backend, BackendKind, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, Retry, RetryBudget,
    RuleName, SessionPersistence, Sessions, Timeouts,
};
use gateway_core::table::{Listener, ListenerProtocol, RouteTable, RouteTableBuilder, Spans, Tracing};
use gateway_tower::outcome::Outcome;
use gateway_tower::{BoxError, Connection, Gateway, RequestBody, ResponseBody, TableHandle};
use http::{HeaderValue, Request, Response, StatusCode, request};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Service, ServiceExt, service_fn};

/// What a rule and its surroundings are made of.
pub(crate) struct Scene {
    table: RouteTableBuilder,
    backends: Vec<Listed>,
    pub(crate) matches: HttpMatch,
    pub(crate) listener_filters: Vec<ListenerFilter>,
    /// What the first references of the rule are to, which lead nowhere.
    pub(crate) unresolved: Vec<&'static str>,
    pub(crate) filters: Vec<HttpFilter>,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: Option<Retry>,
    pub(crate) session: Option<SessionPersistence>,
    pub(crate) retry_budget: Option<Arc<RetryBudget>>,
}

/// A backend that the rule refers to, with its filters.
pub(crate) struct Listed {
    reference: BackendRef,
    pub(crate) filters: Box<[HttpFilter]>,
}

pub(crate) fn gateway_name() -> ObjectName {
    ObjectName::new("default", "gateway")
}

/// An address that nothing is sent to, unless a test says so.
pub(crate) fn endpoint(last: u8) -> SocketAddr {
    ([10, 0, 0, last], 8080).into()
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            table: RouteTable::builder(1),
            backends: Vec::new(),
            matches: HttpMatch::default(),
            listener_filters: Vec::new(),
            unresolved: Vec::new(),
            filters: Vec::new(),
            timeouts: Timeouts::default(),
            retry: None,
            session: None,
            retry_budget: None,
        }
    }

    /// One backend with one endpoint.
    pub(crate) fn with_backend() -> Self {
        let mut scene = Self::new();
        scene.backend("backend", 1, [endpoint(1)]);
        scene
    }

    /// A backend that the rule refers to.
    pub(crate) fn backend(
        &mut self,
        name: &str,
        weight: u32,
        endpoints: impl IntoIterator<Item = SocketAddr>,
    ) -> &mut Listed {
        let backend = self.table_backend(name, endpoints, BackendProtocol::Http1);
        self.target(BackendTarget::Backend(backend), weight)
    }

    /// A reference of the rule.
    pub(crate) fn target(&mut self, target: BackendTarget, weight: u32) -> &mut Listed {
        self.backends.push(Listed { reference: BackendRef { target, weight }, filters: Box::default() });
        self.backends.last_mut().expect("one was added")
    }

    /// A backend that the rule does not refer to by itself.
    pub(crate) fn table_backend(
        &mut self,
        name: &str,
        endpoints: impl IntoIterator<Item = SocketAddr>,
        protocol: BackendProtocol,
    ) -> BackendId {
        self.table.backend(Backend {
            service: ObjectName::new("default", name),
            port: 80,
            protocol,
            retry_budget: self.retry_budget.clone(),
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            ..Backend::default()
        })
    }

    /// A backend of a kind of the embedder's own, that the rule does not refer to by itself.
    pub(crate) fn own_backend(&mut self, kind: &'static OwnKind, name: &str) -> BackendId {
        let (service, kind) = (ObjectName::new("default", name), BackendKind::Own(kind));
        self.table.backend(Backend { service, kind, ..Backend::default() })
    }

    /// What a policy says of the traces of the Gateway.
    #[allow(dead_code, reason = "few tests have traces")]
    pub(crate) fn tracing(&mut self, spans: Option<Spans>) {
        let tracing = Tracing { policy: ObjectName::new("default", "traces"), spans };
        self.table.tracing([(gateway_name(), Arc::new(tracing))].into());
    }

    pub(crate) fn table(mut self) -> RouteTable {
        let listener = self.table.listener(Listener::new(gateway_name(), "http", 80, ListenerProtocol::Http));
        self.table.listener_filters(listener, self.listener_filters);
        let name = ObjectName::new("default", "route");
        let rule = HttpRule {
            id: RuleName {
                route: Arc::new(RouteKey::new(RouteKind::Http, name.clone())),
                index: 0,
                name: None,
            },
            filters: self.filters.into(),
            backends: self.unresolved.iter().enumerate().fold(
                Backends::new(self.backends.iter().map(|listed| listed.reference)),
                |backends, (position, name)| backends.with_unresolved(position, *name),
            ),
            backend_filters: self.backends.into_iter().map(|listed| listed.filters).collect(),
            timeouts: self.timeouts,
            retry: self.retry.map(Box::new),
            sessions: self.session.map(|session| Box::new(Sessions::OfRule(session))),
            data: None,
        };
        let route = self.table.http_route(Age::new(None, &name), [([self.matches].into(), rule)]);
        self.table.attach(route, listener, &[]);
        self.table.build()
    }

    /// The gateway over `client`.
    pub(crate) fn gateway<C: Clone>(self, client: C) -> Gateway<C> {
        Gateway::new(TableHandle::new(self.table()), client).on(connection())
    }
}

pub(crate) fn connection() -> Arc<Connection> {
    Arc::new(Connection::new(gateway_name(), 80))
}

/// A request for `http://example.com` and this path.
pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header("host", "example.com").body(Full::default()).expect("a request")
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "example.com").body(Full::new(body.into())).expect("a request")
}

/// What a scripted client answers with.
pub(crate) fn answer(status: u16, body: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<http::HeaderMap>,
    pub(crate) outcome: Outcome,
}

/// Sends one request through a gateway and reads the answer.
pub(crate) async fn send<C, B, RB>(gateway: &Gateway<C>, request: Request<B>) -> Answer
where
    C: Service<Request<RequestBody<B>>, Response = Response<RB>> + Clone + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    RB: Body<Data = Bytes> + Send + 'static,
    RB::Error: Into<BoxError>,
{
    let Ok(response) = gateway.clone().oneshot(request).await;
    read(response).await.expect("the body of the answer is whole")
}

/// Reads an answer to its end.
pub(crate) async fn read<RB>(response: Response<ResponseBody<RB>>) -> Result<Answer, BoxError>
where
    RB: Body<Data = Bytes>,
    RB::Error: Into<BoxError>,
{
    let (parts, body) = response.into_parts();
    let body = body.collect().await?;
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        trailers: body.trailers().cloned(),
        body: body.to_bytes(),
        outcome: parts.extensions.get::<Outcome>().expect("every answer has an outcome").clone(),
    })
}

/// What became of one request.
#[derive(Debug)]
pub(crate) struct Captured {
    /// The request as the client was given it, if it was.
    pub(crate) request: Option<request::Parts>,
    pub(crate) answer: Answer,
}

/// Sends one request through a gateway whose backend answers 200 with the header `server: backend`.
pub(crate) async fn capture(scene: Scene, request: Request<Full<Bytes>>) -> Captured {
    let captured = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&captured);
    let client = service_fn(move |request: Request<RequestBody<Full<Bytes>>>| {
        *keep.lock().unwrap() = Some(request.into_parts().0);
        let mut response = answer(200, "");
        response.headers_mut().insert("server", HeaderValue::from_static("backend"));
        ready(Ok::<_, BoxError>(response))
    });
    let answer = send(&scene.gateway(client), request).await;
    let request = captured.lock().unwrap().take();
    Captured { request, answer }
}
