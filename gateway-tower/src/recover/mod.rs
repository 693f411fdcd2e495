//! The place where errors of a client become refusals, and its answers those of the gateway.
//!
//! A client that cannot connect, or whose backend did not take the request, gives 503, any other error of it gives 502, unless
//! the body of the request broke: then it gives 400, whatever the client makes of that. The error itself goes along as the source
//! of the [`Refusal`](crate::outcome::Refusal), by which the retry layer sees that an attempt failed, and which access logs find in
//! the answer's [`Outcome`](crate::outcome::Outcome).
//!
//! Whatever the client takes for an answer, what a backend says about its connection ends here; no layer around this one looks
//! for it again. An answer that says in two ways where it ends, or in one that is not understood, is an error, and so is a
//! switch of protocols that no layer [joins](crate::tunnel::Joined). All others go on in one version of HTTP, and with the one
//! body type of all answers.
//!
//! The surprising case: a client that fails to become ready does not fail here. The error becomes the result of the call
//! that follows, so that it counts as a failed attempt and may be tried again.
//!
//! ```
//! use bytes::Bytes;
//! use gateway_tower::recover::RecoverLayer;
//! use gateway_tower::client::ConnectError;
//! use gateway_tower::BoxError;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let client = ServiceBuilder::new().layer(RecoverLayer).service_fn(async |_: Request<()>| {
//!     let refused = ConnectError { endpoint: ([10, 0, 0, 7], 8080).into(), cause: "connection refused".into() };
//!     Err::<Response<Full<Bytes>>, BoxError>(refused.into())
//! });
//! let refused = client.oneshot(Request::new(())).await.unwrap_err();
//! assert_eq!(refused.refusal().status(), StatusCode::SERVICE_UNAVAILABLE);
//!
//! let client = ServiceBuilder::new().layer(RecoverLayer).service_fn(async |_: Request<()>| {
//!     Response::builder().header("keep-alive", "timeout=5").body(Full::<Bytes>::default())
//! });
//! let answer = client.oneshot(Request::new(())).await.unwrap();
//! assert!(!answer.headers().contains_key("keep-alive"));
//! # }
//! ```

mod future;
mod service;

pub use self::future::RecoverFuture;
pub use self::service::{Recover, RecoverLayer};
