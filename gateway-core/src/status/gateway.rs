//! The status of a Gateway, and of listeners.

use super::{GatewayStatus, ListenerStatus};
use crate::attach::{AttachedGateway, AttachedListener, ListenerKey};

/// `attached_routes` says how many Routes are attached to a listener.
///
/// # Spec
/// GWS-01 to GWS-07: its own listeners, never those of ListenerSets.
pub(super) fn gateway(
    gateway: &AttachedGateway,
    attached_routes: &dyn Fn(ListenerKey) -> usize,
) -> GatewayStatus {
    GatewayStatus {
        generation: gateway.object.metadata.generation,
        conditions: gateway.conditions.clone(),
        addresses: gateway.addresses.clone(),
        listeners: listeners(&gateway.listeners, attached_routes),
        attached_listener_sets: gateway.attached_listener_sets,
    }
}

/// An entry for every listener that is written, and for no other.
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
        attached_routes: attached_routes(listener.key()),
        conditions: listener.conditions.clone(),
    };
    listeners.iter().map(status).collect()
}
