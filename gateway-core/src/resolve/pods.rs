//! The Pods that an XBackend selects, and their addresses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::endpoints::endpoints;
use crate::api::Pod;
use crate::name::ObjectName;
use crate::rule::Endpoint;
use crate::validate::Valid;

/// Labels that a Pod must have all of.
pub(crate) type Selector = BTreeMap<String, String>;

/// Whether a Pod has all of the labels.
pub(crate) fn selects(selector: &Selector, pod: &Pod) -> bool {
    selector.iter().all(|(name, value)| pod.metadata.labels.get(name) == Some(value))
}

/// The objects of a namespace among those of a kind.
pub(crate) fn of_namespace<'o, T>(
    objects: &'o BTreeMap<ObjectName, Valid<T>>,
    namespace: &str,
) -> impl Iterator<Item = (&'o ObjectName, &'o Valid<T>)> {
    let from = ObjectName::new(namespace, "");
    let of_namespace = from.namespace.clone();
    objects.range(from..).take_while(move |(name, _)| name.namespace == of_namespace)
}

/// The ready Pods of a namespace that have all of the labels, at this port, and where they run. If none is ready, those that still
/// take requests while they terminate, as with a Service.
///
/// # Spec
/// XBK-07
pub(crate) fn ready(
    pods: &BTreeMap<ObjectName, Valid<Pod>>,
    namespace: &str,
    selector: &Selector,
    port: u16,
) -> Arc<[Endpoint]> {
    let (mut ready, mut terminating) = (Vec::new(), Vec::new());
    for (_, pod) in of_namespace(pods, namespace) {
        if !selects(selector, pod) || !pod.is_ready() {
            continue;
        }
        let Some(ip) = pod.address() else { continue };
        let found = (SocketAddr::new(ip, port), [None, None, pod.spec.node_name.as_deref()]);
        match pod.metadata.deletion_timestamp {
            None => ready.push(found),
            Some(_) => terminating.push(found),
        }
    }
    endpoints(if ready.is_empty() { terminating } else { ready })
}
