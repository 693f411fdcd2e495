//! The way of a request from its rule to its backend, and of the answer back.
//!
//! What is done, and in which order, is written down in [`Exchange`](gateway_core::exchange::Exchange), which
//! [`Routed`](crate::Routed) holds; this layer takes its steps. What the client said about its own connection was taken
//! out before the search for the rule, and the backend is [told](gateway_core::exchange::forwarded) about the client
//! ([FRW-07](gateway_core::spec#FRW-07)). The filters of the rule run; the backend is chosen by weight, at random, so that every
//! replica of a gateway keeps to the weights without knowing of the others; and the filters of the backend run within those of
//! the rule ([FLT-11](gateway_core::spec#FLT-11)). On the answer the filters run the other way round. What a backend says about
//! its connection does not come here: it ends at the [`recover`](crate::recover) layer, whatever client stands behind that.
//!
//! The share of a reference that is invalid, or of a backend without endpoints, is refused here; it is not given to the
//! others ([HRB-04](gateway_core::spec#HRB-04), [AMB-21](gateway_core::choices#AMB-21)).
//!
//! A refusal passes the filters on its way out, too. It has no head yet, so what filters do to answers of the gateway's
//! own is written into the [headers](crate::outcome::Refused::headers) that its answer will have: those of CORS, but none of a
//! header modifier ([FHM-11](gateway_core::spec#FHM-11), [FCO-02](gateway_core::spec#FCO-02)). That way it is done once, whatever
//! form the answer takes in the end.
//!
//! The layer stands outside of the request timeout. Filters take no time, and so the refusal of a timeout passes them on
//! its way out: a script whose request times out can read the 504, where CORS allows that. A filter that asks an authorization
//! service does take time; the [authorizer](DispatchLayer::authorizer) is given no more than the timeout leaves, and the time
//! that it took is counted.
//!
//! The surprising case: a request that no route layer has seen gets 500. Passing it on would pass it without the
//! filters that its rule may have.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use bytes::Bytes;
//! # use gateway_core::filter::{HeaderModifier, HttpFilter};
//! use gateway_core::name::ObjectName;
//! use gateway_tower::dispatch::{DispatchLayer, Trust};
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::{Connection, Routed, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, rule| rule.filters = [HttpFilter::RequestHeaderModifier(HeaderModifier::new([("x-shop", "7")], [], []).unwrap())].into());
//! let mut connection = Connection::new(ObjectName::new("default", "gateway"), 80);
//! connection.peer = Some(([192, 0, 2, 7], 50_000).into());
//! // The table has one rule, which sets `x-shop: 7` on requests, with the Service `shop` behind it.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(Arc::new(connection)))
//!     .layer(DispatchLayer::new(Trust::Edge))
//!     .service_fn(async |request: Request<()>| {
//!         let routed: &Routed = request.extensions().get().unwrap();
//!         assert_eq!(&*routed.backend().unwrap().service.name, "shop");
//!         assert_eq!(request.headers()["x-shop"], "7");
//!         assert_eq!(request.headers()["x-forwarded-for"], "10.0.0.1, 192.0.2.7");
//!         assert_eq!(request.headers()["x-forwarded-host"], "example.com");
//!         Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
//!     });
//! let request = Request::get("/shop/cart").header("host", "example.com").header("x-forwarded-for", "10.0.0.1");
//! service.oneshot(request.body(()).unwrap()).await.unwrap();
//! # }
//! ```

mod on_answer;
mod filtering;
mod future;
mod layer;
mod service;

pub use gateway_core::exchange::forwarded::Trust;

pub use self::future::DispatchFuture;
pub use self::layer::DispatchLayer;
pub use self::service::Dispatch;
