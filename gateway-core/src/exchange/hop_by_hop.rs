//! Headers that are for one hop only, taken out of what is forwarded.
//!
//! What a sender says about its own connection ends here: `Connection` and the headers that it names, `Keep-Alive`,
//! `Proxy-Connection`, `TE` but for `trailers`, and `Upgrade` unless the connection is to be upgraded. `Trailer` stays: it
//! speaks of the message. `Proxy-Authorization` and `Proxy-Authenticate` stay: a gateway is no proxy that the client has
//! chosen, so they are between the client and the backend.
//!
//! `Transfer-Encoding` is not looked at here. It says how a message is framed, and that is for the client that writes
//! requests to backends and reads their answers.
//!
//! The surprising case: a client can name any header in `Connection`. Removal therefore comes before headers are added
//! that must arrive, or a client could take the gateway's own `X-Forwarded-For` away; and `Host` is never removed.
//!
//! # Spec
//! RFC 9110 section 7.6.1.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::header_set::HeaderSet;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// Announces settings for an upgrade to HTTP/2, which is never forwarded.
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Takes them out of a request. When it asks for an [upgrade](wants_upgrade), the two headers that say so stay; says whether
/// it does.
pub fn remove_from_request(headers: &mut HeaderMap) -> bool {
    let present = HeaderSet::of(headers);
    let upgrade = present.has(HeaderSet::UPGRADE) && wants_upgrade(headers);
    if present.has(HeaderSet::TE) {
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
    remove(headers, HeaderSet::of(headers), upgraded);
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

/// Takes out those of `present` that are for one hop, but for the `Upgrade` that is kept.
pub fn remove(headers: &mut HeaderMap, present: HeaderSet, keep_upgrade: bool) {
    if present.has(HeaderSet::CONNECTION) {
        remove_named(headers);
        headers.remove(header::CONNECTION);
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

/// Takes out the headers that `Connection` names.
fn remove_named(headers: &mut HeaderMap) {
    let special = |name: &&[u8]| {
        ["close", "keep-alive", "upgrade", "te"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter(|name| !special(name))
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| *name != header::HOST)
        .collect();
    for name in named {
        headers.remove(name);
    }
}

/// Whether the lists in this header hold `token`; parameters after `;` do not count.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|text| {
        let name = text.split(|byte| *byte == b';').next().unwrap_or_default();
        name.trim_ascii_end().eq_ignore_ascii_case(token.as_bytes())
    })
}

/// The elements of the lists in this header. They are bytes, so that one which is not text hides no other.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let elements =
        headers.get_all(name).into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    elements.map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
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
        let mut headers = headers(lines);
        remove_from_request(&mut headers);
        headers
    }

    #[test]
    fn what_a_client_says_about_its_connection_is_not_forwarded() {
        let forwarded = request(&[
            ("host", "example.com"),
            ("connection", "Keep-Alive, x-hop"),
            ("connection", "X-Other ,, host"),
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

    // BPR-04, BPR-07
    #[test]
    fn an_upgrade_is_forwarded_but_not_to_http_2() {
        for (connection, upgrade, expected) in [
            ("Upgrade", "websocket", true),
            ("keep-alive, upgrade", "WebSocket", true),
            ("upgrade", "spdy/3.1", true),
            ("upgrade, http2-settings", "h2c", false),
            ("upgrade", "websocket, H2C", false),
            ("upgrade", "HTTP/2.0", false),
            ("keep-alive", "websocket", false),
        ] {
            let forwarded = request(&[("connection", connection), ("upgrade", upgrade)]);
            let expected = if expected {
                headers(&[("connection", "upgrade"), ("upgrade", upgrade)])
            } else {
                HeaderMap::new()
            };
            assert_eq!(forwarded, expected, "{connection}: {upgrade}");
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
        remove_from_request(&mut request);
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
