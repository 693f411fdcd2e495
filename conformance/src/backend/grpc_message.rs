//! The messages of the gRPC echo service, and those of Envoy's authorization service, as far as they are used.

/// The question: nothing.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EchoRequest {}

/// The answer.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct EchoResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) assertions: Option<Assertions>,
    #[prost(message, optional, tag = "2")]
    pub(crate) request: Option<EchoRequest>,
}

/// What the backend got.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Assertions {
    #[prost(string, tag = "1")]
    pub(crate) fully_qualified_method: String,
    #[prost(message, repeated, tag = "2")]
    pub(crate) headers: Vec<Header>,
    #[prost(string, tag = "3")]
    pub(crate) authority: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) context: Option<Context>,
    #[prost(message, optional, tag = "5")]
    pub(crate) tls_assertions: Option<TlsAssertions>,
}

/// A line of the metadata.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Header {
    #[prost(string, tag = "1")]
    pub(crate) key: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

/// Who answered.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Context {
    #[prost(string, tag = "1")]
    pub(crate) namespace: String,
    #[prost(string, tag = "2")]
    pub(crate) ingress: String,
    #[prost(string, tag = "3")]
    pub(crate) service_name: String,
    #[prost(string, tag = "4")]
    pub(crate) pod: String,
}

/// What the backend knows about TLS.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct TlsAssertions {
    #[prost(string, tag = "1")]
    pub(crate) version: String,
    #[prost(string, tag = "2")]
    pub(crate) negotiated_protocol: String,
    #[prost(string, tag = "3")]
    pub(crate) server_name: String,
    #[prost(string, tag = "4")]
    pub(crate) cipher_suite: String,
    #[prost(string, repeated, tag = "5")]
    pub(crate) peer_certificates: Vec<String>,
}

/// What is to be authorized: `envoy.service.auth.v3.CheckRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) attributes: Option<Attributes>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Attributes {
    #[prost(message, optional, tag = "4")]
    pub(super) request: Option<AttributesOfRequest>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributesOfRequest {
    #[prost(message, optional, tag = "2")]
    pub(super) http: Option<AttributesOfHttp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct AttributesOfHttp {
    #[prost(btree_map = "string, string", tag = "3")]
    pub(super) headers: std::collections::BTreeMap<String, String>,
    #[prost(string, tag = "4")]
    pub(super) path: String,
}

/// Whether it is: `envoy.service.auth.v3.CheckResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Code>,
    #[prost(message, optional, tag = "2")]
    pub(super) denied: Option<Denied>,
    #[prost(message, optional, tag = "3")]
    pub(super) ok: Option<Permitted>,
}

/// A status code: of gRPC or of HTTP.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Code {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Denied {
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Code>,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
    #[prost(string, tag = "3")]
    pub(super) body: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Permitted {
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<HeaderOption>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct HeaderOption {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<Header>,
}
