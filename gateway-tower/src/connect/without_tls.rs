//! The stand-in for TLS with backends where it is left out: what should go within TLS goes nowhere.

use std::time::Duration;

use tokio::time::Instant;

use super::stream::Io;
use super::{Application, BackendIo, Connected, Maker, Peer, tcp};
use crate::client::ConnectError;
use crate::span;

/// Makes connections, none of them within TLS.
#[derive(Debug, Default)]
pub(crate) struct Connector;

// === impl Connector ===

impl Connector {
    /// Connects within `limit`.
    #[cfg_attr(not(feature = "client"), allow(dead_code, reason = "the client uses it"))]
    pub(crate) async fn connect(
        &self,
        peer: &Peer,
        _: Application,
        limit: Duration,
    ) -> Result<BackendIo, ConnectError> {
        let deadline = span::from_now(limit);
        let stream = tcp(Maker::Gateway, peer.address, limit).await?;
        self.secure(peer, Application::Stream, deadline, stream).await
    }

    /// Gives back a connection that needs no handshake.
    pub(crate) async fn secure(
        &self,
        peer: &Peer,
        _: Application,
        _: Instant,
        Connected { stream, to_self }: Connected,
    ) -> Result<BackendIo, ConnectError> {
        if peer.tls.is_some() {
            let cause =
                "its backend is spoken to within TLS, for which gateway-tower needs the feature `tls`";
            return Err(ConnectError { endpoint: peer.address, cause: cause.into() });
        }
        Ok(BackendIo::new(Io::Plain(stream), to_self))
    }
}
