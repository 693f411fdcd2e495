//! What a backend is told about the client: `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
//!
//! What is told, and whose word counts, is decided in [`gateway_core::exchange::forwarded`]; here it is done to requests on
//! their way through the layers.
//!
//! [`ForwardedLayer`] stands between the route layer and the filters: matches see the headers that the client sent,
//! filters can change or remove what is added here, and the host is the one before any rewrite. It also takes out the
//! [headers that are for one hop only](gateway_core::exchange::hop_by_hop), before it adds its own.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::Connection;
//! use gateway_tower::forwarded::{ForwardedLayer, Trust};
//! use http::Request;
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let mut connection = Connection::new(ObjectName::new("default", "gateway"), 80);
//! connection.peer = Some(([192, 0, 2, 7], 50_000).into());
//! let service = ServiceBuilder::new()
//!     .layer(ForwardedLayer::new(Trust::Edge))
//!     .service_fn(async |request: Request<()>| Ok::<_, Infallible>(request.into_parts().0.headers));
//! let request = Request::get("/").header("host", "example.com").header("x-forwarded-for", "10.0.0.1");
//! let request = request.extension(Arc::new(connection)).body(()).unwrap();
//! let told = service.oneshot(request).await.unwrap();
//! assert_eq!(told["x-forwarded-for"], "10.0.0.1, 192.0.2.7");
//! assert_eq!(told["x-forwarded-proto"], "http");
//! assert_eq!(told["x-forwarded-host"], "example.com");
//! # }
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

pub use gateway_core::exchange::forwarded::Trust;
use gateway_core::exchange::{forwarded, hop_by_hop};
use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::connection::Connection;
use crate::routed::Routed;

/// Adds the headers, and takes out what is for one hop only. Finds the connection in the [`Routed`] of the request, or
/// else as `Arc<Connection>` in its extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardedLayer {
    trust: Trust,
}

/// The service of [`ForwardedLayer`]; ready when the inner one is.
#[derive(Clone, Debug)]
pub struct Forwarded<S> {
    trust: Trust,
    inner: S,
}

// === impl ForwardedLayer ===

impl ForwardedLayer {
    /// The layer for a gateway that stands there.
    pub fn new(trust: Trust) -> Self {
        Self { trust }
    }
}

impl<S> Layer<S> for ForwardedLayer {
    type Service = Forwarded<S>;

    fn layer(&self, inner: S) -> Forwarded<S> {
        Forwarded { trust: self.trust, inner }
    }
}

// === impl Forwarded ===

impl<S, B> Service<Request<B>> for Forwarded<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> S::Future {
        hop_by_hop::remove_from_request(request.headers_mut());
        let connection = match request.extensions().get::<Routed>() {
            Some(routed) => Some(Arc::clone(routed.connection())),
            None => request.extensions().get::<Arc<Connection>>().cloned(),
        };
        if let Some(connection) = connection {
            forwarded::add(&mut request, connection.client(), self.trust);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_core::name::ObjectName;

    #[tokio::test]
    async fn a_client_cannot_have_the_gateways_headers_removed() {
        let service = ForwardedLayer::default().layer(tower::service_fn(|request: Request<()>| async move {
            Ok::<_, std::convert::Infallible>(request.headers().get("x-forwarded-for").cloned())
        }));
        let mut connection = Connection::new(ObjectName::new("ns", "gateway"), 80);
        connection.peer = Some(([192, 0, 2, 7], 1).into());
        let request = Request::get("/")
            .extension(Arc::new(connection))
            .header("connection", "close, x-forwarded-for")
            .header("x-forwarded-for", "10.0.0.1")
            .body(())
            .unwrap();
        let told = tower::ServiceExt::oneshot(service, request).await.unwrap();
        assert_eq!(told.unwrap(), "192.0.2.7");
    }
}
