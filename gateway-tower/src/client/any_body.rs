//! A client that takes bodies of several types.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tower_service::Service;

use crate::body::BoxError;

/// Takes requests with bodies of every type, in front of a client that takes one type: `AnyBody::new(Upstream::default())`.
///
/// Layers that stand in a gateway by an [adapter](crate::adapt) need it, since authorization services are asked from both of
/// their sides. Each request costs an allocation.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnyBody<C>(C);

// === impl AnyBody ===

impl<C> AnyBody<C> {
    /// The client `client`, for bodies of every type.
    pub fn new(client: C) -> Self {
        Self(client)
    }
}

impl<C, B> Service<Request<B>> for AnyBody<C>
where
    C: Service<Request<UnsyncBoxBody<Bytes, BoxError>>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = C::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> C::Future {
        self.0.call(request.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}
