//! Beside one workload of a mesh: what it sends to Services goes where Routes for them lead.
//!
//! `cargo run -p gateway-examples --bin mesh_sidecar -- shop.yaml 127.0.0.1:15001` takes connections there that rules of nftables
//! lead to it, as the README has them, of a workload in the namespace `default`. With a third argument, `proxy-protocol`, each connection
//! says where it was addressed to, and no rules are needed. What no Route is for goes on to where it was addressed.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway_core::apply::Applied;
use gateway_core::feature::SUPPORTED_IN_MESHES;
use gateway_core::options::Options;
use gateway_tower::serve::{MeshOptions, MeshServer, OneNamespace, OriginalDestination, ServeOptions};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(address)) = (args.next(), args.next()) else {
        return Err("name a file and an address".into());
    };
    let address: SocketAddr = address.parse()?;
    let destination = match args.next().as_deref() {
        None => OriginalDestination::Redirected,
        Some("proxy-protocol") => OriginalDestination::ProxyHeader,
        Some(other) => return Err(format!("{other}: only proxy-protocol is known").into()),
    };
    let text = std::fs::read_to_string(&path)?;
    let mut options = Options::default();
    options.features.extend(SUPPORTED_IN_MESHES);
    let applied = Applied::from_text(&text, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let services = move |connection: Arc<Connection>| gateway.clone().on(connection);
    let clients = Arc::new(OneNamespace("default".into()));
    // There are no others that it would have to leave room to.
    let mesh = MeshOptions { destination, clients, max_connections_of_client: usize::MAX };
    let server = MeshServer::start(&tables, &[address], ServeOptions::default(), mesh, services)?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
