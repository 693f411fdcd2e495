//! The lines of requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, Uri, Version, header};
use http_body::Body;

use super::causes::with_causes;
use super::target::TARGET;
use crate::connection::Connection;
use crate::observe::{ObserveRequest, ObserveRequests, RequestsLayer};
use crate::outcome::Outcome;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Logs the requests of one connection.
#[derive(Clone, Debug)]
pub struct AccessLog {
    connection: Arc<Connection>,
}

/// A request that will have its line.
#[derive(Debug)]
pub struct LoggedRequest(Box<Entry>);

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
    /// How a call of gRPC ended, as its answer says: in its head, if that is all of it, and else in its trailers.
    grpc_status: Option<u16>,
    outcome: Outcome,
    bytes: u64,
    /// Whether the body was known to be empty when the answer began.
    empty: bool,
}

// === impl AccessLog ===

impl AccessLog {
    /// Logs requests that come in on `connection`.
    pub fn layer(connection: Arc<Connection>) -> RequestsLayer<Self> {
        RequestsLayer::new(Self { connection })
    }
}

impl ObserveRequests for AccessLog {
    type Request = LoggedRequest;

    fn begin<B>(&self, request: &mut Request<B>) -> LoggedRequest {
        LoggedRequest(Box::new(Entry {
            start: Instant::now(),
            peer: self.connection.peer,
            method: request.method().clone(),
            uri: request.uri().clone(),
            host: host(request.uri(), request.headers()),
            version: request.version(),
            status: None,
            grpc_status: None,
            outcome: Outcome::default(),
            bytes: 0,
            empty: false,
        }))
    }
}

fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    match uri.authority() {
        Some(authority) => Some(authority.to_string()),
        None => headers.get(header::HOST).map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned()),
    }
}

// === impl LoggedRequest ===

impl ObserveRequest for LoggedRequest {
    fn answered<B: Body>(&mut self, response: &Response<B>) {
        let Self(entry) = self;
        entry.status = Some(response.status());
        entry.grpc_status = grpc_status(response.headers());
        entry.empty = response.body().is_end_stream();
        entry.outcome = response.extensions().get::<Outcome>().cloned().unwrap_or_default();
    }

    fn sent(&mut self, bytes: usize) {
        self.0.bytes += bytes as u64;
    }

    fn trailers(&mut self, trailers: &HeaderMap) {
        self.0.grpc_status = grpc_status(trailers).or(self.0.grpc_status);
    }

    fn end(self, is_whole: bool) {
        let Self(entry) = self;
        let is_whole = is_whole || entry.has_no_body();
        entry.write(is_whole);
    }
}

// === impl Entry ===

impl Entry {
    /// Whether the answer consists of its head, and its body is therefore never asked for.
    fn has_no_body(&self) -> bool {
        let Some(status) = self.status else { return false };
        let of_status = matches!(
            status,
            StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        );
        of_status || self.method == Method::HEAD || self.empty
    }

    /// Writes the line; `ended` is whether the answer was sent to its end.
    fn write(self: Box<Self>, ended: bool) {
        let Self { start, peer, method, uri, host, version, status, grpc_status, outcome, bytes, empty: _ } =
            *self;
        let rule = outcome.routed.as_ref().map(|routed| &routed.rule().id);
        let reason = outcome.refusal().map(|refusal| with_causes(refusal));
        let backend = outcome.routed.as_ref().and_then(|routed| routed.backend());
        // A text, and so quoted in a line: an XBackend has its kind before its name.
        let backend = backend.map(ToString::to_string);
        let backend = backend.or_else(|| outcome.unresolved_backend().map(ToString::to_string));
        tracing::info!(
            target: TARGET,
            peer = peer.map(tracing::field::display),
            method = method.as_str(),
            host,
            path = uri.path(),
            query = uri.query(),
            protocol = ?version,
            status = status.map(|status| status.as_u16()),
            grpc_status,
            duration_ms = start.elapsed().as_micros() as f64 / 1000.0,
            bytes,
            complete = ended,
            listener = outcome.listener().map(tracing::field::display),
            route = rule.map(|rule| tracing::field::display(&rule.route.name)),
            rule = rule.map(|rule| match &rule.name {
                Some(name) => name.to_string(),
                None => rule.index.to_string(),
            }),
            generation = outcome.table().map(|table| table.generation()),
            backend,
            endpoint = outcome.endpoint().map(tracing::field::display),
            retries = outcome.retries,
            answered_by = outcome.answered_by.as_str(),
            reason,
        );
    }
}

/// The status of a call of gRPC.
fn grpc_status(headers: &HeaderMap) -> Option<u16> {
    headers.get(GRPC_STATUS)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
#[path = "../../tests/lines/mod.rs"]
mod lines;

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use bytes::Bytes;
    use futures_util::FutureExt;
    use gateway_core::name::ObjectName;
    use http::HeaderValue;
    use http_body_util::{BodyExt, Empty, Full};
    use serde_json::Value;
    use tower::{Layer, ServiceExt, service_fn};

    use super::lines::Lines;
    use super::*;

    /// The one line, and none after it.
    fn the_line(lines: &Lines) -> Value {
        serde_json::from_str(&lines.take()).expect("one line")
    }

    fn request(method: Method) -> Request<Empty<Bytes>> {
        Request::builder().method(method).uri("/a").body(Empty::new()).unwrap()
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_has_a_line_and_is_not_complete() {
        let lines = Lines::default();
        let subscriber =
            tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let connection = Arc::new(Connection::new(ObjectName::new("default", "web"), 80));

        let never = service_fn(|_| pending::<Result<Response<Full<Bytes>>, Infallible>>());
        let waiting = AccessLog::layer(connection.clone()).layer(never).oneshot(request(Method::GET));
        assert!(waiting.now_or_never().is_none());
        let line = the_line(&lines);
        assert_eq!((&line["status"], &line["complete"]), (&Value::Null, &false.into()), "{line}");

        let answers = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("body"))));
        let log = AccessLog::layer(connection).layer(answers);
        for (method, complete) in [(Method::GET, false), (Method::HEAD, true)] {
            // Dropped before any of its body was asked for, as a server does with an answer to HEAD.
            drop(log.clone().oneshot(request(method.clone())).await);
            assert_eq!(the_line(&lines)["complete"], complete, "{method}");
        }
        let Ok(whole) = log.oneshot(request(Method::GET)).await;
        whole.into_body().collect().await.unwrap();
        let line = the_line(&lines);
        assert_eq!((&line["complete"], &line["grpc_status"]), (&true.into(), &Value::Null), "{line}");
    }

    // GRP-18
    #[tokio::test]
    async fn how_a_call_ended_is_said_by_trailers_or_by_the_head_of_an_answer_without_a_body() {
        let lines = Lines::default();
        let subscriber =
            tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let connection = Arc::new(Connection::new(ObjectName::new("default", "web"), 80));
        let status =
            |code: &'static str| HeaderMap::from_iter([(GRPC_STATUS, HeaderValue::from_static(code))]);
        for (head, trailers, expected) in [("12", None, 12), ("0", Some("14"), 14)] {
            let answers = service_fn(async |_| {
                let trailers = trailers.map(|code| Ok(status(code)));
                let body = Full::<Bytes>::from("answer").with_trailers(std::future::ready(trailers));
                let mut response = Response::new(body);
                *response.headers_mut() = status(head);
                Ok::<_, Infallible>(response)
            });
            let Ok(answer) =
                AccessLog::layer(connection.clone()).layer(answers).oneshot(request(Method::POST)).await;
            answer.into_body().collect().await.unwrap();
            let line = the_line(&lines);
            assert_eq!((&line["status"], &line["grpc_status"]), (&200.into(), &expected.into()), "{line}");
        }
    }
}
