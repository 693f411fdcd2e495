//! The service that runs filters.

use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::exchange::Stopped;
use http::{Request, Response};
use tower_service::Service;

use super::future::OnAnswer;
use super::{Copies, FiltersFuture, List};
use crate::outcome::{IntoRefused, Refusal, Refused};
use crate::routed::Routed;

/// Runs the filters of one list on a request, and on its answer.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Filters<S> {
    pub(super) inner: S,
    pub(super) list: List,
}

// === impl Filters ===

impl<S, B, RB> Service<Request<B>> for Filters<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = FiltersFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> FiltersFuture<S::Future> {
        let Some(routed) = request.extensions().get::<Routed>() else {
            return FiltersFuture::refused(Refusal::NotRouted, None);
        };
        if routed.exchange().filters(self.list).is_empty() {
            return FiltersFuture::forwarded(self.inner.call(request), None);
        }
        let mut exchange = routed.exchange().clone();
        let (mut parts, body) = request.into_parts();
        let mut random = || fastrand::u64(..);
        let result = match self.list {
            List::Rule => exchange.on_request(&mut parts, &mut random),
            List::Backend => exchange.on_backend_request(&mut parts, &mut random),
        };
        let copies = exchange.take_mirrors();
        match result {
            Ok(()) => {
                if let Some(routed) = parts.extensions.get_mut::<Routed>() {
                    routed.set_exchange(exchange.clone());
                }
                if !copies.is_empty() {
                    parts.extensions.get_or_insert_default::<Copies>().0.extend(copies);
                }
                let on_answer = Box::new(OnAnswer { exchange, list: self.list });
                let future = self.inner.call(Request::from_parts(parts, body));
                FiltersFuture::forwarded(future, Some(on_answer))
            }
            Err(stopped) => {
                let on_answer = Box::new(OnAnswer { exchange, list: self.list });
                match stopped {
                    Stopped::Answered(response) => FiltersFuture::answered(response, on_answer),
                    Stopped::Refused(refusal) => FiltersFuture::refused(refusal, Some(on_answer)),
                }
            }
        }
    }
}
