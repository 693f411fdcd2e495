//! The service that mirrors.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use gateway_core::filter::MirrorCopy;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::copies;
use super::room::Room;
use crate::body::{BoxError, RequestBody};
use crate::observe::{Copied, ObserveMirrors};
use crate::routed::Routed;
use crate::upgrade;

/// Sends the copies that filters made of a request, and the request itself on.
///
/// `poll_ready` and the future are those of the service within; mirrors have no part in them.
#[derive(Clone, Debug)]
pub struct Mirror<S, M> {
    pub(super) inner: S,
    pub(super) mirror: M,
    pub(super) room: Room,
    pub(super) observer: Option<Arc<dyn ObserveMirrors>>,
}

// === impl Mirror ===

impl<S, M, B, MB> Service<Request<RequestBody<B>>> for Mirror<S, M>
where
    S: Service<Request<RequestBody<B>>>,
    M: Service<Request<RequestBody<B>>, Response = Response<MB>> + Clone + Send + 'static,
    M::Error: Into<BoxError>,
    M::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    MB: Body + Send,
    MB::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<RequestBody<B>>) -> S::Future {
        let copies = request.extensions_mut().get_mut().map(Routed::take_mirrors).unwrap_or_default();
        if !copies.is_empty() {
            self.mirror(&mut request, copies);
        }
        self.inner.call(request)
    }
}

impl<S, M> Mirror<S, M> {
    /// Starts the copies, and has the request copied to them. Out of line, to keep the way of a request without any short.
    #[inline(never)]
    fn mirror<B, MB>(&self, request: &mut Request<RequestBody<B>>, copies: Vec<MirrorCopy>)
    where
        M: Service<Request<RequestBody<B>>, Response = Response<MB>> + Clone + Send + 'static,
        M::Error: Into<BoxError>,
        M::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
        MB: Body + Send,
        MB::Error: Into<BoxError>,
    {
        let Some(routed) = request.extensions().get::<Routed>().cloned() else { return };
        if upgrade::is_requested(request.method(), request.headers()) {
            return;
        }
        let body = mem::take(request.body_mut());
        let mut senders = Vec::new();
        for MirrorCopy { backend, parts } in copies {
            let routed = routed.for_mirror(backend);
            let Some(room) = routed.backend().and_then(|backend| self.room.take(backend)) else {
                tracing::debug!("too many mirrors are under way; a copy is not sent");
                self.tell(&routed, Copied::Dropped);
                continue;
            };
            let body = copies::body(&body, &mut senders);
            let mut copy = Request::from_parts(parts, body);
            copy.extensions_mut().insert(routed.clone());
            let copied = copies::send(self.mirror.clone(), copy, room);
            self.tell(&routed, copied);
        }
        *request.body_mut() = body.copied_to(senders);
    }

    fn tell(&self, routed: &Routed, copied: Copied) {
        if let Some(observer) = &self.observer {
            observer.copied(routed, copied);
        }
    }
}
