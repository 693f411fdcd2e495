//! TLS with backends: by what they are known, what they are shown, and which connections are shared.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use gateway_core::rule::{Authorities, BackendProtocol, BackendTls, Identity};
use gateway_core::table::{Certificate, ListenerProtocol, ListenerTls};
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{ProxyHeaderVersion, ServeOptions, StreamOptions};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Connection, Gateway, TableHandle};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::authority::Authority;
use crate::stream_table::Streams;
use crate::streams::all;
use crate::tls::handshake;
use crate::upgrades::{comes_back, open};
use crate::world::{Body, LONG, Table, World, certificate, echo, full, get, raw_backend};

/// A server's side of TLS with this certificate and these protocols. It asks clients for a certificate of the authority, if
/// there is one.
fn acceptor(certificate: &Certificate, protocols: &[&str], clients: Option<&Authority>) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let (chain, key) = (certificate.chain().to_vec(), certificate.key().clone_key());
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A backend of HTTP that says which server name it was asked for, what was agreed on, and the host; it counts connections.
async fn secure(acceptor: TlsAcceptor) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                counted.fetch_add(1, Ordering::SeqCst);
                let session = stream.get_ref().1;
                let agreed = String::from_utf8(session.alpn_protocol().unwrap_or_default().to_vec()).unwrap();
                let seen = format!("{} {agreed}", session.server_name().unwrap_or_default());
                let service = service_fn(move |request: Request<Incoming>| {
                    let authority = request.uri().authority().map(ToString::to_string);
                    let host = request.headers().get("host").map(|host| host.to_str().unwrap().to_owned());
                    let text = format!("{seen} {}", authority.or(host).unwrap());
                    async move { Ok::<_, Infallible>(Response::<Body>::new(full(text))) }
                });
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (address, connections)
}

/// What a client gets of a backend that is spoken to so.
async fn asked(table: &Table) -> String {
    let answer = World::start(table).await.send(get("/")).await;
    if answer.status == 200 { answer.text().to_owned() } else { answer.status.as_str().to_owned() }
}

// BTP-01, BTP-12, BTP-16 to BTP-19, BTP-26
#[tokio::test]
async fn a_backend_is_known_by_its_authority_and_by_one_of_its_names() {
    let [authority, other] = ["one", "other"].map(Authority::new);
    let certificate = authority.sign(&["a.example", "*.b.example", "spiffe://a.example/shop"]);
    let (address, _) = secure(acceptor(&certificate, &["h2", "http/1.1"], None)).await;
    let good = "shop.example http/1.1 example.com";
    for (names, expected) in [
        (&["a.example"][..], good),
        (&["A.example"], good),
        (&["x.b.example"], good),
        (&["*.b.example"], good),
        (&["x.example", "spiffe://a.example/shop"], good),
        // The name that is asked for is none that the certificate has to have, or may.
        (&["shop.example"], "503"),
        (&["*.a.example"], "503"),
        (&["x.x.b.example"], "503"),
        (&["spiffe://a.example/shop/more"], "503"),
        (&["spiffe://A.example/shop"], "503"),
    ] {
        let table = Table::new(1, address).within_tls(authority.tls("shop.example", names));
        assert_eq!(asked(&table).await, expected, "{names:?}");
    }
    let unsigned = Table::new(1, address).within_tls(other.tls("a.example", &["a.example"]));
    assert_eq!(asked(&unsigned).await, "503");
    let system = BackendTls::new("a.example", [Identity::Hostname("a.example".into())], Authorities::System);
    assert_eq!(asked(&Table::new(1, address).within_tls(system)).await, "503", "no system knows it");
}

#[tokio::test]
async fn a_version_that_the_program_does_not_want_is_not_spoken_with_backends() {
    let authority = Authority::new("one");
    let (address, _) = secure(acceptor(&authority.sign(&["a.example"]), &["http/1.1"], None)).await;
    for (versions, expected) in [(&[&TLS12][..], 200), (&[&TLS13], 200), (&[], 0)] {
        let options = BackendTlsOptions::new(Arc::new(ring::default_provider())).unwrap();
        let Ok(options) = options.with_versions(versions) else {
            assert_eq!(expected, 0, "none is not one");
            continue;
        };
        let tables = TableHandle::new(
            Table::new(1, address).within_tls(authority.tls("a.example", &["a.example"])).build(),
        );
        let upstream = UpstreamOptions { tls: Some(options), ..UpstreamOptions::default() };
        let gateway = Gateway::new(tables.clone(), Upstream::new(upstream));
        let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
        let world = World::serving(tables, ServeOptions::default(), services).await;
        assert_eq!(world.send(get("/")).await.status, expected, "{versions:?}");
    }
}

// FMR-07
#[tokio::test]
async fn a_mirror_gets_its_copy_within_tls_or_not_at_all() {
    let authority = Authority::new("one");
    let acceptor = acceptor(&authority.sign(&["a.example"]), &[], None);
    let (seen, mut copies) = mpsc::unbounded_channel();
    let mirror = raw_backend(move |stream| {
        let (accepting, seen) = (acceptor.accept(stream), seen.clone());
        async move {
            let mut copy = String::from("no copy");
            if let Ok(stream) = accepting.await {
                copy = BufReader::new(stream).lines().next_line().await.ok().flatten().unwrap_or(copy);
            }
            let _test_is_over = seen.send(copy);
        }
    })
    .await;
    let primary = echo().await;
    for (name, expected) in [("a.example", "GET /copied HTTP/1.1"), ("b.example", "no copy")] {
        let table = Table::new(1, primary).mirrored(mirror, authority.tls(name, &[name]));
        let world = World::start(&table).await;
        assert_eq!(world.send(get("/copied")).await.status, 200);
        let copy = timeout(LONG, copies.recv()).await.expect("the mirror is connected to");
        assert_eq!(copy.as_deref(), Some(expected), "{name}");
    }
}

// BPR-04, GRP-18: within TLS, HTTP/2 is agreed on.
#[tokio::test]
async fn http_2_is_spoken_where_it_is_agreed_on_and_nowhere_else() {
    let authority = Authority::new("one");
    let certificate = authority.sign(&["a.example"]);
    for (protocols, expected) in
        [(&["http/1.1", "h2"][..], "a.example h2 example.com"), (&["http/1.1"], "503"), (&[], "503")]
    {
        let (address, _) = secure(acceptor(&certificate, protocols, None)).await;
        let table = Table::new(1, address).protocol(BackendProtocol::H2c);
        let table = table.within_tls(authority.tls("a.example", &["a.example"]));
        assert_eq!(asked(&table).await, expected, "{protocols:?}");
    }
}

// BPR-07, BTP-21
#[tokio::test]
async fn a_websocket_goes_through_within_tls() {
    let authority = Authority::new("one");
    let acceptor = acceptor(&authority.sign(&["a.example"]), &[], None);
    let backend = raw_backend(move |stream| {
        let accepting = acceptor.accept(stream);
        async move {
            let Ok(stream) = accepting.await else { return };
            let Ok(mut socket) = accept_async(stream).await else { return };
            while let Some(Ok(message)) = socket.next().await {
                if matches!(message, Message::Text(_)) && socket.send(message).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    let table = Table::new(1, backend).protocol(BackendProtocol::WebSocket);
    let world = World::start(&table.within_tls(authority.tls("a.example", &["a.example"]))).await;
    let mut socket = open(&world).await.unwrap();
    for text in ["hello", &"long ".repeat(100_000)] {
        comes_back(&mut socket, text).await;
    }
}

// BTP-14: a connection that was checked in one way is not used where another check is asked for.
#[tokio::test]
async fn connections_are_shared_among_those_that_ask_for_the_same() {
    let [authority, other] = ["one", "other"].map(Authority::new);
    let certificate = authority.sign(&["a.example"]);
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let (address, connections) = secure(acceptor(&certificate, &["h2", "http/1.1"], None)).await;
        let table = |generation, tls: Option<BackendTls>| {
            let table = Table::new(generation, address).protocol(protocol);
            tls.map_or(table.clone(), |tls| table.within_tls(tls))
        };
        let good = || authority.tls("a.example", &["a.example"]);
        let world = World::start(&table(1, Some(good()))).await;
        for (generation, tls, served, opened) in [
            (2, Some(good()), true, 1),
            (3, Some(authority.tls("a.example", &["b.example"])), false, 1),
            (4, Some(other.tls("a.example", &["a.example"])), false, 1),
            (5, None, false, 1),
            (6, Some(authority.tls("b.example", &["a.example"])), true, 2),
            (7, Some(good()), true, 2),
        ] {
            world.swap(&table(generation, tls)).await;
            let answer = world.send(get("/")).await;
            assert_eq!(answer.status == 200, served, "{protocol:?} {generation}: {}", answer.status);
            assert!(served || answer.status.is_server_error());
            assert_eq!(connections.load(Ordering::SeqCst), opened, "{protocol:?} {generation}");
        }
    }
}

// GWB-01, BTP-23
#[tokio::test]
async fn a_backend_that_asks_for_a_certificate_gets_that_of_the_gateway() {
    let [authority, of_clients] = ["one", "clients"].map(Authority::new);
    let certificate = authority.sign(&["a.example"]);
    let (address, _) = secure(acceptor(&certificate, &["http/1.1"], Some(&of_clients))).await;
    let tls = || authority.tls("a.example", &["a.example"]);
    let good = "a.example http/1.1 example.com";
    for (shown, expected) in [
        (Some(of_clients.sign(&["gateway.example"])), good),
        (Some(authority.sign(&["gateway.example"])), "502"),
        (None, "502"),
    ] {
        let table = Table::new(1, address).within_tls(tls());
        let table = shown.into_iter().fold(table, |table, shown| table.client_certificate(&shown));
        let got = asked(&table).await;
        // Whether the backend refuses within the handshake or after it is up to the version of TLS.
        let is_expected = got == expected || expected == "502" && got == "503";
        assert!(is_expected, "{got}");
    }
}

// BTP-14: never plain.
#[tokio::test]
async fn without_options_nothing_is_sent() {
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&heard);
    let backend = raw_backend(move |mut stream: TcpStream| {
        let counted = Arc::clone(&counted);
        async move {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes).await;
            counted.fetch_add(bytes.len(), Ordering::SeqCst);
        }
    })
    .await;
    let tls = Authority::new("one").tls("a.example", &["a.example"]);
    for protocol in [BackendProtocol::Http1, BackendProtocol::H2c] {
        let table = Table::new(1, backend).protocol(protocol).within_tls(tls.clone());
        let tables = TableHandle::new(table.build());
        let gateway = Gateway::new(tables.clone(), Upstream::new(UpstreamOptions::default()));
        let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
        let world = World::serving(tables, ServeOptions::default(), services).await;
        assert_eq!(world.send(get("/")).await.status, 503);
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);
}

// BTP-21, TLR-08
#[tokio::test]
async fn a_stream_whose_tls_is_terminated_goes_on_within_tls_of_the_gateway() {
    let authority = Authority::new("one");
    let of_backend = authority.sign(&["a.example"]);
    let of_gateway = certificate(&["end.example"]);
    for (header, name, expected) in [
        (None, "a.example", Some("a.example hears you")),
        (Some(ProxyHeaderVersion::V1), "a.example", Some("a.example hears you")),
        (None, "b.example", None),
    ] {
        let acceptor = acceptor(&of_backend, &[], None);
        let backend = raw_backend(move |mut stream| {
            let acceptor = acceptor.clone();
            async move {
                // The header of the PROXY protocol goes before everything else.
                while header.is_some() && stream.read_u8().await.is_ok_and(|byte| byte != b'\n') {}
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let name = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
                let heard = all(&mut stream).await.unwrap_or_default();
                let _ = stream.write_all(format!("{name}{heard}").as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        let mut table = Streams::new(1);
        let tls = ListenerTls { certificates: [of_gateway.clone()].into(), clients: None };
        let end = table.listener(443, "end.example", ListenerProtocol::TlsTerminate(tls));
        let backend = table.backend_within_tls(backend.await, authority.tls("a.example", &[name]));
        table.route(end, &["end.example"], &[(backend, 1)]);
        let streams = StreamOptions { proxy_header: header, ..StreamOptions::default() };
        let world = table.start(ServeOptions { streams, ..ServeOptions::default() }).await;
        let mut stream = handshake(&world, "end.example", &[]).await.unwrap();
        stream.write_all(b" hears you").await.unwrap();
        let _ = stream.shutdown().await;
        assert_eq!(all(&mut stream).await.ok().as_deref(), expected, "{header:?} {name}");
    }
}
