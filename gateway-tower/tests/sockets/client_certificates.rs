//! Clients of HTTPS that are asked for a certificate.

use std::sync::Arc;
use std::time::Duration;

use gateway_core::table::{Certificate, ClientValidation, ClientValidationMode};
use rustls::ClientConfig;
use rustls::client::Resumption;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use crate::authority::Authority;
use crate::tls::any_certificate;
use crate::world::{Client, Table, World, certificate, echo, get};

/// A client that shows this certificate.
fn showing(shown: Option<&Certificate>) -> ClientConfig {
    let mut config = any_certificate();
    if let Some(shown) = shown {
        let (chain, key) = (shown.chain().to_vec(), shown.key().clone_key());
        let provider = rustls::crypto::ring::default_provider();
        let key = rustls::sign::CertifiedKey::from_der(chain, key, &provider).unwrap();
        config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(key));
    }
    config
}

/// Whether a client of this configuration gets an answer at the port.
async fn is_served(world: &World, port: u16, config: &Arc<ClientConfig>) -> bool {
    let stream = TcpStream::connect(world.address(port)).await.unwrap();
    let connected =
        TlsConnector::from(config.clone()).connect("example.com".try_into().unwrap(), stream).await;
    let Ok(stream) = connected else { return false };
    // With TLS 1.3, a client learns only by its first read that it was refused.
    Client::http1(stream).await.begin(get("/")).await.is_ok_and(|answer| answer.status() == 200)
}

fn checking(authorities: &[&Authority], mode: ClientValidationMode) -> ClientValidation {
    let authorities = authorities.iter().map(|authority| authority.certificate.clone()).collect();
    ClientValidation { authorities, mode }
}

// GWF-03, GWF-09
#[tokio::test]
async fn a_client_is_served_if_one_of_the_authorities_signed_its_certificate_or_if_any_will_do() {
    let [one, two, other] = ["one", "two", "other"].map(Authority::new);
    let certificates = [&one, &two, &other].map(|authority| authority.sign(&["client.example"]));
    let shown: Vec<_> = certificates.iter().map(Some).chain([None]).collect();
    let backend = echo().await;
    for (mode, expected) in [
        (ClientValidationMode::AllowValidOnly, [true, true, false, false]),
        (ClientValidationMode::AllowInsecureFallback, [true; 4]),
    ] {
        let table = Table::without_listener(1, backend).https(443, None, &certificate(&["example.com"]));
        let world = World::start(&table.checking_clients(443, checking(&[&one, &two], mode))).await;
        for (shown, expected) in shown.iter().zip(expected) {
            let config = Arc::new(showing(*shown));
            assert_eq!(is_served(&world, 443, &config).await, expected, "{mode:?} {shown:?}");
        }
    }
}

// GWF-09
#[tokio::test]
async fn a_client_without_a_certificate_is_told_so_while_it_sends_its_request() {
    let strict = checking(&[&Authority::new("one")], ClientValidationMode::AllowValidOnly);
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate(&["example.com"]));
    let world = World::start(&table.checking_clients(443, strict)).await;
    let stream = TcpStream::connect(world.address(443)).await.unwrap();
    let connector = TlsConnector::from(Arc::new(showing(None)));
    let mut stream = connector.connect("example.com".try_into().unwrap(), stream).await.unwrap();
    // Time for what is sent to meet a connection that is closed.
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        stream.flush().await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    let error = stream.read(&mut [0; 16]).await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

// GWF-12
#[tokio::test]
async fn another_authority_holds_for_those_who_come_next() {
    let [one, two] = ["one", "two"].map(Authority::new);
    let shown = one.sign(&["client.example"]);
    let certificate = certificate(&["example.com"]);
    let backend = echo().await;
    let table = |generation, authority: &Authority| {
        let table = Table::without_listener(generation, backend).https(443, None, &certificate);
        table.checking_clients(443, checking(&[authority], ClientValidationMode::AllowValidOnly))
    };
    let world = World::start(&table(1, &one)).await;
    let config = Arc::new(showing(Some(&shown)));
    let stream = TcpStream::connect(world.address(443)).await.unwrap();
    let stream = TlsConnector::from(config.clone()).connect("example.com".try_into().unwrap(), stream).await;
    let mut before = Client::http1(stream.unwrap()).await;
    assert_eq!(before.send(get("/")).await.status, 200);
    world.swap(&table(2, &two)).await;
    assert!(!is_served(&world, 443, &config).await, "its session is not resumed");
    assert_eq!(before.send(get("/")).await.status, 200, "a connection outlives a change");
    world.swap(&table(3, &one)).await;
    assert!(is_served(&world, 443, &config).await);
}

// GWF-02, GWF-09: what is asked for on a port is not to be had around by way of another.
#[tokio::test]
async fn a_session_of_a_port_where_no_one_is_checked_is_not_resumed_where_clients_are() {
    let one = Authority::new("one");
    let certificate = certificate(&["example.com"]);
    let table = Table::without_listener(1, echo().await).https(443, None, &certificate);
    let table = table.https(444, None, &certificate);
    let strict = checking(&[&one], ClientValidationMode::AllowValidOnly);
    let world = World::start(&table.checking_clients(443, strict)).await;
    let mut config = showing(None);
    config.resumption = Resumption::in_memory_sessions(8);
    let config = Arc::new(config);
    for _ in 0..2 {
        assert!(is_served(&world, 444, &config).await);
        assert!(!is_served(&world, 443, &config).await);
    }
}
