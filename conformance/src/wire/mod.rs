//! Clients that carry exchanges over sockets, and engines whose gateway has some.
//!
//! [`send`] carries one exchange. An embedder whose gateway listens on sockets implements [`Proxy`], which knows objects
//! and addresses only; [`Wire`] makes an engine of it, with these clients and the [backends](crate::backend::Backends).

mod bytes;
mod connection;
mod datagram;
mod failure;
pub(crate) mod grpc;
mod http;
mod mesh;
mod proxy;
mod tcp;
mod verifier;
mod websocket;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use self::mesh::{ClusterNetwork, MeshWay};
pub use self::proxy::{Proxy, Wire};

use crate::engine::EngineError;
use crate::exchange::{Answer, Exchange, Failure};

/// How long an exchange may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long the answer to a datagram may take. The way is short; what is not there by then has been lost.
pub const DATAGRAM_TIME_LIMIT: Duration = Duration::from_secs(2);

/// Carries an exchange to an address, where a listener with this port is: the port that its Gateway names, which may be
/// bound to another one.
///
/// Every exchange has a new connection. Requests that name no host have the address for theirs, with the port of the
/// listener if it is not the usual one, as if it were bound to that.
///
/// # Errors
/// If the exchange cannot be sent: it is not well-formed, or it is one within a mesh.
pub async fn send(exchange: &Exchange, address: SocketAddr, port: u16) -> Result<Answer, EngineError> {
    let host = |is_tls: bool| match (is_tls, port, address.ip()) {
        (false, 80, IpAddr::V4(ip)) | (true, 443, IpAddr::V4(ip)) => ip.to_string(),
        (false, 80, IpAddr::V6(ip)) | (true, 443, IpAddr::V6(ip)) => format!("[{ip}]"),
        (_, port, ip) => SocketAddr::new(ip, port).to_string(),
    };
    match exchange {
        Exchange::Http(_, request) => {
            let host = host(request.tls.is_some());
            limited(TIME_LIMIT, http::send(request, address, &host)).await
        }
        Exchange::Grpc(_, call) => {
            let host = host(call.tls.is_some());
            limited(TIME_LIMIT, grpc::call(call, address, &host)).await
        }
        Exchange::WebSocket(_, conversation) => {
            limited(TIME_LIMIT, websocket::talk(conversation, address, &host(false))).await
        }
        Exchange::Tcp(_, tls) => limited(TIME_LIMIT, tcp::talk(tls.as_ref(), address)).await,
        Exchange::Udp(_) => limited(DATAGRAM_TIME_LIMIT, async { Ok(datagram::ask(address).await) }).await,
        Exchange::Bytes(_, tls, bytes) => {
            limited(TIME_LIMIT, bytes::send(tls.as_ref(), bytes, address)).await
        }
        Exchange::Mesh(..) => Err(EngineError::unsupported("the gateway is no mesh")),
    }
}

async fn limited(
    limit: Duration,
    exchange: impl Future<Output = Result<Answer, EngineError>>,
) -> Result<Answer, EngineError> {
    tokio::time::timeout(limit, exchange).await.unwrap_or(Ok(Answer::Failed(Failure::Timeout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        let answer = limited(Duration::from_millis(10), std::future::pending()).await;
        assert_eq!(answer, Ok(Answer::Failed(Failure::Timeout)));
    }
}
