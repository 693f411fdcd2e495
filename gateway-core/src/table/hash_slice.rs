//! Values by hash in two pieces of memory, made at once.
//!
//! They stand in lines of sixteen; a hash tells the line, and a few of its bits, which are kept apart, the value there. All bits
//! of a line are compared together, so that there is nothing to predict, and as many values as a line has need no more than one.
//! However many there are, finding one touches one or two lines of memory.

use std::fmt;
use std::sync::Arc;

/// Values by hash. A copy is two pointers.
#[derive(Clone)]
pub(super) struct HashSlice<T> {
    lines: Arc<[Line]>,
    /// As many for each line as it has lanes; those after the last value are left out.
    values: Arc<[Option<T>]>,
}

/// The last bits of the hashes of as many values.
type Line = [u16; LANES];

const LANES: usize = 16;

/// How many values there are to a line, if one is not enough for all. With more of them more lines are full, and the next has to
/// be looked at, too.
const VALUES: usize = 12;

/// A value with its hash.
#[derive(Clone, Copy)]
pub(super) struct Hashed<T> {
    pub(super) hash: u32,
    pub(super) value: T,
}

// === impl HashSlice ===

impl<T> Default for HashSlice<T> {
    fn default() -> Self {
        Self { lines: Arc::default(), values: Arc::default() }
    }
}

impl<T> HashSlice<T> {
    /// These values, of which no two may be what one look-up asks for.
    pub(super) fn new(values: impl IntoIterator<Item = Hashed<T>>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let count = if values.len() <= LANES { values.len().min(1) } else { values.len().div_ceil(VALUES) };
        let mut lines = vec![Line::default(); count];
        let mut slots: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count * LANES).collect();
        for Hashed { hash, value } in values {
            let free = in_turn(hash, count)
                .flat_map(|line| line * LANES..(line + 1) * LANES)
                .find(|slot| slots[*slot].is_none())
                .expect("there are more slots than values");
            lines[free / LANES][free % LANES] = hash as u16;
            slots[free] = Some(value);
        }
        slots.truncate(slots.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        Self { lines: lines.into(), values: slots.into() }
    }

    /// The value with the last sixteen bits of this hash that is the one looked for.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        for line in in_turn(hash, self.lines.len()) {
            let mut alike = alike(&self.lines[line], hash as u16);
            while alike != 0 {
                let lane = alike.trailing_zeros() as usize;
                if let Some(found) = self.value(line, lane).filter(|found| is_it(found)) {
                    return Some(found);
                }
                alike &= alike - 1;
            }
            // Values go on in the next line only after a full one.
            self.value(line, LANES - 1)?;
        }
        None
    }

    /// All values.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    #[inline]
    fn value(&self, line: usize, lane: usize) -> Option<&T> {
        self.values.get(line * LANES + lane)?.as_ref()
    }

    #[cfg(test)]
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values)
    }
}

/// All of so many lines, beginning with the one of this hash.
#[inline]
fn in_turn(hash: u32, lines: usize) -> impl Iterator<Item = usize> {
    let first = ((u64::from(hash) * lines as u64) >> 32) as usize;
    (first..first + lines).map(move |line| if line < lines { line } else { line - lines })
}

/// Which lanes of a line have these bits, one bit for each.
#[inline]
fn alike(line: &Line, bits: u16) -> u16 {
    // From the last to the first: in this order it compiles to a comparison of all lanes at once.
    line.iter().rev().fold(0, |alike, lane| alike << 1 | u16::from(*lane == bits))
}

impl<T: fmt::Debug> fmt::Debug for HashSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
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
            // Few hashes at the very end, so that they collide there and go on at the start.
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
