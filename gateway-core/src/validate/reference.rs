//! References to backends, Secrets and other objects.

use super::pattern;
use super::problem::{Channel, Problems};
use super::schema::PORT;
use crate::api::{
    BackendObjectReference, BackendRef, LocalObjectReference, Object, ObjectReference, ParametersReference,
    SecretObjectReference, XBackend,
};

/// The parts that every reference to a backend has, whatever is written beside them.
#[derive(Clone, Copy)]
pub(super) struct BackendParts<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: Option<&'a str>,
    pub(super) port: Option<i32>,
}

/// What the share of a backend may be.
const WEIGHT: std::ops::RangeInclusive<i32> = 0..=1_000_000;

/// A reference to a backend.
///
/// # Spec
/// VAL-RT-03, XBK-08, VAL-ST-06.
pub(super) fn backend(reference: BackendParts<'_>, at: &mut Problems) {
    let BackendParts { group, kind, name, namespace, port } = reference;
    // Nearly every reference is to a Service of the core group, whose name is all that is left to check.
    let service = group.is_empty() && kind == "Service";
    if !service {
        at.group_kind(group, kind);
        if port.is_some() && group == XBackend::GROUP && kind == XBackend::KIND {
            let message = "is not for an XBackend, which has a port of its own; drop it";
            at.field("port").report_in(Channel::Experimental, "XBK-08", message);
        }
    } else if port.is_none() {
        at.report("VAL-RT-03", "names a Service without a port; write the port of the Service");
    }
    at.object_name(name);
    at.optional_text("namespace", namespace, &pattern::NAMESPACE);
    at.optional_number("port", port, PORT);
}

/// A reference to a backend with a share of the requests.
pub(super) fn weighted_backend(reference: BackendParts<'_>, weight: i32, at: &mut Problems) {
    backend(reference, at);
    at.number("weight", weight, WEIGHT);
}

/// A reference without defaults, in the namespace of the referrer.
pub(super) fn local(reference: &LocalObjectReference, at: &mut Problems) {
    at.group_kind(&reference.group, &reference.kind);
    at.object_name(&reference.name);
}

/// A reference without defaults, to an object in any namespace.
pub(super) fn object(reference: &ObjectReference, at: &mut Problems) {
    at.group_kind(&reference.group, &reference.kind);
    at.object_name(&reference.name);
    at.optional_text("namespace", reference.namespace.as_deref(), &pattern::NAMESPACE);
}

/// A reference to a certificate and its key.
pub(super) fn secret(reference: &SecretObjectReference, at: &mut Problems) {
    at.group_kind(&reference.group, &reference.kind);
    at.object_name(&reference.name);
    at.optional_text("namespace", reference.namespace.as_deref(), &pattern::NAMESPACE);
}

/// A reference to an implementation's own parameters.
pub(super) fn parameters(reference: &ParametersReference, at: &mut Problems) {
    at.group_kind(&reference.group, &reference.kind);
    at.object_name(&reference.name);
    at.optional_text("namespace", reference.namespace.as_deref(), &pattern::NAMESPACE);
}

// === impl BackendParts ===

impl<'a> From<&'a BackendRef> for BackendParts<'a> {
    fn from(reference: &'a BackendRef) -> Self {
        let BackendRef { group, kind, name, namespace, port, weight: _ } = reference;
        Self { group, kind, name, namespace: namespace.as_deref(), port: *port }
    }
}

impl<'a> From<&'a BackendObjectReference> for BackendParts<'a> {
    fn from(reference: &'a BackendObjectReference) -> Self {
        let BackendObjectReference { group, kind, name, namespace, port } = reference;
        Self { group, kind, name, namespace: namespace.as_deref(), port: *port }
    }
}
