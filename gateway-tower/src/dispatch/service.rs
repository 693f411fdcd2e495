//! The service that chooses the backend.

use std::mem;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::filter::{self, RequestEdits, Verdict};
use gateway_core::rule::BackendTarget;
use http::{Request, Response};
use tower_service::Service;

use super::DispatchFuture;
use crate::filters::OnAnswer;
use crate::refusal::Refusal;
use crate::routed::Routed;

/// Chooses the backend of a request.
///
/// `poll_ready` is that of the service within.
#[derive(Clone, Debug)]
pub struct Dispatch<S> {
    pub(super) inner: S,
}

// === impl Dispatch ===

impl<S, B, RB> Service<Request<B>> for Dispatch<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    RB: From<Bytes>,
{
    type Response = Response<RB>;
    type Error = S::Error;
    type Future = DispatchFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> DispatchFuture<S::Future> {
        match choose(&mut request) {
            Ok(None) => DispatchFuture::forwarded(self.inner.call(request), None),
            Ok(Some(filtered)) => self.filter(request, filtered),
            Err(refusal) => DispatchFuture::refused(refusal, request.extensions_mut().remove()),
        }
    }
}

/// A backend with filters.
struct Filtered {
    routed: Routed,
    /// Its position among those of the rule.
    position: usize,
}

/// Chooses a backend that can be attempted; says so when it has filters.
///
/// # Spec
/// HRB-03, HRB-04, HRB-10 to HRB-13, AMB-20, AMB-21.
fn choose<B>(request: &mut Request<B>) -> Result<Option<Filtered>, Refusal> {
    let routed = request.extensions_mut().get_mut::<Routed>().ok_or(Refusal::NotRouted)?;
    let rule = routed.rule();
    let (position, target) = rule.backends.pick(fastrand::u64(..)).ok_or(Refusal::NoBackend)?;
    let backend = match target {
        BackendTarget::Backend(backend) => backend,
        BackendTarget::Unresolved => return Err(Refusal::UnresolvedBackend),
    };
    let has_filters = !rule.filters_of(position).is_empty();
    routed.choose_backend(backend);
    if routed.table().backend(backend).endpoints.is_empty() {
        return Err(Refusal::NoEndpoints);
    }
    Ok(has_filters.then(|| Filtered { routed: routed.clone(), position }))
}

impl<S> Dispatch<S> {
    /// Runs the filters of the backend.
    ///
    /// # Spec
    /// HRB-18, FLT-11.
    fn filter<B, RB>(&mut self, request: Request<B>, chosen: Filtered) -> DispatchFuture<S::Future>
    where
        S: Service<Request<B>, Response = Response<RB>>,
    {
        let Filtered { routed, position } = chosen;
        let (mut parts, body) = request.into_parts();
        // Those of the rule's filters, so that CORS and path modifiers see the request as the client sent it.
        let mut edits = parts.extensions.remove::<RequestEdits>().unwrap_or_default();
        let filters = routed.rule().filters_of(position);
        let context = routed.filter_context();
        let verdict =
            filter::on_request(filters, &context, &mut parts, &mut edits, &mut || fastrand::u64(..));
        let mirrors = mem::take(&mut edits.mirrors);
        let on_answer = OnAnswer::backend(routed, position, edits);
        match verdict {
            Verdict::Continue => {
                if !mirrors.is_empty() {
                    let mut copies = RequestEdits::default();
                    copies.mirrors = mirrors;
                    parts.extensions.insert(copies);
                }
                let future = self.inner.call(Request::from_parts(parts, body));
                DispatchFuture::forwarded(future, Some(on_answer))
            }
            Verdict::Respond(response) => DispatchFuture::answered(response, on_answer),
            Verdict::Fail => DispatchFuture::failed(on_answer),
        }
    }
}
