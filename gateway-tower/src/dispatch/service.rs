//! The service that chooses the backend.

use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use crate::outcome::{OrRefused, Refusal, Refused};
use crate::routed::Routed;

/// Chooses the backend of a request.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Dispatch<S> {
    pub(super) inner: S,
}

// === impl Dispatch ===

impl<S, B> Service<Request<B>> for Dispatch<S>
where
    S: Service<Request<B>>,
    S::Error: Into<Refused>,
{
    type Response = S::Response;
    type Error = Refused;
    type Future = OrRefused<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> OrRefused<S::Future> {
        match choose(&mut request) {
            Ok(()) => OrRefused::forwarded(self.inner.call(request)),
            Err(refusal) => {
                OrRefused::refused(Refused::from(refusal).with_routed(request.extensions_mut().remove()))
            }
        }
    }
}

/// Chooses a backend that can be attempted.
fn choose<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let routed = request.extensions_mut().get_mut::<Routed>().ok_or(Refusal::NotRouted)?;
    Ok(routed.choose_backend(fastrand::u64(..))?)
}
