//! A gateway inside of an axum application: the application's own paths first, everything else by HTTPRoutes.
//!
//! `cargo run -p gateway-examples --bin axum_app -- shop.yaml 127.0.0.1:8080` serves the listeners on port 80 of the Gateway
//! `default/web` there.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gateway_core::apply::Applied;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_tower::upstream::Upstream;
use gateway_tower::{Connection, Gateway, TableHandle};
use tokio::net::TcpListener;
use tower::ServiceExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(address)) = (args.next(), args.next()) else {
        return Err("name a file and an address".into());
    };
    // This program asks no authorization services, and chooses no endpoints.
    let options = Options {
        any_class: true,
        external_auth: false,
        session_persistence: false,
        backend_traffic_policies: false,
        ..Options::default()
    };
    let applied = Applied::from_text(&std::fs::read_to_string(&path)?, &path, options);
    applied.problems.iter().for_each(|problem| eprintln!("{problem}"));
    let tables = TableHandle::new(applied.table);

    // The application listens by itself, so it says for which port of which Gateway it stands.
    let connection = Connection::new(ObjectName::new("default", "web"), 80);
    let gateway = Gateway::new(tables, Upstream::default()).on(Arc::new(connection));
    let gateway = gateway.map_response(|response| response.map(Body::new));

    let app =
        Router::new().route("/about", get(|| async { "the application itself\n" })).fallback_service(gateway);
    axum::serve(TcpListener::bind(address).await?, app).await?;
    Ok(())
}
