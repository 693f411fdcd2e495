//! Choosing the backend of a request by the weights of its rule.
//!
//! The choice is random; each request draws for itself, so every replica of a gateway keeps to the weights without
//! knowing of the others. The share of a reference that is invalid, or of a backend without endpoints, is refused
//! here; it is not given to the others (HRB-04, AMB-21).
//!
//! The filters of the chosen backend are run by a [layer](crate::filters) within this one.
//!
//! ```
//! use bytes::Bytes;
//! use gateway_tower::Refusal;
//! use gateway_tower::dispatch::DispatchLayer;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let service = ServiceBuilder::new()
//!     .layer(DispatchLayer)
//!     .service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(Full::<Bytes>::default())));
//! let refused = service.oneshot(Request::new(())).await.unwrap_err();
//! assert!(matches!(refused.refusal(), Refusal::NotRouted), "there is no rule whose backends it could choose from");
//! # }
//! ```

mod layer;
mod service;

pub use self::layer::DispatchLayer;
pub use self::service::Dispatch;
