//! The series of a metric, by their labels.

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::labels::{Known, Labels, Parts};

/// A series, and its cells for each shard of the connections.
#[derive(Debug)]
pub(super) struct Series<C> {
    labels: Labels,
    shards: Box<[OnceLock<Arc<C>>]>,
}

/// All series with cells of type `C`.
pub(super) struct AllSeries<C> {
    by_labels: HashTable<Arc<Series<C>>>,
    seed: RandomState,
}

// === impl Series ===

impl<C: Default> Series<C> {
    fn new(labels: Labels, shards: usize) -> Self {
        Self { labels, shards: (0..shards).map(|_| OnceLock::new()).collect() }
    }

    /// What names it.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The cells for a shard.
    pub(super) fn cells(&self, shard: usize) -> Arc<C> {
        Arc::clone(self.shards[shard % self.shards.len()].get_or_init(Arc::default))
    }

    /// The cells of all shards that have counted something.
    pub(super) fn all(&self) -> impl Iterator<Item = &C> {
        self.shards.iter().filter_map(|shard| shard.get().map(|cells| &**cells))
    }
}

// === impl AllSeries ===

impl<C: Default> AllSeries<C> {
    pub(super) fn len(&self) -> usize {
        self.by_labels.len()
    }

    /// The one with these labels; of `parts` that others have, and for so many shards, if it is a new one.
    pub(super) fn find_or_add(&mut self, labels: Labels, parts: &mut Parts, shards: usize) -> Arc<Series<C>> {
        let Self { by_labels, seed } = self;
        let hash = |labels: &Labels| seed.hash_one(labels);
        let entry =
            by_labels.entry(hash(&labels), |known| known.labels == labels, |known| hash(&known.labels));
        Arc::clone(entry.or_insert_with(|| Arc::new(Series::new(parts.share(labels), shards))).get())
    }

    /// Forgets those of which something is not known any more.
    pub(super) fn forget_unknown(&mut self, known: &Known<'_>) {
        self.by_labels.retain(|series| known.contains(&series.labels));
    }

    /// In the order of their labels.
    pub(super) fn sorted(&self) -> Vec<Arc<Series<C>>> {
        let mut series: Vec<_> = self.by_labels.iter().cloned().collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        series
    }
}

impl<C> Default for AllSeries<C> {
    fn default() -> Self {
        Self { by_labels: HashTable::new(), seed: RandomState::default() }
    }
}
