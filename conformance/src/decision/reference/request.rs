//! The request as matching sees it.

use super::{Pattern, pattern};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use regex::Captures;

/// A request that names one host, its path in normal form.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    /// Lower case, without port and trailing dot.
    pub(super) host: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
}

/// Reads a request; `None` if it does not name exactly one valid host.
///
/// AMB-16, AMB-43: the target's authority goes before the Host header, of which there may be one.
pub(super) fn read(request: &Request<()>) -> Option<Seen> {
    let hosts: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
    if hosts.len() > 1 {
        return None;
    }
    let authority = match request.uri().authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => hosts.first()?.to_str().ok()?.to_owned(),
    };
    let mut headers = end_to_end(request.headers());
    if request.uri().authority().is_some() {
        headers.insert(header::HOST, HeaderValue::from_str(&authority).ok()?);
    }
    Some(Seen {
        method: request.method().clone(),
        host: host_of_authority(&authority)?,
        path: normal_form(request.uri().path()),
        query: request.uri().query().map(str::to_owned),
        headers,
    })
}

/// RFC 9110 section 7.6.1: the headers without those that are for one hop only. A wish for WebSocket goes on, one for anything
/// else does not.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let tokens = |name: HeaderName| -> Vec<String> {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(|token| token.trim().to_ascii_lowercase()).collect()
    };
    let named = tokens(header::CONNECTION);
    let websocket = tokens(header::UPGRADE).iter().any(|protocol| protocol == "websocket");
    let upgrade = websocket && named.iter().any(|name| name == "upgrade");
    let mut kept = headers.clone();
    for name in named.iter().map(String::as_str).chain(["keep-alive", "proxy-connection", "te", "upgrade"]) {
        if !["host", "content-length", "transfer-encoding"].contains(&name) {
            kept.remove(name);
        }
    }
    kept.remove(header::CONNECTION);
    if upgrade {
        kept.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        kept.insert(header::UPGRADE, headers[header::UPGRADE].clone());
    }
    if tokens(header::TE).iter().any(|token| token == "trailers") {
        kept.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    kept
}

/// [HST-07](gateway_core::spec#HST-07), [AMB-15](gateway_core::choices#AMB-15), [AMB-16](gateway_core::choices#AMB-16): the host
/// of `host[:port]` or `[v6][:port]`.
pub fn host_of_authority(authority: &str) -> Option<String> {
    static PARTS: Pattern = pattern!(r"^(\[[^\[\]]*\]|[^\[\]:]*)(?::[0-9]*)?$");
    host_of_name(PARTS.captures(authority)?.get(1)?.as_str())
}

/// HST-15, AMB-14, AMB-15: lower case, and one trailing dot less.
pub(super) fn host_of_name(name: &str) -> Option<String> {
    static NAME: Pattern = pattern!(r"^[A-Za-z0-9._~!$&'()*+,;=%-]+$");
    let host = name.strip_suffix('.').unwrap_or(name);
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let valid = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => NAME.is_match(host) && host.len() <= 253,
    };
    valid.then(|| host.to_ascii_lowercase())
}

/// [AMB-01](gateway_core::choices#AMB-01) to [AMB-05](gateway_core::choices#AMB-05): unreserved characters decoded, other escapes
/// in upper case, what no path may hold encoded, dot segments removed.
pub fn normal_form(path: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    static REFUSED: Pattern = pattern!("[^-A-Za-z0-9._~!$&'()*+,;=:@/%]");
    let path = REFUSED.replace_all(path, |refused: &Captures<'_>| {
        refused[0].bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
    });
    static ESCAPE: Pattern = pattern!("%[0-9A-Fa-f]{2}");
    static STRAY: Pattern = pattern!("%[0-9A-Fa-f]?$");
    let mut decoded = String::new();
    let mut copied = 0;
    for escape in ESCAPE.find_iter(&path) {
        decoded.push_str(&path[copied..escape.start()]);
        copied = escape.end();
        let byte = u8::from_str_radix(&escape.as_str()[1..], 16).expect("two digits");
        match char::from(byte) {
            // It would make an escape that the client did not write.
            digit if digit.is_ascii_hexdigit() && STRAY.is_match(&decoded) => {
                decoded.push_str(&escape.as_str().to_ascii_uppercase());
            }
            unreserved @ ('A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' | '~') => {
                decoded.push(unreserved);
            }
            _ => decoded.push_str(&escape.as_str().to_ascii_uppercase()),
        }
    }
    decoded.push_str(&path[copied..]);
    if decoded.starts_with('/') { remove_dot_segments(&decoded) } else { decoded }
}

/// RFC 3986 section 5.2.4, step by step; the letters are the steps.
fn remove_dot_segments(path: &str) -> String {
    let mut input = path.to_owned();
    let mut output = String::new();
    while !input.is_empty() {
        if input.starts_with("/./") || input == "/." {
            // B
            input = format!("/{}", input.get(3..).unwrap_or(""));
        } else if input.starts_with("/../") || input == "/.." {
            // C
            input = format!("/{}", input.get(4..).unwrap_or(""));
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            // E: the first segment with its leading slash. A and D are for paths that do not start with a slash.
            let end = input[1..].find('/').map_or(input.len(), |slash| slash + 1);
            output.push_str(&input[..end]);
            input = input[end..].to_owned();
        }
    }
    output
}

impl Seen {
    /// AMB-40, AMB-64: whether it is a gRPC call.
    pub(super) fn is_grpc(&self) -> bool {
        super::grpc::is_call(&self.headers)
    }

    /// HRM-13, AMB-30 to AMB-32: the value of the first parameter of this name, both decoded.
    pub(super) fn query_param(&self, name: &str) -> Option<Vec<u8>> {
        let pairs = self.query.as_deref()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let decoded = pairs.map(|(name, value)| (decode(name), decode(value)));
        let mut of_name = decoded.filter(|(given, _)| given == name.as_bytes());
        of_name.next().map(|(_, value)| value)
    }
}

/// AMB-30: percent-encoding undone, `+` read as a space.
fn decode(text: &str) -> Vec<u8> {
    let spaced = text.replace('+', " ").into_bytes();
    let mut decoded = Vec::new();
    let mut rest = spaced.as_slice();
    while let [byte, after @ ..] = rest {
        let escape = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = escape.filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, escape) {
            (b'%', Some(digits)) => {
                decoded.push(u8::from_str_radix(digits, 16).expect("two digits"));
                rest = &after[2..];
            }
            (byte, _) => {
                decoded.push(*byte);
                rest = after;
            }
        }
    }
    decoded
}

/// Whether the text is a host with or without port.
pub(super) fn is_authority(text: &str) -> bool {
    host_of_authority(text).is_some()
}

/// Whether the text is a `PreciseHostname`: a lower-case DNS name, no address.
pub(super) fn is_precise_hostname(text: &str) -> bool {
    static NAME: Pattern = pattern!(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$");
    NAME.is_match(text) && text.len() <= 253 && text.parse::<std::net::Ipv4Addr>().is_err()
}
