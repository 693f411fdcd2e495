//! One line for each request, written when its answer has been sent to the end, or was given up.
//!
//! The events are those of the `tracing` crate with the target `access`; who sets up the subscriber decides on their form.
//! The layer is around the whole [`Gateway`](gateway_tower::Gateway), whose answers carry an
//! [`Outcome`]: the rule, the table, the endpoint, and the reason where the gateway answered itself.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use gateway_tower::{AnsweredBy, Connection, Outcome};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::Service;

/// The target of the events.
pub const TARGET: &str = "access";

/// A service whose requests are logged.
#[derive(Clone, Debug)]
pub struct AccessLog<S> {
    inner: S,
    connection: Arc<Connection>,
}

pin_project! {
    /// The answer of a service whose requests are logged.
    #[derive(Debug)]
    pub struct AccessLogFuture<F> {
        #[pin]
        inner: F,
        entry: Option<Box<Entry>>,
    }
}

pin_project! {
    /// The body of an answer; its end is the time for the line.
    #[derive(Debug)]
    pub struct LoggedBody<B> {
        #[pin]
        body: B,
        entry: Option<Box<Entry>>,
    }

    impl<B> PinnedDrop for LoggedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            if let Some(entry) = this.project().entry.take() {
                entry.write(false);
            }
        }
    }
}

/// What the line will say.
#[derive(Debug)]
struct Entry {
    start: Instant,
    peer: Option<SocketAddr>,
    method: Method,
    uri: Uri,
    host: Option<String>,
    version: Version,
    status: Option<StatusCode>,
    outcome: Outcome,
    bytes: u64,
}

// === impl AccessLog ===

impl<S> AccessLog<S> {
    /// Logs the requests of `inner` that come in on `connection`.
    pub fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }
}

impl<S, B, RB> Service<Request<B>> for AccessLog<S>
where
    S: Service<Request<B>, Response = Response<RB>>,
    RB: Body<Data = Bytes>,
{
    type Response = Response<LoggedBody<RB>>;
    type Error = S::Error;
    type Future = AccessLogFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let entry = Entry {
            start: Instant::now(),
            peer: self.connection.peer,
            method: request.method().clone(),
            uri: request.uri().clone(),
            host: host(request.uri(), request.headers()),
            version: request.version(),
            status: None,
            outcome: Outcome::default(),
            bytes: 0,
        };
        AccessLogFuture { inner: self.inner.call(request), entry: Some(Box::new(entry)) }
    }
}

fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match uri.authority() {
        Some(authority) => Some(authority.to_string()),
        None => headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned()),
    }
}

// === impl AccessLogFuture ===

impl<F, RB, E> Future for AccessLogFuture<F>
where
    F: Future<Output = Result<Response<RB>, E>>,
    RB: Body<Data = Bytes>,
{
    type Output = Result<Response<LoggedBody<RB>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut entry = this.entry.take();
        if let Some(entry) = &mut entry {
            entry.status = Some(response.status());
            entry.outcome = response.extensions().get::<Outcome>().cloned().unwrap_or_default();
        }
        Poll::Ready(Ok(response.map(|body| LoggedBody { body, entry })))
    }
}

// === impl LoggedBody ===

impl<B: Body<Data = Bytes>> Body for LoggedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(cx));
        if let (Some(entry), Some(Ok(frame))) = (this.entry.as_mut(), &frame) {
            entry.bytes += frame.data_ref().map_or(0, |data| data.remaining() as u64);
        }
        let ended = match &frame {
            None => true,
            Some(Ok(_)) => this.body.is_end_stream(),
            Some(Err(_)) => false,
        };
        if ended && let Some(entry) = this.entry.take() {
            entry.write(true);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        // An empty body may never be polled; then the line is written when it is dropped.
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

// === impl Entry ===

impl Entry {
    fn write(self: Box<Self>, ended: bool) {
        let Self { start, peer, method, uri, host, version, status, outcome, bytes } = *self;
        let rule = outcome.routed.as_ref().map(|routed| &routed.rule().id);
        let (answered_by, reason) = match &outcome.answered_by {
            AnsweredBy::Backend => ("backend", None),
            AnsweredBy::Filter => ("filter", None),
            AnsweredBy::Gateway(refusal) => ("gateway", Some(with_causes(refusal))),
        };
        let backend = outcome.routed.as_ref().and_then(|routed| routed.backend());
        // A body that was not asked for to its end had none: HEAD, 204, 304.
        let complete = ended || bytes == 0;
        tracing::info!(
            target: TARGET,
            peer = peer.map(tracing::field::display),
            method = method.as_str(),
            host,
            path = uri.path(),
            query = uri.query(),
            protocol = ?version,
            status = status.map(|status| status.as_u16()),
            duration_ms = start.elapsed().as_micros() as f64 / 1000.0,
            bytes,
            complete,
            listener = outcome.listener().map(tracing::field::display),
            route = rule.map(|rule| tracing::field::display(&rule.route)),
            rule = rule.map(|rule| match &rule.name {
                Some(name) => name.to_string(),
                None => rule.index.to_string(),
            }),
            generation = outcome.table().map(|table| table.generation()),
            backend = backend.map(|backend| format!("{}:{}", backend.service, backend.port)),
            endpoint = outcome.endpoint().map(tracing::field::display),
            retries = outcome.retries,
            answered_by,
            reason,
        );
    }
}

/// An error with what caused it.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors repeat their cause.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// How access logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Not at all.
    #[default]
    Off,
    /// As `name=value`.
    Text,
    /// As an object of JSON.
    Json,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "off",
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
