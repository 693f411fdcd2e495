//! Attempts at backends, from within a gateway.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::outcome::{IntoRefused, Refusal, Refused};

/// Is told of the attempts of a gateway at its backends.
pub trait ObserveAttempts {
    /// What is remembered of an attempt until its answer begins.
    type Attempt: ObserveAttempt;

    /// An attempt begins: the request has a [`Routed`](crate::Routed) in its extensions, which says at which endpoint. Nothing is
    /// observed of one for which this gives none.
    fn begin<B>(&self, request: &mut Request<B>) -> Option<Self::Attempt>;
}

/// Is told what becomes of an attempt. One that is dropped was given up: its client went, or the time of the whole request was over.
pub trait ObserveAttempt {
    /// What goes with the answer, or with the refusal in its place, to those who observe the
    /// [request](super::ObserveRequest::answered): they find it in the [outcome](crate::outcome::Outcome::note). Asked for just before the
    /// [end](Self::end); where there are several attempts, or several observers of one, the last word counts.
    fn note(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }

    /// An answer begins with this status, or there is none, and why.
    fn end(self, result: Result<StatusCode, &Refusal>);
}

/// Tells an observer of attempts, where a gateway has the layers [for each](crate::gateway::GatewayBuilder::per_attempt).
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// # use bytes::Bytes;
/// # use gateway_core::name::ObjectName;
/// # use gateway_core::rule::Retry;
/// use gateway_tower::observe::{ObserveAttempt, ObserveAttempts};
/// use gateway_tower::client::ConnectError;
/// use gateway_tower::outcome::Refusal;
/// use gateway_tower::{BoxError, Connection, Gateway, RequestBody, TableHandle};
/// use http::{Request, Response, StatusCode};
/// # use http_body_util::Full;
/// use tower::{ServiceExt, service_fn};
///
/// /// Counts the attempts that had no answer.
/// #[derive(Clone, Default)]
/// struct Unanswered(Arc<AtomicU64>);
///
/// impl ObserveAttempts for Unanswered {
///     type Attempt = Self;
///
///     fn begin<B>(&self, _: &mut Request<B>) -> Option<Self> {
///         Some(self.clone())
///     }
/// }
///
/// impl ObserveAttempt for Unanswered {
///     fn end(self, result: Result<StatusCode, &Refusal>) {
///         self.0.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
///     }
/// }
///
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documentation/table.rs"));
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let retry = Retry { codes: Box::default(), attempts: 2, backoff: std::time::Duration::ZERO };
/// # let table = table(|_, rule| rule.retry = Some(Box::new(retry)));
/// # let client = service_fn(async |_: Request<RequestBody<Full<Bytes>>>| -> Result<Response<Full<Bytes>>, BoxError> {
/// #     Err(ConnectError { endpoint: ([127, 0, 0, 1], 80).into(), cause: "refused".into() }.into())
/// # });
/// // The table has one rule, with two retries; its backend cannot be connected to.
/// let unanswered = Unanswered::default();
/// let gateway = Gateway::builder(TableHandle::new(table)).observe_attempts(unanswered.clone()).client(client);
/// # let connection = Arc::new(Connection::new(ObjectName::new("default", "gateway"), 80));
/// let request = Request::get("/shop").header("host", "example.com").body(Full::default()).unwrap();
/// let Ok(answer) = gateway.on(connection).oneshot(request).await;
/// assert_eq!((answer.status(), unanswered.0.load(Ordering::Relaxed)), (StatusCode::SERVICE_UNAVAILABLE, 3));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AttemptsLayer<O> {
    observer: O,
}

/// Tells an observer of attempts.
#[derive(Clone, Debug)]
pub struct Attempts<O, S> {
    inner: S,
    observer: O,
}

pin_project! {
    /// The end of an attempt that is observed.
    #[derive(Debug)]
    pub struct AttemptsFuture<A, F> {
        #[pin]
        inner: F,
        attempt: Option<A>,
    }
}

// === impl AttemptsLayer ===

impl<O> AttemptsLayer<O> {
    /// Tells this observer.
    pub fn new(observer: O) -> Self {
        Self { observer }
    }
}

impl<O: Clone, S> Layer<S> for AttemptsLayer<O> {
    type Service = Attempts<O, S>;

    fn layer(&self, inner: S) -> Attempts<O, S> {
        Attempts { inner, observer: self.observer.clone() }
    }
}

// === impl Attempts ===

impl<O, S, B, RB> Service<Request<B>> for Attempts<O, S>
where
    O: ObserveAttempts,
    S: Service<Request<B>, Response = Response<RB>>,
    S::Error: IntoRefused,
{
    type Response = Response<RB>;
    type Error = Refused;
    type Future = AttemptsFuture<O::Attempt, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        S::Error::refuse(self.inner.poll_ready(cx))
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let attempt = self.observer.begin(&mut request);
        AttemptsFuture { inner: self.inner.call(request), attempt }
    }
}

// === impl AttemptsFuture ===

impl<A, F, RB, E> Future for AttemptsFuture<A, F>
where
    A: ObserveAttempt,
    F: Future<Output = Result<Response<RB>, E>>,
    E: IntoRefused,
{
    type Output = Result<Response<RB>, Refused>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = E::refuse_from(|| this.inner.poll(cx));
        // An answer is large to move, even where there is none yet.
        let Poll::Ready(end) = &mut result else { return Poll::Pending };
        if let Some(attempt) = this.attempt.take() {
            if let Some(note) = attempt.note() {
                Refused::outcome_of(end.as_mut()).note = Some(note);
            }
            attempt.end(end.as_ref().map(Response::status).map_err(Refused::refusal));
        }
        result
    }
}
