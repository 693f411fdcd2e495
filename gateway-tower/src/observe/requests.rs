//! Requests, from outside of a gateway.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Is told of the requests of a connection.
pub trait ObserveRequests {
    /// What is remembered of a request until its end.
    type Request: ObserveRequest;

    /// A request begins. What is put into its extensions is found there by all that is within.
    fn begin<B>(&self, request: &mut Request<B>) -> Self::Request;
}

/// Is told what becomes of a request: its [`end`](Self::end), always and once, and before it in most cases its answer.
pub trait ObserveRequest {
    /// The answer begins; the [`Outcome`](crate::outcome::Outcome) in its extensions says whose it is.
    fn answered<B: Body>(&mut self, response: &Response<B>);

    /// So many bytes of the answer's body are passed on.
    fn sent(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// The trailers of the answer are passed on, in which a call of gRPC says how it ended.
    fn trailers(&mut self, trailers: &HeaderMap) {
        let _ = trailers;
    }

    /// The request is over. It is not whole if it was given up before it had an answer, or before the answer was asked for to its
    /// end; no server asks for the body of an answer that [has none](Body::is_end_stream), or that is one to `HEAD`.
    fn end(self, is_whole: bool);
}

/// Tells an observer of requests, around a whole [`Gateway`](crate::Gateway).
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::{Arc, Mutex};
/// use bytes::Bytes;
/// use gateway_tower::observe::{ObserveRequest, ObserveRequests, RequestsLayer};
/// use http::{Request, Response};
/// use http_body::Body;
/// use http_body_util::{BodyExt, Full};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// /// Writes a line for each request, when it is over.
/// #[derive(Clone, Default)]
/// struct Log(Arc<Mutex<Vec<String>>>);
///
/// struct Entry {
///     log: Log,
///     path: String,
///     bytes: usize,
/// }
///
/// impl ObserveRequests for Log {
///     type Request = Entry;
///
///     fn begin<B>(&self, request: &mut Request<B>) -> Entry {
///         Entry { log: self.clone(), path: request.uri().path().to_owned(), bytes: 0 }
///     }
/// }
///
/// impl ObserveRequest for Entry {
///     fn answered<B: Body>(&mut self, _: &Response<B>) {}
///
///     fn sent(&mut self, bytes: usize) {
///         self.bytes += bytes;
///     }
///
///     fn end(self, is_whole: bool) {
///         let Self { log, path, bytes } = self;
///         let end = if is_whole { "to the end" } else { "given up" };
///         log.0.lock().unwrap().push(format!("{path}: {bytes} bytes, {end}"));
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let log = Log::default();
/// // In the place of a gateway, a service that always answers alike.
/// let gateway = ServiceBuilder::new().layer(RequestsLayer::new(log.clone())).service_fn(async |_: Request<()>| {
///     Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
/// });
/// let Ok(answer) = gateway.clone().oneshot(Request::get("/read").body(()).unwrap()).await;
/// answer.into_body().collect().await.unwrap();
/// let Ok(answer) = gateway.oneshot(Request::get("/dropped").body(()).unwrap()).await;
/// drop(answer);
/// assert_eq!(*log.0.lock().unwrap(), ["/read: 5 bytes, to the end", "/dropped: 0 bytes, given up"]);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RequestsLayer<O> {
    observer: O,
}

/// Tells an observer of requests.
#[derive(Clone, Debug)]
pub struct Requests<O, S> {
    inner: S,
    observer: O,
}

pin_project! {
    /// The answer to a request that is observed.
    #[derive(Debug)]
    pub struct RequestsFuture<R: ObserveRequest, F> {
        #[pin]
        inner: F,
        request: Option<R>,
    }

    impl<R: ObserveRequest, F> PinnedDrop for RequestsFuture<R, F> {
        fn drop(this: Pin<&mut Self>) {
            // The client went before there was an answer.
            if let Some(request) = this.project().request.take() {
                request.end(false);
            }
        }
    }
}

pin_project! {
    /// The body of an answer, whose end is the end of the request.
    #[derive(Debug)]
    pub struct RequestsBody<R: ObserveRequest, B> {
        #[pin]
        body: B,
        request: Option<R>,
    }

    impl<R: ObserveRequest, B> PinnedDrop for RequestsBody<R, B> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(request) = this.project().request.take() {
                request.end(false);
            }
        }
    }
}

// === impl RequestsLayer ===

impl<O> RequestsLayer<O> {
    /// Tells this observer.
    pub fn new(observer: O) -> Self {
        Self { observer }
    }
}

impl<O: Clone, S> Layer<S> for RequestsLayer<O> {
    type Service = Requests<O, S>;

    fn layer(&self, inner: S) -> Requests<O, S> {
        Requests { inner, observer: self.observer.clone() }
    }
}

// === impl Requests ===

impl<O, S, B, RB> Service<Request<B>> for Requests<O, S>
where
    O: ObserveRequests,
    S: Service<Request<B>, Response = Response<RB>>,
    RB: Body,
{
    type Response = Response<RequestsBody<O::Request, RB>>;
    type Error = S::Error;
    type Future = RequestsFuture<O::Request, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let observed = self.observer.begin(&mut request);
        RequestsFuture { inner: self.inner.call(request), request: Some(observed) }
    }
}

// === impl RequestsFuture ===

impl<R, F, RB, E> Future for RequestsFuture<R, F>
where
    R: ObserveRequest,
    F: Future<Output = Result<Response<RB>, E>>,
    RB: Body,
{
    type Output = Result<Response<RequestsBody<R, RB>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // What fails ends without an answer when this is dropped.
        let response = ready!(this.inner.poll(cx))?;
        let mut request = this.request.take();
        if let Some(request) = &mut request {
            request.answered(&response);
        }
        Poll::Ready(Ok(response.map(|body| RequestsBody { body, request })))
    }
}

// === impl RequestsBody ===

impl<R: ObserveRequest, B: Body> Body for RequestsBody<R, B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if let Some(request) = this.request
            && let Some(Ok(frame)) = &frame
        {
            if let Some(data) = frame.data_ref() {
                request.sent(data.remaining());
            } else if let Some(trailers) = frame.trailers_ref() {
                request.trailers(trailers);
            }
        }
        let end = match &frame {
            Some(Ok(_)) => this.body.is_end_stream().then_some(true),
            Some(Err(_)) => Some(false),
            None => Some(true),
        };
        if let Some(is_whole) = end
            && let Some(request) = this.request.take()
        {
            request.end(is_whole);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
