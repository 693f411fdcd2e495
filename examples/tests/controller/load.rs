//! Clients that send requests and messages all the time, by a Service that knows who is ready.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{PATIENCE, try_send};
use crate::program::Controller;

/// How often the Service looks whether a replica is ready.
const PROBE: Duration = Duration::from_millis(50);

/// A Service as clients see it: connections go to the replicas that are ready.
#[derive(Clone, Default)]
pub(crate) struct Service(Arc<Mutex<BTreeSet<SocketAddr>>>);

/// Clients of a Service, from their start to their end.
pub(crate) struct Load {
    seen: Arc<Seen>,
    clients: Vec<JoinHandle<()>>,
    begun: Instant,
}

/// What clients have seen.
#[derive(Default)]
struct Seen {
    ends: AtomicBool,
    answers: AtomicU64,
    connections: AtomicU64,
    messages: AtomicU64,
    sockets: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// How a client sends its requests.
#[derive(Clone, Copy, Debug)]
struct Client {
    path: &'static str,
    /// How long it rests after an answer.
    rest: Duration,
    http2: bool,
}

// === impl Service ===

impl Service {
    /// Adds a replica as long as it says that it is ready.
    pub(crate) fn follow(&self, replica: &Controller, address: SocketAddr) -> JoinHandle<()> {
        let (ready, admin) = (self.0.clone(), replica.gateway.admin());
        tokio::spawn(async move {
            loop {
                let probe = Request::get("/readyz").header("host", "localhost").body("").unwrap();
                let answer = timeout(Duration::from_secs(5), try_send(admin, probe)).await;
                let is_ready = matches!(answer, Ok(Ok(answer)) if answer.status() == 200);
                {
                    let mut ready = ready.lock().unwrap();
                    if is_ready {
                        ready.insert(address)
                    } else {
                        ready.remove(&address)
                    };
                }
                sleep(PROBE).await;
            }
        })
    }

    /// Waits until so many replicas are ready.
    pub(crate) async fn until_ready(&self, replicas: usize) {
        while self.0.lock().unwrap().len() != replicas {
            sleep(PROBE).await;
        }
    }

    /// Where the connection of this number goes, as long as a replica is ready.
    fn pick(&self, number: u64) -> Option<SocketAddr> {
        let ready = self.0.lock().unwrap();
        let index = usize::try_from(number).unwrap() % ready.len().max(1);
        ready.iter().nth(index).copied()
    }
}

// === impl Load ===

impl Load {
    /// Starts requests that are short and long, over connections that are busy and idle, and WebSockets.
    pub(crate) fn start(service: &Service) -> Self {
        let seen = Arc::new(Seen::default());
        let mut clients = Vec::new();
        let milliseconds = Duration::from_millis;
        for (path, rest, http2, number) in [
            ("/", milliseconds(2), false, 3),
            ("/", milliseconds(300), false, 3),
            ("/delay?ms=400", milliseconds(5), false, 3),
            ("/", milliseconds(5), true, 2),
            ("/delay?ms=400", milliseconds(50), true, 2),
        ] {
            let client = Client { path, rest, http2 };
            clients
                .extend((0..number).map(|_| tokio::spawn(requests(client, service.clone(), seen.clone()))));
        }
        clients.extend((0..3).map(|_| tokio::spawn(web_sockets(service.clone(), seen.clone()))));
        Self { seen, clients, begun: Instant::now() }
    }

    /// Waits until so many more requests are answered than now.
    pub(crate) async fn until_answered(&self, more: u64) {
        let answers = || self.seen.answers.load(Ordering::Relaxed);
        let (start, wanted) = (Instant::now(), answers() + more);
        while answers() < wanted {
            assert!(start.elapsed() < PATIENCE, "{} of {wanted} requests are answered", answers());
            sleep(PROBE).await;
        }
    }

    /// Sees to it that nothing has failed so far.
    pub(crate) fn check(&self, when: &str) {
        let failures = self.seen.failures.lock().unwrap();
        assert!(failures.is_empty(), "{when}: {} failures: {failures:#?}", failures.len());
    }

    /// Ends the clients, sees to it that nothing has failed, and says what there was while `this` was done.
    pub(crate) async fn end(mut self, this: &str) {
        self.seen.ends.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            timeout(PATIENCE, client).await.unwrap().unwrap();
        }
        self.check("at the end");
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let seen = &self.seen;
        eprintln!(
            "{this} in {:?}: {} requests over {} connections, {} WebSockets with {} messages, no failure",
            self.begun.elapsed(),
            count(&seen.answers),
            count(&seen.connections),
            count(&seen.sockets),
            count(&seen.messages)
        );
        assert!(count(&seen.sockets) > 0 && count(&seen.answers) > 100);
    }
}

// === impl Seen ===

impl Seen {
    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    fn fail(&self, what: impl std::fmt::Display) {
        self.failures.lock().unwrap().push(what.to_string());
    }

    fn connect(&self, service: &Service) -> SocketAddr {
        service.pick(self.connections.fetch_add(1, Ordering::Relaxed)).expect("a replica is ready")
    }

    fn answered(&self, status: http::StatusCode) {
        if status == 200 {
            self.answers.fetch_add(1, Ordering::Relaxed);
        } else {
            self.fail(format!("an answer with {status}"));
        }
    }
}

/// Sends requests over one connection until that ends, and then over another.
async fn requests(client: Client, service: Service, seen: Arc<Seen>) {
    while seen.goes_on() {
        let address = seen.connect(&service);
        if let Err(error) = connection(client, address, &seen).await {
            seen.fail(format!("{client:?} to {address}: {error:?}"));
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

async fn connection(client: Client, address: SocketAddr, seen: &Seen) -> Result<(), BoxError> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let request = || {
        let uri = format!("http://www.example.com{}", client.path);
        let uri = if client.http2 { uri } else { client.path.to_owned() };
        let request = Request::get(uri).header(header::HOST, "www.example.com");
        request.body(Empty::<Bytes>::new()).unwrap()
    };
    if client.http2 {
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        while seen.goes_on() && sender.ready().await.is_ok() {
            let response = match sender.try_send_request(request()).await {
                Ok(response) => response,
                // The GOAWAY came first: nothing was sent of the request, or nothing of it is looked at.
                Err(error) if error.message().is_some() => break,
                Err(error) => match error.into_error() {
                    error if is_go_away(&error) => break,
                    error => return Err(format!("{error:?}").into()),
                },
            };
            seen.answered(response.status());
            response.into_body().collect().await?;
            sleep(client.rest).await;
        }
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        // The connection ends after an answer that says so, and with nothing but that: each request has to be answered.
        while seen.goes_on() {
            sender.ready().await?;
            let response = sender.send_request(request()).await?;
            seen.answered(response.status());
            let ends = response.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
            response.into_body().collect().await?;
            if ends {
                break;
            }
            sleep(client.rest).await;
        }
    }
    Ok(())
}

/// Whether a request is refused because the server goes away, which says so as one does who ends in peace.
fn is_go_away(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    cause.is_some_and(|cause| {
        cause.is_go_away() && cause.is_remote() && cause.reason() == Some(h2::Reason::NO_ERROR)
    })
}

/// Opens WebSockets that last for a second, one after the other; each must end as its client wants it to.
async fn web_sockets(service: Service, seen: Arc<Seen>) {
    while seen.goes_on() {
        let address = seen.connect(&service);
        match web_socket(address, &seen).await {
            Ok(()) => _ = seen.sockets.fetch_add(1, Ordering::Relaxed),
            Err(error) => seen.fail(format!("a WebSocket to {address}: {error}")),
        }
    }
}

async fn web_socket(address: SocketAddr, seen: &Seen) -> Result<(), BoxError> {
    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/chat")).await?;
    for index in 0..20 {
        let message = Message::text(index.to_string());
        socket.send(message.clone()).await?;
        let answer = socket.next().await.ok_or("it was closed")??;
        if answer != message {
            return Err(format!("{answer:?} came for {message:?}").into());
        }
        seen.messages.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(50)).await;
    }
    socket.close(None).await?;
    while let Some(message) = socket.next().await {
        message?;
    }
    Ok(())
}
