//! The two timeouts of a rule, and the one of a call.
//!
//! `request` limits the whole exchange with the client, `backendRequest` one attempt at a backend; the layer is the same
//! in two places. The time runs from the call until the end of the answer's body. Before the answer has begun, expiry
//! is a refusal with 504; after that the only way left is to break the body off ([TMO-09](gateway_core::spec#TMO-09)). A rule
//! without the timeout costs nothing.
//!
//! A call of gRPC that a GRPCRoute serves says by itself how long it may take, in `grpc-timeout`: that is its `request`. When the
//! time is over the caller gets `DEADLINE_EXCEEDED`, before the answer has begun or in its trailers.
//!
//! The surprising case: an answer that turns the connection into something else, as a WebSocket handshake does, ends the
//! time ([AMB-55](gateway_core::choices#AMB-55)). The conversation that follows may last.
//!
//! ```
//! use std::convert::Infallible;
//! use std::future::pending;
//! use std::sync::Arc;
//! # use std::time::Duration;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::timeouts::{Limit, TimeoutsLayer};
//! use gateway_tower::outcome::Refusal;
//! use gateway_tower::{Connection, ResponseBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, rule| rule.timeouts = gateway_core::rule::Timeouts::new(Some(Duration::from_millis(1)), None));
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! // The table has one rule, whose requests may take a millisecond.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(TimeoutsLayer::new(Limit::Request))
//!     .service_fn(async |_: Request<()>| pending::<Result<Response<ResponseBody<Full<Bytes>>>, Infallible>>().await);
//! let request = Request::get("/shop/cart").header("host", "example.com").body(()).unwrap();
//! let refused = service.oneshot(request).await.unwrap_err();
//! assert!(matches!(refused.refusal(), Refusal::TimedOut(Limit::Request)));
//! # }
//! ```

mod future;
mod layer;
mod service;

pub use self::future::TimeoutsFuture;
pub use self::layer::TimeoutsLayer;
pub use self::service::Timeouts;
pub use crate::body::deadline::{Limit, TimedOut};
