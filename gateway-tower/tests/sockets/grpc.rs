//! Calls of gRPC, between the client and the server of tonic.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use gateway_tower::serve::ServeOptions;
use gateway_tower::upstream::UpstreamOptions;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response};
use tonic_prost::ProstCodec;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tower::{Service, service_fn as method};

use crate::world::{Client, LONG, Table, World, certificate, full};

type Codec = ProstCodec<String, String>;
type Messages = Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>;

/// A server of tonic: methods of each form, health and reflection.
struct Backend {
    address: SocketAddr,
    health: tonic_health::server::HealthReporter,
    /// Hears of each call to `Stall` that is given up.
    given_up: mpsc::UnboundedReceiver<()>,
}

/// Tells when it is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Backend {
    async fn start() -> Self {
        let (reporter, health) = tonic_health::server::health_reporter();
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()
            .expect("descriptors");
        let (guard, given_up) = mpsc::unbounded_channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (health, reflection, guard) = (health.clone(), reflection.clone(), guard.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (mut health, mut reflection) = (health.clone(), reflection.clone());
                    let guard = guard.clone();
                    async move {
                        let (service, called) = {
                            let mut parts = request.uri().path()[1..].split('/').map(str::to_owned);
                            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
                        };
                        match &*service {
                            "grpc.health.v1.Health" => health.call(request).await,
                            "grpc.reflection.v1.ServerReflection" => reflection.call(request).await,
                            _ => Ok::<_, Infallible>(serve(&called, request, guard).await),
                        }
                    }
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(async move {
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, health: reporter, given_up }
    }
}

/// One method of each form, and those that go wrong.
async fn serve(called: &str, request: Request<Incoming>, guard: mpsc::UnboundedSender<()>) -> Response<Body> {
    let mut grpc = tonic::server::Grpc::new(Codec::default());
    match called {
        "Unary" => {
            let unary = method(async |request: tonic::Request<String>| {
                let mut answer = tonic::Response::new(format!("{}!", request.get_ref()));
                for name in ["x-sent", "authorization"] {
                    if let Some(value) = request.metadata().get(name) {
                        answer.metadata_mut().insert("x-seen", value.clone());
                    }
                }
                Ok(answer)
            });
            grpc.unary(unary, request).await
        }
        "Fail" => {
            let fail = method(async |_: tonic::Request<String>| {
                let details = Bytes::from_static(b"\0\x01details");
                let mut status = Status::with_details(Code::FailedPrecondition, "100 % für nichts", details);
                status.metadata_mut().insert("x-trailer", MetadataValue::from_static("told"));
                Err::<tonic::Response<String>, _>(status)
            });
            grpc.unary(fail, request).await
        }
        "Gather" => {
            let gather = method(async |request: tonic::Request<Streaming<String>>| {
                let mut messages = request.into_inner();
                let mut all = String::new();
                while let Some(message) = messages.message().await? {
                    all += &message;
                }
                Ok(tonic::Response::new(all))
            });
            grpc.client_streaming(gather, request).await
        }
        "Spread" => {
            let spread = method(async |request: tonic::Request<String>| {
                let letters: Vec<_> =
                    request.get_ref().chars().map(|letter| Ok(letter.to_string())).collect();
                let last = Err(Status::with_details(Code::OutOfRange, "no more", Bytes::from_static(b"z")));
                Ok(tonic::Response::new(
                    Box::pin(stream::iter(letters).chain(stream::iter([last]))) as Messages
                ))
            });
            grpc.server_streaming(spread, request).await
        }
        "Chat" => {
            let chat = method(async |request: tonic::Request<Streaming<String>>| {
                let answers =
                    request.into_inner().map(|message| message.map(|message| format!("{message}!")));
                Ok(tonic::Response::new(Box::pin(answers) as Messages))
            });
            grpc.streaming(chat, request).await
        }
        "Stall" => {
            let _guard = Guard(guard);
            std::future::pending().await
        }
        "Begin" => {
            let begin = method(async |request: tonic::Request<String>| {
                let first = stream::iter([Ok(request.into_inner())]);
                Ok(tonic::Response::new(Box::pin(first.chain(stream::pending())) as Messages))
            });
            grpc.server_streaming(begin, request).await
        }
        _ => Status::unimplemented("no such method").into_http(),
    }
}

/// A connection of a client.
#[derive(Clone)]
struct Caller {
    sender: SendRequest<Body>,
    origin: Uri,
}

impl Caller {
    async fn over(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, origin: &str) -> Self {
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await;
        let (sender, connection) = handshake.expect("a handshake");
        tokio::spawn(connection);
        Self { sender, origin: origin.parse().expect("an origin") }
    }

    async fn to(world: &World) -> Self {
        Self::over(world.connect().await, "http://example.com").await
    }

    /// The client of a generated service.
    fn service(
        &self,
    ) -> impl Service<Request<Body>, Response = Response<Incoming>, Error = hyper::Error, Future: Send> + Clone
    {
        let sender = self.sender.clone();
        method(move |request| sender.clone().send_request(request))
    }

    async fn client(
        &self,
    ) -> Grpc<
        impl Service<Request<Body>, Response = Response<Incoming>, Error = hyper::Error, Future: Send> + Clone,
    > {
        let mut client = Grpc::with_origin(self.service(), self.origin.clone());
        client.ready().await.expect("the connection is open");
        client
    }

    async fn unary(
        &self,
        called: &'static str,
        request: tonic::Request<String>,
    ) -> Result<tonic::Response<String>, Status> {
        let mut client = self.client().await;
        let called = client.unary(request, path(called), Codec::default());
        tokio::time::timeout(LONG, called).await.expect("an answer in time")
    }
}

fn path(called: &'static str) -> PathAndQuery {
    PathAndQuery::from_static(called)
}

fn text(message: &str) -> tonic::Request<String> {
    tonic::Request::new(message.to_owned())
}

/// A gateway with one GRPCRoute, before a server of tonic.
async fn world() -> (World, Backend) {
    let backend = Backend::start().await;
    (World::start(&Table::new(1, backend.address).for_calls()).await, backend)
}

/// Calls of all four forms go through, each message when it is sent.
async fn all_forms(caller: &Caller) {
    let answer = caller.unary("/test.Echo/Unary", text("one")).await.expect("an answer");
    assert_eq!(answer.get_ref(), "one!");

    let parts = stream::iter(["a", "b", "c"]).map(str::to_owned);
    let mut client = caller.client().await;
    let gathered =
        client.client_streaming(tonic::Request::new(parts), path("/test.Echo/Gather"), Codec::default());
    assert_eq!(gathered.await.expect("an answer").get_ref(), "abc");

    let spread = caller
        .client()
        .await
        .server_streaming(text("xyz"), path("/test.Echo/Spread"), Codec::default())
        .await;
    let mut spread = spread.expect("an answer").into_inner();
    for expected in ["x", "y", "z"] {
        assert_eq!(spread.message().await.expect("a message").as_deref(), Some(expected));
    }
    // The status comes in the trailers.
    let last = spread.message().await.expect_err("a status");
    assert_eq!((last.code(), last.message(), last.details()), (Code::OutOfRange, "no more", &b"z"[..]));

    // One message waits for the answer to the one before it: nothing is held back on the way.
    let (say, heard) = mpsc::unbounded_channel::<String>();
    let heard = stream::unfold(heard, async |mut heard| Some((heard.recv().await?, heard)));
    let chat =
        client.streaming(tonic::Request::new(Box::pin(heard)), path("/test.Echo/Chat"), Codec::default());
    let (chat, _) = tokio::join!(chat, async { say.send("first".to_owned()).expect("it is heard") });
    let mut chat = chat.expect("an answer").into_inner();
    assert_eq!(chat.message().await.expect("a message").as_deref(), Some("first!"));
    for word in ["second", "third"] {
        say.send(word.to_owned()).expect("it is heard");
        let answer = tokio::time::timeout(LONG, chat.message()).await.expect("an answer in time");
        assert_eq!(answer.expect("a message"), Some(format!("{word}!")));
    }
    drop(say);
    assert_eq!(chat.message().await.expect("the end"), None);
}

// GRP-18, GWL-17
#[tokio::test]
async fn all_four_forms_of_calls_go_through() {
    let (world, _backend) = world().await;
    all_forms(&Caller::to(&world).await).await;
}

// GRP-18, GWL-18, GWL-17
#[tokio::test]
async fn all_four_forms_of_calls_go_through_over_tls() {
    let backend = Backend::start().await;
    let certificate = certificate(&["example.com"]);
    let table = Table::without_listener(1, backend.address).https(443, None, &certificate).for_calls();
    let world = World::start(&table).await;
    let mut roots = RootCertStore::empty();
    roots.add(certificate.chain()[0].clone()).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = tokio::net::TcpStream::connect(world.address(443)).await.expect("the server accepts");
    let name = ServerName::try_from("example.com").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    all_forms(&Caller::over(stream, "https://example.com").await).await;
}

#[tokio::test]
async fn metadata_status_and_details_pass_in_both_directions() {
    let (world, _backend) = world().await;
    let caller = Caller::to(&world).await;
    let mut request = text("one");
    request.metadata_mut().insert("x-sent", MetadataValue::from_static("over"));
    let answer = caller.unary("/test.Echo/Unary", request).await.expect("an answer");
    assert_eq!(answer.metadata().get("x-seen").map(|value| value.as_bytes()), Some(&b"over"[..]));

    let status = caller.unary("/test.Echo/Fail", text("")).await.expect_err("a status");
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "100 % für nichts"));
    assert_eq!(status.details(), b"\0\x01details");
    assert_eq!(status.metadata().get("x-trailer").map(|value| value.as_bytes()), Some(&b"told"[..]));
}

#[tokio::test]
async fn health_is_asked_and_watched_through_the_gateway() {
    let (world, backend) = world().await;
    let caller = Caller::to(&world).await;
    let mut health = HealthClient::with_origin(caller.service(), caller.origin.clone());
    let request = || HealthCheckRequest { service: "shop.Cart".to_owned() };
    let unknown = health.check(request()).await.expect_err("nobody said anything of it");
    assert_eq!(unknown.code(), Code::NotFound);
    backend.health.set_service_status("shop.Cart", ServingStatus::Serving).await;
    let serving = health_check_response::ServingStatus::Serving;
    assert_eq!(health.check(request()).await.expect("an answer").get_ref().status(), serving);
    let mut watched = health.watch(request()).await.expect("an answer").into_inner();
    assert_eq!(watched.message().await.expect("a message").map(|it| it.status()), Some(serving));
    backend.health.set_service_status("shop.Cart", ServingStatus::NotServing).await;
    let now = tokio::time::timeout(LONG, watched.message()).await.expect("it is told").expect("a message");
    assert_eq!(now.map(|it| it.status()), Some(health_check_response::ServingStatus::NotServing));
}

#[tokio::test]
async fn reflection_goes_through_the_gateway() {
    let (world, _backend) = world().await;
    let caller = Caller::to(&world).await;
    let mut reflection = ServerReflectionClient::with_origin(caller.service(), caller.origin.clone());
    let question = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = reflection.server_reflection_info(stream::iter([question])).await.expect("an answer");
    let answer = answers.into_inner().message().await.expect("a message").expect("an answer");
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    assert!(list.service.iter().any(|service| service.name == "grpc.health.v1.Health"), "{list:?}");
}

#[tokio::test]
async fn a_call_whose_time_is_over_is_answered_by_the_gateway_and_given_up() {
    let (world, mut backend) = world().await;
    let caller = Caller::to(&world).await;
    let mut request = text("");
    request.set_timeout(Duration::from_millis(80));
    let begun = Instant::now();
    // The client looks at no clock.
    let status = caller.unary("/test.Echo/Stall", request).await.expect_err("a status");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!((Duration::from_millis(80)..LONG / 2).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let given_up = tokio::time::timeout(LONG, backend.given_up.recv()).await;
    assert_eq!(given_up.expect("the backend hears of it"), Some(()));
}

#[tokio::test]
async fn a_stream_whose_time_is_over_ends_in_trailers() {
    let (world, _backend) = world().await;
    let caller = Caller::to(&world).await;
    let mut request = text("first");
    request.set_timeout(Duration::from_millis(150));
    let begun =
        caller.client().await.server_streaming(request, path("/test.Echo/Begin"), Codec::default()).await;
    let mut messages = begun.expect("an answer").into_inner();
    assert_eq!(messages.message().await.expect("a message").as_deref(), Some("first"));
    let end = tokio::time::timeout(LONG, messages.message()).await.expect("an end in time");
    let status = end.expect_err("a status");
    assert_eq!((status.code(), status.message()), (Code::DeadlineExceeded, "the time for the call is over"));
    // The connection is as good as before.
    assert!(caller.unary("/test.Echo/Unary", text("two")).await.is_ok());
}

// GRP-10, GRP-13, HRB-12, HRB-22
#[tokio::test]
async fn what_the_gateway_answers_by_itself_is_an_answer_of_grpc_to_callers_only() {
    let unused = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        listener.local_addr().expect("an address")
    };
    for (table, code) in [
        (Table::new(1, unused).for_calls(), Code::Unavailable),
        (Table::new(1, unused).for_calls().without_endpoints(), Code::Unavailable),
    ] {
        let world = World::start(&table).await;
        let caller = Caller::to(&world).await;
        let status = caller.unary("/test.Echo/Unary", text("")).await.expect_err("a status");
        assert_eq!(status.code(), code, "{status:?}");
        // No path of a call.
        let status = caller.unary("/odd", text("")).await.expect_err("a status");
        assert_eq!(status.code(), Code::Unimplemented, "{status:?}");
        // The GRPCRoute is for calls, and there is no other.
        let mut client = Client::http2(world.connect().await).await;
        let request =
            Request::post("http://example.com/test.Echo/Unary").header("content-type", "text/plain");
        let answer = client.send(request.body(full("hello")).expect("a request")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (404, "404: no route matches the request\n"));
    }
}

/// The message `one` as gRPC-Web frames it.
const WEB_MESSAGE: &[u8] = b"\0\0\0\0\x05\x0a\x03one";

#[tokio::test]
async fn grpc_web_passes_as_it_is() {
    let backend = crate::world::backend(async |request| {
        let (parts, body) = request.into_parts();
        assert_eq!(parts.headers["content-type"], "application/grpc-web+proto");
        let body = body.collect().await.expect("a body").to_bytes();
        // What is the trailer in gRPC is the end of the body here.
        let answer = [&body[..], b"\x80\0\0\0\x0fgrpc-status:0\r\n"].concat();
        let mut response = Response::new(full(answer));
        response.headers_mut().insert("content-type", parts.headers["content-type"].clone());
        response
    })
    .await;
    let table = Table::new(1, backend).for_calls();
    let world = World::with(&table, ServeOptions::default(), UpstreamOptions::default()).await;
    // A browser speaks HTTP/1.1 as well.
    let request = Request::post("/test.Echo/Unary")
        .header("host", "example.com")
        .header("content-type", "application/grpc-web+proto")
        .body(full(WEB_MESSAGE));
    let answer = world.send(request.expect("a request")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, [WEB_MESSAGE, b"\x80\0\0\0\x0fgrpc-status:0\r\n"].concat());

    // Where the gateway answers, the status is in the head, where clients of gRPC-Web look too.
    let request = Request::post("/odd")
        .header("host", "example.com")
        .header("content-type", "application/grpc-web-text")
        .body(full(""));
    let answer = world.send(request.expect("a request")).await;
    let field = |headers: &HeaderMap, name: &str| headers[name].to_str().expect("text").to_owned();
    assert_eq!((answer.status.as_u16(), field(&answer.headers, "grpc-status")), (200, "12".to_owned()));
    assert_eq!(field(&answer.headers, "content-type"), "application/grpc-web-text");
}
