//! A request as a backend of HTTP/2 gets it.

use gateway_core::exchange::HeaderSet;
use http::header;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Request, Version};
use hyper::upgrade::OnUpgrade;

use super::UpstreamError;
use crate::connect::Peer;

/// Makes it a request of HTTP/2: the host becomes the authority, and nothing is said about the connection.
///
/// A request that is for no host in particular, as those of HTTP/1.0 may be, is for the endpoint itself: hyper writes no
/// request without authority.
pub(super) fn prepare<B>(
    request: &mut Request<B>,
    present: HeaderSet,
    peer: &Peer,
) -> Result<(), UpstreamError> {
    let host = request.headers_mut().remove(header::HOST).ok_or(UpstreamError::Host)?;
    let authority = if host.is_empty() {
        Authority::try_from(peer.address.to_string())
    } else {
        Authority::from_maybe_shared(host)
    };
    let authority = authority.map_err(|_| UpstreamError::Host)?;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(if peer.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(authority);
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| UpstreamError::Host)?;
    *request.version_mut() = Version::HTTP_2;

    let headers = request.headers_mut();
    if present.has(HeaderSet::TRANSFER_ENCODING) {
        headers.remove(header::TRANSFER_ENCODING);
    }
    // An upgrade cannot be asked for in HTTP/2; without the wish, the backend answers as it would to any other.
    if present.has(HeaderSet::UPGRADE) {
        headers.remove(header::UPGRADE);
        headers.remove(header::CONNECTION);
    }
    request.extensions_mut().remove::<OnUpgrade>();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    // FRW-08
    #[test]
    fn the_host_becomes_the_authority() {
        let mut request = Request::get("http://10.0.0.1:80/a?b")
            .header("host", "Example.com:8080")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let endpoint = Peer::from(SocketAddr::from(([10, 0, 0, 7], 80)));
        let present = HeaderSet::from_standard(request.headers());
        prepare(&mut request, present, &endpoint).unwrap();
        assert_eq!(request.uri(), "http://Example.com:8080/a?b");
        assert_eq!(request.headers().len(), 1, "only te stays");

        let mut nobodys = Request::get("/a").header("host", "").body(()).unwrap();
        let present = HeaderSet::from_standard(nobodys.headers());
        prepare(&mut nobodys, present, &endpoint).unwrap();
        assert_eq!(nobodys.uri(), "http://10.0.0.7:80/a");
    }
}
