//! HTTP: what is sent, and what must come back.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::header::HeaderExpectation;
use super::object_ref::{Name, ObjectRef};

/// Requests to a listener of a Gateway, one after the other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpStep {
    /// Where they go.
    #[serde(rename = "to")]
    pub target: Target,
    /// The requests.
    pub requests: Vec<HttpExchange>,
}

/// A listener of a Gateway, or the port of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The Gateway.
    pub gateway: Name,
    /// The port; that of the Gateway's first listener if nothing else is said.
    pub port: Option<u16>,
}

/// A request, and what must come back. Written as the fields of the request, with an `expect` beside them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct HttpExchange {
    /// The request.
    pub request: HttpRequest,
    /// What must come back.
    pub expect: HttpExpectation,
    /// How many times, one after the other.
    pub times: u32,
    /// The client that sends it, where it matters which; one that remembers nothing otherwise.
    pub client: Option<Client>,
}

/// A client that remembers what answers tell it: cookies, and a header if there is one to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The name: requests of one name are those of one client.
    pub name: String,
    /// The header of answers that it sends again with every request.
    pub keeps: Option<String>,
}

/// An exchange as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    method: String,
    path: String,
    host: Option<String>,
    without_host: bool,
    headers: BTreeMap<String, Lines>,
    protocol: HttpProtocol,
    tls: Option<ClientTls>,
    body: Option<String>,
    expect: HttpExpectation,
    times: u32,
    client: Option<String>,
    keeps: Option<String>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// Path and query. `$(id)` stands for a text that no other request has.
    pub path: String,
    /// The host, with the port if one is to be sent; the address of the Gateway otherwise.
    pub host: Option<String>,
    /// No host is sent at all, which only HTTP/1.1 can.
    pub without_host: bool,
    /// The headers, in any case; several lines of one name are a list.
    pub headers: BTreeMap<String, Lines>,
    /// What is spoken.
    pub protocol: HttpProtocol,
    /// How TLS is spoken; not at all without it.
    pub tls: Option<ClientTls>,
    /// The body.
    pub body: Option<String>,
}

/// The version of HTTP that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum HttpProtocol {
    /// HTTP/1.1, one request for each connection.
    #[default]
    #[serde(rename = "HTTP/1.1")]
    Http1,
    /// HTTP/2: with prior knowledge where there is no TLS, by ALPN where there is.
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// The lines of one header name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Lines {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// How the client speaks TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTls {
    /// The server name that it sends, and that the certificate must have.
    pub server_name: String,
    /// The Secret or ConfigMap whose certificate it trusts.
    pub trust: ObjectRef,
    /// The Secret with the certificate that it shows when it is asked for one. The server must ask then.
    pub certificate: Option<ObjectRef>,
}

/// What must come back.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpExpectation {
    /// The status, or one of several; 200 if nothing is said. 408 and 504 are the same.
    pub status: Option<Statuses>,
    /// Who must have answered: the name of its Deployment. Implies that the backend got the path that was sent.
    pub backend: Option<Name>,
    /// The path and query that the backend must have got; by default those that were sent.
    pub path: Option<String>,
    /// The host that the backend must have got, with its port.
    pub host: Option<String>,
    /// Headers that the backend must have got.
    pub headers: BTreeMap<String, HeaderExpectation>,
    /// Headers that the backend must not have got.
    pub absent_headers: Vec<String>,
    /// Headers of the answer.
    pub response_headers: BTreeMap<String, HeaderExpectation>,
    /// Headers that the answer must not have.
    pub absent_response_headers: Vec<String>,
    /// The cookies that the answer must set, whatever to, with all of their attributes in any order.
    pub set_cookies: BTreeMap<String, Vec<String>>,
    /// The cookies that the answer must not set.
    pub absent_cookies: Vec<String>,
    /// The pod that answers must be the one that answered the client's last request.
    pub same_pod: bool,
    /// Where a redirect must lead to.
    pub redirect: Option<RedirectExpectation>,
    /// The header in which the backend must have got its own name.
    pub own_name_in: Option<String>,
    /// The server name that the backend must have seen in TLS.
    pub server_name: Option<String>,
    /// The Secret with the certificate that the backend must have been shown.
    pub peer_certificate: Option<ObjectRef>,
    /// The backends that must have got a copy of the request, with the path that was sent.
    pub mirrors: Vec<Name>,
    /// The backends that must not have got a copy.
    pub no_mirrors: Vec<Name>,
    /// The gateway must have answered by itself: no backend was asked.
    pub not_forwarded: bool,
    /// There must be an answer that is neither a success nor a timeout: anything but 200, 408 and 504.
    pub failure: bool,
    /// There must be no answer at all: TLS or the connection fails.
    pub no_answer: bool,
}

/// One status, or several of which one must come.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Statuses {
    /// This one.
    One(u16),
    /// One of these.
    OneOf(Vec<u16>),
}

/// Where a redirect must lead to. What is left out must be as in the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RedirectExpectation {
    /// The scheme.
    pub scheme: Option<String>,
    /// The host; any if nothing is said.
    pub host: Option<String>,
    /// The port. Without it, there must be none, or the one that the scheme has anyway.
    pub port: Option<u16>,
    /// The path.
    pub path: Option<String>,
}

// === impl HttpExchange ===

impl From<Written> for HttpExchange {
    fn from(written: Written) -> Self {
        let Written { method, path, host, without_host, headers, protocol, tls, body, .. } = written;
        let Written { expect, times, client, keeps, .. } = written;
        Self {
            request: HttpRequest { method, path, host, without_host, headers, protocol, tls, body },
            expect,
            times,
            client: client.map(|name| Client { name, keeps }),
        }
    }
}

impl Default for Written {
    fn default() -> Self {
        let HttpRequest { method, path, host, without_host, headers, protocol, tls, body } =
            HttpRequest::default();
        Self {
            method,
            path,
            host,
            without_host,
            headers,
            protocol,
            tls,
            body,
            expect: HttpExpectation::default(),
            times: 1,
            client: None,
            keeps: None,
        }
    }
}

impl Default for HttpExchange {
    fn default() -> Self {
        Written::default().into()
    }
}

// === impl HttpRequest ===

impl Default for HttpRequest {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: None,
            without_host: false,
            headers: BTreeMap::new(),
            protocol: HttpProtocol::default(),
            tls: None,
            body: None,
        }
    }
}

// === impl Lines ===

impl Lines {
    /// The lines.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(line) => std::slice::from_ref(line),
            Self::Many(lines) => lines,
        }
    }
}

// === impl Statuses ===

impl Statuses {
    /// The statuses.
    pub fn as_slice(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::OneOf(statuses) => statuses,
        }
    }
}
