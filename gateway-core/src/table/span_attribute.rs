//! Additional attributes of spans, and where their values come from.

use std::fmt;

use http::HeaderName;

/// An attribute that every span of a Gateway carries, where there is a value for it.
///
/// # Spec
/// [TEL-05](crate::spec#TEL-05)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanAttribute {
    /// The key in the span.
    pub name: Box<str>,
    /// Where its value comes from.
    pub source: AttributeSource,
}

/// Where the value of an attribute comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeSource {
    /// This text.
    Literal(Box<str>),
    /// This header of the request; of the answer, where the request has none.
    Header(HeaderName),
    /// What OpenTelemetry knows by a name of its own.
    Known(KnownAttribute),
}

macro_rules! known_attributes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $key:literal;)+) => {
        /// An attribute of the dictionary that policies choose from: a stable one of OpenTelemetry, with the type that it has there.
        ///
        /// ```
        /// use gateway_core::table::KnownAttribute;
        ///
        /// let key = KnownAttribute::parse("http.request.header.x-tenant").unwrap();
        /// assert_eq!(key, KnownAttribute::RequestHeader(http::HeaderName::from_static("x-tenant")));
        /// assert_eq!(KnownAttribute::parse("upstream_host"), None, "a variable of some proxy");
        /// ```
        ///
        /// # Spec
        /// [TEL-05](crate::spec#TEL-05); GEP-5253.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum KnownAttribute {
            $($(#[doc = $doc])+ #[doc = concat!("`", $key, "`")] $variant,)+
            /// All values of a header of the request: `http.request.header.` and its name.
            RequestHeader(HeaderName),
            /// All values of a header of the answer: `http.response.header.` and its name.
            ResponseHeader(HeaderName),
        }

        impl KnownAttribute {
            /// The keys without those that have the name of a header in them, sorted.
            pub const KEYS: &[&str] = &[$($key),+];

            /// The attribute of this key, if there is one in the dictionary.
            pub fn parse(key: &str) -> Option<Self> {
                let header = |prefix| HeaderName::from_bytes(key.strip_prefix(prefix)?.as_bytes()).ok();
                match key {
                    $($key => Some(Self::$variant),)+
                    _ => header(REQUEST_HEADER)
                        .map(Self::RequestHeader)
                        .or_else(|| header(RESPONSE_HEADER).map(Self::ResponseHeader)),
                }
            }
        }

        impl fmt::Display for KnownAttribute {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($key),)+
                    Self::RequestHeader(name) => write!(f, "{REQUEST_HEADER}{name}"),
                    Self::ResponseHeader(name) => write!(f, "{RESPONSE_HEADER}{name}"),
                }
            }
        }
    };
}

const REQUEST_HEADER: &str = "http.request.header.";
const RESPONSE_HEADER: &str = "http.response.header.";

known_attributes! {
    /// The address of the client, as text:
    ClientAddress = "client.address";
    /// The port of the client, as a number:
    ClientPort = "client.port";
    /// What went wrong, as one word; nothing where nothing did:
    ErrorType = "error.type";
    /// The method, one of those that the convention knows or `_OTHER`:
    RequestMethod = "http.request.method";
    /// The method as it came:
    RequestMethodOriginal = "http.request.method_original";
    /// The status of the answer, as a number:
    ResponseStatusCode = "http.response.status_code";
    /// The path of the match by which the rule was found:
    Route = "http.route";
    /// The address at the other end of the connection, as text:
    PeerAddress = "network.peer.address";
    /// The port at the other end of the connection, as a number:
    PeerPort = "network.peer.port";
    /// `http`:
    ProtocolName = "network.protocol.name";
    /// The version of HTTP, such as `1.1` or `2`:
    ProtocolVersion = "network.protocol.version";
    /// `tcp`:
    Transport = "network.transport";
    /// `ipv4` or `ipv6`:
    NetworkType = "network.type";
    /// The host that the request names, without a port:
    ServerAddress = "server.address";
    /// The port that the request names, or to which it came, as a number:
    ServerPort = "server.port";
    /// What stands after `#` in an URL, which no client sends, so that there is never a value:
    UrlFragment = "url.fragment";
    /// The whole URL:
    UrlFull = "url.full";
    /// The path:
    UrlPath = "url.path";
    /// What stands after `?`, where something does:
    UrlQuery = "url.query";
    /// `http` or `https`:
    UrlScheme = "url.scheme";
    /// What the client says it is:
    UserAgent = "user_agent.original";
}

#[cfg(test)]
mod tests {
    use super::*;

    // TEL-05
    #[test]
    fn every_key_is_read_as_what_it_is_written_as() {
        for key in KnownAttribute::KEYS
            .iter()
            .copied()
            .chain(["http.request.header.x-a", "http.response.header.x_b"])
        {
            assert_eq!(KnownAttribute::parse(key).unwrap().to_string(), key);
        }
        assert!(KnownAttribute::KEYS.is_sorted());
    }

    // TEL-05
    #[test]
    fn what_is_not_in_the_dictionary_is_no_attribute() {
        for key in [
            "",
            "http",
            "http.request",
            "http.request.header.",
            "request_id",
            "gen_ai.tool.name",
            "tls.cipher",
        ] {
            assert_eq!(KnownAttribute::parse(key), None, "{key}");
        }
    }
}
