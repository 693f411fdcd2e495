//! Hostnames with and without a wildcard, as text.

/// Whether `host` is this hostname or falls under this wildcard.
///
/// [HST-02](gateway_core::spec#HST-02): `*.S` matches if the host ends with `.S` and at least one non-empty label precedes.
pub fn matches(hostname: &str, host: &str) -> bool {
    match hostname.strip_prefix('*') {
        None => hostname == host,
        Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
    }
}

/// How specific a hostname is that matches some host: greater is more specific.
///
/// HST-14: (1) the most characters of a hostname without wildcard, (2) the most characters. For the hostnames that match
/// one host this is also HST-08: exact, then the wildcards with more labels.
pub(super) fn rank(hostname: Option<&str>) -> (usize, usize) {
    match hostname {
        None => (0, 0),
        Some(hostname) if hostname.starts_with('*') => (0, hostname.len()),
        Some(hostname) => (hostname.len(), hostname.len()),
    }
}

/// HST-03: whether some host falls under both.
pub(super) fn overlap(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    match (one.strip_prefix('*'), other.strip_prefix('*')) {
        (None, _) => matches(other, one),
        (Some(_), None) => matches(one, other),
        (Some(one), Some(other)) => one.ends_with(other) || other.ends_with(one),
    }
}
