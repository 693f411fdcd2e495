//! The layer that joins what a client upgrades.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode};
use http_body::Body;
use hyper::upgrade::OnUpgrade;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::client_end::ClientEnd;
use super::join::join;
use super::{Joined, TunnelOptions};

/// Joins the connection to a backend that switches protocols with that of the client.
///
/// For clients that leave an [`OnUpgrade`] in the extensions of such an answer, as those of `hyper` and `hyper-util` do.
///
/// The page of [`tunnel`](crate::tunnel) has an example.
#[derive(Clone, Copy, Debug, Default)]
pub struct TunnelLayer {
    options: TunnelOptions,
}

/// The service of a [`TunnelLayer`]. `poll_ready` is that of the client.
///
/// A call whose answer is 101 must be made within a tokio runtime.
#[derive(Clone, Debug)]
pub struct Tunnel<C> {
    client: C,
    options: TunnelOptions,
}

pin_project! {
    /// The answer of the client.
    #[derive(Debug)]
    pub struct TunnelFuture<F> {
        #[pin]
        future: F,
        // In a box: few requests ask for one.
        end: Option<Box<ClientEnd>>,
        options: TunnelOptions,
    }
}

// === impl TunnelLayer ===

impl TunnelLayer {
    /// Joins them within these limits.
    pub fn new(options: TunnelOptions) -> Self {
        Self { options }
    }
}

impl<C> Layer<C> for TunnelLayer {
    type Service = Tunnel<C>;

    fn layer(&self, client: C) -> Tunnel<C> {
        Tunnel { client, options: self.options }
    }
}

// === impl Tunnel ===

impl<C, B, RB> Service<Request<B>> for Tunnel<C>
where
    C: Service<Request<B>, Response = Response<RB>>,
    B: Body,
{
    type Response = Response<RB>;
    type Error = C::Error;
    type Future = TunnelFuture<C::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.client.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> TunnelFuture<C::Future> {
        let end = ClientEnd::take(&mut request).map(Box::new);
        TunnelFuture { future: self.client.call(request), end, options: self.options }
    }
}

// === impl TunnelFuture ===

impl<F, RB, E> Future for TunnelFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
{
    type Output = Result<Response<RB>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.future.poll(cx))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let Some(backend) = response.extensions_mut().remove::<OnUpgrade>()
            && let Some(end) = this.end.take()
        {
            tokio::spawn(join(*end, backend, *this.options));
            response.extensions_mut().insert(Joined);
        }
        Poll::Ready(Ok(response))
    }
}
