//! The status of listeners, of Gateways and of ListenerSets alike.

use super::{Cause, ListenerStatus};
use crate::attach::{AttachedListener, Conflict, ListenerKey, Waiting};
use crate::condition::{Condition, ConditionType, Reason};
use crate::finding::Finding;
use crate::name::ListenerOwnerKind;

/// The reasons for which references are not resolved, the one first that is given if several apply.
///
/// # Spec
/// GWS-05; permission stands before everything else (RGR-08).
const UNRESOLVED: [Reason; 6] = [
    Reason::RefNotPermitted,
    Reason::InvalidCertificateRef,
    Reason::InvalidCaCertificateRef,
    Reason::InvalidCaCertificateKind,
    Reason::InvalidListenerFilterRef,
    Reason::InvalidRouteKinds,
];

/// An entry for every listener that is written, and for no other. `attached_routes` says how many Routes are attached to
/// a listener.
///
/// # Spec
/// GWK-02, GWK-09, GWL-20.
pub(super) fn listeners(
    listeners: &[AttachedListener],
    attached_routes: &dyn Fn(ListenerKey) -> usize,
) -> Vec<ListenerStatus> {
    let status = |listener: &AttachedListener| ListenerStatus {
        name: listener.name.to_string(),
        supported_kinds: listener.kinds.clone(),
        attached_routes: attached_routes(listener.key),
        conditions: conditions(listener),
    };
    listeners.iter().map(status).collect()
}

/// # Spec
/// GWS-04, GWS-05, LST-10, GEN-07, GEN-08.
fn conditions(listener: &AttachedListener) -> Vec<Condition> {
    let state = &listener.state;
    let mut conditions = Vec::with_capacity(3);
    if let Some(conflict) = state.conflict {
        let message = conflict_message(conflict, listener);
        conditions.push(Condition::failed(ConditionType::Accepted, conflict.reason(), message.clone()));
        conditions.push(Condition::failed(ConditionType::Programmed, conflict.reason(), message));
    } else if let Some(refusal) = state.refusal.as_ref().or(state.unbound.as_ref()) {
        conditions.push(refusal.clone().into_condition(ConditionType::Accepted));
        // Of the reasons for not being accepted, Programmed has this one only, and on ListenerSets only.
        let repeated = refusal.reason == Reason::PortUnavailable
            && listener.owner_kind == ListenerOwnerKind::ListenerSet;
        let reason = if repeated { Reason::PortUnavailable } else { Reason::Invalid };
        let message = refusal.message.clone();
        conditions.push(Condition::failed(ConditionType::Programmed, reason, message));
    } else {
        conditions.push(Condition::accepted());
        conditions.push(match (&state.obstacle, state.waiting) {
            (Some(obstacle), _) => obstacle.clone().into_condition(ConditionType::Programmed),
            (None, Some(waiting)) => {
                Condition::failed(ConditionType::Programmed, Reason::Pending, waiting_message(waiting))
            }
            (None, None) => Condition::programmed(),
        });
    }
    conditions.push(resolved_refs(&state.unresolved));
    if let Some(conflict) = state.conflict {
        let message = conflict_message(conflict, listener);
        conditions.push(Condition::noted(ConditionType::Conflicted, conflict.reason(), message));
    }
    if state.overlapping {
        conditions.push(Condition::noted(
            ConditionType::OverlappingTlsConfig,
            Reason::OverlappingHostnames,
            overlapping_message(listener),
        ));
    }
    conditions
}

/// What is wrong with listeners, at the fields of the object that holds them. What several share is said once.
pub(super) fn causes(listeners: &[AttachedListener], causes: &mut Vec<Cause>) {
    for (index, listener) in listeners.iter().enumerate() {
        let state = &listener.state;
        let mut add = |condition, finding: &Finding| {
            // How clients are checked stands in the Gateway, for all listeners of a port.
            let finding = match finding.field.starts_with("spec.") {
                true => finding.clone(),
                false => finding.clone().under(format_args!("spec.listeners[{index}]")),
            };
            let cause = Cause::new(condition, finding);
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        };
        if let Some(conflict) = state.conflict {
            let field = match (conflict, &listener.hostname) {
                (Conflict::Hostname, Some(_)) => "hostname",
                (Conflict::Hostname | Conflict::Protocol | Conflict::TlsMode, _) => "port",
            };
            let finding = Finding::new(field, conflict.reason(), conflict_message(conflict, listener));
            add(ConditionType::Conflicted, &finding);
        } else if let Some(refusal) = state.refusal.as_ref().or(state.unbound.as_ref()) {
            add(ConditionType::Accepted, refusal);
        }
        for finding in &state.unresolved {
            add(ConditionType::ResolvedRefs, finding);
        }
        // A certificate that is not there has been said.
        if let Some(obstacle) = state.obstacle.as_ref().filter(|_| state.unresolved.is_empty()) {
            add(ConditionType::Programmed, obstacle);
        }
        if state.overlapping {
            let finding =
                Finding::new("hostname", Reason::OverlappingHostnames, overlapping_message(listener));
            add(ConditionType::OverlappingTlsConfig, &finding);
        }
    }
}

/// Why nothing of a Gateway is served.
pub(super) fn waiting_message(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::NotAccepted => "the Gateway is not accepted; nothing is served until it is",
        Waiting::NoAddress => "the Gateway has no usable address; nothing is served until it has one",
    }
}

/// In one sentence, which listeners are not valid and which are; nothing if all are.
///
/// # Spec
/// GWL-10
pub(super) fn summary(listeners: &[AttachedListener]) -> Option<String> {
    let mut bad = Vec::new();
    let mut good = Vec::new();
    for listener in listeners {
        let name = &listener.name;
        match listener.state.defect() {
            Some(reason) => bad.push(format!("{name} ({reason})")),
            None => good.push(&**name),
        }
    }
    if listeners.is_empty() {
        return Some("there is no listener".to_owned());
    }
    if bad.is_empty() {
        return None;
    }
    let good = if good.is_empty() { "none".to_owned() } else { good.join(", ") };
    Some(format!("listeners that are not valid: {}; valid: {good}", bad.join(", ")))
}

fn resolved_refs(unresolved: &[Finding]) -> Condition {
    let rank = |finding: &Finding| UNRESOLVED.iter().position(|reason| *reason == finding.reason);
    let Some(worst) = unresolved.iter().min_by_key(|finding| rank(finding).unwrap_or(UNRESOLVED.len()))
    else {
        return Condition::resolved_refs();
    };
    let messages: Vec<_> = unresolved.iter().map(|finding| finding.message.as_str()).collect();
    Condition::failed(ConditionType::ResolvedRefs, worst.reason, messages.join("; "))
}

fn overlapping_message(listener: &AttachedListener) -> String {
    format!(
        "another listener on port {} terminates TLS for some of the same hosts; a client that reuses a connection \
         for them is told to make a new one (421)",
        listener.port
    )
}

/// Names no listener: the other one may be another tenant's (GEN-17).
fn conflict_message(conflict: Conflict, listener: &AttachedListener) -> String {
    let AttachedListener { port, protocol, hostname, .. } = listener;
    match (conflict, hostname) {
        (Conflict::Hostname, Some(hostname)) => format!(
            "another listener has port {port}, protocol {protocol} and hostname {hostname}, or hosts in common that \
             cannot be told apart; use another hostname or port"
        ),
        (Conflict::Hostname, None) => format!(
            "another listener has port {port} and protocol {protocol} without hostname; use a hostname or another \
             port"
        ),
        (Conflict::Protocol, _) => format!(
            "another listener has port {port} with a protocol that {protocol} cannot share it with; use another port"
        ),
        (Conflict::TlsMode, _) => format!(
            "another listener has port {port} with another TLS mode; use the same mode or another port"
        ),
    }
}
