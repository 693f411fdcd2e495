//! UDP backends: one that says who it is, and one that answers DNS queries.

use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;

use crate::exchange::Pod;

/// The longest datagram that is read.
pub(crate) const LONGEST: usize = 65_535;

/// The answer to a datagram.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DatagramAnswer {
    pub(crate) request: String,
    pub(crate) namespace: String,
    pub(crate) ingress: String,
    pub(crate) service: String,
    pub(crate) pod: String,
}

/// Answers every datagram with who got it.
pub(super) async fn serve_echo(socket: UdpSocket, pod: Pod) {
    let mut buffer = vec![0; LONGEST];
    loop {
        // An error is about an earlier answer that could not be delivered.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        let answer = DatagramAnswer {
            request: String::from_utf8_lossy(&buffer[..length]).into_owned(),
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            ..DatagramAnswer::default()
        };
        let answer = serde_json::to_vec(&answer).expect("texts can be written as JSON");
        let _ = socket.send_to(&answer, client).await;
    }
}

/// Answers every DNS query that no name exists, with the id of the query.
pub(super) async fn serve_dns(socket: UdpSocket) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(answer) = dns_answer(&buffer[..length]) {
            let _ = socket.send_to(&answer, client).await;
        }
    }
}

/// The query itself, turned into a response without records: RFC 1035, section 4.1.1.
fn dns_answer(query: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    const IS_RESPONSE: u8 = 0x80;
    const NO_SUCH_NAME: u8 = 3;
    let is_query = query.len() >= HEADER && query[2] & IS_RESPONSE == 0;
    is_query.then(|| {
        let mut answer = query.to_vec();
        answer[2] |= IS_RESPONSE;
        answer[3] = NO_SUCH_NAME;
        answer
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_query_is_answered_under_its_id() {
        let query = [&[0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\x00\x00\x01\x00\x01"].concat();
        let answer = dns_answer(&query).unwrap();
        assert_eq!((&answer[..2], answer[2], answer[3]), (&query[..2], 0x81, 3));
        assert_eq!(answer[4..], query[4..]);
        assert_eq!(dns_answer(&answer), None, "an answer is no query");
        assert_eq!(dns_answer(b"short"), None);
    }
}
