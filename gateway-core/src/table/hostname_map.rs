//! A map from hostnames to what serves them, asked by host.
//!
//! Listeners of a port and routes of a listener are chosen by the same rule: the exact hostname first, then the wildcards
//! from the longest to the shortest, then what has no hostname. The cost is one hash per label of the host.

use super::shared_map::SharedMap;
use crate::hostname::Hostname;

/// What serves each hostname; `None` as a hostname stands for every host. A copy shares all that does not change.
#[derive(Clone, Debug)]
pub(crate) struct HostnameMap<T> {
    exact: SharedMap<T>,
    /// By the suffix after `*.`.
    wildcard: SharedMap<T>,
    any: Option<T>,
}

/// The hostname by which a host was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoundBy<'m> {
    /// Its own.
    Exact(&'m str),
    /// The wildcard with this text after `*.`.
    Wildcard(&'m str),
    /// None: what is found serves every host.
    Any,
}

// === impl HostnameMap ===

impl<T> Default for HostnameMap<T> {
    fn default() -> Self {
        Self { exact: SharedMap::default(), wildcard: SharedMap::default(), any: None }
    }
}

impl<T: Clone> HostnameMap<T> {
    /// The value of exactly this hostname.
    pub(crate) fn get(&self, hostname: Option<&Hostname>) -> Option<&T> {
        match hostname {
            None => self.any.as_ref(),
            Some(Hostname::Exact(name)) => self.exact.get(name),
            Some(Hostname::Wildcard(suffix)) => self.wildcard.get(suffix),
        }
    }

    /// Gives hostnames values, or takes them away. Each hostname may be there once.
    pub(crate) fn change<'h>(
        &mut self,
        changes: impl IntoIterator<Item = (Option<&'h Hostname>, Option<T>)>,
    ) {
        let (mut exact, mut wildcard) = (Vec::new(), Vec::new());
        for (hostname, value) in changes {
            match hostname {
                None => self.any = value,
                Some(Hostname::Exact(name)) => exact.push((&**name, value)),
                Some(Hostname::Wildcard(suffix)) => wildcard.push((&**suffix, value)),
            }
        }
        self.exact.change(exact);
        self.wildcard.change(wildcard);
    }

    /// Whether there is no hostname.
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty() && self.any.is_none()
    }

    /// All hostnames with their values, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (FoundBy<'_>, &T)> {
        let exact = self.exact.iter().map(|(name, value)| (FoundBy::Exact(name), value));
        let wildcard = self.wildcard.iter().map(|(suffix, value)| (FoundBy::Wildcard(suffix), value));
        exact.chain(wildcard).chain(self.any.iter().map(|value| (FoundBy::Any, value)))
    }

    /// The values whose hostnames match `host`, most specific first.
    ///
    /// # Spec
    /// HST-08, HST-14.
    #[inline]
    pub(crate) fn matching<'m>(&'m self, host: &'m str) -> impl Iterator<Item = (FoundBy<'m>, &'m T)> + 'm {
        let exact = if self.exact.is_empty() { None } else { self.exact.get(host) };
        let mut rest = (!self.wildcard.is_empty()).then_some(host);
        let wildcards = std::iter::from_fn(move || {
            loop {
                let labels = rest?;
                let dot = memchr::memchr(b'.', labels.as_bytes())?;
                // A wildcard stands for at least one character: the text before the first dot must not be empty.
                let labels_before = labels.len() < host.len() || dot > 0;
                let suffix = &labels[dot + 1..];
                rest = Some(suffix);
                if labels_before && let Some(found) = self.wildcard.get(suffix) {
                    return Some((FoundBy::Wildcard(suffix), found));
                }
            }
        });
        let exact = exact.map(|found| (FoundBy::Exact(host), found));
        exact.into_iter().chain(wildcards).chain(self.any.iter().map(|found| (FoundBy::Any, found)))
    }
}

// === impl FoundBy ===

impl FoundBy<'_> {
    /// The hostname; `None` where there is none.
    pub(crate) fn hostname(self) -> Option<Hostname> {
        match self {
            Self::Exact(name) => Some(Hostname::Exact(name.into())),
            Self::Wildcard(suffix) => Some(Hostname::Wildcard(suffix.into())),
            Self::Any => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(hostnames: &[&'static str]) -> HostnameMap<&'static str> {
        let mut map = HostnameMap::default();
        for hostname in hostnames {
            let parsed: Option<Hostname> = (!hostname.is_empty()).then(|| hostname.parse().unwrap());
            map.change([(parsed.as_ref(), Some(*hostname))]);
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
            let found: Vec<&str> = map.matching(host).map(|(_, found)| *found).collect();
            assert_eq!(found, expected, "{host}");
            let by = map.matching(host).map(|(by, _)| by.hostname());
            let written = by.map(|by| by.map_or_else(String::new, |by| by.to_string()));
            assert_eq!(written.collect::<Vec<_>>(), expected, "{host}");
        }
    }

    #[test]
    fn the_same_hostname_is_one_entry() {
        let mut map = map(&["a.example.com"]);
        let hostname: Hostname = "a.example.com".parse().unwrap();
        assert_eq!(map.get(Some(&hostname)), Some(&"a.example.com"));
        assert_eq!(map.get(Some(&"*.example.com".parse().unwrap())), None);
        map.change([(Some(&hostname), Some("new"))]);
        assert!(map.matching("a.example.com").map(|(_, found)| *found).eq(["new"]));
    }
}
