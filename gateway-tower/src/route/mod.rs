//! The search for the rule that serves a request.
//!
//! The layer looks a request up in the table in use and puts what it [found](crate::Routed) into the request's
//! extensions, where the layers within read it. A request that no rule serves is refused here, and the filters of listeners
//! run here, before the search; where one of them asks an authorization service, the [authorizer](RouteLayer::authorizer) does. So that what was matched is what is forwarded, what is for one hop only and what is not to be
//! believed is taken out before that, and a path that is not in its normal form is replaced by its normal form.
//!
//! On the way back the answer gets an [`Outcome`](crate::outcome::Outcome), unless a layer within has made one.
//!
//! With the [`respond`](crate::respond) layer around it, the layer stands alone as well: around the router of a web
//! framework it is a Gateway API front for handlers, which read [`Routed`](crate::Routed) like any extension.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_core::table::RouteTable;
//! use gateway_tower::{Connection, TableHandle, respond::RespondLayer, route::RouteLayer};
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let tables = TableHandle::new(RouteTable::default());
//! let connection = Connection::new(ObjectName::new("default", "gateway"), 80);
//! let service = ServiceBuilder::new()
//!     .layer(RespondLayer)
//!     .layer(RouteLayer::new(tables).on(Arc::new(connection)))
//!     .service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("hello"))));
//! let request = Request::get("http://example.com/").body(()).unwrap();
//! // The table has no routes.
//! assert_eq!(service.oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND);
//! # }
//! ```

mod frontend;
mod search;
mod future;
mod layer;
mod service;

pub use gateway_core::exchange::hop_by_hop::Upgrades;

pub use self::future::RouteFuture;
pub use self::layer::RouteLayer;
pub use self::service::Route;
