//! The two timeouts of a rule.
//!
//! `request` limits the whole exchange with the client, `backendRequest` one attempt at a backend; the layer is the same
//! in two places. The time runs from the call until the end of the answer's body. Before the answer has begun, expiry
//! is a refusal with 504; after that the only way left is to break the body off (TMO-09). A rule without the timeout costs
//! nothing.
//!
//! The surprising case: an answer that turns the connection into something else, as a WebSocket handshake does, ends the
//! time (AMB-55). The conversation that follows may last.
//!
//! ```
//! use bytes::Bytes;
//! use gateway_tower::ResponseBody;
//! use gateway_tower::timeouts::{Limit, TimeoutsLayer};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! type Body = ResponseBody<http_body_util::Empty<Bytes>>;
//! let service = ServiceBuilder::new()
//!     .layer(TimeoutsLayer::new(Limit::Request))
//!     .service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(Body::default())));
//! // Nothing was routed, so there is no rule that could limit the time.
//! assert!(service.oneshot(Request::new(())).await.is_ok());
//! # }
//! ```

mod future;
mod layer;
mod service;

pub use self::future::TimeoutsFuture;
pub use self::layer::TimeoutsLayer;
pub use self::service::Timeouts;
pub use crate::body::Limit;
