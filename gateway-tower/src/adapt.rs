//! Layers that know nothing of the bodies here, made to stand anywhere.
//!
//! The layers of this crate want the bodies that they know, [`RequestBody`] and [`ResponseBody`]; one that limits, compresses or traces
//! bodies gives others. [`AdaptLayer`] puts them into those that are wanted, on both sides of the layer. Errors need no adapter: `BoxError`,
//! and each error that [becomes a refusal](crate::outcome::IntoRefused), is understood everywhere.
//!
//! The surprising case: authorization services are asked from both sides of an adapted layer, so that the client has to take requests with
//! several types of bodies. `Upstream` takes one, and [`AnyBody`](crate::client::AnyBody) around it takes all. A layer around the
//! whole gateway needs neither, and one that leaves bodies of requests as they are needs no more than `map_response` with
//! [`ResponseBody::upstream`] around it.
//!
//! ```
//! // In Cargo.toml: http = "1", tower = { version = "0.5", features = ["util"] }, tower-http = { version = "0.7", features = ["limit"] }.
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::adapt::AdaptLayer;
//! use gateway_tower::{BoxError, Connection, Gateway, TableHandle};
//! use http::{Request, Response};
//! use http_body::Body;
//! use http_body_util::Full;
//! use tower::{Service, ServiceExt};
//! use tower_http::limit::RequestBodyLimitLayer;
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[derive(Clone)] struct Client;
//! # impl<B> Service<Request<B>> for Client {
//! #     type Response = Response<Full<Bytes>>;
//! #     type Error = BoxError;
//! #     type Future = std::future::Ready<Result<Self::Response, BoxError>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), BoxError>> { Ok(()).into() }
//! #     fn call(&mut self, _: Request<B>) -> Self::Future { std::future::ready(Ok(Response::default())) }
//! # }
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! // Uploads of at most 4 KiB, where a rule was found for them.
//! let limited = AdaptLayer::new(RequestBodyLimitLayer::new(4096));
//! let gateway = Gateway::builder(TableHandle::new(table)).after_route(limited).client(Client);
//!
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! let upload = |bytes: usize| {
//!     let request = Request::post("/shop").header("host", "example.com").header("content-length", bytes);
//!     request.body(Full::<Bytes>::from(vec![0; bytes])).unwrap()
//! };
//! let Ok(small) = gateway.clone().on(connection.clone()).oneshot(upload(4096)).await;
//! let Ok(large) = gateway.on(connection).oneshot(upload(4097)).await;
//! assert_eq!((small.status().as_u16(), large.status().as_u16()), (200, 413));
//! # }
//! ```

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{RequestBody, ResponseBody};

/// A layer with the bodies of this crate on both of its sides.
///
/// The page of [`adapt`](crate::adapt) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdaptLayer<L>(L);

/// A service whose answers have the body that the layers around it want.
#[derive(Clone, Copy, Debug)]
pub struct Outside<S>(S);

/// A service that is given requests with the body that it wants.
#[derive(Clone, Copy, Debug)]
pub struct Inside<S>(S);

pin_project! {
    /// The answer, in the body that is wanted.
    #[derive(Debug)]
    pub struct AdaptFuture<F> {
        #[pin]
        inner: F,
    }
}

// === impl AdaptLayer ===

impl<L> AdaptLayer<L> {
    /// The layer `layer`, to stand among layers of this crate.
    pub fn new(layer: L) -> Self {
        Self(layer)
    }
}

impl<L: Layer<Inside<S>>, S> Layer<S> for AdaptLayer<L> {
    type Service = Outside<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        Outside(self.0.layer(Inside(inner)))
    }
}

// === impl Outside ===

impl<S, B, RB> Service<Request<B>> for Outside<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = S::Error;
    type Future = AdaptFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        AdaptFuture { inner: self.0.call(request) }
    }
}

// === impl Inside ===

impl<S, B> Service<Request<B>> for Inside<S>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        self.0.call(request.map(RequestBody::new))
    }
}

// === impl AdaptFuture ===

impl<F, RB, E> Future for AdaptFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<ResponseBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map_ok(|response| response.map(ResponseBody::upstream))
    }
}
