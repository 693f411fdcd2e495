//! All layers in the one right order, over any client.
//!
//! | layer | does | why there |
//! | --- | --- | --- |
//! | [`respond`](crate::respond) | turns refusals into answers | only here all of them are seen; within, a failure is an error |
//! | [`route`](crate::route) | runs the filters of the listener, finds the rule | everything else depends on it |
//! | *after the route* | | |
//! | [`dispatch`](crate::dispatch) | runs the filters, picks the backend | once for a request: retries stay with a backend; the answer passes the filters last, and so does the refusal of a timeout |
//! | [`timeouts`](crate::timeouts) | keeps to `request` | the time covers all attempts and pauses |
//! | *after the filters* | | |
//! | [`mirror`](crate::mirror) | sends copies | once for a request, and only if it is attempted |
//! | [`retry`](crate::retry) | attempts again | |
//! | [`balance`](crate::balance) | picks the endpoint | each attempt gets another |
//! | *per attempt* | | |
//! | [`timeouts`](crate::timeouts) | keeps to `backendRequest` | the time covers one attempt |
//! | [`recover`](crate::recover) | turns the client's errors into refusals, and keeps answers clean | all others know one kind of error, and no hop but their own; mirrors and authorization services pass it, too |
//!
//! The filters of a listener and of a rule may have an [authorization service](crate::authorize) asked first, over the same client
//! within [`recover`](crate::recover), and with the same picker.
//!
//! Nothing here binds a socket or makes a connection: the server stands before the gateway, and the client, which may be
//! [ours](crate::upstream), that of hyper-util or a closure in a test, behind it. Around one that is not ours, a
//! [tunnel](crate::tunnel) joins the connections of WebSockets.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::outcome::Outcome;
//! use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceExt, service_fn};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! // Answers with the address to which the request would go.
//! let client = service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
//!     Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(request.uri().to_string())))
//! });
//! // The table has one rule, for paths under `/shop`.
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let gateway = Gateway::new(TableHandle::new(table), client).on(connection);
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

//! # Layers of one's own
//! The three places in italics are for them; a [`GatewayBuilder`] puts them there. Within the route layer, a layer finds
//! [`Routed`](crate::Routed) in the extensions of the request.
//!
//! | place | sees | is for |
//! | --- | --- | --- |
//! | [`after_route`](GatewayBuilder::after_route) | the rule, and the request as it was matched | what must come before the filters |
//! | [`after_filters`](GatewayBuilder::after_filters) | rule and backend, and the request as the backend will get it | authorisation of one's own, quotas, caches: once for a request, within its timeout, and before it is mirrored |
//! | [`per_attempt`](GatewayBuilder::per_attempt) | the endpoint, too | what each endpoint does: its refusals are failed attempts, timeouts included |
//!
//! What is to see answers, those to refused requests included, goes around the gateway as a whole.
//!
//! ```
//! use std::convert::Infallible;
//! use std::task::{Context, Poll};
//! # use std::sync::Arc;
//! # use bytes::Bytes;
//! # use gateway_core::filter::{Cors, CorsPolicy, HttpFilter};
//! # use gateway_core::name::ObjectName;
//! # use gateway_tower::{BoxError, Connection, RequestBody};
//! use gateway_tower::outcome::{AnsweredBy, CustomRefusal, IntoRefused, OrRefused, Outcome, Refused};
//! use gateway_tower::{Gateway, TableHandle};
//! use http::{HeaderValue, Request, Response, StatusCode, header};
//! # use http_body_util::Full;
//! use tower::layer::layer_fn;
//! use tower::{Service, ServiceExt, service_fn};
//!
//! /// Wants a token of every client.
//! #[derive(Clone)]
//! struct Auth<S>(S);
//!
//! impl<S, B> Service<Request<B>> for Auth<S>
//! where
//!     S: Service<Request<B>, Error: IntoRefused>,
//! {
//!     type Response = S::Response;
//!     type Error = Refused;
//!     type Future = OrRefused<S::Future>;
//!
//!     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
//!         S::Error::refuse(self.0.poll_ready(cx))
//!     }
//!
//!     fn call(&mut self, request: Request<B>) -> Self::Future {
//!         if request.headers().contains_key(header::AUTHORIZATION) {
//!             return OrRefused::forwarded(self.0.call(request));
//!         }
//!         let refusal = CustomRefusal::new("auth", StatusCode::UNAUTHORIZED).text("401: who are you?\n");
//!         OrRefused::refused(
//!             Refused::from(refusal).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
//!         )
//!     }
//! }
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let policy = CorsPolicy { allow_origins: vec!["https://shop.example"], ..CorsPolicy::default() };
//! # let table = table(|_, rule| rule.filters = [HttpFilter::Cors(Box::new(Cors::new(&policy).unwrap()))].into());
//! # let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| -> Result<Response<Full<Bytes>>, BoxError> {
//! #     panic!("nobody gets that far")
//! # });
//! # let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! // The table has one rule, which lets scripts of `https://shop.example` read its answers.
//! let gateway = Gateway::builder(TableHandle::new(table)).after_filters(layer_fn(Auth)).client(client);
//!
//! let request = Request::get("/shop").header("host", "example.com").header("origin", "https://shop.example");
//! let Ok(denied) = gateway.on(connection).oneshot(request.body(Full::default()).unwrap()).await;
//! assert_eq!(denied.status(), StatusCode::UNAUTHORIZED);
//! assert_eq!(denied.headers()["www-authenticate"], "Bearer");
//! // The filters of the rule have run on it.
//! assert_eq!(denied.headers()["access-control-allow-origin"], "https://shop.example");
//! assert_eq!(denied.extensions().get::<Outcome>().unwrap().answered_by, AnsweredBy::Layer("auth"));
//! # }
//! ```
//!
//! Layers from elsewhere fit, too. An error of theirs is any that [becomes a refusal](crate::outcome::IntoRefused), which `BoxError` does.
//! Where a layer changes bodies, an [adapter](crate::adapt) makes it stand here, and a [filter](crate::filter) that waits for something needs
//! no layer written by hand.
//!
//! ```
//! # use gateway_core::table::RouteTable;
//! # use gateway_tower::{Gateway, RequestBody, TableHandle};
//! # use http::{HeaderValue, Request};
//! # use bytes::Bytes;
//! # use http_body_util::Full;
//! # #[cfg(feature = "client")] {
//! use gateway_tower::upstream::Upstream;
//! use tower::ServiceBuilder;
//!
//! # let tables = TableHandle::new(RouteTable::default());
//! let marked = ServiceBuilder::new().map_request(|mut request: Request<RequestBody<Full<Bytes>>>| {
//!     request.headers_mut().insert("x-of", HeaderValue::from_static("gateway"));
//!     request
//! });
//! let gateway = Gateway::builder(tables).after_filters(marked).client(Upstream::default());
//! # fn is_service<S: tower::Service<Request<Full<Bytes>>>>(_: S) {}
//! # is_service(gateway);
//! # }
//! ```

mod builder;
pub(crate) mod service;

pub use self::builder::GatewayBuilder;
pub use self::service::{AfterFilters, AfterRoute, PerAttempt};
