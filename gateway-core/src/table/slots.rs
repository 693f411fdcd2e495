//! Values by number, in chunks that tables share, and chunks of chunks.
//!
//! Two tables of which one has a route more share all chunks but one of each. A number stays with its value as long as the value
//! is there, so that what names it by number need not change when others come and go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// How many values a chunk has, and how many of these a chunk of chunks. A change copies one of each, and the list of them.
const CHUNK: usize = 32;

/// Values by number; a copy costs a pointer for each thousand.
#[derive(Clone, Debug)]
pub(crate) struct Slots<T> {
    chunks: Vec<Chunks<T>>,
}

/// Arrays rather than slices, since each request looks up many numbers: of these there is no length to read.
type Chunks<T> = Option<Arc<[Chunk<T>; CHUNK]>>;
type Chunk<T> = Option<Arc<[Option<T>; CHUNK]>>;

/// [`Slots`] to which values can be added; gives numbers again that were given up.
#[derive(Debug)]
pub(crate) struct SlotMap<T> {
    slots: Slots<T>,
    /// The numbers without a value, below the length. The lowest is given first, so that chunks without any value become
    /// many when most values have gone.
    free: BinaryHeap<Reverse<u32>>,
    /// One above the highest number ever given.
    length: u32,
}

// === impl Slots ===

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// The value with this number.
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        let chunks = self.chunks.get(number / CHUNK / CHUNK)?.as_ref()?;
        let chunk = chunks[number / CHUNK % CHUNK].as_ref()?;
        chunk[number % CHUNK].as_ref()
    }

    /// All values with their numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let chunks = values(0, &self.chunks).flat_map(|(position, chunks)| values(position, &**chunks));
        let all = chunks.flat_map(|(position, chunk)| values(position, &**chunk));
        all.map(|(number, value)| (number as u32, value))
    }
}

/// The values of the chunk at `position` that there are, each with its own position.
fn values<T>(position: usize, chunk: &[Option<T>]) -> impl Iterator<Item = (usize, &T)> {
    let all = chunk.iter().enumerate();
    all.filter_map(move |(within, value)| Some((position * CHUNK + within, value.as_ref()?)))
}

/// The chunk, to be changed: that of these values alone, and a new one where there is none.
fn own<T: Clone>(chunk: &mut Option<Arc<[Option<T>; CHUNK]>>) -> &mut [Option<T>; CHUNK] {
    Arc::make_mut(chunk.get_or_insert_with(|| Arc::new(std::array::from_fn(|_| None))))
}

impl<T: Clone> Slots<T> {
    /// Gives the number another value, if it has one.
    pub(crate) fn replace(&mut self, number: u32, value: T) {
        if self.get(number).is_some() {
            *self.slot(number) = Some(value);
        }
    }

    fn slot(&mut self, number: u32) -> &mut Option<T> {
        let number = number as usize;
        let all = &mut self.chunks;
        if all.len() <= number / CHUNK / CHUNK {
            all.resize_with(number / CHUNK / CHUNK + 1, Chunks::default);
        }
        let chunk = &mut own(&mut all[number / CHUNK / CHUNK])[number / CHUNK % CHUNK];
        &mut own(chunk)[number % CHUNK]
    }
}

// === impl SlotMap ===

impl<T> Default for SlotMap<T> {
    fn default() -> Self {
        Self { slots: Slots::default(), free: BinaryHeap::new(), length: 0 }
    }
}

impl<T: Clone> SlotMap<T> {
    /// Adds a value, and gives its number.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let free = self.free.pop().map(|Reverse(number)| number);
        let number = free.unwrap_or_else(|| {
            self.length += 1;
            self.length - 1
        });
        *self.slots.slot(number) = Some(value);
        number
    }

    /// Gives the number another value, if it has one.
    pub(crate) fn replace(&mut self, number: u32, value: T) {
        self.slots.replace(number, value);
    }

    /// Takes a value away; its number may be given to another.
    pub(crate) fn remove(&mut self, number: u32) {
        if self.slots.get(number).is_some() {
            *self.slots.slot(number) = None;
            self.free.push(Reverse(number));
            self.forget_empty(number as usize);
        }
    }

    /// Gives up the chunks that this number is in, as far as they have no values any more.
    fn forget_empty(&mut self, number: usize) {
        let chunks = &mut self.slots.chunks[number / CHUNK / CHUNK];
        let all = own(chunks);
        let chunk = &mut all[number / CHUNK % CHUNK];
        if chunk.as_ref().is_some_and(|chunk| chunk.iter().any(Option::is_some)) {
            return;
        }
        *chunk = None;
        if all.iter().all(Option::is_none) {
            *chunks = None;
        }
        if self.slots.chunks.iter().all(Option::is_none) {
            *self = Self::default();
        }
    }

    /// The value with this number, to be changed.
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.slots.get(number)?;
        self.slots.slot(number).as_mut()
    }

    /// The values as they are now.
    pub(crate) fn slots(&self) -> &Slots<T> {
        &self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_its_value_and_is_given_again_after_it() {
        let mut map = SlotMap::default();
        let numbers: Vec<u32> = (0..200).map(|value| map.insert(value)).collect();
        map.remove(numbers[70]);
        map.remove(numbers[70]);
        map.replace(numbers[3], 1_000);
        assert_eq!(map.slots().get(numbers[70]), None);
        assert_eq!(map.slots().get(numbers[71]), Some(&71));
        assert_eq!(map.slots().get(numbers[3]), Some(&1_000));
        assert_eq!(map.slots().get(5_000), None);
        assert_eq!(map.slots().iter().count(), 199);
        assert_eq!((map.insert(7), map.insert(8)), (numbers[70], 200), "each number once");
    }

    #[test]
    fn chunks_without_values_go_and_come_back() {
        let mut map = SlotMap::default();
        (0..3_000).for_each(|value| _ = map.insert(value));
        let chunks = |map: &SlotMap<i32>| map.slots().chunks.iter().flatten().count();
        let most = chunks(&map);
        (100..2_900).for_each(|number| map.remove(number));
        assert!(chunks(&map) < most);
        let left: Vec<_> = map.slots().iter().map(|(number, value)| (number as i32, *value)).collect();
        assert!(left.iter().copied().eq((0..100).chain(2_900..3_000).map(|value| (value, value))));
        assert_eq!((map.insert(7), map.slots().get(100), map.slots().get(101)), (100, Some(&7), None));
        (0..3_000).for_each(|number| map.remove(number));
        assert_eq!((chunks(&map), map.slots().iter().count(), map.insert(8)), (0, 0, 0));
    }

    #[test]
    fn a_change_leaves_other_chunks_shared_and_earlier_copies_alone() {
        let mut map = SlotMap::default();
        (0..3_000).for_each(|value| _ = map.insert(value));
        let before = map.slots().clone();
        map.replace(1_100, 0);
        fn is_same<T>((a, b): (&Option<Arc<T>>, &Option<Arc<T>>)) -> bool {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b))
        }
        let (before, after) = (before, map.slots());
        let same: Vec<bool> = before.chunks.iter().zip(&after.chunks).map(is_same).collect();
        assert_eq!(same, [true, false, true]);
        let within = |slots: &Slots<i32>| slots.chunks[1].clone().expect("it has values");
        let changed = within(&before).iter().zip(&*within(after)).filter(|pair| !is_same(*pair)).count();
        assert_eq!(changed, 1);
        assert_eq!((before.get(1_100), after.get(1_100)), (Some(&1_100), Some(&0)));
    }
}
