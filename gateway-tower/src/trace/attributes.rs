//! Attributes of spans that a policy asks for.

use std::net::{IpAddr, SocketAddr};

use gateway_core::matching::MatchedPath;
use gateway_core::matching::normalize_path;
use gateway_core::table::{AttributeSource, KnownAttribute, Spans};
use http::header::{self, HeaderMap, HeaderName};
use http::uri::Authority;
use http::{Request, Response, StatusCode, Version};
use opentelemetry::{Array, KeyValue, StringValue, Value};

use super::method::named;
use crate::connection::Connection;
use crate::outcome::Outcome;

/// The most bytes of a text in an attribute; what is longer is cut.
const MAX_VALUE: usize = 1 << 10;

/// The most values of one header in an attribute.
const MAX_VALUES: usize = 16;

/// What is known of a request when it begins.
pub(super) struct Begun {
    /// The attributes that have their value.
    pub(super) known: Vec<KeyValue>,
    /// The positions of those that may have one when there is an answer.
    pub(super) open: Vec<u8>,
    /// The path of the request, if an attribute needs it then.
    pub(super) path: Option<Box<str>>,
}

// === impl Begun ===

impl Begun {
    /// # Spec
    /// TEL-05: what has no value is left out.
    pub(super) fn new<B>(spans: &Spans, request: &Request<B>, connection: &Connection) -> Self {
        let mut begun =
            Self { known: Vec::with_capacity(spans.attributes.len() + 8), open: Vec::new(), path: None };
        for (position, attribute) in (0..).zip(&spans.attributes) {
            match requested(&attribute.source, request, connection) {
                Some(value) => begun.known.push(KeyValue::new(attribute.name.to_string(), value)),
                None if is_of_the_answer(&attribute.source) => begun.open.push(position),
                None => {}
            }
            if attribute.source == AttributeSource::Known(KnownAttribute::Route) {
                begun.path = Some(request.uri().path().into());
            }
        }
        begun
    }
}

/// The host that a request names, with the port if it names one.
pub(super) fn authority<B>(request: &Request<B>) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.clone());
    }
    request.headers().get(header::HOST)?.to_str().ok()?.parse().ok()
}

/// What is known of an answer, under the names that the policy has for it.
pub(super) fn answered<'s, B>(
    spans: &'s Spans,
    open: &'s [u8],
    path: Option<&'s str>,
    response: &'s Response<B>,
) -> impl Iterator<Item = KeyValue> + 's {
    let headers = response.headers();
    open.iter().filter_map(move |position| {
        let attribute = spans.attributes.get(usize::from(*position))?;
        let value = match &attribute.source {
            AttributeSource::Header(name) => joined(headers, name)?,
            AttributeSource::Known(KnownAttribute::ResponseHeader(name)) => all(headers, name)?,
            AttributeSource::Known(KnownAttribute::ResponseStatusCode) => code(response.status()),
            AttributeSource::Known(KnownAttribute::Route) => route(path?, response.extensions().get()?)?,
            AttributeSource::Known(_) | AttributeSource::Literal(_) => return None,
        };
        Some(KeyValue::new(attribute.name.to_string(), value))
    })
}

/// The names that the policy has for something of the dictionary.
pub(super) fn names_of(spans: &Spans, known: &KnownAttribute) -> impl Iterator<Item = String> {
    let all = spans.attributes.iter();
    let of_it = all.filter(move |attribute| attribute.source == AttributeSource::Known(known.clone()));
    of_it.map(|attribute| attribute.name.to_string())
}

pub(super) fn code(status: StatusCode) -> Value {
    Value::I64(status.as_u16().into())
}

fn requested<B>(source: &AttributeSource, request: &Request<B>, connection: &Connection) -> Option<Value> {
    let known = match source {
        AttributeSource::Literal(text) => return Some(text_of(text)),
        AttributeSource::Header(name) => return joined(request.headers(), name),
        AttributeSource::Known(known) => known,
    };
    let (uri, headers) = (request.uri(), request.headers());
    let address = |address: SocketAddr| Value::from(address.ip().to_string());
    let port = |address: SocketAddr| Value::I64(address.port().into());
    match known {
        KnownAttribute::RequestMethod => Some(named(request.method()).1.into()),
        KnownAttribute::RequestMethodOriginal => Some(text_of(request.method().as_str())),
        KnownAttribute::RequestHeader(name) => all(headers, name),
        KnownAttribute::UserAgent => joined(headers, &header::USER_AGENT),
        KnownAttribute::UrlScheme => Some(scheme(connection).into()),
        KnownAttribute::UrlPath => Some(text_of(uri.path())),
        KnownAttribute::UrlQuery => uri.query().map(text_of),
        KnownAttribute::UrlFull => {
            let target = uri.path_and_query().map_or("/", |target| target.as_str());
            Some(text_of(&format!(
                "{}://{}{target}",
                scheme(connection),
                host_and_port(&authority(request)?)
            )))
        }
        KnownAttribute::ClientAddress | KnownAttribute::PeerAddress => connection.peer.map(address),
        KnownAttribute::ClientPort | KnownAttribute::PeerPort => connection.peer.map(port),
        KnownAttribute::ServerAddress => Some(text_of(authority(request)?.host())),
        KnownAttribute::ServerPort => {
            let named = authority(request).and_then(|authority| authority.port_u16());
            Some(Value::I64(named.unwrap_or(connection.port).into()))
        }
        KnownAttribute::ProtocolName => Some("http".into()),
        KnownAttribute::ProtocolVersion => version(request.version()).map(Value::from),
        KnownAttribute::Transport => Some("tcp".into()),
        KnownAttribute::NetworkType => connection.peer.map(|peer| match peer.ip().to_canonical() {
            IpAddr::V4(_) => "ipv4".into(),
            IpAddr::V6(_) => "ipv6".into(),
        }),
        // Not known yet, or never.
        _ => None,
    }
}

/// Whether there may be a value when there is an answer.
fn is_of_the_answer(source: &AttributeSource) -> bool {
    match source {
        AttributeSource::Header(_) => true,
        AttributeSource::Known(known) => matches!(
            known,
            KnownAttribute::ResponseHeader(_) | KnownAttribute::ResponseStatusCode | KnownAttribute::Route
        ),
        AttributeSource::Literal(_) => false,
    }
}

pub(super) fn scheme(connection: &Connection) -> &'static str {
    if connection.secure { "https" } else { "http" }
}

/// Without the user that an URL may name.
fn host_and_port(authority: &Authority) -> &str {
    authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host)
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// The path of the match that was met; there is none for a regular expression, which is no path.
fn route(path: &str, outcome: &Outcome) -> Option<Value> {
    let path = normalize_path(path);
    match outcome.routed.as_ref()?.matched().path {
        MatchedPath::Exact | MatchedPath::Method => Some(text_of(&path)),
        MatchedPath::Prefix(0) => Some("/".into()),
        MatchedPath::Prefix(length) => path.get(..length).map(text_of),
        MatchedPath::Regex => None,
    }
}

/// The values of a header as one text.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Value> {
    let lines = headers.get_all(name).iter().take(MAX_VALUES);
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    (!lines.is_empty()).then(|| text_of(&lines.join(", ")))
}

/// The values of a header, each by itself.
fn all(headers: &HeaderMap, name: &HeaderName) -> Option<Value> {
    let lines = headers.get_all(name).iter().take(MAX_VALUES);
    let values =
        lines.map(|line| StringValue::from(cut(&String::from_utf8_lossy(line.as_bytes())).to_owned()));
    let values: Vec<_> = values.collect();
    (!values.is_empty()).then_some(Value::Array(Array::String(values)))
}

pub(super) fn text_of(text: &str) -> Value {
    Value::from(cut(text).to_owned())
}

/// As much of a text as an attribute holds.
pub(crate) fn cut(text: &str) -> &str {
    let end = (0..=MAX_VALUE.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
