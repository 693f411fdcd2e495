//! Backends that answer with what they received, as JSON: what the demo and the tests route to.
//!
//! | path ends with | answer |
//! | --- | --- |
//! | `/delay?ms=N` | the same after N milliseconds, at most a minute |
//! | `/status/N` | the same with status N |
//! | `/flaky?fail=N&key=K` | 503 for the first N requests with this key, then the same with status 200 |
//! | `/received` | what the backend received so far, except these requests |
//! | any, as a WebSocket | every message comes back |
//!
//! Each backend speaks HTTP/1.1 and HTTP/2 without TLS on a port of the loopback interface, for as long as the value lives.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use axum::Json;
use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, request};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How many requests a backend remembers.
const REMEMBERED: usize = 100;

/// How many keys of `/flaky` a backend remembers.
const FLAKY_KEYS: usize = 1000;

/// The longest that `/delay` waits.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// A backend that answers with what it received. Stops when dropped.
pub struct EchoBackend {
    address: SocketAddr,
    memory: Arc<Memory>,
    task: JoinHandle<()>,
}

/// What a backend knows: its name, and what it received.
struct Memory {
    name: String,
    received: Mutex<Received>,
}

#[derive(Default)]
struct Received {
    total: u64,
    last: VecDeque<Value>,
    flaky: HashMap<String, u64>,
}

// === impl EchoBackend ===

impl EchoBackend {
    /// Starts a backend on a free port of the loopback interface.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(name: impl Into<String>) -> io::Result<Self> {
        Self::start_at(name, Ipv4Addr::LOCALHOST.into()).await
    }

    /// Starts a backend on a free port of this address: an EndpointSlice of a cluster may have none of the loopback interface.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start_at(name: impl Into<String>, ip: IpAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((ip, 0)).await?;
        let address = listener.local_addr()?;
        let memory = Arc::new(Memory { name: name.into(), received: Mutex::default() });
        let app = Router::new().fallback(answer).with_state(memory.clone());
        let task = tokio::spawn(async move {
            // Only a listener that cannot be polled ends this, and then there is nothing left to do.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, memory, task })
    }

    /// The name that its answers carry.
    pub fn name(&self) -> &str {
        &self.memory.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it received.
    pub fn total(&self) -> u64 {
        self.memory.received().total
    }

    /// The last requests that it received, the oldest first, each as its answer shows it.
    pub fn received(&self) -> Vec<Value> {
        self.memory.received().last.iter().cloned().collect()
    }
}

impl Drop for EchoBackend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for EchoBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EchoBackend")
            .field("name", &self.name())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

// === impl Memory ===

impl Memory {
    fn received(&self) -> std::sync::MutexGuard<'_, Received> {
        // A thread that panicked with the lock left counters behind, and those are good enough.
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, request: Value) {
        let mut received = self.received();
        received.total += 1;
        if received.last.len() == REMEMBERED {
            received.last.pop_front();
        }
        received.last.push_back(request);
    }

    /// Whether the next request with this key fails.
    fn fails(&self, key: &str, failures: u64) -> bool {
        let mut received = self.received();
        if received.flaky.len() >= FLAKY_KEYS {
            received.flaky.clear();
        }
        let seen = received.flaky.entry(key.to_owned()).or_default();
        *seen += 1;
        *seen <= failures
    }
}

async fn answer(
    State(memory): State<Arc<Memory>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if path.ends_with("/received") {
        let received = memory.received();
        let last: Vec<_> = received.last.iter().cloned().collect();
        return Json(json!({ "backend": memory.name, "total": received.total, "last": last }))
            .into_response();
    }
    let read = read(body).await;
    let seen = describe(&memory.name, &parts, read);
    memory.remember(seen.clone());
    if let Ok(upgrade) = upgrade {
        return upgrade.on_upgrade(echo_messages);
    }

    let query = parts.uri.query().unwrap_or_default();
    let mut status = StatusCode::OK;
    if path.ends_with("/delay") {
        let wanted = number(query, "ms").map_or(Duration::ZERO, Duration::from_millis);
        tokio::time::sleep(wanted.min(LONGEST_DELAY)).await;
    } else if path.ends_with("/flaky") {
        if memory.fails(param(query, "key").unwrap_or_default(), number(query, "fail").unwrap_or(1)) {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
    } else if let Some((_, wanted)) = path.rsplit_once("/status/") {
        // Below 200 an answer is not the last one, and hyper refuses to send it as such.
        let wanted = wanted.parse().ok().filter(|status| (200..=999).contains(status));
        status =
            wanted.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::BAD_REQUEST);
    }
    (status, [("x-backend", memory.name.clone())], Json(seen)).into_response()
}

/// How long the body is; the text itself is not kept.
async fn read(mut body: axum::body::Body) -> usize {
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        length += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
    length
}

/// The request as the answer shows it.
fn describe(backend: &str, parts: &request::Parts, body_bytes: usize) -> Value {
    let mut headers = Map::new();
    for name in parts.headers.keys() {
        let values: Vec<_> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        headers.insert(name.to_string(), json!(values.join(", ")));
    }
    let host = match parts.uri.authority() {
        Some(authority) => Some(authority.to_string()),
        None => headers.get("host").and_then(Value::as_str).map(str::to_owned),
    };
    json!({
        "backend": backend,
        "method": parts.method.as_str(),
        "path": parts.uri.path(),
        "query": parts.uri.query(),
        "host": host,
        "protocol": format!("{:?}", parts.version),
        "headers": headers,
        "bodyBytes": body_bytes,
    })
}

async fn echo_messages(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            Message::Text(_) | Message::Binary(_) => message,
            // Answered by the library, before it takes the next one; after a close there is none.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

fn param<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn number(query: &str, name: &str) -> Option<u64> {
    param(query, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_client::get;

    #[tokio::test]
    async fn answers_with_what_it_received() {
        let echo = EchoBackend::start("cart").await.unwrap();
        let (status, body) = get(echo.address(), "/a/b?c=d").await;
        assert_eq!(status, 200);
        assert_eq!(body["backend"], "cart");
        assert_eq!(body["method"], "GET");
        assert_eq!(body["path"], "/a/b");
        assert_eq!(body["query"], "c=d");
        assert_eq!(body["host"], echo.address().to_string());
        assert_eq!((echo.total(), echo.received()), (1, vec![body]));
    }

    #[tokio::test]
    async fn answers_with_the_status_that_is_asked_for() {
        let echo = EchoBackend::start("cart").await.unwrap();
        for (path, status) in
            [("/status/503", 503), ("/x/status/204", 204), ("/status/100", 400), ("/status/x", 400)]
        {
            assert_eq!(get(echo.address(), path).await.0, status, "{path}");
        }
    }

    #[tokio::test]
    async fn fails_as_often_as_asked_for_and_then_answers() {
        let echo = EchoBackend::start("cart").await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(get(echo.address(), "/flaky?fail=2&key=a").await.0);
        }
        assert_eq!(statuses, [503, 503, 200]);
        assert_eq!(get(echo.address(), "/flaky?fail=2&key=b").await.0, 503, "keys are counted apart");
    }

    #[tokio::test]
    async fn tells_what_it_received_and_forgets_the_oldest() {
        let echo = EchoBackend::start("cart").await.unwrap();
        for i in 0..REMEMBERED + 2 {
            get(echo.address(), &format!("/{i}")).await;
        }
        let (_, body) = get(echo.address(), "/received").await;
        assert_eq!(body["total"], REMEMBERED + 2);
        assert_eq!(body["last"][0]["path"], "/2");
    }
}
