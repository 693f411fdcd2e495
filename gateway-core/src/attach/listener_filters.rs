//! The filters of a listener, which no data plane here carries out yet.
//!
//! A listener with filters is not served without them: they may be what keeps strangers out.
//!
//! # Spec
//! `ListenerFilters`, PRF-06, PRF-09.

use crate::api::{ListenerFilter, ListenerFilterType as Type, ListenerFilters};
use crate::condition::Reason;
use crate::finding::Finding;

/// Why a listener with these filters is not accepted; nothing if there is none.
pub(super) fn refusal(filters: &ListenerFilters, protocol: &str) -> Option<Finding> {
    if filters.requests.is_empty() {
        return None;
    }
    if !matches!(protocol, "HTTP" | "HTTPS") {
        let message = format!("filters are for protocols HTTP and HTTPS, not for {protocol}; remove them");
        return Some(Finding::new("filters", Reason::InvalidListenerFilter, message));
    }
    let findings: Vec<_> =
        filters.requests.iter().enumerate().map(|(index, filter)| judge(index, filter)).collect();
    let invalid = findings.iter().find(|finding| finding.reason == Reason::InvalidListenerFilter);
    invalid.or(findings.first()).cloned()
}

fn judge(index: usize, filter: &ListenerFilter) -> Finding {
    let ListenerFilter { r#type, external_auth, extension_ref } = filter;
    let field = format!("filters.requests[{index}]");
    let (reason, message) = match (r#type, external_auth, extension_ref) {
        (Type::ExtensionRef, None, Some(named)) => (
            Reason::UnsupportedValue,
            format!(
                "{field}: {} {} in {:?} is not known as a filter of listeners; remove it",
                named.kind, named.name, named.group
            ),
        ),
        (Type::ExternalAuth, Some(_), None) => (
            Reason::UnsupportedValue,
            format!("{field}: ExternalAuth is not supported on listeners; remove it"),
        ),
        (Type::Unknown(unknown), ..) => (
            Reason::UnsupportedValue,
            format!("{field}: {unknown:?} is no filter of listeners; write {}", Type::KNOWN.join(" or ")),
        ),
        (Type::ExtensionRef | Type::ExternalAuth, ..) => (
            Reason::InvalidListenerFilter,
            format!(
                "{field}: type {type} does not go with the fields that are written; write those of one type"
            ),
        ),
    };
    Finding::new(field, reason, message)
}
