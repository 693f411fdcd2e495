//! Statuses of objects that the translation left out.

use std::sync::Arc;

use gateway_core::api::{GATEWAY_GROUP, Kind, ParentReference};
use gateway_core::condition::{Condition, ConditionType, Reason};
use gateway_core::name::ObjectName;
use gateway_core::status::{GatewayStatus, RouteParentStatus, RouteStatus, Statuses};
use gateway_core::validate::Rejected;

use super::computed::Computed;
use crate::object::Stored;
use crate::store::Store;

/// What there is to say about an object that an API server stored and the translation left out: nothing, unless it is a
/// Gateway of a class of ours, or a Route with a parent of ours.
///
/// `rejected` are the objects that break rules, sorted by kind and name; `statuses` are those of all others.
///
/// # Spec
/// [GEN-14](gateway_core::spec#GEN-14): what is not understood has a consequence that users can see.
pub fn refused(
    store: &Store,
    rejected: &[Rejected],
    statuses: &Statuses,
    controller_name: &str,
    kind: Kind,
    key: &ObjectName,
) -> Option<Computed> {
    let stored = store.stored(kind, key)?;
    let place = rejected.binary_search_by(|known| (known.kind, &known.key).cmp(&(kind, key)));
    let (message, class_name, parent_refs) = match (place, store.unreadable_at(kind, key)) {
        (Ok(place), _) => {
            let problems: Vec<_> = rejected[place].problems.iter().map(ToString::to_string).collect();
            let object = store.resources().get(kind, key)?;
            let parent_refs = object.as_route().map(|route| route.parent_refs.to_vec()).unwrap_or_default();
            let class_name =
                store.resources().gateways.get(key).map(|gateway| gateway.spec.gateway_class_name.clone());
            (format!("is left out: {}", problems.join("; ")), class_name, parent_refs)
        }
        (Err(_), Some(unreadable)) => (
            format!("is left out: {}: {}", unreadable.field, unreadable.message),
            unreadable.class_name.clone(),
            unreadable.parent_refs.clone(),
        ),
        (Err(_), None) => return None,
    };
    match kind {
        Kind::Gateway => gateway(stored, &message, &class_name?, statuses),
        kind if kind.group() == GATEWAY_GROUP && !parent_refs.is_empty() => {
            Some(route(stored, &message, &parent_refs, key, statuses, controller_name))
        }
        _ => None,
    }
}

fn gateway(stored: &Stored, message: &str, class_name: &str, statuses: &Statuses) -> Option<Computed> {
    statuses.gateway_classes.get(&ObjectName::cluster(class_name))?;
    let failed = |kind| Condition::failed(kind, Reason::Invalid, message);
    Some(Computed::Gateway(GatewayStatus {
        generation: stored.generation,
        conditions: vec![failed(ConditionType::Accepted), failed(ConditionType::Programmed)],
        ..GatewayStatus::default()
    }))
}

fn route(
    stored: &Stored,
    message: &str,
    parent_refs: &[ParentReference],
    key: &ObjectName,
    statuses: &Statuses,
    controller_name: &str,
) -> Computed {
    let controller_name: Arc<str> = controller_name.into();
    let ours = parent_refs.iter().filter_map(|parent| {
        let namespace = parent.namespace.as_deref().unwrap_or(&key.namespace);
        let name = ObjectName::new(namespace, parent.name.as_str());
        let is_ours = match parent.kind.as_str() {
            "Gateway" => statuses.gateways.contains_key(&name),
            "ListenerSet" => statuses.listener_sets.contains_key(&name),
            _ => false,
        };
        (is_ours && parent.group == GATEWAY_GROUP).then(|| RouteParentStatus {
            parent_ref: ParentReference { namespace: Some(namespace.to_owned()), ..parent.clone() },
            controller_name: controller_name.clone(),
            conditions: vec![Condition::failed(ConditionType::Accepted, Reason::UnsupportedValue, message)],
        })
    });
    Computed::Route(RouteStatus {
        generation: stored.generation,
        parents: ours.collect(),
        ..RouteStatus::default()
    })
}
