//! A number that stands for a long value where values are hashed again and again.

use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use foldhash::quality::RandomState;

/// Each process has a seed of its own, so that what is written by others cannot be made to have one number.
static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The number of a value: the same for equal ones, in this process.
pub(crate) fn fingerprint(value: &impl Hash) -> u64 {
    SEED.hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number_and_others_have_others() {
        let numbers: std::collections::BTreeSet<_> =
            (0..1_000).map(|number| fingerprint(&(vec![7; 500], number))).collect();
        assert_eq!(numbers.len(), 1_000);
        assert!(numbers.contains(&fingerprint(&(vec![7; 500], 3))));
    }
}
