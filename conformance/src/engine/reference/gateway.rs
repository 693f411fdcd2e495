//! The listeners of a Gateway, and which of them serves a host.

use gateway_core::api::{AllowedRoutes, GATEWAY_GROUP, ObjectKey, Resources};

use super::{backend, hostname, namespace};

/// A listener that is served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listener<'r> {
    pub(super) gateway: &'r ObjectKey,
    pub(super) name: &'r str,
    pub(super) hostname: Option<&'r str>,
    pub(super) port: u16,
    pub(super) https: bool,
    pub(super) allowed_routes: &'r AllowedRoutes,
}

/// The listeners of a Gateway that are served.
pub(super) fn listeners<'r>(
    resources: &'r Resources,
    controller_name: &str,
    key: &ObjectKey,
) -> Vec<Listener<'r>> {
    let Some((key, gateway)) = resources.gateways.get_key_value(key) else { return Vec::new() };
    // GC-14: a Gateway whose class does not exist or is not ours is not served.
    let class = resources.gateway_classes.get(&ObjectKey::cluster(gateway.spec.gateway_class_name.as_str()));
    if class.is_none_or(|class| class.spec.controller_name != controller_name) {
        return Vec::new();
    }
    gateway
        .spec
        .listeners
        .iter()
        .filter(|listener| ["HTTP", "HTTPS"].contains(&listener.protocol.as_str()))
        // GWL-07, GWL-08, AMB-44: HTTP and HTTPS on one port conflict, and nobody wins.
        .filter(|listener| {
            let same_port = |other: &&gateway_core::api::Listener| other.port == listener.port;
            gateway.spec.listeners.iter().filter(same_port).all(|other| other.protocol == listener.protocol)
        })
        // GWK-03: a listener that only allows kinds that cannot attach is not programmed.
        .filter(|listener| takes_http_routes(&listener.allowed_routes))
        .filter(|listener| listener.protocol != "HTTPS" || has_certificate(resources, key, listener))
        .map(|listener| Listener {
            gateway: key,
            name: &listener.name,
            hostname: listener.hostname.as_deref(),
            port: u16::try_from(listener.port).expect("a port, by the schema"),
            https: listener.protocol == "HTTPS",
            allowed_routes: &listener.allowed_routes,
        })
        .collect()
}

/// GWK-01: without any kinds, all that fit the protocol.
fn takes_http_routes(allowed: &AllowedRoutes) -> bool {
    let mut kinds = allowed.kinds.iter();
    allowed.kinds.is_empty() || kinds.any(|kind| kind.group == GATEWAY_GROUP && kind.kind == "HTTPRoute")
}

/// GWT-05, GWT-06: a listener whose certificate cannot be had is not programmed. (With several certificates one is
/// enough to serve.)
fn has_certificate(resources: &Resources, key: &ObjectKey, listener: &gateway_core::api::Listener) -> bool {
    let references = listener.tls.iter().flat_map(|tls| &tls.certificate_refs);
    references.into_iter().any(|reference| {
        let to = ObjectKey::new(namespace(reference.namespace.as_deref(), key), reference.name.as_str());
        reference.group.is_empty()
            && reference.kind == "Secret"
            && backend::is_granted(resources, "Gateway", &key.namespace, "Secret", &to)
            && resources.secrets.get(&to).is_some_and(|secret| secret.r#type == "kubernetes.io/tls")
    })
}

/// HST-08: the listener with the most specific hostname that matches.
pub(super) fn most_specific<'l, 'r>(listeners: &'l [Listener<'r>], host: &str) -> Option<&'l Listener<'r>> {
    listeners
        .iter()
        .filter(|listener| listener.hostname.is_none_or(|hostname| hostname::matches(hostname, host)))
        .max_by_key(|listener| hostname::rank(listener.hostname))
}
