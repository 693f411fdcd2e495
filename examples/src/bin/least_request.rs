//! Endpoints chosen by what they have to do: of two, the one with fewer requests under way.
//!
//! `cargo run -p gateway-examples --bin least_request -- shop.yaml`; `gateway_tower::balance` has the other pickers, and how to
//! write one.

use std::error::Error;
use std::time::Duration;

use gateway_core::apply::Applied;
use gateway_core::options::Options;
use gateway_tower::balance::LeastRequests;
use gateway_tower::serve::{Addresses, ServeOptions, Server};
use gateway_tower::upstream::Upstream;
use gateway_tower::{Gateway, TableHandle};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file")?;
    let options = Options { any_class: true, ..Options::default() };
    let applied = Applied::from_text(&std::fs::read_to_string(&path)?, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    // One picker for all connections and all tables: it goes on counting when the table changes.
    let gateway = Gateway::builder(tables.clone()).picker(LeastRequests::new()).client(Upstream::default());
    let service = move |connection| gateway.clone().on(connection);
    let server = Server::start(&tables, Addresses::default(), ServeOptions::default(), service).await?;

    tokio::signal::ctrl_c().await?;
    server.drain(Duration::from_secs(10)).await;
    Ok(())
}
