//! Handshakes: which listener and certificate, and which protocol.

use std::io;
use std::sync::Arc;

use gateway_core::table::Certificate;
use gateway_tower::serve::{ServeOptions, Server, TlsOptions};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};
use http::StatusCode;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::world::{Client, Table, World, certificate, echo, gateway_name, get, get2, loopback};

/// Takes any certificate: the tests look at which one it is.
#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        stapled: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match stapled {
            [] => Ok(ServerCertVerified::assertion()),
            _ => Err(rustls::Error::General("an answer of OCSP".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A client that takes any certificate.
pub(crate) fn any_certificate() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(ring::default_provider())))
        .with_no_client_auth()
}

/// A handshake; an IP address as the name sends no server name.
pub(crate) async fn handshake(
    world: &World,
    name: &'static str,
    alpn: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut config = any_certificate();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(world.address(443)).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(name.try_into().unwrap(), stream).await
}

/// Whether the handshake was made with this certificate.
fn is_served(stream: &TlsStream<TcpStream>, certificate: &Certificate) -> bool {
    stream.get_ref().1.peer_certificates().unwrap()[0] == certificate.chain()[0]
}

// GRP-18, GWL-18; AMB-72: the client asks for an answer of OCSP and takes none.
#[tokio::test]
async fn the_protocol_is_agreed_on_and_http_2_goes_first() {
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let world = World::start(&table).await;
    for (offered, expected) in [
        (&["http/1.1", "h2"][..], Some("h2")),
        (&["h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = handshake(&world, "example.com", offered).await.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol().map(|protocol| str::from_utf8(protocol).unwrap());
        assert_eq!(agreed, expected);
        let answer = if expected == Some("h2") {
            Client::http2(stream).await.send(get2("example.com", "/")).await
        } else {
            Client::http1(stream).await.send(get("/")).await
        };
        assert!(answer.text().contains("x-forwarded-proto: https\n"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_version_that_the_program_does_not_want_is_not_spoken() {
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let tables = TableHandle::new(table.build());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let tls = TlsOptions::new(Arc::new(ring::default_provider())).unwrap().with_versions(&[&TLS13]).unwrap();
    let options = ServeOptions { tls: Some(tls), ..ServeOptions::default() };
    let server = Server::start(&tables, loopback(), options, services).await.unwrap();
    let address = server.sockets().borrow().address(&gateway_name(), 443).unwrap();
    for (version, spoken) in [(&TLS12, false), (&TLS13, true)] {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(ring::default_provider())))
            .with_no_client_auth();
        let stream = TcpStream::connect(address).await.unwrap();
        let connected =
            TlsConnector::from(Arc::new(config)).connect("example.com".try_into().unwrap(), stream);
        assert_eq!(connected.await.is_ok(), spoken, "{version:?}");
    }
}

// GRP-18
#[tokio::test]
async fn without_a_protocol_in_common_there_is_no_connection() {
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let world = World::start(&table).await;
    assert!(handshake(&world, "example.com", &["h3"]).await.is_err());
}

// GWT-10, HST-22
#[tokio::test]
async fn the_server_name_chooses_the_listener_and_its_certificate() {
    let [exact, wildcard, any] =
        [&["a.example.com"], &["*.example.com"], &["other.example"]].map(|n| certificate(n));
    let some = Table::without_listener(1, echo().await).https(443, Some("*.example.com"), &wildcard).https(
        443,
        Some("a.example.com"),
        &exact,
    );
    let all = some.clone().https(443, None, &any);
    let (some, all) = (World::start(&some).await, World::start(&all).await);
    for (name, expected, else_expected) in [
        ("a.example.com", Some(&exact), &exact),
        ("A.EXAMPLE.COM", Some(&exact), &exact),
        ("b.example.com", Some(&wildcard), &wildcard),
        ("x.a.example.com", Some(&wildcard), &wildcard),
        ("example.com", None, &any),
        ("example.org", None, &any),
        ("127.0.0.1", None, &any),
    ] {
        let served = handshake(&some, name, &[]).await;
        assert_eq!(
            served.as_ref().ok().map(|stream| is_served(stream, &exact)),
            expected.map(|e| e == &exact),
            "{name}"
        );
        assert_eq!(
            served.ok().map(|stream| is_served(&stream, &wildcard)),
            expected.map(|e| e == &wildcard),
            "{name}"
        );
        let served = handshake(&all, name, &[]).await.expect("the listener without hostname takes it");
        assert!(is_served(&served, else_expected), "{name}");
    }
}

// HST-20
#[tokio::test]
async fn a_connection_that_was_made_for_another_listener_gets_421() {
    let [a, b] = [&["a.example"], &["b.example"]].map(|names| certificate(names));
    let table = Table::without_listener(1, echo().await).https(443, Some("a.example"), &a).https(
        443,
        Some("b.example"),
        &b,
    );
    let world = World::start(&table).await;
    let mut client = Client::http2(handshake(&world, "a.example", &["h2"]).await.unwrap()).await;
    assert_eq!(client.send(get2("a.example", "/")).await.status, StatusCode::OK);
    assert_eq!(client.send(get2("b.example", "/")).await.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(client.send(get2("a.example", "/")).await.status, StatusCode::OK);
}

// GWT-10
#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_old_ones_go_on() {
    let [before, after] = [&["example.com"], &["example.com"]].map(|names| certificate(names));
    let backend = echo().await;
    let world = World::start(&Table::without_listener(1, backend).https(443, None, &before)).await;
    let stream = handshake(&world, "example.com", &["h2"]).await.unwrap();
    assert!(is_served(&stream, &before));
    let mut client = Client::http2(stream).await;
    client.send(get2("example.com", "/")).await;

    world.swap(&Table::without_listener(2, backend).https(443, None, &after)).await;
    assert!(is_served(&handshake(&world, "example.com", &[]).await.unwrap(), &after));
    assert_eq!(client.send(get2("example.com", "/")).await.status, StatusCode::OK);
}

// GWT-05
#[tokio::test]
async fn a_listener_with_a_bad_certificate_hinders_no_other() {
    let good = certificate(&["a.example"]);
    let bad = Certificate::new(good.chain().to_vec(), PrivatePkcs8KeyDer::from(&b"no key"[..]).into());
    let table = Table::without_listener(1, echo().await).https(443, Some("a.example"), &good).https(
        443,
        Some("b.example"),
        &bad,
    );
    let world = World::start(&table).await;
    let sockets = world.server.sockets().borrow().clone();
    assert_eq!(sockets.certificates.len(), 1);
    assert_eq!(sockets.certificates[0].listener, "default/gateway/443-1");
    assert!(!sockets.all_good());
    assert!(handshake(&world, "b.example", &[]).await.is_err());
    assert!(is_served(&handshake(&world, "a.example", &[]).await.unwrap(), &good));
}

// GWT-09
#[tokio::test]
async fn a_bad_certificate_of_a_listener_leaves_the_others_of_it_serving() {
    let [good, other] = [&["a.example"], &["b.example"]].map(|names| certificate(names));
    let swapped = Certificate::new(other.chain().to_vec(), good.key().clone_key());
    let backend = echo().await;
    let world = World::start(&Table::without_listener(1, backend).https(443, None, &swapped)).await;
    assert!(handshake(&world, "b.example", &[]).await.is_err(), "there is no other");

    let sockets = world.swap(&Table::without_listener(2, backend).certificates(&[&swapped, &good])).await;
    for name in ["a.example", "b.example"] {
        assert!(is_served(&handshake(&world, name, &[]).await.unwrap(), &good), "{name}");
    }
    let [problem] = &sockets.certificates[..] else { panic!("{sockets:?}") };
    assert!(problem.to_string().starts_with("listener default/gateway/443-0: certificate 0: "), "{problem}");
}

// GWT-10
#[tokio::test]
async fn who_speaks_without_tls_is_not_served() {
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let world = World::start(&table).await;
    let answer =
        crate::world::exchange(world.address(443), b"GET / HTTP/1.1\r\nhost: example.com\r\n\r\n").await;
    assert!(!answer.contains("HTTP/1.1"), "{answer:?}");
    handshake(&world, "example.com", &[]).await.expect("others are");
}
