//! A client for tests: one request over one new connection.

use std::net::SocketAddr;

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Status and text of a GET request.
pub(crate) async fn get_text(address: SocketAddr, path_and_query: &str) -> (u16, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path_and_query).header("host", address.to_string());
    let response = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

/// Status and JSON of a GET request; `Null` where the answer is not JSON.
pub(crate) async fn get(address: SocketAddr, path_and_query: &str) -> (u16, Value) {
    let (status, body) = get_text(address, path_and_query).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}
