//! The client's end of an upgrade.

use gateway_core::exchange::hop_by_hop;
use gateway_core::rule::BackendProtocol;
use http::{Request, header};
use http_body::Body;
use hyper::upgrade::OnUpgrade;

use crate::client::UpstreamTarget;
use crate::drain::Member;

/// What becomes of the client's connection when the backend switches protocols.
#[derive(Debug)]
pub(crate) struct ClientEnd {
    pub(super) upgrade: OnUpgrade,
    /// The place of the connection among those of our own server, if it is one of those.
    pub(super) member: Option<Member>,
}

// === impl ClientEnd ===

impl ClientEnd {
    /// Takes it out of a request that asks for an upgrade.
    ///
    /// Where there is none, where a body would have to go before it, or where the backend speaks HTTP/2, which has no
    /// upgrades, the wish is taken out instead.
    pub(crate) fn take<B: Body>(request: &mut Request<B>) -> Option<Self> {
        if !request.headers().contains_key(header::UPGRADE) {
            return None;
        }
        let upgrade = request.extensions_mut().remove();
        let member = request.extensions_mut().remove();
        let http2 = UpstreamTarget::from_extensions(request.extensions())
            .is_some_and(|target| target.protocol() == BackendProtocol::H2c);
        if let Some(upgrade) = upgrade
            && !http2
            && hop_by_hop::wants_upgrade(request.headers())
            && request.body().is_end_stream()
        {
            return Some(Self { upgrade, member });
        }
        request.headers_mut().remove(header::UPGRADE);
        request.headers_mut().remove(header::CONNECTION);
        None
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Empty;

    use super::*;

    // BPR-07
    #[test]
    fn without_a_connection_to_upgrade_the_wish_goes() {
        let request = Request::builder().header("connection", "upgrade").header("upgrade", "websocket");
        let mut request = request.body(Empty::<Bytes>::new()).unwrap();
        assert!(ClientEnd::take(&mut request).is_none());
        assert!(request.headers().is_empty());
    }
}
