//! Further attempts, when one at the backend failed.
//!
//! Only the rules that say so are retried: after the listed status codes, and whenever the backend has not processed the
//! request. That is when no connection to it could be made, when it [did not take](crate::client::NotProcessed) the request
//! (REFUSED_STREAM, a stream above that of a GOAWAY), and when it answers a gRPC call with UNAVAILABLE at once
//! ([RTY-08](gateway_core::spec#RTY-08)). What broke off after it was sent may have been processed, and is not tried again
//! ([RTY-11](gateway_core::spec#RTY-11)); neither is an attempt that took longer than `backendRequest`, unless the method may be
//! repeated, as GET and PUT may ([RTY-07](gateway_core::spec#RTY-07)). When no attempt is left the client gets the answer to the
//! last one ([RTY-03](gateway_core::spec#RTY-03)).
//!
//! Where the backend has a [budget](gateway_core::rule::RetryBudget), each request to it counts, whether its rule has it tried again
//! or not, and so does each retry; when no retry is left in it, the client gets 503 in the place of the failed answer
//! ([RTB-03](gateway_core::spec#RTB-03)).
//!
//! The body is kept while it streams to the backend, up to 64 KiB. A request whose body is longer is tried once only,
//! from the moment that it is seen to be longer, and so is one that upgrades the connection.
//!
//! Between attempts there is a pause: at least the rule's backoff, twice as long each time, and up to a quarter more at
//! random, so that requests which failed together do not come back together. The layer stands within the request
//! timeout, which cuts it short ([RTY-06](gateway_core::spec#RTY-06)).
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! # use std::time::Duration;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! # use gateway_core::rule::Retry;
//! use gateway_tower::balance::BalanceLayer;
//! use gateway_tower::dispatch::DispatchLayer;
//! use gateway_tower::recover::RecoverLayer;
//! use gateway_tower::retry::RetryLayer;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::client::ConnectError;
//! use gateway_tower::outcome::Outcome;
//! use gateway_tower::{Connection, RequestBody, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, rule| rule.retry = Some(Box::new(Retry { codes: Box::default(), attempts: 1, backoff: Duration::ZERO })));
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let attempts = Arc::new(AtomicU32::new(0));
//! let refused = || ConnectError { endpoint: ([127, 0, 0, 1], 80).into(), cause: "refused".into() };
//! let client = service_fn(move |_: Request<RequestBody<Full<Bytes>>>| {
//!     let first = attempts.fetch_add(1, Ordering::Relaxed) == 0;
//!     std::future::ready(if first { Err(refused()) } else { Ok(Response::new(Full::<Bytes>::from("hello"))) })
//! });
//! // The table has one rule, which says that its requests may be tried once more.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(DispatchLayer::default())
//!     .layer(RetryLayer)
//!     .layer(BalanceLayer::default())
//!     .layer(RecoverLayer)
//!     .service(client);
//! let request = Request::get("/shop/cart").header("host", "example.com").body(RequestBody::empty()).unwrap();
//! let answer = service.oneshot(request).await.unwrap();
//! assert_eq!(answer.status(), 200);
//! assert_eq!(answer.extensions().get::<Outcome>().unwrap().retries, 1);
//! # }
//! ```

mod future;
mod plan;
mod service;

pub use self::future::RetryFuture;
pub use self::service::{Retry, RetryLayer};
