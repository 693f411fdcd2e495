//! Layers only: hyper's server in front of the gateway, and hyper-util's client behind it, in the place of ours.
//!
//! `cargo run -p gateway-examples --bin own_client -- shop.yaml 127.0.0.1:8080` serves the listeners on port 80 of the Gateway
//! `default/web` there. A server of one's own may stand before any gateway, and a client of one's own behind it; what keeps
//! messages clean on the wire is in the layers.

use std::error::Error;
use std::sync::Arc;

use gateway_core::apply::Applied;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_tower::tunnel::TunnelLayer;
use gateway_tower::{Connection, Gateway, TableHandle};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(address)) = (args.next(), args.next()) else {
        return Err("name a file and an address".into());
    };
    let options = Options { any_class: true, ..Options::default() };
    let applied = Applied::from_text(&std::fs::read_to_string(&path)?, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    // The tunnel joins the two ends of a WebSocket; without it, they are refused.
    let client = TunnelLayer::default().layer(Client::builder(TokioExecutor::new()).build_http());
    let gateway = Gateway::new(tables, client);

    let connection = Arc::new(Connection::new(ObjectName::new("default", "web"), 80));
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let gateway = gateway.clone().on(connection.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| gateway.clone().oneshot(request));
            let server = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
                eprintln!("a connection ended: {error}");
            }
        });
    }
}
