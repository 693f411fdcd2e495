//! The status of a ListenerSet.

use super::ListenerSetStatus;
use super::gateway::listeners;
use crate::attach::{AttachedListenerSet, ListenerKey};

/// `attached_routes` says how many Routes are attached to a listener.
///
/// # Spec
/// LST-11, LST-12: its own listeners, never those of the Gateway or of other ListenerSets.
pub(super) fn listener_set(
    set: &AttachedListenerSet,
    attached_routes: &dyn Fn(ListenerKey) -> usize,
) -> ListenerSetStatus {
    ListenerSetStatus {
        generation: set.object.metadata.generation,
        conditions: set.conditions.clone(),
        listeners: listeners(&set.listeners, attached_routes),
    }
}
