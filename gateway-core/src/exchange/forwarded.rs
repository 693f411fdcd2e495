//! The headers that tell a backend about the client: `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
//!
//! The gateway is taken for the edge. `X-Forwarded-For` gets the address of the client appended, whatever it held; the
//! rightmost address is therefore the one to rely on. `X-Forwarded-Proto` and `X-Forwarded-Host` are what the gateway saw
//! itself. All else that says where a request came from is a claim of the client and taken out: `Forwarded`, `X-Real-IP`, and
//! whatever begins with `X-Forwarded-`, also where an underscore stands for a hyphen, which many programs take for the same.
//! Behind another proxy that ends TLS, that would hide what the client used: with [`Trust::Chained`] these stay where they
//! came with the request, but for those with an underscore, which no proxy writes. The specification leaves all of this
//! open ([FRW-07](crate::spec#FRW-07)). The gateway itself adds no `X-Forwarded-Port`, no `Forwarded` and no `Via`; a header
//! filter can add what is missing.
//!
//! A request that was passed on 100 times already goes no further, whichever hop says so: its backend is most likely the gateway itself,
//! or another one whose backend is, and one request would take all the connections that there are.
//!
//! Claims that are not believed must not decide a match: [take them out](remove_claims) before the search. What is added is
//! added after it. Filters can change or remove that, and the host is the one before any rewrite: add before they run. And
//! [what is for one hop only](super::hop_by_hop) goes first, or a client could have it taken out again.
//!
//! ```
//! use gateway_core::exchange::forwarded::{self, Client, Trust};
//!
//! // Once for each connection.
//! let address = forwarded::address([192, 0, 2, 7].into());
//! let client = Client { address: Some(&address), secure: false };
//!
//! let request = http::Request::get("/").header("host", "example.com").header("x-forwarded-for", "10.0.0.1");
//! let mut request = request.body(())?;
//! forwarded::add(&mut request, client, Trust::Edge);
//! assert_eq!(request.headers()["x-forwarded-for"], "10.0.0.1, 192.0.2.7");
//! assert_eq!(request.headers()["x-forwarded-proto"], "http");
//! assert_eq!(request.headers()["x-forwarded-host"], "example.com");
//! # Ok::<(), http::Error>(())
//! ```

use std::net::IpAddr;

use http::Request;
use http::header::{self, Entry, HeaderMap, HeaderName, HeaderValue};

use super::header_set::{HeaderSet, is_claim};

/// The most addresses in `X-Forwarded-For`, one for each time that a request was passed on.
const MAX_HOPS: usize = 100;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whose word about the client's scheme and host counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// No proxy stands before this gateway: what a request says of itself is taken out or overwritten. Only `X-Forwarded-For` is
    /// kept, and the client's address put behind what it says.
    #[default]
    Edge,
    /// Another proxy stands before it, and clients cannot get around that: what it says stays.
    Chained,
}

/// What is known of a client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client<'a> {
    /// Its [`address`] as backends are told it, unless it has none.
    pub address: Option<&'a HeaderValue>,
    /// Whether its connection is within TLS that ended here.
    pub secure: bool,
}

/// The text of an address in `X-Forwarded-For`: without port, and an IPv4 address that came over an IPv6 socket as what it
/// is.
pub fn address(peer: IpAddr) -> HeaderValue {
    let text = peer.to_canonical().to_string();
    HeaderValue::try_from(text).expect("the digits and dots or colons of an address are a header value")
}

/// Whether a header of this name says where a request came from.
pub fn is_told(name: &HeaderName) -> bool {
    *name == FOR || is_claim(name.as_str())
}

/// Takes out what a request says of where it came from and is not to be believed.
///
/// # Spec
/// [FRW-07](crate::spec#FRW-07)
pub fn remove_claims(headers: &mut HeaderMap, trust: Trust) {
    let is_believed = |name: &HeaderName| match trust {
        Trust::Edge => false,
        Trust::Chained => !name.as_str().contains('_'),
    };
    let claims: Vec<HeaderName> =
        headers.keys().filter(|name| is_claim(name.as_str()) && !is_believed(name)).cloned().collect();
    for claim in claims {
        headers.remove(claim);
    }
}

/// Whether a request was passed on so often already that it seems to go round.
///
/// # Spec
/// FRW-07
pub(super) fn goes_round(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(FOR).iter();
    let hops: usize = lines.map(|line| line.as_bytes().split(|byte| *byte == b',').count()).sum();
    hops >= MAX_HOPS
}

/// Tells the backend about the client, and [takes out](remove_claims) what is not to be believed.
pub fn add<B>(request: &mut Request<B>, client: Client<'_>, trust: Trust) {
    add_beside(HeaderSet::from_received(request.headers()), request, client, trust);
}

/// The same for those who know which headers are there.
pub(super) fn add_beside<B>(present: HeaderSet, request: &mut Request<B>, client: Client<'_>, trust: Trust) {
    let host = match request.uri().authority() {
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => request.headers().get(header::HOST).cloned(),
    };
    let proto = HeaderValue::from_static(if client.secure { "https" } else { "http" });
    // Of a request of HTTP/1.0 without host there is none.
    let host = host.filter(|host| !host.is_empty());
    let headers = request.headers_mut();
    if present.has(HeaderSet::CLAIM) {
        remove_claims(headers, trust);
    }
    if let Some(address) = client.address {
        append(headers, address);
    }
    match trust {
        Trust::Edge => {
            set(headers, PROTO, proto);
            if let Some(host) = host {
                set(headers, HOST, host);
            }
        }
        Trust::Chained => {
            if !headers.contains_key(&PROTO) {
                set(headers, PROTO, proto);
            }
            if let Some(host) = host
                && !headers.contains_key(&HOST)
            {
                set(headers, HOST, host);
            }
        }
    }
}

/// Sets a header, unless there is no room for any more: no server lets a request through that comes near that.
fn set(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    _ = headers.try_insert(name, value);
}

/// Makes one line of all that there are, with the address at the end.
fn append(headers: &mut HeaderMap, address: &HeaderValue) {
    match headers.try_entry(FOR) {
        Ok(Entry::Vacant(entry)) => _ = entry.try_insert(address.clone()),
        Ok(Entry::Occupied(mut entry)) => {
            let mut joined = Vec::new();
            for line in entry.iter().filter(|line| !line.is_empty()) {
                joined.extend_from_slice(line.as_bytes());
                joined.extend_from_slice(b", ");
            }
            joined.extend_from_slice(address.as_bytes());
            let joined =
                HeaderValue::try_from(joined).expect("header values joined by a comma are a header value");
            entry.insert(joined);
        }
        // See `set`.
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // FRW-07
    #[test]
    fn a_request_is_not_passed_on_for_ever() {
        let mut headers = HeaderMap::new();
        let address = address([192, 0, 2, 7].into());
        let mut times = 0;
        while !goes_round(&headers) {
            append(&mut headers, &address);
            times += 1;
        }
        assert_eq!(times, MAX_HOPS);
        // In lines of their own.
        let one = |_| (FOR, HeaderValue::from_static("192.0.2.7"));
        let headers: HeaderMap = (0..MAX_HOPS).map(one).collect();
        assert!(goes_round(&headers));
    }

    fn forwarded(
        target: &str,
        lines: &[(&str, &str)],
        (peer, secure): (&str, bool),
        trust: Trust,
    ) -> Vec<(String, String)> {
        let mut request = Request::builder().uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        let address = address(peer.parse().unwrap());
        add(&mut request, Client { address: Some(&address), secure }, trust);
        let text =
            |name: &HeaderName, value: &HeaderValue| (name.to_string(), value.to_str().unwrap().to_owned());
        let mut lines: Vec<_> = request.headers().iter().map(|(name, value)| text(name, value)).collect();
        lines.retain(|(name, _)| name != "host");
        lines.sort();
        lines
    }

    fn lines(lines: [(&str, &str); 3]) -> Vec<(String, String)> {
        lines.map(|(name, value)| (format!("x-forwarded-{name}"), value.to_owned())).into()
    }

    // FRW-07
    #[test]
    fn the_backend_is_told_what_the_gateway_saw() {
        let told = forwarded("/", &[("host", "a.example:8080")], ("192.0.2.7", true), Trust::Edge);
        assert_eq!(told, lines([("for", "192.0.2.7"), ("host", "a.example:8080"), ("proto", "https")]));

        let told = forwarded("http://a.example/", &[], ("::ffff:192.0.2.7", false), Trust::Edge);
        assert_eq!(told, lines([("for", "192.0.2.7"), ("host", "a.example"), ("proto", "http")]));
    }

    // FRW-07
    #[test]
    fn a_client_can_add_to_the_addresses_but_not_say_how_it_came() {
        let claims = [
            ("host", "a.example"),
            ("x-forwarded-for", "10.0.0.1, 10.0.0.2"),
            ("x-forwarded-for", ""),
            ("x-forwarded-for", "10.0.0.3"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-proto", "wss"),
            ("x-forwarded-host", "admin.example"),
            ("x-forwarded-port", "443"),
            ("x-forwarded-prefix", "/admin"),
            ("x_forwarded_for", "10.0.0.4"),
            ("x-forwarded_proto", "https"),
            ("x-real-ip", "10.0.0.5"),
            ("forwarded", "for=10.0.0.6"),
        ];
        let told = forwarded("/", &claims, ("2001:db8::1", false), Trust::Edge);
        let all = "10.0.0.1, 10.0.0.2, 10.0.0.3, 2001:db8::1";
        assert_eq!(told, lines([("for", all), ("host", "a.example"), ("proto", "http")]));
    }

    // FRW-07
    #[test]
    fn behind_another_proxy_its_word_counts() {
        let claims =
            [("host", "a.example"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "www.example")];
        let told = forwarded("/", &claims, ("10.0.0.9", false), Trust::Chained);
        assert_eq!(told, lines([("for", "10.0.0.9"), ("host", "www.example"), ("proto", "https")]));
        let told =
            forwarded("/", &[("x-real-ip", "10.0.0.5"), ("x_real_ip", "1")], ("::1", false), Trust::Chained);
        assert!(told.contains(&("x-real-ip".to_owned(), "10.0.0.5".to_owned())), "{told:?}");
        assert!(told.iter().all(|(name, _)| !name.contains('_')), "no proxy writes underscores: {told:?}");
        let told = forwarded("/", &claims[..1], ("10.0.0.9", false), Trust::Chained);
        assert_eq!(told, lines([("for", "10.0.0.9"), ("host", "a.example"), ("proto", "http")]));
    }
}
