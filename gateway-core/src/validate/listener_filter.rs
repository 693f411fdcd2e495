//! The filters of a listener.

use super::http_filter::{external_auth, member};
use super::problem::Problems;
use super::reference;
use crate::api::{ListenerFilter, ListenerFilterType as Type, ListenerFilters};

/// # Spec
/// VAL-LF-01 to VAL-LF-04, VAL-ST-04, LIM-24.
pub(super) fn filters(filters: &ListenerFilters, at: &mut Problems) {
    at.list("requests", &filters.requests, 0..=16, "LIM-24", |filter, at| {
        let ListenerFilter { r#type, external_auth, extension_ref } = filter;
        if let Type::Unknown(value) = r#type {
            at.field("type").unknown_value(value, Type::KNOWN);
        }
        let mut union = |name, of: Type, present: bool, not_absent, not_present| {
            member(name, of.as_str(), *r#type == of, present, not_absent, not_present, at);
        };
        union("externalAuth", Type::ExternalAuth, external_auth.is_some(), "VAL-LF-01", "VAL-LF-02");
        union("extensionRef", Type::ExtensionRef, extension_ref.is_some(), "VAL-LF-03", "VAL-LF-04");
        if let Some(auth) = external_auth {
            self::external_auth(auth, &mut at.field("externalAuth"));
        }
        if let Some(reference) = extension_ref {
            reference::local(reference, &mut at.field("extensionRef"));
        }
    });
}
