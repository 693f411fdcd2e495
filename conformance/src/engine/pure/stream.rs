//! Connections and datagrams below HTTP.

use gateway_core::name::ObjectName;

use super::tls::{through_gateway, with_backend, with_client};
use super::{Decider, Pure};
use crate::backend::BackendPort;
use crate::case::{ClientTls, Speaks, Target};
use crate::decision::{Entrance, StreamArrival, StreamOutcome, Transport};
use crate::engine::EngineError;
use crate::exchange::{Answer, Failure, TcpAnswer};

/// The backend that a connection ends at.
pub(super) struct Led {
    pub(super) backend: BackendPort,
    /// The server name that the backend sees; none if it speaks no TLS.
    pub(super) server_name: Option<String>,
}

impl<D: Decider> Pure<D> {
    pub(super) fn tcp(&mut self, target: &Target, tls: Option<&ClientTls>) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        Ok(match self.lead(&at.gateway, at.port, tls)? {
            Ok(Led { backend, server_name }) if backend.speaks() == Speaks::Tcp => Answer::Tcp(TcpAnswer {
                pod: backend.pod().clone(),
                is_tls: server_name.is_some(),
                server_name,
            }),
            Ok(_) => Answer::Failed(Failure::Malformed("the backend has another dialogue".to_owned())),
            Err(failure) => Answer::Failed(failure),
        })
    }

    /// The backend of a connection, with TLS of the client or without; or what the client sees instead.
    pub(super) fn lead(
        &mut self,
        gateway: &ObjectName,
        port: u16,
        tls: Option<&ClientTls>,
    ) -> Result<Result<Led, Failure>, EngineError> {
        let server_name = tls.map(|tls| tls.server_name.as_str());
        if self.decider.entrance(gateway, port, server_name) == Entrance::Closed {
            return Ok(Err(Failure::Connect("nobody listens there".to_owned())));
        }
        let Some((backend, begun, terminated)) = self.stream(gateway, port, Transport::Tcp, server_name)?
        else {
            return Ok(Err(Failure::Closed("the connection is rejected".to_owned())));
        };
        if let Some(client) = tls.filter(|_| !terminated) {
            let untrusted = || Failure::Tls("the client does not trust the backend".to_owned());
            let seen = through_gateway(client, &backend, &self.store).ok_or_else(untrusted);
            return Ok(seen.map(|seen| Led { backend, server_name: Some(seen.server_name) }));
        }
        if let Some(client) = tls
            && let Some(handshake) = self.decider.handshake(gateway, port, server_name)
            && let Err(failure) = with_client(&handshake, client, &self.store)
        {
            return Ok(Err(failure));
        }
        Ok(if backend.is_tls() == begun.is_some() {
            Ok(Led { backend, server_name: begun })
        } else {
            Err(Failure::Closed("the backend does not understand what comes".to_owned()))
        })
    }

    pub(super) fn udp(&mut self, target: &Target) -> Result<Answer, EngineError> {
        let at = self.place(target)?;
        let found = self.stream(&at.gateway, at.port, Transport::Udp, None)?;
        Ok(match found.filter(|(backend, ..)| backend.speaks() == Speaks::Udp) {
            Some((backend, ..)) => Answer::Udp(backend.pod().clone()),
            None => Answer::Failed(Failure::Timeout),
        })
    }

    /// The backend that gets it, the server name with which the gateway itself begins TLS there, and whether the client's
    /// TLS ends at the gateway.
    fn stream(
        &mut self,
        gateway: &ObjectName,
        port: u16,
        transport: Transport,
        server_name: Option<&str>,
    ) -> Result<Option<(BackendPort, Option<String>, bool)>, EngineError> {
        let random = self.random.u64(..);
        let server_name = server_name.map(str::to_owned);
        let arrival = StreamArrival { gateway: gateway.clone(), port, transport, server_name, random };
        Ok(match self.decider.stream(&arrival)? {
            StreamOutcome::Rejected => None,
            StreamOutcome::Forwarded { to, endpoints, terminated, .. } => {
                let endpoint = endpoints[self.random.usize(..endpoints.len())];
                let Some(backend) = self.backends.at(endpoint).cloned() else { return Ok(None) };
                match to.tls {
                    None => Some((backend, None, terminated)),
                    Some(tls) => with_backend(&tls, &backend, &self.store)
                        .map(|seen| (backend, Some(seen.server_name), terminated)),
                }
            }
        })
    }
}
