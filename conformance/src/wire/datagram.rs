//! Datagrams.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

use crate::backend::{DatagramAnswer, LONGEST_DATAGRAM};
use crate::exchange::{Answer, Failure, Pod};

/// Sends a datagram from a new socket and waits for the answer.
pub(super) async fn ask(address: SocketAddr) -> Answer {
    let answer = match exchange(b"who is there?", address).await {
        Ok(answer) => answer,
        Err(failure) => return Answer::Failed(failure),
    };
    match serde_json::from_slice::<DatagramAnswer>(&answer) {
        Ok(answer) => Answer::Udp(Pod { namespace: answer.namespace, name: answer.pod }),
        Err(error) => {
            let text = String::from_utf8_lossy(&answer).into_owned();
            Answer::Failed(Failure::Malformed(format!("the answer is {text:?}: {error}")))
        }
    }
}

async fn exchange(message: &[u8], address: SocketAddr) -> Result<Vec<u8>, Failure> {
    let broken = |error: io::Error| Failure::Connect(format!("{address}: {error}"));
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await.map_err(broken)?;
    // A connected socket takes answers from no other.
    socket.connect(address).await.map_err(broken)?;
    socket.send(message).await.map_err(broken)?;
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    let length = socket.recv(&mut buffer).await.map_err(broken)?;
    buffer.truncate(length);
    Ok(buffer)
}
