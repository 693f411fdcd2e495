//! gRPC: what is called, and what must come back.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::header::HeaderExpectation;
use super::http::{Client, ClientTls, Lines, Target};
use super::object_ref::Name;

/// The service of the echo backends.
pub const ECHO_SERVICE: &str = "gateway_api_conformance.echo_basic.grpcecho.GrpcEcho";

/// Calls to a listener of a Gateway, one after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrpcStep {
    /// Where they go.
    #[serde(rename = "to")]
    pub target: Target,
    /// The calls.
    pub calls: Vec<GrpcExchange>,
}

/// A call, and what must come back. Written as the fields of the call, with an `expect` beside them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct GrpcExchange {
    /// The call.
    pub call: GrpcCall,
    /// What must come back.
    pub expect: GrpcExpectation,
    /// How many times, one after the other.
    pub times: u32,
    /// The client that makes it, where it matters which; one that remembers nothing otherwise.
    pub client: Option<Client>,
}

/// A call as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    #[serde(default)]
    service: Option<String>,
    method: String,
    #[serde(default)]
    authority: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Lines>,
    #[serde(default)]
    tls: Option<ClientTls>,
    #[serde(default)]
    expect: GrpcExpectation,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    keeps: Option<String>,
}

/// A unary call with an empty message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcCall {
    /// The service; the [echo service](ECHO_SERVICE) by default.
    pub service: String,
    /// The method: `Echo`, `EchoTwo`, or `EchoThree`, which no backend has.
    pub method: String,
    /// The authority; the address of the Gateway otherwise.
    pub authority: Option<String>,
    /// The metadata.
    pub headers: BTreeMap<String, Lines>,
    /// How TLS is spoken; not at all without it.
    pub tls: Option<ClientTls>,
}

/// What must come back.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GrpcExpectation {
    /// The status code by its name: `OK` by default, `UNIMPLEMENTED`, `UNAVAILABLE` …
    pub code: GrpcCode,
    /// Who must have answered: the name of its Deployment.
    pub backend: Option<Name>,
    /// Metadata that the backend must have got.
    pub headers: BTreeMap<String, HeaderExpectation>,
    /// Metadata that the backend must not have got.
    pub absent_headers: Vec<String>,
    /// The server name that the backend must have seen in TLS.
    pub server_name: Option<String>,
    /// The pod that answers must be the one that answered the client's last call.
    pub same_pod: bool,
    /// Any code but `OK` must come.
    pub failure: bool,
}

/// A status code, by the name that the gRPC documentation gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are those of gRPC")]
#[repr(u8)]
pub enum GrpcCode {
    #[default]
    Ok,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

fn once() -> u32 {
    1
}

// === impl GrpcExchange ===

impl From<Written> for GrpcExchange {
    fn from(written: Written) -> Self {
        let Written { service, method, authority, headers, tls, expect, times, client, keeps } = written;
        let service = service.unwrap_or_else(|| ECHO_SERVICE.to_owned());
        let client = client.map(|name| Client { name, keeps });
        Self { call: GrpcCall { service, method, authority, headers, tls }, expect, times, client }
    }
}

// === impl GrpcCode ===

impl GrpcCode {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        self as u8
    }
}
