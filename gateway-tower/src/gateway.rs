//! All layers in the one right order, over any client.
//!
//! | layer | does | why there |
//! | --- | --- | --- |
//! | [`respond`](crate::respond) | turns refusals into answers | only here all of them are seen; within, a failure is an error |
//! | [`route`](crate::route) | finds the rule | everything else depends on it |
//! | [`forwarded`](crate::forwarded) | tells the backend about the client | matches see what the client sent, filters can change it |
//! | [`filters`](crate::filters) | runs the rule's filters | the answer passes them last, and so does the refusal of a timeout |
//! | [`timeouts`](crate::timeouts) | keeps to `request` | the time covers all attempts and pauses |
//! | [`dispatch`](crate::dispatch) | picks the backend | once for a request: retries stay with a backend |
//! | [`filters`](crate::filters) | runs the backend's filters | within the rule's, and once for a request |
//! | [`mirror`](crate::mirror) | sends copies | once for a request, and only if it is attempted |
//! | [`retry`](crate::retry) | attempts again | |
//! | [`balance`](crate::balance) | picks the endpoint | each attempt gets another |
//! | [`timeouts`](crate::timeouts) | keeps to `backendRequest` | the time covers one attempt |
//! | [`recover`](crate::recover) | turns the client's errors into refusals | all others know one kind of error |
//!
//! Nothing here binds a socket or makes a connection: the server stands before the gateway, and the client, which may be
//! [ours](crate::upstream), that of hyper-util or a closure in a test, behind it.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::matching::{HttpMatch, PathMatch};
//! # use gateway_core::name::{Age, ListenerOwnerKind, ObjectName};
//! # use gateway_core::rule::{Backend, BackendProtocol, BackendRef, BackendTarget, Backends, HttpRule, RuleName, Timeouts};
//! # use gateway_core::table::{Listener, ListenerProtocol, RouteTable};
//! use gateway_tower::{BoxError, Connection, Gateway, Outcome, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceExt, service_fn};
//!
//! # fn table() -> RouteTable {
//! #     let name = |name| ObjectName::new("default", name);
//! #     let mut table = RouteTable::builder(1);
//! #     let listener = table.listener(Listener {
//! #         gateway: name("gateway"),
//! #         owner_kind: ListenerOwnerKind::Gateway,
//! #         owner: name("gateway"),
//! #         name: "http".into(),
//! #         port: 80,
//! #         protocol: ListenerProtocol::Http,
//! #         hostname: None,
//! #     });
//! #     let backend = table.backend(Backend {
//! #         service: name("shop"),
//! #         port: 80,
//! #         protocol: BackendProtocol::Http1,
//! #         endpoints: [std::net::SocketAddr::from(([10, 0, 0, 7], 8080)).into()].into(),
//! #     });
//! #     let to_shop = BackendRef { target: BackendTarget::Backend(backend), weight: 1 };
//! #     let rule = HttpRule {
//! #         id: RuleName { route: name("shop").into(), index: 0, name: None },
//! #         filters: Box::default(),
//! #         backends: Backends::new([to_shop]),
//! #         backend_filters: Box::default(),
//! #         timeouts: Timeouts::default(),
//! #         retry: None,
//! #     };
//! #     let matches = [HttpMatch { path: PathMatch::prefix("/shop"), ..HttpMatch::default() }];
//! #     let route = table.http_route(Age::new(None, &name("shop")), [(matches.into(), rule)]);
//! #     table.attach(route, listener, &[]);
//! #     table.build()
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! // Answers with the address to which the request would go.
//! let client = service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
//!     Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(request.uri().to_string())))
//! });
//! // The table has one rule, for paths under `/shop`.
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let gateway = Gateway::new(TableHandle::new(table()), client).on(connection);
//!
//! let request = |path| Request::get(path).header("host", "example.com").body(Full::default()).unwrap();
//! let Ok(found) = gateway.clone().oneshot(request("/shop/cart")).await;
//! let outcome = found.extensions().get::<Outcome>().unwrap();
//! assert_eq!(outcome.endpoint().unwrap().to_string(), "10.0.0.7:8080");
//! assert_eq!(outcome.routed.as_ref().unwrap().rule().id.to_string(), "default/shop/0");
//! let Ok(missing) = gateway.oneshot(request("/")).await;
//! assert_eq!(missing.status(), 404);
//! # }
//! ```

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::balance::{Balance, BalanceLayer};
use crate::body::{BoxError, Limit, RequestBody, ResponseBody};
use crate::connection::Connection;
use crate::dispatch::{Dispatch, DispatchLayer};
use crate::filters::{Filters, FiltersLayer, List};
use crate::forwarded::{Forwarded, ForwardedLayer, Trust};
use crate::handle::TableHandle;
use crate::mirror::{Mirror, MirrorLayer};
use crate::recover::{Recover, RecoverLayer};
use crate::respond::{Respond, RespondLayer};
use crate::retry::{Retry, RetryLayer};
use crate::route::{Route, RouteLayer};
use crate::timeouts::{Timeouts, TimeoutsLayer};

/// A whole gateway between a server and a client: requests in, answers out, never an error.
///
/// A server that clones it for each connection and names the [connection](Self::on) has the cheapest requests.
///
/// `poll_ready` is that of the client, except that an error of it becomes the answer to the call that follows.
#[derive(Clone)]
pub struct Gateway<C> {
    stack: Stack<C>,
}

type Stack<C> = Respond<Route<Forwarded<Filters<Timeouts<Dispatch<Filters<Attempts<C>>>>>>>>;
type Attempts<C> = Mirror<Retry<Attempt<C>>, Copy<C>>;
type Attempt<C> = Balance<Timeouts<Recover<C>>>;
type Copy<C> = Balance<Recover<C>>;
type StackFuture<C, B> = <Stack<C> as Service<Request<RequestBody<B>>>>::Future;

pin_project! {
    /// The answer to a request.
    pub struct GatewayFuture<C, B>
    where
        Stack<C>: Service<Request<RequestBody<B>>>,
    {
        #[pin]
        future: StackFuture<C, B>,
    }
}

// === impl Gateway ===

impl<C: Clone> Gateway<C> {
    /// A gateway that decides by the table in `tables` and sends requests through clones of `client`.
    ///
    /// Requests must have an `Arc<Connection>` in their extensions, unless a connection is [named](Self::on).
    pub fn new(tables: TableHandle, client: C) -> Self {
        Self::with_trust(tables, client, Trust::Edge)
    }

    /// The same, with another answer to whose word about clients [counts](crate::forwarded).
    pub fn with_trust(tables: TableHandle, client: C, trust: Trust) -> Self {
        let copy = BalanceLayer.layer(RecoverLayer.layer(client.clone()));
        let attempt = TimeoutsLayer::new(Limit::BackendRequest).layer(RecoverLayer.layer(client));
        let attempts = RetryLayer.layer(BalanceLayer.layer(attempt));
        let backend = FiltersLayer::new(List::Backend).layer(MirrorLayer::new(copy).layer(attempts));
        let request = TimeoutsLayer::new(Limit::Request).layer(DispatchLayer.layer(backend));
        let rule = ForwardedLayer::new(trust).layer(FiltersLayer::new(List::Rule).layer(request));
        Self { stack: RespondLayer.layer(RouteLayer::new(tables).layer(rule)) }
    }

    /// The same gateway for requests that come in on `connection`, unless their extensions name another.
    pub fn on(self, connection: Arc<Connection>) -> Self {
        Self { stack: self.stack.map(|route| route.on(connection)) }
    }
}

impl<C, B, RB> Service<Request<B>> for Gateway<C>
where
    C: Service<Request<RequestBody<B>>, Response = Response<RB>> + Clone + Send + 'static,
    C::Error: Into<BoxError>,
    C::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    RB: Body<Data = Bytes> + Send + 'static,
    RB::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = Infallible;
    type Future = GatewayFuture<C, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> GatewayFuture<C, B> {
        GatewayFuture { future: self.stack.call(request.map(RequestBody::new)) }
    }
}

impl<C: fmt::Debug> fmt::Debug for Gateway<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gateway").field(&self.stack).finish()
    }
}

// === impl GatewayFuture ===

impl<C, B, RB> Future for GatewayFuture<C, B>
where
    Stack<C>: Service<Request<RequestBody<B>>, Response = Response<ResponseBody<RB>>, Error = Infallible>,
{
    type Output = Result<Response<ResponseBody<RB>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx)
    }
}

impl<C, B> fmt::Debug for GatewayFuture<C, B>
where
    Stack<C>: Service<Request<RequestBody<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatewayFuture").finish_non_exhaustive()
    }
}
