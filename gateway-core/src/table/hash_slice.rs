//! Values by hash, made at once.
//!
//! They stand in lines of sixteen; a hash tells the line, and a few of its bits, which are kept apart, the value there. All bits
//! of a line are compared together, so that there is nothing to predict, and as many values as a line has need no more than one.
//! That line stands where the slice itself does, so that finding one of few values touches no other line of memory than its own.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;

/// Values by hash. A copy shares them.
#[derive(Clone)]
pub(super) struct HashSlice<T> {
    lines: Lines,
    /// As many for each line as it has lanes; those after the last value are left out.
    values: Arc<[Option<T>]>,
}

#[derive(Clone)]
enum Lines {
    One(Line),
    Many(Arc<[Line]>),
}

/// The last sixteen bits of the hashes of as many values: first the last bytes of all, then those before them.
#[derive(Clone, Copy, Default)]
struct Line([[u8; LANES]; 2]);

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
        Self { lines: Lines::One(Line::default()), values: Arc::default() }
    }
}

impl<T> HashSlice<T> {
    /// These values, of which no two may be what one look-up asks for.
    pub(super) fn new(values: impl IntoIterator<Item = Hashed<T>>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        let count = if values.len() <= LANES { 1 } else { values.len().div_ceil(VALUES) };
        let mut lines = vec![Line::default(); count];
        let mut slots: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count * LANES).collect();
        for Hashed { hash, value } in values {
            let free = in_turn(hash, count)
                .flat_map(|line| line * LANES..(line + 1) * LANES)
                .find(|slot| slots[*slot].is_none())
                .expect("there are more slots than values");
            lines[free / LANES].set(free % LANES, hash);
            slots[free] = Some(value);
        }
        slots.truncate(slots.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        Self { lines: lines.into(), values: slots.into() }
    }

    /// The value with the last sixteen bits of this hash that is the one looked for.
    #[inline]
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<&T> {
        self.value(self.position(hash, is_it)?)
    }

    /// The same, to be changed: into what the same look-up finds. Copies of the slice keep what they have.
    pub(super) fn find_mut(&mut self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<&mut T>
    where
        T: Clone,
    {
        let position = self.position(hash, is_it)?;
        Arc::make_mut(&mut self.values)[position].as_mut()
    }

    #[inline]
    fn position(&self, hash: u32, is_it: impl Fn(&T) -> bool) -> Option<usize> {
        match &self.lines {
            Lines::One(line) => self.position_in(0, line, hash, is_it),
            Lines::Many(lines) => self.position_among(lines, hash, is_it),
        }
    }

    fn position_among(&self, lines: &[Line], hash: u32, is_it: impl Fn(&T) -> bool) -> Option<usize> {
        for number in in_turn(hash, lines.len()) {
            let position = self.position_in(number, &lines[number], hash, &is_it);
            if position.is_some() {
                return position;
            }
            // Values go on in the next line only after a full one.
            self.value(number * LANES + LANES - 1)?;
        }
        None
    }

    /// The position in the line with this number.
    #[inline]
    fn position_in(
        &self,
        number: usize,
        line: &Line,
        hash: u32,
        is_it: impl Fn(&T) -> bool,
    ) -> Option<usize> {
        let mut positions = line.lanes(hash).map(|lane| number * LANES + lane);
        positions.find(|position| self.value(*position).is_some_and(&is_it))
    }

    /// All values.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }

    #[inline]
    fn value(&self, position: usize) -> Option<&T> {
        self.values.get(position)?.as_ref()
    }

    #[cfg(test)]
    pub(super) fn is_shared_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values)
    }
}

// === impl Lines ===

impl From<Vec<Line>> for Lines {
    fn from(lines: Vec<Line>) -> Self {
        match *lines {
            [line] => Self::One(line),
            _ => Self::Many(lines.into()),
        }
    }
}

/// All of so many lines, beginning with the one of this hash.
#[inline]
fn in_turn(hash: u32, lines: usize) -> impl Iterator<Item = usize> {
    let first = ((u64::from(hash) * lines as u64) >> 32) as usize;
    (first..first + lines).map(move |line| if line < lines { line } else { line - lines })
}

// === impl Line ===

impl Line {
    fn set(&mut self, lane: usize, hash: u32) {
        let [last, before] = &mut self.0;
        [last[lane], before[lane]] = [hash as u8, (hash >> 8) as u8];
    }

    /// The lanes with the last bits of this hash, ascending.
    #[inline]
    fn lanes(&self, hash: u32) -> impl Iterator<Item = usize> {
        /// A byte in each lane of a word.
        const fn each(byte: u8) -> u128 {
            u128::from_ne_bytes([byte; LANES])
        }
        let [last, before] = self.0.map(u128::from_le_bytes);
        let differs = (last ^ each(hash as u8)) | (before ^ each((hash >> 8) as u8));
        // The highest bit of each byte that is 0, and no other: sums stay within their byte.
        let mut alike = !(((differs & each(0x7f)) + each(0x7f)) | differs | each(0x7f));
        std::iter::from_fn(move || {
            let lane = (alike != 0).then(|| alike.trailing_zeros() as usize / 8);
            alike &= alike.wrapping_sub(1);
            lane
        })
    }
}

/// The hash of a text that is looked up alone: `Hash` of a `str` would mark its end for what may follow, which costs as much again
/// for a short one.
#[inline]
pub(super) fn hash(seed: &RandomState, text: &[u8]) -> u64 {
    let mut hasher = seed.build_hasher();
    hasher.write(text);
    hasher.finish()
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
