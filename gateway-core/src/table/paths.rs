//! The exact paths, prefixes and suffixes of one index: one hash table.
//!
//! `matchit` was measured for this step and is 2 to 5 times slower here (see the `ratios` benchmark); besides, its `{}`
//! syntax would have to be escaped in every path.

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use super::hash_slice::{self, HashSlice, Hashed};

/// Whether a text must be the request's path, or what it begins or ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PathKind {
    Exact,
    Prefix,
    Suffix,
}

/// What stands behind each path.
///
/// Hashed with a seed of this table, so no tenant can write routes whose paths collide.
#[derive(Clone, Debug)]
pub(crate) struct Paths<G> {
    slots: HashSlice<(SmolStr, G)>,
    seed: RandomState,
}

// === impl PathKind ===

impl PathKind {
    const ALL: [Self; 3] = [Self::Exact, Self::Prefix, Self::Suffix];
}

// === impl Paths ===

impl<G> Paths<G> {
    /// These paths, each once.
    pub(crate) fn new<'p>(paths: impl IntoIterator<Item = ((PathKind, &'p str), G)>) -> Self {
        let seed = RandomState::default();
        let slot =
            |((kind, path), group)| Hashed { hash: hash(&seed, kind, path), value: (path.into(), group) };
        Self { slots: HashSlice::new(paths.into_iter().map(slot)), seed }
    }

    /// What stands behind a path.
    #[inline]
    pub(crate) fn find(&self, kind: PathKind, path: &str) -> Option<&G> {
        let hash = hash(&self.seed, kind, path);
        self.slots.find(hash, |(known, _)| known == path).map(|(_, group)| group)
    }

    /// All paths, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PathKind, &str, &G)> {
        self.slots.iter().filter_map(|(path, group)| {
            let is_it =
                |kind: &PathKind| self.find(*kind, path).is_some_and(|found| std::ptr::eq(found, group));
            PathKind::ALL.into_iter().find(is_it).map(|kind| (kind, path.as_str(), group))
        })
    }

    #[cfg(all(test, feature = "resources"))]
    pub(crate) fn is_shared_with(&self, other: &Self) -> bool {
        self.slots.is_shared_with(&other.slots)
    }
}

/// The last bits of the hash are the kind, so that equal hashes have equal kinds.
#[inline]
fn hash(seed: &RandomState, kind: PathKind, path: &str) -> u32 {
    hash_slice::hash(seed, path.as_bytes()) as u32 & !3 | kind as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_be_asked_for_in_both_ways() {
        let long = "/a/path/that/does/not/fit/in/a/slot";
        let all = [
            ((PathKind::Exact, "/a"), 1),
            ((PathKind::Prefix, "/a"), 2),
            ((PathKind::Suffix, "/a"), 5),
            ((PathKind::Prefix, ""), 3),
            ((PathKind::Exact, long), 4),
        ];
        let paths = Paths::new(all);
        for ((kind, path), group) in all {
            assert_eq!(paths.find(kind, path), Some(&group), "{kind:?} {path}");
        }
        let mut listed: Vec<_> = paths.iter().map(|(kind, path, group)| ((kind, path), *group)).collect();
        listed.sort_by_key(|(path, _)| all.iter().position(|(known, _)| known == path));
        assert_eq!(listed, all);
        assert_eq!(paths.find(PathKind::Prefix, long), None);
        assert_eq!(paths.find(PathKind::Exact, ""), None);
    }
}
