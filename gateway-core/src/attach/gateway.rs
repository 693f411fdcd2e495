//! Gateways of our classes, with their listeners.

use std::sync::Arc;

use super::address::Addresses;
use super::listener::{AttachedListener, Waiting};
use crate::api::{GATEWAY_GROUP, Gateway, Kind};
use crate::condition::Reason;
use crate::finding::Finding;
use crate::name::ObjectName;
use crate::resolve::{Certificates, RefError, Referrer};
use crate::table::Certificate;

/// A Gateway of one of our classes.
#[derive(Clone, Debug)]
pub(crate) struct AttachedGateway {
    /// The object.
    pub(crate) object: Arc<Gateway>,
    /// The name of the controller that its class asks for.
    pub(crate) controller: Arc<str>,
    /// Why it is not accepted, whatever its listeners are.
    pub(crate) refusal: Option<Finding>,
    /// The addresses it is bound to, and what is wrong with those that it asks for.
    pub(crate) addresses: Addresses,
    /// What it shows to backends that ask for a certificate; what is wrong with the reference to it.
    pub(crate) client_certificate: Result<Option<Certificate>, Finding>,
    /// Whether clients without a valid certificate are let in on some port.
    pub(crate) insecure: bool,
    /// Its own listeners, all of them, in the order of its specification.
    pub(crate) listeners: Vec<AttachedListener>,
    /// How many accepted ListenerSets are attached.
    pub(crate) attached_listener_sets: usize,
}

/// The sender of the Gateway's own references.
pub(super) fn referrer(name: &ObjectName) -> Referrer<'_> {
    Referrer { group: GATEWAY_GROUP, kind: Kind::Gateway.as_str(), namespace: &name.namespace }
}

/// What is wrong with the Gateway's parameters.
///
/// # Spec
/// GWA-10: parameters that are not known are refused also by a controller that has none at all.
pub(super) fn parameters(gateway: &Gateway) -> Option<Finding> {
    let parameters = gateway.spec.infrastructure.as_ref()?.parameters_ref.as_ref()?;
    let message = format!(
        "spec.infrastructure.parametersRef names {} {}, but this controller has no parameters; remove it",
        parameters.kind, parameters.name
    );
    Some(Finding::new("spec.infrastructure.parametersRef", Reason::InvalidParameters, message))
}

/// The certificate that the Gateway shows to backends.
///
/// # Errors
/// What is wrong with the reference to it. Then none is shown.
///
/// # Spec
/// GWB-01 to GWB-03, GWB-05.
pub(super) fn client_certificate(
    gateway: &Gateway,
    name: &ObjectName,
    certificates: &mut Certificates<'_>,
) -> Result<Option<Certificate>, Finding> {
    let backend = gateway.spec.tls.as_ref().and_then(|tls| tls.backend.as_ref());
    let reference = backend.and_then(|backend| backend.client_certificate_ref.as_ref());
    let found = reference.map(|reference| certificates.certificate(referrer(name), reference));
    found.transpose().map_err(|error| {
        let reason = match error {
            RefError::NotPermitted { .. } => Reason::RefNotPermitted,
            RefError::Kind { .. } | RefError::Object { .. } => Reason::InvalidClientCertificateRef,
        };
        error.into_finding("spec.tls.backend.clientCertificateRef".to_owned(), reason)
    })
}

// === impl AttachedGateway ===

impl AttachedGateway {
    /// Whether it is accepted: nothing is wrong with the Gateway itself, and some listener makes sense.
    ///
    /// Its own listeners alone decide. A certificate that is missing today does not turn the Gateway down, and with it
    /// every ListenerSet.
    ///
    /// # Spec
    /// GWL-09, GWL-10, LST-12, AMB-69.
    pub(crate) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.listeners.iter().any(|listener| listener.state.is_accepted())
    }

    /// Whether it is accepted, and the port of some listener that makes sense is bound as far as is known.
    pub(crate) fn is_placed(&self) -> bool {
        self.refusal.is_none() && self.listeners.iter().any(|listener| listener.state.is_placed())
    }

    /// Why none of its listeners is served, if so.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        if !self.is_accepted() {
            Some(Waiting::NotAccepted)
        } else if !self.addresses.reachable {
            Some(Waiting::NoAddress)
        } else {
            None
        }
    }
}
