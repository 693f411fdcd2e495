//! Hostnames and hosts, with any text as either.

use gateway_core::hostname::{Host, Hostname};

use super::text;
use crate::decision::reference::{host_of_authority, hostname_matches};

/// Three lines: two hostnames and an authority. Core and reference read the authority alike and agree on which hostname
/// matches it; and a host is in the intersection of the hostnames just if it is in both.
///
/// # Panics
/// When that does not hold.
pub fn hostname(bytes: &[u8]) {
    let text = text(bytes);
    let mut lines = text.splitn(3, '\n');
    let (a, b) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let authority = lines.next().unwrap_or_default();
    let host = Host::from_authority(authority);
    assert_eq!(
        host.as_ref().ok().map(Host::as_str),
        host_of_authority(authority).as_deref(),
        "{authority:?}"
    );

    let (Ok(a), Ok(b)) = (a.parse::<Hostname>(), b.parse::<Hostname>()) else { return };
    assert_eq!(a.to_string().parse().as_ref(), Ok(&a), "a hostname is read as it is written");
    assert_eq!(a.intersection(&b), b.intersection(&a), "{a} {b}");
    assert_eq!(a.intersection(&a), Some(&a));
    let Ok(host) = host else { return };
    let in_both = a.matches(&host) && b.matches(&host);
    assert_eq!(a.intersection(&b).is_some_and(|both| both.matches(&host)), in_both, "{a} {b} {host}");
    for hostname in [&a, &b] {
        let expected = hostname_matches(&hostname.to_string(), host.as_str());
        assert_eq!(hostname.matches(&host), expected, "{hostname} {host}");
    }
}
