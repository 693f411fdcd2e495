//! The metrics of a data plane.

use std::fmt;
use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Instant;

use gateway_core::name::ObjectName;
use gateway_core::table::Transport;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::cells::PlaceCells;
use super::histogram::Histogram;
use super::labels::Place;
use super::places::Places;
use super::series::{MOST_SHARDS, Series};
use super::sockets::Sockets;
use super::streams::Streams;
use crate::handle::TableHandle;
use crate::names::{NameStates, Names};
use crate::observe::{Copied, ObserveConnections, ObserveMirrors, ObserveSockets, ObserveStreams};
use crate::outcome::StreamOutcome;
use crate::routed::Routed;

/// All that a data plane counts. Clones count together.
///
/// It is a [`Collector`](prometheus_client::collector::Collector), to be put into a registry of the program.
#[derive(Clone)]
pub struct Metrics(Arc<Shared>);

struct Shared {
    tables: TableHandle,
    places: Places,
    sockets: Sockets,
    streams: Streams,
    served: Histogram,
    names: OnceLock<watch::Receiver<NameStates>>,
}

// === impl Metrics ===

impl Metrics {
    /// Nothing counted yet. Where much is counted, each thread of the runtime that this is called in counts at an address of its own, each
    /// core of the machine where there is none yet, 16 at most. The table in `tables` says what there are series of; it is what the
    /// gateways decide by whose requests are counted.
    pub fn new(tables: TableHandle) -> Self {
        let workers = match Handle::try_current() {
            Ok(runtime) => runtime.metrics().num_workers(),
            Err(_) => thread::available_parallelism().map_or(1, NonZero::get),
        };
        let shards = workers.min(MOST_SHARDS);
        Self(Arc::new(Shared {
            places: Places::new(tables.clone(), shards),
            sockets: Sockets::default(),
            streams: Streams::new(tables.clone()),
            served: Histogram::default(),
            names: OnceLock::new(),
            tables,
        }))
    }

    /// A change that was noticed at `since` is served now, or cannot be.
    pub fn served(&self, since: Instant) {
        self.0.served.observe(since.elapsed());
    }

    /// Has the look-ups of these names told, too: of the first that this is called with.
    pub fn follow_names(&self, names: &Names) {
        // There are others already.
        let _ = self.0.names.set(names.states());
    }

    pub(super) fn names(&self) -> Option<&watch::Receiver<NameStates>> {
        self.0.names.get()
    }

    pub(super) fn tables(&self) -> &TableHandle {
        &self.0.tables
    }

    pub(super) fn places(&self) -> &Places {
        &self.0.places
    }

    pub(super) fn sockets(&self) -> &Sockets {
        &self.0.sockets
    }

    pub(super) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    pub(super) fn served_durations(&self) -> &Histogram {
        &self.0.served
    }

    /// Where an attempt at a backend is counted, or a copy for it; nowhere without a backend.
    #[inline]
    pub(super) fn series_of(&self, routed: &Routed) -> Option<Arc<Series<PlaceCells>>> {
        routed.reached()?;
        Some(self.0.places.series(
            routed.table(),
            Place::from_routed(routed),
            routed.connection().shard.index(),
        ))
    }
}

impl ObserveMirrors for Metrics {
    fn copied(&self, routed: &Routed, copy: Copied) {
        if let Some(series) = self.series_of(routed) {
            series.cells.attempts.copied(copy);
        }
    }
}

impl ObserveSockets for Metrics {
    fn socket(&self, gateway: &ObjectName, transport: Transport, port: u16) -> Arc<dyn ObserveConnections> {
        self.0.sockets.get(Some(gateway), transport, port)
    }

    fn mesh_socket(&self, port: u16) -> Option<Arc<dyn ObserveConnections>> {
        Some(self.0.sockets.get(None, Transport::Tcp, port))
    }
}

impl ObserveStreams for Metrics {
    fn ended(&self, stream: &StreamOutcome) {
        self.0.streams.ended(stream);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("tables", &self.0.tables).finish_non_exhaustive()
    }
}
