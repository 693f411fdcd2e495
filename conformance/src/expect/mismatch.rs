//! Something that is not as it must be, in words.

use std::fmt;

use crate::case::Name;
use crate::exchange::{Answer, Failure, GrpcAnswer, HttpAnswer, Pod};

/// Something that is not as it must be.
///
/// Shown as `response header X-Header-Add: expected "a,b", got "a"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was looked at, such as `status`.
    pub what: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub got: String,
}

// === impl Mismatch ===

impl Mismatch {
    /// This is not that.
    pub fn new(what: impl Into<String>, expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self { what: what.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// An answer of another sort than the one that must come.
    pub(super) fn answer(expected: impl fmt::Display, got: &Answer) -> Self {
        Self::new("answer", expected, describe(got))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.what, self.expected, self.got)
    }
}

/// An answer in a few words.
pub(super) fn describe(answer: &Answer) -> String {
    match answer {
        Answer::Http(HttpAnswer { status, echo: Some(echo), .. }) => {
            format!("status {status} from {}", pod(&echo.pod))
        }
        Answer::Http(HttpAnswer { status, echo: None, .. }) => {
            format!("status {status}, without the answer of a backend")
        }
        Answer::Grpc(GrpcAnswer { code, message, echo, .. }) => {
            let from = echo.as_ref().map(|it| format!(" from {}", pod(&it.pod))).unwrap_or_default();
            format!("gRPC status {code} {message:?}{from}")
        }
        Answer::WebSocket(messages) => format!("a WebSocket with {} messages", messages.len()),
        Answer::Tcp(tcp) => format!("a dialogue over TCP with {}", pod(&tcp.pod)),
        Answer::Udp(it) => format!("a datagram from {}", pod(it)),
        Answer::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Answer::Failed(failure) => describe_failure(failure),
    }
}

fn describe_failure(failure: &Failure) -> String {
    match failure {
        Failure::Closed(why) => format!("no answer: the connection was closed or reset ({why})"),
        Failure::Tls(why) => format!("no answer: TLS failed ({why})"),
        Failure::Connect(why) => format!("no answer: the connection could not be made ({why})"),
        Failure::Timeout => "no answer in time".to_owned(),
        Failure::Malformed(why) => format!("an answer that cannot be understood ({why})"),
    }
}

/// A pod, as cases name its Deployment.
pub(super) fn pod(pod: &Pod) -> String {
    if pod.namespace.is_empty() {
        return format!("pod {}", pod.name);
    }
    format!("pod {}/{}", pod.namespace, pod.name)
}

/// Who must have answered, and who did.
///
/// Cases of meshes name Deployments without the namespace, and clients there do not learn it.
pub(super) fn backend(expected: &Name, got: &Pod, with_namespace: bool) -> Option<Mismatch> {
    let fits =
        *got.deployment() == *expected.0.name && (!with_namespace || *got.namespace == *expected.0.namespace);
    let name = if with_namespace { expected.0.to_string() } else { expected.0.name.to_string() };
    (!fits).then(|| Mismatch::new("backend", format!("a pod of Deployment {name}"), pod(got)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, name: &str) -> Pod {
        Pod { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn a_backend_is_known_by_deployment_and_namespace() {
        let infra = "gateway-conformance-infra";
        let expected = Name::from("tls-backend");
        assert_eq!(backend(&expected, &pod(infra, "tls-backend-abc-def"), true), None);
        let other = backend(&expected, &pod(infra, "tls-backend-2-abc-def"), true).unwrap();
        assert_eq!(
            other.to_string(),
            "backend: expected a pod of Deployment gateway-conformance-infra/tls-backend, \
             got pod gateway-conformance-infra/tls-backend-2-abc-def"
        );
        assert!(backend(&expected, &pod("elsewhere", "tls-backend-abc-def"), true).is_some());
        assert_eq!(backend(&expected, &pod("", "tls-backend-abc-def"), false), None);
    }
}
