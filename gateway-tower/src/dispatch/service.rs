//! The service that takes requests to their backends.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::filtering::{Filtered, filter};
use super::{DispatchFuture, Trust};
use crate::authorize::{AskNobody, Authorize};
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::Routed;

/// Takes a request through the filters to the backend that is chosen for it, and the answer back.
///
/// `poll_ready` is that of the service within. A request that waits for an authorization service has the service within for
/// itself, and leaves a clone behind.
#[derive(Clone, Debug)]
pub struct Dispatch<S, A = AskNobody> {
    pub(super) inner: S,
    pub(super) trust: Trust,
    pub(super) authorizer: A,
}

/// How a request goes on.
enum Start {
    /// To the backend: its rule has no filters.
    Chosen,
    /// Through the filters.
    Filters,
}

// === impl Dispatch ===

impl<S, A, B, RB> Service<Request<B>> for Dispatch<S, A>
where
    S: Service<Request<B>, Response = Response<RB>> + Clone,
    S::Error: IntoRefused,
    A: Authorize<B>,
    B: Send + 'static,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = DispatchFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> DispatchFuture<S, B> {
        match start(&mut request, self.trust) {
            Ok(Start::Chosen) => DispatchFuture::forwarded(self.inner.call(request), None),
            Ok(Start::Filters) => self.filter(request),
            Err(refused) => DispatchFuture::refused(refused),
        }
    }
}

impl<S, A> Dispatch<S, A> {
    #[inline(never)]
    fn filter<B>(&mut self, request: Request<B>) -> DispatchFuture<S, B>
    where
        S: Service<Request<B>> + Clone,
        A: Authorize<B>,
        B: Send + 'static,
    {
        match filter(request) {
            Filtered::Passed(request, on_answer) => {
                DispatchFuture::forwarded(self.inner.call(request), Some(on_answer))
            }
            Filtered::Answered(response) => DispatchFuture::answered(response),
            Filtered::Refused(refused) => DispatchFuture::refused(refused),
            Filtered::Asks(waiting) => {
                // The service that was found ready goes with the request.
                let inner = self.inner.clone();
                let inner = mem::replace(&mut self.inner, inner);
                DispatchFuture::asking(waiting.ask(self.authorizer.clone(), inner))
            }
        }
    }
}

/// Tells the backend about the client, and chooses it where no filter comes before.
fn start<B>(request: &mut Request<B>, trust: Trust) -> Result<Start, Refused> {
    // Taken out, since what is in them changes the rest of the request.
    let mut extensions = mem::take(request.extensions_mut());
    let started = match extensions.get_mut::<Routed>() {
        Some(routed) => start_routed(routed, request, trust),
        None => Err(Refusal::NotRouted.into()),
    };
    *request.extensions_mut() = extensions;
    started
}

fn start_routed<B>(routed: &mut Routed, request: &mut Request<B>, trust: Trust) -> Result<Start, Refused> {
    routed.tell(request, trust);
    if routed.rule().has_filters() || routed.exchange().has_edits() {
        return Ok(Start::Filters);
    }
    match routed.choose_backend(fastrand::u64(..)) {
        Ok(_) => Ok(Start::Chosen),
        Err(refusal) => Err(Refused::from(refusal).with_reached(routed.reached())),
    }
}
