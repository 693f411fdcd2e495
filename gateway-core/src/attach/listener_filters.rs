//! The filters of a listener: made ready, or found wanting.
//!
//! Where authorization services are is found out last, once all listeners are known: what leads to a Service is remembered for
//! all of them together.
//!
//! A listener is not served without the filters that it is to have: they may be what keeps strangers out. So one with a filter
//! of a type that is not carried out is not accepted, and one with a filter that leads nowhere fails its requests.
//!
//! # Spec
//! `ListenerFilters`, [PRF-06](crate::spec#PRF-06), [PRF-07](crate::spec#PRF-07), [PRF-09](crate::spec#PRF-09).

use crate::api::{self, BackendObjectReference, ListenerFilterType as Type, ListenerFilters};
use crate::condition::Reason;
use crate::feature::Feature;
use crate::filter::{AuthTerms, ListenerFilter};
use crate::finding::Finding;
use crate::name::BackendId;
use crate::options::Options;
use crate::resolve::{Referrer, Usage, external_auth};

/// A filter of a listener that is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// One that is ready.
    Ready(ListenerFilter),
    /// One that asks an authorization service.
    Asks(BackendObjectReference, AuthTerms),
}

/// Follows the references of filters of listeners and of policies of Gateways to services.
pub(crate) trait FindServices {
    /// The service, in this use of it.
    ///
    /// # Errors
    /// Why the reference leads nowhere.
    fn find(
        &mut self,
        from: Referrer<'_>,
        reference: &BackendObjectReference,
        usage: Usage,
    ) -> Result<BackendId, Finding>;
}

/// The filters in their order, with what is wrong with those that lead nowhere.
///
/// # Errors
/// Why a listener with these filters is not accepted.
pub(super) fn judge(
    written: &ListenerFilters,
    protocol: &str,
    namespace: &str,
    options: &Options,
) -> Result<(Vec<Judged>, Vec<Finding>), Finding> {
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
        match carried_out(filter, options).map_err(wrong) {
            Ok(Written::Extension(reference)) => {
                let filter = extension(reference, namespace, options).unwrap_or_else(|message| {
                    unresolved.push(wrong((Reason::InvalidListenerFilterRef, message)));
                    ListenerFilter::Unresolved
                });
                filters.push(Judged::Ready(filter));
            }
            Ok(Written::Auth(auth)) => match external_auth::terms(auth) {
                Ok(terms) => filters.push(Judged::Asks(auth.backend_ref.clone(), terms)),
                Err(Finding { field: below, message, .. }) => {
                    let message = format!("externalAuth.{below}: {message}");
                    refusals.push(wrong((Reason::UnsupportedValue, message)));
                }
            },
            Err(refusal) => refusals.push(refusal),
        }
    }
    let invalid = refusals.iter().position(|finding| finding.reason == Reason::InvalidListenerFilter);
    match refusals.is_empty() {
        true => Ok((filters, unresolved)),
        false => Err(refusals.swap_remove(invalid.unwrap_or(0))),
    }
}

/// The member of a filter that holds.
enum Written<'f> {
    Extension(&'f api::LocalObjectReference),
    Auth(&'f api::HttpExternalAuthFilter),
}

/// What a filter is, if it is one that is carried out.
fn carried_out<'f>(
    filter: &'f api::ListenerFilter,
    options: &Options,
) -> Result<Written<'f>, (Reason, String)> {
    let api::ListenerFilter { r#type, external_auth, extension_ref } = filter;
    let is_supported = options.supports(Feature::GatewayListenerFilters);
    Err(match (r#type, external_auth, extension_ref) {
        (Type::ExtensionRef, None, Some(named)) if is_supported && options.extensions.is_some() => {
            return Ok(Written::Extension(named));
        }
        (Type::ExternalAuth, Some(auth), None) if is_supported && options.external_auth => {
            return Ok(Written::Auth(auth));
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
    let extensions = options.extensions.as_ref().expect("without extensions no such filter is carried out");
    match extensions.resolve(namespace, group, kind, name) {
        Ok(extension) => Ok(ListenerFilter::Extension(extension)),
        Err(error) => Err(format!("extension {kind}.{group} {namespace}/{name}: {error}")),
    }
}
