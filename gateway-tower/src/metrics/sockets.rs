//! Counters of sockets: connections and handshakes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateway_core::name::ObjectName;
use gateway_core::table::{FrontendOwner, RouteTable, Transport};
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};

use super::labels::Text;
use crate::observe::{ConnectionRefusal, Handshake, ObserveConnections};

/// The sockets of all servers, by port.
#[derive(Debug, Default)]
pub(super) struct Sockets(Mutex<BTreeMap<SocketLabels, Arc<SocketCells>>>);

/// A port of a Gateway, or of a mesh. Its sockets, one for each address, are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketLabels {
    /// None for a mesh.
    gateway: Option<ObjectName>,
    transport: Transport,
    port: u16,
}

/// What is counted of a port.
#[derive(Debug, Default)]
pub(super) struct SocketCells {
    accepted: AtomicU64,
    closed: AtomicU64,
    not_accepted: AtomicU64,
    handshakes: [AtomicU64; HANDSHAKES.len()],
}

/// How many ports are counted until those are looked for that are gone.
const LEAST_LIMIT: usize = 1_024;

/// The ends of handshakes.
const HANDSHAKES: [&str; 4] = ["completed", "no_listener", "failed", "timed_out"];

fn read(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

// === impl Sockets ===

impl Sockets {
    pub(super) fn get(
        &self,
        gateway: Option<&ObjectName>,
        transport: Transport,
        port: u16,
    ) -> Arc<SocketCells> {
        let labels = SocketLabels { gateway: gateway.cloned(), transport, port };
        let mut sockets = self.sockets();
        // Gateways come and go, whether or not a scraper reads what was counted.
        if sockets.len() >= LEAST_LIMIT && sockets.len().is_power_of_two() && !sockets.contains_key(&labels) {
            sockets.retain(|_, cells| cells.is_in_use());
        }
        Arc::clone(sockets.entry(labels).or_default())
    }

    /// Those of ports that are in `table`, and those that have connections still. The others are forgotten.
    pub(super) fn all(&self, table: &RouteTable) -> Vec<(SocketLabels, Arc<SocketCells>)> {
        let mut sockets = self.sockets();
        sockets.retain(|SocketLabels { gateway, transport, port }, cells| {
            let is_served = gateway.as_ref().is_some_and(|gateway| {
                table.frontend(FrontendOwner::Gateway(gateway), *transport, *port).is_some()
            });
            is_served || cells.is_in_use()
        });
        sockets.iter().map(|(labels, cells)| (labels.clone(), Arc::clone(cells))).collect()
    }

    fn sockets(&self) -> MutexGuard<'_, BTreeMap<SocketLabels, Arc<SocketCells>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl SocketCells ===

impl SocketCells {
    /// Whether a socket is bound, which holds its cells, or has connections still.
    fn is_in_use(self: &Arc<Self>) -> bool {
        self.open() > 0 || Arc::strong_count(self) > 1
    }

    pub(super) fn open(&self) -> u64 {
        // In this order: a connection that is closed meanwhile was accepted before.
        let closed = read(&self.closed);
        read(&self.accepted).saturating_sub(closed)
    }

    pub(super) fn accepted(&self) -> u64 {
        read(&self.accepted)
    }

    /// By reason.
    pub(super) fn refused(&self) -> [(&'static str, u64); 1] {
        [("not_accepted", read(&self.not_accepted))]
    }

    /// By how they ended.
    pub(super) fn handshakes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        HANDSHAKES.into_iter().zip(self.handshakes.iter().map(read))
    }
}

impl ObserveConnections for SocketCells {
    fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self) {
        self.closed.fetch_add(1, Ordering::Relaxed);
    }

    fn refused(&self, refusal: ConnectionRefusal) {
        let cell = match refusal {
            ConnectionRefusal::NotAccepted => &self.not_accepted,
        };
        cell.fetch_add(1, Ordering::Relaxed);
    }

    fn handshake(&self, handshake: Handshake) {
        let index = match handshake {
            Handshake::Completed => 0,
            Handshake::NoListener => 1,
            Handshake::Failed => 2,
            Handshake::TimedOut => 3,
        };
        self.handshakes[index].fetch_add(1, Ordering::Relaxed);
    }
}

// === impl SocketLabels ===

impl EncodeLabelSet for SocketLabels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> std::fmt::Result {
        match &self.gateway {
            Some(gateway) => ("gateway", Text(gateway)).encode(encoder.encode_label())?,
            // No Gateway is called so: theirs are names with a namespace.
            None => ("gateway", "mesh").encode(encoder.encode_label())?,
        }
        ("network_transport", self.transport.as_str()).encode(encoder.encode_label())?;
        ("port", self.port).encode(encoder.encode_label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_come_and_go_do_not_pile_up_while_nobody_reads_them() {
        let sockets = Sockets::default();
        let gateway = |number: usize| ObjectName::new("default", number.to_string());
        let bound = sockets.get(Some(&gateway(0)), Transport::Tcp, 80);
        ObserveConnections::accepted(&*bound);
        for number in 1..3 * LEAST_LIMIT {
            sockets.get(Some(&gateway(number)), Transport::Tcp, 80);
        }
        let known = sockets.sockets().len();
        assert!(known <= LEAST_LIMIT, "{known}");
        assert_eq!(
            SocketCells::accepted(&sockets.get(Some(&gateway(0)), Transport::Tcp, 80)),
            1,
            "it is bound"
        );
    }
}
