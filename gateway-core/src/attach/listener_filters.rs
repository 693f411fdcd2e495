//! The filters of a listener: made ready, or found wanting.
//!
//! A listener is not served without the filters that it is to have: they may be what keeps strangers out. So one with a filter
//! of a type that is not carried out is not accepted, and one with a filter that leads nowhere fails its requests.
//!
//! # Spec
//! `ListenerFilters`, PRF-06, PRF-07, PRF-09.

use crate::api::{self, ListenerFilterType as Type, ListenerFilters};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::filter::ListenerFilter;
use crate::finding::Finding;
use crate::options::Options;

/// The filters in their order, with what is wrong with those that lead nowhere.
///
/// # Errors
/// Why a listener with these filters is not accepted.
pub(super) fn judge(
    written: &ListenerFilters,
    protocol: &str,
    namespace: &str,
    options: &Options,
) -> Result<(Vec<ListenerFilter>, Vec<Finding>), Finding> {
    if written.requests.is_empty() {
        return Ok(Default::default());
    }
    if !matches!(protocol, "HTTP" | "HTTPS") {
        let message = format!("filters are for protocols HTTP and HTTPS, not for {protocol}; remove them");
        return Err(Finding::new("filters", Reason::InvalidListenerFilter, message));
    }
    let (mut filters, mut unresolved, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for (index, filter) in written.requests.iter().enumerate() {
        let wrong = |(reason, message)| {
            let field = format!("filters.requests[{index}]");
            let message = format!("{field}: {message}");
            Finding::new(field, reason, message)
        };
        match extension_ref(filter, options).map_err(wrong) {
            Ok(reference) => {
                filters.push(extension(reference, namespace, options).unwrap_or_else(|message| {
                    unresolved.push(wrong((Reason::InvalidListenerFilterRef, message)));
                    ListenerFilter::Unresolved
                }))
            }
            Err(refusal) => refusals.push(refusal),
        }
    }
    let invalid = refusals.iter().position(|finding| finding.reason == Reason::InvalidListenerFilter);
    match refusals.is_empty() {
        true => Ok((filters, unresolved)),
        false => Err(refusals.swap_remove(invalid.unwrap_or(0))),
    }
}

/// What a filter refers to, if it is one that is carried out.
fn extension_ref<'f>(
    filter: &'f api::ListenerFilter,
    options: &Options,
) -> Result<&'f api::LocalObjectReference, (Reason, String)> {
    let api::ListenerFilter { r#type, external_auth, extension_ref } = filter;
    Err(match (r#type, external_auth, extension_ref) {
        (Type::ExtensionRef, None, Some(named)) if options.supports(Feature::GatewayListenerFilters) => {
            return Ok(named);
        }
        (Type::ExtensionRef, None, Some(named)) => (
            Reason::UnsupportedValue,
            format!(
                "{} {} in {:?} is not known as a filter of listeners; remove it",
                named.kind, named.name, named.group
            ),
        ),
        (Type::ExternalAuth, Some(_), None) => {
            (Reason::UnsupportedValue, "ExternalAuth is not supported on listeners; remove it".to_owned())
        }
        (Type::Unknown(unknown), ..) => (
            Reason::UnsupportedValue,
            format!("{unknown:?} is no filter of listeners; write {}", Type::KNOWN.join(" or ")),
        ),
        (Type::ExtensionRef | Type::ExternalAuth, ..) => (
            Reason::InvalidListenerFilter,
            format!("type {type} does not go with the fields that are written; write those of one type"),
        ),
    })
}

/// The filter that a reference leads to.
fn extension(
    reference: &api::LocalObjectReference,
    namespace: &str,
    options: &Options,
) -> Result<ListenerFilter, String> {
    let api::LocalObjectReference { group, kind, name } = reference;
    let extensions = options.extensions.as_ref().expect("the feature is supported with extensions only");
    match extensions.resolve(namespace, group, kind, name) {
        Ok(extension) => Ok(ListenerFilter::Extension(extension)),
        Err(error) => Err(format!("extension {kind}.{group} {namespace}/{name}: {error}")),
    }
}
