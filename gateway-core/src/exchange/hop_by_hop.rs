//! Headers that are for one hop only, taken out of what is forwarded.
//!
//! What a sender says about its own connection ends here: `Connection` and the headers that it names, `Keep-Alive`,
//! `Proxy-Connection`, `TE` but for `trailers`, and `Upgrade` unless the connection is to be upgraded to a protocol that the
//! gateway [can carry](Upgrades). `Trailer` stays: it speaks of the message. `Proxy-Authorization` and `Proxy-Authenticate` stay: a gateway is no proxy that the client has
//! chosen, so they are between the client and the backend.
//!
//! `Transfer-Encoding` is not looked at here. It says how a message is framed, and that is for the client that writes
//! requests to backends and reads their answers.
//!
//! The surprising case: a client can name any header in `Connection`. Removal therefore comes before requests are matched, so
//! that no header decides which the backend does not see, and before headers are added that must arrive, or a client could
//! take the gateway's own `X-Forwarded-For` away. What says where a request goes and where it ends is never removed: `Host`,
//! `Content-Length`, `Transfer-Encoding`.
//!
//! # Spec
//! RFC 9110 section 7.6.1.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::header_set::{HeaderSet, is_one_line};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// Announces settings for an upgrade to HTTP/2, which is never forwarded.
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// The protocols to which a client may have its connection upgraded.
///
/// An upgraded connection is passed on byte for byte, so it has to be one that means nothing to those between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Upgrades {
    /// `websocket`, which every gateway carries: [BPR-04](crate::spec#BPR-04).
    #[default]
    WebSocket,
    /// Any but to HTTP/2. No rule looks at what follows, so this is for backends that are meant to be spoken to like that.
    Any,
}

/// Takes them out of a request. When it asks for an [upgrade](wants_upgrade), the two headers that say so stay, with the
/// protocols that are `allowed`; says whether it does.
pub fn remove_from_request(headers: &mut HeaderMap, allowed: Upgrades) -> bool {
    remove_present_from_request(headers, HeaderSet::from_headers(headers), allowed)
}

/// The same for those who know which headers are there.
pub(super) fn remove_present_from_request(
    headers: &mut HeaderMap,
    present: HeaderSet,
    allowed: Upgrades,
) -> bool {
    let upgrade = present.has(HeaderSet::UPGRADE) && wants_upgrade(headers) && allowed.choose(headers);
    if present.has(HeaderSet::TE) && !says_only(headers, &header::TE, "trailers") {
        let trailers = has_token(headers, &header::TE, "trailers");
        headers.remove(header::TE);
        if trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    }
    remove(headers, present, upgrade);
    upgrade
}

/// Takes them out of a response; `upgraded` when it is the 101 that a client waits for.
pub fn remove_from_response(headers: &mut HeaderMap, upgraded: bool) {
    remove(headers, HeaderSet::from_headers(headers), upgraded);
}

/// Whether a request asks for an upgrade that can be forwarded: to anything but HTTP/2.
///
/// An upgrade to HTTP/2 would hand the client a connection to the backend that no rule looks at.
pub fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
        && has_token(headers, &header::CONNECTION, "upgrade")
        && !["h2c", "h2", "HTTP/2.0", "HTTP/2"]
            .iter()
            .any(|http2| has_token(headers, &header::UPGRADE, http2))
}

// === impl Upgrades ===

impl Upgrades {
    /// Leaves the protocols that are allowed in `Upgrade`, as they are written there; says whether there are some.
    fn choose(self, headers: &mut HeaderMap) -> bool {
        match self {
            Self::WebSocket => {
                let websocket = tokens(headers, &header::UPGRADE)
                    .find(|token| token.eq_ignore_ascii_case(b"websocket"))
                    .and_then(|token| HeaderValue::from_bytes(token).ok());
                let Some(websocket) = websocket else { return false };
                headers.insert(header::UPGRADE, websocket);
                true
            }
            Self::Any => tokens(headers, &header::UPGRADE).next().is_some(),
        }
    }
}

/// Whether an answer of 101 with these headers switches to a protocol that was `asked` for.
///
/// # Spec
/// RFC 9110 section 7.8: a server must not switch to another.
pub fn is_asked_switch(asked: &HeaderValue, headers: &HeaderMap) -> bool {
    let wanted: Vec<&[u8]> = asked.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    let mut chosen = tokens(headers, &header::UPGRADE).peekable();
    chosen.peek().is_some()
        && chosen.all(|chosen| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(chosen)))
}

/// Takes out those of `present` that are for one hop, but for the `Upgrade` that is kept.
pub fn remove(headers: &mut HeaderMap, present: HeaderSet, keep_upgrade: bool) {
    if present.has(HeaderSet::CONNECTION) {
        remove_connection(headers);
    }
    if keep_upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if present.has(HeaderSet::KEEP_ALIVE) {
        headers.remove(KEEP_ALIVE);
    }
    if present.has(HeaderSet::PROXY_CONNECTION) {
        headers.remove(PROXY_CONNECTION);
    }
    if present.has(HeaderSet::UPGRADE) && !keep_upgrade {
        headers.remove(header::UPGRADE);
        headers.remove(HTTP2_SETTINGS);
    }
}

/// Takes out `Connection`, and the headers that it names.
fn remove_connection(headers: &mut HeaderMap) {
    // Most messages say one word here, which names no header.
    let named = if is_one_line(headers, &header::CONNECTION) {
        let line = headers.remove(header::CONNECTION);
        line.filter(|line| !is_word(line.as_bytes())).map(|line| named(elements(&line))).unwrap_or_default()
    } else {
        let named = named(tokens(headers, &header::CONNECTION));
        headers.remove(header::CONNECTION);
        named
    };
    for name in named {
        headers.remove(name);
    }
}

/// Those of the elements of `Connection` that name headers which are for one hop, as far as nothing else looks after them.
fn named<'h>(elements: impl Iterator<Item = &'h [u8]>) -> Vec<HeaderName> {
    elements
        .filter(|name| !is_word(name))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| ![header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name))
        .collect()
}

/// Whether an element of `Connection` speaks of the connection itself, or of a header that is looked after without it.
fn is_word(element: &[u8]) -> bool {
    // As nearly all write it.
    element == b"keep-alive"
        || [&b"keep-alive"[..], b"close", b"upgrade", b"te"]
            .iter()
            .any(|word| element.eq_ignore_ascii_case(word))
}

/// Whether the lists in this header hold `token`; parameters after `;` do not count.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|text| {
        let name = text.split(|byte| *byte == b';').next().unwrap_or_default();
        name.trim_ascii_end().eq_ignore_ascii_case(token.as_bytes())
    })
}

/// Whether this header is one line, and that this text.
fn says_only(headers: &HeaderMap, name: &HeaderName, text: &str) -> bool {
    headers.get(name).is_some_and(|line| line == text) && is_one_line(headers, name)
}

/// The elements of the lists in this header. They are bytes, so that one which is not text hides no other.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    headers.get_all(name).into_iter().flat_map(elements)
}

/// The elements of the list in one line.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn request(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        request_with(lines, Upgrades::default())
    }

    fn request_with(lines: &[(&'static str, &'static str)], allowed: Upgrades) -> HeaderMap {
        let mut headers = headers(lines);
        remove_from_request(&mut headers, allowed);
        headers
    }

    #[test]
    fn what_a_client_says_about_its_connection_is_not_forwarded() {
        let forwarded = request(&[
            ("host", "example.com"),
            ("connection", "Keep-Alive, x-hop"),
            ("connection", "X-Other ,, host, Content-Length,transfer-encoding"),
            ("content-length", "3"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("x-hop", "1"),
            ("x-other", "1"),
            ("te", "gzip"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("trailer", "x-checksum"),
            ("proxy-authorization", "Basic eA=="),
        ]);
        let expected = headers(&[
            ("host", "example.com"),
            ("content-length", "3"),
            ("trailer", "x-checksum"),
            ("proxy-authorization", "Basic eA=="),
        ]);
        assert_eq!(forwarded, expected);
    }

    #[test]
    fn of_te_only_trailers_stays() {
        for (value, expected) in [
            ("trailers", true),
            ("gzip;q=0.5, Trailers", true),
            ("trailers;q=1", true),
            ("gzip", false),
            ("", false),
        ] {
            let forwarded = request(&[("connection", "te"), ("te", value)]);
            let expected = if expected { headers(&[("te", "trailers")]) } else { HeaderMap::new() };
            assert_eq!(forwarded, expected, "{value}");
        }
    }

    // BPR-04, BPR-07, MSG-07
    #[test]
    fn an_upgrade_is_forwarded_to_what_can_be_carried_but_not_to_http_2() {
        for (connection, upgrade, by_default, any) in [
            ("Upgrade", "websocket", Some("websocket"), Some("websocket")),
            ("keep-alive, upgrade", "WebSocket", Some("WebSocket"), Some("WebSocket")),
            ("upgrade", "foo, websocket", Some("websocket"), Some("foo, websocket")),
            ("upgrade", "spdy/3.1", None, Some("spdy/3.1")),
            ("upgrade", "foo", None, Some("foo")),
            ("upgrade, http2-settings", "h2c", None, None),
            ("upgrade", "websocket, H2C", None, None),
            ("upgrade", "HTTP/2.0", None, None),
            ("upgrade", "", None, None),
            ("keep-alive", "websocket", None, None),
        ] {
            for (allowed, expected) in [(Upgrades::WebSocket, by_default), (Upgrades::Any, any)] {
                let forwarded = request_with(&[("connection", connection), ("upgrade", upgrade)], allowed);
                let expected = match expected {
                    Some(protocols) => headers(&[("connection", "upgrade"), ("upgrade", protocols)]),
                    None => HeaderMap::new(),
                };
                assert_eq!(forwarded, expected, "{allowed:?}: {connection}: {upgrade}");
            }
        }
    }

    // MSG-07
    #[test]
    fn a_switch_is_to_what_was_asked_for() {
        for (asked, chosen, expected) in [
            ("websocket", Some("WebSocket"), true),
            ("a, b", Some("b"), true),
            ("websocket", Some("foo"), false),
            ("websocket", Some("websocket, foo"), false),
            ("websocket", None, false),
        ] {
            let answer = chosen.map(|chosen| headers(&[("upgrade", chosen)])).unwrap_or_default();
            let is_asked = is_asked_switch(&HeaderValue::from_static(asked), &answer);
            assert_eq!(is_asked, expected, "{asked}: {chosen:?}");
        }
    }

    #[test]
    fn what_is_not_text_hides_nothing() {
        let opaque = |name: &'static str, value: &'static [u8]| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        };
        let mut request = HeaderMap::from_iter([
            opaque("connection", b"upgrade, \xff, x-hop"),
            opaque("upgrade", b"h2c, \xff"),
            opaque("x-hop", b"1"),
        ]);
        remove_from_request(&mut request, Upgrades::Any);
        assert_eq!(request, HeaderMap::new());
    }

    #[test]
    fn what_a_backend_says_about_its_connection_is_not_passed_on() {
        let answer =
            [("connection", "close, x-hop"), ("x-hop", "1"), ("keep-alive", "timeout=5"), ("etag", "\"1\"")];
        let mut passed = headers(&answer);
        remove_from_response(&mut passed, false);
        assert_eq!(passed, headers(&[("etag", "\"1\"")]));

        let mut switching = headers(&[("connection", "Upgrade"), ("upgrade", "websocket")]);
        remove_from_response(&mut switching, true);
        assert_eq!(switching, headers(&[("connection", "upgrade"), ("upgrade", "websocket")]));
    }
}
