//! Running the filters of a rule, or of the backend that was chosen, on the request and on its answer.
//!
//! The layer is the same in two places. [`List::Rule`] stands within the route layer and [`List::Backend`] within the
//! dispatch layer, so that the backend's filters run after the rule's on the request, and before them on the answer
//! (FLT-11). What is run and in which order is written down in [`Exchange`](gateway_core::exchange::Exchange), which
//! [`Routed`](crate::Routed) holds; this layer takes its steps. Copies for mirrors go on in the request's extensions, as
//! [`Copies`].
//!
//! A refusal passes the filters on its way out, too. It has no head yet, so what filters do to answers of the gateway's
//! own is written into the [headers](crate::Refused::headers) that its answer will have: those of CORS, but none of a
//! header modifier (FHM-11, FCO-02). That way it is done once, by the layer that has the list, and whatever form the
//! answer takes in the end.
//!
//! The rule's filters stand outside of the request timeout. Filters take no time, and so the refusal of a timeout passes
//! them on its way out: a script whose request times out can read the 504, where CORS allows that.
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
//! use gateway_tower::filters::{FiltersLayer, List};
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::{Connection, TableHandle};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, rule| rule.filters = [HttpFilter::RequestHeaderModifier(HeaderModifier::new([("x-shop", "7")], [], []).unwrap())].into());
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! // The table has one rule, which sets `x-shop: 7` on requests.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(FiltersLayer::new(List::Rule))
//!     .service_fn(async |request: Request<()>| {
//!         assert_eq!(request.headers()["x-shop"], "7");
//!         Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
//!     });
//! let request = Request::get("/shop/cart").header("host", "example.com").body(()).unwrap();
//! assert!(service.oneshot(request).await.is_ok());
//! # }
//! ```

mod copies;
mod future;
mod layer;
mod service;

pub use gateway_core::exchange::List;

pub use self::copies::Copies;
pub use self::future::FiltersFuture;
pub use self::layer::FiltersLayer;
pub use self::service::Filters;
