//! A client that speaks TLS as the standard library of Go does: to listeners of HTTPS, and to those of TLSRoutes.
//!
//! The client is built from `conformance/upstream/tls`; without Go this test is left out, and says so.

#[path = "go/program.rs"]
mod program;
#[path = "sockets/stream_table.rs"]
#[allow(dead_code, reason = "this test needs little of it")]
mod stream_table;
#[path = "sockets/world.rs"]
#[allow(dead_code, reason = "this test needs little of it")]
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use gateway_core::table::{Certificate, ListenerProtocol, ListenerTls};
use gateway_tower::serve::ServeOptions;
use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::stream_table::Streams;
use crate::world::{LONG, Table, World, certificate, echo, raw_backend};

/// What the client says of the server with this name at port 443, whose certificate it trusts.
async fn asked(
    client: &Path,
    world: &World,
    name: &str,
    trusted: &Certificate,
    more: &[&str],
) -> Result<String, String> {
    let trust = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(trust.path(), &trusted.chain()[0]).expect("it can be written");
    let address = world.address(443).to_string();
    let mut command = Command::new(client);
    command.args(["-address", &address, "-name", name, "-trust"]).arg(trust.path()).args(more);
    let output = timeout(LONG, command.kill_on_drop(true).output()).await.expect("it ends").expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Says what it hears.
async fn repeat(stream: impl AsyncRead + AsyncWrite) {
    let (mut read, mut write) = tokio::io::split(stream);
    if tokio::io::copy(&mut read, &mut write).await.is_ok() {
        let _ = write.shutdown().await;
    }
}

/// A backend that terminates TLS by itself.
async fn secure(certificate: &Certificate) -> SocketAddr {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(certificate.chain().to_vec(), certificate.key().clone_key());
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a certificate with its key")));
    raw_backend(move |stream| {
        let accepting = acceptor.accept(stream);
        async move {
            if let Ok(stream) = accepting.await {
                repeat(stream).await;
            }
        }
    })
    .await
}

// GWL-18, TLR-11
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_go_is_served_by_listeners_of_https_and_of_tls() {
    let Some(client) = program::build("tls").await else { return };
    let [web, of_gateway, of_backend] =
        [["web.example"], ["end.example"], ["pass.example"]].map(|names| certificate(&names));

    let table = Table::without_listener(1, echo().await).https(443, Some("web.example"), &web);
    let world = World::start(&table).await;
    let answer = asked(&client, &world, "web.example", &web, &[]).await;
    assert_eq!(answer.as_deref(), Ok("TLS 1.3 HTTP/2.0 200"));
    let other = asked(&client, &world, "web.example", &of_gateway, &[]).await;
    assert!(other.as_ref().is_err_and(|error| error.contains("certificate")), "{other:?}");

    let mut table = Streams::new(1);
    let pass = table.listener(443, "pass.example", ListenerProtocol::TlsPassthrough);
    let tls = ListenerTls { certificates: [of_gateway.clone()].into(), clients: None };
    let end = table.listener(443, "end.example", ListenerProtocol::TlsTerminate(tls));
    let (secure, plain) = (secure(&of_backend).await, raw_backend(repeat).await);
    let (secure, plain) = (table.backend(&[secure]), table.backend(&[plain]));
    table.route(pass, &["pass.example"], &[(secure, 1)]);
    table.route(end, &["end.example"], &[(plain, 1)]);
    let world = table.start(ServeOptions::default()).await;
    for (name, certificate) in [("pass.example", &of_backend), ("end.example", &of_gateway)] {
        let heard = asked(&client, &world, name, certificate, &["-stream", "hello"]).await;
        assert_eq!(heard.as_deref(), Ok("TLS 1.3 hello"), "{name}");
    }
}
