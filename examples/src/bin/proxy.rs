//! A proxy in fifteen lines: serves the Gateways of one manifest, on all addresses, until it is interrupted.
//!
//! `cargo run -p gateway-examples --bin proxy -- shop.yaml`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::manifest;
use gateway_core::options::Options;
use gateway_core::translate::translate;
use gateway_tower::client::BackendTlsOptions;
use gateway_tower::serve::{Addresses, ServeOptions, Server, TlsOptions};
use gateway_tower::upstream::{Upstream, UpstreamOptions};
use gateway_tower::{Gateway, TableHandle};
use rustls::crypto::ring;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file")?;
    let manifest = manifest::read(&std::fs::read_to_string(&path)?, &path);
    let resources = manifest.objects.into_iter().map(|(object, _)| object).collect();
    let provider = Arc::new(ring::default_provider());
    let tls = TlsOptions::new(provider.clone())?;
    let backend_tls = BackendTlsOptions::new(provider)?;
    let check = Arc::new(tls.clone());
    let options = Options { any_class: true, certificate_check: Some(check), ..Options::default() };
    let tables = TableHandle::new(translate(&resources, &options).table);

    let upstream = UpstreamOptions { tls: Some(backend_tls.clone()), ..UpstreamOptions::default() };
    let gateway = Gateway::new(tables.clone(), Upstream::new(upstream));
    let service = move |connection| gateway.clone().on(connection);
    let options = ServeOptions { tls: Some(tls), backend_tls: Some(backend_tls), ..ServeOptions::default() };
    let server = Server::start(&tables, Addresses::default(), options, service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
