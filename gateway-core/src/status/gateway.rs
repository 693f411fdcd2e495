//! The status of a Gateway.

use super::listener::{self, listeners, summary};
use super::{Cause, GatewayStatus, StatusAddress};
use crate::attach::{Addresses, AttachedGateway, AttachedListener, ListenerKey};
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;

/// `attached_routes` says how many Routes are attached to a listener.
///
/// # Spec
/// GWS-01 to GWS-07, GWF-10, GWB-04: its own listeners, never those of ListenerSets.
pub(super) fn gateway(
    gateway: &AttachedGateway,
    attached_routes: &dyn Fn(ListenerKey) -> usize,
) -> GatewayStatus {
    let mut conditions =
        vec![accepted(gateway), programmed(gateway), resolved_refs(gateway), addresses_assigned(gateway)];
    if gateway.insecure {
        conditions.push(Condition::noted(
            ConditionType::InsecureFrontendValidationMode,
            Reason::ConfigurationChanged,
            INSECURE,
        ));
    }
    GatewayStatus {
        generation: gateway.object.metadata.generation,
        conditions,
        causes: causes(gateway),
        addresses: gateway.addresses.shown().into_iter().map(StatusAddress::from).collect(),
        listeners: listeners(&gateway.listeners, attached_routes),
        attached_listener_sets: gateway.attached_listener_sets,
    }
}

const INSECURE: &str =
    "spec.tls.frontend has mode AllowInsecureFallback: clients without a valid certificate are let in";

/// Everything that the conditions of the Gateway and of its listeners have to say, once.
fn causes(gateway: &AttachedGateway) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut add = |condition, finding: Option<&Finding>| {
        causes.extend(finding.map(|finding| Cause::new(condition, finding.clone())));
    };
    let Addresses { obstacle, unbound, .. } = &gateway.addresses;
    add(ConditionType::Accepted, gateway.refusal.as_ref());
    add(ConditionType::Programmed, obstacle.as_ref().or(unbound.as_ref()));
    add(ConditionType::ResolvedRefs, gateway.client_certificate.as_ref().err());
    if gateway.insecure {
        let finding = Finding::new("spec.tls.frontend", Reason::ConfigurationChanged, INSECURE);
        add(ConditionType::InsecureFrontendValidationMode, Some(&finding));
    }
    listener::causes(&gateway.listeners, &mut causes);
    causes
}

fn accepted(gateway: &AttachedGateway) -> Condition {
    if let Some(refusal) = &gateway.refusal {
        return refusal.clone().into_condition(ConditionType::Accepted);
    }
    match summary(&gateway.listeners) {
        None if gateway.is_placed() => Condition::accepted(),
        listeners => Condition {
            kind: ConditionType::Accepted,
            status: gateway.is_placed(),
            reason: Reason::ListenersNotValid,
            message: listeners.unwrap_or_default(),
        },
    }
}

fn programmed(gateway: &AttachedGateway) -> Condition {
    let denied = |message: &str| Condition::failed(ConditionType::Programmed, Reason::Invalid, message);
    let sets_served = gateway.attached_listener_sets > 0;
    let placed = |listener: &AttachedListener| listener.state.is_valid() && listener.state.is_placed();
    let Addresses { obstacle, unbound, .. } = &gateway.addresses;
    if !gateway.is_placed() {
        denied("the Gateway is not accepted; see Accepted")
    } else if let Some(obstacle) = obstacle.as_ref().or(unbound.as_ref()) {
        obstacle.clone().into_condition(ConditionType::Programmed)
    } else if !sets_served && !gateway.listeners.iter().any(placed) {
        denied("no listener can be served; see the conditions of the listeners")
    } else {
        Condition::programmed()
    }
}

/// Who asks for no address has every one that it asks for.
///
/// # Spec
/// ADR-04
fn addresses_assigned(gateway: &AttachedGateway) -> Condition {
    let wanted = &gateway.object.spec.addresses;
    let unsatisfied = gateway.addresses.unsatisfied(wanted);
    let reason = match unsatisfied.len() {
        0 => return Condition::ok(ConditionType::AddressesAssigned, Reason::AddressesAssigned),
        count if count < wanted.len() => Reason::PartiallyAssigned,
        _ => Reason::NotAssigned,
    };
    let entry = |index: &usize| match wanted[*index].value.as_deref() {
        Some(value) => format!("spec.addresses[{index}] ({value})"),
        None => format!("spec.addresses[{index}]"),
    };
    let entries: Vec<_> = unsatisfied.iter().map(entry).collect();
    let message = format!("not assigned: {}; see Accepted and Programmed", entries.join(", "));
    Condition::failed(ConditionType::AddressesAssigned, reason, message)
}

fn resolved_refs(gateway: &AttachedGateway) -> Condition {
    if let Err(unresolved) = &gateway.client_certificate {
        return unresolved.clone().into_condition(ConditionType::ResolvedRefs);
    }
    let unresolved = gateway.listeners.iter().filter(|listener| !listener.state.unresolved.is_empty());
    let names: Vec<_> = unresolved.map(|listener| &*listener.name).collect();
    if names.is_empty() {
        return Condition::resolved_refs();
    }
    let message = format!("references of these listeners are not resolved: {}", names.join(", "));
    Condition::failed(ConditionType::ResolvedRefs, Reason::ListenersNotResolved, message)
}
