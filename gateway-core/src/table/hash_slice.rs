//! Values by hash in one piece of memory, made at once.
//!
//! They stand in the order of their hashes with gaps between them, so a hash tells where its value is: there, or a little
//! behind. However many there are, finding one touches one or two lines of memory.

use std::fmt;
use std::sync::Arc;

/// Values by hash. A copy is a pointer.
#[derive(Clone)]
pub(super) struct HashSlice<T>(Arc<[Option<Hashed<T>>]>);

/// A value with its hash.
#[derive(Clone, Copy)]
pub(super) struct Hashed<T> {
    pub(super) hash: u32,
    pub(super) value: T,
}

// === impl HashSlice ===

impl<T> Default for HashSlice<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> HashSlice<T> {
    /// These values, of which no two may be what one look-up asks for.
    pub(super) fn new(values: impl IntoIterator<Item = Hashed<T>>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by_key(|value| value.hash);
        // With fewer gaps look-ups become slower, with none at all by a tenth; with more there is more memory to miss.
        let mut length = values.len() + values.len() * 2 / 5;
        while !fits(&values, length) {
            length += 1;
        }
        let mut slots = Vec::with_capacity(length);
        for value in values {
            let empty = place(value.hash, length).saturating_sub(slots.len());
            slots.extend(std::iter::repeat_with(|| None).take(empty));
            slots.push(Some(value));
        }
        slots.resize_with(length, || None);
        Self(slots.into())
    }

    /// The value with this hash that is the one looked for.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        for slot in &self.0[place(hash, self.0.len())..] {
            match slot {
                Some(found) if found.hash == hash && is_it(&found.value) => return Some(&found.value),
                Some(found) if found.hash <= hash => {}
                Some(_) | None => return None,
            }
        }
        None
    }

    /// All values, in the order of their hashes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Hashed<T>> {
        self.0.iter().flatten()
    }

    #[cfg(test)]
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Where the value with this hash stands among `length` slots, unless others push it back. The last slots are only for those.
#[inline]
fn place(hash: u32, length: usize) -> usize {
    let first_slots = length - length / 8;
    ((u64::from(hash) * first_slots as u64) >> 32) as usize
}

/// Whether values in the order of their hashes find room in so many slots.
fn fits<T>(values: &[Hashed<T>], length: usize) -> bool {
    values.iter().fold(0, |next, value| place(value.hash, length).max(next) + 1) <= length
}

impl<T: fmt::Debug> fmt::Debug for HashSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|hashed| &hashed.value)).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_is_found_in_nothing() {
        for hash in [0, 1, u32::MAX] {
            assert_eq!(HashSlice::<u32>::default().find(hash, |_| true), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_there_is_found_and_nothing_else(
            // Few hashes at the very end, so that they collide there.
            hashes in prop::collection::vec(prop_oneof![any::<u32>(), u32::MAX - 3..=u32::MAX], 0..200),
        ) {
            let hashed = |(value, &hash)| Hashed { hash, value };
            let slice = HashSlice::new(hashes.iter().enumerate().map(hashed));
            for (value, &hash) in hashes.iter().enumerate() {
                prop_assert_eq!(slice.find(hash, |found| *found == value), Some(&value));
                prop_assert_eq!(slice.find(hash, |found| *found == hashes.len()), None);
                prop_assert_eq!(slice.find(hash ^ 1, |found| *found == value), None);
            }
            prop_assert_eq!(slice.iter().count(), hashes.len());
        }
    }
}
