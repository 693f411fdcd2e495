//! A map from hostnames to what serves them, asked by host.
//!
//! Listeners of a port and routes of a listener are chosen by the same rule: the exact hostname first, then the wildcards
//! from the longest to the shortest, then what has no hostname. The cost is one hash per label of the host.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::hostname::Hostname;

/// What serves each hostname; `None` as a hostname stands for every host.
#[derive(Clone, Debug)]
pub(crate) struct HostnameMap<T> {
    exact: HashMap<Arc<str>, T, RandomState>,
    /// By the suffix after `*.`.
    wildcard: HashMap<Arc<str>, T, RandomState>,
    any: Option<T>,
}

// === impl HostnameMap ===

impl<T> Default for HostnameMap<T> {
    fn default() -> Self {
        Self { exact: HashMap::default(), wildcard: HashMap::default(), any: None }
    }
}

impl<T: Copy> HostnameMap<T> {
    /// The value of exactly this hostname, made by `make` when there is none.
    pub(crate) fn entry(&mut self, hostname: Option<&Hostname>, make: impl FnOnce() -> T) -> T {
        match hostname {
            None => *self.any.get_or_insert_with(make),
            Some(Hostname::Exact(name)) => *self.exact.entry(name.clone()).or_insert_with(make),
            Some(Hostname::Wildcard(suffix)) => *self.wildcard.entry(suffix.clone()).or_insert_with(make),
        }
    }

    /// The same hostnames with other values.
    pub(crate) fn map<U>(self, with: impl Fn(T) -> U) -> HostnameMap<U> {
        let all = |map: HashMap<Arc<str>, T, RandomState>| {
            map.into_iter().map(|(name, value)| (name, with(value))).collect()
        };
        HostnameMap { exact: all(self.exact), wildcard: all(self.wildcard), any: self.any.map(&with) }
    }

    /// The values whose hostnames match `host`, most specific first.
    ///
    /// # Spec
    /// HST-08, HST-14.
    pub(crate) fn matching<'m>(&'m self, host: &'m str) -> impl Iterator<Item = T> + 'm {
        let exact = if self.exact.is_empty() { None } else { self.exact.get(host).copied() };
        let mut rest = if self.wildcard.is_empty() { "" } else { host };
        let wildcards = std::iter::from_fn(move || {
            loop {
                let dot = memchr::memchr(b'.', rest.as_bytes())?;
                // A wildcard stands for at least one character: the text before the first dot must not be empty.
                let labels_before = rest.len() < host.len() || dot > 0;
                rest = &rest[dot + 1..];
                if labels_before && let Some(found) = self.wildcard.get(rest) {
                    return Some(*found);
                }
            }
        });
        exact.into_iter().chain(wildcards).chain(self.any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(hostnames: &[&'static str]) -> HostnameMap<&'static str> {
        let mut map = HostnameMap::default();
        for hostname in hostnames {
            let parsed: Option<Hostname> = (!hostname.is_empty()).then(|| hostname.parse().unwrap());
            map.entry(parsed.as_ref(), || *hostname);
        }
        map
    }

    // HST-02, HST-08, HST-14, AMB-48
    #[test]
    fn exact_then_the_longest_wildcard_then_the_rest() {
        let map = map(&["", "*.com", "*.example.com", "a.example.com", "*.a.example.com"]);
        for (host, expected) in [
            ("a.example.com", &["a.example.com", "*.example.com", "*.com", ""][..]),
            ("b.a.example.com", &["*.a.example.com", "*.example.com", "*.com", ""]),
            ("example.com", &["*.com", ""]),
            (".example.com", &["*.com", ""]),
            ("com", &[""]),
            ("x.org", &[""]),
        ] {
            assert_eq!(map.matching(host).collect::<Vec<_>>(), expected, "{host}");
        }
    }

    #[test]
    fn the_same_hostname_is_one_entry() {
        let mut map = map(&["a.example.com"]);
        assert_eq!(map.entry(Some(&"a.example.com".parse().unwrap()), || "new"), "a.example.com");
        assert_eq!(map.entry(Some(&"*.example.com".parse().unwrap()), || "new"), "new");
    }
}
