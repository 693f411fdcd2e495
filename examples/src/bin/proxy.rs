//! A proxy in fifteen lines: serves the Gateways of files and folders, on all addresses, until it is interrupted; says what is wrong.
//!
//! `cargo run -p gateway-examples --bin proxy -- shop.yaml`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::options::Options;
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{Addresses, ServeOptions, Server, TlsOptions};
use gateway_tower::source::{Files, Source};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Gateway, TableHandle};
use rustls::crypto::ring;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = Arc::new(ring::default_provider());
    let tls = TlsOptions::new(provider.clone())?;
    let backend_tls = BackendTlsOptions::new(provider)?;
    let options = Options { certificate_check: Some(Arc::new(tls.clone())), ..Options::standalone() };
    let applied = Source::new(Files::new(std::env::args().skip(1)), options).read();
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    if applied.resources.is_empty() {
        return Err("there is nothing to serve; name files or folders with manifests".into());
    }

    let tables = TableHandle::new(applied.table);
    let upstream = UpstreamOptions { tls: Some(backend_tls.clone()), ..UpstreamOptions::default() };
    let gateway = Gateway::new(tables.clone(), Upstream::new(upstream));
    let service = move |connection| gateway.clone().on(connection);
    let options = ServeOptions { tls: Some(tls), backend_tls: Some(backend_tls), ..ServeOptions::default() };
    let server = Server::start(&tables, Addresses::default(), options, service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
