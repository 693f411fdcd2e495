//! Series: what is counted at one place of a table, with what names it.
//!
//! Most places of a large table are asked for now and then, and some are busy. A place is counted at one address, in one block of
//! memory, until it is busy; then each shard of the connections gets a series of its own with the same labels, so that
//! cores do not count at one address.

use std::hash::BuildHasher;
use std::iter;
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use once_cell::race::OnceBox;

use super::cells::PlaceCells;
use super::labels::{Known, Labels, Parts};

/// A series, and what is counted of it.
#[derive(Debug)]
pub(super) struct Series<C> {
    labels: Labels,
    pub(super) cells: C,
    /// Those of the shards, once this is busy.
    shards: OnceBox<[OnceLock<Arc<Self>>; MOST_SHARDS]>,
}

/// All series with cells of type `C`.
pub(super) struct AllSeries<C> {
    by_labels: HashTable<Arc<Series<C>>>,
    seed: RandomState,
}

/// The most addresses at which one place is counted; connections are spread over as many.
pub(super) const MOST_SHARDS: usize = 16;

// === impl Series ===

impl<C: Default> Series<C> {
    fn new(labels: Labels) -> Self {
        Self { labels, cells: C::default(), shards: OnceBox::new() }
    }

    /// What names it.
    pub(super) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// All at which this place is counted.
    pub(super) fn all(&self) -> impl Iterator<Item = &Self> {
        iter::once(self).chain(self.shards().map(|series| &**series))
    }

    fn shards(&self) -> impl Iterator<Item = &Arc<Self>> {
        self.shards.get().into_iter().flatten().filter_map(OnceLock::get)
    }

    /// Whether a request is under way that will be counted here.
    pub(super) fn is_in_use(self: &Arc<Self>) -> bool {
        iter::once(self).chain(self.shards()).any(|series| Arc::strong_count(series) > 1)
    }
}

impl Series<PlaceCells> {
    /// Where a shard counts, of so many in use.
    #[inline]
    pub(super) fn of_shard(self: &Arc<Self>, shard: usize, shards: usize) -> Arc<Self> {
        let is_divided = shards > 1 && (self.shards.get().is_some() || self.cells.requests.are_busy());
        if is_divided { self.own(shard % shards) } else { Arc::clone(self) }
    }

    fn own(&self, shard: usize) -> Arc<Self> {
        let shard = &self.shards.get_or_init(Box::default)[shard];
        Arc::clone(shard.get_or_init(|| Arc::new(Self::new(self.labels.clone()))))
    }
}

// === impl AllSeries ===

impl<C: Default> AllSeries<C> {
    pub(super) fn len(&self) -> usize {
        self.by_labels.len()
    }

    /// The one with these labels; of `parts` that others have, if it is a new one.
    pub(super) fn find_or_add(&mut self, labels: Labels, parts: &mut Parts) -> Arc<Series<C>> {
        let Self { by_labels, seed } = self;
        let hash = |labels: &Labels| seed.hash_one(labels);
        let entry =
            by_labels.entry(hash(&labels), |known| known.labels == labels, |known| hash(&known.labels));
        Arc::clone(entry.or_insert_with(|| Arc::new(Series::new(parts.share(labels)))).get())
    }

    /// Forgets those of which something is not known any more, and gives them.
    pub(super) fn take_unknown(&mut self, known: &Known<'_>) -> Vec<Arc<Series<C>>> {
        self.by_labels.extract_if(|series| !known.contains(&series.labels)).collect()
    }

    /// Puts one back that was taken out.
    pub(super) fn put_back(&mut self, series: Arc<Series<C>>) {
        let hash = |series: &Arc<Series<C>>| self.seed.hash_one(&series.labels);
        self.by_labels.insert_unique(hash(&series), series, hash);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gateway_core::name::ObjectName;
    use gateway_core::table::FrontendOwner;

    use super::super::cells::RequestCounts;
    use super::super::class::Class;
    use super::super::method::MethodLabel;
    use super::*;

    #[test]
    fn only_a_busy_place_is_counted_at_one_address_for_each_shard() {
        let owner = FrontendOwner::Gateway(ObjectName::new("default", "gateway"));
        let series = Arc::new(Series::<PlaceCells>::new(Labels::of_owner(&owner)));
        let requests = 2_000;
        for number in 0..requests {
            let series = series.of_shard(number, 2);
            series.cells.requests.answered(Class::SUCCESS, MethodLabel::GET);
            series.cells.requests.ended(Class::SUCCESS, Duration::from_millis(1));
        }
        let [one, other] = [0, 1].map(|shard| series.of_shard(shard, 2));
        assert!(!Arc::ptr_eq(&one, &other));
        assert!(Arc::ptr_eq(&one, &series.of_shard(2, 2)), "as many as there are shards");
        assert!(Arc::ptr_eq(&series, &series.of_shard(1, 1)), "a program of one thread has no shards");
        let counts: RequestCounts = series.all().map(|series| &series.cells.requests).collect();
        let (durations, methods) = counts.classes[Class::SUCCESS.index()].as_ref().unwrap();
        assert_eq!((durations.count(), methods[0]), (requests as u64, requests as u64));
        assert!(series.cells.requests.are_busy(), "it was counted here before");
    }
}
