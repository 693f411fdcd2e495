//! Endpoints chosen by what they have to do: of two, the one with fewer requests under way.
//!
//! `cargo run -p gateway-examples --bin least_request -- shop.yaml`; `gateway_tower::balance` has the other pickers, and how to
//! write one.

use std::error::Error;
use std::time::Duration;

use gateway_core::manifest::{self, Collection};
use gateway_core::options::Options;
use gateway_core::translate::translate;
use gateway_tower::balance::LeastRequests;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, TableHandle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file")?;
    let manifest = manifest::read(&std::fs::read_to_string(&path)?, &path);
    let Collection { resources, problems, .. } = [manifest].into_iter().collect();
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    let translation = translate(&resources, &Options { any_class: true, ..Options::default() });
    translation.diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}"));
    let tables = TableHandle::new(translation.table);

    // One picker for all connections and all tables: it goes on counting when the table changes.
    let gateway = Gateway::builder(tables.clone()).picker(LeastRequests::new()).client(Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
