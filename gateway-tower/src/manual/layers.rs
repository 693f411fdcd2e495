//! The layers: what each does, which can be left out, and where one's own stand.
//!
//! [`gateway`](crate::gateway) has their order and the reason for it, and [`Gateway`](crate::Gateway) is all of them. A stack of
//! one's own takes those that it needs:
//!
//! | it needs | layers, from the outside |
//! | --- | --- |
//! | to know the rule, in front of handlers of its own | [`respond`](crate::respond), [`route`](crate::route) |
//! | redirects, header edits and CORS, too | and [`dispatch`](crate::dispatch) |
//! | timeouts of rules | and [`timeouts`](crate::timeouts) within `dispatch` |
//! | backends | and [`balance`](crate::balance), [`recover`](crate::recover), and a client |
//! | retries | and [`retry`](crate::retry) around `balance` |
//! | mirrors | and [`mirror`](crate::mirror) around `retry` |
//!
//! A layer that is left out leaves out what it does: nothing of a rule's filters is passed over silently, since a request that no
//! `route` layer has seen gets 500 from `dispatch`, and a filter that asks an authorization service lets nothing pass where no layer
//! asks.
//!
//! # Bodies
//! The bodies of requests go through as they come, to a client that takes `Request<B>`; those of answers are
//! [`ResponseBody`](crate::ResponseBody) around what the client gives. Mirrors and retries keep what they may have to send again, and so
//! take [`RequestBody`](crate::RequestBody), which `map_request(|request| request.map(RequestBody::new))` makes around them; their client
//! takes `Request<RequestBody<B>>` then. [`Gateway`](crate::Gateway) does that by itself.
//!
//! # Refusals
//! Within, a failure is an error: every layer refuses with [`Refused`](crate::outcome::Refused), and the outermost, `respond`, makes the
//! answer. A layer of one's own does the same with a [`CustomRefusal`](crate::outcome::CustomRefusal); an error from elsewhere becomes one by
//! [`IntoRefused`](crate::outcome::IntoRefused). Each answer carries an [`Outcome`](crate::outcome::Outcome) in its extensions: who made it, the
//! rule, the endpoint, the reason.
//!
//! # Only the rule
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::respond::RespondLayer;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::{Connection, Routed, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! // The table has one rule, for paths under `/shop`.
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let service = ServiceBuilder::new()
//!     .layer(RespondLayer)
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .service_fn(async |request: Request<()>| {
//!         let routed: &Routed = request.extensions().get().expect("a rule serves it");
//!         Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(routed.rule().id.to_string())))
//!     });
//!
//! let request = |path| Request::get(path).header("host", "example.com").body(()).unwrap();
//! let answer = service.clone().oneshot(request("/shop/cart")).await.unwrap();
//! assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "default/shop/0");
//! assert_eq!(service.oneshot(request("/")).await.unwrap().status(), 404);
//! # }
//! ```
//!
//! # A client of one's own, with retries
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::balance::BalanceLayer;
//! use gateway_tower::client::UpstreamTarget;
//! use gateway_tower::dispatch::DispatchLayer;
//! use gateway_tower::recover::RecoverLayer;
//! use gateway_tower::respond::RespondLayer;
//! use gateway_tower::retry::RetryLayer;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::timeouts::{Limit, TimeoutsLayer};
//! use gateway_tower::{BoxError, Connection, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! // The table has one rule, for paths under `/shop`, whose backend has one endpoint.
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let service = ServiceBuilder::new()
//!     .layer(RespondLayer)
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(DispatchLayer::default())
//!     .layer(TimeoutsLayer::new(Limit::Request))
//!     .map_request(|request: Request<Full<Bytes>>| request.map(RequestBody::new))
//!     .layer(RetryLayer)
//!     .layer(BalanceLayer::default())
//!     .layer(TimeoutsLayer::new(Limit::BackendRequest))
//!     .layer(RecoverLayer)
//!     .service_fn(async |request: Request<RequestBody<Full<Bytes>>>| {
//!         let target = UpstreamTarget::from_extensions(request.extensions()).expect("an endpoint was picked");
//!         Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(target.endpoint().to_string())))
//!     });
//!
//! let request = Request::get("/shop/cart").header("host", "example.com").body(Full::default()).unwrap();
//! let answer = service.oneshot(request).await.unwrap();
//! assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "10.0.0.7:8080");
//! # }
//! ```
