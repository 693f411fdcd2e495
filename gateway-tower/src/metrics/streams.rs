//! Counters of streams, which count each at its end.
//!
//! The places of streams are few, and each stream comes here once: its series is looked up by its labels, behind a lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::histogram::Histogram;
use super::labels::{Known, Labels, Parts};
use super::series::{AllSeries, Series};
use crate::handle::TableHandle;
use crate::outcome::{StreamEnd, StreamOutcome};

/// All streams.
pub(super) struct Streams {
    rest: Mutex<Rest>,
    /// The table in use decides what is forgotten.
    tables: TableHandle,
}

struct Rest {
    series: AllSeries<StreamCells>,
    /// Those that the series share.
    parts: Parts,
    /// The table that the series were last compared with, by its number, and how many were left.
    compared: (u64, usize),
    /// How many there may be before those are looked for that are in no table any more.
    limit: usize,
}

/// What is counted of the streams of one place.
#[derive(Debug, Default)]
pub(super) struct StreamCells {
    ends: [AtomicU64; StreamEnd::WORDS.len()],
    /// Of those that reached an endpoint.
    durations: Histogram,
    received: AtomicU64,
    sent: AtomicU64,
}

/// See [`places`](super::places), which has the same number.
const LEAST_LIMIT: usize = 1_024;

fn read(cell: &AtomicU64) -> u64 {
    cell.load(Ordering::Relaxed)
}

// === impl Streams ===

impl Streams {
    pub(super) fn new(tables: TableHandle) -> Self {
        let rest = Rest {
            series: AllSeries::default(),
            parts: Parts::default(),
            compared: (0, 0),
            limit: LEAST_LIMIT,
        };
        Self { rest: Mutex::new(rest), tables }
    }

    /// Counts a stream that has ended.
    pub(super) fn ended(&self, stream: &StreamOutcome) {
        let labels = Labels::of_stream(stream);
        let series = {
            let mut rest = self.rest();
            let Rest { series, parts, limit, .. } = &mut *rest;
            let of_stream = series.find_or_add(labels, parts);
            if series.len() > *limit {
                rest.forget(&self.tables);
            }
            of_stream
        };
        series.cells.ended(stream);
    }

    /// All series of streams to what is in the table in use, in the order of their labels. The others are forgotten.
    pub(super) fn all(&self) -> Vec<Arc<Series<StreamCells>>> {
        let mut rest = self.rest();
        rest.forget(&self.tables);
        rest.series.sorted()
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        // A panic in here leaves counters that are behind, and nothing that is half done.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("series", &self.rest().series.len()).finish_non_exhaustive()
    }
}

// === impl Rest ===

impl Rest {
    /// Forgets what is not in the table in use.
    fn forget(&mut self, tables: &TableHandle) {
        let table = tables.load();
        if self.compared == (table.generation(), self.series.len()) {
            return;
        }
        self.series.take_unknown(&Known::new(&table));
        self.parts.forget_unused();
        self.compared = (table.generation(), self.series.len());
        self.limit = LEAST_LIMIT.max(2 * self.series.len());
    }
}

// === impl StreamCells ===

impl StreamCells {
    fn ended(&self, stream: &StreamOutcome) {
        self.ends[stream.end.index()].fetch_add(1, Ordering::Relaxed);
        if stream.end.reached_endpoint() {
            self.durations.observe(stream.duration);
        }
        self.received.fetch_add(stream.received, Ordering::Relaxed);
        self.sent.fetch_add(stream.sent, Ordering::Relaxed);
    }

    /// By how they ended.
    pub(super) fn ends(&self) -> impl Iterator<Item = (&'static str, u64)> {
        StreamEnd::WORDS.into_iter().zip(self.ends.iter().map(read))
    }

    pub(super) fn durations(&self) -> &Histogram {
        &self.durations
    }

    /// By direction.
    pub(super) fn bytes(&self) -> [(&'static str, u64); 2] {
        [("received", read(&self.received)), ("sent", read(&self.sent))]
    }
}
