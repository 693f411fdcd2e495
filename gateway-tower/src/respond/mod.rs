//! Answers for refusals: the outermost layer, and the only one that writes an answer for the gateway.
//!
//! A client of HTTP gets the [status](crate::outcome::Refusal::status) and a line of text. A client of gRPC, which is one whose
//! request has a content type of gRPC, gets 200 and no body, with its [code](crate::outcome::Refusal::grpc_code) in `grpc-status`
//! and the text in `grpc-message`: to such a client, a status of HTTP says next to nothing
//! ([AMB-64](gateway_core::choices#AMB-64)).
//!
//! What the filters of the rule do to answers of the gateway's own is part of the refusal by the time that it comes here,
//! so it is in answers of either form ([FCO-02](gateway_core::spec#FCO-02)).
//!
//! The layer is the outermost because only there every refusal is seen, that no rule matches included. It goes around any
//! stack of layers of this crate; without it, a layer that is used alone gives its refusals as errors.
//!
//! The surprising case: a service that fails to become ready does not fail here. The error becomes the answer to the call
//! that follows.
//!
//! ```
//! use bytes::Bytes;
//! use gateway_core::exchange::Refusal;
//! use gateway_tower::outcome::Refused;
//! use gateway_tower::respond::RespondLayer;
//! use http::{Request, Response, StatusCode};
//! use http_body_util::Full;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let service = ServiceBuilder::new()
//!     .layer(RespondLayer)
//!     .service_fn(async |_: Request<()>| Err::<Response<Full<Bytes>>, _>(Refused::from(Refusal::NoEndpoints)));
//!
//! let Ok(answer) = service.clone().oneshot(Request::new(())).await;
//! assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
//!
//! let call = Request::post("/shop.Cart/Add").header("content-type", "application/grpc+proto").body(()).unwrap();
//! let Ok(answer) = service.oneshot(call).await;
//! assert_eq!(answer.status(), StatusCode::OK);
//! assert_eq!(answer.headers()["grpc-status"], "14");
//! assert_eq!(answer.headers()["grpc-message"], "503: the backend has no ready endpoints");
//! # }
//! ```

mod answer;
mod future;
mod service;

pub use gateway_core::exchange::Form;

pub use self::future::RespondFuture;
pub use self::service::{Respond, RespondLayer};
