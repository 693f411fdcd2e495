//! Copies of requests for other backends, whose answers are not waited for.
//!
//! The filters made copies of the request's head; this layer sends them, each to one endpoint
//! ([FMR-02](gateway_core::spec#FMR-02)), in tasks of their own. A mirror never slows or fails the request: it takes what it can
//! of the body as that streams by.
//!
//! Everything that mirrors hold is limited: [`MAX_MIRRORS`] copies at a time, 1 MiB of body that a mirror has not taken
//! yet, and [`TIME_LIMIT`] for each. What goes beyond is given up, with a trace event. The room is shared out: a backend
//! that hangs gets half of it, the next one half of the rest, and none is left without [`LEAST_PER_BACKEND`].
//!
//! The layer stands outside of the retry layer, so that a request is mirrored once ([AMB-52](gateway_core::choices#AMB-52)), and
//! within the dispatch layer, so that one which is not attempted is not mirrored either ([AMB-51](gateway_core::choices#AMB-51)).
//! A request to upgrade the connection is not mirrored: the conversation that follows could not be.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use bytes::Bytes;
//! # use gateway_core::filter::{HttpFilter, RequestMirror, Share};
//! use gateway_core::name::ObjectName;
//! use gateway_tower::dispatch::DispatchLayer;
//! use gateway_tower::mirror::MirrorLayer;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::{BoxError, Connection, RequestBody, Routed, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tokio::sync::mpsc;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|table, rule| {
//! #     let audit = RequestMirror { backend: table.backend(backend("audit", 9)), share: Share::all() };
//! #     rule.filters = [HttpFilter::RequestMirror(audit)].into();
//! # });
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let (sent, mut copies) = mpsc::channel(1);
//! let mirror = service_fn(move |copy: Request<RequestBody<Full<Bytes>>>| {
//!     let sent = sent.clone();
//!     async move {
//!         sent.send(copy).await?;
//!         Ok::<_, BoxError>(Response::new(Full::<Bytes>::default()))
//!     }
//! });
//! // The table has one rule, which mirrors its requests to the Service `audit`.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(DispatchLayer::default())
//!     .layer(MirrorLayer::new(mirror))
//!     .service_fn(async |_: Request<RequestBody<Full<Bytes>>>| {
//!         Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello")))
//!     });
//! let request = Request::get("/shop/cart").header("host", "example.com").body(RequestBody::empty()).unwrap();
//! assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
//! let copy = copies.recv().await.unwrap();
//! let routed: &Routed = copy.extensions().get().unwrap();
//! assert_eq!((copy.uri().path(), &*routed.backend().unwrap().service.name), ("/shop/cart", "audit"));
//! # }
//! ```

mod room;
mod copies;
mod layer;
mod service;

use std::time::Duration;

pub use self::layer::MirrorLayer;
pub use self::service::Mirror;

/// The most copies that are under way at a time, over all clones of a layer, but for the
/// [few](LEAST_PER_BACKEND) that every backend may have.
pub const MAX_MIRRORS: usize = 1024;

/// The copies that a backend may have under way however many others have.
pub const LEAST_PER_BACKEND: usize = 16;

/// The longest that a copy may take, until the end of its answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
