//! What is counted of sockets: connections and handshakes.

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

/// A port of a Gateway. Its sockets, one for each address, are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SocketLabels {
    gateway: ObjectName,
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

/// The ends of handshakes.
const HANDSHAKES: [&str; 4] = ["completed", "no_listener", "failed", "timed_out"];

fn read(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

// === impl Sockets ===

impl Sockets {
    pub(super) fn get(&self, gateway: &ObjectName, transport: Transport, port: u16) -> Arc<SocketCells> {
        let labels = SocketLabels { gateway: gateway.clone(), transport, port };
        Arc::clone(self.sockets().entry(labels).or_default())
    }

    /// Those of ports that are in `table`, and those that have connections still. The others are forgotten.
    pub(super) fn all(&self, table: &RouteTable) -> Vec<(SocketLabels, Arc<SocketCells>)> {
        let mut sockets = self.sockets();
        sockets.retain(|SocketLabels { gateway, transport, port }, cells| {
            let is_served = table.frontend(FrontendOwner::Gateway(gateway), *transport, *port).is_some();
            // A socket that is bound holds its cells.
            is_served || cells.open() > 0 || Arc::strong_count(cells) > 1
        });
        sockets.iter().map(|(labels, cells)| (labels.clone(), Arc::clone(cells))).collect()
    }

    fn sockets(&self) -> MutexGuard<'_, BTreeMap<SocketLabels, Arc<SocketCells>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl SocketCells ===

impl SocketCells {
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
        ("gateway", Text(&self.gateway)).encode(encoder.encode_label())?;
        ("network_transport", self.transport.as_str()).encode(encoder.encode_label())?;
        ("port", self.port).encode(encoder.encode_label())
    }
}
