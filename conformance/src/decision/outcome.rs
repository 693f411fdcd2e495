//! The input and the outcome of a decision about a request.
//!
//! The reference and the core get the same [`Arrival`] and give an [`Outcome`]; a test that compares the two says what
//! differs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use gateway_core::name::ObjectName;
use gateway_core::rule::BackendKind;
use http::{HeaderMap, Request, Response, StatusCode};

use super::tls::BackendTls;

/// A request that comes in, and all that is random about what becomes of it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The Gateway that it comes in at.
    pub gateway: ObjectName,
    /// The port of the Gateway.
    pub port: u16,
    /// The server name of the TLS handshake, if there was one that had it.
    pub server_name: Option<String>,
    /// The request.
    pub request: Request<()>,
    /// The length of its body.
    pub body_length: u64,
    /// What authorization services answer, in the order in which they are asked.
    pub auth: Vec<AuthReply>,
    /// The random numbers that decide, in the order in which they are drawn: one for each mirror filter of the rule, one
    /// for the backend, one for each mirror filter of the backend. The last one repeats.
    pub randoms: Vec<u64>,
    /// What a backend answers.
    pub answer: Response<()>,
    /// When it comes in.
    pub now: SystemTime,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Who serves it.
    pub decision: Decision,
    /// What happens then.
    pub effect: Effect,
}

/// Who serves a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A match entry of a route.
    Served {
        /// The listener that took the request, as `namespace/gateway/listener` or `namespace/listener-set/listener`.
        listener: String,
        /// The kind of the route.
        kind: &'static str,
        /// The route.
        route: ObjectName,
        /// Which of its rules.
        rule: usize,
        /// Which of the rule's match entries; 0 for a rule without any.
        entry: usize,
    },
    /// No match entry: this is the answer.
    Refused(StatusCode),
}

/// What happens with a request, and what the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The gateway answers by itself.
    Answered(Reply),
    /// A backend gets the request, and others get copies of it.
    Forwarded(Box<Forwarded>),
    /// An authorization service is asked, of which the [arrival](Arrival::auth) has no answer yet.
    Asks(Box<Asked>),
}

/// What an authorization service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The service.
    pub to: Target,
    /// Its endpoints, sorted.
    pub endpoints: Vec<SocketAddr>,
    /// How it is asked.
    pub question: Question,
}

/// How an authorization service is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// By this request.
    Http(Sent),
    /// By a call that says this of the request; the host is the authority.
    Check(Sent),
}

/// What an authorization service answers.
#[derive(Clone, Debug)]
pub enum AuthReply {
    /// This, over HTTP.
    Http(Response<Bytes>),
    /// This, to a call.
    Check(CheckReply),
    /// Nothing.
    Nothing,
}

/// What an authorization service that is called says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckReply {
    /// It passes, with these headers set.
    Permit(Vec<(String, String)>),
    /// It does not; the client gets this status, these headers and this body.
    Deny(u16, Vec<(String, String)>, String),
}

/// A request that a backend gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// The backend.
    pub to: Target,
    /// Its endpoints, sorted.
    pub endpoints: Vec<SocketAddr>,
    /// What the backend gets.
    pub sent: Sent,
    /// Who gets a copy of what, in the order of the filters.
    pub mirrors: Vec<Mirrored>,
    /// What the client gets if the backend answers.
    pub reply: Reply,
    /// The headers of the answer that the gateway makes by itself if the backend does not.
    pub failed: Headers,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// When it is tried again; never without it.
    pub retry: Option<Retry>,
    /// How much of what the backend gets may be retries.
    pub retry_budget: Option<RetryBudget>,
    /// How the requests of a client stay with one endpoint, where they do.
    pub session: Option<Session>,
}

/// How much of what a backend gets may be retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    /// This share of its requests, in percent,
    pub percent: u32,
    /// over this time.
    pub interval: Duration,
    /// In any case so many
    pub least: u32,
    /// in this time.
    pub least_interval: Duration,
}

/// How the requests of a client stay with one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The endpoint that this one must go to; any where there is no session yet.
    pub kept: Option<SocketAddr>,
    /// The header of the answer by which a session begins with each of the endpoints, in their order.
    pub begins: Vec<(String, String)>,
}

/// A copy of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The backend that gets it.
    pub to: Target,
    /// Its endpoints, sorted.
    pub endpoints: Vec<SocketAddr>,
    /// What it gets.
    pub sent: Sent,
}

/// How long a request may take; no limit without a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// All of it.
    pub request: Option<Duration>,
    /// One attempt at the backend.
    pub backend_request: Option<Duration>,
}

/// When a request is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After answers with these statuses; after a failure without an answer always.
    pub codes: Vec<u16>,
    /// How many times, after the first.
    pub attempts: u32,
    /// The base of the times between attempts ([RTY-05](gateway_core::spec#RTY-05)).
    pub backoff: Duration,
}

/// What a connection to a port of a Gateway meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// No listener is there.
    Closed,
    /// HTTP without TLS.
    Http,
    /// TLS that ends at the listener of this name; at none if no listener has the server name.
    Https(Option<String>),
    /// Something else than HTTP: what TLSRoutes and TCPRoutes are about.
    Stream,
}

/// One port of a Service or a ServiceImport, or an XBackend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which of these.
    pub kind: BackendKind,
    /// The object of that kind.
    pub service: ObjectName,
    /// Its port.
    pub port: u16,
    /// How TLS is spoken there; not at all without it.
    pub tls: Option<Box<BackendTls>>,
}

/// The head of a request that is sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The authority of the target, where it has one.
    pub authority: Option<String>,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: Headers,
}

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Headers,
}

// === impl Arrival ===

impl Arrival {
    /// When requests come in where time does not matter.
    pub fn some_time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }
}

// === impl Session ===

impl Session {
    /// The text by which a session begins with the endpoint at this position, without what says how it is kept.
    pub fn text(&self, position: usize) -> Option<&str> {
        let (name, value) = self.begins.get(position)?;
        match name.as_str() {
            "set-cookie" => value.split(';').next()?.split_once('=').map(|(_, text)| text),
            _ => Some(value),
        }
    }
}

/// Headers that compare as they should: the order of names does not matter, the order of one name's lines does.
pub type Headers = BTreeMap<String, Vec<String>>;

/// The headers in the form that is compared.
pub fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    headers
}
