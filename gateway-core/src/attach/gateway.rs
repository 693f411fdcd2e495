//! Gateways of our classes, with their listeners.

use std::sync::Arc;

use super::address::Addresses;
use super::certificate_ref::{Certificates, RefError};
use super::finding::Finding;
use super::gateways::summary;
use super::listener::AttachedListener;
use super::listener_draft::Draft;
use super::options::Address;
use super::reference_grant::Referrer;
use crate::api::{GATEWAY_GROUP, Gateway, Kind};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::ObjectName;

/// A Gateway of one of our classes.
#[derive(Clone, Debug)]
pub struct AttachedGateway {
    /// The object.
    pub object: Arc<Gateway>,
    /// Its name.
    pub name: ObjectName,
    /// The conditions of its status.
    pub conditions: Vec<Condition>,
    /// The addresses it is bound to; empty too where the addresses are known elsewhere.
    pub addresses: Vec<Address>,
    /// Its own listeners, all of them, in the order of its specification.
    pub listeners: Vec<AttachedListener>,
    /// How many accepted ListenerSets are attached.
    pub attached_listener_sets: usize,
}

/// A Gateway while it is judged.
#[derive(Debug)]
pub(super) struct GatewayDraft {
    pub(super) object: Arc<Gateway>,
    pub(super) name: ObjectName,
    /// Why it is not accepted, whatever its listeners are.
    pub(super) refusal: Option<Finding>,
    pub(super) addresses: Addresses,
    /// What is wrong with its own references.
    pub(super) unresolved: Option<Finding>,
    /// Whether clients without a valid certificate are let in on some port.
    pub(super) insecure: bool,
    pub(super) drafts: Vec<Draft>,
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
    Some(Finding::new(Reason::InvalidParameters, message))
}

/// What is wrong with the certificate that the Gateway shows to backends.
///
/// # Spec
/// GWB-02, GWB-03.
pub(super) fn client_certificate(
    gateway: &Gateway,
    name: &ObjectName,
    certificates: &mut Certificates<'_>,
) -> Option<Finding> {
    let reference = gateway.spec.tls.as_ref()?.backend.as_ref()?.client_certificate_ref.as_ref()?;
    let error = certificates.certificate(referrer(name), reference).err()?;
    let reason = match error {
        RefError::NotPermitted { .. } => Reason::RefNotPermitted,
        RefError::Kind { .. } | RefError::Object { .. } => Reason::InvalidClientCertificateRef,
    };
    Some(Finding::new(reason, format!("spec.tls.backend.clientCertificateRef {error}")))
}

// === impl GatewayDraft ===

impl GatewayDraft {
    /// Whether it is accepted: nothing is wrong with the Gateway itself, and some listener makes sense.
    ///
    /// Its own listeners alone decide. A certificate that is missing today does not turn the Gateway down, and with it
    /// every ListenerSet.
    ///
    /// # Spec
    /// GWL-09, GWL-10, LST-12, AMB-69.
    pub(super) fn is_accepted(&self) -> bool {
        self.refusal.is_none() && self.drafts.iter().any(Draft::is_accepted)
    }

    /// Why none of its listeners is served, if so.
    pub(super) fn waiting(&self) -> Option<&'static str> {
        if !self.is_accepted() {
            Some("the Gateway is not accepted; nothing is served until it is")
        } else if !self.addresses.reachable {
            Some("the Gateway has no usable address; nothing is served until it has one")
        } else {
            None
        }
    }

    /// The Gateway with its conditions; `sets_served` says that some listener of a ListenerSet is served.
    ///
    /// # Spec
    /// GWS-01 to GWS-03, GWS-05, GWF-10, GWB-04.
    pub(super) fn finish(self, sets_served: bool, attached_listener_sets: usize) -> AttachedGateway {
        let mut conditions = vec![self.accepted(), self.programmed(sets_served), self.resolved_refs()];
        if self.insecure {
            conditions.push(Condition::is_true_because(
                ConditionType::InsecureFrontendValidationMode,
                Reason::ConfigurationChanged,
                "spec.tls.frontend has mode AllowInsecureFallback: clients without a valid certificate are let in",
            ));
        }
        let waiting = self.waiting();
        AttachedGateway {
            object: self.object,
            name: self.name,
            conditions,
            addresses: self.addresses.addresses,
            listeners: self.drafts.into_iter().map(|draft| draft.finish(waiting)).collect(),
            attached_listener_sets,
        }
    }

    fn accepted(&self) -> Condition {
        if let Some(refusal) = &self.refusal {
            return refusal.denies(ConditionType::Accepted);
        }
        match summary(&self.drafts) {
            None if self.is_accepted() => Condition::accepted(),
            listeners => Condition {
                kind: ConditionType::Accepted,
                status: self.is_accepted(),
                reason: Reason::ListenersNotValid,
                message: listeners.unwrap_or_default(),
            },
        }
    }

    fn programmed(&self, sets_served: bool) -> Condition {
        let denied = |message: &str| Condition::is_false(ConditionType::Programmed, Reason::Invalid, message);
        if !self.is_accepted() {
            denied("the Gateway is not accepted; see Accepted")
        } else if let Some(obstacle) = &self.addresses.obstacle {
            obstacle.denies(ConditionType::Programmed)
        } else if !sets_served && !self.drafts.iter().any(Draft::is_valid) {
            denied("no listener can be served; see the conditions of the listeners")
        } else {
            Condition::programmed()
        }
    }

    fn resolved_refs(&self) -> Condition {
        if let Some(unresolved) = &self.unresolved {
            return unresolved.denies(ConditionType::ResolvedRefs);
        }
        let unresolved = self.drafts.iter().filter(|draft| !draft.unresolved.is_empty());
        let names: Vec<_> = unresolved.map(|draft| &*draft.listener.name).collect();
        if names.is_empty() {
            return Condition::resolved_refs();
        }
        let message = format!("references of these listeners are not resolved: {}", names.join(", "));
        Condition::is_false(ConditionType::ResolvedRefs, Reason::ListenersNotResolved, message)
    }
}

// === impl AttachedGateway ===

impl AttachedGateway {
    /// Whether the Gateway makes sense: its status has `Accepted=True`.
    pub fn is_accepted(&self) -> bool {
        Condition::holds(&self.conditions, ConditionType::Accepted)
    }
}
