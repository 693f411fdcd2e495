//! Exchanges of a case over the wire, and the answers to them.

use std::collections::BTreeMap;

use crate::case::{ClientTls, GrpcCall, HttpRequest, Target, Way, WebSocketConversation, WebSocketMessage};

/// Something that is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Exchange {
    /// An HTTP request to a listener.
    Http(Target, HttpRequest),
    /// A gRPC call to a listener.
    Grpc(Target, GrpcCall),
    /// A WebSocket conversation: each message is sent, and one message is waited for.
    WebSocket(Target, WebSocketConversation),
    /// A TCP connection, with TLS or without: read the greeting, ask `PING`, `IS_TLS` and `TEST`.
    Tcp(Target, Option<ClientTls>),
    /// A datagram from a new socket.
    Udp(Target),
    /// These bytes over a connection, with TLS or without, which is read until it is closed.
    Bytes(Target, Option<ClientTls>, Vec<u8>),
    /// An HTTP request or a gRPC call within a mesh.
    Mesh(Way, HttpRequest),
}

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// An HTTP response; also to [`Exchange::Mesh`].
    Http(HttpAnswer),
    /// The end of a gRPC call.
    Grpc(GrpcAnswer),
    /// The messages of a WebSocket.
    WebSocket(Vec<WebSocketMessage>),
    /// A dialogue over TCP.
    Tcp(TcpAnswer),
    /// The answer to a datagram.
    Udp(Pod),
    /// What came until the connection was closed.
    Bytes(Vec<u8>),
    /// No answer.
    Failed(Failure),
}

/// An HTTP response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The headers, in their order.
    pub headers: Vec<(String, String)>,
    /// What the backend says that it got, if a backend answered.
    pub echo: Option<Echo>,
    /// Whether the server asked for a certificate of the client.
    pub certificate_requested: bool,
}

/// What an HTTP backend says that it got. Its answers are this as JSON, in the form that upstream's backends have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Echo {
    /// Path and query.
    pub path: String,
    /// The host, with its port.
    pub host: String,
    /// The method.
    pub method: String,
    /// The headers; several lines of one name in their order.
    pub headers: BTreeMap<String, Vec<String>>,
    /// Who answered.
    pub pod: Pod,
    /// The server name that the client of the backend sent in TLS.
    pub server_name: Option<String>,
    /// The certificates that the client of the backend showed, in PEM.
    pub peer_certificates: Vec<String>,
}

/// Who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pod {
    /// The namespace.
    pub namespace: String,
    /// The name: that of the Deployment, and two more parts behind dashes.
    pub name: String,
}

/// The end of a gRPC call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrpcAnswer {
    /// The status code.
    pub code: u8,
    /// The message with it.
    pub message: String,
    /// What the backend says that it got, if a backend answered.
    pub echo: Option<GrpcEcho>,
    /// The headers, with names in lower case, where there was an answer that had some.
    pub headers: Vec<(String, String)>,
}

/// What a gRPC backend says that it got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrpcEcho {
    /// Who answered.
    pub pod: Pod,
    /// The full name of the method: `/service/method`.
    pub method: String,
    /// The metadata; several lines of one name in their order.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The server name that the client of the backend sent in TLS.
    pub server_name: Option<String>,
}

/// A dialogue over TCP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpAnswer {
    /// Who answered.
    pub pod: Pod,
    /// Whether the backend spoke TLS.
    pub is_tls: bool,
    /// The server name that the backend saw.
    pub server_name: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The connection was closed or reset before there was an answer, and without a TLS alert.
    Closed(String),
    /// The TLS handshake failed with an alert, or the certificate is not to be trusted.
    Tls(String),
    /// The connection could not be made.
    Connect(String),
    /// Nothing came in time.
    Timeout,
    /// What came cannot be understood.
    Malformed(String),
}

// === impl Exchange ===

impl Exchange {
    /// The listener that it is sent to; nothing if it is sent within a mesh.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Http(target, _)
            | Self::Grpc(target, _)
            | Self::WebSocket(target, _)
            | Self::Tcp(target, _)
            | Self::Udp(target)
            | Self::Bytes(target, ..) => Some(target),
            Self::Mesh(..) => None,
        }
    }
}

// === impl Pod ===

impl Pod {
    /// The Deployment that the pod is of: its name without the last two parts.
    pub fn deployment(&self) -> &str {
        let mut at = self.name.rmatch_indices('-').map(|(at, _)| at);
        let _ = at.next();
        at.next().map_or(self.name.as_str(), |at| &self.name[..at])
    }
}

// === impl HttpAnswer ===

impl HttpAnswer {
    /// The lines of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let lines = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| value.as_str()).collect()
    }
}

// === impl Echo ===

impl Echo {
    /// The lines of a header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        lines(&self.headers, name)
    }
}

// === impl GrpcEcho ===

impl GrpcEcho {
    /// The lines of the metadata with a name.
    pub fn header(&self, name: &str) -> Vec<&str> {
        lines(&self.headers, name)
    }
}

fn lines<'h>(headers: &'h BTreeMap<String, Vec<String>>, name: &str) -> Vec<&'h str> {
    let of_name = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    of_name.flat_map(|(_, values)| values.iter().map(String::as_str)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_called_after_its_deployment() {
        let deployment = |name: &str| Pod { name: name.to_owned(), ..Pod::default() }.deployment().to_owned();
        assert_eq!(deployment("infra-backend-v1-7f9c6-x2kqz"), "infra-backend-v1");
        assert_eq!(deployment("echo-0"), "echo-0");
    }
}
