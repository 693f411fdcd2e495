//! Below HTTP: TCP with or without TLS, and UDP.

use serde::Deserialize;

use super::http::{ClientTls, Target};
use super::object_ref::Name;

/// The dialogue that echo backends have over TCP: the backend greets first, and says who it is when asked.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpStep {
    /// Where it goes.
    #[serde(rename = "to")]
    pub target: Target,
    /// How TLS is spoken; not at all without it.
    #[serde(default)]
    pub tls: Option<ClientTls>,
    /// How many connections, one after the other.
    #[serde(default = "once")]
    pub times: u32,
    /// What must come of it.
    pub expect: TcpExpectation,
}

/// What must come of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TcpExpectation {
    /// Who must have answered: the name of its Deployment.
    pub backend: Option<Name>,
    /// Whether the backend itself must have spoken TLS.
    pub is_tls: Option<bool>,
    /// The server name that the backend must have seen.
    pub server_name: Option<String>,
    /// The connection must be closed or reset without a TLS alert, and without a handshake.
    pub rejected: bool,
}

/// Datagrams, each from a socket of its own, that echo backends answer with who they are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UdpStep {
    /// Where they go.
    #[serde(rename = "to")]
    pub target: Target,
    /// How many, one after the other.
    #[serde(default = "once")]
    pub times: u32,
    /// What must come back.
    pub expect: UdpExpectation,
}

/// What must come back for a datagram.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UdpExpectation {
    /// Who must have answered: the name of its Deployment.
    pub backend: Option<Name>,
    /// Nothing must come back.
    pub no_answer: bool,
}

fn once() -> u32 {
    1
}
