//! A controller in thirty lines: the Gateways of a cluster served in this process, and their statuses written.
//!
//! `cargo run -p gateway-examples --bin controller -- example.com/gateway 192.0.2.1` carries out the GatewayClasses of that
//! controller, in the cluster that kubectl has, on that address of this machine. `gateway controller` is the complete one.

use std::error::Error;
use std::time::Duration;

use gateway_core::options::DefaultAddresses;
use gateway_core::table::RouteTable;
use gateway_kube::controller::{Controller, ControllerOptions};
use gateway_kube::kube::Client;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, TableHandle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(address)) = (args.next(), args.next()) else {
        return Err("name a controller and an address".into());
    };
    let tables = TableHandle::new(RouteTable::default());
    let gateway = Gateway::new(tables.clone(), Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    let mut options = ControllerOptions::default();
    options.translate.controller_name = name;
    options.translate.addresses.default = DefaultAddresses::Shared(vec![address.parse()?]);
    let (_controller, mut updates) = Controller::new(Client::try_default().await?, options);
    while let Some(update) = updates.next().await {
        update.left_out.iter().for_each(|left_out| eprintln!("{left_out}"));
        update.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
        // Statuses say what is served, and wait for it.
        let sockets = server.reached(tables.store((*update.table).clone())).await;
        update.applied(sockets.unbound());
    }
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
