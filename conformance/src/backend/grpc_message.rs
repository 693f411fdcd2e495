//! The messages of the gRPC echo service, and its methods.

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
