//! The service that runs filters.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::filter::{self, RequestEdits, Verdict};
use http::{Request, Response};
use tower_service::Service;

use super::future::OnAnswer;
use super::{FiltersFuture, List};
use crate::refusal::Refusal;
use crate::refused::Refused;
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
    S::Error: Into<Refused>,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = FiltersFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> FiltersFuture<S::Future> {
        let Some(routed) = request.extensions().get::<Routed>() else {
            return FiltersFuture::refused(Refusal::NotRouted, None);
        };
        if self.list.filters(routed).is_empty() {
            return FiltersFuture::forwarded(self.inner.call(request), None);
        }
        let routed = routed.clone();
        let (mut parts, body) = request.into_parts();
        // Those of the list before it, so that CORS and path modifiers see the request as the client sent it.
        let mut edits = parts.extensions.remove::<RequestEdits>().unwrap_or_default();
        let filters = self.list.filters(&routed);
        let context = routed.filter_context();
        let verdict =
            filter::on_request(filters, &context, &mut parts, &mut edits, &mut || fastrand::u64(..));
        let mirrors = mem::take(&mut edits.mirrors);
        let on_answer = Box::new(OnAnswer { routed, list: self.list, edits: edits.clone() });
        match verdict {
            Verdict::Continue => {
                edits.mirrors = mirrors;
                if !edits.is_empty() {
                    parts.extensions.insert(edits);
                }
                let future = self.inner.call(Request::from_parts(parts, body));
                FiltersFuture::forwarded(future, Some(on_answer))
            }
            Verdict::Respond(response) => FiltersFuture::answered(response, on_answer),
            Verdict::Fail => FiltersFuture::refused(Refusal::Filter, Some(on_answer)),
        }
    }
}
