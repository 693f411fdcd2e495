//! Datagrams, and DNS queries in them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

use crate::backend::{DatagramAnswer, LONGEST_DATAGRAM};
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, Pod};

/// Sends a datagram from a new socket and waits for the answer.
pub(super) async fn ask(address: SocketAddr) -> Answer {
    let answer = match exchange(b"who is there?", address, |_| true).await {
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

/// Asks for the address of a name. Any answer with the id of the query will do.
pub(super) async fn query(name: &str, address: SocketAddr) -> Result<Answer, EngineError> {
    let id = fastrand::u16(..);
    let query = dns_query(id, name).ok_or_else(|| EngineError::failed(format!("{name:?} is no DNS name")))?;
    // An answer that is to another query is not ours.
    let is_ours = |answer: &[u8]| answer.len() >= 12 && answer[..2] == query[..2] && answer[2] & 0x80 != 0;
    Ok(match exchange(&query, address, is_ours).await {
        Ok(_) => Answer::Dns,
        Err(failure) => Answer::Failed(failure),
    })
}

async fn exchange(
    message: &[u8],
    address: SocketAddr,
    is_answer: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, Failure> {
    let broken = |error: io::Error| Failure::Connect(format!("{address}: {error}"));
    let any: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await.map_err(broken)?;
    // A connected socket takes answers from nobody else.
    socket.connect(address).await.map_err(broken)?;
    socket.send(message).await.map_err(broken)?;
    let mut buffer = vec![0; LONGEST_DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(broken)?;
        if is_answer(&buffer[..length]) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

/// A query for the IPv4 address of a name: RFC 1035, section 4.1.
fn dns_query(id: u16, name: &str) -> Option<Vec<u8>> {
    const RECURSION_DESIRED: u8 = 1;
    let mut query = id.to_be_bytes().to_vec();
    query.extend([RECURSION_DESIRED, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        query.push(length);
        query.extend(label.bytes());
    }
    // The root, type A, class IN.
    query.extend([0, 0, 1, 0, 1]);
    Some(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_query_has_the_name_in_labels() {
        let query = dns_query(0xabcd, "foo.bar.com.").unwrap();
        assert_eq!(query[..12], [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&query[12..], b"\x03foo\x03bar\x03com\0\0\x01\0\x01");
        assert_eq!(dns_query(1, "a..b"), None);
    }
}
