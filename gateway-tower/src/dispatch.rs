//! Choosing the backend of a request by the weights of its rule.
//!
//! The choice is random; each request draws for itself, so every replica of a gateway keeps to the weights without
//! knowing of the others. The share of a reference that is invalid, or of a backend without endpoints, is refused
//! here; it is not given to the others (HRB-04, AMB-21).
//!
//! The filters of the chosen backend are run by a [layer](crate::filters) within this one.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use gateway_core::name::ObjectName;
//! use gateway_tower::dispatch::DispatchLayer;
//! use gateway_tower::route::RouteLayer;
//! use gateway_tower::{Connection, Routed, TableHandle};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! # let table = table(|_, _| {});
//! let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
//! // The table has one rule, with the Service `shop` behind it.
//! let service = ServiceBuilder::new()
//!     .layer(RouteLayer::new(TableHandle::new(table)).on(connection))
//!     .layer(DispatchLayer)
//!     .service_fn(async |request: Request<()>| {
//!         let routed: &Routed = request.extensions().get().unwrap();
//!         Ok::<_, Infallible>(Response::new(routed.backend().unwrap().service.to_string()))
//!     });
//! let request = Request::get("/shop/cart").header("host", "example.com").body(()).unwrap();
//! assert_eq!(service.oneshot(request).await.unwrap().body(), "default/shop");
//! # }
//! ```

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::outcome::{IntoRefused, OrRefused, Refusal, Refused};
use crate::routed::Routed;

/// Chooses the backend by weight.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchLayer;

/// Chooses the backend of a request.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Dispatch<S> {
    inner: S,
}

// === impl DispatchLayer ===

impl<S> Layer<S> for DispatchLayer {
    type Service = Dispatch<S>;

    fn layer(&self, inner: S) -> Dispatch<S> {
        Dispatch { inner }
    }
}

// === impl Dispatch ===

impl<S, B> Service<Request<B>> for Dispatch<S>
where
    S: Service<Request<B>>,
    S::Error: IntoRefused,
{
    type Response = S::Response;
    type Error = Refused;
    type Future = OrRefused<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> OrRefused<S::Future> {
        match choose(&mut request) {
            Ok(()) => OrRefused::forwarded(self.inner.call(request)),
            Err(refused) => OrRefused::refused(refused),
        }
    }
}

/// Chooses a backend that can be attempted.
fn choose<B>(request: &mut Request<B>) -> Result<(), Refused> {
    let routed = request.extensions_mut().get_mut::<Routed>().ok_or(Refusal::NotRouted)?;
    let chosen = routed.choose_backend(fastrand::u64(..));
    chosen.map_err(|refusal| Refused::from(refusal).with_reached(routed.reached()))
}
