//! Services in a mesh that no connection is known to be for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Lint;
use crate::api::{Kind, Service};
use crate::condition::{Condition, ConditionType, Reason};
use crate::name::{ObjectName, RouteKey};

/// An API server gives each Service its address, but a file may leave it out: its Routes are attached then, and nothing that is dialled
/// is taken to be for them.
///
/// # Spec
/// MSH-02, MSH-11.
pub(super) fn look(lint: &mut Lint<'_>) {
    let mut named: BTreeMap<ObjectName, &RouteKey> = BTreeMap::new();
    for (route, status) in &lint.statuses.routes {
        for parent in &status.parents {
            let reference = &parent.parent_ref;
            let is_service = reference.group.is_empty() && reference.kind == Kind::Service.as_str();
            if is_service && Condition::holds(&parent.conditions, ConditionType::Accepted) {
                let namespace = reference.namespace.as_deref().unwrap_or(&route.name.namespace);
                named.entry(ObjectName::new(namespace, reference.name.as_str())).or_insert(route);
            }
        }
    }
    for (name, route) in named {
        if lint.resources.services.get(&name).is_some_and(|service| !has_address(service)) {
            let message = format!(
                "there is no address, and connections in a mesh are known by the one that they were made to, so that nothing comes \
                 to {} {}; write the address that clients connect to, as the cluster has it (`kubectl get service {} -n {} -o yaml`)",
                route.kind, route.name, name.name, name.namespace
            );
            lint.say(Kind::Service, &name, Reason::Unsupported, "spec.clusterIP", message);
        }
    }
}

fn has_address(service: &Service) -> bool {
    let written = service.spec.cluster_ips.iter().chain(&service.spec.cluster_ip);
    written.into_iter().any(|written| written.parse::<IpAddr>().is_ok())
}
