//! A gateway over the client of hyper-util, in place of this crate's own.

use std::sync::Arc;

use gateway_tower::serve::ServeOptions;
use gateway_tower::tunnel::TunnelLayer;
use gateway_tower::{Connection, Gateway, TableHandle};
use http::StatusCode;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Error;
use tower::{Layer, ServiceExt};

use crate::upgrades::{comes_back, open, websocket_backend};
use crate::world::{Table, World, gateway_name, get, raw_backend, read_head};

// RFC 9110 section 7.6.1
#[tokio::test]
async fn what_a_backend_says_about_its_connection_ends_at_the_gateway_whatever_client_stands_behind() {
    let backend = raw_backend(|mut stream| async move {
        let head = read_head(&mut stream).await;
        assert!(!head.contains("x-client-hop"), "{head}");
        let answer = b"HTTP/1.1 200 OK\r\nconnection: keep-alive, x-hop\r\nkeep-alive: timeout=5\r\n\
            x-hop: 1\r\nproxy-connection: keep-alive\r\netag: \"1\"\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    })
    .await;
    let tables = TableHandle::new(Table::new(1, backend).build());
    let connection = Arc::new(Connection::new(gateway_name(), 80));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let gateway = Gateway::new(tables, client).on(connection);
    let mut request = get("/");
    for (name, value) in [("connection", "x-client-hop"), ("x-client-hop", "1")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let Ok(answer) = gateway.oneshot(request).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let mut names: Vec<_> = answer.headers().keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "etag"]);
}

// BPR-07
#[tokio::test]
async fn a_websocket_goes_through_another_client_once_its_ends_are_joined() {
    let tables = TableHandle::new(Table::new(1, websocket_backend().await).build());
    let client = || Client::builder(TokioExecutor::new()).build_http();

    let joining = Gateway::new(tables.clone(), TunnelLayer::default().layer(client()));
    let services = move |connection| joining.clone().on(connection);
    let world = World::serving(tables.clone(), ServeOptions::default(), services).await;
    let mut socket = open(&world).await.unwrap();
    for text in ["hello", "", &"long ".repeat(100_000)] {
        comes_back(&mut socket, text).await;
    }

    let alone = Gateway::new(tables.clone(), client());
    let services = move |connection| alone.clone().on(connection);
    let world = World::serving(tables, ServeOptions::default(), services).await;
    match open(&world).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), StatusCode::BAD_GATEWAY),
        other => panic!("a switch that leads nowhere: {other:?}"),
    }
}
