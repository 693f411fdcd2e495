//! The service that takes requests to their backends.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::{Form, Stopped};
use http::{Request, Response};
use tower_service::Service;

use super::future::OnAnswer;
use super::{DispatchFuture, Trust};
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::Routed;

/// Takes a request through the filters to the backend that is chosen for it, and the answer back.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Dispatch<S> {
    pub(super) inner: S,
    pub(super) trust: Trust,
}

/// How a request goes on.
enum Start {
    /// To the backend: its rule has no filters.
    Chosen { upgrade: bool },
    /// Through the filters.
    Filters,
}

// === impl Dispatch ===

impl<S, B, RB> Service<Request<B>> for Dispatch<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = DispatchFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> DispatchFuture<S::Future> {
        match start(&mut request, self.trust) {
            Ok(Start::Chosen { upgrade }) => {
                DispatchFuture::forwarded(self.inner.call(request), OnAnswer::Plain { upgrade })
            }
            Ok(Start::Filters) => self.filter(request),
            Err(refused) => DispatchFuture::refused(refused),
        }
    }
}

impl<S> Dispatch<S> {
    /// Runs the filters, with the choice of the backend between those of the rule and its own.
    fn filter<B>(&mut self, request: Request<B>) -> DispatchFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        let (mut parts, body) = request.into_parts();
        let Some(routed) = parts.extensions.get::<Routed>() else {
            return DispatchFuture::refused(Refusal::NotRouted);
        };
        let mut exchange = routed.exchange().clone();
        match exchange.run(&mut parts, &mut || fastrand::u64(..)) {
            Ok(_) => {
                // Without the copies for mirrors, which are to be sent once.
                let on_answer = OnAnswer::Filters(Box::new(exchange.clone()));
                if let Some(routed) = parts.extensions.get_mut::<Routed>() {
                    routed.set_exchange(exchange);
                }
                DispatchFuture::forwarded(self.inner.call(Request::from_parts(parts, body)), on_answer)
            }
            // A filter says by itself in which form.
            Err(stopped @ Stopped::Answered(_)) => {
                DispatchFuture::answered(exchange.answer(stopped, Form::default()))
            }
            Err(Stopped::Refused(refusal)) => {
                let reached = exchange.backend_id().map(Into::into);
                let mut refused = Refused::from(refusal).with_reached(reached);
                refused.edit_head(|head| exchange.finish_local(head));
                DispatchFuture::refused(refused)
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
    let upgrade = routed.tell(request, trust);
    if routed.rule().has_filters() {
        return Ok(Start::Filters);
    }
    match routed.choose_backend(fastrand::u64(..)) {
        Ok(_) => Ok(Start::Chosen { upgrade }),
        Err(refusal) => Err(Refused::from(refusal).with_reached(routed.reached())),
    }
}
