//! The clients against the backends, and the gateway between them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use conformance::backend::Backends;
use conformance::case::{
    ClientTls, Deployment, GrpcCall, HttpProtocol, HttpRequest, Lines, Speaks, Target, WebSocketConversation,
    WebSocketMessage, base,
};
use conformance::exchange::{Answer, Exchange, Failure, HttpAnswer};
use conformance::wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn target() -> Target {
    Target { gateway: "same-namespace".into(), port: None }
}

fn deployment(name: &str) -> Deployment {
    let found = base().deployments.iter().find(|it| it.name.to_string() == name);
    found.expect("it is in the base").clone()
}

/// A backend, and where one of its ports is.
async fn backend(name: &str, port: u16) -> (Backends, SocketAddr) {
    started(deployment(name), port).await
}

async fn started(deployment: Deployment, port: u16) -> (Backends, SocketAddr) {
    let backends = Backends::start(&[deployment]).await.expect("there are free ports");
    let address = backends.pods()[0].ports[&port];
    (backends, address)
}

async fn send(exchange: &Exchange, address: SocketAddr) -> Answer {
    wire::send(exchange, address, 80).await.expect("the exchange can be sent")
}

async fn http(request: HttpRequest, address: SocketAddr) -> HttpAnswer {
    match send(&Exchange::Http(target(), request), address).await {
        Answer::Http(answer) => answer,
        other => panic!("no HTTP answer: {other:?}"),
    }
}

async fn failure(exchange: Exchange, address: SocketAddr) -> Failure {
    match send(&exchange, address).await {
        Answer::Failed(failure) => failure,
        other => panic!("an answer: {other:?}"),
    }
}

fn get(path: &str) -> HttpRequest {
    HttpRequest { path: path.to_owned(), ..HttpRequest::default() }
}

fn tls(server_name: &str) -> ClientTls {
    ClientTls {
        server_name: server_name.to_owned(),
        trust: "ConfigMap tls-checks-ca-certificate".parse().unwrap(),
        certificate: None,
    }
}

/// A server that accepts connections, writes these bytes, and goes.
async fn stranger(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
            // Closing with something unread would be a reset, which takes back what was written.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_request_arrives_as_it_is_sent() {
    let (backends, address) = backend("infra-backend-v1", 3000).await;
    let headers = BTreeMap::from([
        ("X-Echo-Set-Header".to_owned(), Lines::One("X-Answer:yes".to_owned())),
        ("x-several".to_owned(), Lines::Many(vec!["a".to_owned(), "b".to_owned()])),
    ]);
    let request = HttpRequest {
        method: "POST".to_owned(),
        host: Some("example.com:8080".to_owned()),
        body: Some("text".to_owned()),
        headers,
        ..get("/a//b?c=d")
    };
    let answer = http(request, address).await;
    assert_eq!((answer.status, answer.header("x-answer")), (200, vec!["yes"]));
    let echo = answer.echo.unwrap();
    assert_eq!((echo.method.as_str(), echo.path.as_str()), ("POST", "/a//b?c=d"));
    assert_eq!(echo.host, "example.com:8080");
    assert_eq!(echo.header("X-Several"), ["a", "b"]);
    assert_eq!(echo.header("Connection"), ["close"]);
    assert_eq!(echo.pod, backends.pods()[0].pod);
    assert_eq!(backends.received(&deployment("infra-backend-v1").name.0, "/a//b?c=d"), 1);
    assert_eq!(backends.received(&deployment("infra-backend-v2").name.0, "/a//b?c=d"), 0);
}

#[tokio::test]
async fn a_request_without_a_host_has_the_address_of_the_listener() {
    let (_backends, address) = backend("infra-backend-v1", 3000).await;
    let exchange = Exchange::Http(target(), get("/"));
    for (port, host) in [(80, "127.0.0.1"), (8080, "127.0.0.1:8080")] {
        let Answer::Http(answer) = wire::send(&exchange, address, port).await.unwrap() else {
            panic!("no answer")
        };
        let echo = answer.echo.unwrap();
        assert_eq!(echo.host, host);
        assert_eq!(echo.header("X-Echo-Set-Header"), [""], "it is always sent");
    }
}

#[tokio::test]
async fn http2_is_spoken_without_tls_and_http1_is_refused_there() {
    let (_backends, address) = backend("infra-backend-v1", 3001).await;
    let request = HttpRequest { protocol: HttpProtocol::Http2, ..get("/h2?a=b") };
    let echo = http(request, address).await.echo.unwrap();
    assert_eq!((echo.path.as_str(), echo.host.as_str()), ("/h2?a=b", "127.0.0.1"));
    let refused = failure(Exchange::Http(target(), get("/")), address).await;
    assert!(matches!(refused, Failure::Malformed(_) | Failure::Closed(_)), "{refused:?}");
}

#[tokio::test]
async fn tls_shows_names_and_certificates() {
    let deployment = Deployment {
        client_authority: Some("tls-checks-ca-certificate".into()),
        ..deployment("tls-backend")
    };
    let (_backends, address) = started(deployment, 8443).await;
    let request = HttpRequest { tls: Some(tls("abc.example.com")), ..get("/") };
    let answer = http(request.clone(), address).await;
    assert!(answer.certificate_requested);
    let echo = answer.echo.unwrap();
    assert_eq!(echo.server_name.as_deref(), Some("abc.example.com"));
    assert!(echo.peer_certificates.is_empty());

    let client: conformance::case::ObjectRef = "Secret tls-checks-client-certificate".parse().unwrap();
    let with = |certificate: &str, protocol| {
        let certificate = Some(certificate.parse().unwrap());
        HttpRequest { tls: Some(ClientTls { certificate, ..tls("abc.example.com") }), protocol, ..get("/") }
    };
    for protocol in [HttpProtocol::Http1, HttpProtocol::Http2] {
        let echo = http(with("Secret tls-checks-client-certificate", protocol), address).await.echo.unwrap();
        let shown = conformance::certificate::certificates().pem(&client, "tls.crt").unwrap();
        assert_eq!(echo.peer_certificates, [shown]);
    }
    let of_another = with("Secret tls-validity-checks-client-certificate", HttpProtocol::Http1);
    let refused = failure(Exchange::Http(target(), of_another), address).await;
    assert!(matches!(refused, Failure::Tls(_)), "{refused:?}");
}

#[tokio::test]
async fn certificates_are_looked_at() {
    let (_backends, address) = backend("tls-backend", 8443).await;
    let with = |tls| Exchange::Http(target(), HttpRequest { tls: Some(tls), ..get("/") });
    let wrong_name = failure(with(tls("wrong.example.com")), address).await;
    assert!(matches!(&wrong_name, Failure::Tls(error) if error.contains("name")), "{wrong_name:?}");
    let trust = "ConfigMap mismatch-ca-certificate".parse().unwrap();
    let untrusted = failure(with(ClientTls { trust, ..tls("abc.example.com") }), address).await;
    assert!(matches!(untrusted, Failure::Tls(_)), "{untrusted:?}");
}

#[tokio::test]
async fn a_listener_certificate_is_good_for_a_host_below_org() {
    let deployment = Deployment {
        certificate: Some("tls-validity-checks-certificate".into()),
        ..deployment("tls-backend")
    };
    let (_backends, address) = started(deployment, 8443).await;
    let trust: conformance::case::ObjectRef = "Secret tls-validity-checks-certificate".parse().unwrap();
    let with = |name: &str| ClientTls { trust: trust.clone(), ..tls(name) };
    for name in ["example.org", "very.wildcard.org"] {
        let request = HttpRequest { tls: Some(with(name)), ..get("/") };
        assert_eq!(http(request, address).await.status, 200, "{name}");
    }
    let other = Exchange::Http(target(), HttpRequest { tls: Some(with("example.com")), ..get("/") });
    assert!(matches!(failure(other, address).await, Failure::Tls(_)));
}

#[tokio::test]
async fn every_failure_is_told_from_the_others() {
    let plain = || Exchange::Http(target(), get("/"));
    let secure = || Exchange::Tcp(target(), Some(tls("abc.example.com")));
    let nobody = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    assert!(matches!(failure(plain(), nobody).await, Failure::Connect(_)));
    let silent = stranger(b"").await;
    assert!(matches!(failure(plain(), silent).await, Failure::Closed(_)));
    assert!(matches!(failure(secure(), silent).await, Failure::Closed(_)));
    assert!(matches!(failure(Exchange::Tcp(target(), None), silent).await, Failure::Closed(_)));
    // A fatal alert of TLS: the server name is not recognised.
    let alert = stranger(&[21, 3, 3, 0, 2, 2, 112]).await;
    assert!(matches!(failure(secure(), alert).await, Failure::Tls(_)));
    let nonsense = stranger(b"nonsense\r\n\r\n").await;
    assert!(matches!(failure(plain(), nonsense).await, Failure::Malformed(_)));
    let no_echo =
        stranger(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\ntrue");
    assert!(matches!(failure(plain(), no_echo.await).await, Failure::Malformed(_)));
    let text =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(http(get("/"), stranger(text).await).await.echo, None, "not exactly the type of an echo");
    let broken = Exchange::Http(target(), get("/retry/x?uuid=a&succeedAfter=1"));
    let (_backends, address) = backend("infra-backend-v3", 3000).await;
    assert!(matches!(failure(broken.clone(), address).await, Failure::Closed(_)));
    assert!(matches!(send(&broken, address).await, Answer::Http(HttpAnswer { status: 200, .. })));
}

#[tokio::test]
async fn what_is_no_request_is_no_answer_either() {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let exchange = Exchange::Http(target(), HttpRequest { method: "GE T".to_owned(), ..get("/") });
    assert!(wire::send(&exchange, nowhere, 80).await.is_err());
    let trust = "ConfigMap missing".parse().unwrap();
    let exchange = Exchange::Tcp(target(), Some(ClientTls { trust, ..tls("abc.example.com") }));
    let error = wire::send(&exchange, nowhere, 80).await.unwrap_err().to_string();
    assert!(error.contains("ConfigMap missing"), "{error}");
}

#[tokio::test]
async fn messages_of_a_web_socket_come_back() {
    let (_backends, address) = backend("infra-backend-v1", 3000).await;
    let messages = vec![WebSocketMessage::Text("one".to_owned()), WebSocketMessage::Binary(vec![0, 255])];
    let say =
        |path: &str| WebSocketConversation { path: path.to_owned(), host: None, messages: messages.clone() };
    let answer = send(&Exchange::WebSocket(target(), say("/ws")), address).await;
    assert_eq!(answer, Answer::WebSocket(messages.clone()));
    let refused = send(&Exchange::WebSocket(target(), say("/other")), address).await;
    assert!(matches!(refused, Answer::Http(HttpAnswer { status: 200, .. })), "{refused:?}");
    let closed = failure(Exchange::WebSocket(target(), say("/ws")), stranger(b"").await).await;
    assert!(matches!(closed, Failure::Closed(_)), "{closed:?}");
}

#[tokio::test]
async fn grpc_calls_are_answered() {
    let (backends, address) = backend("grpc-infra-backend-v1", 3000).await;
    let call = |method: &str| GrpcCall {
        service: conformance::case::ECHO_SERVICE.to_owned(),
        method: method.to_owned(),
        authority: Some("example.com".to_owned()),
        headers: BTreeMap::from([("X-Header".to_owned(), Lines::One("value".to_owned()))]),
        tls: None,
    };
    for method in ["Echo", "EchoTwo"] {
        let Answer::Grpc(answer) = send(&Exchange::Grpc(target(), call(method)), address).await else {
            panic!("no answer")
        };
        let full = format!("/{}/{method}", conformance::case::ECHO_SERVICE);
        let echo = answer.echo.unwrap();
        assert_eq!(echo.header("x-header"), ["value"]);
        assert_eq!((answer.code, echo.pod, echo.method), (0, backends.pods()[0].pod.clone(), full));
    }
    let secure = GrpcCall { tls: Some(tls("abc.example.com")), ..call("Echo") };
    let Answer::Grpc(answer) = send(&Exchange::Grpc(target(), secure), backends.pods()[0].ports[&8443]).await
    else {
        panic!("no answer")
    };
    assert_eq!(answer.echo.unwrap().server_name.as_deref(), Some("abc.example.com"));
    let Answer::Grpc(answer) = send(&Exchange::Grpc(target(), call("EchoThree")), address).await else {
        panic!("no answer")
    };
    assert_eq!((answer.code, answer.echo), (12, None));
    let (_http, no_grpc) = backend("infra-backend-v1", 3001).await;
    let Answer::Grpc(answer) = send(&Exchange::Grpc(target(), call("Echo")), no_grpc).await else {
        panic!("no answer")
    };
    assert_ne!(answer.code, 0);
    let closed =
        failure(Exchange::Grpc(target(), call("Echo")), SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).await;
    assert!(matches!(closed, Failure::Connect(_)), "{closed:?}");
}

#[tokio::test]
async fn a_dialogue_over_tcp_says_who_is_there() {
    let (backends, address) = backend("tcp-backend", 3000).await;
    let Answer::Tcp(answer) = send(&Exchange::Tcp(target(), None), address).await else {
        panic!("no answer")
    };
    assert_eq!(
        (answer.pod, answer.is_tls, answer.server_name),
        (backends.pods()[0].pod.clone(), false, None)
    );
    let secure = backends.pods()[1].ports[&8443];
    let exchange = Exchange::Tcp(target(), Some(tls("abc.example.com")));
    let Answer::Tcp(answer) = send(&exchange, secure).await else { panic!("no answer") };
    assert_eq!(answer.pod, backends.pods()[1].pod);
    assert_eq!((answer.is_tls, answer.server_name.as_deref()), (true, Some("abc.example.com")));
    let other = failure(Exchange::Tcp(target(), None), stranger(b"Welcome\n").await).await;
    assert!(matches!(&other, Failure::Malformed(error) if error.contains("Welcome")), "{other:?}");
}

#[tokio::test]
async fn bytes_go_and_come_as_they_are() {
    let request = b"GET / HTTP/1.1\r\nhost: a\r\nHOST: b\r\n\r\n".to_vec();
    let exchange = Exchange::Bytes(target(), None, request.clone());
    let bytes = Deployment { speaks: Speaks::Bytes, ..deployment("infra-backend-v3") };
    let (_echo, address) = started(bytes.clone(), 3000).await;
    let Answer::Bytes(answer) = send(&exchange, address).await else { panic!("no answer") };
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n") && answer.ends_with(&request), "{answer:?}");
    let (_fixed, address) = started(Deployment { answer: Some("\u{ff}x".to_owned()), ..bytes }, 3000).await;
    assert_eq!(send(&exchange, address).await, Answer::Bytes(vec![0xff, b'x']));
}

#[tokio::test]
async fn a_request_may_have_no_host() {
    let (_backends, address) = backend("infra-backend-v1", 3000).await;
    let answer = http(HttpRequest { without_host: true, ..get("/") }, address).await;
    assert_eq!(answer.echo.unwrap().host, "");
}

#[tokio::test]
async fn a_backend_that_speaks_nothing_refuses_connections() {
    let nothing = Deployment { speaks: Speaks::Nothing, ..deployment("infra-backend-v3") };
    let (_backends, address) = started(nothing, 3000).await;
    let refused = failure(Exchange::Http(target(), get("/")), address).await;
    assert!(matches!(refused, Failure::Connect(_)), "{refused:?}");
}

#[tokio::test]
async fn datagrams_are_answered() {
    let udp = Deployment { speaks: Speaks::Udp, ..deployment("infra-backend-v3") };
    let (backends, address) = started(udp, 8080).await;
    assert_eq!(send(&Exchange::Udp(target()), address).await, Answer::Udp(backends.pods()[0].pod.clone()));
    let nobody = failure(Exchange::Udp(target()), SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).await;
    assert!(matches!(nobody, Failure::Connect(_)), "{nobody:?}");
}

#[tokio::test]
async fn a_workload_of_the_mesh_speaks_http_and_grpc() {
    let (backends, http_address) = backend("gateway-conformance-mesh/echo-v1", 8080).await;
    for protocol in [HttpProtocol::Http1, HttpProtocol::Http2] {
        let request = HttpRequest { protocol, ..get("/") };
        assert_eq!(http(request, http_address).await.echo.unwrap().pod, backends.pods()[0].pod);
    }
    assert!(backends.pods()[0].ports.contains_key(&7070));
}
