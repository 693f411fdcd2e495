//! The depths of prefixes, in elements, so that only prefixes of such a length are looked up.
//!
//! A path of ten elements has eleven prefixes, but routes use one or two lengths. They fit in a word that stands beside
//! the hostname, so knowing them costs no memory access.

/// The numbers of elements that the prefixes of one hostname have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Depths(u64);

/// The numbers of [`Depths`] that do not fit in it, most first; empty for every real route.
pub(crate) type DeepDepths = Vec<u16>;

/// From this number of elements on, a bit only says that there are such prefixes.
const DEEP: u16 = 63;

// === impl Depths ===

impl Depths {
    /// Adds the number of elements of `prefix`.
    pub(crate) fn insert(&mut self, prefix: &str, deep: &mut DeepDepths) {
        let elements = u16::try_from(elements(prefix)).unwrap_or(u16::MAX);
        self.0 |= 1 << elements.min(DEEP);
        if elements >= DEEP && !deep.contains(&elements) {
            deep.push(elements);
            deep.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Whether some of the numbers are in the [`DeepDepths`].
    pub(crate) fn has_deep(self) -> bool {
        self.0 >> DEEP != 0
    }

    /// The prefixes of `path` with these numbers of elements, longest first; the last may be empty, which is the root.
    #[inline]
    pub(crate) fn prefixes<'p>(self, deep: &'p [u16], path: &'p str) -> impl Iterator<Item = &'p str> + 'p {
        let mut shallow = self.0 & !(1 << DEEP);
        let mut deep = deep.iter();
        let depths = std::iter::from_fn(move || {
            if let Some(elements) = deep.next() {
                return Some(usize::from(*elements));
            }
            let highest = shallow.checked_ilog2()?;
            shallow &= !(1 << highest);
            Some(highest as usize)
        });
        prefixes_of(path, depths)
    }
}

/// The prefixes of `path` that have as many elements as `depths` gives; these descend.
#[inline]
fn prefixes_of(path: &str, depths: impl Iterator<Item = usize>) -> impl Iterator<Item = &str> {
    // How many elements the prefix has that is looked at, and where it ends. They are counted from the front once, up to the
    // first depth asked for, so a long path costs no more than a short one.
    let mut prefix = None;
    depths.filter_map(move |depth| {
        let (has, end) = prefix.get_or_insert_with(|| first_elements(path, depth));
        while *has > depth {
            *end = memchr::memrchr(b'/', &path.as_bytes()[..*end])?;
            *has -= 1;
        }
        if depth == 0 { Some("") } else { (*has == depth).then(|| &path[..*end]) }
    })
}

/// How many elements a path has, counted up to so many, and where they end.
#[inline]
fn first_elements(path: &str, most: usize) -> (usize, usize) {
    let mut has = 0;
    for (at, byte) in path.bytes().enumerate() {
        if byte == b'/' {
            if has == most {
                return (has, at);
            }
            has += 1;
        }
    }
    (has, path.len())
}

/// Each element starts with a slash.
fn elements(prefix: &str) -> usize {
    prefix.bytes().filter(|byte| *byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(of: &[&str], path: &str) -> Vec<String> {
        let (mut depths, mut deep) = (Depths::default(), DeepDepths::new());
        for prefix in of {
            depths.insert(prefix, &mut deep);
        }
        assert_eq!(depths.has_deep(), !deep.is_empty());
        depths.prefixes(&deep, path).map(str::to_owned).collect()
    }

    // HRM-05, HRM-20
    #[test]
    fn prefixes_of_the_lengths_in_use_longest_first() {
        for (of, path, expected) in [
            (&["", "/x", "/x/y/z"][..], "/a/b/c/d", &["/a/b/c", "/a", ""][..]),
            (&["", "/x", "/x/y/z"], "/a/b/c", &["/a/b/c", "/a", ""]),
            (&["", "/x", "/x/y/z"], "/a/b", &["/a", ""]),
            (&["/x/y"], "/a/b", &["/a/b"]),
            (&["/x/y"], "/a", &[]),
            (&["/x/y", "/x"], "//a/b", &["//a", "/"]),
            (&["/x"], "/", &["/"]),
            (&["", "/x"], "*", &[""]),
            (&[], "/a", &[]),
        ] {
            assert_eq!(prefixes(of, path), expected, "{of:?} of {path}");
        }
    }

    #[test]
    fn prefixes_deeper_than_a_word_has_bits() {
        let path = "/a".repeat(100);
        let of = ["/x".repeat(64), "/x".repeat(90), "/x".repeat(62), "/x".repeat(101), "/x".repeat(63)];
        let of: Vec<&str> = of.iter().map(String::as_str).collect();
        let lengths: Vec<usize> = prefixes(&of, &path).iter().map(|prefix| prefix.len() / 2).collect();
        assert_eq!(lengths, [90, 64, 63, 62]);
    }
}
