//! The hostnames of listeners that share a port, arranged to tell who overlaps with whom.
//!
//! A platform may have thousands of HTTPS listeners on one port, so comparing each with each is out of the question. A
//! hostname overlaps with the wildcards above it, which are as many as it has labels, and a wildcard with what is below.

use std::collections::HashMap;
use std::sync::Arc;

use crate::hostname::Hostname;

/// How often each hostname is there; no hostname is one too, which overlaps with all.
#[derive(Debug, Default)]
pub(super) struct Hostnames {
    total: usize,
    every: usize,
    exact: HashMap<Arc<str>, usize>,
    wildcard: HashMap<Arc<str>, usize>,
    /// For each suffix, how many hostnames are below it.
    below: HashMap<Box<str>, usize>,
}

// === impl Hostnames ===

impl Hostnames {
    pub(super) fn insert(&mut self, hostname: Option<&Hostname>) {
        self.total += 1;
        let name = match hostname {
            None => {
                self.every += 1;
                return;
            }
            Some(Hostname::Exact(name)) => {
                *self.exact.entry(name.clone()).or_default() += 1;
                name
            }
            Some(Hostname::Wildcard(suffix)) => {
                *self.wildcard.entry(suffix.clone()).or_default() += 1;
                suffix
            }
        };
        for suffix in suffixes(name) {
            match self.below.get_mut(suffix) {
                Some(count) => *count += 1,
                None => {
                    self.below.insert(suffix.into(), 1);
                }
            }
        }
    }

    /// How many there are, equal ones included.
    pub(super) fn len(&self) -> usize {
        self.total
    }

    /// How often this very hostname is there.
    pub(super) fn count(&self, hostname: Option<&Hostname>) -> usize {
        let of = |names: &HashMap<Arc<str>, usize>, name: &str| names.get(name).copied().unwrap_or(0);
        match hostname {
            None => self.every,
            Some(Hostname::Exact(name)) => of(&self.exact, name),
            Some(Hostname::Wildcard(suffix)) => of(&self.wildcard, suffix),
        }
    }

    /// Whether some host is served by this hostname and by another that is there. `known` says that the hostname itself
    /// is among them, so that it is not compared with itself.
    ///
    /// # Spec
    /// GWT-13, HST-02, HST-03.
    pub(super) fn overlap(&self, hostname: Option<&Hostname>, known: bool) -> bool {
        let Some(hostname) = hostname else { return self.total > usize::from(known) };
        let (name, below) = match hostname {
            Hostname::Exact(name) => (name, 0),
            Hostname::Wildcard(suffix) => (suffix, self.below.get(&**suffix).copied().unwrap_or(0)),
        };
        self.every > 0
            || below > 0
            || self.count(Some(hostname)) > usize::from(known)
            || suffixes(name).any(|suffix| self.wildcard.contains_key(suffix))
    }
}

/// What is left of a name without its first label, its first two, and so on.
fn suffixes(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(dot, _)| &name[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlaps(hostnames: &[&str]) -> Vec<bool> {
        let parse = |text: &&str| match *text {
            "" => None,
            text => Some(text.parse::<Hostname>().unwrap()),
        };
        let parsed: Vec<_> = hostnames.iter().map(parse).collect();
        let mut all = Hostnames::default();
        for hostname in &parsed {
            all.insert(hostname.as_ref());
        }
        let found: Vec<_> = parsed.iter().map(|hostname| all.overlap(hostname.as_ref(), true)).collect();
        // The slow way says the same.
        for (i, a) in parsed.iter().enumerate() {
            let others = parsed.iter().enumerate().filter(|(j, _)| *j != i);
            let slow = others.into_iter().any(|(_, b)| match (a, b) {
                (Some(a), Some(b)) => a.intersects(b),
                (None, _) | (_, None) => true,
            });
            assert_eq!(found[i], slow, "{:?} among {hostnames:?}", hostnames[i]);
        }
        found
    }

    // GWT-13, HST-02
    #[test]
    fn overlap_is_that_of_the_hosts_served() {
        assert_eq!(overlaps(&["foo.example.com", "foo.example.org", "*.example.com"]), [true, false, true]);
        assert_eq!(overlaps(&["", "a.example"]), [true, true]);
        assert_eq!(overlaps(&[""]), [false]);
        assert_eq!(overlaps(&["*.com", "*.a.com", "b.org"]), [true, true, false]);
        assert_eq!(overlaps(&["*.a.com", "*.a.com"]), [true, true]);
        assert_eq!(
            overlaps(&["a.com", "*.a.com"]),
            [false, false],
            "a wildcard does not serve its own suffix"
        );
        assert_eq!(overlaps(&["*.com", "x.a.b.c.com"]), [true, true]);
        assert_eq!(overlaps(&["*.a.com", "b.com", "*.b.com"]), [false, false, false]);
    }
}
