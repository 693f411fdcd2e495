//! TCP and UDP.

use crate::case::{TcpExpectation, UdpExpectation};
use crate::exchange::{Answer, Failure};

use super::mismatch::{Mismatch, backend};

/// Compares a dialogue over TCP.
///
/// Who rejects a connection closes or resets it; a TLS alert is no rejection, and a handshake neither.
pub fn tcp(expected: &TcpExpectation, answer: &Answer) -> Vec<Mismatch> {
    let got = match (answer, expected.rejected) {
        (Answer::Failed(Failure::Closed(_)), true) => return Vec::new(),
        (_, true) => {
            return vec![Mismatch::answer(
                "that the connection is closed or reset, without a TLS alert",
                answer,
            )];
        }
        (Answer::Tcp(got), false) => got,
        (_, false) => return vec![Mismatch::answer("a dialogue over TCP", answer)],
    };
    let mut mismatches: Vec<Mismatch> =
        expected.backend.iter().filter_map(|name| backend(name, &got.pod, true)).collect();
    if let Some(is_tls) = expected.is_tls.filter(|is_tls| *is_tls != got.is_tls) {
        let name = |is_tls| if is_tls { "TLS" } else { "plain text" };
        mismatches.push(Mismatch::new("connection to the backend", name(is_tls), name(got.is_tls)));
    }
    if let Some(name) = expected.server_name.as_ref().filter(|name| Some(*name) != got.server_name.as_ref()) {
        let got = got.server_name.as_ref().map_or("none".to_owned(), |name| format!("{name:?}"));
        mismatches.push(Mismatch::new("server name at the backend", format!("{name:?}"), got));
    }
    mismatches
}

/// Compares the answer to a datagram.
pub fn udp(expected: &UdpExpectation, answer: &Answer) -> Vec<Mismatch> {
    match (answer, expected.no_answer) {
        (Answer::Failed(Failure::Timeout | Failure::Connect(_)), true) => Vec::new(),
        (_, true) => vec![Mismatch::answer("none", answer)],
        (Answer::Udp(pod), false) => {
            expected.backend.iter().filter_map(|name| backend(name, pod, true)).collect()
        }
        (_, false) => vec![Mismatch::answer("a datagram", answer)],
    }
}

#[cfg(test)]
mod tests {
    use crate::case::Name;
    use crate::exchange::{Pod, TcpAnswer};

    use super::*;

    #[test]
    fn a_dialogue_is_with_the_right_backend() {
        let pod = Pod { namespace: "gateway-conformance-infra".to_owned(), name: "one-a-b".to_owned() };
        let answer = Answer::Tcp(TcpAnswer { pod, is_tls: true, server_name: Some("a.org".to_owned()) });
        let one = TcpExpectation { backend: Some(Name::from("one")), ..TcpExpectation::default() };
        assert_eq!(tcp(&one, &answer), []);
        let wrong = TcpExpectation {
            backend: Some(Name::from("two")),
            is_tls: Some(false),
            server_name: Some("b.org".to_owned()),
            rejected: false,
        };
        let mismatches: Vec<String> = tcp(&wrong, &answer).iter().map(ToString::to_string).collect();
        assert_eq!(
            mismatches[1..],
            [
                "connection to the backend: expected plain text, got TLS",
                "server name at the backend: expected \"b.org\", got \"a.org\""
            ]
        );
        assert!(mismatches[0].contains("Deployment gateway-conformance-infra/two"));
        assert_eq!(tcp(&TcpExpectation { rejected: true, ..TcpExpectation::default() }, &answer).len(), 1);
    }

    #[test]
    fn a_rejection_has_no_alert() {
        let rejected = TcpExpectation { rejected: true, ..TcpExpectation::default() };
        assert_eq!(tcp(&rejected, &Answer::Failed(Failure::Closed("end of file".to_owned()))), []);
        assert_eq!(tcp(&rejected, &Answer::Failed(Failure::Tls("alert".to_owned()))).len(), 1);
    }

    #[test]
    fn a_datagram_gets_an_answer_or_none() {
        let one = UdpExpectation { backend: Some(Name::from("one")), no_answer: false };
        let none = UdpExpectation { backend: None, no_answer: true };
        let pod = Pod { namespace: "gateway-conformance-infra".to_owned(), name: "one-a-b".to_owned() };
        assert_eq!(udp(&one, &Answer::Udp(pod.clone())), []);
        assert_eq!(udp(&one, &Answer::Failed(Failure::Timeout)).len(), 1);
        assert_eq!(udp(&none, &Answer::Failed(Failure::Timeout)), []);
        assert_eq!(udp(&none, &Answer::Udp(pod)).len(), 1);
    }
}
