//! The same endpoint for the same client.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName};

use super::{Attempt, Pick, Picked, Random};

/// The endpoint that a value of the request points to: requests with the same value go to the same endpoint, through
/// whatever gateway, for as long as that endpoint is there.
///
/// When an endpoint comes or goes, only the requests that it gets, or got, go elsewhere. A retry goes to the endpoint that
/// would be next if those that were tried were not there. A request without the value goes to any endpoint.
///
/// Every endpoint is looked at for each request, which takes some nanoseconds each: this is for backends with up to some
/// hundreds of them.
///
/// # Spec
/// Rendezvous hashing: of all endpoints the one whose hash together with the value is the highest.
#[derive(Clone, Debug)]
pub struct ConsistentHash {
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    Header(HeaderName),
    Cookie(Box<str>),
    ClientAddress,
}

// === impl ConsistentHash ===

impl ConsistentHash {
    /// By the value of a header; by its first line, when it has several.
    pub fn by_header(name: HeaderName) -> Self {
        Self { by: By::Header(name) }
    }

    /// By the value of a cookie. This sets none.
    pub fn by_cookie(name: &str) -> Self {
        Self { by: By::Cookie(name.into()) }
    }

    /// By the address of the client, without its port: that of the proxy before this gateway, where there is one.
    pub fn by_client_address() -> Self {
        Self { by: By::ClientAddress }
    }

    /// The hash of what the request says.
    fn value(&self, attempt: &Attempt<'_>) -> Option<u64> {
        match &self.by {
            By::Header(name) => attempt.headers().get(name).map(|value| hash(value.as_bytes())),
            By::Cookie(name) => cookie(attempt.headers(), name).map(hash),
            By::ClientAddress => {
                let peer = attempt.routed()?.connection().peer?;
                Some(hash_address(peer.ip(), 0))
            }
        }
    }
}

impl Pick for ConsistentHash {
    fn pick(&self, attempt: &Attempt<'_>) -> Option<Picked> {
        let Some(value) = self.value(attempt) else { return Random.pick(attempt) };
        let best = |among: &dyn Fn(usize) -> bool| {
            let candidates = attempt.endpoints().iter().enumerate().filter(|(position, _)| among(*position));
            candidates.max_by_key(|(_, endpoint)| {
                let address = endpoint.address();
                mix(value ^ hash_address(address.ip(), address.port()))
            })
        };
        let tried = |position| attempt.tried().any(|before| before == position);
        let (position, _) = best(&|position| !tried(position)).or_else(|| best(&|_| true))?;
        Some(Picked::new(position))
    }
}

/// The value of the first cookie of this name.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let (found, value) = pair.trim_ascii().split_at_checked(name.len())?;
        let value = value.strip_prefix(b"=")?;
        (found == name.as_bytes()).then_some(value)
    })
}

fn hash_address(ip: IpAddr, port: u16) -> u64 {
    let mut bytes = [0; 18];
    let ip = match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..].copy_from_slice(&port.to_be_bytes());
    hash(&bytes)
}

/// FNV-1a. The same in every gateway of every version, which the hashers of maps do not promise.
fn hash(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    mix(hash)
}

/// The last step of SplitMix64: every bit of the input changes half of the bits of the output.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let lines = ["a=1; session=x; b=2", "session=y", "sessions=z"];
        let headers = lines.map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        let mut all = HeaderMap::new();
        headers.into_iter().for_each(|(name, value)| {
            all.append(name, value);
        });
        assert_eq!(cookie(&all, "session"), Some(&b"x"[..]));
        assert_eq!(cookie(&all, "sessions"), Some(&b"z"[..]));
        assert_eq!(cookie(&all, "sess"), None);
        assert_eq!(cookie(&all, "SESSION"), None);
    }
}
